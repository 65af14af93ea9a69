package store_test

import (
	"fmt"
	"reflect"
	"testing"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

// textsOf reads rows of texts, each as one line.
func textsOf(t *testing.T, db *store.DB, query string, columns int) (out []string) {
	t.Helper()
	rows, err := db.Pool().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		values, into := make([]string, columns), make([]any, columns)
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(values))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// An edit leaves behind: the first text and words beside the new one, a turn that waits to be
// analysed, a card that points at no correction any more, and a feed that tells of all of it.
func TestTraceOfAnEdit(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ctx := t.Context()
			ana := storetest.NewLearner(t, db, "ana")
			c := ana.Start(t, db)
			m := storetest.Utterance(c, 1)
			m.ID, m.Content, m.Heard, m.Words = "m-1", "fui a la plaza", "fui a la plaza", []learn.SpokenWord{{Text: "fui", EndMS: 100, Confidence: 0.9}}
			a := learn.TurnAnalysis{TenantID: c.TenantID, UserID: c.UserID, ProfileID: c.ProfileID, ConversationID: c.ID, MessageID: "m-1", Language: "es", Understood: true,
				Corrections: []learn.Correction{{ID: "k-1", Original: "fui", Corrected: "iba", Start: 0, End: 3, Category: learn.VerbTense, Severity: learn.Minor, Explanation: "x"}}}
			for _, err := range []error{db.AppendMessage(ctx, 1, m), db.SaveAnalysis(ctx, a)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			card := fmt.Sprintf(`INSERT INTO user_vocabulary (id, tenant_id, user_id, learning_profile_id, kind, front, back, source_correction_id, created_at, updated_at)
				VALUES ('card-1', '%s', '%s', '%s', 'fix', 'f', 'b', 'k-1', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')`, c.TenantID, c.UserID, c.ProfileID)
			if _, err := db.Pool().ExecContext(ctx, card); err != nil {
				t.Fatal(err)
			}
			if _, err := db.CorrectTranscript(ctx, c.TenantID, c.UserID, "m-1", "fui a la playa"); err != nil {
				t.Fatal(err)
			}
			if _, err := db.CorrectTranscript(ctx, c.TenantID, c.UserID, "m-1", "fui a la playa blanca"); err != nil {
				t.Fatal(err)
			}
			for _, look := range []struct {
				query   string
				columns int
				want    []string
			}{
				{`SELECT content, original_content, CASE WHEN words IS NULL AND original_words IS NOT NULL THEN 'kept' ELSE 'lost' END FROM conversation_messages`, 3,
					[]string{"[fui a la playa blanca fui a la plaza kept]"}},
				{`SELECT entity, entity_id, op FROM change_feed WHERE entity <> 'profile' ORDER BY seq`, 3, []string{"[correction k-1 put]", "[correction k-1 delete]", "[card card-1 put]"}},
				{`SELECT status FROM turn_analyses`, 1, []string{"[queued]"}},
				{`SELECT id FROM corrections`, 1, nil},
				{`SELECT id FROM user_vocabulary WHERE source_correction_id IS NULL`, 1, []string{"[card-1]"}},
			} {
				if got := textsOf(t, db, look.query, look.columns); !reflect.DeepEqual(got, look.want) {
					t.Errorf("%s: %q, want %q", look.query, got, look.want)
				}
			}
		})
	}
}
