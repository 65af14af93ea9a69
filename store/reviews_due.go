package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// usualNewCards is how many new cards a day brings where the profile does not say.
const usualNewCards = 10

// DueCards returns what the user has to review now, at most limit cards, with what each
// rating would do to each. An empty profileID means all profiles. New cards come at the end,
// no more of them than each profile's new_cards_per_day (10 when it is not set) allows after
// those that were first reviewed today, on the user's own calendar.
func (db *DB) DueCards(ctx context.Context, tenantID, userID, profileID string, limit int) (learn.DueQueue, error) {
	var q learn.DueQueue
	tenantID, userID, profileID = clean(tenantID), clean(userID), clean(profileID)
	now := db.clock()
	err := db.reading(ctx, func(tx *gorm.DB) error {
		cards, counts, err := dueCards(tx, tenantID, userID, profileID, limit, now)
		if err != nil {
			return err
		}
		s, err := loadSchedulers(tx, tenantID, userID)
		if err != nil {
			return err
		}
		q = counts
		q.Cards = make([]learn.DueCard, len(cards))
		for i, c := range cards {
			q.Cards[i] = learn.DueCard{Card: c, Previews: s.of(c.ProfileID).Previews(c.Memory, c.CreatedAt, now)}
		}
		return nil
	})
	return q, fail("store.DueCards", err)
}

// DueWords returns cards of a profile that are to be reviewed now and whose answer is a word
// or a short phrase, for a conversation in which the learner may use them: at most limit, the
// longest waiting first.
func (db *DB) DueWords(ctx context.Context, tenantID, userID, profileID string, limit int) ([]learn.Card, error) {
	var words []learn.Card
	tenantID, userID, profileID = clean(tenantID), clean(userID), clean(profileID)
	now := db.clock()
	err := db.reading(lesson(ctx), func(tx *gorm.DB) error {
		const looked = 60 // sentences among them are passed over
		cards, _, err := dueCards(tx, tenantID, userID, profileID, looked, now)
		words = slices.DeleteFunc(cards, func(c learn.Card) bool { return !c.Short() })
		words = words[:min(len(words), max(limit, 0))]
		return err
	})
	return words, fail("store.DueWords", err)
}

// studied is what there is to study in one profile.
type studied struct {
	LearningProfileID string
	NewCardsPerDay    *int
	Due, Fresh        int
	introduced        int
}

// allowed is how many of the new cards may still come today.
func (s studied) allowed() int {
	return min(s.Fresh, max(0, valueOr(s.NewCardsPerDay, usualNewCards)-s.introduced))
}

// studiedOf counts, by profile, the cards that are due and those that are new.
const studiedOf = `SELECT v.learning_profile_id, p.new_cards_per_day,
	COUNT(*) FILTER (WHERE v.state <> 'new' AND v.due_at <= ?) AS due, COUNT(*) FILTER (WHERE v.state = 'new') AS fresh
FROM user_vocabulary v CROSS JOIN learning_profiles p
WHERE v.tenant_id = ? AND v.user_id = ? AND v.deleted_at IS NULL AND v.suspended_at IS NULL
	AND p.tenant_id = v.tenant_id AND p.user_id = v.user_id AND p.id = v.learning_profile_id AND p.deleted_at IS NULL
GROUP BY v.learning_profile_id, p.new_cards_per_day`

// introducedOf counts, by profile, the cards that were first reviewed on a day.
const introducedOf = `SELECT v.learning_profile_id, COUNT(DISTINCT l.card_id) AS fresh
FROM review_log l CROSS JOIN user_vocabulary v
WHERE l.tenant_id = ? AND l.user_id = ? AND l.local_day = ? AND l.state_before = 'new' AND l.undone_at IS NULL
	AND v.tenant_id = l.tenant_id AND v.user_id = l.user_id AND v.id = l.card_id
GROUP BY v.learning_profile_id`

