package simulation

import (
	"testing"

	"kalami/session/verify"
)

// The checker finds bugs of the kinds that it is there for: each is planted into the store
// or the caps, and shows in few trials, under the name of the promise that it breaks.
func TestPlantedBugsAreFound(t *testing.T) {
	const most = 12 // trials
	for _, tt := range []struct {
		name  string
		plant plant
		want  verify.Invariant
	}{
		{"lost ack", lostAck, "I1"},
		{"double write", doubleWrite, "I2"},
		{"stale epoch", staleEpoch, "I4"},
		{"leaked cap", leakedCap, "I9"},
		{"unheard words", unheardWords, "I6"},
		{"lost word", lostWord, "I6"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(most) {
				r, w := trial(t, 100+seed, briefly, tt.plant)
				if r.Counts[tt.want] > 0 {
					t.Logf("found in trial %d: %v", seed+1, r.Counts)
					return
				}
				if len(w.problems) > 0 {
					t.Logf("trial %d: %q", seed+1, w.problems)
				}
			}
			t.Errorf("not found in %d trials", most)
		})
	}
}
