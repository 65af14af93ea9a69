package gateway

import (
	"context"
	"slices"
	"strings"

	"kalami/session/learn"
)

// fakeMemories keeps memories, for one test at a time.
type fakeMemories struct {
	all   []learn.Remembered
	asked [3]any // profile, limit and offset of the last list
}

func (f *fakeMemories) find(userID, id string) (*learn.Remembered, error) {
	for i := range f.all {
		if f.all[i].ID == id && f.all[i].UserID == userID {
			return &f.all[i], nil
		}
	}
	return nil, learn.Errorf(learn.NotFound, "fake", "row not found")
}

func (f *fakeMemories) ListMemories(_ context.Context, _, userID, profileID string, limit, offset int) ([]learn.Remembered, error) {
	f.asked = [3]any{profileID, limit, offset}
	return slices.DeleteFunc(slices.Clone(f.all), func(m learn.Remembered) bool { return m.UserID != userID }), nil
}

func (f *fakeMemories) Memory(_ context.Context, _, userID, id string) (learn.Remembered, error) {
	m, err := f.find(userID, id)
	if err != nil {
		return learn.Remembered{}, err
	}
	return *m, nil
}

func (f *fakeMemories) EditMemory(_ context.Context, _, userID, id, text string) (learn.Remembered, error) {
	m, err := f.find(userID, id)
	if err != nil {
		return learn.Remembered{}, err
	}
	if slices.ContainsFunc(f.all, func(o learn.Remembered) bool { return o.ID != id && strings.EqualFold(o.Text, text) }) {
		return learn.Remembered{}, learn.Errorf(learn.Conflict, "fake", "There is another memory that says so")
	}
	m.Text, m.EditedAt = text, made()
	return *m, nil
}

func (f *fakeMemories) ForgetMemory(_ context.Context, _, userID, id string) error {
	if _, err := f.find(userID, id); err != nil {
		return err
	}
	f.all = slices.DeleteFunc(f.all, func(m learn.Remembered) bool { return m.ID == id })
	return nil
}

func (f *fakeMemories) ForgetMemories(_ context.Context, _, userID, profileID string) error {
	f.all = slices.DeleteFunc(f.all, func(m learn.Remembered) bool {
		return m.UserID == userID && (profileID == "" || m.ProfileID == profileID)
	})
	return nil
}

// fakeLevels keeps one learner's standing.
type fakeLevels struct {
	userID   string
	standing learn.LevelStanding
}

func (f *fakeLevels) LevelStanding(_ context.Context, _, userID, profileID string) (learn.LevelStanding, error) {
	if userID != f.userID || profileID != f.standing.ProfileID {
		return learn.LevelStanding{}, learn.Errorf(learn.NotFound, "fake", "row not found")
	}
	return f.standing, nil
}

func (f *fakeLevels) DecideLevel(ctx context.Context, tenantID, userID, profileID, estimateID string, to learn.EstimateStatus) (learn.LevelStanding, error) {
	s, err := f.LevelStanding(ctx, tenantID, userID, profileID)
	switch {
	case err != nil:
		return s, err
	case s.Estimate == nil || s.Estimate.ID != estimateID:
		return s, learn.Errorf(learn.NotFound, "fake", "Estimate not found")
	case s.Estimate.Status != learn.EstimateSuggested && s.Estimate.Status != to:
		return s, learn.Errorf(learn.Conflict, "fake", "The estimate was decided otherwise")
	}
	s.Estimate.Status, s.Estimate.DecidedAt = to, made()
	if to == learn.EstimateAccepted {
		f.standing.Level = s.Estimate.Level
	}
	return f.standing, nil
}
