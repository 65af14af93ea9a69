package gateway

import (
	"cmp"
	"context"
	"slices"
	"time"

	"kalami/session/learn"
)

// What memory keeps of conversations that were held.

func (m *memory) FinishConversation(ctx context.Context, tenantID, userID, id string) (learn.Conversation, error) {
	c, err := m.Conversation(ctx, tenantID, userID, id)
	if err != nil || c.EndedAt != nil {
		return c, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	ended := c.LastActivityAt.Add(time.Minute)
	c.Status, c.EndedAt, c.LastActivityAt, c.EndReason = "ended", &ended, ended, "normal"
	c.Epoch++
	m.conversations[id] = c
	return c, m.down
}

func (m *memory) ListConversations(_ context.Context, tenantID, userID, profileID string, limit, offset int) ([]learn.Conversation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []learn.Conversation
	for _, c := range m.conversations {
		_, there := m.profiles[c.ProfileID]
		if there && c.TenantID == tenantID && c.UserID == userID && (profileID == "" || c.ProfileID == profileID) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b learn.Conversation) int { return cmp.Compare(b.ID, a.ID) })
	out = out[min(offset, len(out)):]
	return out[:min(limit, len(out))], m.down
}

func (m *memory) Transcript(ctx context.Context, tenantID, userID, id string, afterSeq, limit int) ([]learn.Message, map[string][]learn.Correction, error) {
	if _, err := m.Conversation(ctx, tenantID, userID, id); err != nil {
		return nil, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []learn.Message
	shown := map[string][]learn.Correction{}
	for _, msg := range m.messages[id] {
		if msg.Seq > afterSeq && len(out) < limit {
			out = append(out, msg)
			shown[msg.ID] = m.corrections[msg.ID]
		}
	}
	return out, shown, m.down
}

func (m *memory) DeleteConversation(ctx context.Context, tenantID, userID, id string) error {
	if _, err := m.Conversation(ctx, tenantID, userID, id); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.conversations, id)
	delete(m.messages, id)
	return m.down
}

func (m *memory) Statistics(_ context.Context, tenantID, userID string) (learn.Statistics, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.statistics[tenantID+"/"+userID], m.down
}
