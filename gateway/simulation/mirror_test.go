package simulation

import (
	"sync"
	"time"

	"kalami/session/learn"
)

// mirror is what nodes tell each other, and may be lost at any time.
type mirror struct {
	mu    sync.Mutex
	live  map[string]learn.LiveState
	caps  map[string]place
	gone  bool
	plant plant
}

// place is what a session takes of the caps: it ends by itself when its node is dead.
type place struct {
	node  string
	until time.Time
}

// placeFor is how long a place is good unless it is renewed.
const placeFor = 10 * time.Second

// keep takes what changed in a conversation of a node's; see [gateway.Mirror].
func (m *mirror) keep(n *node, c learn.LiveChange) (superseded, lost bool) {
	if !n.awake() {
		return false, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	st, ok := m.live[c.ConversationID]
	if ok && st.Epoch < c.Epoch { // another session begins with nothing
		st, ok = learn.LiveState{}, false
	}
	switch {
	case m.gone:
		return false, true
	case ok && st.Epoch > c.Epoch:
		return true, false
	case !ok && c.State == nil:
		return false, true
	}
	st.Epoch, st.Owner = c.Epoch, n.name
	for _, ev := range c.Events {
		switch end := st.Last(); {
		case end != 0 && ev.Seq <= end:
			continue
		case end != 0 && ev.Seq > end+1:
			st.Events = nil // of what has a hole the end is of use
		}
		st.Events = append(st.Events, ev)
	}
	st.Events = st.Events[max(0, len(st.Events)-512):]
	if c.State != nil {
		st.State, st.StateSeq = c.State, c.StateSeq
	}
	m.live[c.ConversationID] = st
	return false, false
}

// lease says whether the mirror still knows a conversation as it should.
func (m *mirror) lease(id string, epoch int64) (superseded, lost bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	st, ok := m.live[id]
	return ok && st.Epoch > epoch, !ok || m.gone || st.Epoch < epoch
}

// find returns what is known of one.
func (m *mirror) find(id string) (learn.LiveState, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	st, ok := m.live[id]
	st.Events = append([]learn.LiveEvent(nil), st.Events...)
	return st, ok && !m.gone
}

func (m *mirror) forget(id string, epoch int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.live[id].Epoch == epoch {
		delete(m.live, id)
	}
}

func (m *mirror) wipe() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.live)
	clear(m.caps)
}

// hold takes or renews a session's place.
func (m *mirror) hold(session string, n *node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.gone {
		m.caps[session] = place{n.name, time.Now().Add(placeFor)}
	}
}

func (m *mirror) release(session string, n *node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.plant == leakedCap {
		m.caps[session] = place{n.name, time.Now().Add(time.Hour)}
		return
	}
	if m.caps[session].node == n.name {
		delete(m.caps, session)
	}
}

// counted is how many places a node's sessions hold.
func (m *mirror) counted(n *node) (held int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.caps {
		if p.node == n.name && p.until.After(time.Now()) {
			held++
		}
	}
	return held
}
