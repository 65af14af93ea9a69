package simulate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"kalami/providers"
)

// routesAnthropic registers Anthropic's Messages API.
func (s *Server) routesAnthropic() {
	s.mux.HandleFunc("POST /v1/messages", s.handleMessages)
}

// anthropicRequest is what the simulator reads of a request.
type anthropicRequest struct {
	Model     string        `json:"model"`
	MaxTokens int           `json:"max_tokens"`
	Stream    bool          `json:"stream"`
	System    anthropicText `json:"system"`
	Output    struct {
		Format *struct {
			Type   string          `json:"type"`
			Schema json.RawMessage `json:"schema"`
		} `json:"format"`
	} `json:"output_config"`
	Messages []struct {
		Role    string        `json:"role"`
		Content anthropicText `json:"content"`
	} `json:"messages"`
}

// anthropicText is text that arrives as a string or as a list of blocks.
type anthropicText struct {
	text   string
	cached bool // a block asked for caching
	empty  bool // a text block is empty
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *anthropicText) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &t.text)
	}
	var blocks []struct {
		Type  string          `json:"type"`
		Text  string          `json:"text"`
		Cache json.RawMessage `json:"cache_control"`
	}
	if err := json.Unmarshal(b, &blocks); err != nil {
		return err
	}
	for _, bl := range blocks {
		if bl.Type != "text" {
			continue
		}
		t.empty = t.empty || bl.Text == ""
		t.cached = t.cached || len(bl.Cache) > 0
		if t.text != "" {
			t.text += "\n"
		}
		t.text += bl.Text
	}
	return nil
}

// check returns what the real service would object to.
func (q *anthropicRequest) check() string {
	switch {
	case q.Model == "":
		return "model: Field required"
	case q.MaxTokens < 1:
		return "max_tokens: Input should be greater than or equal to 1"
	case len(q.Messages) == 0:
		return "messages: at least one message is required"
	case q.Messages[0].Role != "user":
		return `messages: first message must use the "user" role`
	}
	for i, m := range q.Messages {
		switch {
		case m.Role != "user" && m.Role != "assistant":
			return fmt.Sprintf("messages.%d.role: Input should be 'user' or 'assistant'", i)
		case m.Content.empty:
			return "messages: text content blocks must be non-empty"
		case m.Content.text == "":
			return fmt.Sprintf("messages.%d: all messages must have non-empty content", i)
		}
	}
	if f := q.Output.Format; f != nil {
		if f.Type != "json_schema" {
			return "output_config.format.type: Input should be 'json_schema'"
		}
		if problem := checkSchema(f.Schema); problem != "" {
			return "output_config.format.schema: " + problem
		}
	}
	return ""
}

// chat returns the conversation in the request.
func (q *anthropicRequest) chat() chat {
	c := chat{system: q.System.text}
	for _, m := range q.Messages {
		c.said = append(c.said, providers.Line{Role: providers.Role(m.Role), Text: m.Content.text})
	}
	return c
}

// schema is the JSON Schema that the answer must have; nil for plain text.
func (q *anthropicRequest) schema() json.RawMessage {
	if q.Output.Format == nil {
		return nil
	}
	return q.Output.Format.Schema
}

// handleMessages serves POST /v1/messages, streamed or whole.
func (s *Server) handleMessages(w http.ResponseWriter, r *http.Request) {
	a := &anthropicAnswer{s: s, w: w, r: r, id: s.nextID("req_")}
	a.headers()
	// The official clients' newer releases send the key as a bearer token.
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch key := cmp.Or(r.Header.Get("X-Api-Key"), bearer); {
	case key == "":
		a.refuse(http.StatusUnauthorized, "x-api-key header is required", "")
		return
	case s.opt.Key != "" && key != s.opt.Key:
		a.refuse(http.StatusUnauthorized, "invalid x-api-key", "")
		return
	case r.Header.Get("Anthropic-Version") == "":
		a.refuse(http.StatusBadRequest, "anthropic-version: header is required", "")
		return
	}
	if status, problem := readBody(w, r, &a.req); problem != "" {
		a.refuse(status, problem, "")
		return
	}
	if problem := a.req.check(); problem != "" {
		a.refuse(http.StatusBadRequest, problem, "")
		return
	}
	f := s.nextFault(Anthropic)
	if s.before(w, r, f, a.req.Stream, a.fault) {
		return
	}
	line := s.respond(a.req.chat(), a.req.schema())
	if a.req.Stream {
		a.stream(line, f)
	} else {
		a.whole(line)
	}
	s.opt.Log.Debug("answered", "vendor", Anthropic, "request", a.id)
}

// anthropicAnswer is one answer being given.
type anthropicAnswer struct {
	s   *Server
	w   http.ResponseWriter
	r   *http.Request
	id  string
	req anthropicRequest
}

// headers sets those that every answer carries.
func (a *anthropicAnswer) headers() {
	h := a.w.Header()
	h.Set("Request-Id", a.id)
	for _, what := range []string{"requests", "tokens", "input-tokens", "output-tokens"} {
		h.Set("Anthropic-Ratelimit-"+what+"-Limit", "4000")
		h.Set("Anthropic-Ratelimit-"+what+"-Remaining", "3999")
		h.Set("Anthropic-Ratelimit-"+what+"-Reset", "2026-01-01T00:00:00Z")
	}
}

