package store

import (
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// estimateLevel estimates the level of the profile of a conversation anew. It replaces what
// waits for a decision and leaves alone what was decided; a level that the learner has
// declined is not suggested again for a while. The profile's level stays as it is.
func estimateLevel(tx *gorm.DB, tenantID, userID, conversationID string, now time.Time) error {
	var profiles []struct{ ID, TargetLanguage string }
	err := tx.Raw(`SELECT p.id, p.target_language FROM conversation_sessions s, learning_profiles p WHERE s.tenant_id = ? AND s.user_id = ? AND s.id = ?
		AND p.tenant_id = s.tenant_id AND p.user_id = s.user_id AND p.id = s.learning_profile_id AND p.deleted_at IS NULL`,
		tenantID, userID, conversationID).Scan(&profiles).Error
	if err != nil || len(profiles) == 0 {
		return err
	}
	p := profiles[0]
	if _, err := lockProfile(tx, tenantID, userID, p.ID); err != nil { // of two reports at once, one after the other
		return err
	}
	sessions, err := levelSessions(tx, tenantID, userID, p.ID, now)
	if err != nil {
		return err
	}
	e, ok := learn.EstimateLevel(p.TargetLanguage, sessions)
	if !ok {
		return nil
	}
	mine := func() *gorm.DB {
		return tx.Model(&estimateRow{}).Where("tenant_id = ? AND user_id = ? AND learning_profile_id = ?", tenantID, userID, p.ID)
	}
	var declined int64
	err = mine().Where("status = ? AND level = ? AND decided_at > ?", learn.EstimateRejected, string(e.Level), now.Add(-learn.LevelDeclined)).Count(&declined).Error
	if err != nil {
		return err
	}
	evidence, err := json.Marshal(e.Basis)
	if err != nil {
		return err
	}
	var open []estimateRow
	if err := mine().Where("status = ?", learn.EstimateSuggested).Find(&open).Error; err != nil {
		return err
	}
	if len(open) > 0 {
		o := open[0]
		if declined == 0 && o.Level == string(e.Level) && o.Low == string(e.Low) && o.High == string(e.High) && o.MethodVersion == e.Version {
			// The learner may be looking at it: what it says is the same, with more behind it.
			return mine().Where("id = ?", o.ID).Update("evidence", clean(string(evidence))).Error
		}
		if err := mine().Where("id = ?", o.ID).Delete(&estimateRow{}).Error; err != nil {
			return err
		}
	}
	if declined > 0 {
		return nil
	}
	id, err := newID("")
	if err != nil {
		return err
	}
	return tx.Create(&estimateRow{ID: id, TenantID: tenantID, UserID: userID, LearningProfileID: p.ID, MethodVersion: e.Version,
		Level: string(e.Level), Low: string(e.Low), High: string(e.High), Evidence: clean(string(evidence)),
		Status: string(learn.EstimateSuggested), CreatedAt: now}).Error
}
