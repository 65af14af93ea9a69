package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"

	"kalami/store"
	"kalami/store/storetest"
)

// column is a column as both dialects can describe it.
type column struct {
	kind    string
	notNull bool
}

// schemaOf returns the columns of every table of ours, as "table.column".
func schemaOf(t *testing.T, db *store.DB) map[string]column {
	t.Helper()
	query := `SELECT m.name, p.name, p.type, p."notnull" FROM sqlite_schema m, pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`
	if db.Gorm().Name() == "postgres" {
		query = `SELECT table_name, column_name, data_type, is_nullable = 'NO'
			FROM information_schema.columns WHERE table_schema = current_schema()`
	}
	rows, err := db.Pool().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns := map[string]column{}
	for rows.Next() {
		var table, name string
		var c column
		if err := rows.Scan(&table, &name, &c.kind, &c.notNull); err != nil {
			t.Fatal(err)
		}
		if table != "goose_db_version" {
			columns[table+"."+name] = c
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return columns
}

// TestTenantTables: the guard knows every table that has a tenant in each row, and
// every table of the schema is either such a one or known not to be.
func TestTenantTables(t *testing.T) {
	columns := schemaOf(t, storetest.Open(t, storetest.SQLite(t)))
	tables := map[string]bool{}
	for name := range columns {
		table, _, _ := strings.Cut(name, ".")
		tables[table] = true
	}
	global := []string{"tenants", "users", "mail_tokens", "once_secrets", "scenarios", "vocabulary_items"}
	if len(tables) != 30 {
		t.Errorf("%d tables, want 30", len(tables))
	}
	for table := range tables {
		tenant := columns[table+".tenant_id"].notNull
		if tenant != store.IsTenantTable(table) || tenant == slices.Contains(global, table) {
			t.Errorf("%s: tenant in each row %v, guarded %v", table, tenant, store.IsTenantTable(table))
		}
	}
}

// TestDialects: both sets of migrations make the same tables.
func TestDialects(t *testing.T) {
	post := schemaOf(t, storetest.Open(t, storetest.Postgres(t)))
	lite := schemaOf(t, storetest.Open(t, storetest.SQLite(t)))
	same := map[string]string{
		"text": "TEXT", "jsonb": "TEXT", "integer": "INTEGER", "bigint": "INTEGER",
		"boolean": "BOOLEAN", "double precision": "REAL", "timestamp with time zone": "TIMESTAMP",
	}
	for name, c := range post {
		c.kind = same[c.kind]
		if lite[name] != c {
			t.Errorf("%s: %+v in Postgres, %+v in SQLite", name, c, lite[name])
		}
	}
	if len(post) != len(lite) {
		t.Errorf("%d columns in Postgres, %d in SQLite", len(post), len(lite))
	}
}

// TestTimesCompare: in SQLite every time is text of one width in UTC.
func TestTimesCompare(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite(t))
	c := storetest.NewLearner(t, db, "ana").Start(t, db)
	if err := db.AppendMessage(t.Context(), 1, storetest.Utterance(c, 1)); err != nil {
		t.Fatal(err)
	}
	if err := db.EndConversation(t.Context(), 1, c); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name, col := range schemaOf(t, db) {
		if col.kind != "TIMESTAMP" {
			continue
		}
		table, field, _ := strings.Cut(name, ".")
		var good, bad int
		query := fmt.Sprintf(`SELECT COUNT(*) FILTER (WHERE like), COUNT(*) FILTER (WHERE NOT like)
			FROM (SELECT %s GLOB '????-??-??T??:??:??.??????Z' AS like FROM %s WHERE %[1]s IS NOT NULL)`, field, table)
		if err := db.Pool().QueryRowContext(t.Context(), query).Scan(&good, &bad); err != nil {
			t.Fatal(err)
		}
		if bad > 0 {
			t.Errorf("%s has %d times in another form", name, bad)
		}
		seen += good
	}
	if seen < 10 {
		t.Errorf("saw %d times, want those of all tables written", seen)
	}
}

// fixture is one learner's row in every table of the schema, by hand: {id} begins
// the row's own key, {u} the keys of the learner's other rows that it points at.
var fixture = []struct{ table, columns, values string }{
	{"tenants", "id, slug, name, kind, created_at", "'{t}', '{t}', 'T', 'school', {now}"},
	{"users", "id, created_at, updated_at", "'{id}', {now}, {now}"},
	{"memberships", "id, tenant_id, user_id, role, created_at", "'{id}-m', '{t}', '{u}', 'learner', {now}"},
	{"devices", "id, tenant_id, user_id, created_at", "'{id}-d', '{t}', '{u}', {now}"},
	{"refresh_families", "id, tenant_id, user_id, token_version, expires_at, created_at", "'{id}-rf', '{t}', '{u}', 0, {now}, {now}"},
	{"refresh_tokens", "id, tenant_id, family_id, token_hash, expires_at, created_at", "'{id}-r', '{t}', '{u}-rf', '{id}-h', {now}, {now}"},
	{"mail_tokens", "token_hash, user_id, purpose, email, expires_at, created_at", "'{id}-mt', '{u}', 'reset', '{u}@example.org', {now}, {now}"},
	{"learning_profiles", "id, tenant_id, user_id, target_language, cefr_level, created_at, updated_at", "'{id}-p', '{t}', '{u}', 'es', 'A1', {now}, {now}"},
	{"scenarios", "id, tenant_id, slug, version, title, cefr_min, cefr_max, author_id, created_at", "'{id}-sc', '{t}', '{id}', 1, '{}', 'A1', 'A2', '{u}', {now}"},
	{"conversation_sessions", "id, tenant_id, user_id, learning_profile_id, mode, cefr_at_start, status, epoch, started_at, last_activity_at, created_at", "'{id}-s', '{t}', '{u}', '{u}-p', 'live', 'A1', 'active', 1, {now}, {now}, {now}"},
	{"conversation_messages", "id, tenant_id, session_id, utterance_id, epoch, seq, turn_no, role, content, source, created_at", "'{id}-msg', '{t}', '{u}-s', 'x', 1, 1, 1, 'user', 'hola', 'voice', {now}"},
	{"conversation_goals", "tenant_id, session_id, goal_id, message_id, quote, met_at, created_at", "'{t}', '{u}-s', '{id}-g', '{u}-msg', 'hola', {now}, {now}"},
	{"corrections", "id, tenant_id, user_id, session_id, message_id, original, corrected, start_pos, end_pos, category, severity, source, status, created_at", "'{id}-c', '{t}', '{u}', '{u}-s', '{u}-msg', 'a', 'b', 0, 1, 'article', 'low', 'llm', 'shown', {now}"},
	{"turn_analyses", "id, tenant_id, message_id, schema_version, status, created_at", "'{id}-a', '{t}', '{u}-msg', 1, 'done', {now}"},
	{"vocabulary_items", "id, tenant_id, language, word, lemma, created_at", "'{id}-v', '{t}', 'es', 'hola', '{id}', {now}"},
	{"user_vocabulary", "id, tenant_id, user_id, learning_profile_id, kind, front, back, source_message_id, source_correction_id, created_at, updated_at", "'{id}-k', '{t}', '{u}', '{u}-p', 'fix', 'a', 'b', '{u}-msg', '{u}-c', {now}, {now}"},
	{"review_log", "id, tenant_id, user_id, card_id, rating, reviewed_at, raw_reviewed_at, received_at, local_day, mode, state_before, created_at", "'{id}-l', '{t}', '{u}', '{u}-k', 3, {now}, {now}, {now}, '2026-01-01', 'self', 'new', {now}"},
	{"scheduler_params", "id, tenant_id, user_id, learning_profile_id, algorithm, weights, desired_retention, max_interval, created_at", "'{id}-f', '{t}', '{u}', '{u}-p', 'fsrs-5', '[]', 0.9, 365, {now}"},
	{"pronunciation_assessments", "id, tenant_id, user_id, session_id, message_id, mode, provider, basis, language, created_at", "'{id}-pa', '{t}', '{u}', '{u}-s', '{u}-msg', 'scripted', 'basic', 'asr_recognition', 'es', {now}"},
	{"pronunciation_words", "tenant_id, assessment_id, idx, word, status, created_at", "'{t}', '{u}-pa', 0, 'hola', 'match', {now}"},
	{"consents", "id, tenant_id, user_id, purpose, granted_by, method, text_version, granted_at, created_at", "'{id}-co', '{t}', '{u}', 'pronunciation_provider', '{u}', 'app', '1', {now}, {now}"},
	{"level_estimates", "id, tenant_id, user_id, learning_profile_id, method_version, level, low, high, created_at", "'{id}-e', '{t}', '{u}', '{u}-p', 1, 'A2', 'A1', 'B1', {now}"},
	{"daily_activity", "tenant_id, user_id, learning_profile_id, local_day, created_at", "'{t}', '{u}', '{u}-p', '2026-01-01', {now}"},
	{"memories", "id, tenant_id, user_id, learning_profile_id, kind, text, source_message_id, created_at", "'{id}-y', '{t}', '{u}', '{u}-p', 'fact', 'likes tea', '{u}-msg', {now}"},
	{"provider_usage", "id, tenant_id, user_id, session_id, provider, kind, units, at, created_at", "'{id}-x', '{t}', '{u}', '{u}-s', 'deepgram', 'stt', 1000, {now}, {now}"},
	{"audit_log", "id, tenant_id, action, object_type, object_id, at", "'{id}-al', '{t}', 'conversation.resume_refused', 'conversation', 'some conversation', {now}"},
	{"user_sync", "tenant_id, user_id, created_at", "'{t}', '{u}', {now}"},
	{"change_feed", "tenant_id, user_id, seq, entity, entity_id, op, at, created_at", "'{t}', '{u}', 1, 'card', 'some card', 'put', {now}, {now}"},
	{"sync_mutations", "tenant_id, user_id, mutation_id, device_id, result, applied_at, created_at", "'{t}', '{u}', '{u}-sm', 'd', '{}', {now}, {now}"},
}

// insert inserts a row of fixture with own key id for a user of a tenant.
func insert(pool *sql.DB, table, columns, values, id, tenant, user string) error {
	values = strings.NewReplacer("{id}", id, "{t}", tenant, "{u}", user,
		"{now}", "'2026-01-01T00:00:00.000000Z'").Replace(values)
	_, err := pool.ExecContext(context.Background(), "INSERT INTO "+table+" ("+columns+") VALUES ("+values+")")
	return err
}

// fill inserts all of fixture for Ana and for Eve, each in a school of her own.
func fill(t *testing.T, pool *sql.DB) {
	t.Helper()
	for _, who := range []string{"ana", "eve"} {
		for _, f := range fixture {
			if err := insert(pool, f.table, f.columns, f.values, who, "school-"+who, who); err != nil {
				t.Fatalf("%s: %v", f.table, err)
			}
		}
	}
}

// TestErasure: deleting a user deletes every row that is theirs, in all tables,
// and nobody else's.
func TestErasure(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			pool := storetest.Open(t, fresh(t)).Pool()
			fill(t, pool)
			if _, err := pool.ExecContext(t.Context(), "DELETE FROM users WHERE id = 'ana'"); err != nil {
				t.Fatal(err)
			}
			for _, f := range fixture {
				left := rowsOf(t, pool, f.table)
				want := 1 // Eve's
				switch f.table {
				case "tenants":
					want = 3
				case "audit_log": // names people by ids alone, and stays
					want = 2
				case "scenarios", "vocabulary_items": // the school's
					want = 2
				}
				if left != want {
					t.Errorf("%s: %d rows left, want %d", f.table, left, want)
				}
			}
		})
	}
}

