package store

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// userRow is what this package reads and writes of the table users.
type userRow struct {
	ID             string
	Email          *string
	EmailFolded    *string
	HashedPassword *string
	Name           string
	NativeLanguage string
	Timezone       *string
	IsGuest        bool
	TokenVersion   int
	CreatedAt      time.Time `gorm:"autoCreateTime:false"`
	UpdatedAt      time.Time `gorm:"autoUpdateTime:false"`
}

// TableName implements gorm's Tabler.
func (userRow) TableName() string { return "users" }

type membershipRow struct {
	ID        string
	TenantID  string
	UserID    string
	Role      string
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (membershipRow) TableName() string { return "memberships" }

func (r userRow) user() learn.User {
	return learn.User{
		ID:             r.ID,
		Email:          valueOr(r.Email, ""),
		Name:           r.Name,
		NativeLanguage: r.NativeLanguage,
		HashedPassword: valueOr(r.HashedPassword, ""),
		TokenVersion:   r.TokenVersion,
		Guest:          r.IsGuest,
		CreatedAt:      r.CreatedAt.UTC(),
	}
}

// foldEmail returns the form of an e-mail address that is unique. It is folded
// here because the databases fold differently.
func foldEmail(s string) string { return strings.ToLower(strings.TrimSpace(clean(s))) }

// CreateUser stores a new user and its membership of the personal tenant. It
// fills in ID and CreatedAt when they are empty. Conflict when the e-mail is
// taken, compared without case; a user without an e-mail is never in conflict.
func (db *DB) CreateUser(ctx context.Context, u learn.User) (learn.User, error) {
	const op = "store.CreateUser"
	id, err := newID(u.ID)
	if err != nil {
		return learn.User{}, fail(op, err)
	}
	member, err := newID("")
	if err != nil {
		return learn.User{}, fail(op, err)
	}
	row := userRow{
		ID:             id,
		Email:          nullable(strings.TrimSpace(clean(u.Email))),
		EmailFolded:    nullable(foldEmail(u.Email)),
		HashedPassword: nullable(u.HashedPassword),
		Name:           clean(u.Name),
		NativeLanguage: clean(u.NativeLanguage),
		IsGuest:        u.Guest,
		TokenVersion:   u.TokenVersion,
		CreatedAt:      stampOr(u.CreatedAt, db.clock()),
	}
	row.UpdatedAt = row.CreatedAt
	if row.NativeLanguage == "" {
		row.NativeLanguage = "en"
	}
	err = db.transact(ctx, func(tx *gorm.DB) error {
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return tx.Create(&membershipRow{
			ID: member, TenantID: learn.PersonalTenant, UserID: id,
			Role: "learner", CreatedAt: row.CreatedAt,
		}).Error
	})
	if isDuplicate(err) {
		err = conflict("Email already registered")
	}
	if err != nil {
		return learn.User{}, fail(op, err)
	}
	return row.user(), nil
}

// UserByEmail finds a user by e-mail, compared without case. NotFound for an
// unknown one, and always for an empty one.
func (db *DB) UserByEmail(ctx context.Context, email string) (learn.User, error) {
	return db.findUser(ctx, "store.UserByEmail", "email_folded = ?", foldEmail(email))
}

// UserByID finds a user by ID; NotFound for an unknown one.
func (db *DB) UserByID(ctx context.Context, id string) (learn.User, error) {
	return db.findUser(ctx, "store.UserByID", "id = ?", clean(id))
}

func (db *DB) findUser(ctx context.Context, op, where string, arg string) (learn.User, error) {
	var row userRow
	if err := db.read.WithContext(ctx).Where(where, arg).Take(&row).Error; err != nil {
		return learn.User{}, fail(op, err)
	}
	return row.user(), nil
}

// SetPassword stores a new hash; NotFound for an unknown user. Tokens stay valid:
// the same password may have been hashed again with higher parameters.
func (db *DB) SetPassword(ctx context.Context, userID, hash string) error {
	return db.setUser(ctx, "store.SetPassword", userID, "hashed_password", nullable(hash))
}

// SetTimeZone stores where the user's days begin, as an IANA name such as
// "Asia/Tokyo"; empty means UTC. Invalid for a zone that is not known here,
// NotFound for an unknown user.
func (db *DB) SetTimeZone(ctx context.Context, userID, zone string) error {
	const op = "store.SetTimeZone"
	// "Local" would be the server's own zone.
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		return fail(op, invalid("timezone", "not an IANA time zone"))
	}
	return db.setUser(ctx, op, userID, "timezone", nullable(zone))
}

func (db *DB) setUser(ctx context.Context, op, userID, column string, value *string) error {
	err := db.transact(ctx, func(tx *gorm.DB) error {
		res := tx.Model(&userRow{}).Where("id = ?", clean(userID)).
			Updates(map[string]any{column: value, "updated_at": db.clock()})
		if res.Error == nil && res.RowsAffected == 0 {
			return gorm.ErrRecordNotFound
		}
		return res.Error
	})
	return fail(op, err)
}

// zone returns where a user's days begin, UTC when it is not known.
func zone(timezone *string) *time.Location {
	loc, err := time.LoadLocation(valueOr(timezone, "UTC"))
	if err != nil {
		// The zone was known to the machine that stored it and is not to this one.
		return time.UTC
	}
	return loc
}
