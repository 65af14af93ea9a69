package store

import (
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// changeRow is a row of the table change_feed.
type changeRow struct {
	TenantID  string
	UserID    string
	Seq       int64
	Entity    string
	EntityID  string
	Op        string
	DeviceID  *string
	At        time.Time
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (changeRow) TableName() string { return "change_feed" }

// feed enters what a transaction has changed of a user's things, so that their devices learn
// of it: Seq and At of the changes are set here. It is the last statement of its transaction:
// the user's counter stays locked from then to the commit, so that the order of the numbers is
// that of the commits and no device reads past a number that is still to come, and nobody who
// has the counter waits for another row.
func feed(tx *gorm.DB, tenantID, userID string, now time.Time, changes ...learn.Change) error {
	if len(changes) == 0 {
		return nil
	}
	var last []int64
	err := tx.Raw(`INSERT INTO user_sync (tenant_id, user_id, last_seq, created_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant_id, user_id) DO UPDATE SET last_seq = user_sync.last_seq + excluded.last_seq
		RETURNING last_seq`, tenantID, userID, len(changes), now).Scan(&last).Error
	if err != nil {
		return err
	}
	rows := make([]changeRow, len(changes))
	for i, c := range changes {
		op := "put"
		if c.Deleted {
			op = "delete"
		}
		rows[i] = changeRow{TenantID: tenantID, UserID: userID, Seq: last[0] - int64(len(changes)-1-i), Entity: string(c.Entity),
			EntityID: c.ID, Op: op, DeviceID: nullable(c.Device), At: now, CreatedAt: now}
	}
	return tx.CreateInBatches(rows, 500).Error
}
