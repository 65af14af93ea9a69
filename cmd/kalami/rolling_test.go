package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"kalami/session/verify"
)

// The variables that make the rolling restart a long one.
const (
	rollingLearners = "KALAMI_ROLLING_LEARNERS" // how many talk; 6 else
	rollingRounds   = "KALAMI_ROLLING_ROUNDS"   // how often each node is restarted; once else
)

// wanted is a variable of the test's, or what it is else.
func wanted(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: %q is no number of them", name, text)
	}
	return n
}

// cluster are nodes behind a balancer, which write down what they do.
type cluster struct {
	backend   backend
	environ   []string
	histories string
	front     *balancer
	nodes     []*house
	began     int
}

// begin opens one more node.
func (c *cluster) begin(t *testing.T) *house {
	t.Helper()
	c.began++
	dir := filepath.Join(c.histories, strconv.Itoa(c.began))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return openDemo(t, c.backend, append(slices.Clone(c.environ), "KALAMI_HISTORY_DIR="+dir)...)
}

// restart stops a node, as SIGTERM does, and opens another in its place. It checks that all
// learners have left the old one before that was gone, and none moved twice.
func (c *cluster) restart(t *testing.T, n int, movers []*mover) (took time.Duration) {
	t.Helper()
	here, before := c.nodes[n].gateway.Sessions(), 0
	moves := make([]int, len(movers))
	for i, m := range movers {
		moves[i] = m.moved()
		before += moves[i]
	}
	began := time.Now()
	if err := c.nodes[n].end(); err != nil {
		t.Errorf("node %d ended with %v", n, err)
	}
	took = time.Since(began)
	if took > 30*time.Second {
		t.Errorf("node %d took %v to empty", n, took)
	}
	if strings.Contains(c.nodes[n].log.String(), "reason=restart") {
		t.Errorf("a session of node %d was ended as a restart", n)
	}
	after := moved(movers)
	for range 50 { // the last one may just be reading the answer of its new node
		if after-before == here {
			break
		}
		time.Sleep(100 * time.Millisecond)
		after = moved(movers)
	}
	for i, m := range movers {
		if moved := m.moved() - moves[i]; moved > 1 {
			t.Errorf("%s moved %d times while node %d stopped", m.name, moved, n)
		}
	}
	if after-before != here {
		t.Errorf("%d learners moved from node %d, which had %d", after-before, n, here)
	}
	c.nodes[n] = c.begin(t)
	c.front.add(c.nodes[n])
	return took
}

// moved is how often learners have changed the node, together.
func moved(movers []*mover) (n int) {
	for _, m := range movers {
		n += m.moved()
	}
	return n
}

// taken are the microphone's frames that the nodes have taken in conversations.
func (c *cluster) taken(t *testing.T) map[string][]verify.MicTaken {
	t.Helper()
	taken := map[string][]verify.MicTaken{}
	files, err := filepath.Glob(filepath.Join(c.histories, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = verify.Read(f, func(r verify.Record) error {
			if m, ok := r.Fact.(verify.MicTaken); ok {
				taken[r.Conversation] = append(taken[r.Conversation], m)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_ = f.Close() // it was only read
	}
	return taken
}

// missing counts the frames, of so many, that nobody has taken.
func missing(taken []verify.MicTaken, frames int) (n int) {
	slices.SortFunc(taken, func(a, b verify.MicTaken) int { return cmp.Compare(a.From, b.From) })
	next := 0
	for _, m := range taken {
		n += max(0, int(m.From)-next)
		next = max(next, int(m.Next))
	}
	return n + max(0, frames-next)
}

// Learners talk while each of three nodes is stopped and another opened in its place, one
// after the other. Nobody loses a frame of the microphone, an event or a word, and no session
// begins anew; each moves once per stop, before the old socket is closed. Of these learners,
// who never let the tutor finish, some hear a sentence from its beginning again.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	learners, rounds := wanted(t, rollingLearners, 6), wanted(t, rollingRounds, 1)
	b := sharing(t)[0]
	redis := miniredis.RunT(t)
	c := &cluster{backend: b, histories: t.TempDir(), environ: []string{"REDIS_URL=redis://" + redis.Addr(), "KALAMI_RATE_LIMITS=false"}}
	for range 3 {
		c.nodes = append(c.nodes, c.begin(t))
	}
	c.front = newBalancer(t, c.nodes...)
	movers := make([]*mover, learners)
	ctx, quiet := context.WithCancel(t.Context())
	var talking sync.WaitGroup
	defer talking.Wait()
	defer quiet()
	for i := range movers {
		movers[i] = newMover(t, c.front.url(), i)
		talking.Go(func() { movers[i].speak(ctx, i) })
	}
	time.Sleep(4 * time.Second)
	var slowest time.Duration
	moves, again := 0, 0
	for range rounds {
		for n := range c.nodes {
			slowest = max(slowest, c.restart(t, n, movers))
			time.Sleep(time.Second)
		}
	}
	time.Sleep(2 * time.Second)
	quiet()
	talking.Wait()
	time.Sleep(2 * time.Second) // the last frames arrive
	for _, m := range movers {
		m.lesson.End()
		if err := <-m.over; err != nil {
			t.Errorf("%s: the lesson ended with %v", m.name, err)
		}
		m.check(t, m.moved())
		moves += m.moved()
		again += m.repeats
	}
	for _, h := range c.nodes {
		if err := h.end(); err != nil {
			t.Errorf("a node ended with %v", err)
		}
	}
	sent, lost := c.frames(t, movers)
	t.Logf("rolling: %d learners, %d nodes stopped, %d moves, %d mic frames sent, %d lost, %d sentences begun again, the slowest node empty after %v",
		learners, 3*rounds, moves, sent, lost, again, slowest.Round(time.Millisecond))
	if lost != 0 {
		t.Errorf("%d frames of the microphones were lost", lost)
	}
}

// frames counts the frames of all microphones, and those that no node has taken.
func (c *cluster) frames(t *testing.T, movers []*mover) (sent, lost int) {
	t.Helper()
	taken := c.taken(t)
	for _, m := range movers {
		frames := m.lesson.Taken()
		sent += frames
		lost += missing(taken[m.lesson.Conversation()], frames)
	}
	return sent, lost
}
