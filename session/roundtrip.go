package session

import "time"

const (
	// earlyPings follow each other within a second or two, so that the way to the
	// client is known in the first turn.
	earlyPings = 3
	// trips is how many round trips are looked at for the shortest.
	trips = 4
)

// roundTrip measures the way to the client and back, by pings. The shortest of the
// last few is the way; what is longer waited for something.
type roundTrip struct {
	id     string // of the ping that is not answered; empty when there is none
	asked  time.Time
	pings  int
	recent [trips]time.Duration // in turn; 0 where there is none yet
	pongs  int
}

// due says whether it is time to ping: a few times at once, then by the interval.
func (t *roundTrip) due(now time.Time) bool {
	if t.pings < earlyPings && t.id == "" {
		return true
	}
	return now.Sub(t.asked) >= pingInterval
}

// ask notes a ping.
func (t *roundTrip) ask(id string, now time.Time) {
	t.id, t.asked = id, now
	t.pings++
}

// pong takes an answer; one to an older ping, or to none, says nothing.
func (t *roundTrip) pong(id string, now time.Time) {
	if t.id == "" || id != t.id {
		return
	}
	t.recent[t.pongs%trips] = now.Sub(t.asked)
	t.pongs++
	t.id = ""
}

// shortest is the shortest of the last round trips; 0 before the first.
func (t *roundTrip) shortest() time.Duration {
	least := time.Duration(0)
	for _, d := range t.recent[:min(t.pongs, trips)] {
		if least == 0 || d < least {
			least = d
		}
	}
	return least
}
