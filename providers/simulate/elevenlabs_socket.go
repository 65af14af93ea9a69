package simulate

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// elevenStream serves the two WebSocket endpoints: stream-input with its one
// implied context, and multi-stream-input with up to five named ones.
func (s *Server) elevenStream(multi bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, f, ok := s.admitEleven(w, r, true)
		if !ok {
			return
		}
		q, refusal := parseElevenQuery(r, true)
		if refusal != nil {
			s.refuseEleven(w, id, *refusal)
			return
		}
		if !s.sleep(r.Context(), s.opt.Latency.Handshake) || !s.enter() {
			return
		}
		defer s.live.Done()
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return // the library has answered
		}
		conn.SetReadLimit(1 << 20)
		c := &elevenSocket{
			s: s, conn: conn, query: q, multi: multi, plan: f, fault: f,
			needsKey: s.opt.Key != "" && r.Header.Get("xi-api-key") == "",
			contexts: map[string]*elevenContext{}, open: map[*elevenContext]struct{}{},
		}
		c.run()
		s.opt.Log.Info("elevenlabs: socket ended", "request", id, "messages", c.sent)
	}
}

// elevenSocket is one client's socket. The handler's goroutine reads; each
// context has one that speaks; one watches for silence.
type elevenSocket struct {
	// Static after the handshake.
	s     *Server
	conn  *websocket.Conn
	query elevenQuery
	multi bool
	plan  Fault           // what is to go wrong
	ctx   context.Context // ends with the socket
	end   context.CancelFunc
	idle  *time.Timer // until the client must have said something

	// Owned by the reader.
	needsKey bool

	speaking sync.WaitGroup // the contexts

	mu       sync.Mutex
	contexts map[string]*elevenContext   // the latest of each name
	open     map[*elevenContext]struct{} // those whose final has not been sent

	out    sync.Mutex // orders messages
	fault  Fault      // the plan until it has happened
	sent   int
	silent bool // nothing more is sent
}

// run reads until the socket ends, then waits for its goroutines.
func (c *elevenSocket) run() {
	c.ctx, c.end = context.WithCancel(c.s.ctx)
	c.idle = time.NewTimer(c.query.inactivity)
	var watch sync.WaitGroup
	watch.Go(c.watch)
	defer func() {
		c.end()
		c.speaking.Wait()
		watch.Wait()
	}()
	for {
		_, b, err := c.conn.Read(context.Background())
		if err != nil {
			return
		}
		c.idle.Reset(c.query.inactivity)
		in, err := parseElevenInput(b)
		if err != nil {
			c.fail("invalid_input_message", err.Error())
			return
		}
		if c.needsKey {
			if in.Key != c.s.opt.Key && strings.TrimPrefix(in.Bearer, "Bearer ") != c.s.opt.Key {
				c.fail("invalid_api_key", "Invalid API key")
				return
			}
			c.needsKey = false
		}
		if !c.handle(in) {
			return
		}
	}
}

// handle acts on one message; false when the socket is over.
func (c *elevenSocket) handle(in elevenInput) bool {
	if !c.multi {
		return c.handleSingle(in)
	}
	if in.CloseSocket {
		c.mu.Lock()
		for ec := range c.open {
			ec.finish()
		}
		c.mu.Unlock()
		return c.leave()
	}
	if in.Context == "" && in.Text != nil && *in.Text == "" && !in.Flush {
		return true // keeps the socket alive
	}
	name := in.Context
	if name == "" {
		name = "default"
	}
	ec, opened, problem := c.context(name, !in.CloseContext)
	switch {
	case problem:
		c.fail("max_active_conversations", fmt.Sprintf("Maximum simultaneous contexts per WebSocket connection exceeded (%d). Please close an existing context before opening a new one.", elevenMaxContexts))
		return false
	case ec == nil:
		return true // nothing to close
	case !opened && in.Settings != nil:
		c.fail("invalid_input_message", "voice_settings can only be set in the first message of a context")
		return false
	}
	if !ec.take(in) {
		c.fail("max_character_limit_exceeded", "The text of one context is longer than 40000 characters.")
		return false
	}
	return true
}

