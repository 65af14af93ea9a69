package storetest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/session/learn/srs"
	"kalami/store"
)

// review sends reviews and returns their results and cards.
func (l Learner) review(tb testing.TB, db *store.DB, reviews ...learn.Review) ([]learn.ReviewResult, []learn.Card) {
	tb.Helper()
	results, cards, err := db.AppendReviews(tb.Context(), l.Profile.TenantID, l.User.ID, reviews)
	if err != nil {
		tb.Fatalf("AppendReviews: %v", err)
	}
	return results, cards
}

// rated is a review by the learner's own rating.
func rated(id, cardID string, r learn.Rating, at time.Time) learn.Review {
	return learn.Review{ID: id, CardID: cardID, Rating: r, At: at, Mode: learn.ReviewSelf}
}

func (l Learner) log(tb testing.TB, db *store.DB) []learn.Review {
	tb.Helper()
	log, err := db.ReviewLog(tb.Context(), l.Profile.TenantID, l.User.ID, "", time.Time{}, "", 1000)
	if err != nil {
		tb.Fatalf("ReviewLog: %v", err)
	}
	return log
}

// testReviews: a review is in the log as it was, with its day where the learner is; the card
// is what its log comes to; and sending again changes nothing.
func testReviews(t *testing.T, fresh Fresh) {
	o := fresh(t)
	made := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := &clock{made}
	o.Now = at.now
	db := Open(t, o)
	ana := NewLearner(t, db, "ana")
	must(t, db.SetTimeZone(t.Context(), ana.User.ID, "Asia/Tokyo"))
	card := ana.Keep(t, db, ana.Word("dog", "el perro"))
	at.at = made.AddDate(0, 0, 10)

	first := learn.Review{ID: "r-1", CardID: card.ID, Rating: learn.Good, At: made.Add(4 * time.Hour), RawAt: made.Add(7 * time.Hour),
		Duration: 2500 * time.Millisecond, Mode: learn.ReviewSpoken, Evidence: []byte(`{"heard": "el perro"}`), DeviceID: "phone"}
	results, cards := ana.review(t, db, first)
	if want := (learn.ReviewResult{ID: "r-1", CardID: card.ID, Outcome: learn.ReviewApplied}); !reflect.DeepEqual(results, []learn.ReviewResult{want}) {
		t.Errorf("answered %+v, want %+v", results, want)
	}
	want := first
	want.TenantID, want.UserID, want.ReceivedAt, want.LocalDay, want.Before = ana.Profile.TenantID, ana.User.ID, at.at, "2026-05-05", learn.CardNew
	log := ana.log(t, db)
	if len(log) != 1 || !strings.Contains(string(log[0].Evidence), "el perro") {
		t.Fatalf("the log is %+v", log)
	}
	log[0].Evidence, want.Evidence = nil, nil // each database has its own way to write JSON
	if !reflect.DeepEqual(log[0], want) {
		t.Errorf("the log has %+v\nwant %+v", log[0], want)
	}
	s, err := srs.New(srs.Default())
	must(t, err)
	memory, _ := s.Replay(card.CreatedAt, []learn.Review{first})
	after := card
	after.Memory, after.UpdatedAt = memory, at.at
	if len(cards) != 1 || !reflect.DeepEqual(cards[0], after) || !reflect.DeepEqual(ana.card(t, db, card.ID), after) {
		t.Errorf("the card is %+v\nwant %+v", cards, after)
	}

	at.at = at.at.Add(time.Hour)
	again := first
	again.Rating = learn.Again
	results, cards = ana.review(t, db, again, again)
	if results[0].Outcome != learn.ReviewRepeated || results[1].Outcome != learn.ReviewRepeated || len(cards) != 0 ||
		!reflect.DeepEqual(ana.card(t, db, card.ID), after) || len(ana.log(t, db)) != 1 {
		t.Errorf("a repeat: %+v, %+v", results, cards)
	}
	// One that was before it: the later one is told anew.
	ana.review(t, db, rated("r-0", card.ID, learn.Again, made.Add(time.Hour)))
	log = ana.log(t, db)
	if len(log) != 2 || log[0].ID != "r-0" || log[0].Before != learn.CardNew || log[1].Before != learn.CardLearning {
		t.Errorf("the log is %+v", log)
	}
	// Deleted cards are reviewed too, and are not there for it.
	must(t, db.DeleteCard(t.Context(), ana.Profile.TenantID, ana.User.ID, card.ID, ""))
	results, cards = ana.review(t, db, rated("r-2", card.ID, learn.Good, at.at))
	if results[0].Outcome != learn.ReviewApplied || len(cards) != 0 {
		t.Errorf("a review of a deleted card: %+v, %+v", results, cards)
	}
	back, err := db.RestoreCard(t.Context(), ana.Profile.TenantID, ana.User.ID, card.ID, "")
	if err != nil || back.Memory.Reps != 3 {
		t.Errorf("restored as %+v, %v", back, err)
	}
}

