package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"kalami/session/learn"
)

// CreditUse notes that a learner used or met cards in a conversation. A use that tests the
// memory of a card that is due ([learn.CardUse.Credits]) is a Good review of it, in the mode
// in_conversation; all else only counts as an encounter. It says of each use whether it was
// credited; a use of the same card in the same message is credited once. Cards that are not
// the user's, or deleted, are passed over.
func (db *DB) CreditUse(ctx context.Context, tenantID, userID string, uses ...learn.CardUse) ([]bool, error) {
	var credited []bool
	tenantID, userID = clean(tenantID), clean(userID)
	now := db.clock()
	err := db.transact(lesson(ctx), func(tx *gorm.DB) error {
		var changes []learn.Change
		var err error
		if credited, changes, err = creditUses(tx, tenantID, userID, uses, now); err != nil {
			return err
		}
		return feed(tx, tenantID, userID, now, changes...)
	})
	if err != nil {
		return nil, fail("store.CreditUse", err)
	}
	return credited, nil
}

// creditUses does what [DB.CreditUse] promises within a transaction, and returns what to tell
// the feed.
func creditUses(tx *gorm.DB, tenantID, userID string, uses []learn.CardUse, now time.Time) ([]bool, []learn.Change, error) {
	credited := make([]bool, len(uses))
	var ids []string
	for _, u := range uses {
		ids = append(ids, clean(u.CardID))
	}
	rows, err := lockCards(tx, tenantID, userID, ids)
	if err != nil || len(rows) == 0 {
		return credited, nil, err
	}
	byID := map[string]*cardRow{}
	for _, r := range rows {
		if r.DeletedAt == nil {
			byID[r.ID] = r
		}
	}
	var reviews []learn.Review
	places := map[string]int{} // of a review's use
	changed := map[string]*cardRow{}
	for i, u := range uses {
		row := byID[clean(u.CardID)]
		if row == nil {
			continue
		}
		u.At = stampOr(u.At, now)
		c, err := row.card("")
		if err != nil {
			return nil, nil, err
		}
		row.met(u)
		changed[row.ID] = row
		id := creditID(u)
		if _, twice := places[id]; !twice && u.Credits(c) {
			reviews = append(reviews, learn.Review{ID: id, CardID: c.ID, Rating: learn.Good, At: u.At, Mode: learn.ReviewInConversation})
			places[id] = i
		}
	}
	results, _, changes, err := appendReviews(tx, tenantID, userID, reviews, now)
	if err != nil {
		return nil, nil, err
	}
	told := map[string]bool{}
	for _, r := range results {
		if r.Outcome == learn.ReviewApplied {
			credited[places[r.ID]], told[r.CardID] = true, true
		}
	}
	for _, r := range rows {
		if changed[r.ID] == nil {
			continue
		}
		err := ownCard(tx, r).Updates(map[string]any{"times_encountered": r.TimesEncountered,
			"times_used_correctly": r.TimesUsedCorrectly, "last_used_at": r.LastUsedAt, "updated_at": now}).Error
		if err != nil {
			return nil, nil, err
		}
		if !told[r.ID] {
			changes = append(changes, changedCard(r, ""))
		}
	}
	return credited, changes, nil
}

// met counts a use.
func (r *cardRow) met(u learn.CardUse) {
	r.TimesEncountered++
	if u.Unprompted() {
		r.TimesUsedCorrectly++
		if r.LastUsedAt == nil || r.LastUsedAt.Before(u.At) {
			r.LastUsedAt = timeOrNull(u.At)
		}
	}
}

// creditID names the review that a use is credited as: the same each time.
func creditID(u learn.CardUse) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("use\x00"+u.MessageID+"\x00"+u.CardID)).String()
}

// ReviewLog returns a part of the user's log, the oldest first: up to limit reviews, those
// that were undone with them, after one (zero values: from the beginning). An empty
// profileID means all profiles.
func (db *DB) ReviewLog(ctx context.Context, tenantID, userID, profileID string, after time.Time, afterID string, limit int) ([]learn.Review, error) {
	var rows []*reviewRow
	query := `SELECT l.* FROM review_log l CROSS JOIN user_vocabulary v
		WHERE l.tenant_id = ? AND l.user_id = ? AND (l.reviewed_at, l.id) > (?, ?)
			AND v.tenant_id = l.tenant_id AND v.user_id = l.user_id AND v.id = l.card_id `
	args := []any{clean(tenantID), clean(userID), stamp(after), clean(afterID)}
	if profileID != "" {
		query += "AND v.learning_profile_id = ? "
		args = append(args, clean(profileID))
	}
	args = append(args, max(limit, 0))
	err := db.reading(ctx, func(tx *gorm.DB) error {
		return tx.Raw(query+"ORDER BY l.reviewed_at, l.id LIMIT ?", args...).Scan(&rows).Error
	})
	return reviewsOf(rows), fail("store.ReviewLog", err)
}
