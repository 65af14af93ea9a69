package store

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// lostMost is how many values that lost are kept of each field of a card.
const lostMost = 5

// fieldVersions are when the fields of a card were written, by name; a field that is not
// among them was written when the card was made.
type fieldVersions map[string]fieldVersion

// fieldVersion is the last write of a field, and what it or others before it have replaced.
type fieldVersion struct {
	At   time.Time   `json:"at"`
	Lost []lostValue `json:"lost,omitempty"` // the latest last
}

// lostValue is a value that another one has won against.
type lostValue struct {
	Value json.RawMessage `json:"value"`
	At    time.Time       `json:"at"`
}

// PatchCard changes fields of a card. For each of them the latest write wins, by p.At, so
// that changes of several devices come to the same in whatever order they arrive; of two at
// the same time the one with the greater value does. The card is returned as it is then.
// Errors: NotFound when it is not the user's or was deleted, Conflict when the profile has
// another card with that answer, Invalid for a value that cannot be.
func (db *DB) PatchCard(ctx context.Context, p learn.CardPatch) (learn.Card, error) {
	var c learn.Card
	p.TenantID, p.UserID, p.ID = clean(p.TenantID), clean(p.UserID), clean(p.ID)
	now := db.clock()
	err := db.transact(ctx, func(tx *gorm.DB) error {
		changes, err := patchCard(tx, p, now)
		if err != nil {
			return err
		}
		if c, err = loadCard(tx, p.TenantID, p.UserID, p.ID); err != nil {
			return err
		}
		return feed(tx, p.TenantID, p.UserID, now, changes...)
	})
	if isDuplicate(err) {
		err = errSameCard()
	}
	if err != nil {
		return learn.Card{}, fail("store.PatchCard", err)
	}
	return c, nil
}

func errSameCard() error { return conflict("There is another card with that answer") }

// patchCard does what [DB.PatchCard] promises within a transaction, and returns what to tell
// the feed.
func patchCard(tx *gorm.DB, p learn.CardPatch, now time.Time) ([]learn.Change, error) {
	row, err := lockCard(tx, p.TenantID, p.UserID, p.ID)
	if err != nil {
		return nil, err
	}
	if row.DeletedAt != nil {
		return nil, notFound("Card not found")
	}
	before := row.CardKey
	w, err := row.apply(p, now)
	if err != nil {
		return nil, err
	}
	if row.CardKey != before {
		var same int64
		err := tx.Model(&cardRow{}).Where("tenant_id = ? AND user_id = ? AND learning_profile_id = ?", row.TenantID, row.UserID, row.LearningProfileID).
			Where("kind = ? AND card_key = ? AND id <> ? AND deleted_at IS NULL", row.Kind, row.CardKey, row.ID).Count(&same).Error
		if err == nil && same > 0 {
			err = errSameCard()
		}
		if err != nil {
			return nil, err
		}
	}
	row.UpdatedAt = now
	err = ownCard(tx, row).Updates(map[string]any{
		"front": row.Front, "back": row.Back, "context": row.Context, "card_key": row.CardKey, "search_text": row.SearchText,
		"tags": row.Tags, "level": row.Level, "suspended_at": row.SuspendedAt,
		"field_versions": row.FieldVersions, "updated_at": row.UpdatedAt,
	}).Error
	device := p.Device
	if w.beaten {
		device = "" // the device has yet to hear what it lost against
	}
	return []learn.Change{changedCard(row, device)}, err
}

// fieldWrites decides the writes of one patch.
type fieldWrites struct {
	versions fieldVersions
	created  time.Time
	at       time.Time
	beaten   bool // a field had a later write
}

// apply writes to the row those fields of p that win.
func (r *cardRow) apply(p learn.CardPatch, now time.Time) (*fieldWrites, error) {
	w := &fieldWrites{versions: fieldVersions{}, created: r.CreatedAt, at: stampOr(p.At, now)}
	if w.at.After(now) {
		w.at = now
	}
	if err := json.Unmarshal([]byte(r.FieldVersions), &w.versions); err != nil {
		return nil, err
	}
	old, err := r.card("")
	if err != nil {
		return nil, err
	}
	if f := patched(old, p).Check(); len(f) > 0 { // also of what will lose: it is kept, too
		return nil, &learn.Error{Kind: learn.Invalid, Msg: "Invalid card", Fields: f}
	}
	c := old
	writeField(w, "front", &c.Front, trimmed(p.Front))
	writeField(w, "back", &c.Back, trimmed(p.Back))
	writeField(w, "context", &c.Context, trimmed(p.Context))
	writeField(w, "level", &c.Level, p.Level)
	if p.Tags != nil {
		tags := learn.TidyTags(*p.Tags)
		writeField(w, "tags", &c.Tags, &tags)
	}
	suspended := r.SuspendedAt != nil
	writeField(w, "suspended", &suspended, p.Suspended)
	c = c.Tidy()
	switch {
	case !suspended:
		r.SuspendedAt = nil
	case r.SuspendedAt == nil:
		r.SuspendedAt = &w.at
	}
	r.setTexts(clean(c.Front), clean(c.Back))
	r.Context, r.Level = clean(c.Context), nullable(string(c.Level))
	if err := r.setTags(c.Tags); err != nil {
		return nil, err
	}
	versions, err := json.Marshal(w.versions)
	r.FieldVersions = clean(string(versions))
	return w, err
}

