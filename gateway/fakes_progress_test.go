package gateway

import (
	"context"

	"kalami/session/learn"
)

// What memory tells of progress: what a test has put there, and whom it was asked for.

func (m *memory) progressOf(ctx context.Context, q learn.ProgressQuery) error {
	if q.ProfileID != "" {
		if _, err := m.Profile(ctx, q.TenantID, q.UserID, q.ProfileID); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = q
	return m.down
}

func (m *memory) Activity(ctx context.Context, q learn.ProgressQuery) (learn.Activity, error) {
	return m.progress.Activity, m.progressOf(ctx, q)
}

func (m *memory) VocabularyProgress(ctx context.Context, q learn.ProgressQuery) (learn.VocabularyProgress, error) {
	return m.vocabulary, m.progressOf(ctx, q)
}

func (m *memory) ErrorProgress(ctx context.Context, q learn.ProgressQuery) (learn.ErrorProgress, error) {
	return m.progress, m.progressOf(ctx, q)
}
