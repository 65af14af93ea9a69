package openai_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"kalami/providers"
	"kalami/providers/openai"
)

// canned is a transport that answers every request alike and keeps the last one.
type canned struct {
	status int
	body   string
	sent   []byte
	asked  http.Header
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	c.sent, _ = io.ReadAll(r.Body)
	c.asked = r.Header
	h := http.Header{"Content-Type": {"text/event-stream"}, "X-Request-Id": {"req_1"}}
	return &http.Response{StatusCode: max(c.status, 200), Header: h, Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
}

// ask returns a reply's words, its last delta and its error.
func ask(t testing.TB, c *canned, opt openai.TutorOptions, p providers.Prompt) (text string, last providers.Delta, err error) {
	t.Helper()
	opt.Transport = c
	opt.BaseURL = "http://engine.invalid/v1"
	tutor, err := openai.NewTutor(opt)
	if err != nil {
		t.Fatal(err)
	}
	for d, e := range tutor.Reply(t.Context(), p) {
		text, last, err = text+d.Text, d, e
	}
	return text, last, err
}

// sse joins chunks as they stand on the wire.
func sse(data ...string) string {
	return "data: " + strings.Join(data, "\n\ndata: ") + "\n\n"
}

const (
	chRole   = `{"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null,"obfuscation":"kQ2v"}`
	chHola   = `{"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,"delta":{"content":"¡Hola!"},"finish_reason":null}],"usage":null,"obfuscation":"kQ"}`
	chRefuse = `{"id":"c","model":"gpt-x","choices":[{"index":0,"delta":{"refusal":"I cannot"},"finish_reason":null}]}`
	chStop   = `{"id":"c","model":"gpt-x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}`
	chUsage  = `{"id":"c","model":"gpt-x","choices":[],"usage":{"prompt_tokens":115,"completion_tokens":7,"total_tokens":122,"prompt_tokens_details":{"cached_tokens":100}}}`
	chDone   = `[DONE]`
	// Ollama's last chunk has the finish_reason beside content, and no usage comes.
	chLast = `{"id":"c","model":"llama","choices":[{"index":0,"delta":{"role":"assistant","content":"!"},"finish_reason":"stop"}]}`
)

func TestReplyReadsTheStream(t *testing.T) {
	usage := providers.Usage{InputTokens: 115, CachedInputTokens: 100, OutputTokens: 7}
	cases := []struct {
		name  string
		body  string
		text  string
		usage providers.Usage
		kind  providers.Kind
		want  string // in the error
	}{
		{"whole", sse(chRole, chHola, chStop, chUsage, chDone), "¡Hola!", usage, 0, ""},
		{"no usage", sse(chRole, chHola, chStop, chDone), "¡Hola!", providers.Usage{}, 0, ""},
		{"no [DONE]", sse(chRole, chHola, chStop, chUsage), "¡Hola!", usage, 0, ""},
		{"the last word with the reason", sse(chHola, chLast, chDone), "¡Hola!!", providers.Usage{}, 0, ""},
		{"usage is broken", sse(chRole, chHola, chStop) + "data: {\"usage\":\n\n", "¡Hola!", providers.Usage{}, 0, ""},
		{"[DONE] without a reason", sse(chRole, chHola, chDone), "¡Hola!", usage, providers.Unavailable, "without finish_reason"},
		{"refused", sse(chRole, chRefuse, chStop, chDone), "", usage, providers.Invalid, "refusal"},
		{"filtered", sse(chRole, chHola, strings.Replace(chStop, `"stop"`, `"content_filter"`, 1), chDone), "¡Hola!", usage, providers.Invalid, "content_filter"},
		{"no word", sse(chRole, chStop, chDone), "", usage, providers.Unavailable, "empty_reply"},
		{"nothing at all", "", "", usage, providers.Unavailable, "without finish_reason"},
		{"wrong types", sse(`{"choices":[{"delta":{"content":7}}]}`), "", usage, providers.Unavailable, "could not be decoded"},
		{"error inside a 200", sse(chRole, `{"error":{"message":"secret","type":"server_error","param":null,"code":null}}`), "", usage, providers.Unavailable, "server_error"},
		{"error inside a 200, a string", sse(chRole, `{"error":"secret"}`), "", usage, providers.Unavailable, ""},
		{"too long, inside a 200", sse(chRole, `{"error":{"message":"secret","type":"invalid_request_error","code":"context_length_exceeded"}}`), "", usage, providers.Invalid, "context_length_exceeded"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text, last, err := ask(t, &canned{body: c.body}, openai.TutorOptions{}, providers.Prompt{})
			if text != c.text || providers.KindOf(err) != c.kind {
				t.Fatalf("%q, %v; want %q, kind %v", text, err, c.text, c.kind)
			}
			if err != nil {
				if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "req_1") {
					t.Errorf("error %q, want %q and the request id in it", err, c.want)
				}
				return
			}
			if !last.Done || last.Truncated || last.Usage != c.usage || last.RequestID != "req_1" || last.Model == "" {
				t.Errorf("last delta %+v", last)
			}
		})
	}
}

func TestReplyIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		canned
		want providers.Kind
	}{
		"quota":           {canned{status: 429, body: `{"error":{"message":"m","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`}, providers.Quota},
		"no such model":   {canned{status: 404, body: `{"error":{"message":"model 'x' not found","type":"api_error","param":null,"code":null}}`}, providers.Invalid},
		"a string":        {canned{status: 400, body: `{"error":"invalid model name"}`}, providers.Invalid},
		"a proxy's page":  {canned{status: 502, body: `<html>`}, providers.Unavailable},
		"numbers as code": {canned{status: 401, body: `{"error":{"code":401,"message":"m"}}`}, providers.Denied},
		"a redirect":      {canned{status: 304}, providers.Unavailable},
	} {
		if _, _, err := ask(t, &c.canned, openai.TutorOptions{}, providers.Prompt{}); providers.KindOf(err) != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestRequest looks at what an engine gets.
func TestRequest(t *testing.T) {
	p := providers.Prompt{
		System:   "Be kind.",
		Reminder: "Level A1.",
		Lines: []providers.Line{
			{Role: providers.RoleTutor, Text: "¿Qué tal?"},
			{Role: providers.RoleLearner, Text: "Bien"},
		},
	}
	type request struct {
		Model               string
		Stream              bool
		MaxTokens           int    `json:"max_tokens"`
		MaxCompletionTokens int    `json:"max_completion_tokens"`
		ReasoningEffort     string `json:"reasoning_effort"`
		StreamOptions       struct {
			IncludeUsage bool `json:"include_usage"`
		} `json:"stream_options"`
		Messages []struct{ Role, Content string }
	}
	send := func(opt openai.TutorOptions) (r request, h http.Header) {
		c := &canned{body: sse(chHola, chStop, chDone)}
		if _, _, err := ask(t, c, opt, p); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(c.sent, &r); err != nil {
			t.Fatal(err)
		}
		return r, c.asked
	}
	// Nothing of the environment may slip in.
	t.Setenv("OPENAI_API_KEY", "sk-environment")
	t.Setenv("OPENAI_ORG_ID", "org-environment")

	r, h := send(openai.TutorOptions{LegacyMaxTokens: true, Model: "llama3.2", MaxTokens: 80})
	if r.Model != "llama3.2" || r.MaxTokens != 80 || r.MaxCompletionTokens != 0 || h.Get("Authorization") != "" || h.Get("Openai-Organization") != "" {
		t.Errorf("to a local engine: %+v, %v", r, h)
	}
	r, h = send(openai.TutorOptions{Endpoint: openai.Endpoint{Key: "k"}, ReasoningEffort: "none"})
	if r.Model != openai.DefaultModel || r.MaxTokens != 0 || r.MaxCompletionTokens != openai.DefaultMaxTokens ||
		r.ReasoningEffort != "none" || !r.Stream || !r.StreamOptions.IncludeUsage || h.Get("Authorization") != "Bearer k" {
		t.Errorf("to OpenAI: %+v, %v", r, h)
	}
	var said []string
	for _, m := range r.Messages {
		said = append(said, m.Role+": "+m.Content)
	}
	want := "system: Be kind.|user: (The conversation begins.)|assistant: ¿Qué tal?|user: Bien\n\n<reminder>\nLevel A1.\n</reminder>"
	if s := strings.Join(said, "|"); s != want {
		t.Errorf("messages\n%s\nwant\n%s", s, want)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	for want, opt := range map[string]openai.TutorOptions{
		"key":        {},
		"base URL":   {Endpoint: openai.Endpoint{BaseURL: "ftp://x"}},
		"max tokens": {Endpoint: openai.Endpoint{Key: "k"}, MaxTokens: -1},
	} {
		if _, err := openai.NewTutor(opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want an error naming the %s", opt, err, want)
		}
	}
}

// BenchmarkReply measures the client alone: a canned answer of 100 words.
func BenchmarkReply(b *testing.B) {
	chunks := []string{chRole}
	for range 100 {
		chunks = append(chunks, chHola)
	}
	c := &canned{body: sse(append(chunks, chStop, chUsage, chDone)...)}
	tutor, err := openai.NewTutor(openai.TutorOptions{Endpoint: openai.Endpoint{BaseURL: "http://engine.invalid/v1", Transport: c}})
	if err != nil {
		b.Fatal(err)
	}
	p := providers.Prompt{System: "Be kind.", Lines: []providers.Line{{Role: providers.RoleLearner, Text: "Hola"}}}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, err := range tutor.Reply(b.Context(), p) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/delta")
}
