package store

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// Activity returns the user's days as q asks for them, and the streak as it stands today.
// NotFound when the profile is not the user's, or there is no such user in the tenant.
func (db *DB) Activity(ctx context.Context, q learn.ProgressQuery) (learn.Activity, error) {
	const op = "store.Activity"
	q, loc, err := db.progressOf(ctx, q)
	if err != nil {
		return learn.Activity{}, fail(op, err)
	}
	var a learn.Activity
	err = db.reading(ctx, func(tx *gorm.DB) error {
		a, err = db.activity(tx, q, loc)
		return err
	})
	return a, fail(op, err)
}

// progressOf checks whose progress is wanted and where they are, and has their days made
// anew if they were made by older rules.
func (db *DB) progressOf(ctx context.Context, q learn.ProgressQuery) (learn.ProgressQuery, *time.Location, error) {
	q.TenantID, q.UserID, q.ProfileID = clean(q.TenantID), clean(q.UserID), clean(q.ProfileID)
	var who []struct {
		Timezone        *string
		ActivityVersion int
	}
	err := db.reading(ctx, func(tx *gorm.DB) error {
		err := tx.Raw(`SELECT u.timezone, b.activity_version FROM memberships b, users u
			WHERE b.tenant_id = ? AND b.user_id = ? AND u.id = b.user_id`, q.TenantID, q.UserID).Scan(&who).Error
		switch {
		case err != nil:
			return err
		case len(who) == 0:
			return notFound("User not found")
		case q.ProfileID == "":
			return nil
		}
		var p profileRow
		err = tx.Select("id").Where("tenant_id = ? AND user_id = ?", q.TenantID, q.UserID).
			Where("id = ? AND deleted_at IS NULL", q.ProfileID).Take(&p).Error
		return isMissing(err, "Profile not found")
	})
	if err != nil {
		return q, nil, err
	}
	if who[0].ActivityVersion < activityVersion {
		if err := db.rebuildActivity(ctx, q.TenantID, q.UserID); err != nil {
			return q, nil, err
		}
	}
	return q, zone(who[0].Timezone), nil
}

// activity reads the days of a query.
func (db *DB) activity(tx *gorm.DB, q learn.ProgressQuery, loc *time.Location) (learn.Activity, error) {
	a := learn.Activity{Today: learn.LocalDay(db.now(), loc), TimeZone: loc.String()}
	a.Query = q.Within(a.Today)
	practised, err := practisedDays(tx, q.TenantID, q.UserID, q.ProfileID)
	if err != nil {
		return a, err
	}
	rows := tx.Where("tenant_id = ? AND user_id = ? AND local_day BETWEEN ? AND ?", q.TenantID, q.UserID, a.Query.From, a.Query.To)
	if q.ProfileID != "" {
		rows = rows.Where("learning_profile_id = ?", q.ProfileID)
	}
	var found []dayRow
	if err := rows.Find(&found).Error; err != nil {
		return a, err
	}
	byDay := map[string]learn.Day{}
	for _, r := range found {
		byDay[r.LocalDay] = byDay[r.LocalDay].Plus(r.day())
	}
	frozen := learn.Frozen(practised, a.Today, loc)
	a.Streak = learn.StreakOf(practised, loc).On(a.Today, loc)
	a.Days, a.States = make([]learn.Day, a.Query.Days), make([]learn.DayState, a.Query.Days)
	for i := range a.Days {
		day := learn.AddDays(a.Query.From, i)
		a.Days[i] = byDay[day]
		a.Days[i].Day = day
		a.States[i] = learn.StateOf(day, practised, frozen)
	}
	return a, nil
}

// VocabularyProgress returns what has become of the user's cards, and the reviews of the
// days that q asks for. Errors are those of [DB.Activity].
func (db *DB) VocabularyProgress(ctx context.Context, q learn.ProgressQuery) (learn.VocabularyProgress, error) {
	const op = "store.VocabularyProgress"
	q, loc, err := db.progressOf(ctx, q)
	if err != nil {
		return learn.VocabularyProgress{}, fail(op, err)
	}
	var v learn.VocabularyProgress
	err = db.reading(ctx, func(tx *gorm.DB) error {
		if v.Activity, err = db.activity(tx, q, loc); err != nil {
			return err
		}
		if err := tallyCards(tx, q, db.clock(), &v); err != nil {
			return err
		}
		return placeCards(tx, q, loc, &v)
	})
	return v, fail(op, err)
}

