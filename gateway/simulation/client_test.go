package simulation

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"kalami/gateway"
	"kalami/gateway/wire"
	"kalami/session"
	"kalami/session/verify"
)

// client is a learner with a device: it says things that nobody has said before, plays what
// it is sent by the clock, reports, and comes back when its connection is lost. One
// goroutine has all of it.
type client struct {
	world *world
	name  string
	id    string // of the conversation
	rng   *rand.Rand
	cuts  chan struct{} // orders to lose the connection
	stall chan time.Duration

	sock      *socket
	session   string
	token     string
	lastSeq   uint64
	greeted   bool // the socket's first event has come
	attempts  int
	retryAt   time.Time
	heardAt   time.Time // when something came last
	dialledAt time.Time
	stopped   bool // the lesson is over
	acksAt    time.Time

	player player
	mic    mic

	word      int   // words begun
	last      int   // the word captured last
	queue     []int // stamps of the frames to be captured
	quiet     time.Duration
	patience  time.Duration // before the next line
	finishing bool
	finished  time.Time // when the learner has ended the lesson
}

// mic keeps what was recorded and is not acknowledged.
type mic struct {
	stream uint16
	next   uint32 // of the frame to be captured next
	sent   uint32 // of the first that no socket has taken
	ring   []session.Frame
}

func newClient(w *world, name, id string, seed uint64) *client {
	return &client{world: w, name: name, id: id, rng: rand.New(rand.NewPCG(seed, 2)), cuts: make(chan struct{}, 1), stall: make(chan time.Duration, 1),
		last: -1, patience: time.Second}
}

func (c *client) record(f verify.Fact) { c.world.record(c.name, c.id, f) }

// run lives until the lesson is over, or stop is closed.
func (c *client) run(stop <-chan struct{}) {
	tick := time.NewTicker(frameMS * time.Millisecond)
	defer tick.Stop()
	defer c.lose(true)
	for !c.stopped {
		var packets <-chan packet
		var over <-chan struct{}
		if c.sock != nil {
			packets, over = c.sock.out, c.sock.over
		}
		select {
		case p := <-packets:
			c.take(p)
		case <-over:
			c.lose(false)
		case <-tick.C:
			c.tick()
		case <-c.cuts:
			c.lose(true)
		case d := <-c.stall:
			time.Sleep(d) // it does not read
		case <-stop:
			return
		}
	}
}

// finish has the learner end the lesson at the next pause.
func (c *client) tick() {
	now := time.Now()
	if c.world.isEnding() {
		c.finishing = true
	}
	switch {
	case c.sock == nil && !now.Before(c.retryAt):
		c.dial()
	case c.sock != nil && !c.greeted && now.Sub(c.dialledAt) > 5*time.Second,
		c.sock != nil && now.Sub(c.heardAt) > 15*time.Second,
		c.sock != nil && c.player.starves() && now.Sub(c.heardAt) > 3*time.Second:
		c.lose(true)
	}
	c.player.play(c, now)
	c.converse()
	c.capture()
	if c.greeted && now.Sub(c.acksAt) > 2*time.Second {
		c.acksAt = now
		c.send(session.AckEvents{Seq: c.lastSeq})
	}
}

// send sends a control, if there is a session to take it.
func (c *client) send(m session.Control) {
	if c.sock != nil && c.greeted {
		c.give(session.Input{Control: m})
	}
}

// give hands something to the socket, unless its buffer is full.
func (c *client) give(in session.Input) bool {
	if c.sock.isOver() {
		return false
	}
	select {
	case c.sock.in <- in:
		return true
	default:
		return false
	}
}

// dial comes back with the token, or begins anew with a ticket.
func (c *client) dial() {
	c.attempts++
	backoff := []time.Duration{0, 100, 250, 500, 1000, 2000, 5000}
	wait := backoff[min(c.attempts, len(backoff)-1)] * time.Millisecond
	c.retryAt = time.Now().Add(time.Duration(c.rng.Int64N(int64(wait) + 1)))
	c.dialledAt, c.heardAt, c.greeted = time.Now(), time.Now(), false
	node := c.world.anyNode(c.rng)
	if c.token == "" {
		c.sock = node.connect(c.id, "", nil)
		return
	}
	first := &session.ResumeSession{SessionID: c.session, LastSeq: c.lastSeq, Playback: c.player.state(),
		Input: session.InputPos{Stream: c.mic.stream, NextSeq: c.mic.next}}
	c.sock = node.connect(c.id, c.token, first)
}

