package store

import (
	"context"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// CardSource returns one of the user's messages with what is known of its words, for making a
// card: the corrections of it that were not withheld, and the words that the analysis of its
// turn has found. NotFound when the message is not in a conversation of the user's, or the
// profile of that was deleted.
func (db *DB) CardSource(ctx context.Context, tenantID, userID, messageID string) (learn.CardSource, error) {
	var s learn.CardSource
	tenantID, userID, messageID = clean(tenantID), clean(userID), clean(messageID)
	err := db.reading(ctx, func(tx *gorm.DB) error {
		var found []struct {
			Row               messageRow `gorm:"embedded"`
			LearningProfileID string
		}
		err := tx.Raw(`SELECT m.*, s.learning_profile_id
			FROM conversation_messages m, conversation_sessions s, learning_profiles p
			WHERE m.tenant_id = ? AND m.id = ? AND s.tenant_id = m.tenant_id AND s.id = m.session_id AND s.user_id = ?
				AND p.tenant_id = s.tenant_id AND p.user_id = s.user_id AND p.id = s.learning_profile_id AND p.deleted_at IS NULL`,
			tenantID, messageID, userID).Scan(&found).Error
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return notFound("Message not found")
		}
		row := found[0].Row
		s.ProfileID = found[0].LearningProfileID
		if s.Message, err = row.message(); err != nil {
			return err
		}
		var corrected []correctionRow
		err = tx.Where("tenant_id = ? AND user_id = ? AND message_id = ? AND status <> 'withheld'", tenantID, userID, messageID).
			Order("start_pos, id").Find(&corrected).Error
		if err != nil {
			return err
		}
		for _, c := range corrected {
			s.Corrections = append(s.Corrections, c.correction())
		}
		return turnWords(tx, row, &s)
	})
	if err != nil {
		return learn.CardSource{}, fail("store.CardSource", err)
	}
	return s, nil
}

// turnWords reads what the analyses of a message's turn have found of its words.
func turnWords(tx *gorm.DB, row messageRow, s *learn.CardSource) error {
	var kept []string
	err := tx.Raw(`SELECT a.raw FROM turn_analyses a, conversation_messages m
		WHERE m.tenant_id = ? AND m.session_id = ? AND m.turn_no = ? AND a.tenant_id = m.tenant_id AND a.message_id = m.id
			AND a.status = 'done' AND a.raw IS NOT NULL ORDER BY a.schema_version DESC, m.seq`,
		row.TenantID, row.SessionID, row.TurnNo).Scan(&kept).Error
	for _, raw := range kept {
		var words struct {
			NewWords []learn.NewWord `json:"new_words"`
			L1Words  []learn.L1Word  `json:"l1_words"`
		}
		if err := decode(&raw, &words); err != nil {
			return err
		}
		s.NewWords, s.L1Words = append(s.NewWords, words.NewWords...), append(s.L1Words, words.L1Words...)
	}
	return err
}
