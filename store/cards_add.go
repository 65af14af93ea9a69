package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// AddCards stores new cards of one user, all or none, and says of each what became of it,
// in their order. IDs that are empty are filled in. A card whose id is there already is
// left as it is, so that adding is repeat-safe. One for which the profile has a live card of
// the same kind and key ([learn.CardKey]) is merged into that: tags are joined, and what the
// older one lacks is taken from the new one. Device is who adds them, for the change feed;
// it may be empty. A message or correction that is not the user's is left out. Errors:
// Invalid for a card that cannot be ([learn.Card.Check]), NotFound when a profile is not the
// user's, Conflict when an id is somebody else's.
func (db *DB) AddCards(ctx context.Context, tenantID, userID, device string, cards []learn.Card) ([]learn.AddedCard, error) {
	var added []learn.AddedCard
	tenantID, userID = clean(tenantID), clean(userID)
	now := db.clock()
	err := db.transact(ctx, func(tx *gorm.DB) error {
		var changes []learn.Change
		var err error
		if added, changes, err = addCards(tx, tenantID, userID, device, cards, now); err != nil {
			return err
		}
		return feed(tx, tenantID, userID, now, changes...)
	})
	if err != nil {
		return nil, fail("store.AddCards", err)
	}
	return added, nil
}

// cardsAdding is one call of addCards.
type cardsAdding struct {
	tx               *gorm.DB
	tenantID, userID string
	now              time.Time
	languages        map[string]string      // of the profiles
	byID             map[string]*cardRow    // of this user
	byKey            map[[3]string]*cardRow // live ones
	fresh            map[*cardRow]bool      // those to be inserted
	filled           map[*cardRow]bool      // older ones that took something over
	lost             map[*cardRow]*cardRow  // fresh ones that somebody was faster with, and what is there
}

// addCards does what [DB.AddCards] promises within a transaction, and returns what to tell
// the feed.
func addCards(tx *gorm.DB, tenantID, userID, device string, cards []learn.Card, now time.Time) ([]learn.AddedCard, []learn.Change, error) {
	a := cardsAdding{tx: tx, tenantID: tenantID, userID: userID, now: now,
		byID: map[string]*cardRow{}, byKey: map[[3]string]*cardRow{},
		fresh: map[*cardRow]bool{}, filled: map[*cardRow]bool{}, lost: map[*cardRow]*cardRow{}}
	var err error
	if a.languages, err = profileLanguages(tx, tenantID, userID); err != nil {
		return nil, nil, err
	}
	rows := make([]*cardRow, len(cards))
	for i, c := range cards {
		row, err := newCard(tenantID, userID, c, now)
		if err != nil {
			return nil, nil, err
		}
		if _, ok := a.languages[row.LearningProfileID]; !ok {
			return nil, nil, notFound("Profile not found")
		}
		rows[i] = &row
	}
	if err := ownSources(tx, tenantID, userID, rows); err != nil {
		return nil, nil, err
	}
	if err := a.find(rows); err != nil {
		return nil, nil, err
	}
	places := make([]*cardRow, len(rows)) // what stands for each
	for i, row := range rows {
		if places[i], err = a.place(row); err != nil {
			return nil, nil, err
		}
	}
	if err := a.write(); err != nil {
		return nil, nil, err
	}
	return a.answer(rows, places, device)
}

// find reads and locks the user's cards that have the ids or the keys of rows.
func (a *cardsAdding) find(rows []*cardRow) error {
	var ids []string
	for part := range slices.Chunk(rows, chunk) {
		var own, keys []string
		for _, r := range part {
			own, keys = append(own, r.ID), append(keys, r.CardKey)
		}
		var same []*cardRow
		err := a.tx.Select("id", "learning_profile_id", "kind", "card_key").
			Where("tenant_id = ? AND user_id = ? AND card_key IN ? AND deleted_at IS NULL", a.tenantID, a.userID, keys).Find(&same).Error
		if err != nil {
			return err
		}
		for _, r := range same {
			ids = append(ids, r.ID)
		}
		ids = append(ids, own...)
	}
	locked, err := lockCards(a.tx, a.tenantID, a.userID, ids)
	for _, r := range locked {
		a.know(r)
	}
	return err
}

func (a *cardsAdding) know(r *cardRow) {
	a.byID[r.ID] = r
	if r.DeletedAt == nil {
		a.byKey[r.key()] = r
	}
}

// place returns the card that stands for a row: one that is there, or the row itself.
func (a *cardsAdding) place(row *cardRow) (*cardRow, error) {
	if there, ok := a.byID[row.ID]; ok {
		return there, nil
	}
	older, ok := a.byKey[row.key()]
	if !ok {
		a.know(row)
		a.fresh[row] = true
		return row, nil
	}
	took, err := older.takeOver(row)
	if took && !a.fresh[older] {
		a.filled[older] = true
	}
	return older, err
}

