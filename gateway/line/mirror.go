package line

import (
	"encoding/json"
	"fmt"

	"kalami/session"
	"kalami/session/learn"
)

// mirror is what a line knows of the mirror.
type mirror struct {
	state    session.Handover
	stateSeq uint64 // the last event before state; 0 while there is none
	changed  bool   // state is newer than what was passed on
	next     uint64 // the first event that was not passed on
	told     bool   // Changed was called, and Changes was not since
}

// Keep implements [session.Line].
func (l *Line) Keep(h session.Handover) {
	l.mu.Lock()
	if o := h.Reply; o != nil && o.ResponseID == l.response.id && o.Stream == l.response.stream {
		announced := *o
		announced.Announced = l.response.seq
		h.Reply = &announced
	}
	l.mirror.state, l.mirror.stateSeq, l.mirror.changed = h, l.events.next-1, true
	changed := l.changed(true)
	l.mu.Unlock()
	if changed != nil {
		changed(l)
	}
}

// changed returns whom to tell that there is something for the mirror; nil for nobody. mu
// is held.
func (l *Line) changed(something bool) func(*Line) {
	if !something || l.mirror.told || l.opts.Changed == nil {
		return nil
	}
	l.mirror.told = true
	return l.opts.Changed
}

// Changes stores in c what is new for the mirror since the last call, reusing c's slices;
// false when there is nothing. Events that CONDUCTOR has made are passed on together with
// a state that knows of them, and not before: whoever goes on from the mirror then never
// tells the client of something that its session does not know. The encoded bytes are the
// line's: they do not change, and may be kept. Calls follow each other.
func (l *Line) Changes(c *learn.LiveChange) (bool, error) {
	l.mu.Lock()
	m := &l.mirror
	m.told = false
	*c = learn.LiveChange{ConversationID: l.opts.ConversationID, Epoch: l.opts.Epoch, Events: c.Events[:0], StateSeq: m.stateSeq}
	for seq := max(m.next, l.events.first); seq < l.events.next; seq++ {
		e := &l.events.entries[seq-l.events.first]
		if e.decided && seq > m.stateSeq {
			break
		}
		c.Events = append(c.Events, learn.LiveEvent{Seq: seq, Data: e.data})
		m.next = seq + 1
	}
	l.events.mirrored = m.next
	l.events.settle()
	state, changed := m.state, m.changed
	m.changed = false
	l.mu.Unlock()
	if !changed {
		return len(c.Events) > 0, nil
	}
	data, err := json.Marshal(state)
	if err != nil {
		return len(c.Events) > 0, fmt.Errorf("line: state: %w", err)
	}
	c.State = data
	return true, nil
}

// Republish has the next [Line.Changes] return everything that is kept, for a mirror that
// has lost it, or has refused what it was given last.
func (l *Line) Republish() {
	l.mu.Lock()
	l.mirror.next, l.mirror.changed = l.events.first, l.mirror.stateSeq > 0
	l.mirror.told = false
	changed := l.changed(true)
	l.mu.Unlock()
	if changed != nil {
		changed(l)
	}
}
