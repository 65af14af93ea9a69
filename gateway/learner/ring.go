package learner

import (
	"sync"
	"time"

	"kalami/gateway/wire"
	"kalami/session"
)

// ringTime is how much of the microphone's audio is kept to be sent again, and ringFrames
// how many frames that is.
const (
	ringTime   = 15 * time.Second
	ringFrames = uint32(ringTime / FrameTime)
)

// ring keeps the latest frames of the microphone until the server needs them no more.
// When nobody acknowledges anything it forgets the oldest: who is away for longer than
// [ringTime] has said the beginning to nobody.
type ring struct {
	mu    sync.Mutex // guards what follows
	slots [ringFrames]slot
	// stream is the number of the session's stream: each session has the next one.
	stream uint16
	// first is the oldest frame that is kept, and next the one that comes next.
	first, next uint32
	pos         uint32 // sample at which the next one begins
}

// slot is a frame at its place in the ring: that of its number modulo the ring's size.
type slot struct {
	pos uint32
	pcm []byte
}

// add keeps a frame, which gets the next number.
func (r *ring) add(pcm []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next-r.first == ringFrames {
		r.first++
	}
	s := &r.slots[r.next%ringFrames]
	s.pos, s.pcm = r.pos, append(s.pcm[:0], pcm...)
	r.next++
	r.pos += uint32(len(pcm) / 2)
}

// place is the sample at which the next frame begins.
func (r *ring) place() uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pos
}

// taken is how many frames there were.
func (r *ring) taken() uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next
}

// at is the place of the next frame.
func (r *ring) at() session.InputPos {
	r.mu.Lock()
	defer r.mu.Unlock()
	return session.InputPos{Stream: r.stream, NextSeq: r.next}
}

// trim forgets the stream's frames before next, of which the server needs none again.
func (r *ring) trim(stream uint16, next uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stream != r.stream {
		return
	}
	r.first = max(r.first, min(next, r.next))
}

// restart begins a new stream: what was kept belongs to a session that is lost.
func (r *ring) restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stream++
	r.first, r.next, r.pos = 0, 0, 0
}

// cursor is how far a socket is in sending what the ring has.
type cursor struct {
	next uint32
	// again is the first frame that was not taken yet when the socket came.
	again uint32
	// skipped says that frames before next were forgotten before they were sent.
	skipped bool
}

// from is a cursor for a socket whose server wants a stream's frames from next on; of
// another stream than the session's it has none. Those before are kept: this server has
// them, and another one that takes its place may ask for them until they are acknowledged.
func (r *ring) from(stream uint16, next uint32) cursor {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stream != r.stream {
		next = 0
	}
	next = min(next, r.next)
	return cursor{next: max(next, r.first), again: r.next, skipped: next < r.first}
}

// encode appends the message of the cursor's next frame to buf and moves the cursor on;
// ok is false when there is none yet. f is the frame's header.
func (r *ring) encode(c *cursor, buf []byte) (_ []byte, f session.Frame, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.next < r.first {
		c.next, c.skipped = r.first, true
	}
	if c.next >= r.next {
		return buf, f, false
	}
	s := &r.slots[c.next%ringFrames]
	f = session.Frame{Stream: r.stream, Seq: c.next, Pos: s.pos}
	if c.next < c.again {
		f.Flags |= session.FlagRetransmission
	}
	if c.skipped {
		f.Flags |= session.FlagDiscontinuity
	}
	c.next, c.skipped = c.next+1, false
	return append(wire.AppendHeader(buf, wire.Mic, &f), s.pcm...), f, true
}
