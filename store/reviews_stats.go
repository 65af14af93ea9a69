package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// ReviewStatistics returns how the user's reviews went on the last days, today with them (on
// the user's own calendar), and what cards there are now. An empty profileID means all
// profiles. Uses in conversation are reviews but tell nothing of retention: only those that
// went well are in the log.
func (db *DB) ReviewStatistics(ctx context.Context, tenantID, userID, profileID string, days int) (learn.ReviewStats, error) {
	var st learn.ReviewStats
	tenantID, userID, profileID = clean(tenantID), clean(userID), clean(profileID)
	now := db.clock()
	err := db.reading(ctx, func(tx *gorm.DB) error {
		loc, err := userZone(tx, userID)
		if err != nil {
			return err
		}
		since := now.In(loc).AddDate(0, 0, 1-max(days, 1)).Format(time.DateOnly)
		if err := countReviews(tx, &st, tenantID, userID, profileID, since); err != nil {
			return err
		}
		return countCards(tx, &st, tenantID, userID, profileID, now)
	})
	return st, fail("store.ReviewStatistics", err)
}

// reviewsOfProfiles are the reviews since a day, of cards whose profiles are not deleted.
const reviewsOfProfiles = ` FROM review_log l CROSS JOIN user_vocabulary v CROSS JOIN learning_profiles p
WHERE l.tenant_id = ? AND l.user_id = ? AND l.local_day >= ? AND l.undone_at IS NULL
	AND v.tenant_id = l.tenant_id AND v.user_id = l.user_id AND v.id = l.card_id
	AND p.tenant_id = v.tenant_id AND p.user_id = v.user_id AND p.id = v.learning_profile_id AND p.deleted_at IS NULL `

func countReviews(tx *gorm.DB, st *learn.ReviewStats, tenantID, userID, profileID, since string) error {
	narrow, args := "", []any{tenantID, userID, since}
	if profileID != "" {
		narrow = "AND v.learning_profile_id = ? "
		args = append(args, profileID)
	}
	var groups []struct {
		Rating    int
		Tests     bool // memory, as a use in conversation does not
		N, Millis int64
	}
	err := tx.Raw(`SELECT l.rating, l.state_before = 'review' AND l.mode <> 'in_conversation' AS tests,
		COUNT(*) AS n, SUM(l.duration_ms) AS millis`+reviewsOfProfiles+narrow+"GROUP BY 1, 2", args...).Scan(&groups).Error
	if err != nil {
		return err
	}
	for _, g := range groups {
		n := int(g.N)
		st.Reviews += n
		st.Ratings[g.Rating-1] += n
		st.Time += time.Duration(g.Millis) * time.Millisecond
		if g.Tests {
			st.Mature += n
			if learn.Rating(g.Rating) != learn.Again {
				st.Remembered += n
			}
		}
	}
	var reviewed []int
	err = tx.Raw("SELECT COUNT(DISTINCT l.local_day)"+reviewsOfProfiles+narrow, args...).Scan(&reviewed).Error
	if err == nil && len(reviewed) > 0 {
		st.Days = reviewed[0]
	}
	return err
}

func countCards(tx *gorm.DB, st *learn.ReviewStats, tenantID, userID, profileID string, now time.Time) error {
	query := `SELECT v.state, COUNT(*) AS n, COUNT(v.suspended_at) AS suspended, COUNT(*) FILTER (WHERE v.leech) AS leeches,
			COUNT(*) FILTER (WHERE v.state <> 'new' AND v.suspended_at IS NULL AND v.due_at <= ?) AS due
		FROM user_vocabulary v CROSS JOIN learning_profiles p
		WHERE v.tenant_id = ? AND v.user_id = ? AND v.deleted_at IS NULL
			AND p.tenant_id = v.tenant_id AND p.user_id = v.user_id AND p.id = v.learning_profile_id AND p.deleted_at IS NULL `
	args := []any{now, tenantID, userID}
	if profileID != "" {
		query += "AND v.learning_profile_id = ? "
		args = append(args, profileID)
	}
	var groups []struct {
		State                      string
		N, Suspended, Leeches, Due int
	}
	if err := tx.Raw(query+"GROUP BY v.state", args...).Scan(&groups).Error; err != nil {
		return err
	}
	st.Cards = map[learn.CardState]int{}
	for _, g := range groups {
		st.Cards[learn.CardState(g.State)] = g.N
		st.Suspended, st.Leeches, st.DueNow = st.Suspended+g.Suspended, st.Leeches+g.Leeches, st.DueNow+g.Due
	}
	return nil
}
