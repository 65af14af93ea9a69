package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// What the original's app sends, to the letter, and what it means. These lines are the
// contract with phones that nobody will update; they are never rewritten.
func TestOriginalControls(t *testing.T) {
	file := []byte("\x1aE\xdf\xa3 a file")
	in64 := base64.StdEncoding.EncodeToString(file)
	for _, tt := range []struct {
		sent string
		want OriginalControl
	}{
		{`{"type":"start_session","payload":{"profileId":"0199-a"}}`, OriginalStartSession{ProfileID: "0199-a"}},
		{`{"type":"start_session","payload":{"profileId":"0199-a","topic":"En el café"}}`, OriginalStartSession{ProfileID: "0199-a", Topic: "En el café"}},
		{`{"type":"start_session","payload":{"profile_id":"0199-a","session_id":"c1","topic":null}}`, OriginalStartSession{ProfileID: "0199-a", ConversationID: "c1"}},
		{`{"type":"start_session"}`, OriginalStartSession{}},
		{`{"type":"audio","payload":{"audio_base64":"` + in64 + `","format":"webm"}}`, OriginalAudio{Audio: file, Format: "webm"}},
		{`{"type":"audio","payload":{"audio_base64":"` + in64 + `","format":"m4a","session_id":"c1"}}`, OriginalAudio{Audio: file, Format: "m4a", ConversationID: "c1"}},
		{`{"payload":{"audio_base64":"` + strings.TrimRight(in64, "=") + `"},"type":"audio"}`, OriginalAudio{Audio: file}},
		{`{"type":"audio","payload":{"audio_base64":"data:audio/webm;codecs=opus;base64,` + in64 + `"}}`, OriginalAudio{Audio: file}},
		{`{"type":"audio","payload":{"audio_base64":"` + in64[:4] + `\r\n` + strings.ReplaceAll(in64[4:], "/", `\/`) + `"}}`, OriginalAudio{Audio: file}},
		{`{"type":"audio","payload":{"audio_base64":""}}`, OriginalAudio{Audio: []byte{}}},
		{`{"type":"audio","payload":{"format":null}}`, OriginalAudio{}},
		{`{"type":"start_recording","payload":{}}`, OriginalStartRecording{}},
		{`{"type":"stop_recording"}`, OriginalStopRecording{}},
		{`{"type":"end_session","payload":null}`, OriginalEndSession{}},
		{`{"type":"ping"}`, OriginalPing{}},
		{`{"type":"ping","payload":"hello"}`, OriginalPing{}},
		{`{"type":"heartbeat","payload":{"ping":true}}`, OriginalHeartbeat{Ping: true}},
		{`{"type":"heartbeat","payload":{"ping":false}}`, OriginalHeartbeat{}},
		{`{"type":"heartbeat","payload":{"pong":true}}`, OriginalHeartbeat{}},
		{`{"type":"heartbeat"}`, OriginalHeartbeat{}},
		{`{"type":"dance","payload":[1,{"audio_base64":7}]}`, OriginalUnknown{Type: "dance"}},
		{`{"type":"ping","payload":{"audio_base64":7,"ping":"x"}}`, OriginalPing{}},
	} {
		got, err := DecodeOriginal([]byte(tt.sent))
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %#v, %v; want %#v", tt.sent, got, err, tt.want)
		}
	}
}

