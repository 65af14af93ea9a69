package srs_test

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	fsrs "github.com/open-spaced-repetition/go-fsrs/v3"
	"go.uber.org/goleak"

	"kalami/session/learn"
	"kalami/session/learn/srs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// born is when the cards of these tests are made.
func born() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }

const days = 24 * time.Hour

// newScheduler is New for parameters that are right.
func newScheduler(t testing.TB, s learn.Scheduling) *srs.Scheduler {
	t.Helper()
	scheduler, err := srs.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return scheduler
}

// rated is a review some time after the card was made.
func rated(id string, after time.Duration, r learn.Rating) learn.Review {
	return learn.Review{ID: id, CardID: "card", Rating: r, At: born().Add(after)}
}

// history is the reviews with the given ratings, at the days that the library asks for.
func history(ratings ...learn.Rating) []learn.Review {
	f, c := fsrs.NewFSRS(fsrs.DefaultParam()), fsrs.NewCard()
	at := born()
	var reviews []learn.Review
	for i, r := range ratings {
		reviews = append(reviews, learn.Review{ID: string(rune('a' + i)), CardID: "card", Rating: r, At: at})
		c = f.Next(c, at, fsrs.Rating(r)).Card
		at = c.Due.Add(time.Duration(i) * 5 * time.Hour) // the learner is seldom punctual
	}
	return reviews
}

// On its ordinary use (reviews in order, ratings that are ones) nothing differs from the
// library: neither after a replay nor review by review.
func TestAsTheLibrary(t *testing.T) {
	const a, h, g, e = learn.Again, learn.Hard, learn.Good, learn.Easy
	for name, tt := range map[string]struct {
		ratings    []learn.Rating
		scheduling learn.Scheduling
	}{
		"known at once":      {ratings: []learn.Rating{e, g, g, g, g}},
		"learned in steps":   {ratings: []learn.Rating{a, a, h, g, g, h, g}},
		"forgotten twice":    {ratings: []learn.Rating{g, g, g, a, a, g, g, a, h, g, e}},
		"always hard":        {ratings: []learn.Rating{h, h, h, h, h, h, h, h}},
		"eager":              {ratings: []learn.Rating{g, g, g}, scheduling: learn.Scheduling{Retention: 0.97, MaxInterval: 36500}},
		"patient":            {ratings: []learn.Rating{g, g, g, g}, scheduling: learn.Scheduling{Retention: 0.7, MaxInterval: 36500}},
		"by weights of hers": {ratings: []learn.Rating{g, g, a, g, e}, scheduling: learn.Scheduling{Retention: 0.85, MaxInterval: 3650, Weights: hers()}},
	} {
		t.Run(name, func(t *testing.T) {
			p := fsrs.DefaultParam()
			if tt.scheduling.Retention == 0 {
				tt.scheduling = srs.Default()
			}
			p.RequestRetention, p.MaximumInterval = tt.scheduling.Retention, float64(tt.scheduling.MaxInterval)
			copy(p.W[:], tt.scheduling.Weights)
			s, f := newScheduler(t, tt.scheduling), fsrs.NewFSRS(p)
			reviews := history(tt.ratings...)
			replayed, counted := s.Replay(born(), reviews)
			card, m := fsrs.NewCard(), learn.Memory{State: learn.CardNew}
			for i, r := range reviews {
				compare(t, s.Previews(m, born(), r.At), f.Repeat(card, r.At))
				info := f.Next(card, r.At, fsrs.Rating(r.Rating))
				var err error
				if m, err = s.Next(m, born(), r.At, r.Rating); err != nil {
					t.Fatal(err)
				}
				card = info.Card
				same(t, m, card)
				if got := counted[i]; stateNumber(got.Before) != int(info.ReviewLog.State) ||
					got.ElapsedDays != int(info.ReviewLog.ElapsedDays) || got.ScheduledDays != int(card.ScheduledDays) {
					t.Errorf("review %d was of a card in state %s after %d days for %d; the library says %+v",
						i, got.Before, got.ElapsedDays, got.ScheduledDays, info.ReviewLog)
				}
				later := r.At.Add(75 * time.Hour)
				if got, want := s.Retrievability(m, later), f.GetRetrievability(card, later); got != want {
					t.Errorf("after review %d it is known with %v, the library says %v", i, got, want)
				}
			}
			if replayed != m {
				t.Errorf("the replay comes to %+v, review by review it is %+v", replayed, m)
			}
		})
	}
}

