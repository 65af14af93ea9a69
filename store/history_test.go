package store_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"gorm.io/gorm"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

// TestDeleteConversationEverywhere: of everything that hangs on a conversation, what is
// part of it goes, what only points at it stays without the pointer, and what is somebody
// else's is not touched.
func TestDeleteConversationEverywhere(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			fill(t, db.Pool())
			if err := db.DeleteConversation(t.Context(), "school-ana", "ana", "ana-s"); err != nil {
				t.Fatal(err)
			}
			for _, f := range fixture {
				want := 2
				switch f.table {
				case "conversation_sessions", "conversation_messages", "conversation_goals", "corrections", "turn_analyses",
					"pronunciation_assessments", "pronunciation_words":
					want = 1 // Eve's
				case "tenants":
					want = 3
				}
				if got := rowsOf(t, db.Pool(), f.table); got != want {
					t.Errorf("%s: %d rows left, want %d", f.table, got, want)
				}
			}
			for _, column := range []string{
				"user_vocabulary.source_message_id", "user_vocabulary.source_correction_id",
				"memories.source_message_id", "provider_usage.session_id",
			} {
				table, field, _ := strings.Cut(column, ".")
				if got := rowsOf(t, db.Pool(), table+" WHERE "+field+" IS NOT NULL"); got != 1 {
					t.Errorf("%s: %d rows point at a conversation, want Eve's alone", column, got)
				}
			}
		})
	}
}

// TestMastered: a card is mastered by its stability in review, or by three uses on three
// days, and counts once.
func TestMastered(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) { testMastered(t, storetest.Open(t, fresh(t))) })
	}
}

func testMastered(t *testing.T, db *store.DB) {
	ana, eve := storetest.NewLearner(t, db, "ana"), storetest.NewLearner(t, db, "eve")
	days := []string{"2026-06-01", "2026-06-02", "2026-06-03"}
	want := 0
	for i, c := range []struct {
		what      string
		state     string
		stability float64
		deleted   bool
		uses      []use
		mastered  bool
	}{
		{"in review, 21 days", "review", 21, false, nil, true},
		{"in review, not quite", "review", 20.99, false, nil, false},
		{"being learned again", "relearning", 40, false, nil, false},
		{"deleted", "review", 40, true, nil, false},
		{"used on three days", "learning", 1, false, []use{{day: days[0]}, {day: days[1]}, {day: days[2]}}, true},
		{"both ways", "review", 30, false, []use{{day: days[0]}, {day: days[1]}, {day: days[2]}}, true},
		{"used three times on two days", "learning", 1, false, []use{{day: days[0]}, {day: days[1]}, {day: days[1]}}, false},
		{"used, and once wrongly", "learning", 1, false, []use{{day: days[0]}, {day: days[1]}, {day: days[2], rating: 2}}, false},
		{"used, and once by a card", "learning", 1, false, []use{{day: days[0]}, {day: days[1]}, {day: days[2], mode: "self"}}, false},
		{"used, and once undone", "learning", 1, false, []use{{day: days[0]}, {day: days[1]}, {day: days[2], undone: true}}, false},
		{"used on three days, deleted", "learning", 1, true, []use{{day: days[0]}, {day: days[1]}, {day: days[2]}}, false},
	} {
		addCard(t, db.Pool(), ana, fmt.Sprintf("card-%d", i), c.state, c.stability, c.deleted, c.uses)
		if c.mastered {
			want++
		}
		p, err := db.Profile(t.Context(), ana.Profile.TenantID, ana.User.ID, ana.Profile.ID)
		if err != nil || p.Mastered != want {
			t.Fatalf("with a card that is %s: %d mastered, %v; want %d", c.what, p.Mastered, err, want)
		}
	}
	if st, err := db.Statistics(t.Context(), ana.Profile.TenantID, ana.User.ID); err != nil || st.Mastered != want {
		t.Errorf("statistics: %d mastered, %v; want %d", st.Mastered, err, want)
	}
	if p, err := db.Profile(t.Context(), eve.Profile.TenantID, eve.User.ID, eve.Profile.ID); err != nil || p.Mastered != 0 {
		t.Errorf("Eve has mastered %d, %v; want none", p.Mastered, err)
	}
}

// use is one time that a word was used.
type use struct {
	day    string
	mode   string // in_conversation when empty
	rating int    // 3 when zero
	undone bool
}

