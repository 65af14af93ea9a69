package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
)

// strictClient is a learner's client that comes back after every cut and believes
// nothing: it checks that events rise without a hole, and that every frame of the tutor's
// comes once. It plays in virtual time.
type strictClient struct {
	connect func(ctx context.Context) (net.Conn, error)
	wrong   func(format string, args ...any)
	began   time.Time

	mu       sync.Mutex
	lastSeq  uint64
	id       string // of the session
	acked    uint64
	returns  int
	streams  map[uint16]*heardStream
	now      *heardStream
	cleared  uint16
	mic      uint32 // frames recorded
	kept     uint32 // the oldest that is kept
	sent     uint32 // how many were sent when the learner was done
	items    map[string]string
	answered int
	ended    bool
	closed   websocket.CloseError
}

// heardStream is a response as it is heard.
type heardStream struct {
	id      string
	number  uint16
	next    uint32
	bytes   int
	toldMS  int64 // by output_audio.done
	over    bool  // its last frame has come
	began   time.Time
	stopped bool // was told
}

const bytesPerMS = 48 // at 24 kHz

// played is how much of it was rendered by now, and had how much there is, in milliseconds.
func (s *heardStream) played(now time.Time) (played, had float64) {
	had = float64(s.bytes) / bytesPerMS
	if s.began.IsZero() {
		return 0, had
	}
	return min(float64(now.Sub(s.began).Milliseconds()), had), had
}

// run talks until enough says so or ctx ends, over as many connections as it takes.
func (c *strictClient) run(ctx context.Context, enough func() bool) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tasks.Go(func() { c.record(ctx) })
	for ctx.Err() == nil && !c.over() {
		if err := c.talk(ctx, enough); err != nil {
			c.mu.Lock()
			wait := time.NewTimer(time.Duration(c.mic%7) * 30 * time.Millisecond)
			c.mu.Unlock()
			select {
			case <-wait.C:
			case <-ctx.Done():
			}
		}
	}
}

func (c *strictClient) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed.Code != 0
}

// known says whether the client has been told of its session.
func (c *strictClient) known() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id != ""
}

// record counts the frames that the microphone has delivered, one every 20 ms.
func (c *strictClient) record(ctx context.Context) {
	tick := time.NewTicker(cutFrameMS * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.mu.Lock()
			c.mic++
			c.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

// talk uses one connection until it is lost.
func (c *strictClient) talk(ctx context.Context, enough func() bool) error {
	raw, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer raw.Close()
	once := sync.OnceValue(func() net.Conn { return raw })
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return once(), nil }}
	defer transport.CloseIdleConnections()
	ws, _, err := websocket.Dial(ctx, "http://kalami.test"+voicePath, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{wire.Subprotocol}})
	if err != nil {
		return err
	}
	defer ws.CloseNow()
	ws.SetReadLimit(1 << 20)
	c.mu.Lock()
	returns := c.id != ""
	if returns {
		c.returns++
	}
	resume := session.ResumeSession{SessionID: c.id, LastSeq: c.lastSeq, Playback: c.playback(), Input: session.InputPos{Stream: 1, NextSeq: c.mic}}
	c.mu.Unlock()
	if returns {
		if err := c.send(ctx, ws, resume); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	var writers sync.WaitGroup
	defer writers.Wait()
	defer cancel()
	from := uint32(0)
	for first := true; ; first = false {
		kind, data, err := ws.Read(ctx)
		if end, ok := errors.AsType[websocket.CloseError](err); ok {
			c.mu.Lock()
			c.closed = end
			c.mu.Unlock()
		}
		if err != nil {
			return err
		}
		if kind == websocket.MessageBinary {
			c.frame(data)
			continue
		}
		answer := c.event(data, first && returns, &from)
		if first {
			writers.Go(func() { c.speak(ctx, ws, from, enough) })
		}
		for _, a := range answer {
			if err := c.send(ctx, ws, a); err != nil {
				return err
			}
		}
	}
}

// playback is what the client says of its player when it comes back; mu is held.
func (c *strictClient) playback() *session.PlaybackState {
	if c.now == nil {
		return nil
	}
	played, had := c.now.played(time.Now())
	return &session.PlaybackState{ResponseID: c.now.id, PlayedMS: played, BufferedMS: had - played}
}

func (c *strictClient) send(ctx context.Context, ws *websocket.Conn, ctl session.Control) error {
	data, err := wire.EncodeControl("", ctl)
	if err != nil {
		c.wrong("encode %T: %v", ctl, err)
		return err
	}
	return ws.Write(ctx, websocket.MessageText, data)
}

