package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

// traces looks through every column of every table of ours for any of the texts, and
// says where it found one.
func traces(t *testing.T, db *store.DB, texts ...string) (found []string) {
	t.Helper()
	for name := range schemaOf(t, db) {
		table, column, _ := strings.Cut(name, ".")
		for _, text := range texts {
			var n int
			query := fmt.Sprintf(`SELECT COUNT(*) FROM %s WHERE CAST(%s AS TEXT) LIKE '%%%s%%'`, table, column, text)
			if err := db.Pool().QueryRowContext(t.Context(), query).Scan(&n); err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				found = append(found, fmt.Sprintf("%s has %q in %d rows", name, text, n))
			}
		}
	}
	return found
}

// TestEraseUser: Ana, who has talked, signed in and asked for mail, leaves; of her no
// id, no address, no word and no hash stays in any column of any table. Eve, who did
// the same, has lost nothing.
func TestEraseUser(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ctx := t.Context()
			texts := map[string][]string{}
			for _, who := range []string{"ana", "eve"} {
				l := storetest.NewLearner(t, db, who)
				c := l.Start(t, db)
				word := "canary-" + who
				m := storetest.Utterance(c, 1)
				m.Content, m.Heard = word, word
				if err := db.AppendMessage(ctx, 1, m); err != nil {
					t.Fatal(err)
				}
				if err := db.EndConversation(ctx, 1, c); err != nil {
					t.Fatal(err)
				}
				if err := db.StartFamily(ctx, learn.RefreshToken{TenantID: learn.PersonalTenant, UserID: l.User.ID,
					DeviceID: word, Hash: word, ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
					t.Fatal(err)
				}
				if err := db.PutMailToken(ctx, learn.MailToken{UserID: l.User.ID, Purpose: learn.MailReset, Email: l.User.Email,
					Hash: word, ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
					t.Fatal(err)
				}
				texts[who] = []string{l.User.ID, l.Profile.ID, c.ID, who + "@example.org", word}
			}
			if n := len(traces(t, db, texts["ana"]...)); n < 15 {
				t.Fatalf("%d traces before: the search finds too few", n)
			}
			before := traces(t, db, texts["eve"]...)
			if err := db.EraseUser(ctx, texts["ana"][0]); err != nil {
				t.Fatal(err)
			}
			for _, trace := range traces(t, db, texts["ana"]...) {
				t.Error(trace)
			}
			if after := traces(t, db, texts["eve"]...); len(after) != len(before) {
				t.Errorf("Eve had %d traces and has %d", len(before), len(after))
			}
			if err := db.EraseUser(ctx, texts["ana"][0]); learn.KindOf(err) != learn.NotFound {
				t.Errorf("erasing again: %v, want NotFound", err)
			}
		})
	}
}

// TestErasureOfEveryTable is the same for a row in each table, written by hand.
func TestErasureOfEveryTable(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			fill(t, db.Pool())
			if err := db.EraseUser(t.Context(), "ana"); err != nil {
				t.Fatal(err)
			}
			for _, trace := range traces(t, db, "ana") {
				// The school, what it wrote and what it must answer for are not hers.
				if table, _, _ := strings.Cut(trace, "."); table != "tenants" && table != "audit_log" && table != "scenarios" && table != "vocabulary_items" {
					t.Error(trace)
				}
			}
			for _, trace := range traces(t, db, "ana") {
				if strings.HasPrefix(trace, "scenarios.author_id") {
					t.Error(trace)
				}
			}
		})
	}
}
