package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"kalami/store"
)

// openKept opens one connection to a table with rows 1 to n.
func openKept(t *testing.T, n int) *sql.DB {
	t.Helper()
	db, err := store.OpenKeeping("file:" + filepath.Join(t.TempDir(), "kept.db") + "?_pragma=journal_mode(wal)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	db.SetMaxOpenConns(1)
	run(t, db, "CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
	for i := range n {
		run(t, db, "INSERT INTO numbers (n) VALUES (?)", i+1)
	}
	return db
}

func run(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func sum(t *testing.T, db *sql.DB, statement string, args ...any) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), statement, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return n
}

// TestKeptStatements: a statement that is kept gives what a new one would, whatever
// happened to it before.
func TestKeptStatements(t *testing.T) {
	db := openKept(t, 3)
	const above = "SELECT COUNT(*) FROM numbers WHERE n > ?"
	if a, b := sum(t, db, above, 0), sum(t, db, above, 2); a != 3 || b != 1 {
		t.Errorf("%d above 0 and %d above 2, want 3 and 1", a, b)
	}
	const insert = "INSERT INTO numbers (n) VALUES (?)"
	if _, err := db.ExecContext(t.Context(), insert, 3); err == nil {
		t.Error("a row was inserted twice")
	}
	run(t, db, insert, 4) // after an error

	ended, end := context.WithCancel(t.Context())
	rows, err := db.QueryContext(ended, "SELECT n FROM numbers")
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	end()
	if err := rows.Close(); err != nil { //nolint:sqlclosecheck // what follows is after it
		t.Errorf("close: %v", err)
	}
	if n := sum(t, db, "SELECT n FROM numbers ORDER BY n DESC"); n != 4 {
		t.Errorf("after a read that was left: %d, want 4", n)
	}

	// The schema changes under a statement that is kept.
	const all = "SELECT * FROM numbers WHERE n = 2"
	columnsOf(t, db, all)
	run(t, db, "ALTER TABLE numbers ADD COLUMN later INTEGER")
	if n := columnsOf(t, db, all); n != 2 {
		t.Errorf("%d columns, want the new one too", n)
	}

	// Nothing that was read holds a snapshot.
	var busy, pages, done int
	if err := db.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &done); err != nil || busy != 0 {
		t.Errorf("checkpoint: busy %d, %v", busy, err)
	}
}

// columnsOf runs a query for row 2 and returns how many columns it has.
func columnsOf(t *testing.T, db *sql.DB, query string) int {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil || !rows.Next() {
		t.Fatalf("%s: %v, %v", query, err, rows.Err())
	}
	into := make([]any, len(names))
	for i := range into {
		into[i] = new(any)
	}
	if err := rows.Scan(into...); err != nil || *into[0].(*any) != int64(2) {
		t.Errorf("%s: %v, %v", query, *into[0].(*any), err)
	}
	return len(names)
}

// TestKeptStatementWithinItself: a statement that is at work can be asked for again.
func TestKeptStatementWithinItself(t *testing.T) {
	db := openKept(t, 4)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	pairs := 0
	const all = "SELECT n FROM numbers"
	outer, err := tx.QueryContext(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	for outer.Next() {
		inner, err := tx.QueryContext(t.Context(), all)
		if err != nil {
			t.Fatal(err)
		}
		for inner.Next() {
			pairs++
		}
		if err := inner.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := outer.Close(); err != nil || pairs != 16 { //nolint:sqlclosecheck // before the end of tx
		t.Errorf("%d pairs, %v; want 16", pairs, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
}

// TestKeptStatementsAreBounded: more statements than are kept all work, again and again,
// and the connection closes.
func TestKeptStatementsAreBounded(t *testing.T) {
	db := openKept(t, 1)
	for range 2 {
		for i := range store.KeptStatements + 50 {
			if n := sum(t, db, fmt.Sprintf("SELECT n + %d FROM numbers WHERE n = ?", i), 1); n != i+1 {
				t.Fatalf("statement %d gives %d", i, n)
			}
		}
	}
}