// patched is a card with all that a patch would write.
func patched(c learn.Card, p learn.CardPatch) learn.Card {
	for _, f := range []struct{ field, value *string }{{&c.Front, p.Front}, {&c.Back, p.Back}, {&c.Context, p.Context}} {
		if f.value != nil {
			*f.field = *f.value
		}
	}
	if p.Level != nil {
		c.Level = *p.Level
	}
	if p.Tags != nil {
		c.Tags = *p.Tags
	}
	return c.Tidy()
}

func trimmed(s *string) *string {
	if s == nil {
		return nil
	}
	t := strings.TrimSpace(*s)
	return &t
}

// writeField sets a field to a new value, unless there is none or a later write has won.
func writeField[T any](w *fieldWrites, name string, field, value *T) {
	if value == nil {
		return
	}
	v, written := w.versions[name]
	if !written {
		v.At = w.created
	}
	// Strings, lists of strings and booleans can always be written as JSON.
	mine, _ := json.Marshal(*field)
	theirs, _ := json.Marshal(*value)
	loses := w.at.Before(v.At) || written && w.at.Equal(v.At) && bytes.Compare(theirs, mine) < 0
	lost := lostValue{Value: mine, At: v.At}
	if loses {
		lost = lostValue{Value: theirs, At: w.at}
		w.beaten = true
	} else {
		*field, v.At = *value, w.at
	}
	if !bytes.Equal(mine, theirs) {
		v.Lost = append(v.Lost, lost)
		v.Lost = slices.Delete(v.Lost, 0, max(0, len(v.Lost)-lostMost))
	}
	w.versions[name] = v
}

// DeleteCard deletes a card: no later change and no review brings it back, but RestoreCard
// does. Its word may be added anew. NotFound when it is not the user's or deleted already.
func (db *DB) DeleteCard(ctx context.Context, tenantID, userID, id, device string) error {
	tenantID, userID, id = clean(tenantID), clean(userID), clean(id)
	now := db.clock()
	return fail("store.DeleteCard", db.transact(ctx, func(tx *gorm.DB) error {
		changes, err := deleteCard(tx, tenantID, userID, id, device, now)
		if err != nil {
			return err
		}
		if len(changes) == 0 {
			return notFound("Card not found")
		}
		return feed(tx, tenantID, userID, now, changes...)
	}))
}

// deleteCard deletes a card within a transaction and returns what to tell the feed: nothing
// when it was deleted already. NotFound when it is not the user's.
func deleteCard(tx *gorm.DB, tenantID, userID, id, device string, now time.Time) ([]learn.Change, error) {
	row, err := lockCard(tx, tenantID, userID, id)
	if err != nil || row.DeletedAt != nil {
		return nil, err
	}
	row.DeletedAt = &now
	err = ownCard(tx, row).Updates(map[string]any{"deleted_at": now, "updated_at": now}).Error
	return []learn.Change{changedCard(row, device)}, err
}

// RestoreCard brings a deleted card back, with all that was reviewed meanwhile; one that is
// not deleted stays as it is. Conflict when the word has another card by now, NotFound when
// it is not the user's.
func (db *DB) RestoreCard(ctx context.Context, tenantID, userID, id, device string) (learn.Card, error) {
	var c learn.Card
	tenantID, userID, id = clean(tenantID), clean(userID), clean(id)
	now := db.clock()
	err := db.transact(ctx, func(tx *gorm.DB) error {
		changes, err := restoreCard(tx, tenantID, userID, id, device, now)
		if err != nil {
			return err
		}
		if c, err = loadCard(tx, tenantID, userID, id); err != nil {
			return err
		}
		return feed(tx, tenantID, userID, now, changes...)
	})
	if isDuplicate(err) {
		err = errSameCard()
	}
	if err != nil {
		return learn.Card{}, fail("store.RestoreCard", err)
	}
	return c, nil
}

// restoreCard brings a card back within a transaction and returns what to tell the feed:
// nothing when it was not deleted.
func restoreCard(tx *gorm.DB, tenantID, userID, id, device string, now time.Time) ([]learn.Change, error) {
	row, err := lockCard(tx, tenantID, userID, id)
	if err != nil || row.DeletedAt == nil {
		return nil, err
	}
	row.DeletedAt = nil
	err = ownCard(tx, row).Updates(map[string]any{"deleted_at": nil, "updated_at": now}).Error
	return []learn.Change{changedCard(row, device)}, err
}
