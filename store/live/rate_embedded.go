package live

import (
	"sync"
	"time"
)

// maxArrivals is how many keys are counted in the process, some 20 MiB. They
// are forgotten when their rate has recovered; if that leaves no room, all are, since a
// limiter refuses nobody rather than everybody.
const maxArrivals = 100_000

// arrivals is what gcraScript keeps in Redis, for the store inside the process and for
// while Redis is away: the theoretical arrival time of each key. In the embedded Redis the script would be interpreted in Go as
// well, at a millisecond and 200 KiB for each request that is counted.
type arrivals struct {
	mu sync.Mutex
	at map[string]time.Time
}

// count does what the script does, with the answer made of it.
func (a *arrivals) count(key string, now time.Time, interval, tolerance time.Duration) Verdict {
	a.mu.Lock()
	defer a.mu.Unlock()
	arrival := a.at[key]
	if arrival.Before(now) {
		arrival = now
	}
	ahead := arrival.Sub(now)
	if early := ahead - tolerance; early > 0 {
		return Verdict{RetryAfter: early, ResetAfter: ahead}
	}
	if len(a.at) >= maxArrivals {
		a.forget(now)
	}
	if a.at == nil {
		a.at = map[string]time.Time{}
	}
	a.at[key] = arrival.Add(interval)
	return Verdict{Allowed: true, ResetAfter: ahead + interval}
}

// forget makes room.
func (a *arrivals) forget(now time.Time) {
	for key, at := range a.at {
		if !at.After(now) {
			delete(a.at, key)
		}
	}
	if len(a.at) >= maxArrivals*3/4 { // the next sweep would come too soon
		clear(a.at)
	}
}
