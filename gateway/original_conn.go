package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
	"kalami/session/learn"
)

// originalLimits are the times and sizes of the original's socket; tests shorten them.
type originalLimits struct {
	// PingEvery is how often the client is pinged, and asked whether its user may still
	// be here.
	PingEvery time.Duration
	// DeadAfter is how long nothing may come, not even a pong, before the client is gone.
	DeadAfter time.Duration
	// MessageWait is how long one message may take to arrive.
	MessageWait time.Duration
	// WriteWait is how long a write may take, and Pace, in bytes per second, what is added
	// for its length.
	WriteWait time.Duration
	Pace      int
	// TurnWait bounds one turn.
	TurnWait time.Duration
	// MaxDuration is how long a socket lives. The original has no way to show a fresh
	// access token in-band, so it is longer than a token's life: a lesson is not cut.
	MaxDuration time.Duration
}

func defaultOriginalLimits() originalLimits {
	return originalLimits{
		PingEvery: 30 * time.Second, DeadAfter: 75 * time.Second, MessageWait: 5 * time.Minute,
		WriteWait: 10 * time.Second, Pace: 16 << 10, TurnWait: turnTimeout, MaxDuration: 2 * time.Hour,
	}
}

const (
	// freeMessage is the size up to which a message needs no share of the node's memory:
	// every message but recordings.
	freeMessage = 64 << 10
	// maxSkipped is how much of a message that cannot be taken is read past.
	maxSkipped = wire.MaxOriginalBytes
)

// skippedMessage says why a message was not taken. It has been read past, and the next one
// can be read.
type skippedMessage struct{ why error }

func (e *skippedMessage) Error() string { return "gateway: a message was not taken: " + e.why.Error() }
func (e *skippedMessage) Unwrap() error { return e.why }

func errRecordingTooLarge() error {
	return &apiError{code: string(session.MessageTooLarge),
		err: learn.Errorf(learn.Invalid, "gateway.original", "The recording is larger than 25 MB")}
}

// originalConn is the original's dialect on one WebSocket. Whole messages come out of it
// and go into it; what they mean is originalTalk's.
//
// As in voiceConn, reads and writes have a context that never ends, and deadlines beneath
// the library do the rest: ending the context of a pending call would lose the close code.
type originalConn struct {
	// Static after newOriginalConn.
	ws     *websocket.Conn
	raw    net.Conn // beneath ws
	limits originalLimits
	room   *bodies // what large messages hold, with all other uploads
	// ctx is that of the work which the client's messages begin, not of reading and
	// writing. abort ends it, and so does Abort.
	ctx   context.Context
	abort context.CancelFunc

	// Owned by the reader.
	in   []byte
	held int64 // of the room, for in

	mu  sync.Mutex // guards out, and makes writes come one after another
	out []byte

	times   sync.Mutex // guards closing and all deadlines
	closing bool       // the deadlines are those of the close, and stay
}

func newOriginalConn(ws *websocket.Conn, raw net.Conn, limits originalLimits, room *bodies) *originalConn {
	c := &originalConn{ws: ws, raw: raw, limits: limits, room: room, in: make([]byte, firstReadBuffer)}
	c.ctx, c.abort = context.WithCancel(context.Background())
	return c
}

// receive reads one whole message, which is valid until the next call of receive or
// letGo. Any error but a *skippedMessage is the connection's end.
func (c *originalConn) receive() (kind websocket.MessageType, data []byte, err error) {
	c.letGo(0)
	c.alive(time.Time{})
	kind, r, err := c.ws.Reader(context.Background())
	if err != nil {
		return 0, nil, err
	}
	began := time.Now()
	for n := 0; ; {
		if n == len(c.in) {
			if err := c.grow(); err != nil {
				return 0, nil, c.skip(r, began, err)
			}
		}
		c.alive(began)
		m, err := r.Read(c.in[n:])
		n += m
		switch {
		case n > wire.MaxOriginalBytes:
			return 0, nil, c.skip(r, began, errRecordingTooLarge())
		case errors.Is(err, io.EOF):
			return kind, c.in[:n], nil
		case err != nil:
			return 0, nil, err
		}
	}
}