// hers are weights as an optimiser may have found them.
func hers() []float64 {
	return []float64{0.6, 1.9, 4.2, 12.5, 6.8, 0.71, 1.9, 0.02, 1.42, 0.17, 0.9, 2.1, 0.08, 0.31, 1.9, 0.3, 2.4, 0.4, 0.8}
}

func stateNumber(s learn.CardState) int {
	return slices.Index([]learn.CardState{learn.CardNew, learn.CardLearning, learn.CardReview, learn.CardRelearning}, s)
}

// same compares a memory with the library's card.
func same(t *testing.T, m learn.Memory, c fsrs.Card) {
	t.Helper()
	if stateNumber(m.State) != int(c.State) || m.Stability != c.Stability || m.Difficulty != c.Difficulty || !m.DueAt.Equal(c.Due) ||
		!m.LastReviewedAt.Equal(c.LastReview) || m.Reps != int(c.Reps) || m.Lapses != int(c.Lapses) || m.ScheduledDays != int(c.ScheduledDays) {
		t.Errorf("%+v, the library says %+v", m, c)
	}
}

func compare(t *testing.T, got [4]learn.Preview, want fsrs.RecordLog) {
	t.Helper()
	for i, p := range got {
		if p.Rating != learn.Rating(i+1) || p.DueAt != p.Memory.DueAt {
			t.Errorf("preview %d is of rating %d, due %v and %v", i, p.Rating, p.DueAt, p.Memory.DueAt)
		}
		same(t, p.Memory, want[fsrs.Rating(p.Rating)].Card)
	}
}

// A phone and a tablet were both offline. Whichever of them is heard first, the card is due
// when the union of what they saw says, which is neither's own opinion.
func TestTwoDevices(t *testing.T) {
	s := newScheduler(t, srs.Default())
	phone := []learn.Review{rated("p1", 0, learn.Good), rated("p2", 10*time.Minute, learn.Good), rated("p3", 4*days, learn.Good)}
	tablet := []learn.Review{rated("t1", 2*days, learn.Again), rated("t2", 2*days+5*time.Minute, learn.Good)}
	for _, tt := range []struct {
		name      string
		reviews   []learn.Review
		due       string
		stability float64
	}{
		{"the phone alone", phone, "2026-03-17", 11.95},
		{"the tablet alone", tablet, "2026-03-04", 0.57},
		{"the phone first", slices.Concat(phone, tablet), "2026-03-09", 3.67},
		{"the tablet first", slices.Concat(tablet, phone), "2026-03-09", 3.67},
		{"the phone twice", slices.Concat(phone, tablet, phone), "2026-03-09", 3.67},
	} {
		m, _ := s.Replay(born(), tt.reviews)
		if due := m.DueAt.Format(time.DateOnly); due != tt.due || math.Abs(m.Stability-tt.stability) > 0.005 {
			t.Errorf("%s: due %s with stability %.2f, want %s and %.2f", tt.name, due, m.Stability, tt.due, tt.stability)
		}
	}
}

