package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

// talked stores a conversation of five messages, of which the learner's are m-2 and m-4.
func talked(t *testing.T, db *store.DB, l storetest.Learner) learn.Conversation {
	t.Helper()
	c := l.Start(t, db)
	for i, said := range []string{"¿Qué tal?", "Yo soy cansado.", "Vaya, estás cansado.", "Sí, estoy muy cansado.", "Descansa."} {
		m := storetest.Utterance(c, i+1)
		m.ID, m.Content, m.Heard, m.Turn, m.Speaker = fmt.Sprintf("%s-m-%d", l.User.ID, i+1), said, said, (i+1)/2, learn.SpeakerTutor
		if i%2 == 1 {
			m.Speaker = learn.SpeakerLearner
		}
		if err := db.AppendMessage(t.Context(), 1, m); err != nil {
			t.Fatal(err)
		}
		if err := db.AppendMessage(t.Context(), 1, m); err != nil { // once more
			t.Fatal(err)
		}
	}
	return c
}

// due makes every turn that waits one that its own session has not done.
func due(t *testing.T, db *store.DB) {
	t.Helper()
	if _, err := db.Pool().ExecContext(t.Context(), "UPDATE turn_analyses SET lease_until = '2026-01-01T00:00:00.000000Z' WHERE status = 'queued'"); err != nil {
		t.Fatal(err)
	}
}

func claim(t *testing.T, db *store.DB, n int) []learn.AnalysisClaim {
	t.Helper()
	claims, err := db.ClaimAnalyses(t.Context(), n, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(claims, func(a, b learn.AnalysisClaim) int { return a.Reviewed.Learner.Seq - b.Reviewed.Learner.Seq })
	return claims
}

// Every message of the learner's waits for its analysis from the moment at which it is
// stored. Its own session has it first; when that has not done it, one other does, with the
// turn around it; and when that one is gone, another.
func TestClaimedAnalyses(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ana := storetest.NewLearner(t, db, "ana")
			c := talked(t, db, ana)
			if got := claim(t, db, 9); len(got) != 0 {
				t.Fatalf("%d claims while the session may still do it", len(got))
			}
			due(t, db)

			// Eight nodes at once: each turn goes to one of them.
			var mu sync.Mutex
			var all []learn.AnalysisClaim
			var nodes sync.WaitGroup
			for range 8 {
				nodes.Go(func() {
					got, err := db.ClaimAnalyses(t.Context(), 1, time.Minute)
					if err != nil {
						t.Errorf("ClaimAnalyses: %v", err)
					}
					mu.Lock()
					all = append(all, got...)
					mu.Unlock()
				})
			}
			nodes.Wait()
			if len(all) != 2 || all[0].ID == all[1].ID {
				t.Fatalf("claimed %+v", all)
			}
			slices.SortFunc(all, func(a, b learn.AnalysisClaim) int { return a.Reviewed.Learner.Seq - b.Reviewed.Learner.Seq })
			first := all[0]
			r := first.Reviewed
			if first.ConversationID != c.ID || first.UserID != ana.User.ID || first.ProfileID != c.ProfileID || first.Attempt != 1 ||
				r.Question != "¿Qué tal?" || r.Learner.Content != "Yo soy cansado." || r.Answer != "Vaya, estás cansado." ||
				r.Language != "es" || r.NativeLanguage != ana.User.NativeLanguage || r.Level != ana.Profile.Level {
				t.Errorf("claimed %+v", first)
			}

			// What the first node does late counts, what the second does then changes nothing.
			due(t, db)
			if got := claim(t, db, 9); len(got) != 2 || got[0].Attempt != 2 {
				t.Fatalf("claimed %+v", got)
			}
			if err := db.MissAnalysis(t.Context(), first, 0); err != nil { // it has lost the claim
				t.Fatal(err)
			}
			if got := claim(t, db, 9); len(got) != 0 {
				t.Errorf("%d claims by the word of somebody who has lost them", len(got))
			}
			a := learn.TurnAnalysis{TenantID: c.TenantID, UserID: c.UserID, ConversationID: c.ID, MessageID: r.Learner.ID, Message: r.Learner.Content, Took: 1500 * time.Millisecond}
			if err := db.SaveAnalysis(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			wantRows(t, db, "SELECT message_id FROM turn_analyses WHERE status = 'done' AND latency_ms = 1500 AND lease_until IS NULL", r.Learner.ID)
			wantRows(t, db, "SELECT CAST(COUNT(*) AS TEXT) FROM turn_analyses", "2")
		})
	}
}

