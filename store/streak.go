package store

import (
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// streak counts the consecutive local days on which somebody spoke. Its zero
// value is of a learner who never did.
type streak struct {
	days, longest int
	last          string // YYYY-MM-DD, or empty
}

// streakColumns are a streak as a profile and a membership keep it.
type streakColumns struct {
	StreakDays    int
	LongestStreak int
	LastLocalDay  *string
}

func (c streakColumns) streak() streak {
	return streak{days: c.StreakDays, longest: c.LongestStreak, last: valueOr(c.LastLocalDay, "")}
}

// localDay returns the day that it was at t in loc.
func localDay(t time.Time, loc *time.Location) string { return t.In(loc).Format(time.DateOnly) }

// dayAfter returns the next day that there was in loc; empty for what is not a day.
// It is the calendar's next one, but where a country has crossed the date line and left
// one out (Samoa had no 30 December 2011). Noon is far from every change of the clock.
func dayAfter(day string, loc *time.Location) string {
	t, err := time.ParseInLocation(time.DateTime, day+" 12:00:00", loc)
	if err != nil {
		return ""
	}
	return localDay(t.Add(24*time.Hour), loc)
}

// add counts a day in loc. A day that is already behind changes nothing: what happened
// then has been counted, or arrives too late to mend the chain.
func (s streak) add(day string, loc *time.Location) streak {
	switch {
	case s.last == "" || day > dayAfter(s.last, loc):
		s.days, s.last = 1, day
	case day == dayAfter(s.last, loc):
		s.days, s.last = s.days+1, day
	}
	s.longest = max(s.longest, s.days)
	return s
}

// on returns the length of the streak as it stands on a day in loc: it lives through
// the day after the last one, on which it may still be continued.
func (s streak) on(day string, loc *time.Location) int {
	if s.last == "" || day > dayAfter(s.last, loc) {
		return 0
	}
	return s.days
}

// countDay counts the local day of a learner's message for the streak of its profile
// and for that over all of the learner's profiles. It costs one look on all messages
// but the first of a day.
func countDay(tx *gorm.DB, m messageRow) error {
	if m.Role != string(learn.SpeakerLearner) {
		return nil
	}
	var who struct {
		UserID, LearningProfileID string
		Timezone                  *string
		OfProfile, OfMember       *string // last days
	}
	err := tx.Raw(`SELECT s.user_id, s.learning_profile_id, u.timezone,
			p.last_local_day AS of_profile, b.last_local_day AS of_member
		FROM conversation_sessions s, learning_profiles p, memberships b, users u
		WHERE s.tenant_id = ? AND s.id = ?
			AND p.tenant_id = s.tenant_id AND p.user_id = s.user_id AND p.id = s.learning_profile_id
			AND b.tenant_id = s.tenant_id AND b.user_id = s.user_id AND u.id = s.user_id`,
		m.TenantID, m.SessionID).Scan(&who).Error
	if err != nil {
		return err
	}
	loc := zone(who.Timezone)
	day := localDay(m.CreatedAt, loc)
	// The membership comes first for everybody, so that nobody waits in a circle.
	if day > valueOr(who.OfMember, "") {
		mine := tx.Table("memberships").Where("tenant_id = ? AND user_id = ?", m.TenantID, who.UserID)
		if err := addDay(mine, day, loc); err != nil {
			return err
		}
	}
	if day > valueOr(who.OfProfile, "") {
		mine := tx.Table("learning_profiles").
			Where("tenant_id = ? AND user_id = ? AND id = ?", m.TenantID, who.UserID, who.LearningProfileID)
		return addDay(mine, day, loc)
	}
	return nil
}

// addDay adds a day to the streak in one row, which it locks to the end of the
// transaction: two conversations may count days at once.
func addDay(row *gorm.DB, day string, loc *time.Location) error {
	row = row.Session(&gorm.Session{})
	var c streakColumns
	err := row.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).
		Select("streak_days", "longest_streak", "last_local_day").Take(&c).Error
	if err != nil {
		return err
	}
	s := c.streak().add(day, loc)
	return row.Updates(map[string]any{
		"streak_days": s.days, "longest_streak": s.longest, "last_local_day": s.last,
	}).Error
}
