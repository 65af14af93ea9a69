package store_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"kalami/session/learn"
	"kalami/store"
)

// A flood of requests that hold the database for long: those that nobody can wait for are
// refused at once, the others when their time is over, and lessons pass by them.
func TestGateInFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const places, flood = 8, 400
		g := store.NewGate(places, nil)
		hold := make(chan struct{})
		refused, began := make(chan time.Duration, flood), time.Now()
		for range flood {
			go func() {
				err := g.Pass(t.Context(), func(context.Context) error { <-hold; return nil })
				if learn.KindOf(err) == learn.Unavailable && err != nil {
					refused <- time.Since(began)
				}
			}()
		}
		synctest.Wait()
		if n := len(refused); n != flood-store.RequestQueue {
			t.Errorf("%d of %d requests were refused at once, want those above %d", n, flood, store.RequestQueue)
		}
		for range flood - store.RequestQueue {
			<-refused
		}
		lessons := 0
		for range 50 {
			if err := g.Pass(store.Lesson(t.Context()), func(context.Context) error { lessons++; return nil }); err != nil {
				t.Errorf("a lesson in the flood: %v", err)
			}
		}
		if took := time.Since(began); took != 0 || lessons != 50 {
			t.Errorf("%d of 50 lessons passed in %v", lessons, took)
		}
		for range store.RequestQueue - places*3/4 {
			if after := <-refused; after != store.RequestWait {
				t.Errorf("a request was refused after %v, want %v", after, store.RequestWait)
			}
		}
		close(hold)
		synctest.Wait()
		if err := g.Pass(t.Context(), func(context.Context) error { return nil }); err != nil {
			t.Errorf("after the flood: %v", err)
		}
	})
}

// Who waits is served in the order of arrival, and who leaves takes no turn.
func TestGateInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := store.NewGate(1, nil)
		var order []int
		for i := range 20 {
			ctx, leave := context.WithCancel(t.Context())
			go func() {
				err := g.Pass(ctx, func(context.Context) error { time.Sleep(time.Millisecond); order = append(order, i); return nil })
				if left := i%3 == 1; left != (err != nil) {
					t.Errorf("caller %d: %v", i, err)
				}
			}()
			synctest.Wait()
			if i%3 == 1 {
				leave()
			}
			defer leave()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for n := 1; n < len(order); n++ {
			if order[n] < order[n-1] {
				t.Fatalf("served in the order %v", order)
			}
		}
		if len(order) != 13 {
			t.Errorf("%d were served, want 13", len(order))
		}
	})
}

// server is a database as the outage sees it: it answers, hangs or refuses.
type server struct {
	mu    sync.Mutex
	hangs bool
	fails error
	asked int
}

func (s *server) work(ctx context.Context) error {
	s.mu.Lock()
	hangs := s.hangs
	s.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.fails
}

func (s *server) ask(ctx context.Context) error {
	s.mu.Lock()
	s.asked++
	s.mu.Unlock()
	return s.work(ctx)
}

// hang makes it hang or go on.
func (s *server) hang(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hangs = on
}

func (s *server) questions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// A database that hangs costs callers one wait each until it is known, and nothing then; it
// is asked four times a second at most, and all go on when it answers.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		o := store.NewOutage(s.ask, slog.New(slog.DiscardHandler))
		defer o.Stop()
		g := store.NewGate(4, o)
		s.hang(true)
		began, waited := time.Now(), 0
		for range 200 {
			at := time.Now()
			if err := g.Pass(store.Lesson(t.Context()), s.work); err == nil {
				t.Fatal("a database that hangs has answered")
			}
			if time.Since(at) > 0 {
				waited++
			}
		}
		if took := time.Since(began); waited != 3 || took != 3*store.AnswerWait {
			t.Errorf("%d of 200 waited, %v in all; want 3, each for %v", waited, took, store.AnswerWait)
		}
		time.Sleep(30 * time.Second)
		if n := s.questions(); n < 20 || n > 40 {
			t.Errorf("asked %d times in half a minute", n)
		}
		s.hang(false)
		time.Sleep(2 * time.Second)
		if err := g.Pass(t.Context(), s.work); err != nil {
			t.Errorf("after its return: %v", err)
		}
	})
}

// What opens the breaker is silence. Answers do not, whatever they say, and neither do
// callers who leave.
func TestWhatIsSilence(t *testing.T) {
	for name, c := range map[string]struct {
		fails  error
		silent bool
	}{
		"refused":          {&net.OpError{Op: "dial", Err: errors.New("refused")}, true},
		"starting":         {&pgconn.PgError{Code: "57P03"}, true},
		"shut down":        {&pgconn.PgError{Code: "57P01"}, true},
		"too many clients": {&pgconn.PgError{Code: "53300"}, false},
		"a lock not given": {&pgconn.PgError{Code: "55P03"}, false},
		"a slow statement": {&pgconn.PgError{Code: "57014"}, false},
		"a refusal of our": {&learn.Error{Kind: learn.Conflict}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{fails: c.fails}
				o := store.NewOutage(s.ask, slog.New(slog.DiscardHandler))
				defer o.Stop()
				g := store.NewGate(4, o)
				for range 10 {
					_ = g.Pass(t.Context(), s.work)
					synctest.Wait()
				}
				if o.Known() != c.silent || (s.questions() > 0) != c.silent {
					t.Errorf("known %v, asked %d times; want %v", o.Known(), s.questions(), c.silent)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // somebody with little time has had no answer
		s := &server{hangs: true}
		o := store.NewOutage(s.ask, slog.New(slog.DiscardHandler))
		defer o.Stop()
		o.Suspect()
		time.Sleep(2 * time.Second)
		if !o.Known() {
			t.Error("nobody has asked a database that was suspected")
		}
		s.hang(false)
		time.Sleep(2 * time.Second)
		o.Suspect()
		if synctest.Wait(); o.Known() {
			t.Error("a database that answers is refused")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &server{hangs: true}
		o := store.NewOutage(s.ask, slog.New(slog.DiscardHandler))
		defer o.Stop()
		g := store.NewGate(4, o)
		for range 20 {
			ctx, leave := context.WithTimeout(t.Context(), store.AnswerWait/2)
			_ = g.Pass(ctx, s.work)
			leave()
		}
		if o.Known() {
			t.Error("callers without patience have made an outage")
		}
	})
}
