package simulate

import (
	"io"
	"strings"
	"testing"
)

const (
	askAnthropic = `{"model":"claude-x","max_tokens":300,"stream":true,"system":[{"type":"text","text":"Tutor of English (en).","cache_control":{"type":"ephemeral"}}],
		"messages":[{"role":"user","content":"I would like the fish and a glass of water, please."}]}`
	answerFish = "An excellent choice. Would you like a dessert after the fish?"
)

// anthropicHeaders are what every client of Anthropic's sends.
var anthropicHeaders = []string{"X-Api-Key", "k", "Anthropic-Version", "2023-06-01"}

func TestAnthropicStream(t *testing.T) {
	_, url := serve(t, Options{})
	res := post(t, url+"/v1/messages", askAnthropic, anthropicHeaders...)
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("%s, %v", res.Status, res.Header)
	}
	for _, h := range []string{"Request-Id", "Anthropic-Ratelimit-Requests-Limit", "Anthropic-Ratelimit-Output-Tokens-Remaining", "Anthropic-Ratelimit-Tokens-Reset"} {
		if res.Header.Get(h) == "" {
			t.Errorf("no header %s", h)
		}
	}
	var order, text string
	padded := false
	for _, ev := range readSSE(t, res.Body) {
		data := decode(t, ev.data)
		if data["type"] != ev.name {
			t.Errorf("event %q has type %v", ev.name, data["type"])
		}
		padded = padded || strings.HasSuffix(ev.data, " }")
		if s, ok := at(data, "delta", "text").(string); ok {
			text += s
		}
		if !strings.HasSuffix(order, ev.name+" ") {
			order += ev.name + " "
		}
		switch ev.name {
		case "message_start":
			if at(data, "message", "model") != "claude-x" || at(data, "message", "usage", "cache_creation_input_tokens") != 4.0 {
				t.Errorf("message_start %v", data)
			}
		case "message_delta":
			if at(data, "delta", "stop_reason") != "end_turn" || at(data, "usage", "output_tokens").(float64) < 8 {
				t.Errorf("message_delta %v", data)
			}
		}
	}
	if want := "message_start content_block_start ping content_block_delta content_block_stop message_delta message_stop "; order != want {
		t.Errorf("events %q, want %q", order, want)
	}
	if text != answerFish {
		t.Errorf("said %q", text)
	}
	if !padded {
		t.Error("no event is padded, as real ones are")
	}
}

func TestAnthropicWhole(t *testing.T) {
	_, url := serve(t, Options{})
	ask := strings.Replace(askAnthropic, `"stream":true`, `"stream":false`, 1)
	body, _ := io.ReadAll(post(t, url+"/v1/messages", ask, anthropicHeaders...).Body)
	got := decode(t, string(body))
	if at(got, "content", 0, "text") != answerFish || got["stop_reason"] != "end_turn" || got["role"] != "assistant" {
		t.Errorf("%s", body)
	}
	body, _ = io.ReadAll(post(t, url+"/v1/messages", strings.Replace(ask, "300", "2", 1), anthropicHeaders...).Body)
	if got = decode(t, string(body)); got["stop_reason"] != "max_tokens" || at(got, "content", 0, "text") != "An exce" {
		t.Errorf("%s", body)
	}
}

