package store_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

// crowd is many conversations, each of which stores one message after another, as often as
// it takes.
type crowd struct {
	t     *testing.T
	db    *store.DB
	talks []learn.Conversation

	acknowledged atomic.Int64
	waited       atomic.Int64 // calls that failed, and not at once
	refused      atomic.Int64 // calls that failed at once
	longest      atomic.Int64 // of a call, in nanoseconds
}

func newCrowd(t *testing.T, db *store.DB, talks int) *crowd {
	c := &crowd{t: t, db: db}
	ana := storetest.NewLearner(t, db, "ana")
	for range talks {
		c.talks = append(c.talks, ana.Start(t, db))
	}
	return c
}

// say lets every conversation store its next messages, each until it is stored; done is
// closed when all are.
func (c *crowd) say(from, to int) (done chan struct{}) {
	done = make(chan struct{})
	var all sync.WaitGroup
	for _, talk := range c.talks {
		all.Go(func() {
			for seq := from; seq <= to && c.t.Context().Err() == nil; {
				if c.try(talk, seq) {
					seq++
					continue
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	go func() { all.Wait(); close(done) }()
	return done
}

func (c *crowd) try(talk learn.Conversation, seq int) bool {
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	began := time.Now()
	err := c.db.AppendMessage(ctx, talk.Epoch, storetest.Utterance(talk, seq))
	took := time.Since(began)
	for longest := c.longest.Load(); int64(took) > longest && !c.longest.CompareAndSwap(longest, int64(took)); {
		longest = c.longest.Load()
	}
	switch {
	case err == nil:
		c.acknowledged.Add(1)
		return true
	case learn.KindOf(err) != learn.Unavailable:
		c.t.Errorf("a database that is away: %v", err)
		return true
	case strings.Contains(err.Error(), "has not answered in time") && took < time.Second:
		c.refused.Add(1)
	default:
		c.waited.Add(1)
	}
	return false
}

// wantStored fails the test unless each conversation has so many messages, each once.
func (c *crowd) wantStored(messages int) {
	c.t.Helper()
	for _, talk := range c.talks {
		ms, err := c.db.RecentMessages(c.t.Context(), talk.TenantID, talk.ID, 1000)
		if err != nil || len(ms) != messages {
			c.t.Fatalf("%d messages are stored, %v; want %d", len(ms), err, messages)
		}
	}
}

func wait(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatalf("%s does not end", what)
	}
}

// TestDatabaseAway: a Postgres that is killed, or hangs, has 200 conversations wait, and
// lets most of them know at once. Nothing is acknowledged meanwhile. When it is back all is
// stored, each message once, and no more connections are there than the pool may have.
func TestDatabaseAway(t *testing.T) {
	const talks, most = 200, 8
	server := storetest.NewPostgresServer(t)
	o := store.Options{URL: server.URL(), MaxConns: most}
	db := storetest.Open(t, o)
	c := newCrowd(t, db, talks)
	wait(t, c.say(1, 1), "storing")
	stored := 1
	for _, f := range []struct {
		name       string
		away, back func(testing.TB)
	}{
		{"frozen", server.Freeze, server.Thaw},
		{"killed", server.Kill, server.Start},
	} {
		f.away(t)
		time.Sleep(100 * time.Millisecond) // what was answered is on its way
		acknowledged := c.acknowledged.Load()
		c.waited.Store(0)
		c.refused.Store(0)
		done := c.say(stored+1, stored+2)
		for deadline := time.Now().Add(30 * time.Second); !db.Degraded() || c.refused.Load() < 2*talks; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d were refused at once, degraded %v", f.name, c.refused.Load(), db.Degraded())
			}
		}
		if err := db.Ping(t.Context()); learn.KindOf(err) != learn.Unavailable {
			t.Errorf("%s: a ping says %v", f.name, err)
		}
		if n := c.acknowledged.Load() - acknowledged; n != 0 {
			t.Errorf("%s: %d messages were acknowledged by a database that was away", f.name, n)
		}
		f.back(t)
		returned := time.Now()
		wait(t, done, "storing what has waited")
		stored += 2
		t.Logf("%s: %d calls waited, %d were refused at once, the longest took %v; %d messages were stored %v after the return",
			f.name, c.waited.Load(), c.refused.Load(), time.Duration(c.longest.Load()).Round(time.Millisecond),
			2*talks, time.Since(returned).Round(time.Millisecond))
		c.wantStored(stored)
		wantConnections(t, db, most)
	}
}

// wantConnections fails the test when the server has more of our connections than the pool
// may have, some time after it has come back.
func wantConnections(t *testing.T, db *store.DB, most int) {
	t.Helper()
	n := 0
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		row := db.Pool().QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kalami'")
		if err := row.Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n <= most+2 {
			return
		}
	}
	t.Errorf("the server has %d connections, want %d at most", n, most+2)
}

// TestHeldTable: requests that wait for what somebody holds take neither the connections of
// lessons nor wait without end.
func TestHeldTable(t *testing.T) {
	const requests = 300
	o := storetest.Postgres(t)
	o.MaxConns = 4
	db := storetest.Open(t, o)
	c := newCrowd(t, db, 5)
	tx, err := db.Pool().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "LOCK TABLE mail_tokens IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	answered, done := make(chan error, requests), make(chan struct{})
	var all sync.WaitGroup
	for range requests {
		all.Go(func() {
			_, err := db.MailTokenUser(t.Context(), learn.MailReset, "unknown")
			answered <- err
		})
	}
	go func() { all.Wait(); close(done) }()
	for range requests - store.RequestQueue { // the queue is full
		if err := <-answered; learn.KindOf(err) != learn.Unavailable {
			t.Errorf("a request too many: %v", err)
		}
	}
	wait(t, c.say(1, 10), "storing beside requests that wait")
	if c.waited.Load()+c.refused.Load() > 0 {
		t.Errorf("%d messages were not stored at once", c.waited.Load()+c.refused.Load())
	}
	wait(t, done, "the crowd of requests")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for range store.RequestQueue {
		if err := <-answered; learn.KindOf(err) != learn.Unavailable {
			t.Errorf("a request that waited: %v", err)
		}
	}
	if _, err := db.MailTokenUser(t.Context(), learn.MailReset, "unknown"); learn.KindOf(err) != learn.Invalid && learn.KindOf(err) != learn.NotFound {
		t.Errorf("after all: %v", err)
	}
}
