package store

import (
	"context"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// ListConversations returns one page of the user's conversations, newest first, without
// those of deleted profiles: at most limit of them after the first offset. An empty
// profileID means all profiles; one that is not the user's has none.
func (db *DB) ListConversations(ctx context.Context, tenantID, userID, profileID string, limit, offset int) ([]learn.Conversation, error) {
	query := conversationsOf + "AND s.user_id = ? AND p.deleted_at IS NULL "
	args := []any{clean(tenantID), clean(userID)}
	if profileID != "" {
		query += "AND s.learning_profile_id = ? "
		args = append(args, clean(profileID))
	}
	query += "ORDER BY s.started_at DESC, s.id DESC LIMIT ? OFFSET ?"
	args = append(args, max(limit, 0), max(offset, 0))
	var cs []learn.Conversation
	err := db.reading(ctx, func(tx *gorm.DB) (err error) {
		var found []conversationView
		if err := tx.Raw(query, args...).Scan(&found).Error; err != nil {
			return err
		}
		cs, err = conversations(tx, clean(tenantID), found)
		return err
	})
	if err != nil {
		return nil, fail("store.ListConversations", err)
	}
	return cs, nil
}

// Transcript returns the messages of one of the user's conversations with numbers above
// afterSeq, oldest first and at most limit, without their words and timings; and the
// corrections of them that were neither withheld nor hidden, by message, in the order of their places.
// NotFound when the conversation is not the user's.
func (db *DB) Transcript(ctx context.Context, tenantID, userID, id string, afterSeq, limit int) ([]learn.Message, map[string][]learn.Correction, error) {
	const op = "store.Transcript"
	tenantID, userID, id = clean(tenantID), clean(userID), clean(id)
	var rows []messageRow
	var shown map[string][]learn.Correction
	err := db.reading(ctx, func(tx *gorm.DB) error {
		var owned conversationRow
		err := tx.Select("id").Where("tenant_id = ? AND user_id = ? AND id = ?", tenantID, userID, id).Take(&owned).Error
		if err != nil {
			return isMissing(err, "Session not found")
		}
		err = tx.Omit("words", "timings", "pace").Where("tenant_id = ? AND session_id = ? AND seq > ?", tenantID, id, afterSeq).
			Order("seq").Limit(max(limit, 0)).Find(&rows).Error
		if err != nil || len(rows) == 0 {
			return err
		}
		shown, err = shownCorrections(tx, tenantID, id, rows[0].Seq, rows[len(rows)-1].Seq)
		return err
	})
	if err != nil || len(rows) == 0 {
		return nil, nil, fail(op, err)
	}
	ms, err := messagesOf(rows)
	if err != nil {
		return nil, nil, fail(op, err)
	}
	return ms, shown, nil
}

// shownCorrections returns what was corrected and shown in the messages of a
// conversation from one number to another, by message.
func shownCorrections(tx *gorm.DB, tenantID, sessionID string, from, to int) (map[string][]learn.Correction, error) {
	var rows []correctionRow
	err := tx.Raw(`SELECT c.* FROM conversation_messages m CROSS JOIN corrections c
		WHERE m.tenant_id = ? AND m.session_id = ? AND m.seq BETWEEN ? AND ? AND m.role = 'user'
			AND c.tenant_id = m.tenant_id AND c.message_id = m.id AND c.status <> 'withheld' AND c.hidden_at IS NULL
		ORDER BY m.seq, c.start_pos, c.end_pos, c.id`, tenantID, sessionID, from, to).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	shown := map[string][]learn.Correction{}
	for _, r := range rows {
		shown[r.MessageID] = append(shown[r.MessageID], r.correction())
	}
	return shown, nil
}

func (r correctionRow) correction() learn.Correction {
	return learn.Correction{
		ID: r.ID, Original: r.Original, Corrected: r.Corrected, Start: r.StartPos, End: r.EndPos,
		Category: learn.Category(r.Category), Severity: learn.Severity(r.Severity),
		Explanation: r.Explanation, ExplanationLanguage: r.ExplanationLang,
		Confidence: r.Confidence, HeardConfidence: valueOr(r.ASRConfidenceMin, 0), Withheld: r.Status == "withheld",
		Repair: learn.Repair(r.Repair),
	}
}

// DeleteConversation removes one of the user's conversations for good: its messages,
// corrections, analyses and assessments go with it. Whoever holds it is fenced from the
// next write on. What was practised stays counted (a conversation that is active is
// settled first), and so do cards, memories and the record of what vendors were paid for;
// they only lose what pointed here. NotFound when it is not the user's.
func (db *DB) DeleteConversation(ctx context.Context, tenantID, userID, id string) error {
	tenantID, userID, id = clean(tenantID), clean(userID), clean(id)
	now := db.clock()
	err := db.transact(ctx, func(tx *gorm.DB) error {
		row, err := lockConversation(tx, tenantID, userID, id)
		if err != nil {
			return err
		}
		if err := keepDays(tx, row, now); err != nil {
			return err
		}
		if row.Status == statusActive {
			if err := settle(tx, row, row.totals(), now); err != nil {
				return err
			}
		}
		for _, forget := range pointersIntoConversations {
			if err := tx.Exec(forget, tenantID, tenantID, id).Error; err != nil {
				return err
			}
		}
		if err := tx.Exec("UPDATE provider_usage SET session_id = NULL WHERE tenant_id = ? AND session_id = ?", tenantID, id).Error; err != nil {
			return err
		}
		return tx.Where("tenant_id = ? AND user_id = ? AND id = ?", tenantID, userID, id).Delete(&conversationRow{}).Error
	})
	return fail("store.DeleteConversation", err)
}

// pointersIntoConversations cut what points at messages and corrections of one
// conversation and outlives them. Their parameters are tenant, tenant and conversation.
var pointersIntoConversations = [...]string{
	`UPDATE user_vocabulary SET source_correction_id = NULL WHERE tenant_id = ? AND source_correction_id IN
		(SELECT c.id FROM corrections c WHERE c.tenant_id = ? AND c.session_id = ?)`,
	`UPDATE user_vocabulary SET source_message_id = NULL WHERE tenant_id = ? AND source_message_id IN
		(SELECT m.id FROM conversation_messages m WHERE m.tenant_id = ? AND m.session_id = ?)`,
	`UPDATE memories SET source_message_id = NULL WHERE tenant_id = ? AND source_message_id IN
		(SELECT m.id FROM conversation_messages m WHERE m.tenant_id = ? AND m.session_id = ?)`,
}
