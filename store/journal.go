package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// errRepeated rolls a transaction back that had nothing new to say.
var errRepeated = errors.New("store: already stored")

// AppendMessage commits one message durably before it returns, and adds it to the
// conversation's totals and to the learner's day; with a learner's, the day counts for
// their streaks, and the conversation knows how far the microphone's audio is stored. Appending
// an utterance id again changes nothing and succeeds. Errors: Conflict with
// [learn.ErrFenced] in the chain when the conversation's epoch is not the writer's, or
// when somebody has ended it: either way it is no longer the writer's; Conflict without
// it when another utterance has the number; NotFound, also with [learn.ErrFenced], when
// the tenant has no such conversation; Invalid for a message without utterance id, number
// or speaker. After Unavailable the message may or may not have been stored: append it
// again.
func (db *DB) AppendMessage(ctx context.Context, epoch int64, m learn.Message) error {
	const op = "store.AppendMessage"
	now := db.clock()
	row, err := newMessage(epoch, m, now)
	if err != nil {
		return fail(op, err)
	}
	err = db.transact(lesson(ctx), func(tx *gorm.DB) error {
		held, err := holdConversation(tx, row.TenantID, row.SessionID, epoch, runningTotals(m, now))
		if err != nil {
			return err
		}
		if held {
			who, err := settingOf(tx, row.TenantID, row.SessionID)
			if err != nil {
				return err
			}
			if err := who.place(tx, &row); err != nil {
				return err
			}
			res := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
			if res.Error != nil {
				return res.Error
			}
			if res.RowsAffected == 1 {
				if err := db.queueAnalysis(tx, row, now); err != nil {
					return err
				}
				return who.count(tx, row)
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
	set := map[string]any{"last_activity_at": now, "last_seq": gorm.Expr("CASE WHEN last_seq < ? THEN ? ELSE last_seq END", m.Seq, m.Seq)}
	if in := m.Input; in != (learn.InputMark{}) {
		further := func(column string, value any) clause.Expr {
			return gorm.Expr("CASE WHEN (input_stream, input_next) < (?, ?) THEN ? ELSE "+column+" END", in.Stream, in.Next, value)
		}
		set["input_stream"], set["input_next"] = further("input_stream", in.Stream), further("input_next", in.Next)
	}
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
		return false, isGone(err)
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