// study counts what there is to study, by profile.
func study(tx *gorm.DB, tenantID, userID, profileID string, now time.Time) (map[string]studied, error) {
	loc, err := userZone(tx, userID)
	if err != nil {
		return nil, err
	}
	var counts, introduced []studied
	if err := tx.Raw(studiedOf, now, tenantID, userID).Scan(&counts).Error; err != nil {
		return nil, err
	}
	if err := tx.Raw(introducedOf, tenantID, userID, learn.LocalDay(now, loc)).Scan(&introduced).Error; err != nil {
		return nil, err
	}
	all := map[string]studied{}
	for _, s := range counts {
		if profileID == "" || s.LearningProfileID == profileID {
			all[s.LearningProfileID] = s
		}
	}
	for _, i := range introduced {
		if s, ok := all[i.LearningProfileID]; ok {
			s.introduced = i.Fresh
			all[i.LearningProfileID] = s
		}
	}
	return all, nil
}

// dueCards returns the cards to review now, and the counts of a queue of them.
func dueCards(tx *gorm.DB, tenantID, userID, profileID string, limit int, now time.Time) (cards []learn.Card, q learn.DueQueue, err error) {
	all, err := study(tx, tenantID, userID, profileID, now)
	if err != nil {
		return nil, q, err
	}
	for _, s := range all {
		q.Due, q.New, q.IntroducedToday = q.Due+s.Due, q.New+s.allowed(), q.IntroducedToday+s.introduced
	}
	narrow, args := "AND v.deleted_at IS NULL AND v.suspended_at IS NULL AND v.state <> 'new' AND v.due_at <= ? ", []any{now}
	if profileID != "" {
		narrow += "AND v.learning_profile_id = ? "
		args = append(args, profileID)
	}
	limit = max(limit, 0)
	cards, err = findCards(tx, tenantID, userID, narrow+"ORDER BY v.due_at, v.id LIMIT ?", append(args, limit)...)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		room := min(limit-len(cards), all[id].allowed())
		if err != nil || room <= 0 {
			continue
		}
		var fresh []learn.Card
		fresh, err = findCards(tx, tenantID, userID, `AND v.deleted_at IS NULL AND v.suspended_at IS NULL AND v.state = 'new'
			AND v.learning_profile_id = ? ORDER BY v.created_at, v.id LIMIT ?`, id, room)
		cards = append(cards, fresh...)
	}
	return cards, q, err
}

// Forecast returns how many of the user's cards come due on each of the next days, today
// first and with all that is due already. Days are the user's own. An empty profileID means
// all profiles. New cards, which come due when they are looked at, are not counted.
func (db *DB) Forecast(ctx context.Context, tenantID, userID, profileID string, days int) ([]learn.DayLoad, error) {
	tenantID, userID, profileID = clean(tenantID), clean(userID), clean(profileID)
	now := db.clock()
	var loads []learn.DayLoad
	err := db.reading(ctx, func(tx *gorm.DB) error {
		loc, err := userZone(tx, userID)
		if err != nil {
			return err
		}
		place := map[string]int{}
		for day := learn.LocalDay(now, loc); len(loads) < days; day = learn.DayAfter(day, loc) {
			place[day] = len(loads)
			loads = append(loads, learn.DayLoad{Day: day})
		}
		query := `SELECT v.due_at FROM user_vocabulary v CROSS JOIN learning_profiles p
			WHERE v.tenant_id = ? AND v.user_id = ? AND v.deleted_at IS NULL AND v.suspended_at IS NULL
				AND v.state <> 'new' AND v.due_at <= ? AND p.tenant_id = v.tenant_id AND p.user_id = v.user_id
				AND p.id = v.learning_profile_id AND p.deleted_at IS NULL `
		args := []any{tenantID, userID, now.AddDate(0, 0, days+2)}
		if profileID != "" {
			query += "AND v.learning_profile_id = ?"
			args = append(args, profileID)
		}
		var due []time.Time
		if err := tx.Raw(query, args...).Scan(&due).Error; err != nil {
			return err
		}
		for _, at := range due {
			if !at.After(now) {
				at = now
			}
			if i, ok := place[learn.LocalDay(at, loc)]; ok {
				loads[i].Due++
			}
		}
		return nil
	})
	if err != nil {
		return nil, fail("store.Forecast", err)
	}
	return loads, nil
}
