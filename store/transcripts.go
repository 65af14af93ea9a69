package store

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// messageTextMost bounds a text that a learner gives to a message, in characters.
const messageTextMost = 4000

// EditTranscript gives a learner's message another text, as [DB.CorrectTranscript] does, for
// the session that holds the conversation at epoch: Conflict with [learn.ErrFenced] in the
// chain when that is not the conversation's, or when it has ended. NotFound when there is no
// such message of the learner's; with [learn.ErrFenced] when there is no such conversation.
func (db *DB) EditTranscript(ctx context.Context, epoch int64, e learn.TranscriptEdit) error {
	const op = "store.EditTranscript"
	now := db.clock()
	tenantID, sessionID := clean(e.TenantID), clean(e.ConversationID)
	err := db.transact(lesson(ctx), func(tx *gorm.DB) error {
		held, err := holdConversation(tx, tenantID, sessionID, epoch, map[string]any{"last_activity_at": now})
		if err != nil {
			return err
		}
		if !held {
			return fenced("The conversation has ended")
		}
		var c conversationRow
		if err := tx.Select("id", "tenant_id", "user_id").Where("tenant_id = ? AND id = ?", tenantID, sessionID).Take(&c).Error; err != nil {
			return isGone(err)
		}
		_, err = db.rewrite(tx, c, now, e.Text, "utterance_id = ?", clean(e.UtteranceID))
		return err
	})
	return fail(op, err)
}

// CorrectTranscript gives one of the user's own messages another text, because they have
// said that, and returns the message. What was understood first is kept beside it; what was
// corrected in the old text is forgotten, together with the goals that it reached, the words
// that were credited to it and its places and confidences of words, and the message waits to
// be analysed again. What was counted stays counted, but for the corrections. The same text again changes nothing.
//
// It needs no epoch, and raises none: the conversation's row is locked, as by every writer,
// and what it changes is stored, so that whoever holds the conversation never writes it.
// NotFound when the user has said no such message, Invalid for a text that is empty or of
// more than 4,000 characters.
func (db *DB) CorrectTranscript(ctx context.Context, tenantID, userID, messageID, text string) (learn.Message, error) {
	const op = "store.CorrectTranscript"
	tenantID, userID, messageID = clean(tenantID), clean(userID), clean(messageID)
	now := db.clock()
	var row messageRow
	err := db.transact(ctx, func(tx *gorm.DB) error {
		err := tx.Select("session_id").Where("tenant_id = ? AND id = ?", tenantID, messageID).Take(&row).Error
		if err != nil {
			return isMissing(err, "Message not found")
		}
		c, err := lockConversation(tx, tenantID, userID, row.SessionID)
		if isAbsent(err) || learn.KindOf(err) == learn.NotFound {
			return notFound("Message not found")
		}
		if err == nil {
			row, err = db.rewrite(tx, c, now, text, "id = ?", messageID)
		}
		return err
	})
	if err != nil {
		return learn.Message{}, fail(op, err)
	}
	m, err := row.message()
	return m, fail(op, err)
}

