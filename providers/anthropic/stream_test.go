package anthropic_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"kalami/providers"
	"kalami/providers/anthropic"
)

// canned is a transport that answers every request alike and keeps the last one's body.
type canned struct {
	status int
	header http.Header
	body   string
	sent   []byte
	asked  http.Header
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	c.sent, _ = io.ReadAll(r.Body)
	c.asked = r.Header
	h := http.Header{"Content-Type": {"text/event-stream"}, "Request-Id": {"req_1"}}
	for k, v := range c.header {
		h[k] = v
	}
	return &http.Response{StatusCode: max(c.status, 200), Header: h, Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
}

// ask returns a reply's words, its last delta and its error.
func ask(t testing.TB, c *canned, p providers.Prompt) (text string, last providers.Delta, err error) {
	t.Helper()
	tutor, err := anthropic.New(anthropic.Options{Key: "k", Transport: c})
	if err != nil {
		t.Fatal(err)
	}
	for d, e := range tutor.Reply(t.Context(), p) {
		text, last, err = text+d.Text, d, e
	}
	return text, last, err
}

// sse joins events as they stand on the wire.
func sse(data ...string) string {
	var b strings.Builder
	for _, d := range data {
		var head struct{ Type string }
		if json.Unmarshal([]byte(d), &head) != nil {
			head.Type = "broken"
		}
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", head.Type, d)
	}
	return b.String()
}

// Events as the real service sends them, padding included.
const (
	evStart  = `{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":100,"output_tokens":1}}        }`
	evPing   = `{"type": "ping"}`
	evBlock  = `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}   }`
	evHola   = `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"¡Hola!"}      }`
	evThink  = `{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hmm"}}`
	evFuture = `{"type":"content_block_hologram","index":0,"delta":{"type":"text_delta","text":"never"}}`
	evEnd    = `{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":7}    }`
	evStop   = `{"type":"message_stop"       }`
)

func TestReplyReadsTheStream(t *testing.T) {
	refusal := strings.Replace(evEnd, "end_turn", "refusal", 1)
	cases := []struct {
		name string
		body string
		text string
		kind providers.Kind
		want string // in the error
	}{
		{"whole", sse(evStart, evBlock, evPing, evHola, evFuture, evThink, evEnd, evStop), "¡Hola!", 0, ""},
		{"refused from the start", sse(evStart, refusal, evStop), "", providers.Invalid, "refusal"},
		{"refused in the middle", sse(evStart, evBlock, evHola, refusal, evStop), "¡Hola!", providers.Invalid, "refusal"},
		{"no word", sse(evStart, evEnd, evStop), "", providers.Unavailable, "empty_reply"},
		{"no terminal event", sse(evStart, evBlock, evHola, evEnd), "¡Hola!", providers.Unavailable, "without message_stop"},
		{"nothing at all", "", "", providers.Unavailable, "without message_stop"},
		{"a web page", "<html>\n\n</html>", "", providers.Unavailable, "without message_stop"},
		{"wrong types", sse(`{"type":"content_block_delta","delta":{"type":"text_delta","text":12}}`), "", providers.Unavailable, "could not be decoded"},
		{"broken JSON", "event: content_block_delta\ndata: {\"secret\n\n", "", providers.Unavailable, "could not be decoded"},
		{"overloaded inside a 200", sse(evStart) + "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n", "", providers.Overloaded, "overloaded_error"},
		{"unknown error inside a 200", sse(evStart) + "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"new_error\"}}\n\n", "", providers.Unavailable, "new_error"},
		{"an error that is no JSON", sse(evStart) + "event: error\ndata: oops\n\n", "", providers.Unavailable, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text, last, err := ask(t, &canned{body: c.body}, providers.Prompt{})
			if text != c.text || providers.KindOf(err) != c.kind {
				t.Fatalf("%q, %v; want %q, kind %v", text, err, c.text, c.kind)
			}
			if err != nil {
				if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "req_1") {
					t.Errorf("error %q, want %q and the request id in it", err, c.want)
				}
				return
			}
			want := providers.Delta{Done: true, Model: "claude-x", RequestID: "req_1",
				Usage: providers.Usage{InputTokens: 115, CachedInputTokens: 100, OutputTokens: 7}}
			if last != want {
				t.Errorf("last delta %+v, want %+v", last, want)
			}
		})
	}
}

