package simulate

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

const askOpenAI = `{"model":"gpt-x","stream":true,"stream_options":{"include_usage":true},"messages":[
	{"role":"system","content":"Tutor of English (en)."},
	{"role":"user","content":[{"type":"text","text":"I would like the fish and a glass of water, please."}]}]}`

func TestOpenAIStream(t *testing.T) {
	_, url := serve(t, Options{})
	res := post(t, url+"/v1/chat/completions", askOpenAI)
	for _, h := range []string{"X-Request-Id", "Openai-Processing-Ms", "X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Tokens"} {
		if res.Header.Get(h) == "" {
			t.Errorf("no header %s", h)
		}
	}
	events := readSSE(t, res.Body)
	n := len(events)
	if n < 5 || events[n-1].data != "[DONE]" {
		t.Fatalf("%d events, the last %+v", n, events[n-1])
	}
	text := ""
	for i, ev := range events[:n-1] {
		data := decode(t, ev.data)
		if ev.name != "" || data["object"] != "chat.completion.chunk" || data["model"] != "gpt-x" || data["obfuscation"] == nil {
			t.Errorf("event %+v", ev)
		}
		if s, ok := at(data, "choices", 0, "delta", "content").(string); ok {
			text += s
		}
		finish := at(data, "choices", 0, "finish_reason")
		if (finish != nil) != (i == n-3) {
			t.Errorf("chunk %d of %d has finish_reason %v", i, n-1, finish)
		}
		if usage := data["usage"]; (usage != nil) != (i == n-2) {
			t.Errorf("chunk %d of %d has usage %v", i, n-1, usage)
		}
		if choices := data["choices"].([]any); (len(choices) == 0) != (i == n-2) {
			t.Errorf("chunk %d of %d has %d choices", i, n-1, len(choices))
		}
	}
	if text != answerFish {
		t.Errorf("said %q", text)
	}
}

func TestOpenAIWhole(t *testing.T) {
	_, url := serve(t, Options{})
	ask := strings.Replace(askOpenAI, `"stream":true`, `"max_completion_tokens":2`, 1)
	body, _ := io.ReadAll(post(t, url+"/v1/chat/completions", ask).Body)
	got := decode(t, string(body))
	if at(got, "choices", 0, "message", "content") != "An exce" || at(got, "choices", 0, "finish_reason") != "length" || at(got, "usage", "completion_tokens") != 2.0 {
		t.Errorf("%s", body)
	}
}

func TestOpenAIRefuses(t *testing.T) {
	s, url := serve(t, Options{Key: "right"})
	chat, speech := "/v1/chat/completions", "/v1/audio/speech"
	cases := []struct {
		name   string
		path   string
		body   string
		key    string
		fault  Fault
		status int
		param  any
		code   any
	}{
		{"no key", chat, askOpenAI, "", Fault{}, 401, nil, "invalid_api_key"},
		{"wrong key", chat, askOpenAI, "wrong", Fault{}, 401, nil, "invalid_api_key"},
		{"no JSON", chat, "[", "right", Fault{}, 400, nil, nil},
		{"no model", chat, `{"messages":[]}`, "right", Fault{}, 400, "model", nil},
		{"no messages", chat, `{"model":"m"}`, "right", Fault{}, 400, "messages", nil},
		{"unknown role", chat, `{"model":"m","messages":[{"role":"tutor"}]}`, "right", Fault{}, 400, "messages[0].role", nil},
		{"both limits", chat, `{"model":"m","messages":[{"role":"user"}],"max_tokens":1,"max_completion_tokens":1}`, "right", Fault{}, 400, "max_tokens", nil},
		{"no tokens", chat, `{"model":"m","messages":[{"role":"user"}],"max_tokens":0}`, "right", Fault{}, 400, "max_completion_tokens", nil},
		{"rate limit", chat, askOpenAI, "right", Fault{Kind: FaultStatus, Status: 429}, 429, nil, "rate_limit_exceeded"},
		{"quota", chat, askOpenAI, "right", Fault{Kind: FaultStatus, Status: 429, Message: "insufficient_quota"}, 429, nil, "insufficient_quota"},
		{"no input", speech, `{"model":"m","voice":"v"}`, "right", Fault{}, 400, "input", nil},
		{"too much input", speech, `{"model":"m","voice":"v","input":"` + strings.Repeat("é", 4097) + `"}`, "right", Fault{}, 400, "input", nil},
		{"no voice", speech, `{"model":"m","input":"x","response_format":"pcm"}`, "right", Fault{}, 400, "voice", nil},
		{"too fast", speech, `{"model":"m","input":"x","voice":"v","response_format":"pcm","speed":5}`, "right", Fault{}, 400, "speed", nil},
		{"no file", "/v1/audio/transcriptions", `{}`, "right", Fault{}, 400, nil, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.fault.Kind != "" {
				c.fault.Vendor = OpenAI
				s.Inject(c.fault)
			}
			res := post(t, url+c.path, c.body, "Authorization", "Bearer "+c.key)
			body, _ := io.ReadAll(res.Body)
			got := decode(t, string(body))
			if res.StatusCode != c.status || at(got, "error", "param") != c.param || at(got, "error", "code") != c.code || at(got, "error", "message") == nil {
				t.Errorf("%d %s; want %d, param %v, code %v", res.StatusCode, body, c.status, c.param, c.code)
			}
			if res.Header.Get("X-Request-Id") == "" {
				t.Error("no request id")
			}
		})
	}
}

