package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"kalami/session/learn"
)

// testTalkCredit: a due word that the learner used in a talk is a Good review of its card, once
// for the message, when nothing had asked for it; what was said before, what the card itself
// asks, a hint and a card that is not due make it a mere encounter.
func testTalkCredit(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	words := map[string]string{"free": "el mercado", "echoed": "la plaza", "asked": "el árbol", "hinted": "la leche", "early": "el pan"}
	for _, id := range []string{"free", "echoed", "asked", "hinted", "early"} {
		c := ana.Word(map[string]string{"asked": "tree"}[id]+" "+id, words[id])
		if id == "asked" {
			c.Front = "tree"
		}
		c.ID = id
		ana.Keep(t, db, c)
		ana.review(t, db, learn.Review{ID: "r-" + id, CardID: id, Rating: learn.Good, Mode: learn.ReviewSelf})
	}
	at.at = at.at.AddDate(0, 0, 30)
	ana.review(t, db, learn.Review{ID: "r-now", CardID: "early", Rating: learn.Easy, Mode: learn.ReviewSelf})

	c := ana.Start(t, db)
	asked, said := Utterance(c, 1), Utterance(c, 2)
	asked.ID, asked.Speaker, asked.Content, asked.Heard = "m-1", learn.SpeakerTutor, "¿Qué es tree? ¿Vas a la plaza?", "¿Qué es tree? ¿Vas a la plaza?"
	said.ID, said.CreatedAt = "m-2", at.at
	must(t, db.AppendMessage(ctx, 1, asked))
	must(t, db.AppendMessage(ctx, 1, said))
	a := learn.TurnAnalysis{TenantID: c.TenantID, UserID: c.UserID, ProfileID: c.ProfileID, ConversationID: c.ID, MessageID: "m-2", Language: "es"}
	for _, id := range []string{"free", "echoed", "asked", "hinted", "early", "nobody's"} {
		a.UsedDueWords = append(a.UsedDueWords, learn.UsedWord{ID: id, Surface: words[id], Prompted: id == "echoed" || id == "hinted"})
	}
	for range 2 { // the second time it is done already
		must(t, db.SaveAnalysis(ctx, a))
	}
	for id := range words {
		card := ana.card(t, db, id)
		credited := id == "free"
		used := map[string]int{"free": 1, "early": 1}[id]
		if reps := card.Memory.Reps; (reps == 2) != (credited || id == "early") || card.Encountered != 1 || card.UsedCorrectly != used {
			t.Errorf("%s: %d reviews, met %d times, used %d times", id, reps, card.Encountered, card.UsedCorrectly)
		}
	}
	log, err := db.ReviewLog(ctx, c.TenantID, c.UserID, "", at.at.Add(-time.Minute), "", 10)
	if must(t, err); len(log) != 2 {
		t.Fatalf("the log has %+v", log)
	}
	i := slices.IndexFunc(log, func(r learn.Review) bool { return r.CardID == "free" })
	if i < 0 || log[i].Mode != learn.ReviewInConversation || log[i].Rating != learn.Good || !log[i].At.Equal(at.at) {
		t.Errorf("the log has %+v", log)
	}
	// What was not said is not credited, nor what was written instead.
	_, err = db.CorrectTranscript(ctx, c.TenantID, c.UserID, "m-2", "No, el mercado.")
	must(t, err)
	must(t, db.SaveAnalysis(ctx, a))
	if card := ana.card(t, db, "free"); card.Memory.Reps != 1 {
		t.Errorf("after the edit: %d reviews", card.Memory.Reps)
	}
	if log, err = db.ReviewLog(ctx, c.TenantID, c.UserID, "", at.at.Add(-time.Minute), "", 10); err != nil || len(log) != 2 {
		t.Fatalf("the log has %+v, %v", log, err)
	}
	i = slices.IndexFunc(log, func(r learn.Review) bool { return r.CardID == "free" })
	if j := 1 - i; log[i].UndoneAt.IsZero() || !log[j].UndoneAt.IsZero() {
		t.Errorf("the log has %+v", log)
	}
	// Nobody else's cards.
	hers := eve.Start(t, db)
	other := Utterance(hers, 1)
	other.ID = "m-eve"
	must(t, db.AppendMessage(ctx, 1, other))
	must(t, db.SaveAnalysis(ctx, learn.TurnAnalysis{TenantID: hers.TenantID, UserID: hers.UserID, ProfileID: hers.ProfileID, ConversationID: hers.ID,
		MessageID: "m-eve", Language: "es", UsedDueWords: []learn.UsedWord{{ID: "hinted"}}}))
	if card := ana.card(t, db, "hinted"); card.Encountered != 1 {
		t.Errorf("somebody else's talk counts: %+v", card)
	}
}

// testManyReviews: what is sent in one call and stored in several transactions is counted on
// its days, also when it is sent again.
func testManyReviews(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	ana := NewLearner(t, db, "ana")
	words := make([]learn.Card, 130)
	for i := range words {
		words[i] = ana.Word("word", fmt.Sprint("palabra ", i))
	}
	added := ana.add(t, db, words...)
	at.at = at.at.AddDate(0, 0, 30)
	var reviews []learn.Review
	for n := range 10 {
		for i, a := range added {
			reviews = append(reviews, learn.Review{ID: fmt.Sprintf("%d-%d", n, i), CardID: a.Card.ID, Rating: learn.Good, Mode: learn.ReviewSelf,
				At: a.Card.CreatedAt.AddDate(0, 0, n+1)})
		}
	}
	for _, outcome := range []learn.ReviewOutcome{learn.ReviewApplied, learn.ReviewRepeated} {
		results, _, err := db.AppendReviews(t.Context(), ana.Profile.TenantID, ana.User.ID, reviews)
		if err != nil || slices.ContainsFunc(results, func(r learn.ReviewResult) bool { return r.Outcome != outcome }) {
			t.Fatalf("%s: %v", outcome, err)
		}
		activity, err := db.Activity(t.Context(), learn.ProgressQuery{TenantID: ana.Profile.TenantID, UserID: ana.User.ID, Days: 40})
		days, counted := 0, 0
		for _, d := range activity.Days {
			if counted += d.Reviews; d.Reviews > 0 {
				days++
			}
		}
		if err != nil || days != 10 || counted != len(reviews) {
			t.Errorf("%s: %d reviews are counted on %d days, %v", outcome, counted, days, err)
		}
	}
}
