package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"kalami/session/learn"
)

// messageRow is what this package reads and writes of the table
// conversation_messages.
type messageRow struct {
	ID          string
	TenantID    string
	SessionID   string
	UtteranceID string
	Epoch       int64
	Seq         int
	TurnNo      int
	Role        string
	Content     string
	HeardText   *string // null: all of Content
	Interrupted bool
	Source      string
	Language    string
	Words       *string // JSON
	AudioMS     int64   `gorm:"column:audio_ms"`
	Timings     *string // JSON
	Provider    string
	Tokens      int
	CreatedAt   time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (messageRow) TableName() string { return "conversation_messages" }

// newMessage returns the row of a message; Invalid when a field is missing or
// out of range.
func newMessage(epoch int64, m learn.Message, now time.Time) (messageRow, error) {
	row := messageRow{
		TenantID: clean(m.TenantID), SessionID: clean(m.ConversationID), UtteranceID: clean(m.UtteranceID),
		Epoch: epoch, Seq: m.Seq, TurnNo: m.Turn, Role: string(m.Speaker),
		Content: clean(m.Content), Interrupted: m.Interrupted,
		Source: cmp.Or(m.Source, "voice"), Language: clean(m.Language),
		AudioMS: m.Audio.Milliseconds(), Provider: clean(m.Provider), Tokens: m.Tokens,
		CreatedAt: stampOr(m.CreatedAt, now),
	}
	switch {
	case row.UtteranceID == "":
		return row, invalid("utterance_id", "missing")
	case row.Seq < 1:
		return row, invalid("seq", "below 1")
	case row.TurnNo < 0:
		return row, invalid("turn_no", "below 0")
	case m.Speaker != learn.SpeakerLearner && m.Speaker != learn.SpeakerTutor:
		return row, invalid("role", "not one of user, assistant")
	case row.Source != "voice" && row.Source != "text":
		return row, invalid("source", "not one of voice, text")
	}
	if heard := clean(m.Heard); heard != row.Content {
		row.HeardText = &heard
	}
	if err := row.encodeJSON(m); err != nil {
		return row, err
	}
	id, err := newID(m.ID)
	row.ID = id
	return row, err
}

func (r *messageRow) encodeJSON(m learn.Message) (err error) {
	if len(m.Words) > 0 {
		if r.Words, err = encode(cleanWords(m.Words)); err != nil {
			return err
		}
	}
	if m.Timings != (learn.Timings{}) {
		r.Timings, err = encode(m.Timings)
	}
	return err
}

func (r messageRow) message() (learn.Message, error) {
	m := learn.Message{
		ID:             r.ID,
		TenantID:       r.TenantID,
		ConversationID: r.SessionID,
		UtteranceID:    r.UtteranceID,
		Seq:            r.Seq,
		Turn:           r.TurnNo,
		Speaker:        learn.Speaker(r.Role),
		Content:        r.Content,
		Heard:          valueOr(r.HeardText, r.Content),
		Interrupted:    r.Interrupted,
		Source:         r.Source,
		Language:       r.Language,
		Audio:          time.Duration(r.AudioMS) * time.Millisecond,
		Provider:       r.Provider,
		Tokens:         r.Tokens,
		CreatedAt:      r.CreatedAt.UTC(),
	}
	if err := decode(r.Words, &m.Words); err != nil {
		return m, err
	}
	return m, decode(r.Timings, &m.Timings)
}

// wordCount returns how many words a learner's message has: those that were
// recognised, or for typed text what stands between spaces.
func wordCount(m learn.Message) int {
	if len(m.Words) > 0 {
		return len(m.Words)
	}
	return len(strings.Fields(m.Content))
}

// RecentMessages returns the last n messages of a conversation, oldest first.
// NotFound when the tenant has no such conversation.
func (db *DB) RecentMessages(ctx context.Context, tenantID, conversationID string, n int) ([]learn.Message, error) {
	const op = "store.RecentMessages"
	tenantID, conversationID = clean(tenantID), clean(conversationID)
	tx := db.read.WithContext(ctx)
	var rows []messageRow
	err := tx.Where("tenant_id = ? AND session_id = ?", tenantID, conversationID).
		Order("seq DESC").Limit(max(n, 0)).Find(&rows).Error
	if err != nil {
		return nil, fail(op, err)
	}
	if len(rows) == 0 {
		var c conversationRow
		err := tx.Select("id").Where("tenant_id = ? AND id = ?", tenantID, conversationID).Take(&c).Error
		return nil, fail(op, isMissing(err, "Session not found"))
	}
	ms := make([]learn.Message, len(rows))
	for i, r := range rows {
		if ms[i], err = r.message(); err != nil {
			return nil, fail(op, err)
		}
	}
	slices.Reverse(ms)
	return ms, nil
}
