package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store/live"
)

// FreshLive gives the options of a Redis in which nobody else uses the prefix.
type FreshLive func(tb testing.TB) live.Options

// RunLive runs the suite for live state.
func RunLive(t *testing.T, fresh FreshLive) {
	t.Run("Once", func(t *testing.T) { testOnce(t, OpenLive(t, fresh(t))) })
	t.Run("Race", func(t *testing.T) { testTicketRace(t, OpenLive(t, fresh(t))) })
	t.Run("Expiry", func(t *testing.T) { testExpiry(t, OpenLive(t, fresh(t))) })
	t.Run("Rate", func(t *testing.T) { testRate(t, OpenLive(t, fresh(t))) })
	t.Run("Crowd", func(t *testing.T) { testCrowd(t, OpenLive(t, fresh(t))) })
	t.Run("Clips", func(t *testing.T) { testClips(t, OpenLive(t, fresh(t))) })
	t.Run("Clips' bounds", func(t *testing.T) { testClipBounds(t, OpenLive(t, fresh(t))) })
	t.Run("Notices", func(t *testing.T) { testNotices(t, fresh) })
	t.Run("Mirror", func(t *testing.T) { testMirror(t, OpenLive(t, fresh(t))) })
	t.Run("Mirror's bounds", func(t *testing.T) { testMirrorBounds(t, OpenLive(t, fresh(t))) })
	t.Run("Mirror's race", func(t *testing.T) { testMirrorRace(t, OpenLive(t, fresh(t))) })
	t.Run("Mirror's model", func(t *testing.T) { testMirrorModel(t, OpenLive(t, fresh(t))) })
	t.Run("Places", func(t *testing.T) { testPlaces(t, OpenLive(t, fresh(t))) })
	t.Run("Places' race", func(t *testing.T) { testPlaceRace(t, fresh) })
	t.Run("Closed", func(t *testing.T) { testClosed(t, OpenLive(t, fresh(t))) })
	// These wait for a lease to end, and so may do it together.
	t.Run("Leases", func(t *testing.T) { t.Parallel(); testLeases(t, OpenLive(t, fresh(t))) })
	t.Run("Places heal", func(t *testing.T) { t.Parallel(); testPlacesHeal(t, fresh) })
}

// OpenLive opens a Redis and closes it when the test is over.
func OpenLive(tb testing.TB, o live.Options) *live.Store {
	tb.Helper()
	s, err := live.Open(tb.Context(), o)
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return s
}

// testOnce: a secret is put once and taken once.
func testOnce(t *testing.T, s *live.Store) {
	ctx := t.Context()
	must(t, s.Ping(ctx))
	secret := []byte("\x00binary \xff {braces}")
	must(t, s.PutOnce(ctx, "ticket", secret, time.Minute))
	wantLive(t, "the same key again", s.PutOnce(ctx, "ticket", []byte("other"), time.Minute), learn.Conflict)
	wantLive(t, "no time to live", s.PutOnce(ctx, "timeless", nil, 0), learn.Invalid)
	if got, ok, err := s.TakeOnce(ctx, "ticket"); !bytes.Equal(got, secret) || !ok || err != nil {
		t.Errorf("took %q, %v, %v; want %q", got, ok, err, secret)
	}
	for _, key := range []string{"ticket", "never put", ""} {
		if got, ok, err := s.TakeOnce(ctx, key); got != nil || ok || err != nil {
			t.Errorf("took %q under %q, %v, %v; want nothing", got, key, ok, err)
		}
	}
	must(t, s.PutOnce(ctx, "ticket", nil, time.Minute))
	if got, ok, err := s.TakeOnce(ctx, "ticket"); len(got) != 0 || !ok || err != nil {
		t.Errorf("took %q, %v, %v; want an empty value", got, ok, err)
	}
}