// countedCards are the cards of a query: those of its profile, or of all that are not deleted.
func countedCards(tx *gorm.DB, q learn.ProgressQuery) *gorm.DB {
	cards := tx.Table("user_vocabulary").Where("tenant_id = ? AND user_id = ? AND deleted_at IS NULL", q.TenantID, q.UserID)
	if q.ProfileID != "" {
		return cards.Where("learning_profile_id = ?", q.ProfileID)
	}
	return cards.Where(`learning_profile_id IN (SELECT p.id FROM learning_profiles p
		WHERE p.tenant_id = ? AND p.user_id = ? AND p.deleted_at IS NULL)`, q.TenantID, q.UserID)
}

// tallyCards counts what has become of the cards by now.
func tallyCards(tx *gorm.DB, q learn.ProgressQuery, now time.Time, v *learn.VocabularyProgress) error {
	var sums struct{ Active, Due int }
	err := countedCards(tx, q).Where("suspended_at IS NULL").
		Select(`COALESCE(SUM(CASE WHEN state <> 'new' THEN 1 ELSE 0 END), 0) AS active,
			COALESCE(SUM(CASE WHEN due_at IS NULL THEN 1 WHEN due_at <= ? THEN 1 ELSE 0 END), 0) AS due`, now).Scan(&sums).Error
	if err != nil {
		return err
	}
	v.Active, v.Due = sums.Active, sums.Due
	mastered, err := countMastered(tx, q.TenantID, q.UserID)
	if err != nil {
		return err
	}
	var profiles []string
	err = tx.Model(&profileRow{}).Where("tenant_id = ? AND user_id = ? AND deleted_at IS NULL", q.TenantID, q.UserID).Pluck("id", &profiles).Error
	for _, id := range profiles {
		if q.ProfileID == "" || q.ProfileID == id {
			v.Mastered += mastered[id]
		}
	}
	return err
}

// placeCards counts the cards by the days on which they were made, where the learner is now.
func placeCards(tx *gorm.DB, q learn.ProgressQuery, loc *time.Location, v *learn.VocabularyProgress) error {
	var made []time.Time
	if err := countedCards(tx, q).Pluck("created_at", &made).Error; err != nil {
		return err
	}
	in := v.Activity.Query
	v.Added = make([]int, in.Days)
	for _, at := range made {
		switch day := learn.LocalDay(at, loc); {
		case day < in.From:
			v.Before++
		case day <= in.To:
			v.Added[learn.DaysThrough(in.From, day)-1]++
		}
	}
	return nil
}

// ErrorProgress returns which kinds of mistakes the user made on the days that q asks for
// and what became of them. Errors are those of [DB.Activity].
func (db *DB) ErrorProgress(ctx context.Context, q learn.ProgressQuery) (learn.ErrorProgress, error) {
	const op = "store.ErrorProgress"
	q, loc, err := db.progressOf(ctx, q)
	if err != nil {
		return learn.ErrorProgress{}, fail(op, err)
	}
	var e learn.ErrorProgress
	err = db.reading(ctx, func(tx *gorm.DB) error {
		if e.Activity, err = db.activity(tx, q, loc); err != nil {
			return err
		}
		e.Categories, err = countCategories(tx, e.Activity.Query)
		return err
	})
	return e, fail(op, err)
}

// countCategories counts the corrections of a range of days by category, the most frequent first.
func countCategories(tx *gorm.DB, q learn.ProgressQuery) ([]learn.CategoryCount, error) {
	query := `SELECT c.category, COUNT(*) AS count,
			SUM(CASE WHEN c.repair = 'repaired' THEN 1 ELSE 0 END) AS repaired,
			SUM(CASE WHEN c.repair = 'prompted' THEN 1 ELSE 0 END) AS prompted
		FROM corrections c
		JOIN conversation_messages m ON m.tenant_id = c.tenant_id AND m.id = c.message_id
		JOIN conversation_sessions s ON s.tenant_id = c.tenant_id AND s.id = c.session_id
		WHERE c.tenant_id = ? AND c.user_id = ? AND c.status IN ('shown', 'confirmed') AND m.local_day BETWEEN ? AND ? `
	args := []any{q.TenantID, q.UserID, q.From, q.To}
	if q.ProfileID != "" {
		query += "AND s.learning_profile_id = ? "
		args = append(args, q.ProfileID)
	}
	var counts []learn.CategoryCount
	err := tx.Raw(query+"GROUP BY c.category ORDER BY count DESC, c.category", args...).Scan(&counts).Error
	return slices.Clip(counts), err
}
