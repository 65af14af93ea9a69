package gateway

import (
	"context"

	"kalami/session/learn"
)

// Summary tells what a test has put there.
func (m *memory) Summary(ctx context.Context, tenantID, userID, id string) (learn.Summary, bool, error) {
	if _, err := m.Conversation(ctx, tenantID, userID, id); err != nil {
		return learn.Summary{}, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reports[id], m.unreported, m.down
}