// What cannot be read, and the field that is at fault.
func TestOriginalRefuses(t *testing.T) {
	long := strings.Repeat("x", MaxNameBytes+1)
	for name, tt := range map[string]struct{ sent, field string }{
		"nothing":                  {``, ""},
		"a brace":                  {`{`, ""},
		"an array":                 {`[]`, ""},
		"a string":                 {`"ping"`, ""},
		"two values":               {`{"type":"ping"}{"type":"ping"}`, ""},
		"not UTF-8":                {"{\"type\":\"ping\xff\"}", ""},
		"nested without end":       {`{"type":"ping","payload":` + strings.Repeat("[", 20_000), ""},
		"no type":                  {`{"payload":{}}`, "type"},
		"null":                     {`null`, "type"},
		"a type that is a number":  {`{"type":7}`, ""},
		"a type without end":       {`{"type":"` + long + `"}`, "type"},
		"a payload that is text":   {`{"type":"audio","payload":"x"}`, ""},
		"a profile that is none":   {`{"type":"start_session","payload":{"profileId":7}}`, "profileId"},
		"a long profile":           {`{"type":"start_session","payload":{"profile_id":"` + long + `"}}`, "profileId"},
		"a topic that is a list":   {`{"type":"start_session","payload":{"profileId":"p","topic":[]}}`, "topic"},
		"a topic without end":      {`{"type":"start_session","payload":{"topic":"` + strings.Repeat("x", maxOriginalTopic+1) + `"}}`, "topic"},
		"audio that is a number":   {`{"type":"audio","payload":{"audio_base64":7}}`, "audio_base64"},
		"audio that is no base64":  {`{"type":"audio","payload":{"audio_base64":"****"}}`, "audio_base64"},
		"base64 that is cut off":   {`{"type":"audio","payload":{"audio_base64":"AAAAA"}}`, "audio_base64"},
		"a link instead of a file": {`{"type":"audio","payload":{"audio_base64":"http://x,AAAA"}}`, "audio_base64"},
		"a data URL in plain text": {`{"type":"audio","payload":{"audio_base64":"data:audio/webm,AAAA"}}`, "audio_base64"},
		"a format that is a list":  {`{"type":"audio","payload":{"format":["wav"]}}`, "format"},
		"a ping that is a word":    {`{"type":"heartbeat","payload":{"ping":"true"}}`, "ping"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := DecodeOriginal([]byte(tt.sent))
			wrong, ok := errors.AsType[*OriginalError](err)
			if !ok || wrong.Field != tt.field || got != nil {
				t.Errorf("%#v, %v; want an error at %q", got, err, tt.field)
			}
		})
	}
}

// The largest recording fits into the largest message, and one byte more is told apart
// from nonsense.
func TestOriginalLargestRecording(t *testing.T) {
	message := func(size int) []byte {
		in64 := base64.StdEncoding.EncodeToString(make([]byte, size))
		return []byte(`{"type":"audio","payload":{"audio_base64":"` + in64 + `","format":"wav","session_id":"` + strings.Repeat("x", MaxNameBytes) + `"}}`)
	}
	largest := message(MaxOriginalAudio)
	if len(largest) > MaxOriginalBytes {
		t.Errorf("the largest recording makes %d bytes, at most %d may be sent", len(largest), MaxOriginalBytes)
	}
	if m, err := DecodeOriginal(largest); err != nil || len(m.(OriginalAudio).Audio) != MaxOriginalAudio {
		t.Errorf("the largest recording: %v", err)
	}
	if _, err := DecodeOriginal(message(MaxOriginalAudio + 1)); !errors.Is(err, ErrOriginalAudioSize) {
		t.Errorf("a larger recording: %v", err)
	}
}

// An error may be logged, so it repeats nothing of what the learner sent.
func TestOriginalErrorsKeepSecrets(t *testing.T) {
	for _, sent := range []string{
		`{"type":{"secret":1}}`, `{"type":"audio","payload":{"audio_base64":"secret!"}}`,
		`{"type":"start_session","payload":{"topic":["secret"]}}`, `{"type":"start_session","payload":"secret"}`,
	} {
		if _, err := DecodeOriginal([]byte(sent)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", sent, err)
		}
	}
}

// Messages were told from audio by their first byte.
func TestOriginalIsJSON(t *testing.T) {
	for data, want := range map[string]bool{
		`{"type":"ping"}`: true, `{`: true, ``: false, "RIFF": false, "\x1aE\xdf\xa3": false, "ID3": false, "OggS": false, "\x00\x00\x00\x18ftyp": false,
	} {
		if got := OriginalIsJSON([]byte(data)); got != want {
			t.Errorf("%q: %v", data, got)
		}
	}
}

// exampleOriginals are all messages that the server has, in the order of a conversation.
func exampleOriginals() []OriginalEvent {
	session := map[string]any{"id": "c1", "profile_id": "p1", "topic": "General conversation"}
	return []OriginalEvent{
		OriginalConnected{ConnectionID: "ws_1"},
		OriginalSessionStarted{Session: session},
		OriginalRecordingStarted{},
		OriginalAudioReceived{Bytes: 4096},
		OriginalProcessing{Stage: "transcribing"},
		OriginalTranscription{Text: "Yo soy <hambre> & sed.", IsFinal: true},
		OriginalResponse{Text: "¿Tienes hambre?", ConversationID: "c1", Corrections: []OriginalCorrection{
			{Original: "soy hambre", Corrected: "tengo hambre", Explanation: "Hunger is had, not been.", Category: "word_choice"}}},
		OriginalResponse{Text: "Muy bien.", ConversationID: "c1"},
		OriginalAnswerAudio{Audio: []byte("ID3 a clip"), Format: "mp3"},
		OriginalSessionEnded{Session: session},
		OriginalSessionEnded{},
		OriginalPong{},
		OriginalHeartbeatAnswer{Pong: true},
		OriginalFailure{Message: OriginalInvalid, Code: "invalid"},
	}
}