// A turn that cannot be analysed is tried five times, then it has failed; also when whoever
// tries dies of it each time.
func TestFailedAnalyses(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			talked(t, db, storetest.NewLearner(t, db, "ana"))
			for attempt := 1; attempt <= learn.AnalysisAttempts; attempt++ {
				due(t, db)
				got := claim(t, db, 9)
				if len(got) != 2 || got[0].Attempt != attempt {
					t.Fatalf("attempt %d: claimed %+v", attempt, got)
				}
				if err := db.MissAnalysis(t.Context(), got[0], time.Hour); err != nil { // of the other nothing is heard
					t.Fatal(err)
				}
			}
			wantRows(t, db, "SELECT CAST(COUNT(*) AS TEXT) FROM turn_analyses WHERE status = 'failed'", "1")
			due(t, db)
			if got := claim(t, db, 9); len(got) != 0 {
				t.Errorf("claimed %+v", got)
			}
			wantRows(t, db, "SELECT CAST(COUNT(*) AS TEXT) FROM turn_analyses WHERE status = 'failed' AND attempts = 5", "2")
		})
	}
}

// When the conversation ends, what its session has not done need not wait for it.
func TestEndHastensAnalyses(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			o := fresh(t)
			now := time.Now()
			o.Now = func() time.Time { return now }
			db := storetest.Open(t, o)
			ana, eve := storetest.NewLearner(t, db, "ana"), storetest.NewLearner(t, db, "eve")
			c := talked(t, db, ana)
			talked(t, db, eve)
			if err := db.EndConversation(t.Context(), 1, c); err != nil {
				t.Fatal(err)
			}
			wantRows(t, db, `SELECT m.session_id FROM turn_analyses a JOIN conversation_messages m ON m.id = a.message_id
				GROUP BY m.session_id ORDER BY MAX(a.lease_until) LIMIT 1`, c.ID)
			now = now.Add(20 * time.Second) // of SQLite's clock
			if name == "SQLite" {
				if got := claim(t, db, 9); len(got) != 2 || got[0].ConversationID != c.ID {
					t.Errorf("claimed %+v", got)
				}
			}
		})
	}
}

// What was analysed of a message that reads otherwise by now is refused.
func TestAnalysisOfAnEditedMessage(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ana := storetest.NewLearner(t, db, "ana")
			c := talked(t, db, ana)
			a := learn.TurnAnalysis{TenantID: c.TenantID, UserID: c.UserID, ConversationID: c.ID, MessageID: ana.User.ID + "-m-2", Message: "Yo fui cansado."}
			if err := db.SaveAnalysis(t.Context(), a); learn.KindOf(err) != learn.Conflict {
				t.Errorf("saved: %v, want conflict", err)
			}
			wantRows(t, db, "SELECT CAST(COUNT(*) AS TEXT) FROM turn_analyses WHERE status = 'done'", "0")
		})
	}
}

// An analysis of the first version stays that of its message.
func TestAnalysisOfAnEarlierVersion(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ana := storetest.NewLearner(t, db, "ana")
			c := talked(t, db, ana)
			message := ana.User.ID + "-m-2"
			if _, err := db.Pool().ExecContext(t.Context(), "UPDATE turn_analyses SET schema_version = 1, status = 'done', raw = '{}' WHERE message_id = '"+message+"'"); err != nil {
				t.Fatal(err)
			}
			a := learn.TurnAnalysis{TenantID: c.TenantID, UserID: c.UserID, ConversationID: c.ID, MessageID: message,
				Corrections: []learn.Correction{{Original: "soy", Corrected: "estoy", End: 3, Category: learn.WordChoice, Severity: learn.Minor}}}
			if err := db.SaveAnalysis(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			wantRows(t, db, "SELECT raw FROM turn_analyses WHERE message_id = '"+message+"'", "{}")
			wantRows(t, db, "SELECT CAST(COUNT(*) AS TEXT) FROM corrections", "0")
		})
	}
}