// testReviewRejections: what cannot be is rejected by its name, and nothing else with it;
// times that cannot be are brought to where they can.
func testReviewRejections(t *testing.T, fresh Fresh) {
	o := fresh(t)
	made := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := &clock{made}
	o.Now = at.now
	db := Open(t, o)
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	mine, theirs := ana.Keep(t, db, ana.Word("dog", "el perro")), eve.Keep(t, db, eve.Word("dog", "el perro"))
	now := made.AddDate(0, 0, 3)
	at.at = now
	spoil := func(change func(*learn.Review)) learn.Review {
		r := rated("bad", mine.ID, learn.Good, now)
		change(&r)
		return r
	}
	results, _ := ana.review(t, db,
		rated("early", mine.ID, learn.Good, made.AddDate(-1, 0, 0)),
		spoil(func(r *learn.Review) { r.Rating = 0 }),
		spoil(func(r *learn.Review) { r.Rating = 5 }),
		spoil(func(r *learn.Review) { r.CardID = theirs.ID }),
		spoil(func(r *learn.Review) { r.ID = "" }),
		spoil(func(r *learn.Review) { r.Mode = "guessed" }),
		spoil(func(r *learn.Review) { r.Evidence = []byte("[1]") }),
		spoil(func(r *learn.Review) { r.Evidence = []byte(`{"a":"\u0000"}`) }),
		spoil(func(r *learn.Review) { r.Duration = -1 }),
		rated("future", mine.ID, learn.Good, now.AddDate(1, 0, 0)),
		rated("future", mine.ID, learn.Again, now))
	want := []string{"", "rating", "rating", "card_id", "id", "mode", "evidence", "evidence", "duration_ms", "", ""}
	for i, r := range results {
		field := ""
		if len(r.Faults) > 0 {
			field = r.Faults[0].Field
		}
		if field != want[i] || (field == "") == (r.Outcome == learn.ReviewRejected) || (field == "card_id") != (r.Kind == learn.NotFound) {
			t.Errorf("review %d: %+v, want %q named", i, r, want[i])
		}
	}
	if results[10].Outcome != learn.ReviewRepeated {
		t.Errorf("the same id twice: %+v", results[10])
	}
	log := ana.log(t, db)
	if len(log) != 2 || !log[0].At.Equal(made) || !log[0].RawAt.Equal(made.AddDate(-1, 0, 0)) || !log[1].At.Equal(now) || log[1].Rating != learn.Good {
		t.Errorf("the log is %+v", log)
	}
	if card := ana.card(t, db, mine.ID); card.Memory.Reps != 2 || card.Memory.LastReviewedAt.After(now) {
		t.Errorf("the card is %+v", card)
	}
	if len(eve.log(t, db)) != 0 {
		t.Error("Eve's card was reviewed")
	}
	if results, cards := ana.review(t, db); len(results) != 0 || len(cards) != 0 {
		t.Errorf("no reviews: %v, %v", results, cards)
	}
}

