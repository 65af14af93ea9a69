package store

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
	"kalami/session/learn/srs"
)

// reviewRow is a row of the table review_log.
type reviewRow struct {
	TenantID      string
	UserID        string
	ID            string
	CardID        string
	Rating        int
	ReviewedAt    time.Time
	RawReviewedAt time.Time
	ReceivedAt    time.Time
	LocalDay      string
	DurationMS    int64 `gorm:"column:duration_ms"`
	Mode          string
	Evidence      *string // JSON
	DeviceID      *string
	StateBefore   string
	ElapsedDays   int
	ScheduledDays int
	UndoneAt      *time.Time
	CreatedAt     time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (reviewRow) TableName() string { return "review_log" }

// newReview returns the row of a review of a card that is made at created, by a learner
// whose days are those of loc.
func newReview(r learn.Review, created time.Time, loc *time.Location, now time.Time) *reviewRow {
	at := stampOr(r.At, now)
	row := &reviewRow{
		TenantID: r.TenantID, UserID: r.UserID, ID: r.ID, CardID: r.CardID, Rating: int(r.Rating),
		ReviewedAt: srs.When(at, 0, created, now), RawReviewedAt: stampOr(r.RawAt, at), ReceivedAt: now,
		DurationMS: r.Duration.Milliseconds(), Mode: string(r.Mode), DeviceID: nullable(clean(r.DeviceID)),
		StateBefore: string(learn.CardNew), CreatedAt: now,
	}
	row.LocalDay = learn.LocalDay(row.ReviewedAt, loc)
	if len(r.Evidence) > 0 {
		evidence := clean(string(r.Evidence))
		row.Evidence = &evidence
	}
	return row
}

func (r *reviewRow) review() learn.Review {
	return learn.Review{
		ID: r.ID, TenantID: r.TenantID, UserID: r.UserID, CardID: r.CardID, Rating: learn.Rating(r.Rating),
		At: r.ReviewedAt.UTC(), RawAt: r.RawReviewedAt.UTC(), ReceivedAt: r.ReceivedAt.UTC(), LocalDay: r.LocalDay,
		Duration: time.Duration(r.DurationMS) * time.Millisecond, Mode: learn.ReviewMode(r.Mode),
		Evidence: []byte(valueOr(r.Evidence, "")), DeviceID: valueOr(r.DeviceID, ""),
		Before: learn.CardState(r.StateBefore), ElapsedDays: r.ElapsedDays, ScheduledDays: r.ScheduledDays,
		UndoneAt: timeOf(r.UndoneAt),
	}
}

// reviewsAtOnce is how many reviews a transaction is for: while it lasts nobody else writes to
// a SQLite file, and in Postgres an operation that takes too long is given up.
const reviewsAtOnce = 500

// AppendReviews adds reviews of one user to the log, and sets the cards that they are of to
// what their whole log comes to. It says what became of each, in their order, and returns
// those of the cards that are not deleted as they are then. A review whose id is there
// already changes nothing, so that sending is repeat-safe; one that cannot be is rejected
// and the others are not. r.At is the time by the device's corrected clock, zero for now; it
// is brought between the card's making and now. TenantID and UserID of the reviews are set
// here. Many are added in several transactions, each with all reviews of its cards, and the
// last one counts their days: after an error some may be in the log and not be counted yet, and
// it is right to send all of them again.
func (db *DB) AppendReviews(ctx context.Context, tenantID, userID string, reviews []learn.Review) ([]learn.ReviewResult, []learn.Card, error) {
	const op = "store.AppendReviews"
	tenantID, userID = clean(tenantID), clean(userID)
	results := make([]learn.ReviewResult, len(reviews))
	var cards []learn.Card
	var days []string
	parts := slices.Collect(byCard(reviews))
	for n, places := range parts {
		part := make([]learn.Review, len(places))
		for i, place := range places {
			part[i] = reviews[place]
		}
		now := db.clock()
		err := db.transact(ctx, func(tx *gorm.DB) error {
			some, touched, changes, err := addReviews(tx, tenantID, userID, part, now)
			if err != nil {
				return err
			}
			days = append(days, some.days...)
			if n == len(parts)-1 {
				if err := recountReviews(tx, tenantID, userID, days, now); err != nil {
					return err
				}
			}
			live, err := liveCards(tx, tenantID, userID, touched)
			if err != nil {
				return err
			}
			cards = append(cards, live...)
			for i, place := range places {
				results[place] = some.results[i]
			}
			return feed(tx, tenantID, userID, now, changes...)
		})
		if err != nil {
			return nil, nil, fail(op, err)
		}
	}
	return results, cards, nil
}

// byCard cuts reviews into parts of about reviewsAtOnce, as their places, such that all of
// one card are in the same part, in the order in which they were given.
func byCard(reviews []learn.Review) iter.Seq[[]int] {
	places := make([]int, len(reviews))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return cmp.Compare(reviews[a].CardID, reviews[b].CardID) })
	return func(yield func([]int) bool) {
		for start := 0; start < len(places); {
			end := min(start+reviewsAtOnce, len(places))
			for end < len(places) && reviews[places[end]].CardID == reviews[places[end-1]].CardID {
				end++
			}
			if !yield(places[start:end]) {
				return
			}
			start = end
		}
	}
}

