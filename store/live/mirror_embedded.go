package live

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"kalami/session/learn"
)

// maxMirrorBytes bounds what an embedded store keeps of all conversations. When it is full,
// those go first whose node has been silent for the longest time.
const maxMirrorBytes = 256 << 20

// mirror is what the scripts keep in Redis, for the store inside the process: there each
// run of a script would start an interpreter, at a millisecond, for every conversation
// forty times a second. It answers as they do.
type mirror struct {
	mu sync.Mutex // guards what follows
	// kept has conversations by id, leases the ends of theirs.
	kept   map[string]*mirrored
	leases map[string]time.Time
	bytes  int
	swept  time.Time
}

// mirrored is one conversation; see mirror_script.go for the fields.
type mirrored struct {
	fence    int64
	live     learn.LiveState
	hasState bool
	bytes    int // of the state and the log
	till     time.Time
}

func newMirror() *mirror {
	return &mirror{kept: map[string]*mirrored{}, leases: map[string]time.Time{}}
}

// keep does what keepScript does. Operations come in their order here.
func (m *mirror) keep(node string, changes []learn.LiveChange, now time.Time) (answer learn.LiveAnswer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(now)
	for _, c := range changes {
		k := m.at(c.ConversationID, now)
		if c.Epoch < k.fence {
			answer.Superseded = append(answer.Superseded, c.ConversationID)
			continue
		}
		m.bytes -= k.bytes
		if c.Epoch > k.live.Epoch {
			*k = mirrored{fence: c.Epoch, live: learn.LiveState{Epoch: c.Epoch, Owner: node}}
		}
		if c.State != nil {
			k.live.State, k.live.StateSeq, k.hasState = c.State, c.StateSeq, true
		}
		lost := k.follow(c.Events)
		k.bytes = len(k.live.State) + eventBytes(k.live.Events)
		k.till = now.Add(liveFor)
		m.bytes += k.bytes
		if lost || !k.hasState {
			answer.Lost = append(answer.Lost, c.ConversationID)
		}
	}
	m.makeRoom()
	return answer
}

// at returns what is kept of a conversation, if only from now on.
func (m *mirror) at(id string, now time.Time) *mirrored {
	k := m.kept[id]
	if k == nil || !k.till.After(now) {
		m.remove(id)
		k = &mirrored{till: now.Add(liveFor)}
		m.kept[id] = k
	}
	return k
}

func (m *mirror) remove(id string) {
	if k := m.kept[id]; k != nil {
		m.bytes -= k.bytes
		delete(m.kept, id)
	}
}

// follow adds those events to the log that are new in it, and tells whether it lacks those
// before. The slices that were returned by find are never written to.
func (k *mirrored) follow(events []learn.LiveEvent) (lost bool) {
	log := k.live.Events
	if len(events) == 0 {
		return len(log) == 0
	}
	from, to := events[0].Seq, events[0].Seq+uint64(len(events))
	following := from
	if len(log) > 0 {
		following = log[0].Seq + uint64(len(log))
	} else {
		lost = from != 1
	}
	hole := from > following
	if hole || len(log) > 0 && from < log[0].Seq && to >= following {
		log, lost, following = nil, hole, from
	}
	log = append(log, events[min(following-from, uint64(len(events))):]...)
	size := eventBytes(log)
	for len(log) > maxEvents || size > maxEventBytes {
		size -= len(log[0].Data)
		log = log[1:]
	}
	k.live.Events = log
	return lost
}

func eventBytes(events []learn.LiveEvent) (n int) {
	for _, e := range events {
		n += len(e.Data)
	}
	return n
}

// renew does what renewScript and leasesScript do.
func (m *mirror) renew(leases []learn.LiveLease, now time.Time) (answer learn.LiveAnswer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(now)
	for _, l := range leases {
		m.leases[l.ConversationID] = now.Add(Lease)
		k := m.at(l.ConversationID, now)
		if l.Epoch < k.fence {
			answer.Superseded = append(answer.Superseded, l.ConversationID)
			continue
		}
		k.fence, k.till = l.Epoch, now.Add(liveFor)
		if k.live.Epoch != l.Epoch || len(k.live.Events) == 0 || !k.hasState {
			answer.Lost = append(answer.Lost, l.ConversationID)
		}
	}
	return answer
}

// orphans does what orphansScript does.
func (m *mirror) orphans(now time.Time, overdue time.Duration, limit int) (ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, till := range m.leases {
		if over := now.Sub(till); over >= overdue && over <= orphanFor {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(m.leases[a].Compare(m.leases[b]), cmp.Compare(a, b))
	})
	return ids[:min(limit, len(ids))]
}

func (m *mirror) find(id string, now time.Time) (learn.LiveState, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.kept[id]
	if k == nil || k.live.Epoch == 0 || !k.till.After(now) {
		return learn.LiveState{}, false
	}
	l := k.live
	l.Events = slices.Clip(l.Events)
	return l, true
}

// forget does what forgetScript does, and removes the lease.
func (m *mirror) forget(id string, epoch int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.kept[id]; k == nil || k.fence <= epoch {
		m.remove(id)
		delete(m.leases, id)
	}
}

// sweep removes what is over, at most once a minute.
func (m *mirror) sweep(now time.Time) {
	if now.Sub(m.swept) < time.Minute {
		return
	}
	m.swept = now
	for id, k := range m.kept {
		if !k.till.After(now) {
			m.remove(id)
		}
	}
	for id, till := range m.leases {
		if now.Sub(till) > orphanFor {
			delete(m.leases, id)
		}
	}
}

// makeRoom removes conversations until the rest is within the bound.
func (m *mirror) makeRoom() {
	for m.bytes > maxMirrorBytes {
		oldest := ""
		for id, k := range m.kept {
			if oldest == "" || k.till.Before(m.kept[oldest].till) {
				oldest = id
			}
		}
		m.remove(oldest)
	}
}