// A mistake that the learner says rightly later is repaired, in whichever order the turns
// are analysed; the learner's devices hear of it.
func TestRepairs(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			for _, early := range []bool{true, false} {
				l := storetest.NewLearner(t, db, fmt.Sprintf("ana-%v", early))
				c := talked(t, db, l)
				a := learn.TurnAnalysis{TenantID: c.TenantID, UserID: c.UserID, ConversationID: c.ID, MessageID: l.User.ID + "-m-2",
					Corrections: []learn.Correction{
						{ID: l.User.ID + "-c", Original: "soy", Corrected: "estoy", Start: 3, End: 6, Category: learn.WordChoice, Severity: learn.Major},
						{ID: l.User.ID + "-w", Original: "cansado", Corrected: "Descansa", Start: 7, End: 14, Category: learn.WordChoice, Severity: learn.Major, Withheld: true},
					}}
				b := a
				b.MessageID, b.Corrections, b.L1Words = l.User.ID+"-m-4", nil, []learn.L1Word{{Text: "a", Target: "b"}}
				for _, one := range map[bool][]learn.TurnAnalysis{true: {a, b}, false: {b, a}}[early] {
					if err := db.SaveAnalysis(t.Context(), one); err != nil {
						t.Fatal(err)
					}
				}
				of := "'" + l.User.ID + "'"
				wantRows(t, db, "SELECT repair FROM corrections WHERE user_id = "+of+" ORDER BY start_pos", "repaired", "none")
				wantRows(t, db, "SELECT entity_id FROM change_feed WHERE entity = 'correction' AND user_id = "+of+" ORDER BY entity_id", l.User.ID+"-c", l.User.ID+"-w")
				wantRows(t, db, "SELECT CAST(l1_words AS TEXT) FROM conversation_sessions WHERE user_id = "+of, "1")
			}
		})
	}
}

// Who is still at it keeps its claims for longer; who has lost or given back one changes
// nothing by that.
func TestHeldAnalyses(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			talked(t, db, storetest.NewLearner(t, db, "ana"))
			hold := func(c ...learn.AnalysisClaim) {
				t.Helper()
				if err := db.HoldAnalyses(t.Context(), c, time.Minute); err != nil {
					t.Fatal(err)
				}
			}
			due(t, db)
			first := claim(t, db, 9)
			if len(first) != 2 {
				t.Fatalf("claimed %+v", first)
			}
			due(t, db) // its time is nearly over
			hold(first[1:]...)
			second := claim(t, db, 9)
			if len(second) != 1 || second[0].ID != first[0].ID || second[0].Attempt != 2 {
				t.Fatalf("another node has claimed %+v", second)
			}
			due(t, db)
			hold(first[0], first[1])
			if got := claim(t, db, 9); len(got) != 1 || got[0].ID != first[0].ID || got[0].Attempt != 3 {
				t.Errorf("claimed %+v after a word of somebody who has lost it", got)
			}
			if err := db.MissAnalysis(t.Context(), first[1], time.Hour); err != nil {
				t.Fatal(err)
			}
			until := leaseOf(t, db, first[1].ID)
			if hold(first[1]); leaseOf(t, db, first[1].ID) != until {
				t.Error("a claim that was given back comes again at once")
			}
		})
	}
}

// leaseOf reads until when a turn waits.
func leaseOf(t *testing.T, db *store.DB, id string) (until string) {
	t.Helper()
	if err := db.Pool().QueryRowContext(t.Context(), "SELECT CAST(lease_until AS TEXT) FROM turn_analyses WHERE id = '"+id+"'").Scan(&until); err != nil {
		t.Fatal(err)
	}
	return until
}