func rowsOf(t *testing.T, pool *sql.DB, table string) (n int) {
	t.Helper()
	if err := pool.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestNoRowAcrossTenants: a row that points at one of another tenant's is refused
// by the schema itself, whichever of its references it is.
func TestNoRowAcrossTenants(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			pool := storetest.Open(t, fresh(t)).Pool()
			fill(t, pool)
			tried := 0
			for _, f := range fixture {
				// {u} is Eve in Eve's school, with one reference to a row of Ana's.
				for _, ref := range []string{"p", "s", "msg", "c", "k", "pa", "rf"} {
					values := strings.ReplaceAll(f.values, "'{u}-"+ref+"'", "'ana-"+ref+"'")
					if values == f.values {
						continue
					}
					tried++
					if err := insert(pool, f.table, f.columns, values, "new", "school-eve", "eve"); !isForeignKey(err) {
						t.Errorf("%s pointing at Ana's %s: %v, want a foreign key's refusal", f.table, ref, err)
					}
				}
				// Nor can there be a row of Ana in Eve's school, where she is no member.
				if strings.Contains(f.columns, "tenant_id, user_id") && f.table != "memberships" {
					tried++
					if err := insert(pool, f.table, f.columns, f.values, "new", "school-eve", "ana"); !isForeignKey(err) {
						t.Errorf("%s of Ana in Eve's school: %v, want a foreign key's refusal", f.table, err)
					}
				}
			}
			if tried < 30 {
				t.Errorf("tried %d references: the fixture has lost some", tried)
			}
		})
	}
}

func isForeignKey(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23503"
	}
	return errors.Is(err, sqlite3.CONSTRAINT_FOREIGNKEY)
}
