package wire

import (
	"reflect"
	"strings"
	"testing"

	"kalami/session"
)

// What a client may get wrong, and the field that the answer names.
func TestDecodeControlRefuses(t *testing.T) {
	deep := strings.Repeat(`{"a":`, MaxDepth) + `1` + strings.Repeat(`}`, MaxDepth)
	for _, tt := range []struct {
		name  string
		data  string
		code  session.Code
		param string
	}{
		{"not JSON", `hello`, session.InvalidJSON, ""},
		{"nothing", ``, session.InvalidJSON, ""},
		{"cut off", `{"type":"pong"`, session.InvalidJSON, ""},
		{"two values", `{"type":"ack","seq":1}{}`, session.InvalidJSON, ""},
		{"not a number", `{"type":"ack","seq":NaN}`, session.InvalidJSON, ""},
		{"an array", `[1]`, session.InvalidEvent, ""},
		{"a string", `"pong"`, session.InvalidEvent, ""},
		{"null", `null`, session.InvalidEvent, "type"},
		{"no type", `{"event_id":"e1"}`, session.InvalidEvent, "type"},
		{"empty type", `{"type":""}`, session.InvalidEvent, "type"},
		{"type a number", `{"type":5}`, session.InvalidEvent, "type"},
		{"type too long", `{"type":"` + strings.Repeat("x", 129) + `"}`, session.InvalidEvent, "type"},
		{"unknown type", `{"type":"tutor.dance"}`, session.UnknownEvent, "type"},
		{"a server's event", `{"type":"session.created"}`, session.UnknownEvent, "type"},
		{"event_id a number", `{"type":"ack","seq":1,"event_id":7}`, session.InvalidEvent, "event_id"},
		{"event_id too long", `{"type":"ack","seq":1,"event_id":"` + strings.Repeat("x", 129) + `"}`, session.InvalidEvent, "event_id"},
		{"too deep", `{"type":"ack","seq":1,"x":` + deep + `}`, session.InvalidEvent, ""},

		{"ack without seq", `{"type":"ack"}`, session.InvalidEvent, "seq"},
		{"ack below zero", `{"type":"ack","seq":-1}`, session.InvalidEvent, "seq"},
		{"ack with a fraction", `{"type":"ack","seq":1.5}`, session.InvalidEvent, "seq"},
		{"ack beyond JavaScript", `{"type":"ack","seq":9007199254740993}`, session.InvalidEvent, "seq"},
		{"ack beyond any float", `{"type":"ack","seq":1e999}`, session.InvalidEvent, "seq"},
		{"ack a string", `{"type":"ack","seq":"1"}`, session.InvalidEvent, "seq"},
		{"pong without id", `{"type":"pong"}`, session.InvalidEvent, "id"},
		{"pong of an object", `{"type":"pong","id":{}}`, session.InvalidEvent, "id"},

		{"update without session", `{"type":"session.update"}`, session.InvalidEvent, "session"},
		{"update of a string", `{"type":"session.update","session":"x"}`, session.InvalidEvent, "session"},
		{"duplex unknown", `{"type":"session.update","session":{"duplex":"triple"}}`, session.InvalidEvent, "session.duplex"},
		{"rate a string", `{"type":"session.update","session":{"audio":{"input":{"format":{"type":"audio/pcm","rate":"16k"}}}}}`,
			session.InvalidEvent, "session.audio.input.format.rate"},
		{"rate too high", `{"type":"session.update","session":{"audio":{"output":{"format":{"type":"audio/pcm","rate":1000000}}}}}`,
			session.InvalidEvent, "session.audio.output.format.rate"},
		{"format without type", `{"type":"session.update","session":{"audio":{"input":{"format":{"rate":16000}}}}}`,
			session.InvalidEvent, "session.audio.input.format.type"},
		{"patience too short", `{"type":"session.update","session":{"audio":{"input":{"turn_detection":{"patience_ms":10}}}}}`,
			session.InvalidEvent, "session.audio.input.turn_detection.patience_ms"},
		{"patience a string", `{"type":"session.update","session":{"audio":{"input":{"turn_detection":{"patience_ms":"long"}}}}}`,
			session.InvalidEvent, "session.audio.input.turn_detection.patience_ms"},
		{"turn detection a string", `{"type":"session.update","session":{"audio":{"input":{"turn_detection":"off"}}}}`,
			session.InvalidEvent, "session.audio.input.turn_detection"},
		{"turn detection of another API", `{"type":"session.update","session":{"audio":{"input":{"turn_detection":{"type":"server_vad"}}}}}`,
			session.InvalidEvent, "session.audio.input.turn_detection.type"},
		{"speed zero", `{"type":"session.update","session":{"audio":{"output":{"speed":0}}}}`,
			session.InvalidEvent, "session.audio.output.speed"},
		{"language is fixed", `{"type":"session.update","session":{"language":"fr"}}`, session.ConfigLocked, "session.language"},
		{"voice is fixed", `{"type":"session.update","session":{"audio":{"output":{"voice":"x"}}}}`,
			session.ConfigLocked, "session.audio.output.voice"},

		{"resume without session", `{"type":"session.resume","last_seq":1}`, session.InvalidEvent, "session_id"},
		{"resume without seq", `{"type":"session.resume","session_id":"vs_1"}`, session.InvalidEvent, "last_seq"},
		{"resume, stream too high", `{"type":"session.resume","session_id":"v","last_seq":1,"input":{"stream":65536}}`,
			session.InvalidEvent, "input.stream"},
		{"resume, playback without response", `{"type":"session.resume","session_id":"v","last_seq":1,"playback":{"played_ms":1}}`,
			session.InvalidEvent, "playback.response_id"},
		{"end, reason too long", `{"type":"session.end","reason":"` + strings.Repeat("x", 200) + `"}`, session.InvalidEvent, "reason"},

		{"route unknown", `{"type":"input_audio.state","route":"telepathy"}`, session.InvalidEvent, "route"},
		{"muted a string", `{"type":"input_audio.state","muted":"yes"}`, session.InvalidEvent, "muted"},
		{"item missing", `{"type":"conversation.item.create"}`, session.InvalidEvent, "item"},
		{"item of the tutor", item("assistant", "input_text", `"hola"`), session.InvalidEvent, "item.role"},
		{"item an image", item("user", "input_image", `"hola"`), session.InvalidEvent, "item.content[0].type"},
		{"item's id with a blank", `{"type":"conversation.item.create","item":{"id":"it 1","role":"user","content":[{"type":"input_text","text":"a"}]}}`,
			session.InvalidEvent, "item.id"},
		{"item's id too long", `{"type":"conversation.item.create","item":{"id":"` + strings.Repeat("a", MaxItemIDBytes+1) + `","role":"user","content":[{"type":"input_text","text":"a"}]}}`,
			session.InvalidEvent, "item.id"},
		{"item empty", item("user", "input_text", `"  "`), session.InvalidEvent, "item.content[0].text"},
		{"item without text", item("user", "input_text", `null`), session.InvalidEvent, "item.content[0].text"},
		{"item with a NUL", item("user", "input_text", `"a\u0000b"`), session.InvalidEvent, "item.content[0].text"},
		{"item too long", item("user", "input_text", `"`+strings.Repeat("ñ", MaxTypedChars+1)+`"`), session.InvalidEvent, "item.content[0].text"},
		{"item without content", `{"type":"conversation.item.create","item":{"role":"user","content":[]}}`, session.InvalidEvent, "item.content"},
		{"instructions too long", `{"type":"response.create","response":{"instructions":"` + strings.Repeat("x", MaxTypedChars+1) + `"}}`,
			session.InvalidEvent, "response.instructions"},
		{"cancel a number", `{"type":"response.cancel","response_id":1}`, session.InvalidEvent, "response_id"},

		{"started without response", `{"type":"output_audio_buffer.started"}`, session.InvalidEvent, "response_id"},
		{"position without place", `{"type":"output_audio_buffer.position","response_id":"r"}`, session.InvalidEvent, "played_ms"},
		{"position below zero", `{"type":"output_audio_buffer.position","response_id":"r","played_ms":-0.5}`, session.InvalidEvent, "played_ms"},
		{"position in the far future", `{"type":"output_audio_buffer.position","response_id":"r","played_ms":1000000001}`, session.InvalidEvent, "played_ms"},
		{"half an underrun", `{"type":"output_audio_buffer.position","response_id":"r","played_ms":1,"underruns":0.5}`, session.InvalidEvent, "underruns"},
		{"mark without name", `{"type":"output_audio_buffer.mark","response_id":"r","played_ms":1}`, session.InvalidEvent, "name"},
		{"stopped nowhere", `{"type":"output_audio_buffer.stopped","response_id":"r"}`, session.InvalidEvent, "played_ms"},
		{"cleared nowhere", `{"type":"output_audio_buffer.cleared","response_id":"r"}`, session.InvalidEvent, "played_ms"},

		{"hold a string", `{"type":"tutor.hold","ms":"long"}`, session.InvalidEvent, "ms"},
		{"hold for ever", `{"type":"tutor.hold","ms":1e12}`, session.InvalidEvent, "ms"},
		{"mode unknown", `{"type":"tutor.set","correction_mode":"cruel"}`, session.InvalidEvent, "correction_mode"},
		{"rate of speech zero", `{"type":"tutor.set","speech_rate":0}`, session.InvalidEvent, "speech_rate"},
		{"translate nothing", `{"type":"tutor.translate"}`, session.InvalidEvent, "item_id"},
		{"translate blanks", `{"type":"tutor.translate","text":"  "}`, session.InvalidEvent, "item_id"},
		{"translate two things", `{"type":"tutor.translate","item_id":"it_1","text":"hola"}`, session.InvalidEvent, "text"},
		{"translate a number", `{"type":"tutor.translate","text":5}`, session.InvalidEvent, "text"},
		{"translate too much", `{"type":"tutor.translate","text":"` + strings.Repeat("ñ", MaxTranslatedChars+1) + `"}`, session.InvalidEvent, "text"},
		{"translate an item too long", `{"type":"tutor.translate","item_id":"` + strings.Repeat("x", 129) + `"}`, session.InvalidEvent, "item_id"},
		{"repeat slowly by word", `{"type":"tutor.repeat","slow":"yes"}`, session.InvalidEvent, "slow"},
		{"edit no item", `{"type":"tutor.transcript.edit","text":"hola"}`, session.InvalidEvent, "item_id"},
		{"edit without text", `{"type":"tutor.transcript.edit","item_id":"it_1"}`, session.InvalidEvent, "text"},
		{"edit to nothing", `{"type":"tutor.transcript.edit","item_id":"it_1","text":" "}`, session.InvalidEvent, "text"},
		{"edit to too much", `{"type":"tutor.transcript.edit","item_id":"it_1","text":"` + strings.Repeat("ñ", MaxTypedChars+1) + `"}`, session.InvalidEvent, "text"},
		{"answer no card", `{"type":"tutor.review.answer","rating":3}`, session.InvalidEvent, "card_id"},
		{"rating 0", `{"type":"tutor.review.answer","card_id":"k","rating":0}`, session.InvalidEvent, "rating"},
		{"rating 5", `{"type":"tutor.review.answer","card_id":"k","rating":5}`, session.InvalidEvent, "rating"},
		{"rating 2.5", `{"type":"tutor.review.answer","card_id":"k","rating":2.5}`, session.InvalidEvent, "rating"},
		{"rating a string", `{"type":"tutor.review.answer","card_id":"k","rating":"3"}`, session.InvalidEvent, "rating"},
		{"token missing", `{"type":"auth.update"}`, session.InvalidEvent, "access_token"},
		{"token too long", `{"type":"auth.update","access_token":"` + strings.Repeat("x", 5000) + `"}`, session.InvalidEvent, "access_token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, problem := DecodeControl([]byte(tt.data))
			if problem == nil {
				t.Fatalf("accepted: %+v", m)
			}
			if problem.Code != tt.code || problem.Param != tt.param {
				t.Errorf("%s at %q (%s), want %s at %q", problem.Code, problem.Param, problem.Message, tt.code, tt.param)
			}
			if problem.Fatal || problem.Type != session.InvalidRequest || problem.Message == "" {
				t.Errorf("problem %+v", *problem)
			}
			if m.Control != nil || m.AccessToken != "" {
				t.Errorf("a refused event left %+v", m)
			}
		})
	}
}