// Every message looks on the wire as it always did, and all of them stand in the file.
func TestOriginalsGolden(t *testing.T) {
	var file []byte
	shown := map[string]bool{}
	for _, ev := range exampleOriginals() {
		line, err := AppendOriginal(file, ev)
		if err != nil {
			t.Fatalf("encode %T: %v", ev, err)
		}
		file = append(line, '\n')
		shown[reflect.TypeOf(ev).Name()] = true
	}
	golden(t, "original.jsonl", file)
	for _, name := range methodReceivers(t, "../gateway/wire/original.go", "OriginalType") {
		if !shown[name] {
			t.Errorf("%s has no example", name)
		}
	}
}

// What cannot be encoded leaves what was there before.
func TestAppendOriginalErrors(t *testing.T) {
	for _, ev := range []OriginalEvent{
		OriginalSessionStarted{Session: func() {}},
		OriginalAnswerAudio{Audio: make([]byte, MaxOriginalClip+1), Format: "mp3"},
	} {
		if out, err := AppendOriginal([]byte("before"), ev); err == nil || string(out) != "before" {
			t.Errorf("%T: %d bytes, %v", ev, len(out), err)
		}
	}
	if _, err := AppendOriginal(nil, OriginalAnswerAudio{Audio: make([]byte, MaxOriginalClip), Format: "mp3"}); err != nil {
		t.Error(err)
	}
}

// Whatever can be read means the same when it is written down again.
func FuzzOriginal(f *testing.F) {
	for _, sent := range []string{
		`{"type":"start_session","payload":{"profileId":"p","topic":"t","session_id":"c"}}`,
		`{"type":"audio","payload":{"audio_base64":"T2dnUw==","format":"ogg","sessionId":"c"}}`,
		`{"type":"audio","payload":{"audio_base64":"data:audio/ogg;base64,T2dn\/w"}}`,
		`{"type":"heartbeat","payload":{"ping":true}}`, `{"type":"dance"}`, `{"type":"ping","payload":[]}`, `{"type":""}`,
	} {
		f.Add([]byte(sent))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeOriginal(data)
		if err != nil {
			if _, ok := errors.AsType[*OriginalError](err); !ok || m != nil {
				t.Errorf("%#v with %v", m, err)
			}
			return
		}
		again, err := DecodeOriginal(writeOriginal(t, m))
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("%#v came back as %#v, %v", m, again, err)
		}
		if a, ok := m.(OriginalAudio); ok && bytes.Equal(a.Audio, data) {
			t.Error("the recording is the message itself")
		}
	})
}

// writeOriginal writes a client's message as the app does.
func writeOriginal(t *testing.T, m OriginalControl) []byte {
	name, payload := "", map[string]any{}
	switch m := m.(type) {
	case OriginalStartSession:
		name, payload = originalStartSession, map[string]any{"profileId": m.ProfileID, "session_id": m.ConversationID, "topic": m.Topic}
	case OriginalAudio:
		name, payload = originalAudio, map[string]any{"format": m.Format, "session_id": m.ConversationID}
		if m.Audio != nil {
			payload["audio_base64"] = m.Audio
		}
	case OriginalStartRecording:
		name = originalStartRecording
	case OriginalStopRecording:
		name = originalStopRecording
	case OriginalEndSession:
		name = originalEndSession
	case OriginalPing:
		name = originalPing
	case OriginalHeartbeat:
		name, payload = originalHeartbeat, map[string]any{"ping": m.Ping}
	case OriginalUnknown:
		name = m.Type
	}
	data, err := json.Marshal(map[string]any{"type": name, "payload": payload})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func BenchmarkDecodeOriginal(b *testing.B) {
	data := []byte(`{"type":"audio","payload":{"audio_base64":"` + base64.StdEncoding.EncodeToString(make([]byte, 100<<10)) + `","format":"m4a"}}`)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeOriginal(data); err != nil {
			b.Fatal(err)
		}
	}
}
