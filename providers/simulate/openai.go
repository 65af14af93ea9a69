package simulate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"kalami/providers"
)

// routesOpenAI registers OpenAI's API, as far as Kalami speaks it.
func (s *Server) routesOpenAI() {
	s.mux.HandleFunc("POST /v1/chat/completions", s.openAI(s.handleChat))
	s.mux.HandleFunc("POST /v1/audio/transcriptions", s.openAI(s.handleTranscriptions))
	s.mux.HandleFunc("POST /v1/audio/speech", s.openAI(s.handleSpeech))
	s.mux.HandleFunc("GET /v1/models", s.openAI(handleModels))
}

// openAI wraps a handler with what all of the API's answers share: headers and the key.
func (s *Server) openAI(h func(a *openAIAnswer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a := &openAIAnswer{s: s, w: w, r: r, id: s.nextID("req_")}
		h2 := w.Header()
		h2.Set("X-Request-Id", a.id)
		h2.Set("Openai-Version", "2020-10-01")
		h2.Set("Openai-Processing-Ms", "12")
		for _, what := range []string{"requests", "tokens"} {
			h2.Set("X-Ratelimit-Limit-"+what, "10000")
			h2.Set("X-Ratelimit-Remaining-"+what, "9999")
			h2.Set("X-Ratelimit-Reset-"+what, "6ms")
		}
		if key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); s.opt.Key != "" && key != s.opt.Key {
			a.refuse(http.StatusUnauthorized, openAIError{Message: "Incorrect API key provided.", Type: "invalid_request_error", Code: "invalid_api_key"})
			return
		}
		h(a)
		s.opt.Log.Debug("answered", "vendor", OpenAI, "path", r.URL.Path, "request", a.id)
	}
}

// openAIAnswer is one answer being given.
type openAIAnswer struct {
	s  *Server
	w  http.ResponseWriter
	r  *http.Request
	id string
}

// openAIError is the inside of an error body; empty param and code are null.
type openAIError struct {
	Message, Type, Param, Code string
}

// MarshalJSON implements json.Marshaler.
func (e openAIError) MarshalJSON() ([]byte, error) {
	null := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	return json.Marshal(map[string]any{"error": map[string]any{
		"message": e.Message, "type": e.Type, "param": null(e.Param), "code": null(e.Code),
	}})
}

// refuse writes an error answer.
func (a *openAIAnswer) refuse(status int, e openAIError) {
	a.w.Header().Set("Content-Type", "application/json")
	a.w.WriteHeader(status)
	_, _ = a.w.Write(mustJSON(e))
}

// invalid refuses a request for one of its fields.
func (a *openAIAnswer) invalid(param, message string) {
	a.refuse(http.StatusBadRequest, openAIError{Message: message, Type: "invalid_request_error", Param: param})
}

// fault answers with an injected status.
func (a *openAIAnswer) fault(status int, f Fault) { a.refuse(status, openAIFault(status, f)) }

// openAIFault builds the error of an injected status. The message
// "insufficient_quota" turns a 429 into the one that must not be retried.
func openAIFault(status int, f Fault) openAIError {
	e := openAIError{Message: cmp.Or(f.Message, "The server had an error processing your request."), Type: "server_error"}
	switch {
	case f.Message == "insufficient_quota":
		e.Type, e.Code = "insufficient_quota", "insufficient_quota"
	case status == 429:
		e.Type, e.Code = "requests", "rate_limit_exceeded"
	case status == 401:
		e.Type, e.Code = "invalid_request_error", "invalid_api_key"
	case status == 404:
		e.Type, e.Code = "invalid_request_error", "model_not_found"
	case status >= 400 && status < 500:
		e.Type = "invalid_request_error"
	}
	return e
}

// handleModels serves GET /v1/models.
func handleModels(a *openAIAnswer) {
	type m = map[string]any
	var data []m
	for _, id := range []string{"gpt-5.4-mini", "gpt-4o-mini-transcribe", "whisper-1", "gpt-4o-mini-tts", "tts-1"} {
		data = append(data, m{"id": id, "object": "model", "created": openAICreated, "owned_by": "simulator"})
	}
	a.json(m{"object": "list", "data": data})
}

// openAICreated stands for the time at which an answer was made: one that does not move.
const openAICreated = 1767225600

