package store_test

import (
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store/storetest"
)

// A conversation that has ended waits for its report until somebody has made it; before and
// after, what is stored can be counted. What the learner has deleted is not remembered again.
func TestSummaries(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ctx := t.Context()
			ana, eve := storetest.NewLearner(t, db, "ana"), storetest.NewLearner(t, db, "eve")
			c := talked(t, db, ana)
			claims := func() []learn.SummaryClaim {
				t.Helper()
				got, err := db.ClaimSummaries(ctx, 9, time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				return got
			}
			if got := claims(); len(got) != 0 {
				t.Fatalf("claimed %+v while they talk", got)
			}
			c.Totals.Turns = 2
			silent := eve.Start(t, db)
			for _, ended := range []learn.Conversation{c, silent} {
				if err := db.EndConversation(ctx, 1, ended); err != nil {
					t.Fatal(err)
				}
			}
			if got := claims(); len(got) != 0 {
				t.Fatalf("claimed %+v while turns are analysed", got)
			}
			s, pending, err := db.Summary(ctx, c.TenantID, c.UserID, c.ID)
			if err != nil || !pending || s.Turns != 2 || s.Waiting != 2 || s.Words != 7 || s.Told.Language != "" {
				t.Errorf("counted %+v, %v, %v", s, pending, err)
			}
			for i, id := range []string{ana.User.ID + "-m-2", ana.User.ID + "-m-4"} {
				a := learn.TurnAnalysis{TenantID: c.TenantID, UserID: c.UserID, ConversationID: c.ID, MessageID: id, L1Words: []learn.L1Word{{Text: "cansado", Target: "agotado"}}}
				if i == 0 {
					a.Corrections = []learn.Correction{{ID: "c-1", Original: "soy", Corrected: "estoy", Start: 3, End: 6, Category: learn.WordChoice, Severity: learn.Major}}
				}
				if err := db.SaveAnalysis(ctx, a); err != nil {
					t.Fatal(err)
				}
			}
			got := claims()
			if len(got) != 1 || got[0].Attempt != 1 || got[0].Lesson.Conversation.ID != c.ID || len(got[0].Lesson.Said) != 5 || got[0].Lesson.NativeLanguage != "en" {
				t.Fatalf("claimed %+v", got)
			}
			if again := claims(); len(again) != 0 {
				t.Errorf("claimed twice: %+v", again)
			}
			if err := db.MissSummary(ctx, got[0], 0); err != nil {
				t.Fatal(err)
			}
			if got = claims(); len(got) != 1 || got[0].Attempt != 2 {
				t.Fatalf("claimed again %+v", got)
			}

			if _, err := db.Pool().ExecContext(ctx, `INSERT INTO memories (id, tenant_id, user_id, learning_profile_id, kind, text, created_at, deleted_at)
				VALUES ('y-1', 'personal', '`+c.UserID+`', '`+c.ProfileID+`', 'plan', 'LIKES tea.', '2026-01-01T00:00:00.000000Z', '2026-01-02T00:00:00.000000Z')`); err != nil {
				t.Fatal(err)
			}
			sum := got[0].Lesson.Counted()
			sum.Told = learn.ToldSummary{Language: "en", WentWell: []string{"You did."}, NextStep: "Do more.",
				Facts: []learn.MemoryFact{{Kind: "interest", Text: "Likes tea.", MessageID: ana.User.ID + "-m-2"}, {Kind: "plan", Text: "Will rest.", MessageID: ana.User.ID + "-m-4"}}}
			for range 2 {
				if err := db.SaveSummary(ctx, got[0].Lesson.Conversation, sum); err != nil {
					t.Fatal(err)
				}
			}
			wantRows(t, db, "SELECT text FROM memories WHERE deleted_at IS NULL", "Will rest.")
			wantRows(t, db, "SELECT m.text FROM change_feed f JOIN memories m ON m.id = f.entity_id WHERE f.entity = 'memory'", "Will rest.")
			s, pending, err = db.Summary(ctx, c.TenantID, c.UserID, c.ID)
			if err != nil || pending || s.Told.NextStep != "Do more." || len(s.CorrectionIDs) != 1 || s.Repaired != 1 || len(s.L1Words) != 1 || len(s.Suggestions) != 2 {
				t.Errorf("report %+v, %v, %v", s, pending, err)
			}
			if _, _, err := db.Summary(ctx, c.TenantID, eve.User.ID, c.ID); learn.KindOf(err) != learn.NotFound {
				t.Errorf("of somebody else's: %v", err)
			}
		})
	}
}

// A report that cannot be told has failed after some attempts; what is counted stays.
func TestFailedSummaries(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ana := storetest.NewLearner(t, db, "ana")
			c := talked(t, db, ana)
			if _, err := db.FinishConversation(t.Context(), c.TenantID, c.UserID, c.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Pool().ExecContext(t.Context(), "UPDATE turn_analyses SET status = 'failed'"); err != nil {
				t.Fatal(err)
			}
			for range learn.SummaryAttempts {
				got, err := db.ClaimSummaries(t.Context(), 9, 0)
				if err != nil || len(got) != 1 {
					t.Fatalf("claimed %+v, %v", got, err)
				}
				time.Sleep(time.Millisecond) // the lease is over
			}
			if got, err := db.ClaimSummaries(t.Context(), 9, 0); err != nil || len(got) != 0 {
				t.Errorf("claimed %+v, %v", got, err)
			}
			s, pending, err := db.Summary(t.Context(), c.TenantID, c.UserID, c.ID)
			if err != nil || pending || s.Turns != 2 || s.Waiting != 0 {
				t.Errorf("report %+v, %v, %v", s, pending, err)
			}
		})
	}
}
