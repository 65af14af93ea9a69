package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// maxPrompt bounds a chat request's body, in bytes.
const maxPrompt = 1 << 20

// An eventStream writes one answer as server-sent events and lets a fault happen
// at its place among them.
type eventStream struct {
	s     *Server
	ctx   context.Context // of the request
	w     http.ResponseWriter
	flush *http.ResponseController
	fault Fault
	// failure is the event that a stream_error sends instead of the next one.
	failure func(f Fault) (event string, data any)
	// pad adds blanks before the closing brace, as recorded streams have them.
	pad  bool
	sent int
	buf  bytes.Buffer
}

// begin sends the headers of a stream.
func (e *eventStream) begin() {
	e.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	e.w.Header().Set("Cache-Control", "no-cache")
	e.w.WriteHeader(http.StatusOK)
	e.flush = http.NewResponseController(e.w)
}

// send writes one event; event is empty for unnamed ones. It is false when
// nothing more must be sent.
func (e *eventStream) send(event string, data any) bool {
	if e.fault.Kind != "" && e.sent == e.fault.After {
		switch e.fault.Kind {
		case FaultCut:
			e.s.abort(e.w)
		case FaultEnd:
			return false
		case FaultStall:
			_ = e.flush.Flush() // an error means that the client has left, which the wait sees
			e.s.stall(e.ctx)
			return false
		case FaultStreamError:
			e.write(e.failure(e.fault))
			return false
		case FaultGarbage:
			e.write(event, json.RawMessage(`{"type":"content_block_delta","choices":[{"delta":{"te`))
		case FaultUnknown:
			name := ""
			if event != "" {
				name = "hologram"
			}
			e.write(name, json.RawMessage(`{"type":"hologram","object":"hologram","depth":3}`))
		}
	}
	e.sent++
	e.write(event, data)
	return e.ctx.Err() == nil && e.s.ctx.Err() == nil
}

// write puts an event on the wire. A client that has left shows in its context.
func (e *eventStream) write(event string, data any) {
	e.buf.Reset()
	if event != "" {
		e.buf.WriteString("event: " + event + "\n")
	}
	e.buf.WriteString("data: ")
	body, ok := data.(json.RawMessage)
	if !ok {
		body = mustJSON(data)
	}
	if n := len(body); e.pad && n > 0 && body[n-1] == '}' {
		e.buf.Write(body[:n-1])
		e.buf.WriteString("            "[:e.sent*5%12])
		body = body[n-1:]
	}
	e.buf.Write(body)
	e.buf.WriteString("\n\n")
	_, _ = e.w.Write(e.buf.Bytes())
	_ = e.flush.Flush()
}

// nextID makes a vendor's name for a call; with the same seed and order the same.
func (s *Server) nextID(prefix string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%s%016x%08x", prefix, s.rng.Uint64(), s.rng.Uint32())
}

// mustJSON encodes values whose types always can be.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("simulate: " + err.Error())
	}
	return b
}

// abort cuts the connection under an answer.
func (s *Server) abort(w http.ResponseWriter) {
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// stall keeps an answer open without a word until the client or the server ends.
func (s *Server) stall(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
}

// speakTokens waits as a language model does and hands out line piece by piece,
// at most limit of them. all is false when limit cut the line short, ok when the
// answer must end at once.
func (s *Server) speakTokens(ctx context.Context, line string, limit int, say func(token string) bool) (n int, all, ok bool) {
	if !s.sleep(ctx, s.opt.Latency.LLMFirstToken) {
		return 0, false, false
	}
	pieces := tokensOf(line)
	for i, token := range pieces {
		if i == limit {
			return i, false, true
		}
		if i > 0 && !s.sleep(ctx, s.opt.Latency.LLMToken) {
			return i, false, false
		}
		if !say(token) {
			return i, false, false
		}
	}
	return len(pieces), true, true
}

// shorten returns what fits into limit tokens of a line, for answers that are not streamed.
func shorten(line string, limit int) (text string, n int, all bool) {
	pieces := tokensOf(line)
	if len(pieces) <= limit {
		return line, len(pieces), true
	}
	for _, p := range pieces[:limit] {
		text += p
	}
	return text, limit, false
}

// before plays the faults that concern an answer as a whole, before anything is
// sent; true when one of them was the answer. refuse writes a refusal.
func (s *Server) before(w http.ResponseWriter, r *http.Request, f Fault, streamed bool, refuse func(status int, f Fault)) bool {
	switch f.Kind {
	case FaultStatus:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
		}
		refuse(f.Status, f)
		return true
	case FaultCut, FaultStall, FaultEnd:
		if streamed {
			return false
		}
		if f.Kind == FaultStall {
			s.stall(r.Context())
			return true
		}
		s.abort(w)
	case FaultGarbage:
		if streamed {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"type":"message","choices":[{"te`))
		return true
	}
	return false
}

// readBody reads a bounded JSON body into v. It reports the error for the client,
// which never quotes the body.
func readBody(w http.ResponseWriter, r *http.Request, v any) (status int, problem string) {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPrompt)).Decode(v)
	if err == nil {
		return 0, ""
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return http.StatusRequestEntityTooLarge, "the request is larger than 1 MiB"
	}
	return http.StatusBadRequest, "the body is not the JSON object that is expected"
}
