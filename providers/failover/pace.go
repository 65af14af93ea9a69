package failover

import (
	"slices"
	"sync"
	"time"
)

const (
	// paceSamples are how many of a vendor's last replies tell how quick it is.
	paceSamples = 64
	// enoughSamples must be there, else a vendor is given the longest patience.
	enoughSamples = 8
	// The least and the longest patience with a vendor before another is asked beside it.
	leastPatience   = 300 * time.Millisecond
	longestPatience = 1200 * time.Millisecond
)

// pace is how quickly a vendor has begun to answer lately. Safe for concurrent use.
type pace struct {
	mu   sync.Mutex
	last [paceSamples]time.Duration // a ring
	n    int                        // in all
}

// took notes how long a reply's first word took, at least.
func (p *pace) took(d time.Duration) {
	p.mu.Lock()
	p.last[p.n%paceSamples] = d
	p.n++
	p.mu.Unlock()
}

// patience is the time within which 95 of 100 replies have begun, within bounds.
func (p *pace) patience() time.Duration {
	p.mu.Lock()
	sorted := slices.Clone(p.last[:min(p.n, paceSamples)])
	p.mu.Unlock()
	if len(sorted) < enoughSamples {
		return longestPatience
	}
	slices.Sort(sorted)
	return min(max(sorted[(len(sorted)*95+99)/100-1], leastPatience), longestPatience)
}
