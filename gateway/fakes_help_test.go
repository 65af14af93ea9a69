package gateway

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"kalami/session"
	"kalami/session/learn"
)

// fakeHelp answers alike and keeps what it was asked.
type fakeHelp struct {
	mu          sync.Mutex
	asked       []string
	hint        session.Hint
	translation session.Translation
	clip        []byte
	err         error
}

func (f *fakeHelp) note(r session.HelpRequest, format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, fmt.Sprintf("%s: ", r.Profile.TargetLanguage)+fmt.Sprintf(format, args...))
}

func (f *fakeHelp) Hint(_ context.Context, r session.HelpRequest) (session.Hint, error) {
	f.note(r, "hint")
	return f.hint, f.err
}

func (f *fakeHelp) Translate(_ context.Context, r session.HelpRequest, messageID, text string) (session.Translation, error) {
	f.note(r, "translate %q %q", messageID, text)
	return f.translation, f.err
}

func (f *fakeHelp) Repeat(_ context.Context, r session.HelpRequest, slow bool) ([]byte, error) {
	f.note(r, "repeat %v", slow)
	return f.clip, f.err
}

// What memory keeps of what learners say of corrections.

// correctionAt is when all corrections were made.
var correctionAt = time.Date(2026, 3, 4, 5, 7, 12, 0, time.UTC)

func (m *memory) Corrections(ctx context.Context, tenantID, userID, conversationID string, limit, offset int) ([]learn.KeptCorrection, error) {
	if _, err := m.Conversation(ctx, tenantID, userID, conversationID); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []learn.KeptCorrection
	for _, msg := range m.messages[conversationID] {
		for _, c := range m.corrections[msg.ID] {
			if k := m.keptOf(conversationID, msg.ID, c); k.Status != learn.CorrectionHidden {
				out = append(out, k)
			}
		}
	}
	out = out[min(offset, len(out)):]
	return out[:min(limit, len(out))], m.down
}

// keptOf is a correction with what is said of it; the lock is held.
func (m *memory) keptOf(conversationID, messageID string, c learn.Correction) learn.KeptCorrection {
	k := learn.KeptCorrection{Correction: c, ConversationID: conversationID, MessageID: messageID, Status: learn.CorrectionShown, CreatedAt: correctionAt}
	if to, judged := m.judgements[c.ID]; judged {
		k.Status = to
	}
	return k
}

func (m *memory) JudgeCorrection(_ context.Context, tenantID, userID, id string, to learn.CorrectionStatus) (learn.KeptCorrection, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for conversationID, said := range m.messages {
		for _, msg := range said {
			i := slices.IndexFunc(m.corrections[msg.ID], func(c learn.Correction) bool { return c.ID == id })
			if c := m.conversations[conversationID]; i >= 0 && c.TenantID == tenantID && c.UserID == userID {
				m.judgements[id] = to
				return m.keptOf(conversationID, msg.ID, m.corrections[msg.ID][i]), m.down
			}
		}
	}
	return learn.KeptCorrection{}, learn.Errorf(learn.NotFound, "memory", "nothing")
}

func (m *memory) CorrectTranscript(_ context.Context, tenantID, userID, messageID, text string) (learn.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for conversationID, said := range m.messages {
		for i := range said {
			msg, c := &said[i], m.conversations[conversationID]
			if msg.ID != messageID || msg.Speaker != learn.SpeakerLearner || c.TenantID != tenantID || c.UserID != userID {
				continue
			}
			if msg.Original == "" {
				msg.Original = msg.Content
			}
			msg.Content, msg.Heard = text, text
			delete(m.corrections, messageID)
			return *msg, m.down
		}
	}
	return learn.Message{}, learn.Errorf(learn.NotFound, "memory", "nothing")
}
