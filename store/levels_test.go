package store_test

import (
	"reflect"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

// spoke is a report on a conversation of a learner who speaks as somebody of B1 does.
func spoke(words int) learn.Summary {
	turns := words / 10
	return learn.Summary{Turns: turns, Words: words, Evidence: learn.LevelEvidence{Words: words, Analysed: turns,
		Errors: map[learn.Severity]int{learn.Minor: words * 9 / 100}, Comprehension: 0.85, GoalsMet: 1}}
}

// A level is estimated from enough conversations, as a range that changes nothing; the
// learner's decision does, and what they decline is not suggested again for a while.
func TestLevels(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db, now := memoryHouse(t, fresh)
			ctx, tenant := t.Context(), learn.PersonalTenant
			ana, eve := storetest.NewLearner(t, db, "ana"), storetest.NewLearner(t, db, "eve")
			standing := func() learn.LevelStanding {
				t.Helper()
				s, err := db.LevelStanding(ctx, tenant, ana.User.ID, ana.Profile.ID)
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			talk := func(s learn.Summary) {
				t.Helper()
				*now = now.Add(time.Hour)
				closed(t, db, ana, s)
			}
			if s := standing(); !reflect.DeepEqual(s, learn.LevelStanding{ProfileID: ana.Profile.ID, Level: learn.A2}) {
				t.Errorf("before anything was said: %+v", s)
			}
			talk(spoke(200))
			talk(spoke(200))
			unseen := spoke(500)
			unseen.Evidence.Analysed = 3 // most of it nobody has looked at
			talk(unseen)
			if s := standing(); s.Estimate != nil || s.Sessions != 2 || s.Words != 400 {
				t.Errorf("of two conversations: %+v", s)
			}
			talk(spoke(100))
			s := standing()
			if s.Estimate == nil || s.Sessions != 3 || s.Words != 500 || s.Level != learn.A2 {
				t.Fatalf("%+v", s)
			}
			e := s.Estimate
			if e.Level != learn.B1 || e.Low > e.Level || e.High < e.Level || e.Status != learn.EstimateSuggested || e.Version != learn.LevelVersion ||
				!e.CreatedAt.Equal(*now) || !e.DecidedAt.IsZero() || e.Basis.Sessions != 3 || e.Basis.Turns != 50 || e.Basis.GoalsMet != 3 || len(e.Basis.Measures) != 3 {
				t.Errorf("estimated %+v", e)
			}
			talk(spoke(200)) // which says the same: the estimate that the learner may be looking at stays
			if s := standing(); s.Estimate.ID != e.ID || s.Estimate.Basis.Words != 700 {
				t.Errorf("estimated anew: %+v", s.Estimate)
			}

			decide := func(user storetest.Learner, id string, to learn.EstimateStatus) (learn.LevelStanding, error) {
				return db.DecideLevel(ctx, tenant, user.User.ID, user.Profile.ID, id, to)
			}
			_, ofEve := decide(eve, e.ID, learn.EstimateAccepted)
			_, byEve := db.DecideLevel(ctx, tenant, eve.User.ID, ana.Profile.ID, e.ID, learn.EstimateAccepted)
			_, nothing := decide(ana, "none", learn.EstimateAccepted)
			_, seen := db.LevelStanding(ctx, tenant, eve.User.ID, ana.Profile.ID)
			for i, err := range []error{ofEve, byEve, nothing, seen} {
				if learn.KindOf(err) != learn.NotFound || err == nil {
					t.Errorf("call %d: %v", i, err)
				}
			}
			if _, err := decide(ana, e.ID, learn.EstimateSuggested); learn.KindOf(err) != learn.Invalid {
				t.Errorf("no decision: %v", err)
			}
			checkDecline(t, db, now, ana, e.ID, decide, talk, standing)
		})
	}
}

// checkDecline has ana decline B1, and a month later accept it.
func checkDecline(t *testing.T, db *store.DB, now *time.Time, ana storetest.Learner, id string,
	decide func(storetest.Learner, string, learn.EstimateStatus) (learn.LevelStanding, error), talk func(learn.Summary), standing func() learn.LevelStanding) {
	t.Helper()
	for range 2 {
		s, err := decide(ana, id, learn.EstimateRejected)
		if err != nil || s.Level != learn.A2 || s.Estimate.Status != learn.EstimateRejected || !s.Estimate.DecidedAt.Equal(*now) {
			t.Fatalf("declined: %+v, %v", s, err)
		}
	}
	if _, err := decide(ana, id, learn.EstimateAccepted); learn.KindOf(err) != learn.Conflict {
		t.Errorf("decided otherwise: %v", err)
	}
	wantRows(t, db, "SELECT level_source FROM learning_profiles WHERE id = '"+ana.Profile.ID+"'", "self")
	talk(spoke(200))
	if s := standing(); s.Estimate.ID != id || s.Level != learn.A2 {
		t.Errorf("suggested again at once: %+v", s.Estimate)
	}
	*now = now.AddDate(0, 0, 31)
	talk(spoke(200))
	again := standing().Estimate
	if again.ID == id || again.Level != learn.B1 || again.Status != learn.EstimateSuggested {
		t.Fatalf("a month later: %+v", again)
	}
	wantRows(t, db, "SELECT cefr_level FROM learning_profiles WHERE id = '"+ana.Profile.ID+"'", "A2")
	for range 2 {
		if s, err := decide(ana, again.ID, learn.EstimateAccepted); err != nil || s.Level != learn.B1 || s.Estimate.Status != learn.EstimateAccepted {
			t.Fatalf("accepted: %+v, %v", s, err)
		}
	}
	p, err := db.Profile(t.Context(), learn.PersonalTenant, ana.User.ID, ana.Profile.ID)
	if err != nil || p.Level != learn.B1 || !p.UpdatedAt.Equal(*now) {
		t.Errorf("the profile is %+v, %v", p, err)
	}
	wantRows(t, db, "SELECT level_source FROM learning_profiles WHERE id = '"+ana.Profile.ID+"'", "suggestion")
	wantRows(t, db, "SELECT entity_id FROM change_feed WHERE entity = 'profile' AND user_id = '"+ana.User.ID+"' ORDER BY seq DESC LIMIT 1", ana.Profile.ID)
	p.Level = learn.A1
	if _, err := db.UpdateProfile(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, "SELECT level_source FROM learning_profiles WHERE id = '"+ana.Profile.ID+"'", "self")
}
