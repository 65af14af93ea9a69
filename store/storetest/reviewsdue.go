package storetest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
)

func (l Learner) due(tb testing.TB, db *store.DB, limit int) learn.DueQueue {
	tb.Helper()
	q, err := db.DueCards(tb.Context(), l.Profile.TenantID, l.User.ID, l.Profile.ID, limit)
	if err != nil {
		tb.Fatalf("DueCards: %v", err)
	}
	return q
}

// testDueCards: what is due comes first, then ten new ones a day and no more, by the
// learner's own day.
func testDueCards(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 5, 4, 13, 0, 0, 0, time.UTC)} // 22:00 in Tokyo
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	ana := NewLearner(t, db, "ana")
	must(t, db.SetTimeZone(ctx, ana.User.ID, "Asia/Tokyo"))
	if q := ana.due(t, db, 5); q.Due != 0 || q.New != 0 || len(q.Cards) != 0 {
		t.Errorf("without cards there is %+v", q)
	}
	var ids []string
	for n := range 14 {
		ids = append(ids, ana.Keep(t, db, ana.Word("x", fmt.Sprint("palabra ", n))).ID)
		at.at = at.at.Add(time.Second)
	}
	q := ana.due(t, db, 4)
	if q.Due != 0 || q.New != 10 || q.IntroducedToday != 0 || len(q.Cards) != 4 || q.Cards[0].Card.ID != ids[0] {
		t.Errorf("at first there is %+v", q)
	}
	for i, p := range q.Cards[0].Previews {
		if p.Rating != learn.Rating(i+1) || !p.DueAt.After(at.at) || i > 0 && p.DueAt.Before(q.Cards[0].Previews[i-1].DueAt) {
			t.Errorf("preview %d is %+v", i, p)
		}
	}
	for n := range 7 {
		ana.review(t, db, rated(fmt.Sprint("r", n), ids[n], learn.Good, at.at))
	}
	at.at = at.at.Add(30 * time.Minute) // learning steps are over
	q = ana.due(t, db, 100)
	if q.Due != 7 || q.New != 3 || q.IntroducedToday != 7 || len(q.Cards) != 10 || q.Cards[0].Card.ID != ids[0] || q.Cards[7].Card.ID != ids[7] {
		t.Errorf("after seven new ones there is %+v", q)
	}
	preview := q.Cards[0].Previews[learn.Easy-1]
	_, cards := ana.review(t, db, rated("easy", ids[0], learn.Easy, at.at))
	if cards[0].Memory != preview.Memory || !cards[0].Memory.DueAt.Equal(preview.DueAt) {
		t.Errorf("promised %+v, came to %+v", preview, cards[0].Memory)
	}
	_, err := db.PatchCard(ctx, learn.CardPatch{TenantID: ana.Profile.TenantID, UserID: ana.User.ID, ID: ids[1], Suspended: new(true)})
	must(t, err)
	must(t, db.DeleteCard(ctx, ana.Profile.TenantID, ana.User.ID, ids[2], ""))
	if q = ana.due(t, db, 100); q.Due != 4 || q.New != 3 {
		t.Errorf("without those that are suspended, deleted and known there is %+v", q)
	}
	at.at = at.at.Add(2 * time.Hour) // midnight has passed in Tokyo, and nowhere else
	if q = ana.due(t, db, 100); q.New != 7 || q.IntroducedToday != 0 {
		t.Errorf("on the next day there is %+v", q)
	}
	words, err := db.DueWords(ctx, ana.Profile.TenantID, ana.User.ID, ana.Profile.ID, 6)
	if err != nil || len(words) != 6 || words[0].ID != ids[3] {
		t.Errorf("words for a conversation: %s, %v", fronts(words), err)
	}
}

