package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// pull answers with what has changed since the device's cursor.
func (db *DB) pull(tx *gorm.DB, r learn.SyncRequest, s *push, answer *learn.SyncAnswer) error {
	noted, err := s.deviceIsNoted(tx)
	if err != nil {
		return err
	}
	s.noteDevice = !noted
	last, err := lastChange(tx, r.TenantID, r.UserID)
	if err != nil {
		return err
	}
	if r.Cursor == nil || *r.Cursor < 0 || s.ahead {
		answer.Reset = true
		return nil
	}
	var rows []changeRow
	limit := max(r.Limit, 1)
	err = tx.Where("tenant_id = ? AND user_id = ? AND seq > ?", r.TenantID, r.UserID, *r.Cursor).
		Order("seq").Limit(limit + 1).Find(&rows).Error
	if err != nil {
		return err
	}
	// The numbers have no holes: when the next one is not there, it is no longer kept.
	if len(rows) == 0 && *r.Cursor < last || len(rows) > 0 && rows[0].Seq != *r.Cursor+1 {
		answer.Reset = true
		return nil
	}
	answer.HasMore = len(rows) > limit
	rows = rows[:min(limit, len(rows))]
	answer.Cursor = *r.Cursor
	if len(rows) > 0 {
		answer.Cursor = rows[len(rows)-1].Seq
	}
	answer.Changes, err = db.loadChanged(tx, r.TenantID, r.UserID, s.toTell(rows))
	return err
}

// toTell are the things that changes are about, each once, without those that the device has
// just written and nobody else has.
func (s *push) toTell(rows []changeRow) []learn.EntityRef {
	refs := maps.Clone(s.tell)
	for _, row := range rows {
		ref := learn.EntityRef{Entity: learn.Entity(row.Entity), ID: row.EntityID}
		own := s.wrote[ref] && valueOr(row.DeviceID, "") == s.device && row.At.Equal(s.now)
		if !own {
			refs[ref] = true
		}
	}
	return slices.SortedFunc(maps.Keys(refs), compareRefs)
}

func compareRefs(a, b learn.EntityRef) int {
	return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.ID, b.ID))
}

// lastChange is the number of the user's last change that is committed; 0 without any.
func lastChange(tx *gorm.DB, tenantID, userID string) (int64, error) {
	var last int64
	err := tx.Raw("SELECT COALESCE(MAX(last_seq), 0) FROM user_sync WHERE tenant_id = ? AND user_id = ?", tenantID, userID).Scan(&last).Error
	return last, err
}

// loadChanged reads things as they are now. Cards and profiles that are not there, or not the
// user's, are deleted for the device.
func (db *DB) loadChanged(tx *gorm.DB, tenantID, userID string, refs []learn.EntityRef) (c learn.SyncChanges, err error) {
	ids := map[learn.Entity][]string{}
	there := map[learn.EntityRef]bool{}
	for _, ref := range refs {
		ids[ref.Entity] = append(ids[ref.Entity], ref.ID)
	}
	for part := range slices.Chunk(ids[learn.EntityProfile], chunk) {
		some, err := db.readProfiles(tx, tenantID, userID, "AND p.id IN ?", part)
		if err != nil {
			return c, err
		}
		c.Profiles = append(c.Profiles, some...)
	}
	for part := range slices.Chunk(ids[learn.EntityCard], chunk) {
		some, err := findCards(tx, tenantID, userID, "AND v.deleted_at IS NULL AND v.id IN ? ORDER BY v.id", part)
		if err != nil {
			return c, err
		}
		c.Cards = append(c.Cards, some...)
	}
	for part := range slices.Chunk(ids[learn.EntityReview], chunk) {
		some, err := findReviews(tx, tenantID, userID, "id IN ?", part, chunk)
		if err != nil {
			return c, err
		}
		c.Reviews = append(c.Reviews, some...)
	}
	for _, p := range c.Profiles {
		there[learn.EntityRef{Entity: learn.EntityProfile, ID: p.ID}] = true
	}
	for _, card := range c.Cards {
		there[learn.EntityRef{Entity: learn.EntityCard, ID: card.ID}] = true
	}
	for _, ref := range refs {
		switch ref.Entity {
		case learn.EntityProfile, learn.EntityCard:
			if !there[ref] {
				c.Deleted = append(c.Deleted, ref)
			}
		case learn.EntityReview:
		default:
			c.Other = append(c.Other, ref)
		}
	}
	return c, nil
}

