package store

import (
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// streakColumns are a streak as a profile and a membership keep it.
type streakColumns struct {
	StreakDays    int
	LongestStreak int
	FreezeDays    int
	LastLocalDay  *string
}

func (c streakColumns) streak() learn.Streak {
	return learn.Streak{Days: c.StreakDays, Longest: c.LongestStreak, Freezes: c.FreezeDays, Last: valueOr(c.LastLocalDay, "")}
}

// countDay counts the local day of a learner's message for the streak of its profile
// and for that over all of the learner's profiles. first says that nothing was said on that
// day before: what is stored late can mend a streak that seemed to be broken.
func (s setting) countDay(tx *gorm.DB, day string, first bool) error {
	loc := zone(s.Timezone)
	// The membership comes first for everybody, so that nobody waits in a circle.
	member := tx.Table("memberships").Where("tenant_id = ? AND user_id = ?", s.TenantID, s.UserID)
	if err := s.countDayIn(tx, member, "", valueOr(s.OfMember, ""), day, first, loc); err != nil {
		return err
	}
	profile := tx.Table("learning_profiles").
		Where("tenant_id = ? AND user_id = ? AND id = ?", s.TenantID, s.UserID, s.LearningProfileID)
	return s.countDayIn(tx, profile, s.LearningProfileID, valueOr(s.OfProfile, ""), day, first, loc)
}

// countDayIn counts a day in one row, whose last day was read before.
func (s setting) countDayIn(tx, row *gorm.DB, profileID, last, day string, first bool, loc *time.Location) error {
	switch {
	case day > last:
		return setStreak(row, func(is learn.Streak) learn.Streak { return is.Add(day, loc) })
	case day < last && first && s.ActivityVersion == activityVersion:
		return remakeStreak(tx, row, s.TenantID, s.UserID, profileID, loc)
	}
	return nil
}

// setStreak changes the streak in one row, which it locks to the end of the transaction:
// two conversations may count days at once. The longest one never shrinks.
func setStreak(row *gorm.DB, change func(learn.Streak) learn.Streak) error {
	row = row.Session(&gorm.Session{})
	var c streakColumns
	err := row.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).
		Select("streak_days", "longest_streak", "freeze_days", "last_local_day").Take(&c).Error
	if err != nil {
		return err
	}
	is := change(c.streak())
	return row.Updates(map[string]any{
		"streak_days": is.Days, "longest_streak": max(is.Longest, c.LongestStreak), "freeze_days": is.Freezes, "last_local_day": is.Last,
	}).Error
}