// handleSingle acts on a message of stream-input, where an empty text is the end.
func (c *elevenSocket) handleSingle(in elevenInput) bool {
	ec, opened, _ := c.context("", true)
	switch {
	case opened && (in.Text == nil || *in.Text != " "):
		c.fail("invalid_input_message", "the text of the first message must be a single space")
		return false
	case !opened && in.Settings != nil:
		c.fail("invalid_input_message", "voice_settings can only be set in the first message")
		return false
	case in.Text != nil && *in.Text == "":
		ec.finish()
		return c.leave()
	case !ec.take(in):
		c.fail("max_character_limit_exceeded", "The text is longer than 40000 characters.")
		return false
	}
	return true
}

// context returns the named context, which it opens when there is none and open
// allows it. A name may be used again while the context that had it before is
// still speaking. problem: it would be one too many.
func (c *elevenSocket) context(name string, open bool) (ec *elevenContext, opened, problem bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ec := c.contexts[name]; ec != nil && !ec.closing() || !open {
		return ec, false, false
	}
	if n := len(c.open); n >= elevenMaxContexts || c.plan.Kind == FaultContextLimit && n >= c.plan.After {
		return nil, false, true
	}
	ec = &elevenContext{socket: c, name: name, wake: make(chan struct{}, 1)}
	c.contexts[name] = ec
	c.open[ec] = struct{}{}
	c.speaking.Go(ec.run)
	return ec, true, false
}

// ended forgets a context whose final has been sent.
func (c *elevenSocket) ended(ec *elevenContext) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, ec)
	if c.contexts[ec.name] == ec {
		delete(c.contexts, ec.name)
	}
}

// leave waits until everything has been said and closes, as the client asked;
// true when a stall keeps the socket open.
func (c *elevenSocket) leave() (stalled bool) {
	c.speaking.Wait()
	c.out.Lock()
	defer c.out.Unlock()
	if c.plan.Kind == FaultStall && c.silent {
		return true
	}
	_ = c.conn.Close(websocket.StatusNormalClosure, "")
	return false
}

// watch ends a socket on which nothing was said for too long, and with the server.
func (c *elevenSocket) watch() {
	defer c.idle.Stop()
	select {
	case <-c.idle.C:
		c.fail("input_timeout_exceeded", fmt.Sprintf("Have not received a new text input within the timeout of %.1f seconds. Streaming input terminated. Please make sure to send text input in time.", c.query.inactivity.Seconds()))
	case <-c.ctx.Done():
	}
	_ = c.conn.CloseNow()
}

// fail sends an error message and closes with 1008, the message as its reason.
func (c *elevenSocket) fail(code, message string) {
	c.out.Lock()
	defer c.out.Unlock()
	c.failLocked(code, message)
}

func (c *elevenSocket) failLocked(code, message string) {
	if !c.silent {
		frame := mustJSON(map[string]any{"message": message, "error": code, "code": 1008})
		_ = c.conn.Write(context.Background(), websocket.MessageText, frame)
		c.silent = true
	}
	_ = c.conn.Close(websocket.StatusPolicyViolation, message[:min(len(message), 120)])
}

// send puts a message on the wire, unless it is the one where the fault happens;
// false when nothing more can be sent. It waits for a client that reads slowly.
func (c *elevenSocket) send(msg []byte) bool {
	c.out.Lock()
	defer c.out.Unlock()
	if c.silent || c.ctx.Err() != nil {
		return false
	}
	if f := c.fault; f.Kind != "" && c.sent >= f.After && !c.misbehave(f) {
		return false
	}
	c.sent++
	return c.conn.Write(context.Background(), websocket.MessageText, msg) == nil
}

// misbehave plays a fault; true when the socket goes on. out is held.
func (c *elevenSocket) misbehave(f Fault) bool {
	c.fault = Fault{}
	switch f.Kind {
	case FaultGarbage:
		return c.conn.Write(context.Background(), websocket.MessageText, []byte(`}{ not what was asked for`)) == nil
	case FaultUnknown:
		return c.conn.Write(context.Background(), websocket.MessageText, []byte(`{"type":"news","audio":17,"nested":[{"isFinal":true}]}`)) == nil
	case FaultCut:
		_ = c.conn.CloseNow()
	case FaultEnd:
		_ = c.conn.Close(websocket.StatusNormalClosure, "")
	case FaultClose:
		_ = c.conn.Close(websocket.StatusCode(f.Status), f.Message[:min(len(f.Message), 120)])
	case FaultStreamError:
		code, message := codeOf(f.Message)
		c.failLocked(cmp.Or(code, "internal_error"), cmp.Or(message, "Something went wrong. Please try again."))
	case FaultStall:
	default:
		return true // plays elsewhere
	}
	c.silent = true
	return false
}
