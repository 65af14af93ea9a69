package line

import (
	"time"

	"kalami/session/learn"
)

// The bounds of the replay log; the oldest events go first.
const (
	logEvents = 512
	logBytes  = 1 << 20
	logAge    = 10 * time.Minute
)

// replayLog keeps the latest events, encoded, in order and without a hole.
type replayLog struct {
	entries []entry
	first   uint64 // the number of entries[0]; next when there is none
	next    uint64 // the number of the next event
	acked   uint64 // what the client has acknowledged
	bytes   int
	// mirrored is the first event that the mirror does not have: what it lacks is kept
	// although the client has it. Not looked at without a mirror.
	mirrored uint64
	mirrors  bool
}

// entry is one event.
type entry struct {
	data []byte
	at   time.Time
	// decided: CONDUCTOR has made it, so that a state without it would not know of it
	decided bool
	// token: it carries a resume token
	token bool
}

// newReplayLog returns a log that goes on from another, whose events end before next. Where
// the client was asked to go it is now: that is not repeated.
func newReplayLog(next uint64, events []learn.LiveEvent, mirrors bool) replayLog {
	g := replayLog{first: next, next: next, mirrored: next, mirrors: mirrors}
	now := time.Now()
	for i, ev := range events {
		if ev.Seq+uint64(len(events)-i) != next { // of what has a hole the end is of use
			continue
		}
		g.first = min(g.first, ev.Seq)
		data := withoutWish(ev.Data)
		g.entries = append(g.entries, entry{data: data, at: now, token: carriesToken(data)})
		g.bytes += len(data)
	}
	g.trim(now)
	return g
}

// add appends the event with the number next.
func (g *replayLog) add(e entry) {
	g.entries = append(g.entries, e)
	g.bytes += len(e.data)
	g.next++
	g.trim(e.at)
}

// at returns the event seq, if it is there.
func (g *replayLog) at(seq uint64) ([]byte, bool) {
	if seq < g.first || seq >= g.next {
		return nil, false
	}
	return g.entries[seq-g.first].data, true
}

// covers says whether the events after lastSeq are all there.
func (g *replayLog) covers(lastSeq uint64) error {
	switch {
	case lastSeq >= g.next:
		return ErrFuture
	case lastSeq+1 < g.first:
		return ErrHole
	}
	return nil
}

// acknowledge forgets what the client has seen.
func (g *replayLog) acknowledge(seq uint64) {
	g.acked = max(g.acked, seq)
	g.settle()
}

// settle forgets what nobody needs any more.
func (g *replayLog) settle() {
	upTo := g.acked + 1
	if g.mirrors {
		upTo = min(upTo, g.mirrored)
	}
	if upTo > g.first {
		g.forget(int(min(upTo, g.next) - g.first))
	}
}

// trim keeps the bounds.
func (g *replayLog) trim(now time.Time) {
	n, bytes := 0, g.bytes
	for n < len(g.entries) && (len(g.entries)-n > logEvents || bytes > logBytes || now.Sub(g.entries[n].at) > logAge) {
		bytes -= len(g.entries[n].data)
		n++
	}
	g.forget(n)
}

// forget drops the n oldest.
func (g *replayLog) forget(n int) {
	for i := range n {
		g.bytes -= len(g.entries[i].data)
		g.entries[i] = entry{}
	}
	g.entries = g.entries[n:]
	g.first += uint64(n)
	if len(g.entries) == 0 {
		g.entries = nil
	}
}
