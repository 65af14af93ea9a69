package store

import (
	"context"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// CardsAfter returns a part of the user's cards, in the order of their ids: up to limit of
// those behind one (empty: from the beginning). An empty profileID means all profiles. It is
// for whoever wants all of them: one that is added or deleted meanwhile moves no other.
func (db *DB) CardsAfter(ctx context.Context, tenantID, userID, profileID, afterID string, limit int) ([]learn.Card, error) {
	narrow, args := "AND v.deleted_at IS NULL AND v.id > ? ", []any{clean(afterID)}
	if profileID != "" {
		narrow += "AND v.learning_profile_id = ? "
		args = append(args, clean(profileID))
	}
	args = append(args, max(limit, 0))
	var cards []learn.Card
	err := db.reading(ctx, func(tx *gorm.DB) (err error) {
		cards, err = findCards(tx, clean(tenantID), clean(userID), narrow+"ORDER BY v.id LIMIT ?", args...)
		return err
	})
	return cards, fail("store.CardsAfter", err)
}
