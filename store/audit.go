package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// auditRow is what this package writes of the table audit_log. A trigger of the database
// refuses to change or delete its rows, whoever asks.
type auditRow struct {
	ID         string
	TenantID   string
	ActorID    *string
	ActorRole  string
	Action     string
	ObjectType string
	ObjectID   string
	IP         string `gorm:"column:ip"`
	At         time.Time
}

// TableName implements gorm's Tabler.
func (auditRow) TableName() string { return "audit_log" }

// RecordAudit adds an event to the audit log, where nothing changes or removes it. It
// stays when those whom it speaks of are erased, and so holds ids alone. Invalid without a
// tenant, action or object.
func (db *DB) RecordAudit(ctx context.Context, e learn.AuditEvent) error {
	const op = "store.RecordAudit"
	for field, value := range map[string]string{"tenant_id": e.TenantID, "action": string(e.Action), "object_type": e.ObjectType, "object_id": e.ObjectID} {
		if value == "" {
			return fail(op, invalid(field, "missing"))
		}
	}
	id, err := newID("")
	if err != nil {
		return fail(op, err)
	}
	row := auditRow{
		ID: id, TenantID: clean(e.TenantID), ActorID: nullable(clean(e.ActorID)), ActorRole: clean(e.ActorRole),
		Action: clean(string(e.Action)), ObjectType: clean(e.ObjectType), ObjectID: clean(e.ObjectID),
		IP: clean(e.IP), At: stampOr(e.At, db.clock()),
	}
	return fail(op, db.writing(ctx, func(tx *gorm.DB) error { return tx.Create(&row).Error }))
}