// speak sends the microphone's frames from one on, what is old already as sent again, and
// every 250 ms where the player is.
func (c *strictClient) speak(ctx context.Context, ws *websocket.Conn, next uint32, enough func() bool) {
	tick := time.NewTicker(cutFrameMS * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		c.mu.Lock()
		recorded, reports := c.mic, c.reports(n)
		if next < c.kept {
			c.wrong("asked for frame %d, which is acknowledged up to %d", next, c.kept)
			next = c.kept
		}
		c.mu.Unlock()
		for ; next < recorded; next++ {
			f := session.Frame{Stream: 1, Seq: next, Pos: next * cutFrameBytes / 2}
			if next+1 < recorded {
				f.Flags = session.FlagRetransmission
			}
			if ws.Write(ctx, websocket.MessageBinary, append(wire.AppendHeader(nil, wire.Mic, &f), stampedFrame(next)...)) != nil {
				return
			}
		}
		if enough() {
			c.mu.Lock()
			c.sent = cmp.Or(c.sent, next)
			c.mu.Unlock()
			reports = append(reports, session.EndSession{})
		}
		for _, r := range reports {
			if c.send(ctx, ws, r) != nil {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// reports are what is due to be said about the player; mu is held.
func (c *strictClient) reports(n int) (out []session.Control) {
	s := c.now
	if s != nil && n%12 == 0 && !s.began.IsZero() && !s.stopped {
		played, had := s.played(time.Now())
		if s.over && played == had {
			s.stopped = true
			out = append(out, session.PlaybackStopped{ResponseID: s.id, PlayedMS: played})
		} else {
			out = append(out, session.PlaybackPosition{PlaybackState: session.PlaybackState{ResponseID: s.id, PlayedMS: played, BufferedMS: had - played}})
		}
	}
	if n%50 == 49 && c.lastSeq > c.acked {
		c.acked = c.lastSeq
		out = append(out, session.AckEvents{Seq: c.lastSeq})
	}
	return out
}

// frame takes one of the tutor's.
func (c *strictClient) frame(data []byte) {
	var f session.Frame
	if err := wire.ParseHeader(data, wire.Tutor, &f); err != nil {
		c.wrong("frame: %v", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[f.Stream]
	switch {
	case f.Stream <= c.cleared:
	case s == nil:
		c.wrong("a frame of stream %d, which was never announced", f.Stream)
	case f.Seq < s.next && f.Flags&session.FlagRetransmission != 0:
	case f.Seq != s.next || int(f.Pos) != s.bytes/2:
		c.wrong("frame %d at %d of stream %d, want %d at %d", f.Seq, f.Pos, f.Stream, s.next, s.bytes/2)
	default:
		s.next++
		s.bytes += len(f.Audio)
		s.over = f.Flags&session.FlagEndOfStream != 0
		if s.began.IsZero() {
			s.began = time.Now()
		}
	}
}

// event takes an event and returns what is to be said to it. from is set by the answer to
// a return.
func (c *strictClient) event(data []byte, answer bool, from *uint32) (out []session.Control) {
	h, ev, err := wire.DecodeEvent(data)
	if err != nil {
		c.wrong("event: %v", err)
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := ev.(session.Resumed); ok {
		if !answer || h.Seq != c.lastSeq || r.ReplayedFrom != h.Seq+1 || !r.Warm || r.SessionID != c.id {
			c.wrong("after event %d: %+v %+v", c.lastSeq, h, r)
		}
		*from = r.Input.NextSeq
		return nil
	}
	if answer || h.Seq != c.lastSeq+1 {
		c.wrong("event %d %s after %d", h.Seq, ev.EventType(), c.lastSeq)
	}
	c.lastSeq = h.Seq
	switch e := ev.(type) {
	case session.Created:
		c.id = e.Session.ID
	case session.Ping:
		out = append(out, session.Pong{ID: e.ID, TS: h.TS})
	case session.InputAck:
		c.kept = max(c.kept, e.Input.NextSeq)
	case session.ItemDone:
		if _, twice := c.items[e.Item.ID]; twice {
			c.wrong("item %s was acknowledged twice", e.Item.ID)
		}
		c.items[e.Item.ID] = e.Item.Content[0].Text
	case session.ResponseCreated:
		c.now = &heardStream{id: e.Response.ID, number: e.Stream}
		c.streams[e.Stream] = c.now
	case session.AudioDone:
		c.now.toldMS = e.AudioMS
	case session.ClearAudio:
		c.cleared = max(c.cleared, e.Stream)
		if c.now != nil && c.now.number <= e.Stream {
			played, had := c.now.played(time.Now())
			out = append(out, session.PlaybackCleared{ResponseID: c.now.id, PlayedMS: played, DroppedMS: had - played})
			c.now = nil
		}
	case session.ResponseDone:
		c.answered++
		if s := c.now; s != nil && s.id == e.Response.ID && e.Response.Status == "completed" {
			if _, had := s.played(time.Now()); int64(had) != s.toldMS || !s.over {
				c.wrong("response %s is complete with %v of %d ms of its audio", s.id, had, s.toldMS)
			}
		}
	case session.Failure:
		c.wrong("told: %+v", e.Error)
	case session.Warning:
		c.wrong("warned: %+v", e)
	case session.Ended:
		c.ended = true
	}
	return out
}

func (c *strictClient) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d returns, %d events, %d frames of the microphone, %d responses, %d items after %v",
		c.returns, c.lastSeq, c.mic, c.answered, len(c.items), time.Since(c.began))
}
