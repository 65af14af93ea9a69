package line

import (
	"errors"
	"time"

	"kalami/session"
)

// Read implements [session.Conn]. It returns what the client of the day sends, and between
// two of them [session.Detached] and [session.Attached]. It ends with the line, or when the
// client ends the session or breaks the protocol, by an *[session.End].
func (l *Line) Read(in *session.Input) error {
	for {
		k, err := l.socket(in)
		if k == nil {
			return err
		}
		if !l.enter(k) {
			continue
		}
		err = k.sock.Read(in)
		if err := l.leave(k, err); err != nil {
			return err
		}
		if err == nil && l.take(in) {
			return nil
		}
	}
}

// socket returns the socket to be read, waiting for one. Without one, in holds what the
// session is to be told, or the error is the end.
func (l *Line) socket(in *session.Input) (*link, error) {
	for {
		l.mu.Lock()
		over, k, lost := l.over, l.link, l.lost
		l.mu.Unlock()
		switch {
		case over != nil:
			return nil, over
		case k != nil && k == l.current:
			return k, nil
		case k != nil:
			l.current, l.away = k, false
			if k.first {
				return k, nil
			}
			*in = session.Input{Control: session.Attached{Playback: k.playback}}
			return nil, nil
		case !l.away && l.current != nil:
			l.current, l.away = nil, true
			*in = session.Input{Control: session.Detached{Cause: lost}}
			return nil, nil
		}
		<-l.wake
	}
}

// enter says that k is read from here on; false when it is the line's no more.
func (l *Line) enter(k *link) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	k.read = l.link == k
	return k.read
}

// leave says that k is not read any more. The error is the session's end, if the client
// meant that; a socket that was only lost is no error.
func (l *Line) leave(k *link, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	k.read = false
	if k.cause != nil { // also of a line that is over: whoever ended it did not have this socket any more
		l.part(k)
	}
	switch {
	case l.over != nil:
		return l.over
	case l.link != k:
		return nil
	case err == nil:
		return nil
	}
	end := asEnd(err)
	if end.Reason != session.EndGone {
		return end
	}
	l.unlink(k, end)
	return nil
}

// asEnd is how a socket ended that failed with err.
func asEnd(err error) *session.End {
	if e, ok := errors.AsType[*session.End](err); ok {
		return e
	}
	return &session.End{Reason: session.EndGone, Err: err}
}

// take looks at what the client sent; false when the session need not know of it.
func (l *Line) take(in *session.Input) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.frames.heard(now)
	if in.Control == nil {
		return l.mic.take(in, now)
	}
	switch m := in.Control.(type) {
	case session.AckEvents:
		l.acknowledged(m.Seq)
	case session.PlaybackPosition:
		l.frames.reportedAt = now
		l.frames.played(&m.PlaybackState)
	case session.PlaybackStopped:
		l.frames.forget(l.frames.stream(m.ResponseID))
	case session.PlaybackCleared:
		l.frames.forget(l.frames.stream(m.ResponseID))
	}
	return true
}

// acknowledged forgets what the client has by its own word. A number from the future
// acknowledges nothing.
func (l *Line) acknowledged(seq uint64) {
	if seq >= l.events.next {
		return
	}
	l.offers.acked = max(l.offers.acked, seq)
	l.events.acknowledge(seq)
	l.frames.acknowledged(seq)
}
