package deepgram

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"kalami/providers"
)

// Messages as published: captures, the specification, and what has broken other clients.
const (
	msgPartial = `{"type":"Results","channel_index":[0,1],"duration":1.08,"start":0.0,"is_final":false,"speech_final":false,"from_finalize":false,` +
		`"channel":{"alternatives":[{"transcript":"Hola, me gustaría","confidence":0.99,"languages":["es-419"],"words":[` +
		`{"word":"hola","start":0.1,"end":0.4,"confidence":0.98,"punctuated_word":"Hola,","language":"es","speaker":0},` +
		`{"word":"me","start":0.42,"end":0.5,"confidence":0.97,"punctuated_word":"me","language":"es"},` +
		`{"word":"gustaría","start":0.5,"end":1.004,"confidence":0.9,"punctuated_word":"gustaría","language":"es"}]}]},` +
		`"metadata":{"request_id":"a","model_info":{"name":"n","version":"v","arch":"nova-3"},"model_uuid":"u"},"entities":[{"label":"x","start_word":0}]}`
	msgFinal    = `{"type":"Results","start":0,"duration":2,"is_final":true,"speech_final":true,"channel":{"alternatives":[{"transcript":"Hola.","confidence":0.5,"words":[{"word":"hola","punctuated_word":"Hola.","start":0.1,"end":0.4,"confidence":0.98}]}]}}`
	msgStarted  = `{"type":"SpeechStarted","channel":[0,1],"timestamp":91.2}`
	msgUttEnd   = `{"type":"UtteranceEnd","channel":[0,1],"last_word_end":2.395}`
	msgMetadata = `{"type":"Metadata","transaction_key":"deprecated","request_id":"uuid","sha256":"incomplete","created":"2026-08-25T21:11:31.685Z","duration":44.259937,"channels":1,"models":["uuid"],"model_info":{"uuid":{"name":"n","version":"v","arch":"a"}}}`
	msgTurn     = `{"type":"TurnInfo","request_id":"uuid","sequence_id":11,"event":"Update","turn_index":0,"audio_window_start":0.0,"audio_window_end":1.28,` +
		`"transcript":"Hola, qué","words":[{"word":"Hola,","confidence":0.97,"start":0.1,"end":0.4},{"word":"qué","confidence":0.9,"start":0.5,"end":0.7}],` +
		`"end_of_turn_confidence":0.12,"languages":["es"],"languages_hinted":["es","en"]}`
	msgFluxError = `{"type":"Error","sequence_id":14,"code":"INTERNAL_SERVER_ERROR","description":"…"}`
)

func TestDecodePartial(t *testing.T) {
	var m novaMessage
	if err := m.decode([]byte(msgPartial)); err != nil {
		t.Fatal(err)
	}
	words := m.words.build(m.transcript, nil)
	want := []providers.Word{
		{Text: "Hola,", StartMS: 100, EndMS: 400, Confidence: 0.98, Language: "es"},
		{Text: "me", StartMS: 420, EndMS: 500, Confidence: 0.97, Language: "es"},
		{Text: "gustaría", StartMS: 500, EndMS: 1004, Confidence: 0.9, Language: "es"},
	}
	if len(words) != len(want) {
		t.Fatalf("%d words, want %d", len(words), len(want))
	}
	for i := range want {
		if words[i] != want[i] {
			t.Errorf("word %d: %+v, want %+v", i, words[i], want[i])
		}
	}
	if m.kind != novaResults || m.isFinal || m.transcript != "Hola, me gustaría" || m.language != "es" || m.confidence != 0.99 || m.duration != 1.08 {
		t.Errorf("decoded %+v", m)
	}
}

