package simulate

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	// liveInbox is how many client messages wait; then the socket is not read.
	liveInbox = 16
	// liveOutbox is how many messages wait for their moment; then audio waits.
	liveOutbox = 256
	// liveMessage bounds one client message.
	liveMessage = 1 << 20
	// liveWrite bounds the sending of one message to a client that does not read.
	liveWrite = 10 * time.Second
	// liveStall is how long a stalled connection is kept.
	liveStall = 2 * time.Minute
)

// recogniser is one of the two protocols on a live socket. All its methods run on
// the socket's one goroutine.
type recogniser interface {
	// open is called once, before anything is read.
	open()
	// audio takes a binary message that is not empty.
	audio(b []byte)
	// control takes a text message.
	control(b []byte)
	// finish sends what is left and the close, for CloseStream.
	finish()
	// failed sends what the service says before it closes by itself.
	failed()
	// idleAfter is how long the protocol bears silence on the wire.
	idleAfter() time.Duration
	// abrupt is the code of a clean close without the terminal message.
	abrupt() websocket.StatusCode
	// complaint is the protocol's error message.
	complaint(text string) any
}

// numbered is a message that carries its place among those sent.
type numbered interface{ number(n int) }

// outgoing is a message, or the close, that waits for its moment.
type outgoing struct {
	due     time.Time
	msg     any // nil for the close
	partial bool
	code    websocket.StatusCode
	reason  string
}

// liveSocket runs a live recognition WebSocket: one goroutine reads, the handler's
// own hears, decides and writes.
type liveSocket struct {
	s     *Server
	conn  *websocket.Conn
	ctx   context.Context // ends with the server or the handler
	fault Fault

	in     chan clientMessage // closed by the reader
	pinged chan struct{}      // a ping arrived; one waiting is enough

	// owned by run
	out     []outgoing
	timer   *time.Timer
	sent    int
	closing bool // the close is queued: nothing more is taken or queued
	over    bool
}

// clientMessage is what a client sent.
type clientMessage struct {
	kind websocket.MessageType
	b    []byte
}

// serveLive accepts a socket and serves it until it is over.
func (s *Server) serveLive(w http.ResponseWriter, r *http.Request, f Fault, protocol func(*liveSocket) recogniser) {
	if !s.enter() {
		return
	}
	defer s.live.Done()
	if !s.sleep(r.Context(), s.opt.Latency.Handshake) {
		return
	}
	l := &liveSocket{s: s, fault: f, in: make(chan clientMessage, liveInbox), pinged: make(chan struct{}, 1)}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // any page may talk to a simulator
		Subprotocols:       []string{"token", "bearer"},
		OnPingReceived: func(context.Context, []byte) bool {
			select {
			case l.pinged <- struct{}{}:
			default:
			}
			return true
		},
	})
	if err != nil {
		return // Accept has answered
	}
	var cancel context.CancelFunc
	l.conn = conn
	l.ctx, cancel = context.WithCancel(s.ctx)
	conn.SetReadLimit(liveMessage)
	var reader sync.WaitGroup
	reader.Go(l.read)
	l.run(protocol(l))
	cancel()
	_ = conn.CloseNow()
	reader.Wait()
}

// enter counts a handler that Close has to wait for; false when it is too late.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return false
	}
	s.live.Add(1)
	return true
}

// read passes client messages on until the connection ends.
func (l *liveSocket) read() {
	defer close(l.in)
	var buf bytes.Buffer // reading into it and copying is cheaper than io.ReadAll for every frame
	for {
		kind, r, err := l.conn.Reader(l.ctx)
		if err != nil {
			return
		}
		buf.Reset()
		if _, err := buf.ReadFrom(r); err != nil {
			return
		}
		select {
		case l.in <- clientMessage{kind, bytes.Clone(buf.Bytes())}:
		case <-l.ctx.Done():
			return
		}
	}
}

// run serves the socket until it is over.
func (l *liveSocket) run(p recogniser) {
	idle := time.NewTimer(p.idleAfter())
	defer idle.Stop()
	l.timer = time.NewTimer(time.Hour)
	defer l.timer.Stop()
	p.open()
	l.flush(p)
	l.trip(p)
	for !l.over {
		in := l.in
		if len(l.out) >= liveOutbox {
			in = nil
		}
		select {
		case m, ok := <-in:
			if !ok {
				return
			}
			idle.Reset(p.idleAfter())
			l.take(p, m)
		case <-l.pinged:
			idle.Reset(p.idleAfter())
		case <-l.timer.C:
		case <-idle.C:
			p.failed()
			l.close(websocket.StatusInternalError, "Deepgram did not receive audio data or a text message within the timeout window. See https://dpgr.am/net0001")
		case <-l.ctx.Done():
			return
		}
		l.flush(p)
	}
}

