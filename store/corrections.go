package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// statusWithheld is that of a correction that nobody is shown.
const statusWithheld = string(learn.CorrectionWithheld)

// Corrections returns what was corrected in one of the user's conversations and shown, in the
// order of what was said, without those that they have hidden: at most limit after the first
// offset. NotFound when the conversation is not the user's.
func (db *DB) Corrections(ctx context.Context, tenantID, userID, conversationID string, limit, offset int) ([]learn.KeptCorrection, error) {
	const op = "store.Corrections"
	tenantID, userID, conversationID = clean(tenantID), clean(userID), clean(conversationID)
	var rows []correctionRow
	err := db.reading(ctx, func(tx *gorm.DB) error {
		var owned conversationRow
		err := tx.Select("id").Where("tenant_id = ? AND user_id = ? AND id = ?", tenantID, userID, conversationID).Take(&owned).Error
		if err != nil {
			return isMissing(err, "Session not found")
		}
		return tx.Raw(`SELECT c.* FROM corrections c, conversation_messages m
			WHERE c.tenant_id = ? AND c.session_id = ? AND c.status <> 'withheld' AND c.hidden_at IS NULL
				AND m.tenant_id = c.tenant_id AND m.id = c.message_id
			ORDER BY m.seq, c.start_pos, c.end_pos, c.id LIMIT ? OFFSET ?`, tenantID, conversationID, max(limit, 0), max(offset, 0)).Scan(&rows).Error
	})
	if err != nil {
		return nil, fail(op, err)
	}
	kept := make([]learn.KeptCorrection, len(rows))
	for i, r := range rows {
		kept[i] = r.kept()
	}
	return kept, nil
}

// JudgeCorrection stores what the user says of one of their corrections, and returns it as it
// then is: disputed, confirmed or hidden, from any of these and from shown, as often as they
// change their mind; the same again changes nothing. A dispute is counted once for a
// correction, in its conversation, and stays counted when it is withdrawn. NotFound when it
// is not the user's or was not shown to them, Invalid for any other status.
func (db *DB) JudgeCorrection(ctx context.Context, tenantID, userID, id string, to learn.CorrectionStatus) (learn.KeptCorrection, error) {
	const op = "store.JudgeCorrection"
	tenantID, userID, id = clean(tenantID), clean(userID), clean(id)
	now := db.clock()
	if !to.Judgement() {
		return learn.KeptCorrection{}, fail(op, invalid("status", "not one of disputed, confirmed, hidden"))
	}
	var row correctionRow
	err := db.transact(ctx, func(tx *gorm.DB) error {
		mine := func() *gorm.DB {
			return tx.Where("tenant_id = ? AND user_id = ? AND id = ?", tenantID, userID, id).Where("status <> ?", statusWithheld)
		}
		if err := mine().Take(&row).Error; err != nil {
			return isMissing(err, "Correction not found")
		}
		// The conversation's row is locked first, in the order of every other writer.
		if _, err := lockConversation(tx, tenantID, userID, row.SessionID); err != nil {
			return err
		}
		if err := mine().Take(&row).Error; err != nil { // as it is now
			return isMissing(err, "Correction not found")
		}
		set := row.judged(to, now)
		if len(set) == 0 {
			return nil
		}
		if err := tx.Model(&correctionRow{}).Where("tenant_id = ? AND id = ?", tenantID, id).Updates(set).Error; err != nil {
			return err
		}
		if _, disputed := set["disputed_at"]; disputed {
			err := tx.Model(&conversationRow{}).Where("tenant_id = ? AND id = ?", tenantID, row.SessionID).
				Update("disputes", gorm.Expr("disputes + 1")).Error
			if err != nil {
				return err
			}
		}
		if err := countCorrections(tx, tenantID, row.SessionID); err != nil {
			return err
		}
		changes := []learn.Change{{Entity: learn.EntityCorrection, ID: id}}
		if to == learn.CorrectionDisputed {
			cards, err := withdrawCards(tx, tenantID, userID, row.MessageID, id, now)
			if err != nil {
				return err
			}
			changes = append(changes, cards...)
		}
		return feed(tx, tenantID, userID, now, changes...)
	})
	if err != nil {
		return learn.KeptCorrection{}, fail(op, err)
	}
	return row.kept(), nil
}

// judged changes the row, and returns the columns that have changed.
func (r *correctionRow) judged(to learn.CorrectionStatus, now time.Time) map[string]any {
	set := map[string]any{}
	if to == learn.CorrectionHidden {
		if r.HiddenAt == nil {
			r.HiddenAt, set["hidden_at"] = &now, now
		}
		return set
	}
	if r.HiddenAt != nil {
		r.HiddenAt, set["hidden_at"] = nil, nil
	}
	if r.Status != string(to) {
		r.Status, set["status"] = string(to), string(to)
	}
	if to == learn.CorrectionDisputed && r.DisputedAt == nil {
		r.DisputedAt, set["disputed_at"] = &now, now
	}
	return set
}

func (r correctionRow) kept() learn.KeptCorrection {
	k := learn.KeptCorrection{Correction: r.correction(), ConversationID: r.SessionID, MessageID: r.MessageID,
		Status: learn.CorrectionStatus(r.Status), CreatedAt: r.CreatedAt.UTC()}
	if r.HiddenAt != nil {
		k.Status = learn.CorrectionHidden
	}
	return k
}