// testForecast: each card is on the day on which it comes due where the learner is, and what
// is overdue on today.
func testForecast(t *testing.T, fresh Fresh) {
	o := fresh(t)
	made := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := &clock{made}
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	ana := NewLearner(t, db, "ana")
	must(t, db.SetTimeZone(ctx, ana.User.ID, "America/St_Johns"))
	zone, err := time.LoadLocation("America/St_Johns")
	must(t, err)
	want := map[string]int{}
	for n := range 8 {
		c := ana.Keep(t, db, ana.Word("x", fmt.Sprint("palabra ", n)))
		_, cards := ana.review(t, db, rated(fmt.Sprint("r", n), c.ID, learn.Easy, made), rated(fmt.Sprint("s", n), c.ID, learn.Rating(1+n%4), made))
		due := cards[0].Memory.DueAt
		if due.Before(made.AddDate(0, 0, 1)) {
			due = made
		}
		want[due.In(zone).Format(time.DateOnly)]++
		at.at = at.at.Add(time.Minute)
	}
	loads, err := db.Forecast(ctx, ana.Profile.TenantID, ana.User.ID, "", 60)
	must(t, err)
	if len(loads) != 60 || loads[0].Day != "2026-05-04" || loads[59].Day != "2026-07-02" {
		t.Fatalf("the forecast is %+v", loads)
	}
	got := map[string]int{}
	for _, l := range loads {
		if l.Due > 0 {
			got[l.Day] = l.Due
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the forecast is %v, want %v", got, want)
	}
	at.at = made.AddDate(1, 0, 0)
	if loads, err = db.Forecast(ctx, ana.Profile.TenantID, ana.User.ID, ana.Profile.ID, 1); err != nil || loads[0] != (learn.DayLoad{Day: "2027-05-04", Due: 8}) {
		t.Errorf("a year later %+v, %v", loads, err)
	}
	if loads, err = db.Forecast(ctx, ana.Profile.TenantID, ana.User.ID, "another", 1); err != nil || loads[0].Due != 0 {
		t.Errorf("of another profile %+v, %v", loads, err)
	}
}

// testReviewStatistics: retention counts cards in review and what was asked; a card that is
// forgotten eight times is a leech.
func testReviewStatistics(t *testing.T, fresh Fresh) {
	o := fresh(t)
	made := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := &clock{made}
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	good, bad := ana.Keep(t, db, ana.Word("dog", "el perro")), ana.Keep(t, db, ana.Word("cat", "el gato"))
	ana.Keep(t, db, ana.Word("cow", "la vaca"))
	eve.Keep(t, db, eve.Word("dog", "el perro"))
	at.at = made.AddDate(0, 1, 0)
	day := func(n int) time.Time { return made.AddDate(0, 0, n) }
	easy := rated("g0", good.ID, learn.Easy, day(0))
	easy.Duration = 1500 * time.Millisecond
	talked := rated("g2", good.ID, learn.Good, day(20))
	talked.Mode = learn.ReviewInConversation
	reviews := []learn.Review{easy, rated("g1", good.ID, learn.Hard, day(9)), talked, rated("b0", bad.ID, learn.Easy, day(0))}
	for n := range 7 {
		reviews = append(reviews, rated(fmt.Sprint("b", 2*n+1), bad.ID, learn.Again, day(2*n+1)), rated(fmt.Sprint("b", 2*n+2), bad.ID, learn.Easy, day(2*n+2)))
	}
	_, cards := ana.review(t, db, reviews...)
	for _, c := range cards {
		if c.Leech || c.ID == bad.ID && c.Memory.Lapses != 7 {
			t.Errorf("after seven lapses %+v", c)
		}
	}
	if _, cards = ana.review(t, db, rated("last", bad.ID, learn.Again, day(25))); !cards[0].Leech || cards[0].Memory.Lapses != 8 {
		t.Errorf("after eight lapses %+v", cards[0])
	}
	_, _, err := db.UndoReview(ctx, ana.Profile.TenantID, ana.User.ID, "b14", "")
	must(t, err)
	st, err := db.ReviewStatistics(ctx, ana.Profile.TenantID, ana.User.ID, "", 60)
	must(t, err)
	// Mature are g1 and b1 to b13; the last one follows an Easy that was undone.
	want := learn.ReviewStats{Reviews: 18, Ratings: [4]int{8, 1, 1, 8}, Mature: 8, Remembered: 1, Time: 1500 * time.Millisecond, Days: 16,
		Cards: map[learn.CardState]int{learn.CardNew: 1, learn.CardReview: 1, learn.CardRelearning: 1}, DueNow: 1}
	if !reflect.DeepEqual(st, want) {
		t.Errorf("the statistics are %+v\nwant %+v", st, want)
	}
	if st, err = db.ReviewStatistics(ctx, ana.Profile.TenantID, ana.User.ID, ana.Profile.ID, 12); err != nil || st.Reviews != 2 || st.Days != 2 {
		t.Errorf("the last days: %+v, %v", st, err)
	}
	if st, err = db.ReviewStatistics(ctx, eve.Profile.TenantID, eve.User.ID, "", 60); err != nil || st.Reviews != 0 || st.Cards[learn.CardNew] != 1 {
		t.Errorf("Eve's: %+v, %v", st, err)
	}
}

// testCredit: only a use that tests the memory of a card that is due is a review of it, once.
func testCredit(t *testing.T, fresh Fresh) {
	o := fresh(t)
	made := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := &clock{made}
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	due, known := ana.Keep(t, db, ana.Word("dog", "el perro")), ana.Keep(t, db, ana.Word("cat", "el gato"))
	theirs := eve.Keep(t, db, eve.Word("dog", "el perro"))
	ana.review(t, db, rated("d", due.ID, learn.Easy, made), rated("k0", known.ID, learn.Easy, made))
	at.at = made.AddDate(0, 0, 40)
	ana.review(t, db, rated("k1", known.ID, learn.Easy, at.at.Add(-time.Hour)))
	use := func(id, message string) learn.CardUse {
		return learn.CardUse{CardID: id, MessageID: message, At: at.at, Used: true}
	}
	prompted, echoed, met := use(due.ID, "m1"), use(due.ID, "m2"), use(due.ID, "m3")
	prompted.Prompted, echoed.Echoed, met.Used = true, true, false
	for _, step := range []struct {
		uses                   []learn.CardUse
		credited               []bool
		encountered, used, log int // of the card that is due, and all reviews
	}{
		{[]learn.CardUse{prompted, echoed, met}, []bool{false, false, false}, 3, 0, 3},
		{[]learn.CardUse{use(known.ID, "m4"), use(theirs.ID, "m4"), use("none", "m4")}, []bool{false, false, false}, 3, 0, 3},
		{[]learn.CardUse{use(due.ID, "m5"), use(due.ID, "m5")}, []bool{true, false}, 5, 2, 4},
		{[]learn.CardUse{use(due.ID, "m5")}, []bool{false}, 6, 3, 4},
		{[]learn.CardUse{use(due.ID, "m6")}, []bool{false}, 7, 4, 4}, // not due any more
	} {
		credited, err := db.CreditUse(ctx, ana.Profile.TenantID, ana.User.ID, step.uses...)
		c := ana.card(t, db, due.ID)
		if log := ana.log(t, db); err != nil || !reflect.DeepEqual(credited, step.credited) || c.Encountered != step.encountered ||
			c.UsedCorrectly != step.used || len(log) != step.log {
			t.Errorf("%+v:\ncredited %v, %v; the card %+v, %d reviews; want %+v", step.uses, credited, err, c, len(log), step)
		}
	}
	log := ana.log(t, db)
	if last := log[len(log)-1]; last.Mode != learn.ReviewInConversation || last.Rating != learn.Good || last.CardID != due.ID {
		t.Errorf("credited as %+v", last)
	}
	if c := ana.card(t, db, due.ID); !c.LastUsedAt.Equal(at.at) || c.Memory.Reps != 2 {
		t.Errorf("the card is %+v", c)
	}
	if c := eve.card(t, db, theirs.ID); c.Encountered != 0 {
		t.Errorf("Eve's card was met: %+v", c)
	}
}
