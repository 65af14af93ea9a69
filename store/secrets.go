package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// secretRow is a row of the table once_secrets.
type secretRow struct {
	SecretHash string
	Value      string
	Spent      bool
	ExpiresAt  time.Time
}

// TableName implements gorm's Tabler.
func (secretRow) TableName() string { return "once_secrets" }

// PutOnce stores value under a key for ttl, to be taken once. Conflict when the key is
// there already.
func (db *DB) PutOnce(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	const op = "store.PutOnce"
	added, err := db.addSecret(ctx, secretRow{SecretHash: clean(key), Value: string(value), ExpiresAt: stamp(db.now().Add(ttl))})
	if err == nil && !added {
		err = conflict("It exists already")
	}
	return fail(op, err)
}

// TakeOnce returns the value and removes it, by one conditional delete: of any number of
// callers exactly one gets it. ok is false when it is unknown, used or expired. After an
// error it may be gone.
func (db *DB) TakeOnce(ctx context.Context, key string) (value []byte, ok bool, err error) {
	const op = "store.TakeOnce"
	key = clean(key)
	// Who makes secrets up does not get a turn to write.
	var there int64
	err = db.reading(ctx, func(tx *gorm.DB) error {
		return tx.Model(&secretRow{}).Where("secret_hash = ? AND NOT spent", key).Count(&there).Error
	})
	if err != nil || there == 0 {
		return nil, false, fail(op, err)
	}
	var rows []secretRow
	err = db.writing(ctx, func(tx *gorm.DB) error {
		return tx.Clauses(clause.Returning{}).Where("secret_hash = ? AND NOT spent AND expires_at > ?", key, db.clock()).Delete(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return nil, false, fail(op, err)
	}
	return []byte(rows[0].Value), true, nil
}

// SpendOnce notes for ttl that what another store kept under a key was used. first is false
// when that was noted before, so that a store which forgets that it gave something out, as
// one may that was restored or lost its master, gives it out in vain.
func (db *DB) SpendOnce(ctx context.Context, key string, ttl time.Duration) (first bool, err error) {
	first, err = db.addSecret(ctx, secretRow{SecretHash: clean(key), Spent: true, ExpiresAt: stamp(db.now().Add(ttl))})
	return first, fail("store.SpendOnce", err)
}

func (db *DB) addSecret(ctx context.Context, row secretRow) (added bool, err error) {
	if row.SecretHash == "" {
		return false, &learn.Error{Kind: learn.Invalid, Msg: "It has no key", Fields: []learn.FieldError{{Field: "key", Message: "is required"}}}
	}
	err = db.writing(ctx, func(tx *gorm.DB) error {
		res := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		added = res.RowsAffected == 1
		return res.Error
	})
	return added, err
}

// ForgetOnce removes what PutOnce and SpendOnce have kept for its time.
func (db *DB) ForgetOnce(ctx context.Context) error {
	return fail("store.ForgetOnce", db.writing(ctx, func(tx *gorm.DB) error {
		return tx.Where("expires_at <= ?", db.clock()).Delete(&secretRow{}).Error
	}))
}
