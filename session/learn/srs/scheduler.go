package srs

import (
	"cmp"
	"fmt"
	"math"
	"time"

	fsrs "github.com/open-spaced-repetition/go-fsrs/v3"

	"kalami/session/learn"
)

// Algorithm is the only one there is: what [learn.Scheduling] calls it.
const Algorithm = "fsrs-5"

// The bounds of what may be asked for, and of what is answered. Stability is in days.
const (
	MinRetention, MaxRetention     = 0.7, 0.97
	LongestInterval                = 36500 // days
	minStability, maxStability     = 0.001, 36500
	easiest, hardest               = 1, 10 // difficulty
	defaultRetention               = 0.9
	weightsWanted              int = len(fsrs.Weights{})
)

// Default is by what is scheduled where nothing was set.
func Default() learn.Scheduling {
	return learn.Scheduling{Algorithm: Algorithm, Retention: defaultRetention, MaxInterval: LongestInterval}
}

// Scheduler answers for one set of parameters. It does not change, and any number of
// goroutines may use it at once. Its answers are in UTC and have finite numbers within their
// bounds, whatever the questions.
type Scheduler struct{ params fsrs.Parameters }

// New returns the scheduler of s. Weights that are outside the range in which each means
// something are brought into it. Invalid for an algorithm that is not [Algorithm] (empty
// means it), a retention outside 0.7 to 0.97, a longest interval outside 1 to 36500 days, and
// for weights that are neither none nor 19 finite numbers.
func New(s learn.Scheduling) (*Scheduler, error) {
	p := fsrs.DefaultParam()
	p.EnableFuzz = false // a replay must come to the same every time
	if cmp.Or(s.Algorithm, Algorithm) != Algorithm {
		return nil, invalid("algorithm", "must be "+Algorithm)
	}
	if !(s.Retention >= MinRetention && s.Retention <= MaxRetention) { // nor NaN
		return nil, invalid("retention", fmt.Sprintf("must be between %v and %v", MinRetention, MaxRetention))
	}
	if s.MaxInterval < 1 || s.MaxInterval > LongestInterval {
		return nil, invalid("max_interval", fmt.Sprintf("must be between 1 and %d days", LongestInterval))
	}
	p.RequestRetention, p.MaximumInterval = s.Retention, float64(s.MaxInterval)
	if len(s.Weights) != 0 && len(s.Weights) != weightsWanted {
		return nil, invalid("weights", fmt.Sprintf("must be none or %d numbers", weightsWanted))
	}
	ranges := weightRanges()
	for i, w := range s.Weights {
		if math.IsNaN(w) || math.IsInf(w, 0) {
			return nil, invalid("weights", fmt.Sprintf("the number at %d is not finite", i))
		}
		p.W[i] = within(w, ranges[i][0], ranges[i][1])
	}
	return &Scheduler{params: p}, nil
}

func invalid(field, msg string) error {
	return &learn.Error{Kind: learn.Invalid, Op: "srs.New", Msg: "Invalid " + field,
		Fields: []learn.FieldError{{Field: field, Message: msg}}}
}

// weightRanges are those to which optimisers of FSRS-5 keep the weights. Within them no
// power overflows.
func weightRanges() [weightsWanted][2]float64 {
	first := [2]float64{minStability, 100} // stability after the first rating
	return [weightsWanted][2]float64{
		first, first, first, first,
		{1, 10}, {0.001, 4}, {0.001, 4}, {0.001, 0.75}, // difficulty
		{0, 4.5}, {0, 0.8}, {0.001, 3.5}, // stability after it was known
		{0.001, 5}, {0.001, 0.25}, {0.001, 0.9}, {0, 4}, // after it was forgotten
		{0, 1}, {1, 6}, // hard, easy
		{0, 2}, {0, 2}, // again on the same day
	}
}

// within returns x brought between lo and hi; lo for what is no number.
func within(x, lo, hi float64) float64 {
	if math.IsNaN(x) {
		return lo
	}
	return min(max(x, lo), hi)
}

// Next is what a review makes of a card that was made at created: m is how it was known
// before. A time before the last review, or before the card was made, counts as that. Invalid
// for a rating that is none of the four.
func (s *Scheduler) Next(m learn.Memory, created, at time.Time, r learn.Rating) (learn.Memory, error) {
	if !r.Valid() {
		return learn.Memory{}, &learn.Error{Kind: learn.Invalid, Op: "srs.Next", Msg: "Invalid rating",
			Fields: []learn.FieldError{{Field: "rating", Message: "must be 1, 2, 3 or 4"}}}
	}
	return s.next(fsrs.NewFSRS(s.params), m, notBefore(at, created, m.LastReviewedAt), r), nil
}

// Previews is what each of the four ratings, in their order, would make of the card now.
func (s *Scheduler) Previews(m learn.Memory, created, now time.Time) [4]learn.Preview {
	var all [4]learn.Preview
	now = notBefore(now, created, m.LastReviewedAt)
	f := fsrs.NewFSRS(s.params)
	for i := range all {
		r := learn.Again + learn.Rating(i)
		after := s.next(f, m, now, r)
		all[i] = learn.Preview{Rating: r, DueAt: after.DueAt, Memory: after}
	}
	return all
}

// Retrievability is how probable it is that the card is known now, 0 to 1; 0 for a new one.
func (s *Scheduler) Retrievability(m learn.Memory, now time.Time) float64 {
	f := fsrs.NewFSRS(s.params)
	return within(f.GetRetrievability(cardOf(m), notBefore(now, m.LastReviewedAt)), 0, 1)
}

// next asks the library, which f is for this call alone. It wants a rating that is one, and
// a time that is not before the last review.
func (s *Scheduler) next(f *fsrs.FSRS, m learn.Memory, at time.Time, r learn.Rating) learn.Memory {
	c := f.Next(cardOf(m), at, fsrs.Rating(r)).Card
	after := learn.Memory{
		State:     stateOf(c.State),
		Stability: within(c.Stability, minStability, maxStability), Difficulty: within(c.Difficulty, easiest, hardest),
		DueAt: c.Due.UTC(), LastReviewedAt: at,
		Reps: int(c.Reps), Lapses: int(c.Lapses), ScheduledDays: int(c.ScheduledDays),
	}
	if longest := int(s.params.MaximumInterval); after.ScheduledDays > longest {
		after.ScheduledDays, after.DueAt = longest, at.Add(time.Duration(longest)*day)
	}
	return after
}

// cardOf is m for the library. What no replay can have made is taken for the nearest that
// one can.
func cardOf(m learn.Memory) fsrs.Card {
	c := fsrs.NewCard()
	c.Reps, c.Lapses = uint64(max(m.Reps, 0)), uint64(max(m.Lapses, 0))
	switch m.State {
	case learn.CardLearning:
		c.State = fsrs.Learning
	case learn.CardReview:
		c.State = fsrs.Review
	case learn.CardRelearning:
		c.State = fsrs.Relearning
	default:
		return c
	}
	c.Stability, c.Difficulty = within(m.Stability, minStability, maxStability), within(m.Difficulty, easiest, hardest)
	c.ScheduledDays, c.Due, c.LastReview = uint64(max(m.ScheduledDays, 0)), m.DueAt.UTC(), m.LastReviewedAt.UTC()
	return c
}

func stateOf(s fsrs.State) learn.CardState {
	switch s {
	case fsrs.Learning:
		return learn.CardLearning
	case fsrs.Review:
		return learn.CardReview
	case fsrs.Relearning:
		return learn.CardRelearning
	}
	return learn.CardNew
}
