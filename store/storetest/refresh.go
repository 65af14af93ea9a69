package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
)

// month is how long refresh tokens of these tests are good.
const month = 30 * 24 * time.Hour

// signIn begins a family whose first token has the given hash.
func signIn(tb testing.TB, db *store.DB, u learn.User, now time.Time, hash string) {
	tb.Helper()
	must(tb, db.StartFamily(tb.Context(), learn.RefreshToken{
		TenantID: learn.PersonalTenant, UserID: u.ID, TokenVersion: u.TokenVersion,
		DeviceID: "phone", Hash: hash, ExpiresAt: now.Add(month),
	}))
}

// rotate shows a token and wants an outcome.
func rotate(tb testing.TB, db *store.DB, hash, next string, want learn.RotationOutcome) learn.Rotated {
	tb.Helper()
	got, err := db.Rotate(tb.Context(), learn.Rotation{TenantID: learn.PersonalTenant, Hash: hash, NextHash: next, Lifetime: month})
	must(tb, err)
	if got.Outcome != want {
		tb.Errorf("showing %s: outcome %d, want %d", hash, got.Outcome, want)
	}
	return got
}

// testRefresh: Ana's phone stays signed in from token to token, is told the same
// successor again when an answer was lost, and is out when an old one turns up.
func testRefresh(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	ana, eve := NewLearner(t, db, "ana").User, NewLearner(t, db, "eve").User
	signIn(t, db, ana, at.at, "a1")
	signIn(t, db, ana, at.at, "tablet")
	signIn(t, db, eve, at.at, "eve")

	want := learn.Rotated{Outcome: learn.Replaced, User: ana, NextHash: "a2", ExpiresAt: at.at.Add(month)}
	if got := rotate(t, db, "a1", "a2", learn.Replaced); got != want {
		t.Errorf("replaced: %+v, want %+v", got, want)
	}
	at.at = at.at.Add(learn.ReplayWindow)
	want.Outcome = learn.Repeated
	if got := rotate(t, db, "a1", "another key's", learn.Repeated); got != want {
		t.Errorf("repeated: %+v, want %+v", got, want)
	}
	rotate(t, db, "a2", "a3", learn.Replaced)
	at.at = at.at.Add(time.Microsecond)
	if got := rotate(t, db, "a1", "a2", learn.Reused); got.User != ana || got.NextHash != "" {
		t.Errorf("reused: %+v", got)
	}
	for _, dead := range []string{"a1", "a2", "a3", "never issued", ""} {
		if got := rotate(t, db, dead, "x", learn.Refused); got != (learn.Rotated{}) {
			t.Errorf("refused: %+v", got)
		}
	}
	rotate(t, db, "tablet", "tablet2", learn.Replaced) // another family
	if got, err := db.Rotate(t.Context(), learn.Rotation{TenantID: "school", Hash: "tablet2", NextHash: "x", Lifetime: month}); err != nil || got.Outcome != learn.Refused {
		t.Errorf("in another tenant: %+v, %v", got, err)
	}

	// Signing out ends one family, ending the sessions all of one user.
	for i, want := range []string{ana.ID, ""} {
		if got, err := db.EndFamily(t.Context(), learn.PersonalTenant, "tablet"); err != nil || got != want {
			t.Errorf("signing out, time %d: %q, %v; want %q", i+1, got, err, want)
		}
	}
	rotate(t, db, "tablet2", "x", learn.Refused)
	if got, err := db.EndFamily(t.Context(), learn.PersonalTenant, "never issued"); err != nil || got != "" {
		t.Errorf("signing out with an unknown token: %q, %v", got, err)
	}
	signIn(t, db, ana, at.at, "b1")
	must(t, db.EndSessions(t.Context(), ana.ID))
	rotate(t, db, "b1", "b2", learn.Refused)
	signIn(t, db, ana, at.at, "late") // verified before, stored after
	rotate(t, db, "late", "x", learn.Refused)
	rotate(t, db, "eve", "eve2", learn.Replaced)

	at.at = at.at.Add(month)
	rotate(t, db, "eve2", "x", learn.Refused) // has ended

	wantKind(t, "a family of nobody", db.StartFamily(t.Context(), learn.RefreshToken{
		TenantID: learn.PersonalTenant, UserID: "nobody", Hash: "n", ExpiresAt: at.at.Add(month)}), learn.NotFound)
	wantKind(t, "ending nobody's sessions", db.EndSessions(t.Context(), "nobody"), learn.NotFound)
}

// testRefreshBounds: a family keeps no tokens that have ended, and a user no more
// than fifty families.
func testRefreshBounds(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	ana := NewLearner(t, db, "ana").User
	signIn(t, db, ana, at.at, "d0")
	for day := range 40 { // a day apart: those of the first nine days have ended
		at.at = at.at.Add(24 * time.Hour)
		rotate(t, db, fmt.Sprintf("d%d", day), fmt.Sprintf("d%d", day+1), learn.Replaced)
	}
	rotate(t, db, "d9", "x", learn.Refused) // forgotten: it could not be used anyway
	rotate(t, db, "d40", "d41", learn.Replaced)
	rotate(t, db, "d12", "x", learn.Reused)

	for i := range 51 {
		at.at = at.at.Add(time.Second)
		signIn(t, db, ana, at.at, fmt.Sprintf("f%d", i))
	}
	rotate(t, db, "f0", "x", learn.Refused)
	rotate(t, db, "f1", "f1b", learn.Replaced)
	rotate(t, db, "f50", "f50b", learn.Replaced)
}

// testRotationRace: a phone asks ten times at once and gets one successor, while
// somebody signs it out; afterwards nothing of the family is good.
func testRotationRace(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ana := NewLearner(t, db, "ana").User
	for round := range 20 {
		name := func(s string) string { return fmt.Sprintf("%s-%d", s, round) }
		signIn(t, db, ana, time.Now(), name("first"))
		var mu sync.Mutex
		next := map[string]int{}
		var all sync.WaitGroup
		start := make(chan struct{})
		for i := range 10 {
			all.Go(func() {
				<-start
				got, err := db.Rotate(t.Context(), learn.Rotation{TenantID: learn.PersonalTenant,
					Hash: name("first"), NextHash: name(fmt.Sprintf("next%d", i)), Lifetime: month})
				if err != nil {
					t.Errorf("rotate: %v", err)
				}
				mu.Lock()
				defer mu.Unlock()
				if got.Outcome != learn.Refused {
					next[got.NextHash]++
				}
			})
		}
		if round%2 == 1 {
			all.Go(func() {
				<-start
				if _, err := db.EndFamily(t.Context(), learn.PersonalTenant, name("first")); err != nil {
					t.Errorf("end: %v", err)
				}
			})
		}
		close(start)
		all.Wait()
		if round%2 == 0 && (len(next) != 1 || sum(next) != 10) || len(next) > 1 {
			t.Fatalf("successors %v, want one for all", next)
		}
		if _, err := db.EndFamily(t.Context(), learn.PersonalTenant, name("first")); err != nil {
			t.Fatal(err)
		}
		for hash := range next {
			rotate(t, db, hash, name("x"), learn.Refused)
		}
	}
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
