package store

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// activityVersion is that of the rules by which days are made. A learner's days that were
// made by older ones are made anew before they are next read.
const activityVersion = 1

// profileDay names a day of a profile.
type profileDay struct{ profile, day string }

// profileDays are sums by profile and day.
type profileDays map[profileDay]keptDay

// sorted are the names in the order in which days are locked.
func (d profileDays) sorted() []profileDay {
	return slices.SortedFunc(maps.Keys(d), func(a, b profileDay) int {
		return cmp.Or(cmp.Compare(a.profile, b.profile), cmp.Compare(a.day, b.day))
	})
}

// RebuildActivity makes all days and streaks of a user anew, from what was said, reviewed
// and corrected, and from the sums that are kept of deleted conversations. What is there
// already is right after it, whatever stood there before. It changes nothing when nothing
// was wrong. NotFound when the user is no member of the tenant.
func (db *DB) RebuildActivity(ctx context.Context, tenantID, userID string) error {
	return fail("store.RebuildActivity", db.rebuildActivity(ctx, clean(tenantID), clean(userID)))
}

func (db *DB) rebuildActivity(ctx context.Context, tenantID, userID string) error {
	moment := &sql.TxOptions{} // SQLite has one writer
	if db.migrator.dialect == postgresDialect {
		// A day that a message changes meanwhile cannot be written over: this fails then.
		moment.Isolation = sql.LevelRepeatableRead
	}
	now := db.clock()
	return db.writing(ctx, func(tx *gorm.DB) error {
		return tx.Transaction(func(tx *gorm.DB) error { return rebuild(tx, tenantID, userID, now) }, moment)
	})
}

func rebuild(tx *gorm.DB, tenantID, userID string, now time.Time) error {
	if err := placeAllMessages(tx, tenantID, userID); err != nil {
		return err
	}
	sums, err := daysOf(tx, tenantID, userID, "")
	if err != nil {
		return err
	}
	var there []dayRow
	if err := tx.Where("tenant_id = ? AND user_id = ?", tenantID, userID).Find(&there).Error; err != nil {
		return err
	}
	rows := map[profileDay]dayRow{}
	for _, r := range there {
		name := profileDay{r.LearningProfileID, r.LocalDay}
		kept, err := r.keptDay()
		if err != nil {
			return err
		}
		rows[name], sums[name] = r, sums[name].plus(kept)
	}
	for _, name := range sums.sorted() {
		row, ok := rows[name]
		if !ok {
			row = dayRow{TenantID: tenantID, UserID: userID, LearningProfileID: name.profile, LocalDay: name.day, CreatedAt: now}
			if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
				return err
			}
		}
		if err := row.update(tx, sums[name].columns()); err != nil {
			return err
		}
	}
	days, err := reviewedDays(tx, tenantID, userID)
	if err != nil {
		return err
	}
	if err := recountReviews(tx, tenantID, userID, days, now); err != nil {
		return err
	}
	return rebuildStreaks(tx, tenantID, userID)
}

// reviewedDays are the days on which there were reviews, and those that say so.
func reviewedDays(tx *gorm.DB, tenantID, userID string) (days []string, err error) {
	err = tx.Raw(`SELECT l.local_day FROM review_log l WHERE l.tenant_id = ? AND l.user_id = ?
		UNION SELECT a.local_day FROM daily_activity a WHERE a.tenant_id = ? AND a.user_id = ? AND a.reviews > 0`,
		tenantID, userID, tenantID, userID).Scan(&days).Error
	return days, err
}

// daysOf sums up what the stored messages and corrections of a user make of their days, of
// all conversations or of one.
func daysOf(tx *gorm.DB, tenantID, userID, sessionID string) (profileDays, error) {
	const messages = `SELECT s.learning_profile_id, m.local_day, m.role, m.audio_ms, m.word_count, m.talk_ms, m.pace
		FROM conversation_sessions s JOIN conversation_messages m ON m.tenant_id = s.tenant_id AND m.session_id = s.id
		WHERE s.tenant_id = ? AND s.user_id = ? AND m.local_day IS NOT NULL `
	one, args := "", []any{tenantID, userID}
	if sessionID != "" {
		one, args = "AND s.id = ? ", append(args, sessionID)
	}
	var said []struct {
		LearningProfileID string
		Row               messageRow `gorm:"embedded"`
	}
	if err := tx.Raw(messages+one, args...).Scan(&said).Error; err != nil {
		return nil, err
	}
	sums := profileDays{}
	for _, m := range said {
		facts, err := m.Row.facts()
		if err != nil {
			return nil, err
		}
		name := profileDay{m.LearningProfileID, *m.Row.LocalDay}
		sums[name] = sums[name].plus(facts)
	}
	var counts []correctionCount
	if err := tx.Raw(correctionsOf+one+"GROUP BY s.learning_profile_id, m.local_day", args...).Scan(&counts).Error; err != nil {
		return nil, err
	}
	for _, c := range counts {
		name := profileDay{c.LearningProfileID, c.LocalDay}
		sums[name] = sums[name].plus(keptDay{Corrections: c.Shown, Repairs: c.Repaired})
	}
	return sums, nil
}

