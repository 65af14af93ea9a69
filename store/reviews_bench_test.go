package store_test

import (
	"fmt"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store/storetest"
)

// BenchmarkPush is what a device sends that was offline for long: 10,000 reviews in one
// call, ten of each of 1,000 cards, which are all replayed.
func BenchmarkPush(b *testing.B) {
	const cards, each = 1000, 10 // at most 2 s for a push on SQLite; package store tells what it took
	for name, fresh := range backends() {
		b.Run(name, func(b *testing.B) {
			o := fresh(b)
			made := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
			now := made
			o.Now = func() time.Time { return now }
			db := storetest.Open(b, o)
			ana := storetest.NewLearner(b, db, "ana")
			words := make([]learn.Card, cards)
			for i := range words {
				words[i] = ana.Word("word", fmt.Sprint("palabra ", i))
			}
			added, err := db.AddCards(b.Context(), ana.Profile.TenantID, ana.User.ID, "", words)
			if err != nil {
				b.Fatal(err)
			}
			now = made.AddDate(0, 3, 0)
			round := 0
			for b.Loop() {
				round++
				reviews := make([]learn.Review, 0, cards*each)
				for n := range each {
					for i, a := range added {
						reviews = append(reviews, learn.Review{ID: fmt.Sprintf("%d-%d-%d", round, n, i), CardID: a.Card.ID, Mode: learn.ReviewSelf,
							Rating: learn.Rating(1 + (i+n)%4), At: made.Add(time.Duration(n*7+round)*24*time.Hour + time.Duration(i)*time.Second)})
					}
				}
				results, _, err := db.AppendReviews(b.Context(), ana.Profile.TenantID, ana.User.ID, reviews)
				if err != nil || results[len(results)-1].Outcome != learn.ReviewApplied {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(round), "ms/push")
		})
	}
}
