package store

import (
	"context"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// Plan returns what a conversation of the user's is to practise now: the goals of its scenario
// that were not reached, the words whose cards have been due for longest, of those that ask
// for a word or phrase to be said, and what the tutor remembers. NotFound when it is not
// theirs.
func (db *DB) Plan(ctx context.Context, tenantID, userID, conversationID string) (learn.Plan, error) {
	const op = "store.Plan"
	tenantID, userID, conversationID = clean(tenantID), clean(userID), clean(conversationID)
	now := db.clock()
	var plan learn.Plan
	err := db.reading(ctx, func(tx *gorm.DB) error {
		var c conversationRow
		err := tx.Select("id", "learning_profile_id", "scenario_id").Where("tenant_id = ? AND user_id = ? AND id = ?", tenantID, userID, conversationID).Take(&c).Error
		if err != nil {
			return isMissing(err, "Session not found")
		}
		if c.ScenarioID != nil {
			playing, err := scenes(tx, tenantID, []string{c.ID})
			if err != nil {
				return err
			}
			plan.Goals = playing[c.ID].Open()
		}
		plan.Remembered, err = latestRemembered(tx, tenantID, userID, c.LearningProfileID, now)
		if err != nil {
			return err
		}
		return tx.Raw(`SELECT k.id, k.back AS text FROM user_vocabulary k
			WHERE k.tenant_id = ? AND k.user_id = ? AND k.learning_profile_id = ? AND k.due_at <= ?
			AND k.kind IN ('produce', 'speak') AND k.suspended_at IS NULL AND k.deleted_at IS NULL
			ORDER BY k.due_at, k.id LIMIT ?`, tenantID, userID, c.LearningProfileID, now, 2*learn.PlanWords).Scan(&plan.Due).Error
	})
	if err != nil {
		return learn.Plan{}, fail(op, err)
	}
	return plan.Within(), nil
}
