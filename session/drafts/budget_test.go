package drafts

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

var start = time.Unix(1_700_000_000, 0)

// begin asks for a draft and fails the test unless the verdict is want.
func begin(t *testing.T, b *Budget, now time.Time, want Verdict) {
	t.Helper()
	if got := b.Begin(now); got != want {
		t.Fatalf("verdict %v, want %v", got, want)
	}
}

// Drafts that are released cost nothing, however many there are.
func TestReleasedDraftsAreFree(t *testing.T) {
	b := New(Options{}).Conversation(Habit{})
	for range 1000 {
		begin(t, b, start, Go)
		b.Released()
		b.Turn()
	}
	if h := b.Habit(); h.Share() != 1 || h.Started < 7.9 || h.Started > 8 {
		t.Errorf("remembered %+v", h)
	}
}

// Whatever becomes of drafts, there are at most 1.3 calls a turn, and two more.
func TestCallsPerTurnAreBounded(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		missing := rng.Float64()
		plenty := Waste{1 << 30, 1 << 30, 1 << 30}
		b := New(Options{Conversation: plenty, Node: plenty}).Conversation(Habit{})
		calls, now := 0, start
		for turn := 1; turn <= 500; turn++ {
			released := false
			for range rng.IntN(4) { // pauses of the learner
				if b.Begin(now) != Go {
					continue
				}
				calls++
				if rng.Float64() < missing {
					b.Dropped(Waste{Tokens: 10})
					continue
				}
				b.Released()
				released = true
				break
			}
			if !released {
				calls++
			}
			b.Turn()
			if most := 1.3*float64(turn) + 2; float64(calls) > most+1e-6 {
				t.Fatalf("seed %d: %d calls in %d turns, want at most %.1f", seed, calls, turn, most)
			}
			now = now.Add(10 * time.Second)
		}
	}
}

// Each limit withholds drafts, says which it was, and lets them begin again in time.
func TestVerdicts(t *testing.T) {
	t.Run("unearned", func(t *testing.T) {
		b := New(Options{}).Conversation(Habit{})
		for range advance {
			begin(t, b, start, Go)
			b.Dropped(Waste{})
		}
		begin(t, b, start, Unearned)
		for range 4 { // turns that earn 0.3 each
			b.Turn()
		}
		begin(t, b, start, Go)
	})
	for name, w := range map[string]Waste{"calls": {}, "tokens": {Tokens: 100}, "characters": {Characters: 100}} {
		t.Run(name+" of a minute", func(t *testing.T) {
			b := New(Options{PerTurn: 10, Conversation: Waste{Calls: 1, Tokens: 50, Characters: 50}}).Conversation(Habit{})
			begin(t, b, start, Go)
			b.Dropped(w)
			begin(t, b, start.Add(20*time.Second), Spent)
			begin(t, b, start.Add(2*time.Minute), Go)
			b.Released()
			begin(t, b, start.Add(2*time.Minute), Go) // its call was given back
		})
	}
	t.Run("a clock that goes back", func(t *testing.T) {
		b := New(Options{Conversation: Waste{Calls: 1}}).Conversation(Habit{})
		begin(t, b, start, Go)
		b.Dropped(Waste{})
		begin(t, b, start.Add(-time.Hour), Spent)
	})
	t.Run("busy", func(t *testing.T) {
		load := 0.79
		b := New(Options{Load: func() float64 { return load }}).Conversation(Habit{})
		begin(t, b, start, Go)
		b.Released()
		load = 0.8
		begin(t, b, start, Busy)
	})
	t.Run("wasted for no fault of the learner's", func(t *testing.T) {
		b := New(Options{}).Conversation(Habit{})
		begin(t, b, start, Go)
		b.Wasted(Waste{Tokens: 5})
		if h := b.Habit(); h != (Habit{}) {
			t.Errorf("remembered %+v", h)
		}
	})
}

// Two conversations share the node's minute: the last call of it goes to one of them,
// and when its draft is released, to the other.
func TestNodeIsShared(t *testing.T) {
	g := New(Options{Node: Waste{Calls: 2, Tokens: 100}})
	a, b := g.Conversation(Habit{}), g.Conversation(Habit{})
	begin(t, a, start, Go)
	begin(t, b, start, Go)
	a.Released()
	begin(t, a, start, Go)
	b.Dropped(Waste{Tokens: 10})
	begin(t, b, start, NodeSpent)
	a.Released()
	begin(t, b, start, Go)
	b.Dropped(Waste{Tokens: 500}) // overdrawn by 410
	begin(t, a, start.Add(4*time.Minute), NodeSpent)
	begin(t, a, start.Add(6*time.Minute), Go)
}

// Conversations ask at the same time; never more drafts are begun than the node has.
func TestNodeIsSafeForConcurrentUse(t *testing.T) {
	g := New(Options{Node: Waste{Calls: 10}})
	var mu sync.Mutex
	var wg sync.WaitGroup
	begun := 0
	for range 40 {
		wg.Go(func() {
			b := g.Conversation(Habit{})
			if b.Begin(start) == Go {
				b.Dropped(Waste{Tokens: 1})
				mu.Lock()
				begun++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if begun != 10 {
		t.Errorf("%d drafts begun, want 10", begun)
	}
}

// A learner whose drafts keep missing is left alone, but for a try now and then; when
// the tries are released again, drafts are made as before. A new conversation remembers.
func TestStandDownAndRecovery(t *testing.T) {
	g := New(Options{PerTurn: 1})
	b := g.Conversation(Habit{})
	// play has so many turns and returns how many of them had a draft.
	play := func(turns int, released bool) (begun int) {
		for i := range turns {
			if b.Begin(start.Add(time.Duration(i)*time.Minute)) == Go {
				begun++
				if released {
					b.Released()
				} else {
					b.Dropped(Waste{})
				}
			}
			b.Turn()
		}
		return begun
	}
	if n := play(6, false); n != 6 && n != 5 {
		t.Errorf("%d drafts before standing down", n)
	}
	if n := play(60, false); n < 3 || n > 7 {
		t.Errorf("%d tries in 60 turns that miss, want few", n)
	}
	b = g.Conversation(b.Habit())
	if n := play(2, false); n != 0 {
		t.Errorf("a new conversation with the learner began %d drafts at once", n)
	}
	if n := play(20, true); n < 12 {
		t.Errorf("%d drafts in 20 turns that are foreseen again", n)
	}
	if !(b.Habit().Share() > 0.8) {
		t.Errorf("share %v in the end", b.Habit().Share())
	}
}

// What is remembered of a learner is taken with care: it comes from a database.
func TestHabitsThatCannotBe(t *testing.T) {
	for _, h := range []Habit{{}, {Started: -1, Released: 5}, {Started: 1e9, Released: 1e9}, {Released: 3}, {Started: 2, Released: 40}} {
		b := New(Options{}).Conversation(h)
		begin(t, b, start, Go)
		b.Released()
		if got := b.Habit(); got.Started > 8 || got.Released > got.Started || got.Released < 0 {
			t.Errorf("%+v became %+v", h, got)
		}
	}
}