// What the library makes of wrong input, and that it never gets any.
func TestTraps(t *testing.T) {
	s, f := newScheduler(t, srs.Default()), fsrs.NewFSRS(fsrs.DefaultParam())
	grown := history(learn.Good, learn.Good, learn.Good)
	last := grown[2].At
	m, _ := s.Replay(born(), grown)
	card := fsrs.Card{State: fsrs.Review, Stability: m.Stability, Difficulty: m.Difficulty, LastReview: last, Due: m.DueAt, Reps: 3}

	t.Run("before the last review", func(t *testing.T) {
		wrong := f.Next(card, last.Add(-5*days), fsrs.Good).Card
		if wrong.ElapsedDays < 1<<62 || wrong.Stability < 10*m.Stability {
			t.Fatalf("the library has learned: %+v", wrong)
		}
		got, err := s.Next(m, born(), last.Add(-5*days), learn.Good)
		want, _ := s.Next(m, born(), last, learn.Good)
		if err != nil || got != want || got.Stability > 2*m.Stability {
			t.Errorf("%+v, %v; want it to be taken for one at the last review: %+v", got, err, want)
		}
		if p := s.Previews(m, born(), last.Add(-5*days)); p[2].Memory != want {
			t.Errorf("the preview says %+v", p[2])
		}
		if r := s.Retrievability(m, last.Add(-5*days)); r != 1 {
			t.Errorf("it is known with %v before it was last seen", r)
		}
	})
	t.Run("a rating that is none", func(t *testing.T) {
		for _, r := range []learn.Rating{0, 5, -1, 1 << 20, 259} { // 259 would be 3 in eight bits
			if r < 127 && f.Next(card, last.Add(days), fsrs.Rating(r)).Card != (fsrs.Card{}) {
				t.Fatalf("the library has learned what %d is", r)
			}
			got, err := s.Next(m, born(), last.Add(days), r)
			if learn.KindOf(err) != learn.Invalid || got != (learn.Memory{}) {
				t.Errorf("rating %d: %+v, %v; want Invalid", r, got, err)
			}
			with, counted := s.Replay(born(), append(slices.Clone(grown), rated("x", 5*days, r)))
			if with != m || len(counted) != 3 {
				t.Errorf("rating %d in a replay: %+v with %d reviews, want %+v", r, with, len(counted), m)
			}
		}
	})
	t.Run("shared by goroutines", func(t *testing.T) {
		// The library's own scheduler would be reported by the race detector.
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 50 {
					if got, _ := s.Replay(born(), grown); got != m {
						t.Errorf("beside others it comes to %+v", got)
					}
					s.Previews(m, born(), last)
				}
			})
		}
		all.Wait()
	})
	t.Run("another zone", func(t *testing.T) {
		tokyo := last.Add(days).In(time.FixedZone("JST", 9*3600))
		if f.Next(card, tokyo, fsrs.Good).Card.Due.Location() == time.UTC {
			t.Fatal("the library has learned")
		}
		got, err := s.Next(m, born(), tokyo, learn.Good)
		want, _ := s.Next(m, born(), last.Add(days), learn.Good)
		if err != nil || got != want || got.DueAt.Location() != time.UTC || got.LastReviewedAt.Location() != time.UTC {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	})
	t.Run("forgotten for ever", func(t *testing.T) {
		worn := fsrs.NewCard()
		many := make([]learn.Review, 1500)
		for i := range many {
			many[i] = rated(string(rune(0x4e00+i)), time.Duration(i)*5*time.Minute, learn.Again)
			worn = f.Next(worn, many[i].At, fsrs.Again).Card
		}
		if worn.Stability > 1e-300 {
			t.Fatalf("the library has learned: %+v", worn)
		}
		got, _ := s.Replay(born(), many)
		if got.Stability != 0.001 || got.Reps != 1500 || s.Retrievability(got, got.LastReviewedAt) != 1 {
			t.Errorf("after being forgotten 1500 times: %+v", got)
		}
	})
	t.Run("beyond the longest interval", func(t *testing.T) {
		short := srs.Default()
		short.MaxInterval = 2
		for _, p := range newScheduler(t, short).Previews(m, born(), last.Add(days)) {
			if p.Memory.ScheduledDays > 2 || p.DueAt.After(last.Add(3*days)) {
				t.Errorf("rating %d leads to %d days, %v", p.Rating, p.Memory.ScheduledDays, p.DueAt)
			}
		}
	})
}