// One struct for all types fails here: channel is an array, and elsewhere an object.
func TestDecodePolymorphicChannel(t *testing.T) {
	var m novaMessage
	for _, test := range []struct {
		msg, kind string
		timestamp float64
	}{
		{msgStarted, novaSpeechStarted, 91.2},
		{msgUttEnd, novaUtteranceEnd, 0},
		{msgMetadata, novaMetadata, 0},
		{`{"type":"SpeechStarted","channel":{"alternatives":7},"timestamp":1}`, novaSpeechStarted, 1},
		{`{"type":"Results","channel":[{"alternatives":[]}]}`, novaResults, 0},
		{`{"type":"NewThing","channel":null}`, "", 0},
		{`{}`, "", 0},
	} {
		if err := m.decode([]byte(test.msg)); err != nil {
			t.Errorf("%s: %v", test.msg, err)
		} else if m.kind != test.kind || m.timestamp != test.timestamp || m.transcript != "" {
			t.Errorf("%s: decoded %+v", test.msg, m)
		}
	}
}

func TestDecodeRefusesWhatIsNotJSON(t *testing.T) {
	for _, msg := range []string{
		"", " ", "null", "[]", `"x"`, "{", `{"type"`, `{"type":`, `{"type":"Results"`, `{"a":1,}`, `{"a":}`, `{a:1}`, `{"a" 1}`, `{"a":1}x`,
		`{"type":"Results","channel":{"alternatives":[{"transcript":"`, `{"a":]}`, `{"a":"\"}`,
		`{"words":` + strings.Repeat("[", 100) + strings.Repeat("]", 100), strings.Repeat(`{"channel":`, 100),
	} {
		var n novaMessage
		var f fluxMessage
		if n.decode([]byte(msg)) == nil || f.decode([]byte(msg)) == nil {
			t.Errorf("%.40q was taken for a message", msg)
		}
	}
}