// placeAllMessages gives the messages of a user that were stored before messages had days
// the day that it was where the learner is now, and the other facts.
func placeAllMessages(tx *gorm.DB, tenantID, userID string) error {
	var open []conversationRow
	err := tx.Raw(`SELECT s.id, s.tenant_id, s.started_at FROM conversation_sessions s
		WHERE s.tenant_id = ? AND s.user_id = ? AND EXISTS (SELECT 1 FROM conversation_messages m
			WHERE m.tenant_id = s.tenant_id AND m.session_id = s.id AND m.local_day IS NULL)
		ORDER BY s.id`, tenantID, userID).Scan(&open).Error
	for _, c := range open {
		if err == nil {
			err = placeMessages(tx, c)
		}
	}
	return err
}

// placeMessages is placeAllMessages for one conversation.
func placeMessages(tx *gorm.DB, c conversationRow) error {
	of := tx.Where("tenant_id = ? AND session_id = ?", c.TenantID, c.ID).Session(&gorm.Session{})
	var without int64
	if err := of.Model(&messageRow{}).Where("local_day IS NULL").Count(&without).Error; err != nil || without == 0 {
		return err
	}
	who, err := settingOf(tx, c.TenantID, c.ID)
	if err != nil {
		return err
	}
	var all []messageRow
	if err := of.Order("seq").Find(&all).Error; err != nil {
		return err
	}
	since := who.StartedAt
	for _, r := range all {
		if r.LocalDay == nil {
			m, err := r.message()
			if err != nil {
				return err
			}
			r.place(since, zone(who.Timezone))
			if err := r.measure(m); err != nil {
				return err
			}
			err = tx.Model(&messageRow{}).Where("tenant_id = ? AND id = ?", r.TenantID, r.ID).Updates(map[string]any{
				"local_day": r.LocalDay, "talk_ms": r.TalkMS, "word_count": r.WordCount, "pace": r.Pace}).Error
			if err != nil {
				return err
			}
		}
		since = r.CreatedAt
	}
	return nil
}

// rebuildStreaks makes the streaks of a user and of each profile from the days. The longest
// one never shrinks.
func rebuildStreaks(tx *gorm.DB, tenantID, userID string) error {
	var profiles []struct {
		ID       string
		Timezone *string
	}
	err := tx.Raw(`SELECT p.id, u.timezone FROM users u
		LEFT JOIN learning_profiles p ON p.tenant_id = ? AND p.user_id = u.id WHERE u.id = ? ORDER BY p.id`, tenantID, userID).Scan(&profiles).Error
	if err != nil {
		return err
	}
	if len(profiles) == 0 {
		return notFound("User not found")
	}
	loc := zone(profiles[0].Timezone)
	member := tx.Table("memberships").Where("tenant_id = ? AND user_id = ?", tenantID, userID)
	if err := remakeStreak(tx, member, tenantID, userID, "", loc); err != nil {
		return err
	}
	for _, p := range profiles {
		if p.ID == "" {
			continue
		}
		row := tx.Table("learning_profiles").Where("tenant_id = ? AND user_id = ? AND id = ?", tenantID, userID, p.ID)
		if err := remakeStreak(tx, row, tenantID, userID, p.ID, loc); err != nil {
			return err
		}
	}
	res := tx.Table("memberships").Where("tenant_id = ? AND user_id = ?", tenantID, userID).Update("activity_version", activityVersion)
	if res.Error == nil && res.RowsAffected == 0 {
		return notFound("User not found")
	}
	return res.Error
}

// remakeStreak makes the streak in one row from the days of a profile, or of all of them.
func remakeStreak(tx, row *gorm.DB, tenantID, userID, profileID string, loc *time.Location) error {
	days, err := practisedDays(tx, tenantID, userID, profileID)
	if err != nil || len(days) == 0 {
		return err
	}
	return setStreak(row, func(learn.Streak) learn.Streak { return learn.StreakOf(days, loc) })
}

// practisedDays are the days on which the learner said or typed something, in order, under
// one profile or, without one, under any.
func practisedDays(tx *gorm.DB, tenantID, userID, profileID string) (days []string, err error) {
	of := tx.Model(&dayRow{}).Where("tenant_id = ? AND user_id = ? AND turns > 0", tenantID, userID)
	if profileID != "" {
		of = of.Where("learning_profile_id = ?", profileID)
	}
	err = of.Distinct().Order("local_day").Pluck("local_day", &days).Error
	return days, err
}