// lose gives the socket up.
func (c *client) lose(byClient bool) {
	if c.sock == nil {
		return
	}
	c.sock.Abort()
	c.sock = nil
	c.player.flush(c)
	c.record(verify.Closed{ByClient: byClient})
	if c.greeted {
		c.attempts, c.retryAt = 0, time.Now()
	}
	c.greeted = false
}

// closed obeys a close.
func (c *client) closed(e *session.End) {
	c.sock.Abort()
	c.sock = nil
	c.player.flush(c)
	c.record(verify.Closed{Code: gateway.CloseCode(e.Reason)})
	if c.greeted {
		c.attempts, c.retryAt = 0, time.Now()
	}
	c.greeted = false
	switch code := gateway.CloseCode(e.Reason); {
	case code == 1000:
		c.stopped = true
	case code >= 4200: // a new ticket, at once or when the learner asks for it
		c.token, c.player = "", player{}
		c.retryAt = time.Now().Add(time.Second)
	}
}

// take takes what a node has written.
func (c *client) take(p packet) {
	c.heardAt = time.Now()
	switch {
	case p.end != nil:
		c.closed(p.end)
	case p.text == nil:
		c.player.frame(c, p.frame)
	default:
		h, ev, err := wire.DecodeEvent(p.text)
		if err != nil {
			c.world.fail("%s cannot read %s: %v", c.name, p.text, err)
			return
		}
		c.player.flush(c)
		if !c.greeted {
			c.connected(h, ev)
			return
		}
		c.lastSeq = h.Seq
		c.event(h, ev)
	}
}

// connected takes a socket's first event.
func (c *client) connected(h session.Head, ev session.Event) {
	fact := verify.Connected{Session: c.session, Tenant: "t1", Seq: h.Seq, LastSeq: c.lastSeq}
	c.greeted, c.attempts = true, 0
	var response *session.ResumedResponse
	switch e := ev.(type) {
	case session.Created:
		fact.How, fact.LastSeq, fact.Session = "created", 0, e.Session.ID
		c.session, c.token = e.Session.ID, e.Resume.Token
		c.player = player{}
		c.mic = mic{stream: c.mic.stream + 1}
		c.queue = nil
	case session.Resumed:
		fact.How, fact.Warm, fact.Stream, fact.Next = "resumed", e.Warm, e.Input.Stream, e.Input.NextSeq
		c.token, response = e.Resume.Token, e.Response
	case session.Restarted:
		fact.How, fact.Stream, fact.Next = "restarted", e.Input.Stream, e.Input.NextSeq
		c.token, response = e.Resume.Token, e.Response
		c.player.void(response)
	default:
		c.world.fail("%s: a socket begins with %s", c.name, ev.EventType())
	}
	c.player.paused, c.finished = false, time.Time{} // what ends the lesson may have been lost with the socket
	if response != nil {
		fact.Response, fact.Action, fact.Repeat = response.ID, response.Action, response.Repeat
		c.player.goOn(response)
	}
	c.lastSeq = h.Seq
	c.record(fact)
	if c.player.word != nil {
		c.send(c.player.word) // it was lost with the socket, or said while there was none
	}
	c.resend(fact.Stream, fact.Next)
}

