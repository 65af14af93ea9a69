package store

import (
	"cmp"
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// errRepeated rolls a transaction back that had nothing new to say.
var errRepeated = errors.New("store: already stored")

// AppendMessage commits one message durably before it returns, and adds it to
// the conversation's totals. Appending an utterance id again changes nothing and
// succeeds. Errors: Conflict with [learn.ErrFenced] in the chain when the
// conversation's epoch is not the writer's, or when somebody has ended it: either
// way it is no longer the writer's; Conflict without it when another utterance has
// the number; NotFound when the tenant has no such conversation; Invalid for a message without utterance id,
// number or speaker. After Unavailable the message may or may not have been
// stored: append it again.
func (db *DB) AppendMessage(ctx context.Context, epoch int64, m learn.Message) error {
	const op = "store.AppendMessage"
	now := db.clock()
	row, err := newMessage(epoch, m, now)
	if err != nil {
		return fail(op, err)
	}
	err = db.transact(ctx, func(tx *gorm.DB) error {
		held, err := holdConversation(tx, row.TenantID, row.SessionID, epoch, runningTotals(m, now))
		if err != nil {
			return err
		}
		if held {
			res := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
			if res.Error != nil || res.RowsAffected == 1 {
				return res.Error
			}
		}
		return repeated(tx, row, held)
	})
	if errors.Is(err, errRepeated) {
		return nil
	}
	return fail(op, err)
}

// runningTotals returns how a message changes its conversation's row.
func runningTotals(m learn.Message, now time.Time) map[string]any {
	set := map[string]any{"last_activity_at": now}
	if m.Speaker == learn.SpeakerLearner {
		set["learner_ms"] = gorm.Expr("learner_ms + ?", m.Audio.Milliseconds())
		set["turns"] = gorm.Expr("turns + 1")
		set["words_spoken"] = gorm.Expr("words_spoken + ?", wordCount(m))
		return set
	}
	set["tutor_ms"] = gorm.Expr("tutor_ms + ?", m.Audio.Milliseconds())
	if m.Interrupted {
		set["barge_ins"] = gorm.Expr("barge_ins + 1")
	}
	return set
}

// holdConversation is the fence: it updates the conversation's row if epoch is
// still the conversation's, and thereby locks the row to the end of tx, so it
// comes before what it protects. held is false when the conversation has ended in
// the writer's own epoch.
func holdConversation(tx *gorm.DB, tenantID, id string, epoch int64, set map[string]any) (held bool, err error) {
	res := tx.Model(&conversationRow{}).
		Where("tenant_id = ? AND id = ?", tenantID, id).
		Where("epoch = ? AND status = ?", epoch, statusActive).
		Updates(set)
	if res.Error != nil || res.RowsAffected == 1 {
		return res.Error == nil, res.Error
	}
	var row conversationRow
	err = tx.Select("epoch").Where("tenant_id = ? AND id = ?", tenantID, id).Take(&row).Error
	if err != nil {
		return false, isMissing(err, "Session not found")
	}
	if row.Epoch != epoch {
		return false, fenced("The conversation goes on elsewhere")
	}
	return false, nil
}

// repeated says why a message was not inserted: errRepeated when it is stored
// already, else Conflict, and fenced when the conversation was not held.
func repeated(tx *gorm.DB, row messageRow, held bool) error {
	var there messageRow
	err := tx.Select("id").Where("tenant_id = ? AND session_id = ?", row.TenantID, row.SessionID).
		Where("utterance_id = ?", row.UtteranceID).Take(&there).Error
	switch {
	case err == nil:
		return errRepeated
	case !isAbsent(err):
		return err
	case !held:
		return fenced("The conversation has ended")
	}
	return conflict("Another utterance has this number")
}

// EndConversation closes the conversation with the totals of c and adds them to
// the learner's profile, once: ending again changes nothing and succeeds. The
// profile's streak grows by the local days on which the learner spoke, which need
// not be the day of the end. c.Status may be "abandoned"; anything else means
// "ended". Errors: Conflict with [learn.ErrFenced] in the chain when the
// conversation's epoch is not the writer's, NotFound when it is not the user's.
func (db *DB) EndConversation(ctx context.Context, epoch int64, c learn.Conversation) error {
	now := db.clock()
	tenantID, userID, id := clean(c.TenantID), clean(c.UserID), clean(c.ID)
	err := db.transact(ctx, func(tx *gorm.DB) error {
		var row conversationRow
		// Locks the row: the duration needs its start, and it must not end twice.
		err := tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).
			Where("tenant_id = ? AND user_id = ? AND id = ?", tenantID, userID, id).Take(&row).Error
		switch {
		case err != nil:
			return isMissing(err, "Session not found")
		case row.Epoch != epoch:
			return fenced("The conversation goes on elsewhere")
		case row.Status != statusActive:
			return nil
		}
		end := closing(row, c, now)
		_, err = holdConversation(tx, tenantID, id, epoch, end)
		if err != nil {
			return err
		}
		return db.settle(tx, row, c.Totals, now)
	})
	return fail("store.EndConversation", err)
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

// settle adds an ended conversation to its profile. The profile's row is locked
// while its streak is computed, so that two conversations that end together
// both count.
func (db *DB) settle(tx *gorm.DB, c conversationRow, totals learn.Totals, now time.Time) error {
	var p profileRow
	mine := tx.Where("tenant_id = ? AND user_id = ? AND id = ?", c.TenantID, c.UserID, c.LearningProfileID).
		Session(&gorm.Session{})
	err := mine.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).Take(&p).Error
	if err != nil {
		return err
	}
	loc, err := zone(tx, c.UserID)
	if err != nil {
		return err
	}
	var spoken []time.Time
	err = tx.Model(&messageRow{}).Where("tenant_id = ? AND session_id = ?", c.TenantID, c.ID).
		Where("role = ?", learn.SpeakerLearner).Order("seq").Pluck("created_at", &spoken).Error
	if err != nil {
		return err
	}
	s := p.streak()
	for _, t := range spoken {
		s = s.add(localDay(t, loc))
	}
	return mine.Model(&profileRow{}).Updates(map[string]any{
		"total_speaking_ms":  gorm.Expr("total_speaking_ms + ?", totals.Learner.Milliseconds()),
		"conversation_count": gorm.Expr("conversation_count + 1"),
		"streak_days":        s.days,
		"longest_streak":     s.longest,
		"last_local_day":     nullable(s.last),
		"updated_at":         now,
	}).Error
}
