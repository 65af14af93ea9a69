package session

import (
	"testing"
	"time"
)

// The way is known within the first seconds, one slow answer does not make it longer,
// and what answers no ping says nothing.
func TestShortestRoundTrip(t *testing.T) {
	var trip roundTrip
	now := time.Unix(1_700_000_000, 0)
	var waits []time.Duration
	last := now
	for i, takes := range []time.Duration{40, 300, 50, 60, 70, 80} {
		for !trip.due(now) {
			now = now.Add(time.Second)
		}
		waits, last = append(waits, now.Sub(last)), now
		id := string(rune('a' + i))
		trip.ask(id, now)
		trip.pong("nobody's", now.Add(time.Millisecond))
		trip.pong("", now.Add(time.Millisecond))
		trip.pong(id, now.Add(takes*time.Millisecond))
		trip.pong(id, now.Add(time.Microsecond)) // a second time
		want := 40 * time.Millisecond
		if i > 3 { // the first is forgotten
			want = 50 * time.Millisecond
		}
		if got := trip.shortest(); got != want {
			t.Errorf("after %d answers the round trip is %v, want %v", i+1, got, want)
		}
		now = now.Add(time.Second)
	}
	for i, want := range []time.Duration{0, time.Second, time.Second, pingInterval, pingInterval, pingInterval} {
		if waits[i] != want {
			t.Errorf("ping %d came after %v, want %v", i+1, waits[i], want)
		}
	}
}

// A ping that is not answered is not asked again before the interval is over.
func TestUnansweredPing(t *testing.T) {
	var trip roundTrip
	now := time.Unix(1_700_000_000, 0)
	trip.ask("a", now)
	if trip.due(now.Add(pingInterval - time.Millisecond)) {
		t.Error("pinged again at once")
	}
	if !trip.due(now.Add(pingInterval)) {
		t.Error("never pinged again")
	}
	if trip.shortest() != 0 {
		t.Errorf("a round trip of %v", trip.shortest())
	}
}