func item(role, kind, text string) string {
	return `{"type":"conversation.item.create","item":{"role":"` + role + `","content":[{"type":"` + kind + `","text":` + text + `}]}}`
}

// What is unusual but right.
func TestDecodeControlAccepts(t *testing.T) {
	for _, tt := range []struct {
		name string
		data string
		want session.Control
	}{
		{"unknown fields", `{"type":"ack","seq":3,"later":{"x":[1]}}`, session.AckEvents{Seq: 3}},
		{"client's clock", `{"type":"ack","seq":3,"ts":123.5}`, session.AckEvents{Seq: 3}},
		{"depth at the limit", `{"type":"ack","seq":1,"x":` + strings.Repeat(`[`, MaxDepth-1) + strings.Repeat(`]`, MaxDepth-1) + `}`, session.AckEvents{Seq: 1}},
		{"brackets within strings", `{"type":"session.end","reason":"[[[[[[[[[[\"{{{{{{{{{{"}`, session.EndSession{Reason: `[[[[[[[[[["{{{{{{{{{{`}},
		{"null is absent", `{"type":"tutor.set","patience_ms":null}`, session.SetTutor{}},
		{"no reason", `{"type":"session.end"}`, session.EndSession{}},
		{"cancel whatever plays", `{"type":"response.cancel"}`, session.CancelResponse{}},
		{"no place played, no playback", `{"type":"session.resume","session_id":"v","last_seq":0,"playback":null}`, session.ResumeSession{SessionID: "v"}},
		{"typed lines", `{"type":"conversation.item.create","item":{"role":"user","content":[{"type":"input_text","text":" a"},{"type":"input_text","text":"b "}]}}`,
			session.CreateItem{Text: "a\nb"}},
		{"typed under an id", `{"type":"conversation.item.create","item":{"id":"it_c-7Z","role":"user","content":[{"type":"input_text","text":"a"}]}}`,
			session.CreateItem{ID: "it_c-7Z", Text: "a"}},
		{"longest typed text", item("user", "input_text", `"`+strings.Repeat("ñ", MaxTypedChars)+`"`), session.CreateItem{Text: strings.Repeat("ñ", MaxTypedChars)}},
		{"hint with more", `{"type":"tutor.hint","level":"easy"}`, session.AskHint{}},
		{"repeat as it was", `{"type":"tutor.repeat"}`, session.Repeat{}},
		{"longest to translate", `{"type":"tutor.translate","text":" ` + strings.Repeat("ñ", MaxTranslatedChars) + ` "}`, session.Translate{Text: strings.Repeat("ñ", MaxTranslatedChars)}},
		{"a rating left to what was said", `{"type":"tutor.review.answer","card_id":"k","rating":null}`, session.AnswerReview{CardID: "k"}},
		{"turn detection off", `{"type":"session.update","session":{"audio":{"input":{"turn_detection":null}}}}`,
			session.UpdateSession{Session: session.ConfigPatch{Audio: &session.AudioPatch{
				Input: &session.InputPatch{TurnDetection: &session.TurnDetectionPatch{Off: true}}}}}},
		{"turn detection untouched", `{"type":"session.update","session":{"audio":{"input":{}}}}`,
			session.UpdateSession{Session: session.ConfigPatch{Audio: &session.AudioPatch{Input: &session.InputPatch{}}}}},
		{"turn detection by the recogniser", `{"type":"session.update","session":{"audio":{"input":{"turn_detection":{"type":"endpoint"}}}}}`,
			session.UpdateSession{Session: session.ConfigPatch{Audio: &session.AudioPatch{
				Input: &session.InputPatch{TurnDetection: &session.TurnDetectionPatch{Type: new("endpoint")}}}}}},
		{"turn detection by default", `{"type":"session.update","session":{"audio":{"input":{"turn_detection":{}}}}}`,
			session.UpdateSession{Session: session.ConfigPatch{Audio: &session.AudioPatch{
				Input: &session.InputPatch{TurnDetection: &session.TurnDetectionPatch{}}}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, problem := DecodeControl([]byte(tt.data))
			if problem != nil {
				t.Fatalf("refused: %+v", *problem)
			}
			if !reflect.DeepEqual(m.Control, tt.want) {
				t.Errorf("%+v, want %+v", m.Control, tt.want)
			}
		})
	}
}

// An answer tells the client which of its events was wrong.
func TestProblemsEchoTheEventID(t *testing.T) {
	for _, data := range []string{
		`{"event_id":"e9","type":"tutor.dance"}`,
		`{"event_id":"e9","type":"ack"}`,
		`{"event_id":"e9"}`,
	} {
		m, problem := DecodeControl([]byte(data))
		if problem == nil || problem.EventID != "e9" || m.EventID != "e9" {
			t.Errorf("%s: %+v, %+v", data, m, problem)
		}
	}
}

func FuzzControl(f *testing.F) {
	for _, c := range exampleControls() {
		line, err := c.encode("e1")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	}
	f.Add([]byte(`{"type":"session.update","session":{"audio":{"input":{"turn_detection":[]}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, problem := DecodeControl(data)
		if problem != nil {
			if m.Control != nil || m.AccessToken != "" || problem.Fatal || problem.Message == "" {
				t.Errorf("%+v with %+v", m, *problem)
			}
			return
		}
		line, err := exampleControl{m.Control, m.AccessToken}.encode(m.EventID)
		if err != nil {
			t.Fatalf("decoded but not encoded: %v", err)
		}
		again, problem := DecodeControl(line)
		if problem != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("%+v came back as %+v (%+v)", m, again, problem)
		}
	})
}

func BenchmarkDecodeControl(b *testing.B) {
	data := []byte(`{"type":"output_audio_buffer.position","response_id":"r_1","played_ms":250.25,"buffered_ms":900,"underruns":0}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, problem := DecodeControl(data); problem != nil {
			b.Fatal(problem)
		}
	}
}
