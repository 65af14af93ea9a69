package live_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store/live"
	"kalami/store/storetest"
)

// node is what a gateway's node does with the mirror: it keeps what is new, and all that it
// has of whatever was lost.
type node struct {
	t     *testing.T
	name  string
	store *live.Store
	talks map[string]*talk
}

// talk is one conversation in the node's memory.
type talk struct {
	events []learn.LiveEvent
	kept   int // how many of them the mirror has, as far as the node knows
}

func newNode(t *testing.T, store *live.Store, talks int) *node {
	n := &node{t: t, name: "a", store: store, talks: map[string]*talk{}}
	for i := range talks {
		n.talks[fmt.Sprint("talk ", i)] = &talk{}
	}
	return n
}

// say adds an event to every conversation, and passes on what is to be kept.
func (n *node) say() error {
	var changes []learn.LiveChange
	for id, c := range n.talks {
		seq := uint64(len(c.events) + 1)
		c.events = append(c.events, learn.LiveEvent{Seq: seq, Data: fmt.Append(nil, seq)})
		changes = append(changes, learn.LiveChange{ConversationID: id, Epoch: 1, Events: c.events[c.kept:],
			State: fmt.Append(nil, "after ", seq), StateSeq: seq})
		c.kept = len(c.events)
	}
	answer, err := n.store.KeepLive(n.t.Context(), n.name, changes)
	n.heed(answer)
	return err
}

// renew renews the leases.
func (n *node) renew() error {
	var leases []learn.LiveLease
	for id := range n.talks {
		leases = append(leases, learn.LiveLease{ConversationID: id, Epoch: 1})
	}
	answer, err := n.store.RenewLive(n.t.Context(), n.name, leases)
	n.heed(answer)
	return err
}

func (n *node) heed(a learn.LiveAnswer) {
	for _, id := range a.Lost {
		n.talks[id].kept = 0
	}
	if len(a.Superseded) != 0 {
		n.t.Errorf("superseded are %q", a.Superseded)
	}
}

// whole tells whether the mirror has all of a conversation, and fails the test when what it
// has is wrong.
func (n *node) whole(id string) bool {
	got, ok, err := n.store.Live(n.t.Context(), id)
	if err != nil || !ok {
		return false
	}
	if want := fmt.Sprint("after ", got.StateSeq); string(got.State) != want {
		n.t.Errorf("%s: the state is %q, want %q", id, got.State, want)
	}
	for i, e := range got.Events {
		if string(e.Data) != fmt.Sprint(e.Seq) || e.Seq != got.Events[0].Seq+uint64(i) {
			n.t.Fatalf("%s: event %d is %q at place %d after %d", id, e.Seq, e.Data, i, got.Events[0].Seq)
		}
	}
	all := n.talks[id].events
	return got.StateSeq == uint64(len(all)) && len(got.Events) == min(len(all), 512)
}

// wantWhole fails the test unless everything is in the mirror.
func (n *node) wantWhole() {
	n.t.Helper()
	for id := range n.talks {
		if !n.whole(id) {
			n.t.Fatalf("%s is not whole in the mirror", id)
		}
	}
}

// journal is a log that tests read while it is written.
type journal struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out.Write(p)
}

func (j *journal) lines() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Split(strings.TrimSpace(j.out.String()), "\n")
}

// watched opens a store of which is told, on the channel, whether it is degraded.
func watched(t *testing.T, url string) (*live.Store, *journal, <-chan bool) {
	t.Helper()
	j := &journal{}
	s := storetest.OpenLive(t, live.Options{URL: url, Log: slog.New(slog.NewTextHandler(j, nil))})
	told, done := make(chan bool, 100), make(chan struct{})
	go func() {
		defer close(done)
		s.Watch(t.Context(), func(degraded bool) { told <- degraded })
	}()
	t.Cleanup(func() { <-done }) // the test's context has ended by then
	if <-told {
		t.Fatal("degraded from the beginning")
	}
	return s, j, told
}

