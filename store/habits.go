package store

import (
	"context"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// KeepHabits stores what was observed of how the profile's learner takes turns; numbers
// out of bounds are brought within them. Of two conversations that end at the same time
// the later one's is kept. The profile's time of change stays as it was, because nobody
// changed a setting. NotFound when the profile is not the user's or deleted.
func (db *DB) KeepHabits(ctx context.Context, tenantID, userID, profileID string, h learn.TurnHabits) error {
	err := db.transact(ctx, func(tx *gorm.DB) error {
		res := tx.Model(&profileRow{}).
			Where("tenant_id = ? AND user_id = ?", clean(tenantID), clean(userID)).
			Where("id = ? AND deleted_at IS NULL", clean(profileID)).
			UpdateColumn("turn_habits", h.String())
		if res.Error == nil && res.RowsAffected == 0 {
			return notFound("Profile not found")
		}
		return res.Error
	})
	return fail("store.KeepHabits", err)
}