// addCard stores a card by hand, since nothing makes cards yet.
func addCard(t *testing.T, pool *sql.DB, l storetest.Learner, id, state string, stability float64, deleted bool, uses []use) {
	t.Helper()
	const now = "'2026-06-01T00:00:00.000000Z'"
	when := func(yes bool) string {
		if yes {
			return now
		}
		return "NULL"
	}
	statements := []string{fmt.Sprintf(`INSERT INTO user_vocabulary (id, tenant_id, user_id, learning_profile_id, kind, front, back,
		state, stability, created_at, updated_at, deleted_at) VALUES ('%s', '%s', '%s', '%s', 'speak', 'a', 'b', '%s', %v, %s, %[7]s, %s)`,
		id, l.Profile.TenantID, l.User.ID, l.Profile.ID, state, stability, now, when(deleted))}
	for i, u := range uses {
		statements = append(statements, fmt.Sprintf(`INSERT INTO review_log (tenant_id, user_id, id, card_id, rating, reviewed_at,
			raw_reviewed_at, received_at, local_day, mode, state_before, undone_at, created_at)
			VALUES ('%s', '%s', '%s-%d', '%[3]s', %[5]d, %s, %[6]s, %[6]s, '%s', '%s', 'new', %s, %[6]s)`,
			l.Profile.TenantID, l.User.ID, id, i, cmp.Or(u.rating, 3), now, u.day, cmp.Or(u.mode, "in_conversation"), when(u.undone)))
	}
	for _, s := range statements {
		if _, err := pool.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReadsUseIndexes: no read that a client may repeat walks over a whole table, and lists
// come in an index's order.
func TestReadsUseIndexes(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			plans := plansOf(t, db, name == "SQLite", storetest.NewLearner(t, db, "ana"))
			if len(plans) < 10 {
				t.Errorf("saw %d statements", len(plans))
			}
			for statement, plan := range plans {
				for _, line := range plan {
					whole := strings.HasPrefix(line, "SCAN ") && line != "SCAN used" && line != "SCAN cards" || strings.Contains(line, "Seq Scan")
					sorted := strings.Contains(statement, "LIMIT") && (line == "USE TEMP B-TREE FOR ORDER BY" || strings.Contains(line, "Sort Key"))
					if whole || sorted {
						t.Errorf("%s\nin %s\nof %s", line, strings.Join(plan, "\n"), statement)
					}
				}
			}
		})
	}
}

// plansOf reads everything that is read for the API, and returns the plan of each statement.
func plansOf(t *testing.T, db *store.DB, lite bool, l storetest.Learner) map[string][]string {
	t.Helper()
	type statement struct {
		sql  string
		args []any
	}
	var seen []statement
	watch := func(tx *gorm.DB) {
		if sql := tx.Statement.SQL.String(); !strings.HasPrefix(sql, "EXPLAIN") {
			seen = append(seen, statement{sql, tx.Statement.Vars})
		}
	}
	on := db.Reader().Callback()
	if err := cmp.Or(on.Query().After("gorm:query").Register("test:watch", watch), on.Row().After("gorm:row").Register("test:watch", watch)); err != nil {
		t.Fatal(err)
	}
	readEverything(t, db, l)
	plans := map[string][]string{}
	explain := "EXPLAIN "
	if lite {
		explain = "EXPLAIN QUERY PLAN "
	}
	err := db.Gorm().WithContext(t.Context()).Transaction(func(tx *gorm.DB) error {
		if !lite { // its tables are too small for it to look for another way
			if err := tx.Exec("SET LOCAL enable_seqscan = off").Error; err != nil {
				return err
			}
		}
		for _, s := range seen {
			rows, err := tx.Statement.ConnPool.QueryContext(t.Context(), explain+s.sql, s.args...)
			if err != nil {
				return fmt.Errorf("%s: %w", s.sql, err)
			}
			for rows.Next() {
				var line, other any
				into := []any{&line}
				if lite {
					into = []any{&other, &other, &other, &line}
				}
				if err := rows.Scan(into...); err != nil {
					return err
				}
				plans[s.sql] = append(plans[s.sql], fmt.Sprint(line))
			}
			if err := rows.Close(); err != nil { //nolint:sqlclosecheck // the next plan is asked in this loop
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return plans
}

func readEverything(t *testing.T, db *store.DB, l storetest.Learner) {
	t.Helper()
	ctx, tenant, user := t.Context(), l.Profile.TenantID, l.User.ID
	c := l.Start(t, db)
	if err := db.AppendMessage(ctx, 1, storetest.Utterance(c, 1)); err != nil {
		t.Fatal(err)
	}
	for what, read := range map[string]func() error{
		"profiles":      func() error { _, err := db.ListProfiles(ctx, tenant, user); return err },
		"profile":       func() error { _, err := db.Profile(ctx, tenant, user, l.Profile.ID); return err },
		"statistics":    func() error { _, err := db.Statistics(ctx, tenant, user); return err },
		"conversations": func() error { _, err := db.ListConversations(ctx, tenant, user, "", 20, 0); return err },
		"of a profile":  func() error { _, err := db.ListConversations(ctx, tenant, user, l.Profile.ID, 20, 40); return err },
		"conversation":  func() error { _, err := db.Conversation(ctx, tenant, user, c.ID); return err },
		"transcript":    func() error { _, _, err := db.Transcript(ctx, tenant, user, c.ID, 0, 1000); return err },
		"recent":        func() error { _, err := db.RecentMessages(ctx, tenant, c.ID, 20); return err },
		"user":          func() error { _, err := db.UserByID(ctx, user); return err },
		"by e-mail":     func() error { _, err := db.UserByEmail(ctx, l.User.Email); return err },
	} {
		if err := read(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	if _, err := db.Conversation(ctx, tenant, user, "nothing"); learn.KindOf(err) != learn.NotFound {
		t.Fatal(err)
	}
}
