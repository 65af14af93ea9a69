package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	endian "encoding/binary"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// uploadForm makes the multipart form that carries a recording; fields come in pairs.
func uploadForm(t *testing.T, audio []byte, fields ...string) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("audio", "recording.wav")
	if err == nil {
		_, err = part.Write(audio)
	}
	for pair := range slices.Chunk(fields, 2) {
		err = errors.Join(err, form.WriteField(pair[0], pair[1]))
	}
	if err = errors.Join(err, form.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String(), form.FormDataContentType()
}

// A recording becomes text, however it is sent and in whatever format it is.
func TestTranscribe(t *testing.T) {
	h, access, f := speechHouse(t)
	f.heard = providers.Transcript{Text: "Wait, stop.", Language: "en", Confidence: 0.97, Duration: time.Hour, RequestID: "r"}
	const whole = `{"text":"Wait, stop.","language":"en","confidence":0.97,"duration_seconds":%v}`
	for name, tc := range map[string]struct {
		seconds float64
		format  string
	}{
		"speech.wav": {3.469, "wav"}, "speech-cbr.mp3": {3.469, "mp3"}, "speech.webm": {3.469, "webm"},
		"speech.ogg": {3.469, "ogg"}, "speech.m4a": {3.469, "m4a"},
	} {
		audio := recorded(t, name)
		body, contentType := uploadForm(t, audio)
		r := h.as(access, "POST", "/api/speech/transcribe?language=en-GB&provider=deepgram", body, "Content-Type", contentType).want(http.StatusOK)
		seconds, ok := r.json()["duration_seconds"].(float64)
		if !ok || seconds < tc.seconds-0.1 || seconds > tc.seconds+0.1 {
			t.Errorf("%s lasts %v s, want about %v", name, seconds, tc.seconds)
		}
		r.same(fmt.Sprintf(whole, seconds))
		if want := fmt.Sprintf(`hear "deepgram" %s %d bytes, "en-GB"`, tc.format, len(audio)); !slices.Equal(f.calls(), []string{want}) {
			t.Errorf("%s was not handed on as %s", name, want)
		}
	}
	audio := recorded(t, "speech.wav")
	size := fmt.Sprintf("wav %d bytes", len(audio))
	encoded := base64.StdEncoding.EncodeToString(audio)
	form, contentType := uploadForm(t, audio, "language", "es", "unknown", "ignored")
	for name, tc := range map[string]struct {
		path string
		body any
		kind string
		want string
	}{
		"JSON":                  {"/speech/transcribe", map[string]string{"audio_base64": encoded, "format": "m4a"}, "", `hear "" ` + size + `, ""`},
		"JSON with language":    {"/speech/transcribe?provider=whisper", map[string]string{"audio_base64": encoded, "language": "pt_BR"}, "", `hear "whisper" ` + size + `, "pt-BR"`},
		"language in the form":  {"/speech/transcribe", form, contentType, `hear "" ` + size + `, "es"`},
		"language in the query": {"/speech/transcribe?language=fr", form, contentType, `hear "" ` + size + `, "fr"`},
	} {
		header := []string{}
		if tc.kind != "" {
			header = append(header, "Content-Type", tc.kind)
		}
		h.as(access, "POST", tc.path, tc.body, header...).want(http.StatusOK)
		if got := f.calls(); !slices.Equal(got, []string{tc.want}) {
			t.Errorf("%s: asked %q, want %q", name, got, tc.want)
		}
	}
	// Nothing was said, by a vendor that tells nothing else.
	f.heard = providers.Transcript{}
	r := h.as(access, "POST", "/speech/transcribe", map[string]string{"audio_base64": encoded}).want(http.StatusOK)
	r.same(fmt.Sprintf(`{"text":"","language":null,"confidence":null,"duration_seconds":%v}`, r.json()["duration_seconds"]))
}

// A form has as many parts as it may have, and not one more.
func TestFormParts(t *testing.T) {
	h, access, _ := speechHouse(t)
	wav := recorded(t, "speech.wav")
	for parts, status := range map[int]int{maxFormParts: http.StatusOK, maxFormParts + 1: http.StatusUnprocessableEntity} {
		body, kind := uploadForm(t, wav, slices.Repeat([]string{"other", "x"}, parts-1)...)
		h.as(access, "POST", "/speech/transcribe", body, "Content-Type", kind).want(status)
	}
}

