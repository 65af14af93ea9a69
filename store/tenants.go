package store

import (
	"context"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// TenantSettings returns what a tenant has set for its lessons. NotFound for an unknown
// or deleted one. Settings that cannot be read count as none, and are logged: a slip of
// whoever wrote them is no reason to refuse a lesson.
func (db *DB) TenantSettings(ctx context.Context, tenantID string) (learn.TenantSettings, error) {
	const op = "store.TenantSettings"
	var raw []string
	err := db.reading(ctx, func(tx *gorm.DB) error {
		return tx.Raw(`SELECT CAST(settings AS TEXT) FROM tenants WHERE id = ? AND deleted_at IS NULL`, clean(tenantID)).Scan(&raw).Error
	})
	if err == nil && len(raw) == 0 {
		err = notFound("Tenant not found")
	}
	if err != nil {
		return learn.TenantSettings{}, fail(op, err)
	}
	s, err := learn.ParseTenantSettings(raw[0])
	if err != nil {
		db.log.Warn("tenant settings not readable", "tenant", tenantID, "err", err)
	}
	return s, nil
}