// json writes an answer in one piece.
func (a *openAIAnswer) json(v any) {
	a.w.Header().Set("Content-Type", "application/json")
	_, _ = a.w.Write(mustJSON(v))
}

// openAIText is text that arrives as a string or as a list of parts.
type openAIText string

// UnmarshalJSON implements json.Unmarshaler.
func (t *openAIText) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(t))
	}
	var parts []struct{ Type, Text string }
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	for _, p := range parts {
		if p.Type == "text" {
			*t += openAIText(p.Text)
		}
	}
	return nil
}

// openAIChatRequest is what the simulator reads of a chat request.
type openAIChatRequest struct {
	Model    string `json:"model"`
	Stream   bool   `json:"stream"`
	Messages []struct {
		Role    string     `json:"role"`
		Content openAIText `json:"content"`
	} `json:"messages"`
	ResponseFormat      *openAIFormat `json:"response_format"`
	MaxTokens           *int          `json:"max_tokens"`
	MaxCompletionTokens *int          `json:"max_completion_tokens"`
	StreamOptions       struct {
		IncludeUsage       bool  `json:"include_usage"`
		IncludeObfuscation *bool `json:"include_obfuscation"`
	} `json:"stream_options"`
}

// openAIFormat is the form that an answer is to have.
type openAIFormat struct {
	Type       string `json:"type"`
	JSONSchema struct {
		Name   string          `json:"name"`
		Strict bool            `json:"strict"`
		Schema json.RawMessage `json:"schema"`
	} `json:"json_schema"`
}

// check returns what the real service would object to, and in which field.
func (f *openAIFormat) check() (param, problem string) {
	if f == nil || f.Type == "text" {
		return "", ""
	}
	if f.Type != "json_schema" {
		return "response_format.type", "response_format.type must be text or json_schema here"
	}
	if f.JSONSchema.Name == "" {
		return "response_format.json_schema.name", "Missing required parameter: 'response_format.json_schema.name'."
	}
	if problem := checkSchema(f.JSONSchema.Schema); problem != "" && f.JSONSchema.Strict {
		return "response_format", "Invalid schema for response_format: " + problem
	}
	return "", ""
}

// schema is the JSON Schema that the answer must have; nil for plain text.
func (q *openAIChatRequest) schema() json.RawMessage {
	if q.ResponseFormat == nil {
		return nil
	}
	return q.ResponseFormat.JSONSchema.Schema
}

// check returns the field that the real service would object to, and how.
func (q *openAIChatRequest) check() (param, problem string) {
	switch {
	case q.Model == "":
		return "model", "you must provide a model parameter"
	case len(q.Messages) == 0:
		return "messages", "Invalid 'messages': empty array."
	case q.MaxTokens != nil && q.MaxCompletionTokens != nil:
		return "max_tokens", "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
	case q.limit() < 1:
		return "max_completion_tokens", "Invalid 'max_completion_tokens': integer below minimum value."
	}
	for i, m := range q.Messages {
		switch m.Role {
		case "system", "developer", "user", "assistant":
		default:
			return fmt.Sprintf("messages[%d].role", i), "Invalid value for the role of a message."
		}
	}
	return q.ResponseFormat.check()
}

// limit is how many tokens the answer may have.
func (q *openAIChatRequest) limit() int {
	n := 4096
	return *cmp.Or(q.MaxCompletionTokens, q.MaxTokens, &n)
}

// chat returns the conversation in the request.
func (q *openAIChatRequest) chat() chat {
	var c chat
	for _, m := range q.Messages {
		if m.Role == "user" || m.Role == "assistant" {
			c.said = append(c.said, providers.Line{Role: providers.Role(m.Role), Text: string(m.Content)})
			continue
		}
		c.system += string(m.Content) + "\n"
	}
	return c
}

// usage makes a plausible token count.
func (q *openAIChatRequest) usage(output int) map[string]any {
	input := 0
	for _, m := range q.Messages {
		input += len(strings.Fields(string(m.Content)))
	}
	return map[string]any{
		"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
		"prompt_tokens_details":     map[string]any{"cached_tokens": 0, "audio_tokens": 0},
		"completion_tokens_details": map[string]any{"reasoning_tokens": 0, "audio_tokens": 0},
	}
}

// finishReason names why an answer ended.
func finishReason(all bool) string {
	if all {
		return "stop"
	}
	return "length"
}
