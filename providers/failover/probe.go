package failover

import (
	"sync"
	"time"
)

const (
	// ProbeInterval is the shortest time between two probes of a node.
	ProbeInterval = 5 * time.Second
	// probeTimeout bounds one.
	probeTimeout = 5 * time.Second
)

// Probes paces the probes of all vendors of a node. Safe for concurrent use.
type Probes struct {
	mu   sync.Mutex
	next time.Time
}

// NewProbes returns a pace of one probe in [ProbeInterval].
func NewProbes() *Probes { return &Probes{} }

// turn says whether a probe may be made now, and counts it.
func (p *Probes) turn(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.next) {
		return false
	}
	p.next = now.Add(ProbeInterval)
	return true
}
