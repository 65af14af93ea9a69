package line

import (
	"bytes"
	"time"

	"kalami/gateway/wire"
	"kalami/session"
)

// quietWait is how long the last event that a quiet line writes waits for the mirror. On a
// machine that has time it takes some 30 ms, and a mirror that fails is tried again every
// half a second. A client that was not told by then is not told: it would go to where
// nobody knows what it has seen.
const quietWait = 2 * time.Second

// quiet is what a line knows of its silence, which begins with one last event: the client
// that is told by it to go elsewhere has then seen nothing that the mirror does not have.
type quiet struct {
	on    bool
	last  uint64 // the last event that is written
	ready bool   // it may be, since the mirror has it
	void  bool   // it does not tell the client to go any more
	late  *time.Timer
}

// keeps says whether an event is not to be written now.
func (q *quiet) keeps(seq uint64) bool {
	return q.on && (seq > q.last || seq == q.last && !q.ready)
}

// Quiet implements [session.Line].
func (l *Line) Quiet(on bool) {
	l.mu.Lock()
	q := &l.quiet
	switch {
	case !on:
		l.loud()
	case !q.on && l.over == nil:
		*q = quiet{on: true, last: l.events.next, ready: l.opts.Changed == nil}
		last := q.last
		q.late = time.AfterFunc(quietWait, func() { l.withdraw(last) })
	}
	k := l.link
	l.mu.Unlock()
	if !on && k != nil {
		k.flush()
	}
}

// withdraw gives up to tell the client to go, if it was not told yet.
func (l *Line) withdraw(last uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.quiet.on && l.quiet.last == last {
		l.unsay()
	}
}

// unsay takes the wish out of the last event if that is not written; mu is held.
func (l *Line) unsay() {
	q := &l.quiet
	if q.ready || q.void {
		return
	}
	q.void = true
	if i := int(q.last - l.events.first); i >= 0 && i < len(l.events.entries) {
		e := &l.events.entries[i]
		data := withoutWish(e.data)
		l.events.bytes += len(data) - len(e.data)
		e.data = data
	}
}

// loud ends the silence; mu is held. What a client was not told in time it is not told later.
func (l *Line) loud() {
	if l.quiet.on {
		l.quiet.late.Stop()
		l.unsay()
	}
	l.quiet = quiet{}
}

// Mirrored tells the line that the mirror has its events up to seq. It does not block.
func (l *Line) Mirrored(seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := &l.quiet
	if !q.on || q.ready || q.void || seq < q.last || l.over != nil {
		return
	}
	q.ready = true
	if k := l.link; k != nil {
		l.tasks.Go(k.flush)
	}
}

// withoutWish is an encoded event that does not ask the client to go elsewhere: a
// session.goaway that was not heard by whom it was meant for, or is heard where it went.
func withoutWish(data []byte) []byte {
	if !bytes.HasPrefix(data, []byte(`{"type":"`+session.GoAway{}.EventType()+`"`)) {
		return data
	}
	h, ev, err := wire.DecodeEvent(data)
	away, ok := ev.(session.GoAway)
	if err != nil || !ok || !away.Reconnect.Resume {
		return data
	}
	away.Reconnect = session.Reconnecting{}
	if out, err := wire.AppendEvent(nil, h, away); err == nil {
		return out
	}
	return data
}
