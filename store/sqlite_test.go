package store_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"kalami/store"
	"kalami/store/storetest"
)

// TestPrivateFiles: nobody else on the machine can read the database or its WAL.
func TestPrivateFiles(t *testing.T) {
	o := storetest.SQLite(t)
	storetest.Open(t, o)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		st, err := os.Stat(o.URL + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if st.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", filepath.Base(o.URL)+suffix, st.Mode())
		}
	}
}

// TestKill: what was acknowledged is in the files at that moment, without Close.
// The copy is what the next process would find after this one had been killed.
func TestKill(t *testing.T) {
	o := storetest.SQLite(t)
	db := storetest.Open(t, o)
	c := storetest.NewLearner(t, db, "ana").Start(t, db)
	for seq := 1; seq <= 30; seq++ {
		if err := db.AppendMessage(t.Context(), c.Epoch, storetest.Utterance(c, seq)); err != nil {
			t.Fatal(err)
		}
		if seq%10 != 0 {
			continue
		}
		left := filepath.Join(t.TempDir(), "left.db")
		for _, suffix := range []string{"", "-wal"} {
			copyFile(t, left+suffix, o.URL+suffix)
		}
		after := storetest.Open(t, store.Options{URL: left})
		got, err := after.Conversation(t.Context(), c.TenantID, c.UserID, c.ID)
		if err != nil || got.NextSeq != seq+1 {
			t.Errorf("killed after message %d: next is %d, %v", seq, got.NextSeq, err)
		}
	}
}

func copyFile(t *testing.T, to, from string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestWALStaysSmall: the log is brought back into the database as it grows, while
// readers come and go.
func TestWALStaysSmall(t *testing.T) {
	o := storetest.SQLite(t)
	db := storetest.Open(t, o)
	c := storetest.NewLearner(t, db, "ana").Start(t, db)
	// Some 25 KiB are logged for each: 10 MiB in all.
	for seq := 1; seq <= 400; seq++ {
		m := storetest.Utterance(c, seq)
		m.Content = string(make([]byte, 8<<10))
		if err := db.AppendMessage(t.Context(), c.Epoch, m); err != nil {
			t.Fatal(err)
		}
		if _, err := db.RecentMessages(t.Context(), c.TenantID, c.ID, 3); err != nil {
			t.Fatal(err)
		}
	}
	st, err := os.Stat(o.URL + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if st.Size() > 6<<20 {
		t.Errorf("the WAL has %d KiB, want about 4 MiB at most", st.Size()>>10)
	}
}

// TestOddPaths: a path is a path, whatever a URL would make of it.
func TestOddPaths(t *testing.T) {
	for _, name := range []string{"my lessons.db", "50%.db", "a&b+c#d.db", "ünïcödé.db"} {
		path := filepath.Join(t.TempDir(), name)
		storetest.Open(t, store.Options{URL: "sqlite:///" + path})
		if _, err := os.Stat(path + "-wal"); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}
