package gateway

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"kalami/session/learn"
	"kalami/session/learn/deck"
)

// fakeCards keeps cards and reviews in memory, for one test at a time.
type fakeCards struct {
	asking          sync.Mutex // where one test asks at once, over profile and days
	cards           []learn.Card
	log             []learn.Review
	asked           learn.CardFilter // by the last list
	page            [2]int
	source          learn.CardSource
	queue           learn.DueQueue
	loads           []learn.DayLoad
	stats           learn.ReviewStats
	profile         string // that the last question was about
	days            int
	down            error
	deleted         []learn.Card
	breaks          error         // what CardsAfter fails with behind the first part
	packing, packed chan struct{} // pack tells that it begins, and waits, where there are any
}

// made is when everything in the fake was made.
func made() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600)) }

func (f *fakeCards) AddCards(_ context.Context, tenantID, userID, _ string, cards []learn.Card) ([]learn.AddedCard, error) {
	added := []learn.AddedCard{}
	for _, c := range cards {
		c.TenantID, c.UserID, c.Key, c.CreatedAt, c.UpdatedAt = tenantID, userID, learn.CardKey(c.Back), made(), made()
		c.Language, c.Memory.State = "es", learn.CardNew
		if c.ID == "" {
			c.ID = "made-" + c.Key
		}
		a := learn.AddedCard{Asked: c.ID, Outcome: learn.CardCreated, Card: c}
		if i := slices.IndexFunc(f.cards, func(o learn.Card) bool { return o.Key == c.Key && o.UserID == userID }); i >= 0 {
			a.Outcome, a.Card = learn.CardMerged, f.cards[i]
		} else {
			f.cards = append(f.cards, c)
		}
		added = append(added, a)
	}
	return added, f.down
}

func (f *fakeCards) place(userID, id string) int {
	return slices.IndexFunc(f.cards, func(c learn.Card) bool { return c.ID == id && c.UserID == userID })
}

func (f *fakeCards) Card(_ context.Context, _, userID, id string) (learn.Card, error) {
	if i := f.place(userID, id); i >= 0 {
		return f.cards[i], f.down
	}
	return learn.Card{}, learn.Errorf(learn.NotFound, "fake.Card", "row not found")
}

func (f *fakeCards) ListCards(_ context.Context, _, userID string, by learn.CardFilter, limit, offset int) ([]learn.Card, error) {
	f.asked, f.page = by, [2]int{limit, offset}
	return slices.DeleteFunc(slices.Clone(f.cards), func(c learn.Card) bool { return c.UserID != userID }), f.down
}

func (f *fakeCards) PatchCard(_ context.Context, p learn.CardPatch) (learn.Card, error) {
	i := f.place(p.UserID, p.ID)
	if i < 0 {
		return learn.Card{}, learn.Errorf(learn.NotFound, "fake.PatchCard", "row not found")
	}
	c := &f.cards[i]
	for _, t := range []struct{ field, value *string }{{&c.Front, p.Front}, {&c.Back, p.Back}, {&c.Context, p.Context}} {
		if t.value != nil {
			*t.field = *t.value
		}
	}
	if p.Tags != nil {
		c.Tags = *p.Tags
	}
	if p.Level != nil {
		c.Level = *p.Level
	}
	if p.Suspended != nil {
		c.SuspendedAt = time.Time{}
		if *p.Suspended {
			c.SuspendedAt = made()
		}
	}
	return *c, nil
}

func (f *fakeCards) DeleteCard(_ context.Context, _, userID, id, _ string) error {
	i := f.place(userID, id)
	if i < 0 {
		return learn.Errorf(learn.NotFound, "fake.DeleteCard", "row not found")
	}
	f.deleted = append(f.deleted, f.cards[i])
	f.cards = slices.Delete(f.cards, i, i+1)
	return nil
}

func (f *fakeCards) RestoreCard(_ context.Context, _, userID, id, _ string) (learn.Card, error) {
	for i, c := range f.deleted {
		if c.ID != id || c.UserID != userID {
			continue
		}
		if slices.ContainsFunc(f.cards, func(o learn.Card) bool { return o.Key == c.Key && o.UserID == userID }) {
			return learn.Card{}, learn.Errorf(learn.Conflict, "fake.RestoreCard", "There is another card with that answer")
		}
		f.deleted, f.cards = slices.Delete(f.deleted, i, i+1), append(f.cards, c)
		return c, nil
	}
	return f.Card(context.Background(), "", userID, id)
}

