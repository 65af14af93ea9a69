package store

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// memoryRow is a row of the table memories. Of a deleted one nothing is left but its key and
// where it came from.
type memoryRow struct {
	ID                string
	TenantID          string
	UserID            string
	LearningProfileID string
	Kind              string
	Text              string
	SourceMessageID   *string
	FactKey           string
	ExpiresAt         *time.Time
	EditedAt          *time.Time
	CreatedAt         time.Time `gorm:"autoCreateTime:false"`
	DeletedAt         *time.Time
}

// TableName implements gorm's Tabler.
func (memoryRow) TableName() string { return "memories" }

func (r *memoryRow) remembered() learn.Remembered {
	return learn.Remembered{ID: r.ID, TenantID: r.TenantID, UserID: r.UserID, ProfileID: r.LearningProfileID, Kind: r.Kind, Text: r.Text,
		MessageID: valueOr(r.SourceMessageID, ""), ExpiresAt: timeOf(r.ExpiresAt), EditedAt: timeOf(r.EditedAt), CreatedAt: r.CreatedAt.UTC()}
}

// memoriesOf begins every query for memories: those of a user's profiles that are not
// deleted, which are not deleted themselves and have not expired.
const memoriesOf = `SELECT y.* FROM memories y, learning_profiles p
	WHERE y.tenant_id = ? AND y.user_id = ? AND y.deleted_at IS NULL AND COALESCE(y.expires_at > ?, TRUE)
	AND p.tenant_id = y.tenant_id AND p.user_id = y.user_id AND p.id = y.learning_profile_id AND p.deleted_at IS NULL `

// findMemories runs a query that begins as memoriesOf does.
func findMemories(tx *gorm.DB, tenantID, userID string, now time.Time, narrow string, args ...any) ([]learn.Remembered, error) {
	var rows []memoryRow
	err := tx.Raw(memoriesOf+narrow, append([]any{tenantID, userID, now}, args...)...).Scan(&rows).Error
	found := make([]learn.Remembered, len(rows))
	for i := range rows {
		found[i] = rows[i].remembered()
	}
	return found, err
}

// ListMemories returns what the tutor remembers of the user, or of one of their profiles, the
// newest first: at most limit of them after the first offset.
func (db *DB) ListMemories(ctx context.Context, tenantID, userID, profileID string, limit, offset int) ([]learn.Remembered, error) {
	narrow, args := "", []any{}
	if profileID != "" {
		narrow, args = "AND y.learning_profile_id = ? ", append(args, clean(profileID))
	}
	args = append(args, max(limit, 0), max(offset, 0))
	var found []learn.Remembered
	err := db.reading(ctx, func(tx *gorm.DB) (err error) {
		found, err = findMemories(tx, clean(tenantID), clean(userID), db.clock(), narrow+"ORDER BY y.created_at DESC, y.id DESC LIMIT ? OFFSET ?", args...)
		return err
	})
	return found, fail("store.ListMemories", err)
}

// Memory returns one memory; NotFound when it is not of the user, is deleted or has expired.
func (db *DB) Memory(ctx context.Context, tenantID, userID, id string) (m learn.Remembered, err error) {
	err = db.reading(ctx, func(tx *gorm.DB) error {
		m, err = loadMemory(tx, clean(tenantID), clean(userID), clean(id), db.clock())
		return err
	})
	return m, fail("store.Memory", err)
}

func loadMemory(tx *gorm.DB, tenantID, userID, id string, now time.Time) (learn.Remembered, error) {
	found, err := findMemories(tx, tenantID, userID, now, "AND y.id = ?", id)
	if err == nil && len(found) == 0 {
		err = notFound("Memory not found")
	}
	if err != nil {
		return learn.Remembered{}, err
	}
	return found[0], nil
}

