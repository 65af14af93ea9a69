package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kalami/gateway/learner"
	"kalami/session"
)

// balancer gives each new connection to the first of its nodes that is open.
type balancer struct {
	listener net.Listener
	work     sync.WaitGroup

	mu     sync.Mutex
	nodes  []*house
	barred bool // it lets nobody through
}

func newBalancer(t *testing.T, nodes ...*house) *balancer {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{listener: l, nodes: slices.Clone(nodes)}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	b.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.work.Go(func() { b.pass(ctx, c) })
		}
	})
	t.Cleanup(func() { cancel(); _ = l.Close(); b.work.Wait() })
	return b
}

// add has it know of another node.
func (b *balancer) add(h *house) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nodes = append(b.nodes, h)
}

// takeOut has it know of a node no more, as of one that is dead.
func (b *balancer) takeOut(dead *house) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nodes = slices.DeleteFunc(b.nodes, func(h *house) bool { return h == dead })
}

// bar has it let nobody through, or go on.
func (b *balancer) bar(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.barred = on
}

// open is the first node that takes clients, and the first of all if none does; nil while it
// lets nobody through.
func (b *balancer) open() *house {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.barred {
		return nil
	}
	return b.nodes[max(0, slices.IndexFunc(b.nodes, func(h *house) bool { return !h.gateway.Draining() }))]
}

func (b *balancer) url() string { return "http://" + b.listener.Addr().String() }

// pass carries a connection until either side ends it.
func (b *balancer) pass(ctx context.Context, c net.Conn) {
	node := b.open()
	if node == nil {
		_ = c.Close()
		return
	}
	to, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(node.url(), "http://"))
	if err != nil {
		_ = c.Close()
		return
	}
	cut := func() { _ = c.Close(); _ = to.Close() }
	defer context.AfterFunc(ctx, cut)()
	var both sync.WaitGroup
	both.Go(func() { defer cut(); _, _ = io.Copy(to, c) })
	both.Go(func() { defer cut(); _, _ = io.Copy(c, to) })
	both.Wait()
}

// mover is a learner who talks on while the nodes are restarted.
type mover struct {
	name   string
	lesson *learner.Lesson
	over   chan error

	mu       sync.Mutex
	seqs     []uint64
	returns  []learner.Return
	restarts int
	repeats  int // sentences that may have been heard again: those whose end the node could not await
	lost     []error
	done     map[string]int // learner's items that were acknowledged
}

func newMover(t *testing.T, url string, n int) *mover {
	t.Helper()
	account, err := learner.Guest(t.Context(), url, "en")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(account.Close)
	profile, err := account.Profile(t.Context(), "en", "B2")
	if err != nil {
		t.Fatal(err)
	}
	m := &mover{name: fmt.Sprintf("learner %d", n), over: make(chan error, 1), done: map[string]int{}}
	m.lesson, err = account.Lesson(t.Context(), learner.Wish{ProfileID: profile}, learner.Handler{
		Event: m.event,
		Back:  func(r learner.Return) { m.mu.Lock(); defer m.mu.Unlock(); m.returns = append(m.returns, r) },
		Lost:  func(err error) { m.mu.Lock(); defer m.mu.Unlock(); m.lost = append(m.lost, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { m.over <- m.lesson.Run(context.WithoutCancel(t.Context())) }() // joined by finish
	return m
}

func (m *mover) event(h session.Head, ev session.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch ev := ev.(type) {
	case session.Resumed:
		if ev.Response != nil && ev.Response.Repeat {
			m.repeats++
		}
		return // it has no number of its own
	case session.Restarted:
		m.restarts++
	case session.ItemDone:
		if ev.Item.Role == "user" {
			m.done[ev.Item.ID]++
		}
	}
	m.seqs = append(m.seqs, h.Seq)
}

// speak says something loud every few seconds, until ctx ends.
func (m *mover) speak(ctx context.Context, n int) {
	mic := m.lesson.Mic(16000)
	loud := make([]byte, 2*16000)
	for i := range len(loud) / 2 {
		binary.LittleEndian.PutUint16(loud[2*i:], uint16(int16(9000*math.Sin(float64(i)/9)*math.Sin(float64(i)/700))))
	}
	var both sync.WaitGroup
	defer both.Wait()
	both.Go(func() { _ = mic.Run(ctx) }) // the lesson's microphone ends with ctx alone
	for wait := time.Duration(n) * 150 * time.Millisecond; ; wait = 5 * time.Second {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			mic.Say(loud)
		}
	}
}

// moved is how often the learner has changed the node.
func (m *mover) moved() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.returns)
}

// check looks at what one learner has noticed of so many moves.
func (m *mover) check(t *testing.T, moves int) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.returns) != moves || m.restarts != 0 {
		t.Errorf("%s moved %d times, %d sessions began anew", m.name, len(m.returns), m.restarts)
		return
	}
	for _, r := range m.returns {
		if !r.Planned || r.Warm || r.Restarted || r.Fresh || r.Away != 0 {
			t.Errorf("%s came back as %+v, and lost %v", m.name, r, m.lost)
		}
	}
	for i, seq := range m.seqs {
		if seq != uint64(i+1) {
			t.Errorf("%s: event %d came as number %d", m.name, seq, i+1)
			break
		}
	}
	for id, n := range m.done {
		if n != 1 {
			t.Errorf("%s was told %d times that %s is stored", m.name, n, id)
		}
	}
}

// A node that stops while its learners talk sends them to the other one: nobody loses an
// event or a word, nobody hears anything twice, each moves once, before its old socket is
// closed, and the node is empty long before its time is over.
func TestStopSendsLearnersToAnotherNode(t *testing.T) {
	t.Parallel()
	for _, b := range sharing(t) {
		t.Run(b.name, func(t *testing.T) {
			one, two, _ := twoNodes(t, backend{b.name, func(t testing.TB) []string { return append(b.environ(t), "KALAMI_RATE_LIMITS=false") }})
			front := newBalancer(t, one, two)
			movers := make([]*mover, 10)
			ctx, quiet := context.WithCancel(t.Context())
			var talking sync.WaitGroup
			defer talking.Wait()
			defer quiet()
			for i := range movers {
				movers[i] = newMover(t, front.url(), i)
				talking.Go(func() { movers[i].speak(ctx, i) })
			}
			time.Sleep(4 * time.Second) // some speak, some listen, some think
			if n := one.gateway.Sessions(); n != len(movers) {
				t.Fatalf("%d sessions at the first node", n)
			}
			began := time.Now()
			if err := one.end(); err != nil {
				t.Errorf("the first node ended with %v", err)
			}
			t.Logf("empty after %v", time.Since(began).Round(time.Millisecond))
			if left := one.gateway.Sessions(); left != 0 || two.gateway.Sessions() != len(movers) {
				t.Errorf("%d sessions are left, %d have arrived", left, two.gateway.Sessions())
			}
			if strings.Contains(one.log.String(), "reason=restart") {
				t.Error("a session was ended as a restart")
			}
			time.Sleep(4 * time.Second) // the lessons go on
			quiet()
			for _, m := range movers {
				m.lesson.End()
				if err := <-m.over; err != nil {
					t.Errorf("%s: the lesson ended with %v", m.name, err)
				}
				m.check(t, 1)
			}
		})
	}
}