// testTicketRace: a hundred racers show the same ticket; one gets in.
func testTicketRace(t *testing.T, s *live.Store) {
	for round := range 20 {
		key := fmt.Sprintf("ticket %d", round)
		must(t, s.PutOnce(t.Context(), key, []byte("enter"), time.Minute))
		var winners atomic.Int64
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range 100 {
			wg.Go(func() {
				<-start
				_, ok, err := patiently(func() ([]byte, bool, error) { return s.TakeOnce(t.Context(), key) })
				if err != nil {
					t.Errorf("TakeOnce: %v", err)
				}
				if ok {
					winners.Add(1)
				}
			})
		}
		close(start)
		wg.Wait()
		if winners.Load() != 1 {
			t.Fatalf("%d of 100 racers got in, want 1", winners.Load())
		}
	}
}

// patiently asks again when the pool was full, which a crowd on a small machine
// may make it: a command that got no connection had no effect.
func patiently[T any](call func() (T, bool, error)) (T, bool, error) {
	for {
		v, ok, err := call()
		if err == nil || !isPoolTimeout(err) {
			return v, ok, err
		}
	}
}

func isPoolTimeout(err error) bool {
	e, ok := errors.AsType[*learn.Error](err)
	return ok && e.Kind == learn.Unavailable && e.Err != nil && e.Err.Error() == "redis: connection pool timeout"
}

// testExpiry: what nobody took is gone after its time, and not long before it.
func testExpiry(t *testing.T, s *live.Store) {
	ctx := t.Context()
	must(t, s.PutOnce(ctx, "short", []byte("x"), 150*time.Millisecond))
	must(t, s.PutOnce(ctx, "long", []byte("x"), time.Minute))
	deadline := time.Now().Add(10 * time.Second)
	for {
		// Putting again works as soon as the key is gone.
		err := s.PutOnce(ctx, "short", []byte("again"), time.Minute)
		if err == nil {
			break
		}
		wantLive(t, "putting before its time", err, learn.Conflict)
		if time.Now().After(deadline) {
			t.Fatal("a key of 150 ms is there after 10 s")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _, ok, err := s.TakeOnce(ctx, "long"); !ok || err != nil {
		t.Errorf("the key of a minute: %v, %v; want it there", ok, err)
	}
}

// testRate: three may come at once, then one an hour; another key is not affected,
// and the wait that is announced is the wait.
func testRate(t *testing.T, s *live.Store) {
	ctx := t.Context()
	hourly := live.Rate{Count: 1, Per: time.Hour, Burst: 3}
	about := func(got, want time.Duration) bool { return got <= want && got > want-10*time.Minute }
	for i := range 3 {
		v, err := s.Allow(ctx, "ana", hourly)
		if !v.Allowed || v.RetryAfter != 0 || err != nil || v.Remaining != 2-i || !about(v.ResetAfter, time.Duration(i+1)*time.Hour) {
			t.Errorf("event %d: %+v, %v; want it allowed", i+1, v, err)
		}
	}
	for range 3 {
		v, err := s.Allow(ctx, "ana", hourly)
		if v.Allowed || err != nil || v.Remaining != 0 || !about(v.RetryAfter, time.Hour) || !about(v.ResetAfter, 3*time.Hour) {
			t.Errorf("past the burst: %+v, %v; want refused for about an hour", v, err)
		}
	}
	if v, err := s.Allow(ctx, "eve", hourly); !v.Allowed || err != nil {
		t.Errorf("another key: %+v, %v; want it allowed", v, err)
	}

	quick := live.Rate{Count: 20, Per: time.Second}
	if v, err := s.Allow(ctx, "quick", quick); !v.Allowed || err != nil {
		t.Errorf("first: %+v, %v; want it allowed", v, err)
	}
	for v := (live.Verdict{}); !v.Allowed; {
		var err error
		if v, err = s.Allow(ctx, "quick", quick); err != nil || v.RetryAfter > 50*time.Millisecond {
			t.Fatalf("%+v, %v; want a wait of at most 50ms", v, err)
		}
		time.Sleep(v.RetryAfter)
	}
	for _, bad := range []live.Rate{{}, {Count: -1, Per: time.Second}, {Count: 1}, {Count: 1, Per: -1}, {Count: 1, Per: time.Second, Burst: -1}} {
		_, err := s.Allow(ctx, "bad", bad)
		wantLive(t, fmt.Sprintf("the rate %+v", bad), err, learn.Invalid)
	}
}

// testCrowd: of a hundred that come at once, as many are allowed as the burst.
func testCrowd(t *testing.T, s *live.Store) {
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			_, ok, err := patiently(func() (time.Duration, bool, error) {
				v, err := s.Allow(t.Context(), "door", live.Rate{Count: 1, Per: time.Hour, Burst: 10})
				return v.RetryAfter, v.Allowed, err
			})
			if err != nil {
				t.Errorf("Allow: %v", err)
			}
			if ok {
				allowed.Add(1)
			}
		})
	}
	wg.Wait()
	if allowed.Load() != 10 {
		t.Errorf("%d allowed, want 10", allowed.Load())
	}
}

