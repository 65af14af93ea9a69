package store

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
	"kalami/session/learn/srs"
)

// schedulerRow is what this package reads of the table scheduler_params.
type schedulerRow struct {
	LearningProfileID string
	Algorithm         string
	Weights           string // JSON
	DesiredRetention  float64
	MaxInterval       int
}

// schedulers answer for the profiles of a user.
type schedulers struct {
	byProfile map[string]*srs.Scheduler
	usual     *srs.Scheduler
}

// of returns the scheduler of a profile.
func (s schedulers) of(profileID string) *srs.Scheduler {
	if own := s.byProfile[profileID]; own != nil {
		return own
	}
	return s.usual
}

// loadSchedulers reads by what the user's cards are scheduled: the latest row of each profile,
// and the defaults where there is none, or one that this version cannot work with.
func loadSchedulers(tx *gorm.DB, tenantID, userID string) (schedulers, error) {
	usual, err := srs.New(srs.Default())
	if err != nil {
		return schedulers{}, err
	}
	s := schedulers{byProfile: map[string]*srs.Scheduler{}, usual: usual}
	var rows []schedulerRow
	err = tx.Table("scheduler_params").Where("tenant_id = ? AND user_id = ?", tenantID, userID).
		Order("created_at, id").Find(&rows).Error
	for _, r := range rows {
		own := learn.Scheduling{Algorithm: r.Algorithm, Retention: r.DesiredRetention, MaxInterval: r.MaxInterval}
		if json.Unmarshal([]byte(r.Weights), &own.Weights) != nil {
			continue
		}
		if scheduler, err := srs.New(own); err == nil {
			s.byProfile[r.LearningProfileID] = scheduler
		}
	}
	return s, err
}

// replayCards sets locked cards to what their reviews come to, with fresh ones, which are
// about to be stored, and returns them in the order of their ids. It fills in what the replay
// says of each review, in the log and in fresh ones, and returns the days of those in the log
// of which it says something else now.
func replayCards(tx *gorm.DB, tenantID, userID string, cards map[string]*cardRow, fresh []*reviewRow, now time.Time) (rows []*cardRow, days []string, err error) {
	if len(cards) == 0 {
		return nil, nil, nil
	}
	s, err := loadSchedulers(tx, tenantID, userID)
	if err != nil {
		return nil, nil, err
	}
	ids := slices.Sorted(maps.Keys(cards))
	logs, err := loadLogs(tx, tenantID, userID, ids)
	if err != nil {
		return nil, nil, err
	}
	isFresh := make(map[*reviewRow]bool, len(fresh))
	for _, r := range fresh {
		logs[r.CardID] = append(logs[r.CardID], r)
		isFresh[r] = true
	}
	rows = make([]*cardRow, len(ids))
	for i, id := range ids {
		c := cards[id]
		rows[i] = c
		memory, counted := s.of(c.LearningProfileID).Replay(c.CreatedAt.UTC(), reviewsOf(logs[id]))
		for _, r := range tellReviews(logs[id], counted) {
			if isFresh[r] {
				continue
			}
			err := tx.Model(&reviewRow{}).Where("tenant_id = ? AND user_id = ? AND id = ?", tenantID, userID, r.ID).
				Updates(map[string]any{"state_before": r.StateBefore, "elapsed_days": r.ElapsedDays, "scheduled_days": r.ScheduledDays}).Error
			if err != nil {
				return nil, nil, err
			}
			days = append(days, r.LocalDay)
		}
		if !c.remember(memory) {
			continue
		}
		c.UpdatedAt = now
		if err := ownCard(tx, c).Updates(c.remembered()).Error; err != nil {
			return nil, nil, err
		}
	}
	return rows, days, nil
}

// loadLogs reads the reviews of cards, by card.
func loadLogs(tx *gorm.DB, tenantID, userID string, cardIDs []string) (map[string][]*reviewRow, error) {
	logs := make(map[string][]*reviewRow, len(cardIDs))
	for part := range slices.Chunk(cardIDs, chunk) {
		var rows []*reviewRow
		err := tx.Omit("evidence").Where("tenant_id = ? AND user_id = ? AND card_id IN ?", tenantID, userID, part).
			Order("card_id, reviewed_at, id").Find(&rows).Error
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			logs[r.CardID] = append(logs[r.CardID], r)
		}
	}
	return logs, nil
}

func reviewsOf(rows []*reviewRow) []learn.Review {
	reviews := make([]learn.Review, len(rows))
	for i, r := range rows {
		reviews[i] = r.review()
	}
	return reviews
}

// tellReviews writes to the rows what a replay says of them, and returns those that it
// changed.
func tellReviews(rows []*reviewRow, counted []learn.Review) (changed []*reviewRow) {
	byID := make(map[string]*reviewRow, len(rows))
	for _, r := range rows {
		byID[r.ID] = r
	}
	for _, c := range counted {
		r := byID[c.ID]
		if r.StateBefore == string(c.Before) && r.ElapsedDays == c.ElapsedDays && r.ScheduledDays == c.ScheduledDays {
			continue
		}
		r.StateBefore, r.ElapsedDays, r.ScheduledDays = string(c.Before), c.ElapsedDays, c.ScheduledDays
		changed = append(changed, r)
	}
	return changed
}

// remember sets the card's memory, and says whether it is another than before.
func (r *cardRow) remember(m learn.Memory) bool {
	m.DueAt, m.LastReviewedAt = stampOrZero(m.DueAt), stampOrZero(m.LastReviewedAt)
	leech := m.Lapses >= learn.LeechLapses
	if m == r.memory() && leech == r.Leech {
		return false
	}
	r.State, r.Stability, r.Difficulty = string(m.State), m.Stability, m.Difficulty
	r.DueAt, r.LastReviewedAt = timeOrNull(m.DueAt), timeOrNull(m.LastReviewedAt)
	r.Reps, r.Lapses, r.ScheduledDays, r.Leech = m.Reps, m.Lapses, m.ScheduledDays, leech
	return true
}

// remembered are the columns that follow from the reviews.
func (r *cardRow) remembered() map[string]any {
	return map[string]any{
		"state": r.State, "stability": r.Stability, "difficulty": r.Difficulty,
		"due_at": r.DueAt, "last_reviewed_at": r.LastReviewedAt, "reps": r.Reps, "lapses": r.Lapses,
		"scheduled_days": r.ScheduledDays, "leech": r.Leech, "updated_at": r.UpdatedAt,
	}
}

// stampOrZero is stamp, but for a zero time, which stays.
func stampOrZero(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return stamp(t)
}
