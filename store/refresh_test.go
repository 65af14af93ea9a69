package store_test

import (
	"testing"
	"time"

	"kalami/store/storetest"
)

// Two hundred sequences on the real store (ten thousand run through the gateway). Nothing here is to survive a power cut, so
// SQLite need not wait for the disk.
func TestRefreshSequences(t *testing.T) {
	o := storetest.SQLite(t)
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	o.Now = func() time.Time { return at }
	db := storetest.Open(t, o)
	if _, err := db.Pool().ExecContext(t.Context(), "PRAGMA synchronous = OFF"); err != nil {
		t.Fatal(err)
	}
	storetest.RefreshSequences(t, db, &at, 200)
}