func TestReplyKnowsSpentAccounts(t *testing.T) {
	for name, c := range map[string]*canned{
		"monthly cap":     {status: 429, body: `{"type":"error","error":{"type":"rate_limit_error","message":"m","details":{"error_code":"enforced_spend_limit_reached"}}}`},
		"prepaid is used": {status: 400, body: `{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}}`},
		"billing":         {status: 402, body: `{"type":"error","error":{"type":"billing_error","message":"m"}}`},
	} {
		if _, _, err := ask(t, c, providers.Prompt{}); providers.KindOf(err) != providers.Quota {
			t.Errorf("%s: %v", name, err)
		}
	}
	page := &canned{status: 503, header: http.Header{"Content-Type": {"text/html"}}, body: "<html>down</html>"}
	if _, _, err := ask(t, page, providers.Prompt{}); providers.KindOf(err) != providers.Unavailable || !strings.Contains(err.Error(), "HTTP 503") {
		t.Errorf("a proxy's page: %v", err)
	}
}

// TestRequest looks at what Claude gets: a cacheable system block, alternating
// messages, and the reminder as a part of its own at the end.
func TestRequest(t *testing.T) {
	c := &canned{body: sse(evStart, evHola, evEnd, evStop)}
	_, _, err := ask(t, c, providers.Prompt{
		System:    "Be kind.",
		Reminder:  "Level A1.",
		MaxTokens: 50,
		Lines: []providers.Line{
			{Role: providers.RoleTutor, Text: "¿Qué tal?"},
			{Role: providers.RoleLearner, Text: "Bien"},
			{Role: providers.RoleLearner, Text: "gracias"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	type block struct {
		Type, Text string
		Cache      struct{ Type string } `json:"cache_control"`
	}
	var got struct {
		Model     string
		Stream    bool
		MaxTokens int `json:"max_tokens"`
		System    []block
		Messages  []struct {
			Role    string
			Content []block
		}
	}
	if err := json.Unmarshal(c.sent, &got); err != nil {
		t.Fatal(err)
	}
	if got.Model != anthropic.DefaultModel || !got.Stream || got.MaxTokens != 50 {
		t.Errorf("model %q, stream %v, max tokens %d", got.Model, got.Stream, got.MaxTokens)
	}
	if len(got.System) != 1 || got.System[0].Text != "Be kind." || got.System[0].Cache.Type != "ephemeral" {
		t.Errorf("system %+v", got.System)
	}
	var said []string
	for _, m := range got.Messages {
		for _, b := range m.Content {
			said = append(said, m.Role+": "+b.Text)
		}
	}
	want := "user: (The conversation begins.)|assistant: ¿Qué tal?|user: Bien\ngracias|user: <reminder>\nLevel A1.\n</reminder>"
	if s := strings.Join(said, "|"); s != want {
		t.Errorf("messages\n%s\nwant\n%s", s, want)
	}
	if c.asked.Get("X-Api-Key") != "k" || c.asked.Get("Anthropic-Version") == "" {
		t.Errorf("headers %v", c.asked)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	for want, opt := range map[string]anthropic.Options{
		"key":        {},
		"base URL":   {Key: "k", BaseURL: "localhost:80"},
		"max tokens": {Key: "k", MaxTokens: -1},
	} {
		if _, err := anthropic.New(opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want an error naming the %s", opt, err, want)
		}
	}
}

// BenchmarkReply measures the client alone: a canned answer of 100 words.
func BenchmarkReply(b *testing.B) {
	events := []string{evStart, evBlock}
	for range 100 {
		events = append(events, evHola)
	}
	c := &canned{body: sse(append(events, evEnd, evStop)...)}
	tutor, err := anthropic.New(anthropic.Options{Key: "k", Transport: c})
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
