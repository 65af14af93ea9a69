package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
)

// testMigrate: five nodes start at once on an empty database; one of them makes
// the schema, the others wait and find it there.
func testMigrate(t *testing.T, fresh Fresh) {
	o := fresh(t)
	nodes := 5
	if !isPostgres(o) {
		nodes = 1 // a SQLite file belongs to one node
	}
	var applied, ran atomic.Int64
	var wg sync.WaitGroup
	for range nodes {
		wg.Go(func() {
			db, err := store.Open(t.Context(), o)
			if err != nil {
				t.Errorf("open: %v", err)
				return
			}
			defer db.Close()
			n, err := db.Migrate(t.Context())
			if err != nil {
				t.Errorf("migrate: %v", err)
			}
			if n > 0 {
				ran.Add(1)
				applied.Add(int64(n))
			}
		})
	}
	wg.Wait()
	if ran.Load() != 1 {
		t.Errorf("%d nodes migrated, want 1", ran.Load())
	}
	if applied.Load() == 0 {
		t.Error("no version was applied")
	}
	db := Open(t, o)
	if n, err := db.Migrate(t.Context()); n != 0 || err != nil {
		t.Errorf("migrating again: %d versions, %v; want 0, nil", n, err)
	}
}

// testPeople: somebody registers, is found in either case of the e-mail, and
// changes the password; guests have no e-mail to clash.
func testPeople(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	zone := time.FixedZone("UTC+9", 9*3600)
	in := learn.User{
		Email: "Ana.Núñez@Example.org", Name: "Ana", NativeLanguage: "pt", HashedPassword: "$argon2id$one",
		CreatedAt: time.Date(2026, 3, 1, 8, 30, 0, 123456789, zone),
	}
	ana, err := db.CreateUser(ctx, in)
	must(t, err)
	want := in
	want.ID, want.CreatedAt = ana.ID, time.Date(2026, 2, 28, 23, 30, 0, 123456000, time.UTC)
	if ana != want {
		t.Errorf("created %+v, want %+v", ana, want)
	}
	for _, email := range []string{"ana.núñez@example.org", "ANA.NÚÑEZ@EXAMPLE.ORG", " Ana.Núñez@Example.org "} {
		if got, err := db.UserByEmail(ctx, email); err != nil || got != want {
			t.Errorf("UserByEmail(%q) = %+v, %v; want %+v", email, got, err, want)
		}
		_, err := db.CreateUser(ctx, learn.User{Email: email})
		wantKind(t, "registering again as "+email, err, learn.Conflict)
	}
	must(t, db.Rehash(ctx, ana.ID, "$argon2id$one", "$argon2id$two"))
	must(t, db.Rehash(ctx, ana.ID, "$argon2id$one", "$argon2id$late")) // the password has changed since
	want.HashedPassword = "$argon2id$two"
	if got, err := db.UserByID(ctx, ana.ID); err != nil || got != want {
		t.Errorf("UserByID = %+v, %v; want %+v", got, err, want)
	}

	for range 2 {
		g, err := db.CreateUser(ctx, learn.User{Guest: true, Name: "guest"})
		must(t, err)
		if !g.Guest || g.Email != "" || g.NativeLanguage != "en" || g.CreatedAt.IsZero() {
			t.Errorf("guest %+v: want no e-mail, English, and a time", g)
		}
	}
	_, err = db.UserByEmail(ctx, "")
	wantKind(t, "the user without e-mail", err, learn.NotFound)
	_, err = db.UserByID(ctx, "nobody")
	wantKind(t, "an unknown user", err, learn.NotFound)
	wantKind(t, "an unknown zone", db.SetTimeZone(ctx, ana.ID, "Mars/Olympus"), learn.Invalid)
	wantKind(t, "the server's zone", db.SetTimeZone(ctx, ana.ID, "Local"), learn.Invalid)
}