// A memory that no replay can have made does not lead to numbers that are none.
func TestSpoiltMemory(t *testing.T) {
	s := newScheduler(t, srs.Default())
	nan, inf := math.NaN(), math.Inf(1)
	for _, m := range []learn.Memory{
		{}, {State: "asleep", Stability: 3}, {State: learn.CardReview}, {State: learn.CardRelearning, Stability: -4, Difficulty: -1},
		{State: learn.CardReview, Stability: nan, Difficulty: nan, LastReviewedAt: born()},
		{State: learn.CardLearning, Stability: inf, Difficulty: inf, Reps: -5, Lapses: -1, ScheduledDays: -9, LastReviewedAt: born()},
	} {
		for _, p := range s.Previews(m, born(), born().Add(40*days)) {
			if got := p.Memory; !(got.Stability > 0 && got.Stability <= srs.LongestInterval) || !(got.Difficulty >= 1 && got.Difficulty <= 10) ||
				got.ScheduledDays < 0 || got.ScheduledDays > srs.LongestInterval || got.DueAt.Before(born()) {
				t.Errorf("%+v, rated %d, becomes %+v", m, p.Rating, got)
			}
		}
		if r := s.Retrievability(m, born().Add(40*days)); !(r >= 0 && r <= 1) {
			t.Errorf("%+v is known with %v", m, r)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	nan := math.NaN()
	spoilt := hers()
	spoilt[7] = math.Inf(-1)
	for field, cases := range map[string][]learn.Scheduling{
		"algorithm":    {{Algorithm: "sm-2", Retention: 0.9, MaxInterval: 100}},
		"retention":    {{MaxInterval: 100}, {Retention: 0.69, MaxInterval: 100}, {Retention: 0.98, MaxInterval: 100}, {Retention: nan, MaxInterval: 100}},
		"max_interval": {{Retention: 0.9}, {Retention: 0.9, MaxInterval: -1}, {Retention: 0.9, MaxInterval: 36501}},
		"weights": {{Retention: 0.9, MaxInterval: 100, Weights: []float64{1}}, {Retention: 0.9, MaxInterval: 100, Weights: make([]float64, 21)},
			{Retention: 0.9, MaxInterval: 100, Weights: spoilt}},
	} {
		for _, c := range cases {
			_, err := srs.New(c)
			if e, ok := err.(*learn.Error); !ok || e.Kind != learn.Invalid || len(e.Fields) != 1 || e.Fields[0].Field != field {
				t.Errorf("%+v: %v, want %s to be invalid", c, err, field)
			}
		}
	}
	// Weights that are numbers but mean nothing are brought to where they do.
	for _, w := range []float64{-1e300, 0, 1e300} {
		wild := srs.Default()
		wild.Weights = slices.Repeat([]float64{w}, 19)
		s := newScheduler(t, wild)
		m, _ := s.Replay(born(), history(learn.Good, learn.Easy, learn.Easy, learn.Again, learn.Hard, learn.Easy))
		if !(m.Stability > 0 && m.Stability <= srs.LongestInterval) || !(m.Difficulty >= 1 && m.Difficulty <= 10) {
			t.Errorf("with all weights %v: %+v", w, m)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	s := newScheduler(b, srs.Default())
	m, _ := s.Replay(born(), history(learn.Good, learn.Good, learn.Good))
	at := m.DueAt
	for b.Loop() {
		if _, err := s.Next(m, born(), at, learn.Good); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReplay60(b *testing.B) {
	s := newScheduler(b, srs.Default())
	ratings := make([]learn.Rating, 60)
	for i := range ratings {
		ratings[i] = learn.Good
		if i%7 == 6 {
			ratings[i] = learn.Again
		}
	}
	reviews := history(ratings...)
	for b.Loop() {
		if _, counted := s.Replay(born(), reviews); len(counted) != 60 {
			b.Fatal(len(counted))
		}
	}
}