// fault answers with an injected status. A message that is one of the vendor's
// detail codes, such as enforced_spend_limit_reached, is sent as that code.
func (a *anthropicAnswer) fault(status int, f Fault) {
	code := ""
	if f.Message == "enforced_spend_limit_reached" {
		code = f.Message
	}
	a.refuse(status, cmp.Or(f.Message, http.StatusText(status), "Overloaded"), code)
}

// refuse writes an error answer.
func (a *anthropicAnswer) refuse(status int, message, code string) {
	a.w.Header().Set("Content-Type", "application/json")
	a.w.Header().Set("X-Should-Retry", fmt.Sprint(status == 429 && code == "" || status >= 500))
	a.w.WriteHeader(status)
	_, _ = a.w.Write(mustJSON(anthropicError(status, message, code, a.id)))
}

// anthropicError builds an error body.
func anthropicError(status int, message, code, id string) map[string]any {
	inner := map[string]any{"type": anthropicErrorType(status), "message": message}
	if code != "" {
		inner["details"] = map[string]any{"error_code": code}
	}
	out := map[string]any{"type": "error", "error": inner}
	if id != "" {
		out["request_id"] = id
	}
	return out
}

// anthropicErrorType names the error that belongs to a status.
func anthropicErrorType(status int) string {
	switch status {
	case 401:
		return "authentication_error"
	case 402:
		return "billing_error"
	case 403:
		return "permission_error"
	case 404:
		return "not_found_error"
	case 413:
		return "request_too_large"
	case 429:
		return "rate_limit_error"
	case 500:
		return "api_error"
	case 504:
		return "timeout_error"
	case 0, 529:
		return "overloaded_error"
	}
	if status >= 500 {
		return "api_error"
	}
	return "invalid_request_error"
}

// usage makes a plausible token count. Nothing is ever read from a cache, since
// the simulator keeps no prompt.
func (a *anthropicAnswer) usage(output int) map[string]any {
	system := len(strings.Fields(a.req.System.text))
	input := 0
	for _, m := range a.req.Messages {
		input += len(strings.Fields(m.Content.text))
	}
	created := 0
	if a.req.System.cached {
		created, system = system, 0
	}
	return map[string]any{
		"input_tokens": input + system, "cache_creation_input_tokens": created,
		"cache_read_input_tokens": 0, "output_tokens": output, "service_tier": "standard",
	}
}

// message is the message object, with content as far as it is known.
func (a *anthropicAnswer) message(content []any, stop any, output int) map[string]any {
	return map[string]any{
		"id": "msg_" + strings.TrimPrefix(a.id, "req_"), "type": "message", "role": "assistant",
		"model": a.req.Model, "content": content, "stop_reason": stop, "stop_sequence": nil,
		"usage": a.usage(output),
	}
}

// stopReason names why an answer ended.
func stopReason(all bool) string {
	if all {
		return "end_turn"
	}
	return "max_tokens"
}

// whole answers in one piece.
func (a *anthropicAnswer) whole(line string) {
	if !a.s.sleep(a.r.Context(), a.s.opt.Latency.LLMFirstToken) {
		return
	}
	text, n, all := shorten(line, a.req.MaxTokens)
	a.w.Header().Set("Content-Type", "application/json")
	_, _ = a.w.Write(mustJSON(a.message([]any{map[string]any{"type": "text", "text": text}}, stopReason(all), n)))
}

// stream answers event by event.
func (a *anthropicAnswer) stream(line string, f Fault) {
	e := &eventStream{s: a.s, ctx: a.r.Context(), w: a.w, fault: f, pad: true}
	e.failure = func(f Fault) (string, any) {
		return "error", anthropicError(f.Status, cmp.Or(f.Message, "Overloaded"), "", "")
	}
	e.begin()
	type m = map[string]any
	if !e.send("message_start", m{"type": "message_start", "message": a.message([]any{}, nil, 1)}) ||
		!e.send("content_block_start", m{"type": "content_block_start", "index": 0, "content_block": m{"type": "text", "text": ""}}) ||
		!e.send("ping", m{"type": "ping"}) {
		return
	}
	n, all, ok := a.s.speakTokens(e.ctx, line, a.req.MaxTokens, func(token string) bool {
		return e.send("content_block_delta", anthropicDelta{"content_block_delta", 0, anthropicTextDelta{"text_delta", token}})
	})
	if !ok {
		return
	}
	_ = e.send("content_block_stop", m{"type": "content_block_stop", "index": 0}) &&
		e.send("message_delta", m{"type": "message_delta", "delta": m{"stop_reason": stopReason(all), "stop_sequence": nil}, "usage": a.usage(n)}) &&
		e.send("message_stop", m{"type": "message_stop"})
}

// anthropicDelta is the event that there are many of; a struct is cheaper than a map.
type anthropicDelta struct {
	Type  string             `json:"type"`
	Index int                `json:"index"`
	Delta anthropicTextDelta `json:"delta"`
}

type anthropicTextDelta struct {
	Type string `json:"type"`
	Text string `json:"text"`
}
