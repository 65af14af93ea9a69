package store

import (
	"context"
	"slices"
	"strings"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"kalami/session/learn"
)

// learnerColumns are the rows of a learner side by side.
type learnerColumns struct {
	User    userRow    `gorm:"embedded;embeddedPrefix:user_"`
	Profile profileRow `gorm:"embedded;embeddedPrefix:profile_"`
	Tenant  string     `gorm:"column:tenant_settings"`
}

// learnerOf reads them in one statement.
var learnerOf = sync.OnceValue(func() string {
	return "SELECT " + prefixed("u", "user_", userRow{}) + ", " + prefixed("p", "profile_", profileRow{}) + `,
	CAST(t.settings AS TEXT) AS tenant_settings
FROM users u, learning_profiles p, tenants t
WHERE u.id = ? AND p.tenant_id = ? AND p.user_id = u.id AND p.id = ? AND p.deleted_at IS NULL
	AND t.id = p.tenant_id AND t.deleted_at IS NULL`
})

// prefixed lists the columns of a row of a table's, under names of their own.
func prefixed(table, prefix string, row any) string {
	s, err := schema.Parse(row, &sync.Map{}, schema.NamingStrategy{})
	if err != nil {
		panic(err) // the rows are ours
	}
	var b strings.Builder
	for i, name := range s.DBNames {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(table + "." + name + " AS " + prefix + name)
	}
	return b.String()
}

// Background returns who learns in a conversation and the last n messages, on one connection
// and without what takes counting: a node that takes over the conversations of another has
// many of these to read at once. The profile counts ended conversations alone, and neither
// streak nor words.
// NotFound when the learner, the profile or the tenant is gone.
func (db *DB) Background(ctx context.Context, c learn.Conversation, n int) (learn.Background, error) {
	const op = "store.Background"
	var found []learnerColumns
	var said []messageRow
	tenant := clean(c.TenantID)
	err := db.reading(lesson(ctx), func(tx *gorm.DB) error {
		err := tx.Raw(learnerOf(), clean(c.UserID), tenant, clean(c.ProfileID)).Scan(&found).Error
		if err == nil && len(found) == 0 {
			err = notFound("Profile not found")
		}
		if err != nil {
			return err
		}
		return tx.Where("tenant_id = ? AND session_id = ?", tenant, clean(c.ID)).Order("seq DESC").Limit(max(n, 0)).Find(&said).Error
	})
	if err != nil {
		return learn.Background{}, fail(op, err)
	}
	slices.Reverse(said)
	row := found[0]
	b := learn.Background{User: row.User.user(), Profile: row.Profile.profile()}
	if b.History, err = messagesOf(said); err != nil {
		return learn.Background{}, fail(op, err)
	}
	if b.Tenant, err = learn.ParseTenantSettings(row.Tenant); err != nil {
		db.log.Warn("tenant settings not readable", "tenant", tenant, "err", err)
	}
	return b, nil
}
