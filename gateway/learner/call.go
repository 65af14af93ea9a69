package learner

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
)

// FrameTime is the length of one mic frame.
const FrameTime = 20 * time.Millisecond

// Handler is told what happens in a call or a lesson; its functions are called one after
// another, in order, except Report and Heard, and must not block. Nil fields are skipped.
type Handler struct {
	// Event gets every event, after the player has seen it.
	Event func(h session.Head, ev session.Event)
	// Audio gets every frame of the tutor's audio as it arrives; the bytes are valid
	// until it returns. late says that it is not played: it belongs to a reply that was
	// cleared, or came before.
	Audio func(f session.Frame, late bool)
	// Report gets what the player tells the server, and when Mute is set, what it
	// would have told. It may be called by another goroutine than the rest.
	Report func(ctl session.Control)
	// Heard gets the PCM of a response as the loudspeaker has played it, in order, at
	// every report of the player and when it stops: what was received and not played
	// is not in it. It is called like Report; the bytes are valid until it returns.
	Heard func(response string, pcm []byte)
	// Lost is told when a socket of a lesson has ended: why, or nil when another had taken
	// its place. It is not called for a call, nor are Back and Sent.
	Lost func(cause error)
	// Back is told when a lesson has a socket again, after the event that says so.
	Back func(r Return)
	// Sent gets the header of each mic frame that is handed to a socket. It may be called
	// by another goroutine than the rest.
	Sent func(f session.Frame)
	// Mute stops playback reports, like a client that cannot tell.
	Mute bool
	// PlayOn ignores the orders to pause and resume, like a client that does not know them.
	PlayOn bool
}

// Call is an open voice socket. Run reads it; Send and one
// microphone may be used meanwhile.
type Call struct {
	conn    transport
	handler Handler
	player  *player
	ear     *ear

	write sync.Mutex // one writer at a time: the microphone, the player, the caller
	buf   []byte     // guarded by write

	mic struct { // owned by the goroutine that speaks
		seq uint32
		pos uint32
	}
}

// Call opens the voice socket with a fresh ticket. Close it.
func (a *Account) Call(ctx context.Context, w Wish, h Handler) (*Call, error) {
	ticket, url, err := a.Ticket(ctx, w)
	if err != nil {
		return nil, err
	}
	return Dial(ctx, url, ticket, h)
}

// Dial opens the voice socket at url with a ticket.
func Dial(ctx context.Context, url, ticket string, h Handler) (*Call, error) {
	conn, err := dialWebSocket(ctx, url, ticket)
	if err != nil {
		return nil, err
	}
	c := &Call{conn: conn, handler: h, ear: newEar()}
	c.player = newPlayer(c.ear, h, func(ctl session.Control) {
		if h.Report != nil {
			h.Report(ctl)
		}
		if !h.Mute {
			_ = c.Send(ctl) // a lost connection is Run's to report
		}
	})
	return c, nil
}

// Run reads until the call is over. It returns nil when the server closed it
// normally, else the read's error (see [websocket.CloseStatus]). It does not close
// the call.
func (c *Call) Run() error {
	defer c.player.stop()
	for {
		kind, data, err := c.conn.Read()
		if err != nil {
			if websocket.CloseStatus(err) == websocket.StatusNormalClosure {
				return nil
			}
			return err
		}
		if kind == websocket.MessageBinary {
			err = c.audio(data)
		} else {
			err = c.event(data)
		}
		if err != nil {
			return err
		}
	}
}

// audio takes one frame of the tutor's.
func (c *Call) audio(data []byte) error {
	var f session.Frame
	if err := wire.ParseHeader(data, wire.Tutor, &f); err != nil {
		return err
	}
	late := c.player.audio(f)
	if c.handler.Audio != nil {
		c.handler.Audio(f, late)
	}
	return nil
}

// event takes one event: heartbeats are answered, the player is told, the caller hears it all.
func (c *Call) event(data []byte) error {
	h, ev, err := wire.DecodeEvent(data)
	if err != nil {
		return fmt.Errorf("learner: the server's event: %w", err)
	}
	if ping, ok := ev.(session.Ping); ok {
		if err := c.Send(session.Pong{ID: ping.ID, TS: h.TS}); err != nil {
			return err
		}
	}
	switch e := ev.(type) {
	case session.Created:
		c.ear.tune(e.Session.Audio.Input.Format.Rate)
	case session.Updated:
		c.ear.tune(e.Session.Audio.Input.Format.Rate)
	}
	c.player.event(ev)
	if c.handler.Event != nil {
		c.handler.Event(h, ev)
	}
	return nil
}

// Send tells the server something.
func (c *Call) Send(ctl session.Control) error {
	data, err := wire.EncodeControl("", ctl)
	if err != nil {
		return err
	}
	c.write.Lock()
	defer c.write.Unlock()
	return c.conn.Write(websocket.MessageText, data)
}

// Frame sends one mic frame, whose last sample is taken now. Frames are numbered in the
// order of the calls, which one goroutine makes.
func (c *Call) Frame(pcm []byte) error {
	c.ear.hear(pcm, c.mic.pos, time.Now())
	return c.writeFrame(pcm)
}

// mouth and place implement outlet.
func (c *Call) mouth() *ear   { return c.ear }
func (c *Call) place() uint32 { return c.mic.pos }

// writeFrame numbers a mic frame and writes it.
func (c *Call) writeFrame(pcm []byte) error {
	c.write.Lock()
	defer c.write.Unlock()
	f := session.Frame{Stream: 1, Seq: c.mic.seq, Pos: c.mic.pos}
	c.buf = append(wire.AppendHeader(c.buf[:0], wire.Mic, &f), pcm...)
	c.mic.seq++
	c.mic.pos += uint32(len(pcm) / 2)
	return c.conn.Write(websocket.MessageBinary, c.buf)
}

// Sent is how many mic frames were sent.
func (c *Call) Sent() int {
	c.write.Lock()
	defer c.write.Unlock()
	return int(c.mic.seq)
}

// Close closes the socket normally, waiting for the server's answer for a few seconds at the most.
func (c *Call) Close() error { return c.conn.Close() }

// Abort drops the connection without a word, like a network that is gone.
func (c *Call) Abort() { c.conn.Abort() }
