package store

import (
	"cmp"
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// EndConversation closes the conversation with the totals of c and adds them to
// the learner's profile, once: ending again changes nothing and succeeds. c.Status
// may be "abandoned"; anything else means "ended". Errors: Conflict with
// [learn.ErrFenced] in the chain when the conversation's epoch is not the writer's,
// NotFound, also with it, when the user has no such conversation (any more).
func (db *DB) EndConversation(ctx context.Context, epoch int64, c learn.Conversation) error {
	now := db.clock()
	err := db.transact(lesson(ctx), func(tx *gorm.DB) error {
		row, err := lockConversation(tx, clean(c.TenantID), clean(c.UserID), clean(c.ID))
		switch {
		case err != nil:
			return err
		case row.Epoch != epoch:
			return fenced("The conversation goes on elsewhere")
		case row.Status != statusActive:
			return nil
		}
		return db.endConversation(tx, row, c, now)
	})
	return fail("store.EndConversation", err)
}

// FinishConversation ends the conversation whoever holds it: the epoch rises, so that
// whoever did is fenced from the next write on. It keeps the totals of the messages that
// are stored, adds them to the learner's profile, and returns the conversation as it then
// is. One that has ended already is returned unchanged. NotFound when it is not the user's.
func (db *DB) FinishConversation(ctx context.Context, tenantID, userID, id string) (learn.Conversation, error) {
	var c learn.Conversation
	tenantID, userID, id = clean(tenantID), clean(userID), clean(id)
	now := db.clock()
	err := db.transact(ctx, func(tx *gorm.DB) error {
		row, err := lockConversation(tx, tenantID, userID, id)
		if err != nil {
			return err
		}
		if row.Status == statusActive {
			if err := db.wrest(tx, row, learn.Conversation{Totals: row.totals()}, now); err != nil {
				return err
			}
		}
		c, err = loadConversation(tx, tenantID, userID, id)
		return err
	})
	if err != nil {
		return learn.Conversation{}, fail("store.FinishConversation", err)
	}
	return c, nil
}

// wrest ends the active conversation of a locked row as c says, whoever holds it: they are
// fenced from then on.
func (db *DB) wrest(tx *gorm.DB, row conversationRow, c learn.Conversation, now time.Time) error {
	if err := db.endConversation(tx, row, c, now); err != nil {
		return err
	}
	return tx.Model(&conversationRow{}).Where("tenant_id = ? AND id = ?", row.TenantID, row.ID).
		Update("epoch", row.Epoch+1).Error
}

// lockConversation reads the user's conversation and locks its row to the end of tx:
// it must not end twice, and its totals must not change meanwhile.
func lockConversation(tx *gorm.DB, tenantID, userID, id string) (conversationRow, error) {
	var row conversationRow
	err := tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).
		Where("tenant_id = ? AND user_id = ? AND id = ?", tenantID, userID, id).Take(&row).Error
	return row, isGone(err)
}

// isGone is isMissing for whoever may be in the middle of the conversation: they are to
// stop, as when somebody else had taken it over.
func isGone(err error) error {
	if isAbsent(err) {
		return &learn.Error{Kind: learn.NotFound, Msg: "Session not found", Err: learn.ErrFenced}
	}
	return err
}

// endConversation ends the active conversation of a locked row as c says, and settles it.
func (db *DB) endConversation(tx *gorm.DB, row conversationRow, c learn.Conversation, now time.Time) error {
	set := closing(row, c, now)
	if c.Totals.Turns > 0 { // else there is nothing to report on
		set["summary_status"], set["summary_lease_until"] = "queued", db.later(0)
	}
	if _, err := holdConversation(tx, row.TenantID, row.ID, row.Epoch, set); err != nil {
		return err
	}
	if err := db.hastenAnalyses(tx, row.TenantID, row.ID); err != nil {
		return err
	}
	return settle(tx, row, c.Totals, now)
}

// closing returns what the end changes in the conversation's row.
func closing(row conversationRow, c learn.Conversation, now time.Time) map[string]any {
	status := statusEnded
	if c.Status == statusAbandoned {
		status = statusAbandoned
	}
	ended := now
	if c.EndedAt != nil {
		ended = stampOr(*c.EndedAt, now)
	}
	return map[string]any{
		"status":           status,
		"ended_at":         ended,
		"end_reason":       clean(cmp.Or(c.EndReason, "normal")),
		"duration_ms":      max(ended.Sub(row.StartedAt), 0).Milliseconds(),
		"learner_ms":       c.Totals.Learner.Milliseconds(),
		"tutor_ms":         c.Totals.Tutor.Milliseconds(),
		"turns":            c.Totals.Turns,
		"words_spoken":     c.Totals.Words,
		"barge_ins":        c.Totals.BargeIns,
		"last_activity_at": now,
	}
}

// settle adds a conversation that ends to its profile.
func settle(tx *gorm.DB, c conversationRow, totals learn.Totals, now time.Time) error {
	return tx.Model(&profileRow{}).
		Where("tenant_id = ? AND user_id = ? AND id = ?", c.TenantID, c.UserID, c.LearningProfileID).
		Updates(map[string]any{
			"total_speaking_ms":  gorm.Expr("total_speaking_ms + ?", totals.Learner.Milliseconds()),
			"conversation_count": gorm.Expr("conversation_count + 1"),
			"updated_at":         now,
		}).Error
}
