package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

// TestSecondWriter: while another process writes, as a backup or a shell may, nothing is
// stored and whoever asks is told so; readers do not notice. When it is done all goes on.
func TestSecondWriter(t *testing.T) {
	o := storetest.SQLite(t)
	db := storetest.Open(t, o)
	c := storetest.NewLearner(t, db, "ana").Start(t, db)
	other, err := store.OpenKeeping("file:" + o.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	conn, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := db.AppendMessage(ctx, c.Epoch, storetest.Utterance(c, 1))
		cancel()
		if learn.KindOf(err) != learn.Unavailable {
			t.Errorf("beside another writer: %v, want Unavailable", err)
		}
	}
	if ms, err := db.RecentMessages(t.Context(), c.TenantID, c.ID, 10); err != nil || len(ms) != 0 {
		t.Errorf("reading beside another writer: %d messages, %v", len(ms), err)
	}
	if _, err := conn.ExecContext(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := db.AppendMessage(t.Context(), c.Epoch, storetest.Utterance(c, 1)); err != nil {
		t.Errorf("after the other writer: %v", err)
	}
}

// TestFullDatabase: a database that may not grow says that it cannot store a message; what it
// has acknowledged is there, and when it may grow again the same message goes in.
func TestFullDatabase(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite(t))
	fillUp(t, db, func() {
		var pages int
		if err := db.Pool().QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
			t.Fatal(err)
		}
		run(t, db.Pool(), fmt.Sprintf("PRAGMA max_page_count = %d", pages+8))
	}, func() { run(t, db.Pool(), "PRAGMA max_page_count = 1000000") })
}

// fillUp stores long messages until there is no room, and goes on when there is some.
func fillUp(t *testing.T, db *store.DB, full, room func()) {
	t.Helper()
	c := storetest.NewLearner(t, db, "ana").Start(t, db)
	next := func(seq int) learn.Message {
		m := storetest.Utterance(c, seq)
		m.Content = strings.Repeat("muy largo ", 200)
		m.Heard = m.Content
		return m
	}
	stored := 0
	append1 := func() error {
		err := db.AppendMessage(t.Context(), c.Epoch, next(stored+1))
		if err == nil {
			stored++
		}
		return err
	}
	wantStored := func(when string) {
		t.Helper()
		ms, err := db.RecentMessages(t.Context(), c.TenantID, c.ID, 10_000)
		if err != nil || len(ms) != stored {
			t.Errorf("%s: %d messages are there, %v; acknowledged were %d", when, len(ms), err, stored)
		}
	}
	if err := append1(); err != nil {
		t.Fatal(err)
	}
	full()
	var err error
	for err == nil && stored < 5000 {
		err = append1()
	}
	if learn.KindOf(err) != learn.Unavailable || err == nil {
		t.Fatalf("after %d messages there is no room: %v, want Unavailable", stored, err)
	}
	for range 3 {
		if err := append1(); learn.KindOf(err) != learn.Unavailable || err == nil {
			t.Errorf("once more: %v, want Unavailable", err)
		}
	}
	wantStored("with no room")
	room()
	for range 50 {
		if err := append1(); err != nil {
			t.Fatalf("with room again: %v", err)
		}
	}
	wantStored("with room again")
}