// take hands a client message to the protocol. An empty binary message is the end
// of the stream, as for the real service.
func (l *liveSocket) take(p recogniser, m clientMessage) {
	switch {
	case l.closing:
	case m.kind == websocket.MessageText:
		p.control(m.b)
	case len(m.b) == 0:
		p.finish()
	default:
		p.audio(m.b)
	}
}

// send queues a message for after a delay, never before those already queued.
// What is final overtakes the partial results that would come after it.
func (l *liveSocket) send(msg any, partial bool, delay time.Duration) {
	due := time.Now().Add(delay)
	if !partial {
		l.out = slices.DeleteFunc(l.out, func(o outgoing) bool { return o.partial && o.due.After(due) })
	}
	l.queue(outgoing{due: due, msg: msg, partial: partial})
}

// close queues the closing handshake behind everything else.
func (l *liveSocket) close(code websocket.StatusCode, reason string) {
	l.queue(outgoing{due: time.Now(), code: code, reason: reason})
	l.closing = true
}

func (l *liveSocket) queue(o outgoing) {
	if l.closing {
		return
	}
	if n := len(l.out); n > 0 && l.out[n-1].due.After(o.due) {
		o.due = l.out[n-1].due
	}
	l.out = append(l.out, o)
}

// flush sends what is due and sets the timer for what is not.
func (l *liveSocket) flush(p recogniser) {
	for len(l.out) > 0 && !l.over {
		o := l.out[0]
		if wait := time.Until(o.due); wait > 0 {
			l.timer.Reset(wait)
			return
		}
		l.out = slices.Delete(l.out, 0, 1)
		if o.msg == nil {
			_ = l.conn.Close(o.code, o.reason)
			l.over = true
			return
		}
		l.write(o.msg)
		l.trip(p)
	}
}

// write sends one message now.
func (l *liveSocket) write(msg any) {
	if n, ok := msg.(numbered); ok {
		n.number(l.sent)
	}
	l.sent++
	l.writeText(mustJSON(msg))
}

func (l *liveSocket) writeText(b []byte) {
	ctx, cancel := context.WithTimeout(l.ctx, liveWrite)
	defer cancel()
	if l.conn.Write(ctx, websocket.MessageText, b) != nil {
		l.over = true
	}
}

// trip lets the fault happen when its time has come.
func (l *liveSocket) trip(p recogniser) {
	f := l.fault
	if f.Kind == "" || l.sent < f.After || l.over || l.closing {
		return
	}
	l.fault = Fault{}
	switch f.Kind {
	case FaultCut:
		_ = l.conn.CloseNow()
		l.over = true
	case FaultEnd:
		_ = l.conn.Close(p.abrupt(), "")
		l.over = true
	case FaultStall:
		l.stall()
	case FaultStreamError:
		l.out = nil
		l.send(p.complaint(either(f.Message, "An internal server error occurred.")), false, 0)
		l.close(websocket.StatusInternalError, "")
	case FaultGarbage:
		l.sent++
		l.writeText([]byte(`{"type":"Results","channel":{"alternatives":[{"transcript":"`))
	case FaultUnknown:
		l.sent++
		l.writeText([]byte(`{"type":"TypeOfTheFuture","channel":[[0],{"a":null}],"event":7,"sequence_id":"x"}`))
	case FaultClose:
		l.out = nil
		p.failed()
		code := websocket.StatusCode(f.Status)
		if code == 0 {
			code = websocket.StatusInternalError
		}
		l.close(code, either(f.Message, "Deepgram did not provide a response message within the timeout window. See https://dpgr.am/net0000"))
	}
}

// stall neither reads nor writes any more. What the client sends fills the
// socket's buffers; since nothing is read, its leaving goes unnoticed, and the
// connection is kept for liveStall at most.
func (l *liveSocket) stall() {
	t := time.NewTimer(liveStall)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.ctx.Done():
	}
	l.over = true
}

// either returns a, or b when a is empty.
func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
