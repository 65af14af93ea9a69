package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store/live"
)

// place makes the place of a session of that user, all in one school.
func place(id, user string) learn.Place { return learn.Place{ID: id, UserID: user, TenantID: "school"} }

// testPlaces: the caps hold, taking twice is taking once, and what is given back is free.
func testPlaces(t *testing.T, s *live.Store) {
	ctx := t.Context()
	limits := learn.PlaceLimits{User: 2, Tenant: 3}
	take := func(p learn.Place, want learn.Admission) {
		t.Helper()
		if got, err := s.TakePlace(ctx, p, limits); got != want || err != nil {
			t.Errorf("taking %+v: %v, %v; want %v", p, got, err, want)
		}
	}
	take(place("1", "ana"), learn.Admitted)
	take(place("1", "ana"), learn.Admitted)
	take(place("2", "ana"), learn.Admitted)
	take(place("3", "ana"), learn.UserFull)
	take(place("4", "eve"), learn.Admitted)
	take(place("5", "eve"), learn.TenantFull)
	take(learn.Place{ID: "6", UserID: "eve", TenantID: "another"}, learn.Admitted)
	must(t, s.LeavePlace(ctx, place("1", "ana")))
	must(t, s.LeavePlace(ctx, place("1", "ana")))
	must(t, s.LeavePlace(ctx, place("never taken", "ana")))
	take(place("5", "eve"), learn.UserFull) // one here, one in the other school
	take(place("7", "mia"), learn.Admitted)
	take(place("8", "mia"), learn.TenantFull)

	// Whoever is there stays, though there are too many.
	must(t, s.RenewPlaces(ctx, []learn.Place{place("8", "mia"), place("9", "mia"), place("7", "mia")}))
	take(place("9", "mia"), learn.Admitted)
	must(t, s.LeavePlace(ctx, place("8", "mia")))
	must(t, s.LeavePlace(ctx, place("9", "mia")))
	take(place("8", "mia"), learn.TenantFull)
	must(t, s.RenewPlaces(ctx, nil))

	limits = learn.PlaceLimits{}
	for i := range 20 {
		take(place(fmt.Sprint("unlimited ", i), "ana"), learn.Admitted)
	}
	testPlaceHolders(t, s)
	for _, bad := range []learn.Place{{}, {ID: "x", UserID: "u"}, {ID: "x", TenantID: "t"}, {UserID: "u", TenantID: "t"}} {
		_, err := s.TakePlace(ctx, bad, limits)
		wantLive(t, fmt.Sprintf("the place %+v", bad), err, learn.Invalid)
		wantLive(t, fmt.Sprintf("renewing %+v", bad), s.RenewPlaces(ctx, []learn.Place{bad}), learn.Invalid)
	}
}

// testPlaceHolders: who goes on with a conversation takes its place over, however full it
// is, and who had it before cannot give it back or hold on to it.
func testPlaceHolders(t *testing.T, s *live.Store) {
	ctx, limits := t.Context(), learn.PlaceLimits{User: 1, Tenant: 1}
	at := func(id, holder string) learn.Place {
		return learn.Place{ID: id, Holder: holder, UserID: "uma", TenantID: "small school"}
	}
	for _, step := range []struct {
		does string
		do   func() error
		want learn.Admission // of another one
	}{
		{"nobody is there", func() error { return nil }, learn.Admitted},
		{"one is there", func() error { _, err := s.TakePlace(ctx, at("c", "old"), limits); return err }, learn.UserFull},
		{"another holds it", func() error {
			got, err := s.TakePlace(ctx, at("c", "new"), limits)
			if got != learn.Admitted {
				t.Errorf("its own place was refused: %v", got)
			}
			return err
		}, learn.UserFull},
		{"the one before leaves", func() error { return s.LeavePlace(ctx, at("c", "old")) }, learn.UserFull},
		{"the one before renews", func() error { return s.RenewPlaces(ctx, []learn.Place{at("c", "old")}) }, learn.UserFull},
		{"its holder leaves", func() error { return s.LeavePlace(ctx, at("c", "new")) }, learn.Admitted},
	} {
		must(t, step.do())
		for range 2 { // looking changes nothing
			if got, err := s.LookForPlace(ctx, at("another", "x"), limits); got != step.want || err != nil {
				t.Errorf("%s: another one would be %v, %v; want %v", step.does, got, err, step.want)
			}
		}
	}
}