// testProfiles: a learner begins two languages, changes settings, drops one and
// begins it again.
func testProfiles(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	ana := NewLearner(t, db, "ana")
	tenant, user := ana.Profile.TenantID, ana.User.ID

	if set, err := db.TenantSettings(ctx, tenant); err != nil || set != (learn.TenantSettings{}) {
		t.Errorf("settings %+v, %v; want none", set, err)
	}
	_, err := db.CreateProfile(ctx, learn.Profile{TenantID: tenant, UserID: user, TargetLanguage: "es", Level: learn.B1})
	wantKind(t, "the same language again", err, learn.Conflict)
	_, err = db.CreateProfile(ctx, learn.Profile{TenantID: tenant, UserID: user, TargetLanguage: "fr", Level: "D1"})
	wantKind(t, "an unknown level", err, learn.Invalid)
	_, err = db.CreateProfile(ctx, learn.Profile{TenantID: tenant, UserID: "nobody", TargetLanguage: "fr", Level: learn.A1})
	wantKind(t, "an unknown user", err, learn.NotFound)

	at.at = at.at.Add(time.Minute)
	fr, err := db.CreateProfile(ctx, learn.Profile{TenantID: tenant, UserID: user, TargetLanguage: "fr", Level: "b1"})
	must(t, err)
	if fr.Level != learn.B1 {
		t.Errorf("level %q, want B1", fr.Level)
	}
	at.at = at.at.Add(time.Minute)
	change := fr
	change.Level, change.CorrectionMode = learn.B2, learn.CorrectElicit
	change.PatienceMS, change.SpeechRate, change.VoiceID = 1500, 0.9, "charlotte"
	change.TotalSpeaking, change.StreakDays, change.TargetLanguage = time.Hour, 99, "de" // not for this to change
	got, err := db.UpdateProfile(ctx, change)
	must(t, err)
	want := change
	want.TotalSpeaking, want.StreakDays, want.TargetLanguage = 0, 0, "fr"
	want.UpdatedAt = at.at
	if got != want {
		t.Errorf("updated to %+v, want %+v", got, want)
	}
	if got, err := db.Profile(ctx, tenant, user, fr.ID); err != nil || got != want {
		t.Errorf("read back %+v, %v; want %+v", got, err, want)
	}
	change.CorrectionMode = "gentle"
	_, err = db.UpdateProfile(ctx, change)
	wantKind(t, "an unknown correction mode", err, learn.Invalid)

	if all, err := db.ListProfiles(ctx, tenant, user); err != nil || len(all) != 2 || all[0] != ana.Profile || all[1] != want {
		t.Errorf("ListProfiles = %+v, %v; want Spanish, then French", all, err)
	}
	must(t, db.DeleteProfile(ctx, tenant, user, fr.ID))
	_, err = db.Profile(ctx, tenant, user, fr.ID)
	wantKind(t, "a deleted profile", err, learn.NotFound)
	_, err = db.UpdateProfile(ctx, fr)
	wantKind(t, "updating a deleted profile", err, learn.NotFound)
	wantKind(t, "deleting it again", db.DeleteProfile(ctx, tenant, user, fr.ID), learn.NotFound)
	_, err = db.StartConversation(ctx, learn.Conversation{TenantID: tenant, UserID: user, ProfileID: fr.ID})
	wantKind(t, "talking under a deleted profile", err, learn.NotFound)
	if _, err := db.CreateProfile(ctx, learn.Profile{TenantID: tenant, UserID: user, TargetLanguage: "fr", Level: learn.A1}); err != nil {
		t.Errorf("beginning French anew: %v", err)
	}
}

// testTokenVersions: who was signed out has another version, and who is erased has none.
func testTokenVersions(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ana, bo, gone := NewLearner(t, db, "ana").User.ID, NewLearner(t, db, "bo").User.ID, NewLearner(t, db, "gone").User.ID
	must(t, db.EndSessions(t.Context(), bo))
	must(t, db.EraseUser(t.Context(), gone))
	got, err := db.TokenVersions(t.Context(), []string{ana, bo, gone})
	if err != nil || len(got) != 2 || got[ana] != 0 || got[bo] != 1 {
		t.Errorf("versions %v, %v", got, err)
	}
	if none, err := db.TokenVersions(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("of nobody: %v, %v", none, err)
	}
}