// untilTold waits for the next word of Watch.
func untilTold(t *testing.T, told <-chan bool, want bool) {
	t.Helper()
	select {
	case got := <-told:
		if got != want {
			t.Fatalf("told that degraded is %v, want %v", got, want)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("not told that degraded is %v", want)
	}
}

// untilDegraded makes a node talk until the store says that Redis does not answer.
func untilDegraded(t *testing.T, n *node, told <-chan bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !n.store.Degraded(); time.Sleep(5 * time.Millisecond) {
		_ = n.say()
		if time.Now().After(deadline) {
			t.Fatal("never degraded")
		}
	}
	untilTold(t, told, true)
}

// TestFrozen: a Redis that hangs costs a caller three timeouts at most, however often it
// asks. When it goes on, the node is told, and everything is in the mirror as it is by then.
func TestFrozen(t *testing.T) {
	server := storetest.NewRedisServer(t)
	s, log, told := watched(t, server.URL())
	n := newNode(t, s, 20)
	if err := n.say(); err != nil {
		t.Fatal(err)
	}
	server.Freeze(t)
	waited := 0
	for range 200 {
		err := n.say()
		if learn.KindOf(err) != learn.Unavailable {
			t.Fatalf("a frozen Redis answers %v", err)
		}
		if !strings.Contains(err.Error(), "has not been answering") {
			waited++
		}
	}
	if waited == 0 || waited > 3 {
		t.Errorf("of 200 calls %d were waited for, want 3 at most", waited)
	}
	untilTold(t, told, true)
	server.Thaw(t)
	thawed := time.Now()
	untilTold(t, told, false)
	if err := n.say(); err != nil {
		t.Fatalf("after the thaw: %v", err)
	}
	t.Logf("whole again %v after the thaw", time.Since(thawed).Round(time.Millisecond))
	n.wantWhole()
	if got := log.lines(); len(got) != 2 || !strings.Contains(got[0], "does not answer") || !strings.Contains(got[1], "answers again") {
		t.Errorf("logged is\n%s\nwant one line when it stops and one when it goes on", strings.Join(got, "\n"))
	}
}

// TestKilled: a Redis that is killed and comes back empty is filled again, and whoever
// subscribed is told what is published from then on.
func TestKilled(t *testing.T) {
	server := storetest.NewRedisServer(t)
	s, log, told := watched(t, server.URL())
	n := newNode(t, s, 20)
	heard := make(chan string, 1000)
	subscribed := make(chan struct{})
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		defer close(subscribed)
		if err := s.Subscribe(ctx, "logout", func(user string) { heard <- user }); err != nil {
			t.Errorf("Subscribe: %v", err)
		}
	}()
	untilHeard := func(word string) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); ; {
			_ = s.Publish(ctx, "logout", word)
			select {
			case got := <-heard:
				if got == word {
					return
				}
			case <-time.After(20 * time.Millisecond):
			}
			if time.Now().After(deadline) {
				t.Fatalf("%q was not heard", word)
			}
		}
	}
	untilHeard("before")
	for round := range 3 {
		if err := n.say(); err != nil {
			t.Fatal(err)
		}
		server.Kill(t)
		untilDegraded(t, n, told)
		server.Start(t)
		started := time.Now()
		untilTold(t, told, false)
		if err := n.renew(); err != nil { // which tells what is missing
			t.Fatalf("renewing in an empty Redis: %v", err)
		}
		if err := n.say(); err != nil {
			t.Fatalf("keeping in an empty Redis: %v", err)
		}
		t.Logf("whole again %v after the start", time.Since(started).Round(time.Millisecond))
		n.wantWhole()
		untilHeard(fmt.Sprint("after ", round))
	}
	if got := log.lines(); len(got) != 6 {
		t.Errorf("three outages logged as\n%s", strings.Join(got, "\n"))
	}
	leave()
	<-subscribed
}

// TestEmptied: a Redis that is emptied under the hands of its nodes, its scripts too, has
// everything again when the node has spoken twice more, and nothing wrong meanwhile.
func TestEmptied(t *testing.T) {
	server := storetest.NewRedisServer(t)
	s, _, _ := watched(t, server.URL())
	n := newNode(t, s, 30)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for ; ; time.Sleep(7 * time.Millisecond) {
			server.Do(t, "FLUSHALL")
			server.Do(t, "SCRIPT", "FLUSH")
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for range 200 {
		if err := n.say(); err != nil {
			t.Errorf("keeping: %v", err)
		}
		for id := range n.talks {
			n.whole(id) // or not, but never wrong
			break
		}
	}
	close(stop)
	wg.Wait()
	for range 2 {
		if err := n.say(); err != nil {
			t.Errorf("keeping: %v", err)
		}
	}
	n.wantWhole()

	server.Do(t, "FLUSHALL")
	if err := n.renew(); err != nil { // the conversations are silent, but their leases are not
		t.Fatal(err)
	}
	for id, c := range n.talks {
		if c.kept != 0 {
			t.Fatalf("renewing did not tell that %s was lost", id)
		}
	}
}

// TestMasterFrozen: when one master of a cluster hangs, the conversations of the others go
// on; when it is back, the node fills in what it has missed.
func TestMasterFrozen(t *testing.T) {
	cluster := storetest.NewRedisCluster(t)
	s, _, told := watched(t, cluster.URL())
	n := newNode(t, s, 60)
	for range 3 {
		if err := n.say(); err != nil {
			t.Fatal(err)
		}
	}
	n.wantWhole()
	cluster.Masters[2].Freeze(t)
	untilDegraded(t, n, told)
	if err := n.say(); err == nil {
		t.Error("with a frozen master nothing fails")
	}
	var there, missing int
	for id := range n.talks {
		if n.talks[id].kept == 0 {
			missing++
			continue
		}
		if !n.whole(id) {
			t.Errorf("%s is not whole, though its master lives", id)
		}
		there++
	}
	if there == 0 || missing == 0 {
		t.Errorf("%d conversations go on and %d do not, want some of both", there, missing)
	}
	cluster.Masters[2].Thaw(t)
	untilTold(t, told, false)
	for deadline := time.Now().Add(30 * time.Second); n.say() != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the cluster does not get whole")
		}
	}
	n.wantWhole()
}

// TestCrowdIsNoOutage: many who wait for each other are no sign that Redis hangs.
func TestCrowdIsNoOutage(t *testing.T) {
	server := storetest.NewRedisServer(t)
	s, log, _ := watched(t, server.URL())
	for range 3 {
		var wg sync.WaitGroup
		for i := range 2000 {
			wg.Go(func() {
				_, _ = s.Allow(t.Context(), fmt.Sprint(i), live.Rate{Count: 1, Per: time.Second})
			})
		}
		wg.Wait()
	}
	if s.Degraded() || slices.ContainsFunc(log.lines(), func(l string) bool { return strings.Contains(l, "does not answer") }) {
		t.Errorf("degraded by a crowd:\n%s", strings.Join(log.lines(), "\n"))
	}
}