// appendReviews does what [DB.AppendReviews] promises within a transaction; it returns the
// cards that were reviewed, locked, and what to tell the feed.
func appendReviews(tx *gorm.DB, tenantID, userID string, reviews []learn.Review, now time.Time) ([]learn.ReviewResult, []*cardRow, []learn.Change, error) {
	added, cards, changes, err := addReviews(tx, tenantID, userID, reviews, now)
	if err != nil {
		return nil, nil, nil, err
	}
	return added.results, cards, changes, recountReviews(tx, tenantID, userID, added.days, now)
}

// addedReviews is what became of reviews, and the days that are to be counted again: also
// those of reviews that were there, because nobody may have come to count them.
type addedReviews struct {
	results []learn.ReviewResult
	days    []string
}

// addReviews is appendReviews, but for the days.
func addReviews(tx *gorm.DB, tenantID, userID string, reviews []learn.Review, now time.Time) (addedReviews, []*cardRow, []learn.Change, error) {
	added := addedReviews{results: make([]learn.ReviewResult, len(reviews))}
	loc, err := userZone(tx, userID)
	if err != nil {
		return added, nil, nil, err
	}
	cards, err := reviewedCards(tx, tenantID, userID, reviews)
	if err != nil {
		return added, nil, nil, err
	}
	known, err := knownReviews(tx, tenantID, userID, reviews)
	if err != nil {
		return added, nil, nil, err
	}
	results := added.results
	var fresh []*reviewRow
	touched := map[string]*cardRow{}
	for i, r := range reviews {
		r.TenantID, r.UserID, r.ID, r.CardID = tenantID, userID, clean(r.ID), clean(r.CardID)
		results[i] = learn.ReviewResult{ID: r.ID, CardID: r.CardID, Outcome: learn.ReviewRejected}
		card := cards[r.CardID]
		switch faults := r.Check(); {
		case len(faults) > 0:
			results[i].Kind, results[i].Faults = learn.Invalid, faults
		case known[r.ID]:
			results[i].Outcome = learn.ReviewRepeated
			if card != nil {
				added.days = append(added.days, newReview(r, card.CreatedAt.UTC(), loc, now).LocalDay)
			}
		case card == nil:
			results[i].Kind, results[i].Faults = learn.NotFound, []learn.FieldError{{Field: "card_id", Message: "there is no such card"}}
		default:
			results[i].Outcome = learn.ReviewApplied
			known[r.ID], touched[card.ID] = true, card
			fresh = append(fresh, newReview(r, card.CreatedAt.UTC(), loc, now))
		}
	}
	again, changed, err := replayCards(tx, tenantID, userID, touched, fresh, now)
	if err != nil || len(fresh) == 0 {
		return added, again, nil, err
	}
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(fresh, chunk).Error; err != nil {
		return added, nil, nil, err
	}
	added.days = append(added.days, changed...)
	for _, r := range fresh {
		added.days = append(added.days, r.LocalDay)
	}
	changes := make([]learn.Change, 0, len(fresh)+len(again))
	for _, r := range fresh {
		changes = append(changes, learn.Change{Entity: learn.EntityReview, ID: r.ID, Device: valueOr(r.DeviceID, "")})
	}
	for _, c := range again {
		changes = append(changes, changedCard(c, ""))
	}
	return added, again, changes, nil
}