// Whatever is wrong with a request is said, and no vendor is paid for it.
func TestTranscribeRefusesBadInput(t *testing.T) {
	h, access, f := speechHouse(t)
	const path = "/speech/transcribe"
	form := func(audio []byte, fields ...string) [2]string {
		body, kind := uploadForm(t, audio, fields...)
		return [2]string{body, kind}
	}
	wav := recorded(t, "speech.wav")
	sent := form(wav)
	noAudio := strings.ReplaceAll(sent[0], `name="audio"`, `name="sound"`)
	base64WAV := base64.StdEncoding.EncodeToString(wav)
	for name, tc := range map[string]struct {
		path   string
		body   [2]string // and its content type
		status int
		code   string
		fields []string
	}{
		"no field":              {path, [2]string{noAudio, sent[1]}, 422, "invalid", []string{"audio"}},
		"no JSON field":         {path, [2]string{`{}`, "application/json"}, 422, "invalid", []string{"audio_base64"}},
		"wrong type":            {path, [2]string{`{"audio_base64":17}`, "application/json"}, 422, "invalid", []string{"audio_base64"}},
		"no base64":             {path, [2]string{`{"audio_base64":"%%%"}`, "application/json"}, 422, "invalid", []string{"audio_base64"}},
		"format of pictures":    {path, [2]string{`{"audio_base64":"` + base64WAV + `","format":"png"}`, "application/json"}, 422, "invalid", []string{"format"}},
		"malformed JSON":        {path, [2]string{`{"audio_base64":`, "application/json"}, 422, "invalid", []string{"body"}},
		"empty recording":       {path, form(nil), 422, "invalid", []string{"audio"}},
		"30 MB":                 {path, form(make([]byte, 30_000_000)), 413, "request_entity_too_large", nil},
		"40 MB":                 {path, form(make([]byte, 40_000_000)), 413, "request_entity_too_large", nil},
		"no recording":          {path, form([]byte("<html>not a recording</html>")), 422, "invalid", []string{"audio"}},
		"half a recording":      {path, form(recorded(t, "speech.m4a")[:4000]), 422, "invalid", []string{"audio"}},
		"bad language":          {path + "?language=klingon", form(wav), 422, "invalid", []string{"language"}},
		"bad language in form":  {path, form(wav, "language", "e!"), 422, "invalid", []string{"language"}},
		"language twice":        {path + "?language=en&language=de", form(wav), 422, "invalid", []string{"language"}},
		"bad escape":            {path + "?language=%zz", form(wav), 422, "invalid", []string{"query"}},
		"wrong content type":    {path, [2]string{string(wav), "audio/wav"}, 415, "unsupported_media_type", nil},
		"a form without bounds": {path, [2]string{"x", "multipart/form-data"}, 422, "invalid", nil},
		"half a form":           {path, [2]string{sent[0][:2000], sent[1]}, 422, "invalid", nil},
	} {
		r := h.as(access, "POST", tc.path, tc.body[0], "Content-Type", tc.body[1])
		e := r.refusal(tc.status, tc.code)
		var fields []string
		for _, fe := range e.Errors {
			fields = append(fields, fe.Field)
		}
		if !slices.Equal(fields, tc.fields) {
			t.Errorf("%s: fields %q, want %q: %s", name, fields, tc.fields, r.body)
		}
	}
	e := h.as(access, "POST", path+"?provider=parrot", sent[0], "Content-Type", sent[1]).refusal(http.StatusBadRequest, "invalid_provider")
	if e.Detail != "Invalid provider. Use 'whisper' or 'deepgram'." {
		t.Errorf("an unknown provider: %q", e.Detail)
	}
	if got := f.calls(); len(got) > 0 {
		t.Errorf("vendors were asked: %q", got)
	}
}

// Every route of speech is for people who are signed in: each costs money.
func TestSpeechNeedsAnAccount(t *testing.T) {
	h, _, f := speechHouse(t)
	for _, route := range []string{"POST /speech/transcribe", "POST /speech/synthesize", "POST /speech/synthesize/stream",
		"GET /speech/voices", "GET /speech/speak?text=hola", "GET /speech/test-speak?text=hola"} {
		method, path, _ := strings.Cut(route, " ")
		for _, prefix := range []string{"", "/api"} {
			h.do(method, prefix+path, nil).refusal(http.StatusUnauthorized, "unauthorized")
		}
	}
	if got := f.calls(); len(got) > 0 {
		t.Errorf("vendors were asked: %q", got)
	}
}