// findReviews reads those of the user's log that a condition lets through, by id: also of
// deleted cards, which may be restored.
func findReviews(tx *gorm.DB, tenantID, userID, condition string, arg any, limit int) ([]learn.Review, error) {
	var rows []*reviewRow
	err := tx.Where("tenant_id = ? AND user_id = ?", tenantID, userID).Where(condition, arg).Order("id").Limit(limit).Find(&rows).Error
	return reviewsOf(rows), err
}

// The stages of a bootstrap, in their order.
const (
	bootProfiles = "profiles"
	bootCards    = "cards"
	bootReviews  = "reviews"
)

// Bootstrap returns one page of everything that the user's devices keep a copy of: profiles,
// then cards, then their reviews. Page is empty for the first one and else what the page
// before has called the next. What changes meanwhile may be missing or there; [DB.Sync] from
// the cursor tells of it. Invalid for a page that is none.
func (db *DB) Bootstrap(ctx context.Context, tenantID, userID, page string, limit int) (learn.Bootstrap, error) {
	const op = "store.Bootstrap"
	tenantID, userID = clean(tenantID), clean(userID)
	p, err := parseBootPage(page)
	if err != nil {
		return learn.Bootstrap{}, fail(op, err)
	}
	b := learn.Bootstrap{}
	err = db.reading(ctx, func(tx *gorm.DB) (err error) {
		if page == "" { // before anything is read, so that nothing behind it is missed
			if p.cursor, err = lastChange(tx, tenantID, userID); err != nil {
				return err
			}
		}
		b, err = db.bootstrap(tx, tenantID, userID, p, max(limit, 1))
		return err
	})
	return b, fail(op, err)
}

// bootPage says where a page begins.
type bootPage struct {
	cursor int64
	stage  string
	after  string // id
}

func parseBootPage(page string) (p bootPage, err error) {
	if page == "" {
		return bootPage{stage: bootProfiles}, nil
	}
	cursor, rest, _ := strings.Cut(page, ".")
	stage, after, ok := strings.Cut(rest, ".")
	n, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil || n < 0 || !ok || stage != bootCards && stage != bootReviews || clean(after) != after {
		return p, invalid("page", "is none that was given out")
	}
	return bootPage{cursor: n, stage: stage, after: after}, nil
}

func (p bootPage) next(stage, after string) string {
	return strconv.FormatInt(p.cursor, 10) + "." + stage + "." + after
}

// bootstrap reads a page. Profiles are few: one for each language.
func (db *DB) bootstrap(tx *gorm.DB, tenantID, userID string, p bootPage, limit int) (b learn.Bootstrap, err error) {
	b.Cursor = p.cursor
	switch p.stage {
	case bootProfiles:
		b.Changes.Profiles, err = db.readProfiles(tx, tenantID, userID, "")
		b.Next = p.next(bootCards, "")
	case bootCards:
		b.Changes.Cards, err = findCards(tx, tenantID, userID, "AND v.deleted_at IS NULL AND v.id > ? ORDER BY v.id LIMIT ?", p.after, limit)
		b.Next = p.next(bootReviews, "")
		if n := len(b.Changes.Cards); n == limit {
			b.Next = p.next(bootCards, b.Changes.Cards[n-1].ID)
		}
	default:
		b.Changes.Reviews, err = findReviews(tx, tenantID, userID, "id > ?", p.after, limit)
		b.Next = ""
		if n := len(b.Changes.Reviews); n == limit {
			b.Next = p.next(bootReviews, b.Changes.Reviews[n-1].ID)
		}
	}
	return b, err
}