// testReviewOrder: several devices send what they have, in parts, in any order, at once and
// again; each card comes to the same as if one had sent everything in order.
func testReviewOrder(t *testing.T, fresh Fresh) {
	o := fresh(t)
	made := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := &clock{made}
	o.Now = at.now
	db := Open(t, o)
	ana, bea := NewLearner(t, db, "ana"), NewLearner(t, db, "bea")
	rng := rand.New(rand.NewPCG(1, 2))
	var straight, shuffled []learn.Review
	for c := range 6 {
		a, b := ana.Keep(t, db, ana.Word("x", fmt.Sprint("y", c))), bea.Keep(t, db, bea.Word("x", fmt.Sprint("y", c)))
		for n := range 12 {
			r := rated(fmt.Sprintf("r-%d-%d", c, n), a.ID, learn.Rating(1+rng.IntN(4)), made.Add(time.Duration(rng.IntN(60*24))*time.Hour))
			straight = append(straight, r)
			r.CardID = b.ID
			shuffled = append(shuffled, r)
		}
	}
	at.at = made.AddDate(0, 3, 0)
	ana.review(t, db, straight...)
	rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	var devices sync.WaitGroup
	for d := range 4 {
		devices.Go(func() {
			for i := d * 12; i < len(shuffled); i += 9 { // overlapping
				part := shuffled[i:min(i+12, len(shuffled))]
				if _, _, err := db.AppendReviews(t.Context(), bea.Profile.TenantID, bea.User.ID, part); err != nil {
					t.Errorf("AppendReviews: %v", err)
				}
			}
		})
	}
	devices.Wait()
	bea.review(t, db, shuffled...)
	want, got := list(t, ana, db), list(t, bea, db)
	for i := range want {
		if !reflect.DeepEqual(got[i].Memory, want[i].Memory) || got[i].Back != want[i].Back || want[i].Memory.Reps != 12 {
			t.Errorf("%s is %+v, want %+v", want[i].Back, got[i].Memory, want[i].Memory)
		}
	}
	mine, theirs := ana.log(t, db), bea.log(t, db)
	for i := range mine {
		a, b := mine[i], theirs[i]
		b.UserID, b.CardID = a.UserID, a.CardID
		if !reflect.DeepEqual(a, b) {
			t.Errorf("the logs differ: %+v, %+v", a, b)
		}
	}
}

// testUndo: a review that was undone does not count, whatever comes after it, and undoing is
// repeat-safe.
func testUndo(t *testing.T, fresh Fresh) {
	o := fresh(t)
	made := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := &clock{made}
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	card := ana.Keep(t, db, ana.Word("dog", "el perro"))
	at.at = made.AddDate(0, 0, 30)
	day := func(n int) time.Time { return made.AddDate(0, 0, n) }
	ana.review(t, db, rated("a", card.ID, learn.Good, day(0)), rated("c", card.ID, learn.Good, day(10)))
	want := ana.card(t, db, card.ID)
	_, cards := ana.review(t, db, rated("b", card.ID, learn.Again, day(5)))
	if cards[0].Memory == want.Memory {
		t.Fatal("the review that will be undone changed nothing")
	}
	undone := at.at
	for range 2 {
		r, c, err := db.UndoReview(ctx, ana.Profile.TenantID, ana.User.ID, "b", "phone")
		if err != nil || !r.UndoneAt.Equal(undone) || !reflect.DeepEqual(c, want) {
			t.Errorf("undone %+v, %v, the card %+v; want %+v", r, err, c, want)
		}
		at.at = at.at.Add(time.Hour)
	}
	if results, _ := ana.review(t, db, rated("b", card.ID, learn.Again, day(5))); results[0].Outcome != learn.ReviewRepeated {
		t.Errorf("sent again after it was undone: %+v", results)
	}
	_, _, err := db.UndoReview(ctx, eve.Profile.TenantID, eve.User.ID, "b", "")
	wantKind(t, "undoing somebody else's", err, learn.NotFound)
	_, _, err = db.UndoReview(ctx, ana.Profile.TenantID, ana.User.ID, "none", "")
	wantKind(t, "undoing what is not there", err, learn.NotFound)
	for _, id := range []string{"a", "c"} {
		_, _, err = db.UndoReview(ctx, ana.Profile.TenantID, ana.User.ID, id, "")
		must(t, err)
	}
	if c := ana.card(t, db, card.ID); c.Memory != (learn.Memory{State: learn.CardNew}) {
		t.Errorf("without reviews the card is %+v", c.Memory)
	}
}