// What a vendor fails with never becomes a 500, and never shows whose fault it was.
func TestVendorsFailures(t *testing.T) {
	h, access, f := speechHouse(t)
	body, kind := uploadForm(t, recorded(t, "speech.wav"))
	for _, tc := range []struct {
		err    error
		status int
		code   string
		retry  string
	}{
		{&providers.Error{Kind: providers.Unavailable, Vendor: "acme", Op: "x", Err: errors.New("secret cause")}, 503, "unavailable", "5"},
		{&providers.Error{Kind: providers.Overloaded, Vendor: "acme", Op: "x", RetryAfter: 9 * time.Second}, 503, "unavailable", "9"},
		{&providers.Error{Kind: providers.Denied, Vendor: "acme", Op: "x"}, 503, "unavailable", "5"},
		{&providers.Error{Kind: providers.Quota, Vendor: "acme", Op: "x"}, 503, "unavailable", "5"},
		{&providers.Error{Kind: providers.Invalid, Vendor: "acme", Op: "x"}, 422, "invalid", ""},
		{fmt.Errorf("late: %w", context.DeadlineExceeded), 503, "unavailable", "5"},
	} {
		f.err = tc.err
		for _, r := range []reply{
			h.as(access, "POST", "/speech/transcribe", body, "Content-Type", kind),
			h.as(access, "POST", "/speech/synthesize", `{"text":"hola"}`),
			h.as(access, "POST", "/speech/synthesize/stream", `{"text":"hola","voice_id":"v"}`),
			h.as(access, "GET", "/speech/speak?text=hola", nil),
			h.as(access, "GET", "/speech/voices", nil),
		} {
			e := r.refusal(tc.status, tc.code)
			if strings.Contains(string(r.body), "acme") || strings.Contains(string(r.body), "secret") || r.header.Get("Retry-After") != tc.retry {
				t.Errorf("%v: %s, Retry-After %q", tc.err, r.body, r.header.Get("Retry-After"))
			}
			if (tc.status == 422) != (len(e.Errors) == 1) {
				t.Errorf("%v: errors %v", tc.err, e.Errors)
			}
		}
	}
}

// The list of voices has the original's names and those that its app expects.
func TestVoices(t *testing.T) {
	h, access, f := speechHouse(t)
	f.voices = []providers.VoiceInfo{
		{ID: "EX1", Name: "Sarah", Language: "en", Gender: "female", Labels: map[string]string{"accent": "american"}, Vendor: "elevenlabs"},
		{ID: "v2", Name: "Coral"},
	}
	h.as(access, "GET", "/speech/voices", nil).want(http.StatusOK).same(`{"provider":"elevenlabs","voices":[
		{"voice_id":"EX1","id":"EX1","name":"Sarah","labels":{"accent":"american"},"language":"en","gender":"female","provider":"elevenlabs"},
		{"voice_id":"v2","id":"v2","name":"Coral","labels":{},"language":null,"gender":null,"provider":"elevenlabs"}]}`)
	f.voices = nil
	h.as(access, "GET", "/api/speech/voices?provider=openai", nil).want(http.StatusOK).same(`{"provider":"openai","voices":[]}`)
	if got := f.calls(); !slices.Equal(got, []string{`voices ""`, `voices "openai"`}) {
		t.Errorf("asked %q", got)
	}
	e := h.as(access, "GET", "/speech/voices?provider=whisper", nil).refusal(http.StatusBadRequest, "invalid_provider")
	if e.Detail != "Invalid provider. Use 'elevenlabs' or 'openai'." {
		t.Errorf("an unknown provider: %q", e.Detail)
	}
	h.as(access, "GET", "/speech/voices?provider=openai&provider=openai", nil).invalid("provider")
}

// A small file can be hours of speech, which a vendor would be paid for.
func TestRecordingsOfHours(t *testing.T) {
	const rate = 4000 // of samples of a byte each
	narrow := func(d time.Duration) []byte {
		n := uint32(d.Seconds() * rate)
		b := wavFile(0)
		endian.LittleEndian.PutUint32(b[4:], 36+n)
		endian.LittleEndian.PutUint32(b[24:], rate)
		endian.LittleEndian.PutUint32(b[28:], rate)
		endian.LittleEndian.PutUint16(b[32:], 1)
		endian.LittleEndian.PutUint16(b[34:], 8)
		endian.LittleEndian.PutUint32(b[40:], n)
		return append(b, make([]byte, n)...)
	}
	if _, info, err := (upload{audio: narrow(maxRecordingTime), field: "audio"}).recording("es"); err != nil || info.Duration != maxRecordingTime {
		t.Errorf("%v: %v", info.Duration, err)
	}
	_, _, err := upload{audio: narrow(maxRecordingTime + time.Second), field: "audio"}.recording("es")
	e, ok := errors.AsType[*learn.Error](err)
	if want := (learn.FieldError{Field: "audio", Message: "must not last longer than 30 minutes"}); !ok || e.Kind != learn.Invalid || !slices.Equal(e.Fields, []learn.FieldError{want}) {
		t.Errorf("refused with %v", err)
	}
}
