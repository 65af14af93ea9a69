package store_test

import (
	"encoding/json"
	"sync"
	"testing"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

func TestAnalysesOnSQLite(t *testing.T) { testAnalyses(t, storetest.SQLite) }

func TestAnalysesOnPostgres(t *testing.T) { testAnalyses(t, storetest.Postgres) }

// testAnalyses: what was found about a message is kept once, however often and by
// however many it is saved, and only for a message of the learner's own.
func testAnalyses(t *testing.T, fresh storetest.Fresh) {
	db := storetest.Open(t, fresh(t))
	ctx := t.Context()
	ana, eve := storetest.NewLearner(t, db, "ana"), storetest.NewLearner(t, db, "eve")
	c := ana.Start(t, db)
	said, answered := storetest.Utterance(c, 1), storetest.Utterance(c, 2)
	said.ID, answered.ID, answered.Speaker = "m-1", "m-2", learn.SpeakerTutor
	for _, m := range []learn.Message{said, answered} {
		if err := db.AppendMessage(ctx, 1, m); err != nil {
			t.Fatal(err)
		}
	}
	a := learn.TurnAnalysis{
		TenantID: c.TenantID, UserID: c.UserID, ProfileID: c.ProfileID, ConversationID: c.ID, MessageID: "m-1", Language: "es",
		Corrections: []learn.Correction{
			{ID: "c-1", Original: "buenos", Corrected: "buenas\x00", Start: 0, End: 6, Category: learn.Gender, Severity: learn.Minor,
				Explanation: "Because.", ExplanationLanguage: "en", Confidence: 0.5, HeardConfidence: 0.25},
			{Original: "días", Corrected: "tardes", Start: 7, End: 11, Category: learn.WordChoice, Severity: learn.Major, Explanation: "Late.", Withheld: true},
		},
		NewWords:   []learn.NewWord{{Lemma: "mercado", Surface: "mercado", Translation: "market", Level: learn.A1}},
		Understood: true, Provider: "anthropic/claude-x",
	}

	// Eight at once, and another that found something else.
	var saving sync.WaitGroup
	for range 8 {
		saving.Go(func() {
			if err := db.SaveAnalysis(ctx, a); err != nil {
				t.Errorf("SaveAnalysis: %v", err)
			}
		})
	}
	saving.Wait()
	again := a
	again.Corrections = []learn.Correction{{Original: "buenos", Corrected: "x", End: 6, Category: learn.Extra, Severity: learn.Minor, Explanation: "y"}}
	if err := db.SaveAnalysis(ctx, again); err != nil {
		t.Errorf("saving again: %v", err)
	}

	for what, spoil := range map[string]func(*learn.TurnAnalysis){
		"another user's":         func(a *learn.TurnAnalysis) { a.UserID = eve.User.ID },
		"another tenant's":       func(a *learn.TurnAnalysis) { a.TenantID = "school" },
		"the tutor's message":    func(a *learn.TurnAnalysis) { a.MessageID = "m-2" },
		"a message that is none": func(a *learn.TurnAnalysis) { a.MessageID = "m-9" },
		"another conversation's": func(a *learn.TurnAnalysis) { a.ConversationID = ana.Start(t, db).ID },
	} {
		wrong := a
		spoil(&wrong)
		if err := db.SaveAnalysis(ctx, wrong); learn.KindOf(err) != learn.NotFound || err == nil {
			t.Errorf("%s: %v, want not found", what, err)
		}
	}
	wantRows(t, db, "SELECT raw FROM turn_analyses WHERE status = 'done' AND message_id = 'm-1' AND model = 'anthropic/claude-x'",
		`{"new_words":[{"lemma":"mercado","level":"A1","surface":"mercado","translation":"market"}],"understood":true}`)
	wantRows(t, db, "SELECT corrected FROM corrections ORDER BY start_pos", "buenas\uFFFD", "tardes")
	wantRows(t, db, "SELECT id FROM corrections WHERE status = 'shown' AND user_id = '"+ana.User.ID+"' AND confidence = 0.5 AND asr_confidence_min = 0.25", "c-1")
	wantRows(t, db, "SELECT status FROM corrections WHERE asr_confidence_min IS NULL", "withheld")
	wantRows(t, db, "SELECT CAST(corrections_made AS TEXT) FROM conversation_sessions WHERE id = '"+c.ID+"'", "1")

	// After the end it may still come, and changes the totals of nothing else.
	if err := db.AppendMessage(ctx, 1, func() learn.Message { m := storetest.Utterance(c, 3); m.ID = "m-3"; return m }()); err != nil {
		t.Fatal(err)
	}
	if err := db.EndConversation(ctx, 1, c); err != nil {
		t.Fatal(err)
	}
	late := a
	late.MessageID, late.Corrections = "m-3", nil
	if err := db.SaveAnalysis(ctx, late); err != nil {
		t.Errorf("after the end: %v", err)
	}
}

// sorted gives a JSON object its members in order, which Postgres does not keep; other
// text stays as it is.
func sorted(s string) string {
	var m map[string]any
	if json.Unmarshal([]byte(s), &m) != nil {
		return s
	}
	b, err := json.Marshal(m)
	if err != nil {
		return s
	}
	return string(b)
}

// wantRows runs a query of one text column.
func wantRows(t *testing.T, db *store.DB, query string, want ...string) {
	t.Helper()
	rows, err := db.Pool().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		got = append(got, sorted(s))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%s\nhas %q, want %q", query, got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s\nhas %q, want %q", query, got, want)
		}
	}
}
