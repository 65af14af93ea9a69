package failover

import (
	"math/rand/v2"
	"testing"
)

// Of any thousand calls in a row no more than a hundred bring an extra one, whatever is
// wanted when: steady hedging, a vendor's death under all calls, long quiet times.
func TestBudgetIsATenth(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 0))
		b := newBudget()
		var at []int // how many ordinary calls there were, by extra call
		for calls := 0; calls < 5000; {
			hedges, moves := rng.Float64()*rng.Float64(), rng.Float64()*rng.Float64()
			for range 1 + rng.IntN(800) { // a time in which as many of each are wanted
				b.earn()
				calls++
				for rng.Float64() < hedges && b.spend() {
					at = append(at, calls)
				}
				for rng.Float64() < moves && b.move() {
					at = append(at, calls)
				}
			}
		}
		for i := most; i < len(at); i++ {
			if apart := at[i] - at[i-most]; apart < window {
				t.Fatalf("seed %d: %d extra calls within %d", seed, most+1, apart+1)
			}
		}
	}
}

// A node that has made no call yet may hedge its first one, and hedging alone leaves half
// of the room to moves, so that a vendor may die under fifty calls at any time.
func TestHedgesLeaveRoomForMoves(t *testing.T) {
	b := newBudget()
	hedges := 0
	for calls := range 10_000 {
		b.earn()
		spent := b.spend()
		if calls == 0 && !spent {
			t.Error("the first call of a quiet node is not hedged")
		}
		if spent {
			hedges++
		}
	}
	if hedges < 400 || hedges > 400+savings {
		t.Errorf("%d hedges of 10,000 calls", hedges)
	}
	moves := 0
	for b.move() {
		moves++
	}
	if moves < most/2 || moves > most {
		t.Errorf("%d moves at once, want at least %d", moves, most/2)
	}
	if b.spend() {
		t.Error("a hedge beyond the tenth")
	}
}