// rewrite changes the text of the learner's message that a condition is for, in a locked
// conversation. It is the last statement but the commit.
func (db *DB) rewrite(tx *gorm.DB, c conversationRow, now time.Time, text, condition string, args ...any) (messageRow, error) {
	var row messageRow
	text = clean(text)
	if n := utf8.RuneCountInString(text); n == 0 || n > messageTextMost {
		return row, invalid("text", "must have 1 to 4000 characters")
	}
	err := tx.Where("tenant_id = ? AND session_id = ?", c.TenantID, c.ID).Where("role = ?", learn.SpeakerLearner).Where(condition, args...).Take(&row).Error
	if err != nil {
		return row, isMissing(err, "Message not found")
	}
	if row.Content == text {
		return row, nil
	}
	if row.EditedAt == nil {
		first := row.Content
		row.OriginalContent, row.OriginalWords = &first, row.Words
	}
	row.Content, row.HeardText, row.Words, row.EditedAt = text, nil, nil, &now
	err = tx.Model(&messageRow{}).Where("tenant_id = ? AND id = ?", row.TenantID, row.ID).Updates(map[string]any{
		"content": row.Content, "heard_text": nil, "words": nil, "edited_at": now,
		"original_content": row.OriginalContent, "original_words": row.OriginalWords,
	}).Error
	if err != nil {
		return row, err
	}
	gone, err := withdrawCards(tx, c.TenantID, c.UserID, row.ID, "", now)
	if err != nil {
		return row, err
	}
	discredited, err := discredit(tx, c.UserID, row, now)
	if err != nil {
		return row, err
	}
	changes, err := forgetCorrections(tx, c, row.ID)
	if err != nil {
		return row, err
	}
	changes = slices.Concat(changes, gone, discredited)
	if err := countCorrections(tx, c.TenantID, c.ID); err != nil {
		return row, err
	}
	if err := forgetGoals(tx, row.TenantID, row.ID); err != nil {
		return row, err
	}
	if err := db.requeueAnalysis(tx, row, now); err != nil {
		return row, err
	}
	return row, feed(tx, c.TenantID, c.UserID, now, changes...)
}

// forgetCorrections removes what was corrected in a message, and returns what has changed by
// that: the corrections, and the cards that were made from them, which stay.
func forgetCorrections(tx *gorm.DB, c conversationRow, messageID string) ([]learn.Change, error) {
	var found []correctionRow
	err := tx.Select("id", "status").Where("tenant_id = ? AND message_id = ?", c.TenantID, messageID).Order("id").Find(&found).Error
	if err != nil || len(found) == 0 {
		return nil, err
	}
	var changes []learn.Change
	ids, counted := make([]string, len(found)), 0
	for i, f := range found {
		ids[i] = f.ID
		changes = append(changes, learn.Change{Entity: learn.EntityCorrection, ID: f.ID, Deleted: true})
		if f.Status != statusWithheld {
			counted++
		}
	}
	var cards []string
	err = tx.Raw(`SELECT id FROM user_vocabulary WHERE tenant_id = ? AND source_correction_id IN ? ORDER BY id`, c.TenantID, ids).Scan(&cards).Error
	if err != nil {
		return nil, err
	}
	for _, id := range cards { // one after the other: rows are locked in their order
		err := tx.Exec(`UPDATE user_vocabulary SET source_correction_id = NULL WHERE tenant_id = ? AND id = ?`, c.TenantID, id).Error
		if err != nil {
			return nil, err
		}
		changes = append(changes, learn.Change{Entity: learn.EntityCard, ID: id})
	}
	if err := tx.Where("tenant_id = ? AND message_id = ?", c.TenantID, messageID).Delete(&correctionRow{}).Error; err != nil {
		return nil, err
	}
	return changes, tx.Model(&conversationRow{}).Where("tenant_id = ? AND id = ?", c.TenantID, c.ID).
		Update("corrections_made", gorm.Expr("CASE WHEN corrections_made > ? THEN corrections_made - ? ELSE 0 END", counted, counted)).Error
}

// Message returns one message of one of the user's conversations, without its words and
// timings; NotFound when there is none.
func (db *DB) Message(ctx context.Context, tenantID, userID, conversationID, id string) (learn.Message, error) {
	const op = "store.Message"
	var rows []messageRow
	err := db.reading(ctx, func(tx *gorm.DB) error {
		return tx.Raw(`SELECT m.* FROM conversation_messages m, conversation_sessions s
			WHERE m.tenant_id = ? AND m.session_id = ? AND m.id = ? AND s.tenant_id = m.tenant_id AND s.id = m.session_id AND s.user_id = ?`,
			clean(tenantID), clean(conversationID), clean(id), clean(userID)).Scan(&rows).Error
	})
	if err != nil {
		return learn.Message{}, fail(op, err)
	}
	if len(rows) == 0 {
		return learn.Message{}, fail(op, notFound("Message not found"))
	}
	rows[0].Words, rows[0].Timings = nil, nil
	m, err := rows[0].message()
	return m, fail(op, err)
}
