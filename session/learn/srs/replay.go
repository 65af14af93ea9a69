package srs

import (
	"cmp"
	"slices"
	"time"

	fsrs "github.com/open-spaced-repetition/go-fsrs/v3"

	"kalami/session/learn"
)

// day is what the library counts in.
const day = 24 * time.Hour

// Replay is what all reviews of a card that was made at created come to, and those of them
// that count, in the order of (At, ID), with Before, ElapsedDays and ScheduledDays as they
// follow from it. The order in which they are given changes nothing. Left out are reviews
// that were undone, in any of the copies that are given; every further copy of one with the
// same ID; and what has no valid rating. At is brought between created and ReceivedAt (if it
// has one). The slice that is given stays as it is.
//
// Without reviews that count the card is new.
func (s *Scheduler) Replay(created time.Time, reviews []learn.Review) (learn.Memory, []learn.Review) {
	counted := counting(created, reviews)
	f := fsrs.NewFSRS(s.params)
	m := learn.Memory{State: learn.CardNew}
	for i := range counted {
		r := &counted[i]
		after := s.next(f, m, r.At, r.Rating)
		r.Before, r.ScheduledDays, r.ElapsedDays = m.State, after.ScheduledDays, 0
		if !m.LastReviewedAt.IsZero() {
			r.ElapsedDays = int(r.At.Sub(m.LastReviewedAt) / day)
		}
		m = after
	}
	return m, counted
}

// counting returns the reviews that count, in their order.
func counting(created time.Time, reviews []learn.Review) []learn.Review {
	out := make(map[string]bool) // by ID: undone, or in the list already
	for _, r := range reviews {
		if !r.UndoneAt.IsZero() {
			out[r.ID] = true
		}
	}
	counted := make([]learn.Review, 0, len(reviews))
	for _, r := range reviews {
		if r.Rating.Valid() && !out[r.ID] {
			r.At = When(r.At, 0, created, r.ReceivedAt)
			counted = append(counted, r)
		}
	}
	slices.SortFunc(counted, inOrder)
	return slices.DeleteFunc(counted, func(r learn.Review) bool {
		again := out[r.ID]
		out[r.ID] = true
		return again
	})
}

// inOrder compares reviews by (At, ID), and copies that say different things by what they
// say, so that it is always the same copy that counts.
func inOrder(a, b learn.Review) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Rating, b.Rating),
		a.RawAt.Compare(b.RawAt), a.ReceivedAt.Compare(b.ReceivedAt))
}