// event takes every later one.
func (c *client) event(h session.Head, ev session.Event) {
	fact := verify.EventReceived{Seq: h.Seq, Type: ev.EventType()}
	switch e := ev.(type) {
	case session.ItemDone:
		fact.Item = e.Item.ID
	case session.ResponseCreated:
		fact.Response, fact.Item = e.Response.ID, e.Response.ItemID
	case session.ResponseDone:
		fact.Response = e.Response.ID
	case session.AudioDone:
		fact.Response = e.ResponseID
	}
	c.record(fact)
	switch e := ev.(type) {
	case session.ItemDone:
		if e.Item.Role == "user" {
			c.record(verify.Acknowledged{Item: e.Item.ID, Text: verify.TextOf(e.Item.Content[0].Text)})
			c.world.acknowledged.Add(1)
		}
	case session.InputAck:
		c.record(verify.MicAcked{Stream: e.Input.Stream, Seq: e.Input.Seq})
		c.acked(e.Input)
	case session.ResumptionUpdate:
		c.token = e.Resume.Token
	case session.Restarted: // to a return before this one, whose answer was lost
		c.token = e.Resume.Token
		c.player.void(e.Response)
	case session.Ping:
		c.send(session.Pong{ID: e.ID, TS: h.TS})
	case session.Failure:
		if p := c.player.now(); p != nil && e.Error.Code == session.TTSUnavailable {
			p.captions = true
		}
		// It may be superseded by itself: by a return that it gave up, when that came through.
		if e.Error.Type == session.InvalidRequest && e.Error.Code != session.Superseded {
			c.world.fail("%s was told %s: %s", c.name, e.Error.Code, e.Error.Message)
		}
	default:
		c.player.event(c, ev)
	}
}

// acked forgets the frames that are not needed any more.
func (c *client) acked(p session.InputPos) {
	if p.Stream != c.mic.stream {
		return
	}
	for len(c.mic.ring) > 0 && c.mic.ring[0].Seq <= p.Seq {
		c.mic.ring = c.mic.ring[1:]
	}
}

// resend sends again what the server has not heard, as far as it is kept: all of it to one
// that knows an older microphone.
func (c *client) resend(stream uint16, next uint32) {
	for _, f := range c.mic.ring {
		if stream == c.mic.stream && f.Seq < next {
			continue
		}
		f.Flags |= session.FlagRetransmission
		if !c.give(session.Input{Frame: f}) {
			return
		}
		c.sentFrame(f, true)
	}
}

func (c *client) sentFrame(f session.Frame, again bool) {
	c.record(verify.MicSent{Stream: f.Stream, From: f.Seq, Next: f.Seq + 1, Again: again})
}

// converse begins the learner's next line: when the tutor has been silent for a while, or
// now and then while it speaks.
func (c *client) converse() {
	busy := c.player.busy()
	if busy {
		c.quiet = 0
	} else {
		c.quiet += frameMS * time.Millisecond
	}
	switch {
	case !c.greeted || len(c.queue) > 0:
		return
	case c.finishing:
		if c.quiet > 4*time.Second && c.finished.IsZero() {
			c.send(session.EndSession{})
			c.finished = time.Now()
		}
		return
	case busy && c.rng.Float64() > 0.004, !busy && c.quiet < c.patience:
		return
	}
	for range 3 + c.rng.IntN(9) {
		for range wordMS / frameMS {
			c.queue = append(c.queue, c.word)
		}
		c.word++
	}
	c.patience = time.Duration(500+c.rng.IntN(4000)) * time.Millisecond
	c.quiet = -4 * time.Second // the answer takes its time
}

// capture makes the microphone's next frame. Who is not connected says what was begun and
// then waits.
func (c *client) capture() {
	if !c.greeted && len(c.queue) == 0 || c.mic.stream == 0 {
		return
	}
	pcm := make([]byte, micRate*frameMS/1000*2)
	if len(c.queue) > 0 {
		n := c.queue[0]
		level := int16(loud + n)
		if c.queue = c.queue[1:]; n != c.last { // a word that is only begun is heard, too
			c.last = n
			c.record(verify.Said{Stream: c.mic.stream, From: c.mic.next, Next: c.mic.next + wordMS/frameMS, Text: verify.TextOf(wordAt(n))})
		}
		for i := 0; i < len(pcm); i += 2 {
			binary.LittleEndian.PutUint16(pcm[i:], uint16(level))
			level = -level
		}
	}
	f := session.Frame{Stream: c.mic.stream, Seq: c.mic.next, Pos: c.mic.next * uint32(len(pcm)/2), Audio: pcm}
	c.mic.next++
	c.mic.ring = append(c.mic.ring, f)
	if c.sock == nil || !c.greeted {
		return
	}
	if !c.give(session.Input{Frame: f}) {
		c.lose(true) // a frame must not be missing in the middle
		return
	}
	c.sentFrame(f, false)
}
