package simulate

import "encoding/json"

// handleChat serves POST /v1/chat/completions, streamed or whole.
func (s *Server) handleChat(a *openAIAnswer) {
	var q openAIChatRequest
	if status, problem := readBody(a.w, a.r, &q); problem != "" {
		a.refuse(status, openAIError{Message: problem, Type: "invalid_request_error"})
		return
	}
	if param, problem := q.check(); problem != "" {
		a.invalid(param, problem)
		return
	}
	f := s.nextFault(OpenAI)
	if s.before(a.w, a.r, f, q.Stream, a.fault) {
		return
	}
	line := s.respond(q.chat(), q.schema())
	if q.Stream {
		a.streamChat(&q, line, f)
	} else {
		a.wholeChat(&q, line)
	}
}

// wholeChat answers in one piece.
func (a *openAIAnswer) wholeChat(q *openAIChatRequest, line string) {
	if !a.s.sleep(a.r.Context(), a.s.opt.Latency.LLMFirstToken) {
		return
	}
	text, n, all := shorten(line, q.limit())
	type m = map[string]any
	a.json(m{
		"id": "chatcmpl-" + a.id, "object": "chat.completion", "created": openAICreated, "model": q.Model,
		"choices": []any{m{
			"index": 0, "message": m{"role": "assistant", "content": text, "refusal": nil},
			"finish_reason": finishReason(all), "logprobs": nil,
		}},
		"usage": q.usage(n),
	})
}

// openAIChunk is one streamed event of a chat.
type openAIChunk struct {
	ID          string         `json:"id"`
	Object      string         `json:"object"`
	Created     int64          `json:"created"`
	Model       string         `json:"model"`
	Choices     []openAIChoice `json:"choices"`
	Usage       any            `json:"usage"`
	Obfuscation string         `json:"obfuscation,omitempty"`
}

type openAIChoice struct {
	Index        int         `json:"index"`
	Delta        openAIDelta `json:"delta"`
	FinishReason *string     `json:"finish_reason"`
}

type openAIDelta struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

// streamChat answers chunk by chunk.
func (a *openAIAnswer) streamChat(q *openAIChatRequest, line string, f Fault) {
	e := &eventStream{s: a.s, ctx: a.r.Context(), w: a.w, fault: f}
	e.failure = func(f Fault) (string, any) { return "", openAIFault(f.Status, f) }
	e.begin()
	obfuscate := q.StreamOptions.IncludeObfuscation == nil || *q.StreamOptions.IncludeObfuscation
	chunk := func(d openAIDelta, finish *string) openAIChunk {
		c := openAIChunk{
			ID: "chatcmpl-" + a.id, Object: "chat.completion.chunk", Created: openAICreated, Model: q.Model,
			Choices: []openAIChoice{{Delta: d, FinishReason: finish}},
		}
		if obfuscate {
			// Evens out the events' lengths, so that who watches the line learns less.
			c.Obfuscation = obfuscation(d)
		}
		return c
	}
	var empty string
	if !e.send("", chunk(openAIDelta{Role: "assistant", Content: &empty}, nil)) {
		return
	}
	n, all, ok := a.s.speakTokens(e.ctx, line, q.limit(), func(token string) bool {
		return e.send("", chunk(openAIDelta{Content: &token}, nil))
	})
	if !ok {
		return
	}
	finish := finishReason(all)
	if !e.send("", chunk(openAIDelta{}, &finish)) {
		return
	}
	if q.StreamOptions.IncludeUsage {
		last := chunk(openAIDelta{}, nil)
		last.Choices, last.Usage = []openAIChoice{}, q.usage(n)
		if !e.send("", last) {
			return
		}
	}
	e.send("", json.RawMessage("[DONE]"))
}

// obfuscation fills an event up to an even length.
func obfuscation(d openAIDelta) string {
	const filler = "kQ2vXw9LpR4tYs7BnM"
	n := 0
	if d.Content != nil {
		n = len(*d.Content)
	}
	return filler[:max(1, len(filler)-n)]
}