func TestAnthropicRefuses(t *testing.T) {
	s, url := serve(t, Options{Key: "right"})
	right := []string{"X-Api-Key", "right", "Anthropic-Version", "2023-06-01"}
	cases := []struct {
		name   string
		body   string
		header []string
		fault  Fault
		status int
		typ    string
		says   string
	}{
		{"no key", askAnthropic, nil, Fault{}, 401, "authentication_error", "x-api-key"},
		{"wrong key", askAnthropic, anthropicHeaders, Fault{}, 401, "authentication_error", "x-api-key"},
		{"wrong bearer", askAnthropic, []string{"Authorization", "Bearer k", "Anthropic-Version", "2026-10-21"}, Fault{}, 401, "authentication_error", "x-api-key"},
		{"right bearer", "{}", []string{"Authorization", "Bearer right", "Anthropic-Version", "2026-10-21"}, Fault{}, 400, "invalid_request_error", "model"},
		{"no version", askAnthropic, right[:2], Fault{}, 400, "invalid_request_error", "anthropic-version"},
		{"no JSON", "hello", right, Fault{}, 400, "invalid_request_error", "JSON"},
		{"too large", `{"model":"` + strings.Repeat("x", maxPrompt) + `"}`, right, Fault{}, 413, "request_too_large", "1 MiB"},
		{"no model", `{}`, right, Fault{}, 400, "invalid_request_error", "model"},
		{"no max_tokens", `{"model":"m"}`, right, Fault{}, 400, "invalid_request_error", "max_tokens"},
		{"no messages", `{"model":"m","max_tokens":1}`, right, Fault{}, 400, "invalid_request_error", "messages"},
		{"tutor first", `{"model":"m","max_tokens":1,"messages":[{"role":"assistant","content":"x"}]}`, right, Fault{}, 400, "invalid_request_error", "first message"},
		{"unknown role", `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"},{"role":"system","content":"x"}]}`, right, Fault{}, 400, "invalid_request_error", "messages.1.role"},
		{"empty block", `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":""}]}]}`, right, Fault{}, 400, "invalid_request_error", "non-empty"},
		{"overloaded", askAnthropic, right, Fault{Kind: FaultStatus, Status: 529, RetryAfter: 4}, 529, "overloaded_error", "Overloaded"},
		{"spent", askAnthropic, right, Fault{Kind: FaultStatus, Status: 429, Message: "enforced_spend_limit_reached"}, 429, "rate_limit_error", "enforced"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.fault.Kind != "" {
				c.fault.Vendor = Anthropic
				s.Inject(c.fault)
			}
			res := post(t, url+"/v1/messages", c.body, c.header...)
			body, _ := io.ReadAll(res.Body)
			got := decode(t, string(body))
			message, _ := at(got, "error", "message").(string)
			if res.StatusCode != c.status || got["type"] != "error" || at(got, "error", "type") != c.typ || !strings.Contains(message, c.says) {
				t.Errorf("%d %s; want %d %s about %q", res.StatusCode, body, c.status, c.typ, c.says)
			}
			if id := res.Header.Get("Request-Id"); id == "" || got["request_id"] != id {
				t.Errorf("request id %q in the header, %v in the body", id, got["request_id"])
			}
			if after := res.Header.Get("Retry-After"); (after != "") != (c.fault.RetryAfter > 0) {
				t.Errorf("retry-after %q", after)
			}
		})
	}
	if got := at(anthropicError(429, "m", "enforced_spend_limit_reached", ""), "error", "details", "error_code"); got != "enforced_spend_limit_reached" {
		t.Errorf("details carry %v", got)
	}
}

// TestAnthropicCloses checks that Close ends answers that would go on for ever.
func TestAnthropicCloses(t *testing.T) {
	s, url := serve(t, Options{})
	s.Inject(Fault{Vendor: Anthropic, Kind: FaultStall, After: 4})
	res := post(t, url+"/v1/messages", askAnthropic, anthropicHeaders...)
	first := make([]byte, 64)
	if _, err := io.ReadFull(res.Body, first); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Errorf("the answer did not end cleanly: %v", err)
	}
	if s.ctx.Err() == nil {
		t.Error("not closed")
	}
}

// FuzzAnthropicRequest throws bodies at the handler: it must answer each with JSON
// or events, and never panic.
func FuzzAnthropicRequest(f *testing.F) {
	f.Add([]byte(askAnthropic))
	f.Add([]byte(`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"image"},{"type":"text","text":"x"}]}]}`))
	f.Add([]byte(`{"model":1}`))
	s := New(Options{Engine: "none"})
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, body []byte) {
		checkFuzzedAnswer(t, s, "/v1/messages", body, anthropicHeaders...)
	})
}
