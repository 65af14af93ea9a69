package store_test

import (
	"sync"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

// A transaction that has taken a number holds up the next one until it has committed, so that
// nobody reads a higher number while a lower one is still to come.
func TestNumbersCommitInOrder(t *testing.T) {
	db := storetest.Open(t, storetest.Postgres(t))
	ana := storetest.NewLearner(t, db, "ana")
	ask := func() learn.SyncAnswer {
		a, err := db.Sync(t.Context(), learn.SyncRequest{TenantID: learn.PersonalTenant, UserID: ana.User.ID, DeviceID: "reader", Cursor: new(int64(1)), Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	change := func(id string) learn.Change { return learn.Change{Entity: learn.EntityMemory, ID: id} }
	slow := db.Gorm().WithContext(t.Context()).Begin()
	if err := store.Feed(slow, learn.PersonalTenant, ana.User.ID, time.Now(), change("first")); err != nil {
		t.Fatal(err)
	}
	var fast sync.WaitGroup
	fast.Go(func() {
		tx := db.Gorm().WithContext(t.Context()).Begin()
		for _, patience := range []string{"lock_timeout", "statement_timeout"} {
			if err := tx.Exec("SET LOCAL " + patience + " = '60s'").Error; err != nil {
				t.Error(err)
			}
		}
		if err := store.Feed(tx, learn.PersonalTenant, ana.User.ID, time.Now(), change("second")); err != nil {
			t.Error(err)
		}
		if err := tx.Commit().Error; err != nil {
			t.Error(err)
		}
	})
	for waiting := 0; waiting == 0; { // until the second one stands at the counter
		err := db.Gorm().Raw("SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%last_seq%'").Scan(&waiting).Error
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if a := ask(); a.Cursor != 1 || len(a.Changes.Other) != 0 {
		t.Errorf("while both are under way the reader goes on to %+v", a)
	}
	if err := slow.Commit().Error; err != nil {
		t.Fatal(err)
	}
	fast.Wait()
	if a := ask(); a.Cursor != 3 || len(a.Changes.Other) != 2 {
		t.Errorf("afterwards the reader has %+v, want both", a)
	}
}