// testClosed: after Close, and without a context, everything says Unavailable.
func testClosed(t *testing.T, s *live.Store) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	wantLive(t, "a context that has ended", s.Ping(gone), learn.Unavailable)
	must(t, s.Close())
	must(t, s.Close())
	wantLive(t, "Ping", s.Ping(t.Context()), learn.Unavailable)
	wantLive(t, "PutOnce", s.PutOnce(t.Context(), "k", nil, time.Minute), learn.Unavailable)
	_, _, err := s.TakeOnce(t.Context(), "k")
	wantLive(t, "TakeOnce", err, learn.Unavailable)
	_, err = s.Allow(t.Context(), "k", live.Rate{Count: 1, Per: time.Hour})
	wantLive(t, "Allow", err, learn.Unavailable)
	answer, err := s.KeepLive(t.Context(), "a", []learn.LiveChange{change("c", 1, 1, 1)})
	wantLive(t, "KeepLive", err, learn.Unavailable)
	if !sameAnswer(answer, learn.LiveAnswer{Lost: []string{"c"}}) {
		t.Errorf("KeepLive answers %+v", answer)
	}
	answer, err = s.RenewLive(t.Context(), "a", []learn.LiveLease{{ConversationID: "c", Epoch: 1}})
	wantLive(t, "RenewLive", err, learn.Unavailable)
	if !sameAnswer(answer, learn.LiveAnswer{Lost: []string{"c"}}) {
		t.Errorf("RenewLive answers %+v", answer)
	}
	_, _, err = s.Live(t.Context(), "c")
	wantLive(t, "Live", err, learn.Unavailable)
	wantLive(t, "ForgetLive", s.ForgetLive(t.Context(), "c", 1), learn.Unavailable)
	_, err = s.Orphans(t.Context(), 0, 1)
	wantLive(t, "Orphans", err, learn.Unavailable)
	_, err = s.TakePlace(t.Context(), place("p", "ana"), learn.PlaceLimits{})
	wantLive(t, "TakePlace", err, learn.Unavailable)
	_, err = s.LookForPlace(t.Context(), place("p", "ana"), learn.PlaceLimits{})
	wantLive(t, "LookForPlace", err, learn.Unavailable)
	wantLive(t, "RenewPlaces", s.RenewPlaces(t.Context(), []learn.Place{place("p", "ana")}), learn.Unavailable)
	wantLive(t, "LeavePlace", s.LeavePlace(t.Context(), place("p", "ana")), learn.Unavailable)
	clips := keeper(t, s, live.ClipLimits{Bytes: 1, Entries: 1, Idle: time.Second})
	wantLive(t, "KeepClip", clips.KeepClip(t.Context(), "k", []byte("x")), learn.Unavailable)
	_, _, err = clips.Clip(t.Context(), "k")
	wantLive(t, "Clip", err, learn.Unavailable)
}

func wantLive(tb testing.TB, what string, err error, kind learn.Kind) {
	tb.Helper()
	if e, ok := errors.AsType[*learn.Error](err); !ok || e.Kind != kind || e.Op == "" || e.Msg == "" {
		tb.Errorf("%s: got %v, want a *learn.Error of kind %v", what, err, kind)
	}
}
