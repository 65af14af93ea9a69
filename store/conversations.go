package store

import (
	"cmp"
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// The states of a conversation.
const (
	statusActive    = "active"
	statusEnded     = "ended"
	statusAbandoned = "abandoned"
)

// conversationRow is what this package reads and writes of the table
// conversation_sessions.
type conversationRow struct {
	ID                string
	TenantID          string
	UserID            string
	LearningProfileID string
	ScenarioID        *string // of the row; see scenarioKey
	ScenarioVersion   *int
	Mode              string
	Topic             string
	CEFRAtStart       string `gorm:"column:cefr_at_start"`
	Status            string
	Epoch             int64
	StartedAt         time.Time
	LastActivityAt    time.Time
	EndedAt           *time.Time
	EndReason         string
	DurationMS        int64 `gorm:"column:duration_ms"`
	LearnerMS         int64 `gorm:"column:learner_ms"`
	TutorMS           int64 `gorm:"column:tutor_ms"`
	Turns             int
	WordsSpoken       int
	CorrectionsMade   int
	Disputes          int
	BargeIns          int
	ClientKey         *string
	ResumeTokenHash   *string
	ResumeNextHash    *string
	ResumeUntil       *time.Time
	ResumeVersion     int
	LastSeq           int // of the stored messages
	InputStream       uint16
	InputNext         uint32
	CreatedAt         time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (conversationRow) TableName() string { return "conversation_sessions" }

// totals are the sums of the stored messages for as long as the conversation is
// active, then those that it ended with.
func (r conversationRow) totals() learn.Totals {
	return learn.Totals{
		Learner:  time.Duration(r.LearnerMS) * time.Millisecond,
		Tutor:    time.Duration(r.TutorMS) * time.Millisecond,
		Turns:    r.Turns,
		Words:    r.WordsSpoken,
		BargeIns: r.BargeIns,
	}
}

// conversationView is a conversation with what its profile knows of it.
type conversationView struct {
	Row            conversationRow `gorm:"embedded"`
	TargetLanguage string
}

func (v conversationView) conversation() learn.Conversation {
	r := v.Row
	c := learn.Conversation{
		ID:             r.ID,
		TenantID:       r.TenantID,
		UserID:         r.UserID,
		ProfileID:      r.LearningProfileID,
		Language:       v.TargetLanguage,
		Topic:          r.Topic,
		Mode:           r.Mode,
		Level:          learn.Level(r.CEFRAtStart),
		Status:         r.Status,
		ClientKey:      valueOr(r.ClientKey, ""),
		Epoch:          r.Epoch,
		NextSeq:        r.LastSeq + 1,
		StartedAt:      r.StartedAt.UTC(),
		LastActivityAt: r.LastActivityAt.UTC(),
		EndReason:      r.EndReason,
		Totals:         r.totals(),
		Corrections:    r.CorrectionsMade,
		Disputes:       r.Disputes,
		Input:          learn.InputMark{Stream: r.InputStream, Next: r.InputNext},
		TokenVersion:   r.ResumeVersion,
	}
	if r.EndedAt != nil {
		ended := r.EndedAt.UTC()
		c.EndedAt = &ended
	}
	return c
}

// StartConversation stores a new conversation at epoch 1, filling in what is
// empty: ID, StartedAt, Mode (live), and Level (the profile's). Of its Scene, if it has one,
// the scenario is kept as it is now. When the user has started one with the same ClientKey before, it returns that one as it now is and
// stores nothing. NotFound when the profile is not the user's, Conflict when the ID
// is taken, Invalid for an unknown mode or level.
func (db *DB) StartConversation(ctx context.Context, c learn.Conversation) (learn.Conversation, error) {
	const op = "store.StartConversation"
	row, err := db.newConversation(c)
	if err != nil {
		return learn.Conversation{}, fail(op, err)
	}
	var started learn.Conversation
	err = db.transact(ctx, func(tx *gorm.DB) error {
		var p profileRow
		err := tx.Select("id", "cefr_level", "target_language").
			Where("tenant_id = ? AND user_id = ?", row.TenantID, row.UserID).
			Where("id = ? AND deleted_at IS NULL", row.LearningProfileID).Take(&p).Error
		if err != nil {
			return isMissing(err, "Learning profile not found")
		}
		row.CEFRAtStart = cmp.Or(row.CEFRAtStart, p.CEFRLevel)
		if c.Scene != nil {
			key, err := pinScenario(tx, c.Scene.Scenario, row.CreatedAt)
			if err != nil {
				return err
			}
			row.ScenarioID, row.ScenarioVersion = &key, &c.Scene.Version
		}
		started, err = createConversation(tx, row, p.TargetLanguage)
		return err
	})
	if isDuplicate(err) {
		err = conflict("The conversation exists already")
	}
	if err != nil {
		return learn.Conversation{}, fail(op, err)
	}
	return started, nil
}

// createConversation stores the row, or finds the one that was started with its key.
func createConversation(tx *gorm.DB, row conversationRow, language string) (learn.Conversation, error) {
	res := tx.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "tenant_id"}, {Name: "user_id"}, {Name: "client_key"}},
		DoNothing: true,
	}).Create(&row)
	if res.Error != nil {
		return learn.Conversation{}, res.Error
	}
	if res.RowsAffected == 1 {
		cs, err := conversations(tx, row.TenantID, []conversationView{{Row: row, TargetLanguage: language}})
		if err != nil {
			return learn.Conversation{}, err
		}
		return cs[0], nil
	}
	return findConversation(tx, row.TenantID, "AND s.user_id = ? AND s.client_key = ?", row.UserID, *row.ClientKey)
}