func TestWordsKeepTheirTextWhenTheTranscriptDiffers(t *testing.T) {
	for _, test := range []struct {
		name, msg string
		want      []string
	}{
		{"escapes", `{"type":"TurnInfo","transcript":"l'\u00e9t\u00e9 \"oui\"","words":[{"word":"l'\u00e9t\u00e9"},{"word":"\"oui\""}]}`, []string{"l'été", `"oui"`}},
		{"another spelling", `{"type":"TurnInfo","transcript":"at 8 o'clock","words":[{"word":"eight"},{"word":"o'clock"}]}`, []string{"eight", "o'clock"}},
		{"a word twice", `{"type":"TurnInfo","transcript":"no, no","words":[{"word":"no,"},{"word":"no"}]}`, []string{"no,", "no"}},
		{"empty words", `{"type":"TurnInfo","transcript":"a","words":[{"word":""},{},{"word":null},{"word":"a"}]}`, []string{"a"}},
		{"words before the transcript", `{"words":[{"word":"a"}],"transcript":"a","type":"TurnInfo"}`, []string{"a"}},
		{"bytes that are not UTF-8", "{\"transcript\":\"a\xff\",\"words\":[{\"word\":\"a\xff\"}]}", []string{"a\uFFFD"}},
	} {
		var m fluxMessage
		if err := m.decode([]byte(test.msg)); err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var got []string
		for _, w := range m.words.build(m.transcript, nil) {
			got = append(got, w.Text)
		}
		if strings.Join(got, "|") != strings.Join(test.want, "|") {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// checkDecoded asserts what holds for whatever was decoded.
func checkDecoded(t *testing.T, msg []byte, transcript string, words []providers.Word) {
	t.Helper()
	if !utf8.ValidString(transcript) {
		t.Errorf("transcript is not UTF-8: %q", transcript)
	}
	for _, w := range words {
		if w.Text == "" || !utf8.ValidString(w.Text) || w.StartMS < 0 || w.EndMS < 0 {
			t.Errorf("word %+v of %q", w, msg)
		}
	}
}

func FuzzNovaMessage(f *testing.F) {
	for _, msg := range []string{msgPartial, msgFinal, msgStarted, msgUttEnd, msgMetadata, `{"type":"Error","variant":"x"}`} {
		f.Add([]byte(msg))
	}
	var m novaMessage // as in use: one for many messages
	f.Fuzz(func(t *testing.T, msg []byte) {
		err := m.decode(msg)
		if err == nil {
			checkDecoded(t, msg, m.transcript, m.words.build(m.transcript, nil))
		}
		var any map[string]json.RawMessage
		if plain := json.Unmarshal(msg, &any); plain == nil && any != nil && err != nil && strings.Count(string(msg), "{")+strings.Count(string(msg), "[") <= maxDepth {
			t.Errorf("%q is JSON and was refused", msg)
		}
		turns := novaTurns{}
		checkTurns(t, func(emit func(providers.Heard)) {
			_, _ = turns.receive(msg, emit)
			_, _ = turns.receive([]byte(msgPartial), emit)
			_, _ = turns.receive(msg, emit)
			_, _ = turns.receive([]byte(msgFinal), emit)
			turns.finish(emit)
		})
	})
}

func FuzzFluxMessage(f *testing.F) {
	for _, msg := range []string{msgTurn, msgFluxError, `{"type":"Connected","request_id":"u","sequence_id":0}`,
		`{"type":"TurnInfo","event":"EagerEndOfTurn","transcript":"a"}`, `{"type":"TurnInfo","event":"TurnResumed"}`,
		`{"type":"TurnInfo","event":"EndOfTurn","transcript":"a"}`, `{"type":"TurnInfo","event":"StartOfTurn"}`} {
		f.Add([]byte(msg))
	}
	var m fluxMessage
	f.Fuzz(func(t *testing.T, msg []byte) {
		if m.decode(msg) == nil {
			checkDecoded(t, msg, m.transcript, m.words.build(m.transcript, nil))
		}
		turns := fluxTurns{}
		checkTurns(t, func(emit func(providers.Heard)) {
			_, _ = turns.receive(msg, emit)
			_, _ = turns.receive([]byte(msgTurn), emit)
			_, _ = turns.receive(msg, emit)
			turns.finish(emit)
		})
	})
}

// checkTurns asserts the order that consumers rely on, whatever the vendor sends.
func checkTurns(t *testing.T, run func(emit func(providers.Heard))) {
	t.Helper()
	segment, open := 0, false
	last := providers.HeardKind(0)
	run(func(h providers.Heard) {
		if h.Segment != segment || open == (h.Kind == providers.HeardStart) {
			t.Errorf("%v of segment %d, want segment %d, open %v", h.Kind, h.Segment, segment, open)
		}
		if h.Kind == providers.HeardResumed && last != providers.HeardEagerEnd {
			t.Errorf("resumed after %v", last)
		}
		if h.Kind == providers.HeardEagerEnd && h.Text == "" {
			t.Error("an eager end without words")
		}
		last, open = h.Kind, h.Kind != providers.HeardEnd
		if !open {
			segment++
		}
	})
	if open {
		t.Error("the last segment was not ended")
	}
}

func BenchmarkPartial(b *testing.B) {
	discard := func(providers.Heard) {}
	b.Run("nova", func(b *testing.B) {
		b.ReportAllocs()
		msg, turns := []byte(msgPartial), novaTurns{}
		for b.Loop() {
			_, _ = turns.receive(msg, discard)
		}
	})
	b.Run("flux", func(b *testing.B) {
		b.ReportAllocs()
		msg, turns := []byte(msgTurn), fluxTurns{}
		for b.Loop() {
			_, _ = turns.receive(msg, discard)
		}
	})
	b.Run("nova with encoding/json", func(b *testing.B) { // the yardstick
		b.ReportAllocs()
		msg := []byte(msgPartial)
		for b.Loop() {
			var m struct {
				Type    string
				Channel struct {
					Alternatives []struct {
						Transcript string
						Words      []struct {
							Word, Language         string
							Punctuated             string `json:"punctuated_word"`
							Start, End, Confidence float64
						}
					}
				}
			}
			if err := json.Unmarshal(msg, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
}