func (f *fakeCards) CardsAfter(_ context.Context, _, userID, profileID, afterID string, limit int) ([]learn.Card, error) {
	f.asking.Lock()
	f.profile = profileID
	f.asking.Unlock()
	if afterID != "" && f.breaks != nil {
		return nil, f.breaks
	}
	cards := slices.DeleteFunc(slices.Clone(f.cards), func(c learn.Card) bool {
		return c.UserID != userID || c.ID <= afterID || profileID != "" && c.ProfileID != profileID
	})
	slices.SortFunc(cards, func(a, b learn.Card) int { return strings.Compare(a.ID, b.ID) })
	return cards[:min(limit, len(cards))], f.down
}

// pack writes the ids of what is to be packed.
func (f *fakeCards) pack(_ context.Context, w io.Writer, cards deck.Cards, reviews deck.Reviews, _ time.Time) error {
	if f.packing != nil {
		f.packing <- struct{}{}
		<-f.packed
	}
	for c, err := range cards {
		if err != nil {
			return err
		}
		fmt.Fprintln(w, "card", c.ID)
	}
	for r, err := range reviews {
		if err != nil {
			return err
		}
		fmt.Fprintln(w, "review", r.ID)
	}
	return nil
}

func (f *fakeCards) CardSource(_ context.Context, _, _, messageID string) (learn.CardSource, error) {
	if messageID != f.source.Message.ID {
		return learn.CardSource{}, learn.Errorf(learn.NotFound, "fake.CardSource", "row not found")
	}
	return f.source, nil
}

func (f *fakeCards) AppendReviews(_ context.Context, _, userID string, reviews []learn.Review) ([]learn.ReviewResult, []learn.Card, error) {
	results := []learn.ReviewResult{}
	var cards []learn.Card
	for _, r := range reviews {
		result := learn.ReviewResult{ID: r.ID, CardID: r.CardID, Outcome: learn.ReviewApplied}
		i := f.place(userID, r.CardID)
		switch {
		case slices.ContainsFunc(f.log, func(o learn.Review) bool { return o.ID == r.ID }):
			result.Outcome = learn.ReviewRepeated
		case i < 0:
			result.Outcome, result.Kind = learn.ReviewRejected, learn.NotFound
			result.Faults = []learn.FieldError{{Field: "card_id", Message: "there is no such card"}}
		default:
			r.UserID = userID
			f.log, cards = append(f.log, r), append(cards, f.cards[i])
		}
		results = append(results, result)
	}
	return results, cards, f.down
}

func (f *fakeCards) UndoReview(_ context.Context, _, userID, id, _ string) (learn.Review, learn.Card, error) {
	for _, r := range f.log {
		if r.ID == id && r.UserID == userID {
			r.UndoneAt = made()
			return r, f.cards[f.place(userID, r.CardID)], nil
		}
	}
	return learn.Review{}, learn.Card{}, learn.Errorf(learn.NotFound, "fake.UndoReview", "row not found")
}

func (f *fakeCards) DueCards(_ context.Context, _, _, profileID string, limit int) (learn.DueQueue, error) {
	f.profile, f.days = profileID, limit
	return f.queue, f.down
}

func (f *fakeCards) Forecast(_ context.Context, _, _, profileID string, days int) ([]learn.DayLoad, error) {
	f.profile, f.days = profileID, days
	return f.loads, f.down
}

func (f *fakeCards) ReviewStatistics(_ context.Context, _, _, profileID string, days int) (learn.ReviewStats, error) {
	f.profile, f.days = profileID, days
	return f.stats, f.down
}

func (f *fakeCards) ReviewLog(_ context.Context, _, userID, _ string, after time.Time, afterID string, limit int) ([]learn.Review, error) {
	var log []learn.Review
	for _, r := range f.log {
		if r.UserID == userID && (r.At.After(after) || r.At.Equal(after) && strings.Compare(r.ID, afterID) > 0) && len(log) < limit {
			log = append(log, r)
		}
	}
	return log, f.down
}
