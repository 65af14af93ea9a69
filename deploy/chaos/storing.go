package main

import (
	"slices"
	"time"

	"kalami/session"
)

// storing is what a client sees of how its words are stored. It is guarded by its notes' mu.
type storing struct {
	waiting map[string]time.Time // when what is not acknowledged was announced, by item
	late    bool                 // the learner was told that storing takes longer
	told    int                  // how often
	took    []time.Duration      // from the announcement to the acknowledgement
}

func newStoring() storing { return storing{waiting: map[string]time.Time{}} }

// announced notes what the learner has said.
func (s *storing) announced(e session.ItemAdded) {
	if e.Item.Role == "user" {
		s.waiting[e.Item.ID] = time.Now()
	}
}

// delayed notes that the learner was told to be patient.
func (s *storing) delayed(e session.Warning) {
	if e.Code == session.WarnStorageDelayed {
		s.late = true
		s.told++
	}
}

// acknowledged notes that it is stored, and with it all that was said before.
func (s *storing) acknowledged(item string) {
	if at, ok := s.waiting[item]; ok {
		s.took = append(s.took, time.Since(at))
	}
	delete(s.waiting, item)
	s.late = false
}

// forget is for a session that knows nothing of what was said and not acknowledged.
func (s *storing) forget() { s.waiting, s.late = map[string]time.Time{}, false }

// storedTimes are the times to the acknowledgement of what was acknowledged since.
func (t *trial) storedTimes(since []int) (all []time.Duration) {
	for i, k := range t.talkers {
		k.notes.mu.Lock()
		all = append(all, k.notes.storing.took[since[i]:]...)
		k.notes.mu.Unlock()
	}
	slices.Sort(all)
	return all
}

// storedCounts are how many times each has been acknowledged.
func (t *trial) storedCounts() []int {
	return t.count(func(n *notes) int { return len(n.storing.took) })
}

// count asks everybody's notes for a number.
func (t *trial) count(of func(n *notes) int) []int {
	counts := make([]int, len(t.talkers))
	for i, k := range t.talkers {
		k.notes.mu.Lock()
		counts[i] = of(k.notes)
		k.notes.mu.Unlock()
	}
	return counts
}