// takeOver fills in what a card lacks from another of the same word.
func (r *cardRow) takeOver(other *cardRow) (took bool, err error) {
	mine, err := r.card("")
	if err != nil {
		return false, err
	}
	theirs, err := other.card("")
	if err != nil {
		return false, err
	}
	tags := learn.TidyTags(slices.Concat(mine.Tags, theirs.Tags))
	if len(tags) > learn.CardTagsMost || slices.Equal(tags, mine.Tags) {
		tags = mine.Tags
	} else if err := r.setTags(tags); err != nil {
		return false, err
	}
	context, level := cmp.Or(r.Context, other.Context), cmp.Or(r.Level, other.Level)
	took = len(tags) != len(mine.Tags) || context != r.Context || level != r.Level
	r.Context, r.Level = context, level
	return took, nil
}

// write stores what place has decided. The rows are inserted in the order of their keys, so
// that of two that add the same words at once one waits for the other, and neither for both.
func (a *cardsAdding) write() error {
	for r := range a.filled {
		r.UpdatedAt = a.now
		err := ownCard(a.tx, r).Updates(map[string]any{
			"tags": r.Tags, "context": r.Context, "level": r.Level, "updated_at": r.UpdatedAt}).Error
		if err != nil {
			return err
		}
	}
	if len(a.fresh) == 0 {
		return nil
	}
	tried := slices.SortedFunc(maps.Keys(a.fresh), func(x, y *cardRow) int {
		kx, ky := x.key(), y.key()
		return slices.Compare(kx[:], ky[:])
	})
	res := a.tx.Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(tried, chunk)
	if res.Error != nil || res.RowsAffected == int64(len(tried)) {
		return res.Error
	}
	// Somebody else has added one of them since we looked, or an id is another user's.
	if err := a.find(tried); err != nil {
		return err
	}
	for _, r := range tried {
		if a.byID[r.ID] != r { // read again: it is in
			continue
		}
		if a.byKey[r.key()] == r {
			return conflict("The card's id is taken")
		}
		a.lost[r] = a.byKey[r.key()]
	}
	return nil
}

// ownCard is the statement for one card's row.
func ownCard(tx *gorm.DB, r *cardRow) *gorm.DB {
	return tx.Model(&cardRow{}).Where("tenant_id = ? AND user_id = ? AND id = ?", r.TenantID, r.UserID, r.ID)
}

// answer says what became of each row, and what the feed is to be told.
func (a *cardsAdding) answer(rows, places []*cardRow, device string) ([]learn.AddedCard, []learn.Change, error) {
	added := make([]learn.AddedCard, len(rows))
	told := map[string]bool{}
	var changes []learn.Change
	for i, row := range rows {
		stands := cmp.Or(a.lost[places[i]], places[i])
		c, err := stands.card(a.languages[stands.LearningProfileID])
		if err != nil {
			return nil, nil, err
		}
		added[i] = learn.AddedCard{Asked: row.ID, Outcome: learn.CardMerged, Card: c}
		switch {
		case stands == row:
			added[i].Outcome = learn.CardCreated
		case stands.ID == row.ID && stands.DeletedAt != nil:
			added[i].Outcome = learn.CardDeleted
		case stands.ID == row.ID:
			added[i].Outcome = learn.CardRepeated
		}
		if (stands == row || a.filled[stands]) && !told[stands.ID] {
			told[stands.ID] = true
			by := device
			if a.filled[stands] {
				by = "" // the device has not seen what came of it
			}
			changes = append(changes, changedCard(stands, by))
		}
	}
	return added, changes, nil
}

// ownSources leaves out the messages and corrections of rows that are not the user's, or not
// there any more.
func ownSources(tx *gorm.DB, tenantID, userID string, rows []*cardRow) error {
	var messages, corrections []string
	for _, r := range rows {
		if r.SourceMessageID != nil {
			messages = append(messages, *r.SourceMessageID)
		}
		if r.SourceCorrectionID != nil {
			corrections = append(corrections, *r.SourceCorrectionID)
		}
	}
	mine := map[string]bool{}
	look := func(ids []string, query string) error {
		for part := range slices.Chunk(ids, chunk) {
			var own []string
			if err := tx.Raw(query, tenantID, userID, part).Scan(&own).Error; err != nil {
				return err
			}
			for _, id := range own {
				mine[id] = true
			}
		}
		return nil
	}
	err := look(messages, `SELECT m.id FROM conversation_messages m, conversation_sessions s
		WHERE s.tenant_id = ? AND s.user_id = ? AND m.tenant_id = s.tenant_id AND m.session_id = s.id AND m.id IN ?`)
	if err != nil {
		return err
	}
	if err := look(corrections, `SELECT c.id FROM corrections c WHERE c.tenant_id = ? AND c.user_id = ? AND c.id IN ?`); err != nil {
		return err
	}
	for _, r := range rows {
		if r.SourceMessageID != nil && !mine[*r.SourceMessageID] {
			r.SourceMessageID = nil
		}
		if r.SourceCorrectionID != nil && !mine[*r.SourceCorrectionID] {
			r.SourceCorrectionID = nil
		}
	}
	return nil
}
