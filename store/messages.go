package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

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
	// What was understood first, of a message that the learner has given another text.
	OriginalContent *string
	OriginalWords   *string // JSON
	EditedAt        *time.Time
	// Facts of which the learner's days are made (activity.go): decided when the message is
	// stored, and never changed with its text.
	LocalDay  *string   // YYYY-MM-DD where the learner was
	WordCount int       // the learner's
	TalkMS    int64     `gorm:"column:talk_ms"` // since the message before, if that was near
	Pace      *string   // JSON of a learn.Pace; null when none was measured
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
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
	if err := row.measure(m); err != nil {
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

// measure counts and measures what a learner's message has of words.
func (r *messageRow) measure(m learn.Message) (err error) {
	if m.Speaker != learn.SpeakerLearner {
		return nil
	}
	r.WordCount = wordCount(m)
	if f := learn.MeasurePace(m.Words); f != (learn.Pace{}) {
		r.Pace, err = encode(f)
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
		Original:       valueOr(r.OriginalContent, ""),
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
	var rows []messageRow
	err := db.reading(lesson(ctx), func(tx *gorm.DB) error {
		err := tx.Where("tenant_id = ? AND session_id = ?", tenantID, conversationID).
			Order("seq DESC").Limit(max(n, 0)).Find(&rows).Error
		if err != nil || len(rows) > 0 {
			return err
		}
		var c conversationRow
		err = tx.Select("id").Where("tenant_id = ? AND id = ?", tenantID, conversationID).Take(&c).Error
		return isMissing(err, "Session not found")
	})
	if err != nil || len(rows) == 0 {
		return nil, fail(op, err)
	}
	slices.Reverse(rows)
	ms, err := messagesOf(rows)
	return ms, fail(op, err)
}

// messagesOf returns the messages of rows.
func messagesOf(rows []messageRow) (ms []learn.Message, err error) {
	ms = make([]learn.Message, len(rows))
	for i, r := range rows {
		if ms[i], err = r.message(); err != nil {
			return nil, err
		}
	}
	return ms, nil
}
