package failover

import "sync"

const (
	// Of any window calls in a row, and what was made between them, most may be extra ones.
	window = 1000
	most   = 100
	// Hedges and probes take half of that, so that a vendor's death finds the other half:
	// extraShare of a call is earned by each ordinary one, and savings is how many a quiet
	// time may save up for, with which a node begins.
	extraShare = 0.04
	savings    = 10
)

// budget counts the calls that are made because of others: hedges, probes and moves.
// Safe for concurrent use.
type budget struct {
	mu    sync.Mutex
	saved float64   // for hedges and probes
	calls int       // ordinary ones
	spent [most]int // a ring: at how many calls the last extra ones were made
	extra int       // of those, in all
}

func newBudget() *budget { return &budget{saved: savings} }

// earn notes an ordinary call.
func (b *budget) earn() {
	b.mu.Lock()
	b.calls++
	b.saved = min(b.saved+extraShare, savings)
	b.mu.Unlock()
}

// spend takes a hedge or a probe from what was saved; false when it is not covered.
func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.saved < 1 || !b.take() {
		return false
	}
	b.saved--
	return true
}

// move takes a move, which needs no savings.
func (b *budget) move() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.take()
}

// take counts an extra call, if there is room for it; mu is held.
func (b *budget) take() bool {
	oldest := &b.spent[b.extra%most]
	if b.extra >= most && b.calls-*oldest < window {
		return false
	}
	*oldest = b.calls
	b.extra++
	return true
}