// reviewedCards locks the cards that reviews are of, by id: the user's, also deleted ones,
// but not those of deleted profiles.
func reviewedCards(tx *gorm.DB, tenantID, userID string, reviews []learn.Review) (map[string]*cardRow, error) {
	ids := make([]string, len(reviews))
	for i, r := range reviews {
		ids[i] = clean(r.CardID)
	}
	rows, err := lockCards(tx, tenantID, userID, ids)
	if err != nil {
		return nil, err
	}
	languages, err := profileLanguages(tx, tenantID, userID)
	cards := make(map[string]*cardRow, len(rows))
	for _, r := range rows {
		if _, live := languages[r.LearningProfileID]; live {
			cards[r.ID] = r
		}
	}
	return cards, err
}

// knownReviews says which of the reviews are in the log already.
func knownReviews(tx *gorm.DB, tenantID, userID string, reviews []learn.Review) (map[string]bool, error) {
	known := make(map[string]bool, len(reviews))
	for part := range slices.Chunk(reviews, chunk) {
		ids := make([]string, len(part))
		for i, r := range part {
			ids[i] = clean(r.ID)
		}
		var there []string
		err := tx.Model(&reviewRow{}).Where("tenant_id = ? AND user_id = ? AND id IN ?", tenantID, userID, ids).Pluck("id", &there).Error
		if err != nil {
			return nil, err
		}
		for _, id := range there {
			known[id] = true
		}
	}
	return known, nil
}

// userZone is where a user's days begin.
func userZone(tx *gorm.DB, userID string) (*time.Location, error) {
	var u userRow
	err := tx.Select("id", "timezone").Where("id = ?", userID).Take(&u).Error
	return zone(u.Timezone), isMissing(err, "User not found")
}

// liveCards returns rows that are not deleted as cards.
func liveCards(tx *gorm.DB, tenantID, userID string, rows []*cardRow) ([]learn.Card, error) {
	languages, err := profileLanguages(tx, tenantID, userID)
	if err != nil {
		return nil, err
	}
	cards := make([]learn.Card, 0, len(rows))
	for _, r := range rows {
		if r.DeletedAt != nil {
			continue
		}
		c, err := r.card(languages[r.LearningProfileID])
		if err != nil {
			return nil, err
		}
		cards = append(cards, c)
	}
	return cards, nil
}

// UndoReview takes a review back: it stays in the log and counts no more. Undoing it again
// changes nothing. The card is returned as it is then, also if it was deleted. NotFound when
// the user has no such review.
func (db *DB) UndoReview(ctx context.Context, tenantID, userID, id, device string) (learn.Review, learn.Card, error) {
	var r learn.Review
	var c learn.Card
	tenantID, userID, id = clean(tenantID), clean(userID), clean(id)
	now := db.clock()
	err := db.transact(ctx, func(tx *gorm.DB) error {
		row, card, changes, err := undoReview(tx, tenantID, userID, id, device, now)
		if err != nil {
			return err
		}
		languages, err := profileLanguages(tx, tenantID, userID)
		if err != nil {
			return err
		}
		r = row.review()
		if c, err = card.card(languages[card.LearningProfileID]); err != nil {
			return err
		}
		return feed(tx, tenantID, userID, now, changes...)
	})
	if err != nil {
		return learn.Review{}, learn.Card{}, fail("store.UndoReview", err)
	}
	return r, c, nil
}

// undoReview takes a review back within a transaction, and returns it, its card, and what to
// tell the feed: nothing when it was taken back already.
func undoReview(tx *gorm.DB, tenantID, userID, id, device string, now time.Time) (*reviewRow, *cardRow, []learn.Change, error) {
	mine := tx.Model(&reviewRow{}).Where("tenant_id = ? AND user_id = ? AND id = ?", tenantID, userID, id).Session(&gorm.Session{})
	var row reviewRow
	if err := mine.Take(&row).Error; err != nil {
		return nil, nil, nil, isMissing(err, "Review not found")
	}
	// The card's lock comes before any write of its log, so what the log says is read after it.
	card, err := lockCard(tx, tenantID, userID, row.CardID)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := mine.Take(&row).Error; err != nil || row.UndoneAt != nil {
		return &row, card, nil, err
	}
	row.UndoneAt = &now
	if err := mine.Update("undone_at", now).Error; err != nil {
		return nil, nil, nil, err
	}
	_, changed, err := replayCards(tx, tenantID, userID, map[string]*cardRow{card.ID: card}, nil, now)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := recountReviews(tx, tenantID, userID, append(changed, row.LocalDay), now); err != nil {
		return nil, nil, nil, err
	}
	return &row, card, []learn.Change{{Entity: learn.EntityReview, ID: row.ID, Device: device}, changedCard(card, "")}, nil
}
