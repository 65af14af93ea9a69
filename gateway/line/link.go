package line

import (
	"sync"
	"time"

	"kalami/session"
)

// link is one socket of a line's.
type link struct {
	line *Line
	sock Socket
	// playback is what its client had played when it came.
	playback *session.PlaybackState
	first    bool        // of a new session
	guard    *time.Timer // fires when a write takes too long

	// Guarded by the line's mu.
	read  bool         // somebody is in its Read
	cause *session.End // why it is the line's no more

	mu     sync.Mutex // held by whoever writes; taken before the line's
	next   uint64     // the event to be written next
	buffer []byte
}

// newLink makes a link whose first event is next.
func newLink(l *Line, sock Socket, next uint64) *link {
	k := &link{line: l, sock: sock, next: next}
	k.guard = time.AfterFunc(time.Hour, func() {
		l.lose(k, &session.End{Reason: session.EndSlowConsumer, Code: session.SlowConsumer})
	})
	k.guard.Stop()
	return k
}

// flush writes the events that are not written yet. It returns when the socket is lost.
func (k *link) flush() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.flushed()
}

// flushed is flush for whoever holds mu.
func (k *link) flushed() {
	for {
		data, ok := k.event()
		if !ok || !k.write(data) {
			return
		}
		k.next++
	}
}

// event returns the next event, if there is one and the socket is not lost.
func (k *link) event() ([]byte, bool) {
	k.line.mu.Lock()
	defer k.line.mu.Unlock()
	if k.line.link != k || k.line.quiet.keeps(k.next) {
		return nil, false
	}
	return k.line.events.at(k.next)
}

// write sends one event; false when the socket is lost.
func (k *link) write(data []byte) bool {
	k.guard.Reset(k.line.opts.WriteTimeout)
	err := k.sock.WriteText(data)
	return k.done(err)
}

// done ends the guard of a write, and takes the socket from the line if it failed.
func (k *link) done(err error) bool {
	k.guard.Stop()
	if err != nil {
		k.line.lose(k, asEnd(err))
	}
	return err == nil
}

// audio sends one frame, which the log has already; mu is not held.
func (k *link) audio(f session.Frame) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.line.mu.Lock()
	lost := k.line.link != k
	k.line.mu.Unlock()
	if !lost {
		k.send(f)
	}
}

// send sends a frame and notes behind which event it came; mu is held.
func (k *link) send(f session.Frame) bool {
	k.guard.Reset(k.line.opts.WriteTimeout)
	if !k.done(k.sock.WriteAudio(f)) {
		return false
	}
	k.line.mu.Lock()
	defer k.line.mu.Unlock()
	k.line.frames.sent(f, k.next)
	return true
}

// replay writes the answer to a return, the events that follow the last one seen, and the
// frames of the tutor's up to last that are not known to have arrived; mu is held.
func (k *link) replay(hello []byte, last frameKey) {
	if hello != nil && !k.write(hello) {
		return
	}
	k.flushed()
	for at := (frameKey{}); last.set; {
		f, ok := k.frame(at, last)
		if !ok || !k.send(f) {
			return
		}
		at = frameKey{f.Stream, f.Seq, true}
	}
}

// frame copies the first kept frame after one, up to last.
func (k *link) frame(after, last frameKey) (session.Frame, bool) {
	k.line.mu.Lock()
	defer k.line.mu.Unlock()
	if k.line.link != k {
		return session.Frame{}, false
	}
	f := k.line.frames.after(after, last)
	if f == nil {
		return session.Frame{}, false
	}
	k.buffer = append(k.buffer[:0], f.Audio...)
	out := f.Frame
	out.Flags |= session.FlagRetransmission
	out.Audio = k.buffer
	return out, true
}
