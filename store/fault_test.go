package store_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

// TestOpenFails: what is wrong is said in kind, and passwords are not.
func TestOpenFails(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	noDatabase := filepath.Join(t.TempDir(), "not-a.db")
	if err := os.WriteFile(noDatabase, []byte(strings.Repeat("this is a letter, not a database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		url  string
		kind learn.Kind
	}{
		"a folder that is not there": {filepath.Join(t.TempDir(), "no", "k.db"), learn.Unavailable},
		"a folder":                   {t.TempDir(), learn.Unavailable},
		"not a database":             {noDatabase, learn.Internal},
		"nobody listens":             {"postgres://u:hunter2@" + addr + "/d?sslmode=disable", learn.Unavailable},
		"a bad port":                 {"postgres://u:hunter2@h:port/d", learn.Invalid},
		"a bad setting":              {"postgres://u:hunter2@h/d?sslmode=perhaps", learn.Invalid},
	} {
		db, err := store.Open(t.Context(), store.Options{URL: c.url, Migrate: true})
		if err == nil || db != nil || learn.KindOf(err) != c.kind {
			t.Errorf("%s: kind %v, %v; want %v", what, learn.KindOf(err), err, c.kind)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the password is in %q", what, err)
		}
	}
}

// TestLockedRow: a conversation whose row somebody holds is Unavailable after the
// lock timeout, for nobody may wait for ever; and nothing was written.
func TestLockedRow(t *testing.T) {
	db := storetest.Open(t, storetest.Postgres(t))
	c := storetest.NewLearner(t, db, "ana").Start(t, db)
	tx, err := db.Pool().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "SELECT 1 FROM conversation_sessions FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	if err := db.AppendMessage(t.Context(), 1, storetest.Utterance(c, 1)); learn.KindOf(err) != learn.Unavailable {
		t.Errorf("while locked: %v, want Unavailable", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := db.AppendMessage(t.Context(), 1, storetest.Utterance(c, 1)); err != nil {
		t.Errorf("appending again: %v", err)
	}
}

// TestBusyWriter: with the only writer taken, others wait as long as their
// context lasts, and readers do not wait at all.
func TestBusyWriter(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite(t))
	c := storetest.NewLearner(t, db, "ana").Start(t, db)
	tx, err := db.Pool().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Conversation(t.Context(), c.TenantID, c.UserID, c.ID); err != nil {
		t.Errorf("reading: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := db.AppendMessage(ctx, 1, storetest.Utterance(c, 1)); learn.KindOf(err) != learn.Unavailable {
		t.Errorf("writing: %v, want Unavailable", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := db.AppendMessage(t.Context(), 1, storetest.Utterance(c, 1)); err != nil {
		t.Errorf("writing again: %v", err)
	}
}

// TestTransientState: which SQLSTATEs may pass by themselves.
func TestTransientState(t *testing.T) {
	for code, want := range map[string]bool{
		"08006": true, "40001": true, "40P01": true, "53300": true, "55P03": true, "57014": true, "57P01": true,
		"23505": false, "42P01": false, "22021": false, "55006": false, "": false,
	} {
		if got := store.TransientState(code); got != want {
			t.Errorf("%s: %v, want %v", code, got, want)
		}
	}
}