// grow makes room for more of the message. What is counted is the message and, since it
// may be a recording, the file that is decoded from it.
func (c *originalConn) grow() error {
	size := min(2*len(c.in), wire.MaxOriginalBytes+1)
	if size > freeMessage {
		cost := 2 * int64(size)
		if !c.room.takeLong(cost - c.held) {
			return errNoRoom()
		}
		c.held = cost
	}
	grown := make([]byte, size)
	copy(grown, c.in)
	c.in = grown
	return nil
}

// letGo frees the buffer of a large message, but for keep bytes of its memory, which the
// caller gives back when it is done with what was decoded from it. It returns how many
// those are.
func (c *originalConn) letGo(keep int) int64 {
	kept := min(int64(keep), c.held)
	c.room.give(c.held - kept)
	c.held = 0
	if len(c.in) > keptReadBuffer {
		c.in = make([]byte, firstReadBuffer)
	}
	return kept
}

// skip reads past the rest of a message and returns a *skippedMessage; when that is not
// possible, the connection's end.
func (c *originalConn) skip(r io.Reader, began time.Time, why error) error {
	c.letGo(0)
	for n := 0; n <= maxSkipped; {
		c.alive(began)
		m, err := r.Read(c.in)
		n += m
		switch {
		case errors.Is(err, io.EOF):
			return &skippedMessage{why}
		case err != nil:
			return err
		}
	}
	return &session.End{Reason: session.EndTooBig, Code: session.MessageTooLarge}
}

// alive gives the client its time again. began is when the message began that is being
// read; zero between messages.
func (c *originalConn) alive(began time.Time) {
	until := time.Now().Add(c.limits.DeadAfter)
	if limit := began.Add(c.limits.MessageWait); !began.IsZero() && limit.Before(until) {
		until = limit
	}
	c.deadline(c.raw.SetReadDeadline, until)
}

// deadline sets one, unless the connection is being closed. It fails on a closed
// connection, as the read or write will.
func (c *originalConn) deadline(set func(time.Time) error, until time.Time) {
	c.times.Lock()
	defer c.times.Unlock()
	if !c.closing {
		_ = set(until)
	}
}

// ping asks the client's WebSocket library for a sign of life, and waits for it a moment;
// the pong gives the client its time again.
func (c *originalConn) ping() {
	ctx, cancel := context.WithTimeout(context.Background(), c.limits.WriteWait)
	defer cancel()
	_ = c.ws.Ping(ctx) // who does not answer runs out of time
}

// say sends one message, as a text frame like all of them. It blocks for as long as the
// client takes to read it, within limits; a client that does not is cut off from reading
// and writing, and the reader learns of it.
func (c *originalConn) say(ev wire.OriginalEvent) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	out, err := wire.AppendOriginal(c.out[:0], ev)
	if err != nil {
		return err
	}
	if c.out = out; cap(out) > keptReadBuffer {
		c.out = nil
	}
	patience := c.limits.WriteWait + time.Duration(len(out))*time.Second/time.Duration(c.limits.Pace)
	c.deadline(c.raw.SetWriteDeadline, time.Now().Add(patience))
	defer c.deadline(c.raw.SetWriteDeadline, time.Time{}) // the library's pongs and pings have their own
	if err := c.ws.Write(context.Background(), websocket.MessageText, out); err != nil {
		_ = c.raw.Close()
		return &session.End{Reason: session.EndGone, Err: err}
	}
	return nil
}

// close tells the client how its connection ends, waits at most closeWait for its
// answer, and frees the connection.
func (c *originalConn) close(e *session.End) {
	c.times.Lock()
	c.closing = true
	_ = c.raw.SetDeadline(time.Now().Add(closeWait))
	c.times.Unlock()
	if code, reason, send := originalCloseFrame(e); send {
		_ = c.ws.Close(code, reason) // it fails when the client has left, which is no news
	}
	c.Abort()
}

// Abort frees the connection at once and cancels the work that it began. Safe to call
// from any goroutine, more than once.
func (c *originalConn) Abort() {
	c.abort()
	// First beneath the library: its CloseNow would wait for a close under way.
	_ = c.raw.Close()
	_ = c.ws.CloseNow()
}
