package storetest

import (
	"bytes"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
)

func isPostgres(o store.Options) bool { return strings.HasPrefix(o.URL, "postgres") }

// testDurability: what was acknowledged is there after closing and opening again,
// and at once for somebody who opens the database besides.
func testDurability(t *testing.T, fresh Fresh) {
	o := fresh(t)
	o.Migrate = true
	db, err := store.Open(t.Context(), o)
	must(t, err)
	c := NewLearner(t, db, "ana").Start(t, db)
	for seq := range 20 {
		must(t, db.AppendMessage(t.Context(), 1, Utterance(c, seq+1)))
		if seq == 9 {
			beside := Open(t, o)
			if n := len(messages(t, beside, c)); n != 10 {
				t.Errorf("%d messages seen from beside, want 10", n)
			}
		}
	}
	want := messages(t, db, c)
	must(t, db.Close())
	must(t, db.Close())
	if err := db.Ping(t.Context()); err == nil {
		t.Error("what is closed answers")
	}

	again := Open(t, o)
	if got := messages(t, again, c); len(got) != 20 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d messages after opening again, want the same 20", len(got))
	}
	if got, err := again.TakeOver(t.Context(), c.TenantID, c.UserID, c.ID); err != nil || got.Epoch != 2 || got.NextSeq != 21 {
		t.Errorf("taken over at epoch %d, message %d, %v; want 2, 21", got.Epoch, got.NextSeq, err)
	}
}

// testDiscretion: with every statement logged as slow, the log has the statements
// and nothing of what was said or who said it.
func testDiscretion(t *testing.T, fresh Fresh) {
	var log lockedBuffer
	o := fresh(t)
	o.SlowQuery = time.Nanosecond
	o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	db := Open(t, o)
	c := NewLearner(t, db, "canary-name").Start(t, db)
	m := Utterance(c, 1)
	m.Content, m.Heard = "canary-content", "canary-heard"
	m.Words = []learn.SpokenWord{{Text: "canary-word"}}
	must(t, db.AppendMessage(t.Context(), 1, m))
	messages(t, db, c)
	clash := m
	clash.UtteranceID = "canary-clash"
	err := db.AppendMessage(t.Context(), 1, clash)
	wantKind(t, "a clash", err, learn.Conflict)
	text := log.String() + err.Error()
	if !strings.Contains(text, "slow statement") || !strings.Contains(text, "conversation_messages") {
		t.Error("the log has no slow statements: the test sees nothing")
	}
	if i := strings.Index(text, "canary"); i >= 0 {
		t.Errorf("the log has …%s…", text[max(i-200, 0):min(i+40, len(text))])
	}
}

// lockedBuffer is a buffer that several goroutines log into.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
