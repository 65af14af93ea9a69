package storetest

import (
	"testing"

	"kalami/session/learn"
)

// testHabits: what was observed of a learner's turns comes back with the profile, and
// neither changes settings nor is changed by them.
func testHabits(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana, eve := NewLearner(t, db, "ana"), NewLearner(t, db, "eve")
	p := ana.Profile
	if p.Habits != (learn.TurnHabits{}) {
		t.Errorf("a new learner has habits: %+v", p.Habits)
	}
	for _, h := range []learn.TurnHabits{
		{Turns: 12, Pauses: 3, CutOffs: 1, PatienceMS: 2480, Drafts: 7.5, Released: 5.25},
		{Turns: 13, Pauses: 3, CutOffs: 1, PatienceMS: 2430},
	} {
		must(t, db.KeepHabits(ctx, p.TenantID, p.UserID, p.ID, h))
		want := p
		want.Habits = h
		if got, err := db.Profile(ctx, p.TenantID, p.UserID, p.ID); err != nil || got != want {
			t.Errorf("read back %+v, %v; want %+v", got, err, want)
		}
	}
	change := p
	change.Level, change.Habits = learn.C1, learn.TurnHabits{Turns: 99} // not for this to change
	if got, err := db.UpdateProfile(ctx, change); err != nil || got.Habits.PatienceMS != 2430 || got.Habits.Turns != 13 {
		t.Errorf("new settings leave %+v, %v", got.Habits, err)
	}
	if got, err := db.Profile(ctx, eve.Profile.TenantID, eve.User.ID, eve.Profile.ID); err != nil || got != eve.Profile {
		t.Errorf("Eve has %+v, %v", got, err)
	}
	wantKind(t, "somebody else's profile", db.KeepHabits(ctx, p.TenantID, eve.User.ID, p.ID, learn.TurnHabits{}), learn.NotFound)
	wantKind(t, "another tenant's profile", db.KeepHabits(ctx, "school", p.UserID, p.ID, learn.TurnHabits{}), learn.NotFound)
	must(t, db.DeleteProfile(ctx, p.TenantID, p.UserID, p.ID))
	wantKind(t, "a deleted profile", db.KeepHabits(ctx, p.TenantID, p.UserID, p.ID, learn.TurnHabits{}), learn.NotFound)
}
