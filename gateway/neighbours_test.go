package gateway

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// street is what carries notices between the neighbours of a test.
type street struct {
	mu     sync.Mutex
	houses []*neighbour
	silent bool // every notice is lost, and whoever sends it is told so
	said   []string
}

// neighbour is a node of a street, which says its word until it is left.
type neighbour struct {
	*neighbours
	stops atomic.Bool
	leave context.CancelFunc
}

func (s *street) Publish(_ context.Context, topic, payload string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if topic != topicNodes || s.silent {
		return errors.New("nobody has heard it")
	}
	s.said = append(s.said, payload)
	for _, h := range s.houses {
		h.heed(payload)
	}
	return nil
}

func (*street) Subscribe(context.Context, string, func(string)) error { return nil }

func (s *street) silence(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = on
}

// moveIn begins a node.
func (s *street) moveIn(t *testing.T, name string) *neighbour {
	n := &neighbour{}
	n.neighbours = newNeighbours(name, s, n.stops.Load, slog.New(slog.DiscardHandler))
	s.mu.Lock()
	s.houses = append(s.houses, n)
	s.mu.Unlock()
	ctx, leave := context.WithCancel(t.Context())
	n.leave = func() {
		leave()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.houses = slices.DeleteFunc(s.houses, func(h *neighbour) bool { return h == n })
	}
	go n.announce(ctx)
	synctest.Wait()
	return n
}

// stop has a node stop, and says how long it takes to find out whether there is another.
func (n *neighbour) stop(t *testing.T) (open bool, took time.Duration) {
	n.stops.Store(true)
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), answerWait)
	defer cancel()
	open = n.find(ctx)
	synctest.Wait()
	return open, time.Since(began)
}

// A node that stops knows at once who is there, without a question that could be lost.
func TestStoppingNodeKnowsItsNeighbours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &street{}
		a, b := s.moveIn(t, "a"), s.moveIn(t, "b")
		defer b.leave()
		defer a.leave()
		s.silence(true)
		time.Sleep(time.Minute)
		if open, took := a.stop(t); !open || took != 0 {
			t.Errorf("open: %v, after %v", open, took)
		}
	})
}

// A node that is alone does not wait for long.
func TestStoppingNodeIsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &street{}
		a := s.moveIn(t, "a")
		defer a.leave()
		if open, took := a.stop(t); open || took != answerWait {
			t.Errorf("open: %v, after %v", open, took)
		}
	})
}

// Of two nodes that stop at once, in any order and however close, neither takes the other
// for open; a third that comes is found.
func TestNodesThatStopTogether(t *testing.T) {
	for _, apart := range []time.Duration{0, time.Millisecond, 100 * time.Millisecond, 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s := &street{}
			a, b := s.moveIn(t, "a"), s.moveIn(t, "b")
			defer b.leave()
			defer a.leave()
			a.stops.Store(true)
			a.speak()
			time.Sleep(apart)
			if open, _ := b.stop(t); open {
				t.Error("b takes a for open")
			}
			if a.open() {
				t.Error("a takes b for open")
			}
			time.Sleep(10 * time.Second)
			if synctest.Wait(); a.open() || b.open() {
				t.Error("they take each other for open later")
			}
			c := s.moveIn(t, "c")
			defer c.leave()
			if synctest.Wait(); !a.open() || !b.open() || c.open() {
				t.Errorf("open: %v for a, %v for b, %v for c", a.open(), b.open(), c.open())
			}
		})
	}
}

// A node that dies without a word is forgotten; one that cannot be heard because nobody
// can is not.
func TestNeighbourIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &street{}
		a, b := s.moveIn(t, "a"), s.moveIn(t, "b")
		defer a.leave()
		time.Sleep(time.Minute)
		if !a.open() {
			t.Error("b is not known after a minute")
		}
		b.leave()
		time.Sleep(forgetAfter + announceEvery)
		if synctest.Wait(); a.open() {
			t.Error("b is open, and gone")
		}
	})
}

// A notice that could not be given is given again soon, as what is true by then.
func TestNoticeIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &street{silent: true}
		a := s.moveIn(t, "a")
		defer a.leave()
		time.Sleep(time.Second)
		a.stops.Store(true)
		s.silence(false)
		time.Sleep(announceAgain)
		synctest.Wait()
		if s.mu.Lock(); !slices.Equal(s.said, []string{wordStopping + " a"}) {
			t.Errorf("said %q", s.said)
		}
		s.mu.Unlock()
	})
}
