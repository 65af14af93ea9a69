package session

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

// cutter stands before a database and cuts each connection behind so many random bytes in
// one of the two directions: before a statement or after it, in the middle of its answer,
// before a commit or between the commit and the word of it.
type cutter struct {
	to    string
	l     net.Listener
	work  sync.WaitGroup
	mu    sync.Mutex // guards what follows
	rng   *rand.Rand
	off   bool // it cuts nothing any more
	cuts  int
	conns []net.Conn
}

// newCutter begins before the host of a URL, and returns the URL that goes through it.
func newCutter(t *testing.T, base string, seed uint64) (*cutter, string) {
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{to: u.Host, l: l, rng: rand.New(rand.NewPCG(seed, 0))}
	u.Host = l.Addr().String()
	c.work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.work.Go(func() { c.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close() // it was open
		c.mu.Lock()
		for _, conn := range c.conns {
			_ = conn.Close() // again, perhaps
		}
		c.mu.Unlock()
		c.work.Wait()
	})
	return c, u.String()
}

// serve carries one connection, to its cut.
func (c *cutter) serve(client net.Conn) {
	server, err := net.Dial("tcp", c.to)
	if err != nil {
		_ = client.Close() // which says it all
		return
	}
	// A message takes some 4 KB to the server and 2 KB back, and signing in as much.
	c.mu.Lock()
	c.conns = append(c.conns, client, server)
	there, back := int64(1)<<40, int64(1)<<40
	switch {
	case c.off:
	case c.rng.IntN(2) == 0:
		there = 500 + c.rng.Int64N(8_000)
	default:
		back = 500 + c.rng.Int64N(5_000)
	}
	c.mu.Unlock()
	var both sync.WaitGroup
	carry := func(to, from net.Conn, most int64) {
		if n, _ := io.Copy(to, io.LimitReader(from, most)); n == most {
			c.mu.Lock()
			c.cuts++
			c.mu.Unlock()
		}
		_ = client.Close() // what is on its way is lost
		_ = server.Close()
	}
	both.Go(func() { carry(server, client, there) })
	both.Go(func() { carry(client, server, back) })
	both.Wait()
}

// spare lets everything through from now on; connections that are there keep their cut.
func (c *cutter) spare() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = true
	return c.cuts
}

// The database's connections are cut at any byte, while several conversations store what is
// said in them: what is acknowledged is stored, nothing is stored twice, and all of it is
// there in the end, in order.
func TestNothingIsAcknowledgedThatIsNotStored(t *testing.T) {
	const talks, messages = 8, 40
	o := storetest.Postgres(t)
	sure := storetest.Open(t, o)
	seed := rand.Uint64()
	cuts, through := newCutter(t, o.URL, seed)
	db, err := store.Open(t.Context(), store.Options{URL: through, MaxConns: 4})
	for try := 0; err != nil && try < 50; try++ { // its first question may be cut, too
		db, err = store.Open(t.Context(), store.Options{URL: through, MaxConns: 4})
	}
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ana := storetest.NewLearner(t, sure, "ana")
	var all sync.WaitGroup
	for i := range talks {
		c := ana.Start(t, sure)
		all.Go(func() { followJournal(t, fmt.Sprintf("seed %d, conversation %d", seed, i), db, sure, c, messages) })
	}
	all.Wait()
	t.Logf("seed %d: %d messages stored through %d cuts", seed, talks*messages, cuts.spare())
	if cuts.spare() < talks {
		t.Errorf("seed %d: %d cuts are no test", seed, cuts.spare())
	}
}

// followJournal stores messages of one conversation, and holds each acknowledgement against
// what is stored at that moment.
func followJournal(t *testing.T, name string, db, sure *store.DB, c learn.Conversation, messages int) {
	l := newLanes()
	j := &journal{store: db, epoch: c.Epoch, lanes: l, log: slog.New(slog.DiscardHandler), next: 1}
	done := make(chan error, 1)
	go func() { done <- j.run(t.Context()) }()
	var said, told []string
	for n := range messages {
		m := storetest.Utterance(c, 1)
		m.ID, m.UtteranceID, m.Content = "", fmt.Sprint("it_", c.ID, n), fmt.Sprint("frase ", n)
		m.Heard = m.Content
		said = append(said, m.UtteranceID)
		l.records <- record{message: m, done: ItemDone{Item: Item{ID: m.UtteranceID}}}
	}
	close(l.records)
	stored := func() (ids []string) {
		ms, err := sure.RecentMessages(t.Context(), c.TenantID, c.ID, 1000)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i, m := range ms {
			ids = append(ids, m.UtteranceID)
			if i > 0 && m.Seq <= ms[i-1].Seq {
				t.Errorf("%s: number %d after %d", name, m.Seq, ms[i-1].Seq)
			}
		}
		return ids
	}
	for ended := false; !ended || len(l.stored) > 0; {
		select {
		case s := <-l.stored:
			switch {
			case s.fenced != nil:
				t.Errorf("%s: fenced: %v", name, s.fenced)
			case s.done.Item.ID != "":
				told = append(told, s.done.Item.ID)
				if !slices.Contains(stored(), s.done.Item.ID) {
					t.Errorf("%s: %s is acknowledged and not stored", name, s.done.Item.ID)
				}
			}
		case err := <-done:
			if ended = true; err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(time.Minute):
			t.Errorf("%s: after a minute %d of %d messages are stored", name, len(told), messages)
			return
		}
	}
	if got := stored(); !slices.Equal(got, said) || !slices.Equal(told, said) {
		t.Errorf("%s: said %v\nacknowledged %v\nstored %v", name, said, told, got)
	}
	conversation, err := sure.Conversation(t.Context(), c.TenantID, c.UserID, c.ID)
	if err != nil || conversation.Totals.Turns != messages || conversation.Totals.Learner != time.Duration(messages)*time.Second {
		t.Errorf("%s: the conversation counts %+v, %v; want %d turns", name, conversation.Totals, err, messages)
	}
}
