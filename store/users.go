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
	UILocale       *string `gorm:"column:ui_locale"`
	Timezone       *string
	AgeBand        string `gorm:"->"` // written by no one here
	IsGuest        bool
	TokenVersion   int
	// EmailVerifiedAt is when the user showed that the mailbox is theirs.
	EmailVerifiedAt *time.Time
	CreatedAt       time.Time `gorm:"autoCreateTime:false"`
	UpdatedAt       time.Time `gorm:"autoUpdateTime:false"`
}

// TableName implements gorm's Tabler.
func (userRow) TableName() string { return "users" }

type membershipRow struct {
	ID       string
	TenantID string
	UserID   string
	Role     string
	// ActivityVersion is by which rules the days were last made; who is new has none to make.
	ActivityVersion int
	CreatedAt       time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (membershipRow) TableName() string { return "memberships" }

func (r userRow) user() learn.User {
	age := learn.AgeBand(r.AgeBand)
	if age == learn.AgeUnknown {
		age = ""
	}
	return learn.User{
		Age:            age,
		ID:             r.ID,
		Email:          valueOr(r.Email, ""),
		Name:           r.Name,
		NativeLanguage: r.NativeLanguage,
		HashedPassword: valueOr(r.HashedPassword, ""),
		TokenVersion:   r.TokenVersion,
		Guest:          r.IsGuest,
		EmailVerified:  r.EmailVerifiedAt != nil,
		TimeZone:       valueOr(r.Timezone, ""),
		UILocale:       valueOr(r.UILocale, ""),
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
			Role: "learner", ActivityVersion: activityVersion, CreatedAt: row.CreatedAt,
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
	if err := db.reading(ctx, func(tx *gorm.DB) error { return tx.Where(where, arg).Take(&row).Error }); err != nil {
		return learn.User{}, fail(op, err)
	}
	return row.user(), nil
}

// UpdateUser stores the name, the languages and the time zone of u, and returns the
// user as it is then. Invalid for a zone that is not known here, NotFound for an
// unknown user.
func (db *DB) UpdateUser(ctx context.Context, u learn.User) (learn.User, error) {
	const op = "store.UpdateUser"
	if err := checkZone(u.TimeZone); err != nil {
		return learn.User{}, fail(op, err)
	}
	return db.setUser(ctx, op, u.ID, map[string]any{
		"name":            clean(u.Name),
		"native_language": clean(u.NativeLanguage),
		"ui_locale":       nullable(clean(u.UILocale)),
		"timezone":        nullable(u.TimeZone),
	})
}

// checkZone returns Invalid for what is not an IANA name known here; empty means UTC.
func checkZone(zone string) error {
	// "Local" would be the server's own zone.
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		return invalid("timezone", "not an IANA time zone")
	}
	return nil
}

// SetTimeZone stores where the user's days begin, as an IANA name such as
// "Asia/Tokyo"; empty means UTC. Invalid for a zone that is not known here,
// NotFound for an unknown user.
func (db *DB) SetTimeZone(ctx context.Context, userID, zone string) error {
	const op = "store.SetTimeZone"
	if err := checkZone(zone); err != nil {
		return fail(op, err)
	}
	_, err := db.setUser(ctx, op, userID, map[string]any{"timezone": nullable(zone)})
	return err
}

// Rehash stores another hash of the same password, unless the password has changed
// since old was read; then it stays as it is. Sessions go on.
func (db *DB) Rehash(ctx context.Context, userID, old, hash string) error {
	return fail("store.Rehash", db.transact(ctx, func(tx *gorm.DB) error {
		return tx.Model(&userRow{}).Where("id = ? AND hashed_password = ?", clean(userID), old).
			Updates(map[string]any{"hashed_password": hash, "updated_at": db.clock()}).Error
	}))
}

// ChangePassword stores the hash of a new password, ends all of the user's sessions,
// forgets what was mailed for a reset, and returns the user as it is then. Conflict
// when the sessions were ended since version was read, NotFound for an unknown user.
func (db *DB) ChangePassword(ctx context.Context, userID string, version int, hash string) (learn.User, error) {
	const op = "store.ChangePassword"
	var row userRow
	err := db.transact(ctx, func(tx *gorm.DB) error {
		res := tx.Model(&userRow{}).Where("id = ? AND token_version = ?", clean(userID), version).
			Updates(map[string]any{"hashed_password": hash, "token_version": version + 1, "updated_at": db.clock()})
		if res.Error != nil {
			return res.Error
		}
		if err := tx.Where("id = ?", clean(userID)).Take(&row).Error; err != nil {
			return err
		}
		if res.RowsAffected == 0 {
			return conflict("The password was changed somewhere else")
		}
		return tx.Where("user_id = ? AND purpose = ?", row.ID, string(learn.MailReset)).Delete(&mailTokenRow{}).Error
	})
	if err != nil {
		return learn.User{}, fail(op, err)
	}
	return row.user(), nil
}

// EndSessions ends all of a user's sessions: access tokens, refresh tokens and tickets
// are of an older token version then. NotFound for an unknown user.
func (db *DB) EndSessions(ctx context.Context, userID string) error {
	_, err := db.setUser(ctx, "store.EndSessions", userID, map[string]any{"token_version": gorm.Expr("token_version + 1")})
	return err
}

// setUser changes columns of a user and returns the user as it is then.
func (db *DB) setUser(ctx context.Context, op, userID string, set map[string]any) (learn.User, error) {
	set["updated_at"] = db.clock()
	var row userRow
	err := db.transact(ctx, func(tx *gorm.DB) error {
		if err := tx.Model(&userRow{}).Where("id = ?", clean(userID)).Updates(set).Error; err != nil {
			return err
		}
		return tx.Where("id = ?", clean(userID)).Take(&row).Error
	})
	if err != nil {
		return learn.User{}, fail(op, err)
	}
	return row.user(), nil
}

// EraseUser deletes a user and every row that is theirs, in all tables. NotFound for
// an unknown user.
func (db *DB) EraseUser(ctx context.Context, userID string) error {
	return fail("store.EraseUser", db.transact(ctx, func(tx *gorm.DB) error {
		if db.migrator.dialect == postgresDialect {
			// Years of talking take longer than any turn may.
			if err := tx.Exec("SET LOCAL statement_timeout = '30s'").Error; err != nil {
				return err
			}
		}
		res := tx.Where("id = ?", clean(userID)).Delete(&userRow{})
		if res.Error == nil && res.RowsAffected == 0 {
			return gorm.ErrRecordNotFound
		}
		return res.Error
	}))
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

// TokenVersions returns the token versions of those of the users that there are, so that a
// node learns whose sessions were ended elsewhere.
func (db *DB) TokenVersions(ctx context.Context, userIDs []string) (map[string]int, error) {
	versions := make(map[string]int, len(userIDs))
	if len(userIDs) == 0 {
		return versions, nil
	}
	var rows []userRow
	err := db.reading(lesson(ctx), func(tx *gorm.DB) error {
		return tx.Select("id", "token_version").Where("id IN ?", userIDs).Find(&rows).Error
	})
	if err != nil {
		return nil, fail("store.TokenVersions", err)
	}
	for _, r := range rows {
		versions[r.ID] = r.TokenVersion
	}
	return versions, nil
}
