package store

import (
	"context"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// Statistics sums up what a user has done: their profiles that are not deleted, with the
// conversations that are still open, and their streak over all languages as of today.
// What was said under a deleted profile stays part of the streak. Zero for an unknown user.
func (db *DB) Statistics(ctx context.Context, tenantID, userID string) (learn.Statistics, error) {
	const op = "store.Statistics"
	tenantID, userID = clean(tenantID), clean(userID)
	ps, err := db.loadProfiles(ctx, tenantID, userID, "")
	if err != nil {
		return learn.Statistics{}, fail(op, err)
	}
	var member struct {
		Streak   streakColumns `gorm:"embedded"`
		Timezone *string
	}
	err = db.reading(ctx, func(tx *gorm.DB) error {
		return tx.Raw(`SELECT b.streak_days, b.longest_streak, b.freeze_days, b.last_local_day, u.timezone
			FROM memberships b, users u WHERE b.tenant_id = ? AND b.user_id = ? AND u.id = b.user_id`,
			tenantID, userID).Scan(&member).Error
	})
	if err != nil {
		return learn.Statistics{}, fail(op, err)
	}
	loc := zone(member.Timezone)
	streak := member.Streak.streak().On(learn.LocalDay(db.now(), loc), loc)
	all := learn.Statistics{Streak: streak.Days, Longest: streak.Longest}
	for _, p := range ps {
		all.Conversations += p.Conversations
		all.Speaking += p.TotalSpeaking
		all.Mastered += p.Mastered
		all.Languages = append(all.Languages, p.TargetLanguage)
	}
	return all, nil
}