func (db *DB) newConversation(c learn.Conversation) (conversationRow, error) {
	id, err := newID(c.ID)
	if err != nil {
		return conversationRow{}, err
	}
	now := db.clock()
	row := conversationRow{
		ID: id, TenantID: clean(c.TenantID), UserID: clean(c.UserID), LearningProfileID: clean(c.ProfileID),
		Mode: cmp.Or(c.Mode, "live"), Topic: clean(c.Topic), ClientKey: nullable(clean(c.ClientKey)),
		Status: statusActive, Epoch: 1,
		StartedAt: stampOr(c.StartedAt, now), LastActivityAt: now, CreatedAt: now,
	}
	switch row.Mode {
	case "live", "turn", "text", "review":
	default:
		return row, invalid("mode", "not one of live, turn, text, review")
	}
	if c.Level != "" {
		level, ok := learn.ParseLevel(string(c.Level))
		if !ok {
			return row, invalid("cefr_level", "not one of A1 to C2")
		}
		row.CEFRAtStart = string(level)
	}
	return row, nil
}

// Conversation returns one of the user's conversations. Its totals are those of
// the messages so far, until they are settled by its end. NotFound when it is not
// theirs.
func (db *DB) Conversation(ctx context.Context, tenantID, userID, id string) (learn.Conversation, error) {
	var c learn.Conversation
	err := db.reading(ctx, func(tx *gorm.DB) (err error) {
		c, err = loadConversation(tx, clean(tenantID), clean(userID), clean(id))
		return err
	})
	return c, fail("store.Conversation", err)
}

func loadConversation(tx *gorm.DB, tenantID, userID, id string) (learn.Conversation, error) {
	return findConversation(tx, tenantID, "AND s.user_id = ? AND s.id = ?", userID, id)
}

// conversationsOf begins every query for conversations. A conversation comes before its
// profile (which is what a cross join says to SQLite; Postgres chooses anyway), because
// lists are in the order of conversations.
const conversationsOf = `SELECT s.*, p.target_language
FROM conversation_sessions s CROSS JOIN learning_profiles p
WHERE s.tenant_id = ? AND p.tenant_id = s.tenant_id AND p.user_id = s.user_id AND p.id = s.learning_profile_id `

// findConversation finds the conversation of a tenant that a condition is for;
// NotFound when there is none.
func findConversation(tx *gorm.DB, tenantID, condition string, args ...any) (learn.Conversation, error) {
	var found []conversationView
	err := tx.Raw(conversationsOf+condition, append([]any{tenantID}, args...)...).Scan(&found).Error
	if err != nil {
		return learn.Conversation{}, err
	}
	if len(found) == 0 {
		return learn.Conversation{}, notFound("Session not found")
	}
	cs, err := conversations(tx, tenantID, found[:1])
	if err != nil {
		return learn.Conversation{}, err
	}
	return cs[0], nil
}

// TakeOver raises the conversation's epoch by one conditional update and returns
// it with its next message number and its totals so far. From then on whoever
// held it before is fenced: it blocks while one of their messages is being
// committed, and none is accepted afterwards. Their resume tokens are worth nothing any
// more. Conflict when it has ended, NotFound when it is not the user's.
func (db *DB) TakeOver(ctx context.Context, tenantID, userID, id string) (learn.Conversation, error) {
	var c learn.Conversation
	tenantID, userID, id = clean(tenantID), clean(userID), clean(id)
	err := db.transact(lesson(ctx), func(tx *gorm.DB) error {
		res := tx.Model(&conversationRow{}).
			Where("tenant_id = ? AND user_id = ? AND id = ?", tenantID, userID, id).
			Where("status = ?", statusActive).
			Updates(map[string]any{"epoch": gorm.Expr("epoch + 1"), "last_activity_at": db.clock(),
				"resume_token_hash": nil, "resume_next_hash": nil})
		if res.Error != nil {
			return res.Error
		}
		var err error
		if c, err = loadConversation(tx, tenantID, userID, id); err != nil {
			return err
		}
		if res.RowsAffected == 0 {
			return conflict("The conversation has ended")
		}
		return nil
	})
	if err != nil {
		return learn.Conversation{}, fail("store.TakeOver", err)
	}
	return c, nil
}

// isMissing gives gorm's "no such record" a message of its own.
func isMissing(err error, msg string) error {
	if isAbsent(err) {
		return notFound(msg)
	}
	return err
}