// twoNodes opens what two nodes share; for the Redis inside a process, which is for one
// node, that is one store.
func twoNodes(t *testing.T, fresh FreshLive) [2]*live.Store {
	t.Helper()
	o := fresh(t)
	here := OpenLive(t, o)
	if o.URL == "" {
		return [2]*live.Store{here, here}
	}
	return [2]*live.Store{here, OpenLive(t, o)}
}

// testPlaceRace: of a thousand who come at once, over two nodes, ten get in; both where
// their user and where their school has ten places.
func testPlaceRace(t *testing.T, fresh FreshLive) {
	nodes := twoNodes(t, fresh)
	for round := range 6 {
		limits, user := learn.PlaceLimits{User: 10}, func(int) string { return "ana" }
		if round%2 == 1 {
			limits, user = learn.PlaceLimits{User: 2, Tenant: 10}, func(i int) string { return fmt.Sprint(i % 300) }
		}
		var admitted atomic.Int64
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range 1000 {
			p := learn.Place{ID: fmt.Sprint(i), UserID: fmt.Sprint(user(i), round), TenantID: fmt.Sprint("school ", round)}
			wg.Go(func() {
				<-start
				got, err := nodes[i%2].TakePlace(t.Context(), p, limits)
				for ; learn.KindOf(err) == learn.Unavailable && t.Context().Err() == nil; time.Sleep(5 * time.Millisecond) {
					// The crowd is too much for a small machine. Asking again is asking once.
					got, err = nodes[i%2].TakePlace(t.Context(), p, limits)
				}
				if err != nil {
					t.Errorf("TakePlace: %v", err)
				}
				if got == learn.Admitted {
					admitted.Add(1)
				}
			})
		}
		close(start)
		wg.Wait()
		if admitted.Load() != 10 {
			t.Fatalf("round %d: %d of 1000 got in, want 10", round, admitted.Load())
		}
	}
}

// testPlacesHeal: when a node is gone without a word, its places are free after a lease and
// those of the others are not.
func testPlacesHeal(t *testing.T, fresh FreshLive) {
	nodes := twoNodes(t, fresh)
	ctx, limits := t.Context(), learn.PlaceLimits{User: 4, Tenant: 4}
	for i := range 4 {
		if got, err := nodes[i%2].TakePlace(ctx, place(fmt.Sprint(i), "ana"), limits); got != learn.Admitted || err != nil {
			t.Fatalf("place %d: %v, %v", i, got, err)
		}
	}
	killed := time.Now() // the first node, which renews nothing any more
	mine := []learn.Place{place("1", "ana"), place("3", "ana")}
	free := 0
	for deadline := killed.Add(3 * live.Lease); free < 2; time.Sleep(live.Lease / 50) {
		must(t, nodes[1].RenewPlaces(ctx, mine))
		got, err := nodes[1].TakePlace(ctx, place(fmt.Sprint("new ", free), "ana"), limits)
		must(t, err)
		if got == learn.Admitted {
			free++
			mine = append(mine, place(fmt.Sprint("new ", free-1), "ana"))
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of 2 places are free %v after their node was killed", free, time.Since(killed))
		}
	}
	t.Logf("healed after %v", time.Since(killed).Round(time.Millisecond))
	if got, err := nodes[1].TakePlace(ctx, place("one more", "ana"), limits); got == learn.Admitted || err != nil {
		t.Errorf("a place of the living node was free: %v, %v", got, err)
	}
}