func TestOpenAIModels(t *testing.T) {
	_, url := serve(t, Options{})
	res, err := http.Get(url + "/v1/models")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if got := decode(t, string(body)); at(got, "data", 0, "object") != "model" {
		t.Errorf("%s", body)
	}
}

// form makes a transcription request's body.
func form(t *testing.T, file []byte, fields ...string) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", "a.wav")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(file) // into memory
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

func TestOpenAITranscriptions(t *testing.T) {
	_, url := serve(t, Options{})
	loud := bytes.Repeat([]byte{0, 32, 0, 224}, 12000) // one second at 24 kHz
	wav := append(streamedWAVHeader(24000), loud...)
	silent := append(streamedWAVHeader(24000), make([]byte, 48000)...)
	send := func(file []byte, fields ...string) (string, *http.Response) {
		body, contentType := form(t, file, append([]string{"model", "whisper-1"}, fields...)...)
		res := post(t, url+"/v1/audio/transcriptions", body, "Content-Type", contentType)
		b, _ := io.ReadAll(res.Body)
		return string(b), res
	}
	de := builtin["de"].Turns
	body, _ := send(wav, "language", "de")
	if got := decode(t, body); got["text"] != de[0].Learner || at(got, "usage", "seconds") != 1.0 {
		t.Errorf("json: %s", body)
	}
	body, _ = send(wav, "language", "de", "response_format", "text")
	if body != de[1].Learner+"\n" {
		t.Errorf("text: %q, want the second line", body)
	}
	body, _ = send(wav, "language", "de", "response_format", "verbose_json")
	if got := decode(t, body); got["text"] != de[2].Learner || got["language"] != "german" || got["duration"] != 1.0 || at(got, "segments", 0, "end") != 1.0 || got["words"] != nil {
		t.Errorf("verbose: %s", body)
	}
	hesitant := slices.Concat(streamedWAVHeader(24000), make([]byte, 48000), loud, make([]byte, 48000))
	body, _ = send(hesitant, "language", "de", "response_format", "verbose_json", "timestamp_granularities[]", "word")
	got := decode(t, body)
	if words, ok := got["words"].([]any); !ok || len(words) < 2 || got["segments"] != nil || at(got, "words", 0, "start") != 1.0 || at(got, "words", len(words)-1, "end") != 2.0 {
		t.Errorf("verbose with words: %s", body)
	}
	body, _ = send(silent, "language", "de")
	if got := decode(t, body); got["text"] != "" {
		t.Errorf("silence: %s", body)
	}
	if _, res := send(wav, "response_format", "srt"); res.StatusCode != 400 {
		t.Errorf("srt: %s", res.Status)
	}
	if _, res := send(nil); res.StatusCode != 400 {
		t.Errorf("an empty file: %s", res.Status)
	}
}

func TestOpenAISpeech(t *testing.T) {
	_, url := serve(t, Options{})
	ask := `{"model":"tts-1","voice":"coral","input":"Here is the bill.","response_format":"pcm"}`
	pcm, _ := io.ReadAll(post(t, url+"/v1/audio/speech", ask).Body)
	if len(pcm) < 24000 || len(pcm)%2 != 0 {
		t.Fatalf("%d bytes of speech", len(pcm))
	}
	wav, _ := io.ReadAll(post(t, url+"/v1/audio/speech", strings.Replace(ask, "pcm", "wav", 1)).Body)
	if got, err := openRecorded(wav); err != nil || got.rate != 24000 || len(got.pcm) != len(pcm)/2 || loudness(got.pcm) < 100 {
		t.Errorf("the WAV holds %d samples at %d Hz, %v", len(got.pcm), got.rate, err)
	}
	fast, _ := io.ReadAll(post(t, url+"/v1/audio/speech", strings.Replace(ask, `"voice"`, `"speed":2,"voice"`, 1)).Body)
	if r := float64(len(fast)) / float64(len(pcm)); r < 0.4 || r > 0.6 {
		t.Errorf("at double speed it lasts %.2f as long", r)
	}
}

func TestLanguageOf(t *testing.T) {
	s, _ := serve(t, Options{})
	for lang, script := range builtin {
		for _, turn := range script.Turns {
			if got := s.languageOf(turn.Tutor); got != lang {
				t.Errorf("%q is taken for %q", turn.Tutor, got)
			}
		}
	}
}

// checkFuzzedAnswer sends a body to a path without a socket and checks that there
// is an answer of a plausible kind.
func checkFuzzedAnswer(t *testing.T, s *Server, path string, body []byte, header ...string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != 200 && w.Code != 400 && w.Code != 413 {
		t.Errorf("status %d", w.Code)
	}
	if w.Header().Get("Content-Type") == "" || w.Body.Len() == 0 {
		t.Errorf("an empty answer of type %q", w.Header().Get("Content-Type"))
	}
}

func FuzzOpenAIChatRequest(f *testing.F) {
	f.Add([]byte(askOpenAI))
	f.Add([]byte(`{"model":"m","messages":[{"role":"user","content":null}],"max_tokens":3}`))
	s := New(Options{Engine: "none"})
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, body []byte) {
		checkFuzzedAnswer(t, s, "/v1/chat/completions", body)
	})
}

func FuzzOpenAITranscriptionRequest(f *testing.F) {
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nRIFF\r\n--b--\r\n"))
	s := New(Options{Engine: "none"})
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, body []byte) {
		checkFuzzedAnswer(t, s, "/v1/audio/transcriptions", body, "Content-Type", "multipart/form-data; boundary=b")
	})
}
