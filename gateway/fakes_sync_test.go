package gateway

import (
	"context"
	"time"

	"kalami/session/learn"
)

// syncing is what the store in memory was asked and is to answer.
type syncing struct {
	asked  learn.SyncRequest
	answer learn.SyncAnswer
	page   string
	limit  int
	boot   learn.Bootstrap
	pruned time.Time
}

func (m *memory) Sync(_ context.Context, r learn.SyncRequest) (learn.SyncAnswer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.syncing.asked = r
	return m.syncing.answer, m.down
}

func (m *memory) Bootstrap(_ context.Context, _, _, page string, limit int) (learn.Bootstrap, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.syncing.page, m.syncing.limit = page, limit
	return m.syncing.boot, m.down
}

func (m *memory) PruneSync(_ context.Context, before time.Time, _ int) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.syncing.pruned = before
	return 0, m.down
}
