package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// maxFamilies is how many devices a user may be signed in on at once; the one that
// signed in first is forgotten for the next.
const maxFamilies = 50

// familyRow is a row of the table refresh_families.
type familyRow struct {
	ID           string
	TenantID     string
	UserID       string
	DeviceID     *string
	TokenVersion int
	ExpiresAt    time.Time
	RevokedAt    *time.Time
	CreatedAt    time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (familyRow) TableName() string { return "refresh_families" }

// refreshRow is a row of the table refresh_tokens.
type refreshRow struct {
	ID        string
	TenantID  string
	FamilyID  string
	ParentID  *string
	TokenHash string
	ExpiresAt time.Time
	UsedAt    *time.Time
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (refreshRow) TableName() string { return "refresh_tokens" }

// StartFamily stores the first refresh token of a sign-in, and forgets the user's
// families that are over. One with an old token version is over from the beginning.
// NotFound when the user is not a member of the tenant.
func (db *DB) StartFamily(ctx context.Context, t learn.RefreshToken) error {
	const op = "store.StartFamily"
	id, err := newID("")
	if err != nil {
		return fail(op, err)
	}
	now := db.clock()
	family := familyRow{
		ID: id, TenantID: clean(t.TenantID), UserID: clean(t.UserID), DeviceID: nullable(clean(t.DeviceID)),
		TokenVersion: t.TokenVersion, ExpiresAt: stamp(t.ExpiresAt), CreatedAt: now,
	}
	// The first token has the family's id.
	first := refreshRow{ID: id, TenantID: family.TenantID, FamilyID: id, TokenHash: clean(t.Hash), ExpiresAt: family.ExpiresAt, CreatedAt: now}
	err = db.transact(ctx, func(tx *gorm.DB) error {
		err := tx.Exec(`DELETE FROM refresh_families WHERE tenant_id = ? AND user_id = ? AND id NOT IN (
			SELECT id FROM refresh_families WHERE tenant_id = ? AND user_id = ?
			AND revoked_at IS NULL AND expires_at > ? AND token_version >= ?
			ORDER BY created_at DESC, id DESC LIMIT ?)`,
			family.TenantID, family.UserID, family.TenantID, family.UserID, now, family.TokenVersion, maxFamilies-1).Error
		if err != nil {
			return err
		}
		if err := tx.Create(&family).Error; err != nil {
			return err
		}
		return tx.Create(&first).Error
	})
	if isDangling(err) {
		err = notFound("User not found")
	}
	return fail(op, err)
}

// Rotate replaces a refresh token by the next of its family, and says in the outcome
// when it did not; only a database that fails is an error. Everything is decided with
// the family locked: of any number of callers with one token, one replaces it, and
// those within [learn.ReplayWindow] after it are told the same successor.
func (db *DB) Rotate(ctx context.Context, r learn.Rotation) (learn.Rotated, error) {
	const op = "store.Rotate"
	id, err := newID("")
	if err != nil {
		return learn.Rotated{}, fail(op, err)
	}
	var done learn.Rotated
	err = db.transact(ctx, func(tx *gorm.DB) (err error) {
		done, err = db.rotate(tx, id, r)
		return err
	})
	if err != nil {
		return learn.Rotated{}, fail(op, err)
	}
	return done, nil
}

// rotate is Rotate within its transaction; id is for the new token.
func (db *DB) rotate(tx *gorm.DB, id string, r learn.Rotation) (learn.Rotated, error) {
	tenant := clean(r.TenantID)
	family, user, err := db.lockFamily(tx, tenant, clean(r.Hash))
	if err != nil || family == nil {
		return learn.Rotated{}, err
	}
	var shown refreshRow // read once the family is locked, when nobody else can use it
	if err := tx.Where("tenant_id = ? AND token_hash = ?", tenant, clean(r.Hash)).Take(&shown).Error; err != nil {
		return learn.Rotated{}, err
	}
	now := db.clock()
	switch {
	case shown.UsedAt == nil:
		next := refreshRow{ID: id, TenantID: tenant, FamilyID: family.ID, ParentID: &shown.ID,
			TokenHash: clean(r.NextHash), ExpiresAt: stamp(now.Add(r.Lifetime)), CreatedAt: now}
		return learn.Rotated{Outcome: learn.Replaced, User: user, NextHash: next.TokenHash, ExpiresAt: next.ExpiresAt},
			replace(tx, shown, next)
	case now.Sub(*shown.UsedAt) <= learn.ReplayWindow:
		var next refreshRow
		err := tx.Where("tenant_id = ? AND parent_id = ?", tenant, shown.ID).Take(&next).Error
		return learn.Rotated{Outcome: learn.Repeated, User: user, NextHash: next.TokenHash, ExpiresAt: next.ExpiresAt.UTC()}, err
	default:
		return learn.Rotated{Outcome: learn.Reused, User: user}, revoke(tx, family, now)
	}
}

// lockFamily finds the family of a token and keeps others from changing it until the
// transaction ends; nil when the token or its family is over, or there is none.
func (db *DB) lockFamily(tx *gorm.DB, tenant, hash string) (*familyRow, learn.User, error) {
	var shown refreshRow
	err := tx.Select("family_id").Where("tenant_id = ? AND token_hash = ? AND expires_at > ?", tenant, hash, db.clock()).Take(&shown).Error
	if err != nil {
		return nil, learn.User{}, unlessAbsent(err)
	}
	var family familyRow // SQLite, whose transactions exclude each other, ignores the clause
	err = tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).
		Where("tenant_id = ? AND id = ? AND revoked_at IS NULL", tenant, shown.FamilyID).Take(&family).Error
	if err != nil {
		return nil, learn.User{}, unlessAbsent(err)
	}
	var user userRow
	err = tx.Where("id = ? AND token_version = ?", family.UserID, family.TokenVersion).Take(&user).Error
	if err != nil {
		return nil, learn.User{}, unlessAbsent(err)
	}
	return &family, user.user(), nil
}

// unlessAbsent drops the error of a row that is not there.
func unlessAbsent(err error) error {
	if isAbsent(err) {
		return nil
	}
	return err
}

func revoke(tx *gorm.DB, family *familyRow, now time.Time) error {
	return tx.Model(&familyRow{}).Where("tenant_id = ? AND id = ?", family.TenantID, family.ID).Update("revoked_at", now).Error
}

// replace uses a token up for the next one. Ancestors that have ended go: whoever
// shows one of them is refused without it, and a family stays of bounded size.
func replace(tx *gorm.DB, shown, next refreshRow) error {
	now := next.CreatedAt
	err := tx.Model(&refreshRow{}).Where("tenant_id = ? AND id = ?", shown.TenantID, shown.ID).Update("used_at", now).Error
	if err != nil {
		return err
	}
	if err := tx.Create(&next).Error; err != nil {
		return err
	}
	err = tx.Model(&familyRow{}).Where("tenant_id = ? AND id = ?", next.TenantID, next.FamilyID).Update("expires_at", next.ExpiresAt).Error
	if err != nil {
		return err
	}
	return tx.Where("tenant_id = ? AND family_id = ?", next.TenantID, next.FamilyID).
		Where("expires_at <= ?", now).Delete(&refreshRow{}).Error
}

// EndFamily revokes the family of a refresh token that has not ended and returns whose
// it is; empty when there is none, or it is over already.
func (db *DB) EndFamily(ctx context.Context, tenantID, hash string) (userID string, err error) {
	tenant := clean(tenantID)
	err = db.transact(ctx, func(tx *gorm.DB) error {
		family, user, err := db.lockFamily(tx, tenant, clean(hash))
		if err != nil || family == nil {
			return err
		}
		userID = user.ID
		return revoke(tx, family, db.clock())
	})
	if err != nil {
		return "", fail("store.EndFamily", err)
	}
	return userID, nil
}