// EditMemory gives one of the user's memories another text, and returns it as it then is. It
// no longer expires. Errors: NotFound when it is not theirs or not there any more, Invalid
// for a text that may not be kept ([learn.CheckFact]), Conflict when there is another memory
// of the profile that says so.
func (db *DB) EditMemory(ctx context.Context, tenantID, userID, id, text string) (m learn.Remembered, err error) {
	const op = "store.EditMemory"
	tenantID, userID, id, text = clean(tenantID), clean(userID), clean(id), strings.TrimSpace(clean(text))
	if f := learn.CheckFact(text); len(f) > 0 {
		return m, fail(op, &learn.Error{Kind: learn.Invalid, Msg: "Invalid memory", Fields: f})
	}
	now := db.clock()
	err = db.transact(ctx, func(tx *gorm.DB) error {
		row, err := lockMemory(tx, tenantID, userID, id)
		if err != nil {
			return err
		}
		if _, err := loadMemory(tx, tenantID, userID, id, now); err != nil { // its profile may be gone
			return err
		}
		key := learn.FactKey(text)
		// What was deleted once the learner may write again themselves.
		err = tx.Where("tenant_id = ? AND user_id = ? AND learning_profile_id = ?", tenantID, userID, row.LearningProfileID).
			Where("fact_key = ? AND deleted_at IS NOT NULL", key).Delete(&memoryRow{}).Error
		if err != nil {
			return err
		}
		err = ownMemory(tx, row).Updates(map[string]any{"text": text, "fact_key": key, "edited_at": now, "expires_at": nil}).Error
		if err != nil {
			return err
		}
		if m, err = loadMemory(tx, tenantID, userID, id, now); err != nil {
			return err
		}
		return feed(tx, tenantID, userID, now, learn.Change{Entity: learn.EntityMemory, ID: id})
	})
	if isDuplicate(err) {
		err = conflict("There is another memory that says so")
	}
	if err != nil {
		return learn.Remembered{}, fail(op, err)
	}
	return m, nil
}

// ownMemory is the statement for one memory's row.
func ownMemory(tx *gorm.DB, r *memoryRow) *gorm.DB {
	return tx.Model(&memoryRow{}).Where("tenant_id = ? AND user_id = ? AND id = ?", r.TenantID, r.UserID, r.ID)
}

// lockMemory reads one of the user's memories that is not deleted, and locks its row to the
// end of tx.
func lockMemory(tx *gorm.DB, tenantID, userID, id string) (*memoryRow, error) {
	var row memoryRow
	err := tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).
		Where("tenant_id = ? AND user_id = ? AND id = ? AND deleted_at IS NULL", tenantID, userID, id).Take(&row).Error
	return &row, isMissing(err, "Memory not found")
}

// ForgetMemory deletes one of the user's memories: its text is gone, and it is not remembered
// again from where it came from, nor in the same words. NotFound when it is not theirs or
// was deleted already.
func (db *DB) ForgetMemory(ctx context.Context, tenantID, userID, id string) error {
	tenantID, userID, id = clean(tenantID), clean(userID), clean(id)
	now := db.clock()
	return fail("store.ForgetMemory", db.transact(ctx, func(tx *gorm.DB) error {
		row, err := lockMemory(tx, tenantID, userID, id)
		if err != nil {
			return err
		}
		changes, err := forget(tx, []*memoryRow{row}, now)
		if err != nil {
			return err
		}
		return feed(tx, tenantID, userID, now, changes...)
	}))
}

// ForgetMemories deletes all memories of the user, or those of one of their profiles, as
// ForgetMemory does. That there are none is no error.
func (db *DB) ForgetMemories(ctx context.Context, tenantID, userID, profileID string) error {
	tenantID, userID, profileID = clean(tenantID), clean(userID), clean(profileID)
	now := db.clock()
	return fail("store.ForgetMemories", db.transact(ctx, func(tx *gorm.DB) error {
		q := tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).
			Where("tenant_id = ? AND user_id = ? AND deleted_at IS NULL", tenantID, userID)
		if profileID != "" {
			q = q.Where("learning_profile_id = ?", profileID)
		}
		var rows []*memoryRow
		if err := q.Order("id").Find(&rows).Error; err != nil {
			return err
		}
		changes, err := forget(tx, rows, now)
		if err != nil {
			return err
		}
		return feed(tx, tenantID, userID, now, changes...)
	}))
}

// forget leaves of memories only what they are known again by, and returns what to tell the
// feed.
func forget(tx *gorm.DB, rows []*memoryRow, now time.Time) (changes []learn.Change, err error) {
	for _, r := range rows {
		set := map[string]any{"text": "", "deleted_at": now}
		if r.FactKey == "" {
			// Another one may say the same: then that has the key, and this is found by its message.
			key := learn.FactKey(r.Text)
			var same int64
			err := tx.Model(&memoryRow{}).Where("tenant_id = ? AND user_id = ? AND learning_profile_id = ?", r.TenantID, r.UserID, r.LearningProfileID).
				Where("fact_key = ?", key).Count(&same).Error
			if err != nil {
				return nil, err
			}
			if same == 0 {
				set["fact_key"] = key
			}
		}
		if err := ownMemory(tx, r).Updates(set).Error; err != nil {
			return nil, err
		}
		changes = append(changes, learn.Change{Entity: learn.EntityMemory, ID: r.ID, Deleted: true})
	}
	return changes, nil
}
