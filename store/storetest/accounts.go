package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kalami/session/learn"
)

// testSettings: Ana tells who and where she is, and takes some of it back.
func testSettings(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana := NewLearner(t, db, "ana").User
	want := ana
	want.Name, want.NativeLanguage, want.TimeZone, want.UILocale = "Ana Núñez", "ca", "Europe/Madrid", "es-ES"
	change := want
	change.Email, change.HashedPassword, change.TokenVersion, change.EmailVerified = "eve@example.org", "x", 9, true // not for this to change
	if got, err := db.UpdateUser(ctx, change); err != nil || got != want {
		t.Errorf("updated to %+v, %v; want %+v", got, err, want)
	}
	if got, err := db.UserByID(ctx, ana.ID); err != nil || got != want {
		t.Errorf("read back %+v, %v; want %+v", got, err, want)
	}
	want.Name, want.TimeZone, want.UILocale = "", "", ""
	if got, err := db.UpdateUser(ctx, want); err != nil || got != want {
		t.Errorf("emptied to %+v, %v; want %+v", got, err, want)
	}
	for _, zone := range []string{"Mars/Olympus", "Local", "../etc/passwd"} {
		change.TimeZone = zone
		_, err := db.UpdateUser(ctx, change)
		wantKind(t, "the zone "+zone, err, learn.Invalid)
	}
	_, err := db.UpdateUser(ctx, learn.User{ID: "nobody"})
	wantKind(t, "an unknown user", err, learn.NotFound)
}

// testPasswordChange: of two changes at once, one counts; it ends the sessions.
func testPasswordChange(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana := NewLearner(t, db, "ana").User
	signIn(t, db, ana, time.Now(), "a1")
	must(t, db.PutMailToken(ctx, learn.MailToken{UserID: ana.ID, Purpose: learn.MailReset, Email: ana.Email, Hash: "m", ExpiresAt: time.Now().Add(time.Hour)}))
	want := ana
	want.HashedPassword, want.TokenVersion = "new", 1
	if got, err := db.ChangePassword(ctx, ana.ID, 0, "new"); err != nil || got != want {
		t.Errorf("changed: %+v, %v; want %+v", got, err, want)
	}
	_, err := db.ChangePassword(ctx, ana.ID, 0, "newer")
	wantKind(t, "the change that came second", err, learn.Conflict)
	_, err = db.ChangePassword(ctx, "nobody", 0, "x")
	wantKind(t, "an unknown user", err, learn.NotFound)
	rotate(t, db, "a1", "a2", learn.Refused)
	_, err = db.ResetPassword(ctx, "m", "x")
	wantKind(t, "what was mailed before", err, learn.NotFound)
	if got, err := db.UserByID(ctx, ana.ID); err != nil || got != want {
		t.Errorf("afterwards %+v, %v; want %+v", got, err, want)
	}
}

// testMailTokens: a mailed token works once, for what it was sent for, for ten
// minutes, and for as long as the address is the user's.
func testMailTokens(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana").User, NewLearner(t, db, "eve").User
	put := func(u learn.User, purpose learn.MailPurpose, hash string) {
		t.Helper()
		must(t, db.PutMailToken(ctx, learn.MailToken{UserID: u.ID, Purpose: purpose, Email: u.Email, Hash: hash, ExpiresAt: at.at.Add(10 * time.Minute)}))
	}
	put(ana, learn.MailVerify, "v1")
	put(ana, learn.MailVerify, "v2")
	put(ana, learn.MailReset, "r1")
	put(ana, learn.MailReset, "r2")
	put(eve, learn.MailReset, "eve")
	signIn(t, db, ana, at.at, "a1")

	_, err := db.VerifyEmail(ctx, "r1")
	wantKind(t, "verifying with a reset token", err, learn.NotFound)
	_, err = db.ResetPassword(ctx, "v1", "x")
	wantKind(t, "resetting with a verification token", err, learn.NotFound)
	want := ana
	want.EmailVerified = true
	if got, err := db.VerifyEmail(ctx, "v1"); err != nil || got != want {
		t.Errorf("verified: %+v, %v; want %+v", got, err, want)
	}
	for _, used := range []string{"v1", "v2", "unknown", ""} {
		_, err = db.VerifyEmail(ctx, used)
		wantKind(t, "verifying with "+used, err, learn.NotFound)
	}
	rotate(t, db, "a1", "a2", learn.Replaced) // goes on

	for range 2 { // looking does not use it
		if got, err := db.MailTokenUser(ctx, learn.MailReset, "r1"); err != nil || got != want {
			t.Errorf("whose: %+v, %v; want %+v", got, err, want)
		}
	}
	want.HashedPassword, want.TokenVersion = "new", 1
	if got, err := db.ResetPassword(ctx, "r1", "new"); err != nil || got != want {
		t.Errorf("reset: %+v, %v; want %+v", got, err, want)
	}
	rotate(t, db, "a2", "a3", learn.Refused)
	_, err = db.ResetPassword(ctx, "r2", "x")
	wantKind(t, "the other token", err, learn.NotFound)

	at.at = at.at.Add(10 * time.Minute)
	_, err = db.MailTokenUser(ctx, learn.MailReset, "eve")
	wantKind(t, "whose, ten minutes later", err, learn.NotFound)
	_, err = db.ResetPassword(ctx, "eve", "x")
	wantKind(t, "ten minutes later", err, learn.NotFound)
	if got, err := db.UserByID(ctx, eve.ID); err != nil || got != eve {
		t.Errorf("Eve is %+v, %v; want her untouched", got, err)
	}
	must(t, db.PutMailToken(ctx, learn.MailToken{UserID: eve.ID, Purpose: learn.MailReset, Email: "old@example.org", Hash: "old", ExpiresAt: at.at.Add(time.Minute)}))
	_, err = db.ResetPassword(ctx, "old", "x")
	wantKind(t, "what went to an address she had before", err, learn.NotFound)
	wantKind(t, "a token of nobody", db.PutMailToken(ctx, learn.MailToken{UserID: "nobody", Purpose: learn.MailReset, Email: "x", Hash: "n", ExpiresAt: at.at}), learn.NotFound)
}

// testMailTokenRace: of twenty that show one token, one gets in.
func testMailTokenRace(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ana := NewLearner(t, db, "ana").User
	must(t, db.PutMailToken(t.Context(), learn.MailToken{UserID: ana.ID, Purpose: learn.MailReset, Email: ana.Email, Hash: "r", ExpiresAt: time.Now().Add(time.Hour)}))
	var won atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := db.ResetPassword(t.Context(), "r", "new")
			if err == nil {
				won.Add(1)
			} else if learn.KindOf(err) != learn.NotFound {
				t.Errorf("reset: %v", err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d got in, want 1", won.Load())
	}
	if u, err := db.UserByID(t.Context(), ana.ID); err != nil || u.TokenVersion != 1 {
		t.Errorf("token version %d, %v; want 1", u.TokenVersion, err)
	}
}
