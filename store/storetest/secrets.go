package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kalami/session/learn"
)

// testSecrets: a secret is put once and taken once, ends with its time, and one that another
// store gave out is spent once.
func testSecrets(t *testing.T, fresh Fresh) {
	o := fresh(t)
	c := &clock{at: time.Now()}
	o.Now = c.now
	db := Open(t, o)
	ctx := t.Context()
	take := func(key, want string) {
		t.Helper()
		if value, ok, err := db.TakeOnce(ctx, key); err != nil || ok != (want != "") || string(value) != want {
			t.Errorf("took %q, %v, %v; want %q", value, ok, err, want)
		}
	}
	take("a", "")
	must(t, db.PutOnce(ctx, "a", []byte("one"), time.Minute))
	wantKind(t, "put again", db.PutOnce(ctx, "a", []byte("two"), time.Minute), learn.Conflict)
	wantKind(t, "put nowhere", db.PutOnce(ctx, "", nil, time.Minute), learn.Invalid)
	take("a", "one")
	take("a", "")

	must(t, db.PutOnce(ctx, "late", []byte("one"), time.Minute))
	must(t, db.PutOnce(ctx, "later", []byte("two"), time.Hour))
	c.at = c.at.Add(time.Minute)
	take("late", "")
	must(t, db.ForgetOnce(ctx))
	must(t, db.PutOnce(ctx, "late", []byte("three"), time.Minute)) // it was removed
	take("later", "two")

	for i := range 3 {
		if first, err := db.SpendOnce(ctx, "other", time.Minute); err != nil || first != (i == 0) {
			t.Errorf("spent for the %d. time: first %v, %v", i+1, first, err)
		}
	}
	take("other", "")
}

// testSecretRace: of many that show one secret, one gets it, whoever has kept it.
func testSecretRace(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	for round := range 5 {
		key := fmt.Sprint("s", round)
		must(t, db.PutOnce(t.Context(), key, []byte("it"), time.Minute))
		var taken, spent atomic.Int64
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if _, ok, err := db.TakeOnce(t.Context(), key); err != nil {
					t.Errorf("take: %v", err)
				} else if ok {
					taken.Add(1)
				}
			})
			all.Go(func() {
				if first, err := db.SpendOnce(t.Context(), key+" elsewhere", time.Minute); err != nil {
					t.Errorf("spend: %v", err)
				} else if first {
					spent.Add(1)
				}
			})
		}
		all.Wait()
		if taken.Load() != 1 || spent.Load() != 1 {
			t.Errorf("taken %d times and spent %d times, want once", taken.Load(), spent.Load())
		}
	}
}
