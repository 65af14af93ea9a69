package gateway

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session"
	"kalami/session/learn"
)

// deafConn is a connection on which nothing happens until it is cut off.
type deafConn struct {
	session.Conn
	aborted chan struct{}
	once    sync.Once
}

func newDeafConn() *deafConn { return &deafConn{aborted: make(chan struct{})} }

func (c *deafConn) Abort() { c.once.Do(func() { close(c.aborted) }) }

func mustTake(t *testing.T, r *registry, user string) *seat {
	t.Helper()
	s, err := r.take(user)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRegistryCaps(t *testing.T) {
	r := newRegistry(3, 2)
	ana1, ana2 := mustTake(t, r, "ana"), mustTake(t, r, "ana")
	if _, err := r.take("ana"); learn.KindOf(err) != learn.TooMany {
		t.Errorf("ana's third: %v, want too many", err)
	}
	mustTake(t, r, "ben")
	if _, err := r.take("eva"); learn.KindOf(err) != learn.Unavailable {
		t.Errorf("the fourth on this node: %v, want unavailable", err)
	}
	stranger := mustTake(t, r, "") // who is only told why not takes no learner's seat
	if r.load() != 1 {
		t.Errorf("a full node has a load of %v", r.load())
	}
	if r.active("ana", "") != 2 || r.active("ben", "") != 1 || r.active("eva", "") != 0 || r.total() != 3 {
		t.Errorf("ana %d, ben %d, eva %d of %d", r.active("ana", ""), r.active("ben", ""), r.active("eva", ""), r.total())
	}
	stranger.leave()
	ana1.leave()
	ana1.leave() // twice is once
	ana2.leave()
	if r.load() != 1.0/3 {
		t.Errorf("one of three: a load of %v", r.load())
	}
	if r.active("ana", "") != 0 || r.total() != 1 {
		t.Errorf("ana %d of %d after leaving", r.active("ana", ""), r.total())
	}
	for range 2 {
		mustTake(t, r, "eva")
	}
}

func TestStrangersAreBounded(t *testing.T) {
	r := newRegistry(1, 1)
	for range maxStrangers {
		mustTake(t, r, "")
	}
	if _, err := r.take(""); learn.KindOf(err) != learn.Unavailable {
		t.Errorf("one stranger too many: %v", err)
	}
	mustTake(t, r, "ana")
}

// A thousand racers on a cap of ten: exactly ten get in.
func TestRegistryCapUnderRace(t *testing.T) {
	r := newRegistry(10, 1000)
	var in atomic.Int32
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			if _, err := r.take("ana"); err == nil {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 10 || r.total() != 10 {
		t.Errorf("%d got in, %d counted, want 10", in.Load(), r.total())
	}
}

// A node that drains lets each conversation finish its sentence, and waits for it.
func TestDrainWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegistry(10, 10)
		var finished atomic.Int32
		for range 3 {
			mustTake(t, r, "ana").hold(newDeafConn(), func(ctx context.Context) {
				<-ctx.Done()
				end, ok := errors.AsType[*session.End](context.Cause(ctx))
				if !ok || end.Reason != session.EndRestart {
					t.Errorf("ended because of %v", context.Cause(ctx))
				}
				time.Sleep(4 * time.Second) // the sentence
				finished.Add(1)
			})
		}
		reserved := mustTake(t, r, "ben") // between the handshake and the conversation
		time.AfterFunc(time.Second, reserved.leave)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := r.drain(ctx); err != nil || finished.Load() != 3 || r.total() != 0 {
			t.Errorf("drain: %v, %d finished, %d left", err, finished.Load(), r.total())
		}
		if _, err := r.take("eva"); learn.KindOf(err) != learn.Unavailable {
			t.Errorf("a new one while draining: %v", err)
		}
		if err := r.drain(ctx); err != nil {
			t.Errorf("drained again: %v", err)
		}
	})
}

// Who does not finish in time is cut off; drain still waits until it has returned.
func TestDrainCutsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegistry(10, 10)
		conn := newDeafConn()
		var returned atomic.Bool
		mustTake(t, r, "ana").hold(conn, func(context.Context) {
			<-conn.aborted
			time.Sleep(time.Second)
			returned.Store(true)
		})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		err := r.drain(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 sessions cut off") {
			t.Errorf("drain: %v", err)
		}
		if !returned.Load() || time.Since(start) != 4*time.Second {
			t.Errorf("returned %v after %v", returned.Load(), time.Since(start))
		}
	})
}

// Two devices on one conversation: the one that took it over last stays, whichever says so first.
func TestClaimSupersedes(t *testing.T) {
	for _, tt := range []struct{ first, second int64 }{{1, 2}, {2, 1}} {
		r := newRegistry(10, 10)
		a, b := mustTake(t, r, "ana"), mustTake(t, r, "ana")
		a.claim("c1", tt.first)
		b.claim("c1", tt.second)
		loser, winner := a, b
		if tt.first > tt.second {
			loser, winner = b, a
		}
		end, _ := errors.AsType[*session.End](context.Cause(loser.ctx))
		if end == nil || end.Reason != session.EndSuperseded {
			t.Errorf("epochs %v: the older goes on (%v)", tt, context.Cause(loser.ctx))
		}
		if winner.ctx.Err() != nil {
			t.Errorf("epochs %v: the newer was ended: %v", tt, context.Cause(winner.ctx))
		}
		loser.leave()
		if r.talks["c1"] != winner {
			t.Errorf("epochs %v: the older took the place with it", tt)
		}
		winner.leave()
		if len(r.talks) != 0 {
			t.Errorf("%d conversations left over", len(r.talks))
		}
	}
}
