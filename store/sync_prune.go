package store

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// PruneSync removes changes and results of mutations from before a time, of at most limit
// users, and returns of how many it did. What remains of a user's changes has no holes:
// a device whose next change is gone is told to begin anew. Any number of nodes may call it.
func (db *DB) PruneSync(ctx context.Context, before time.Time, limit int) (int, error) {
	const op = "store.PruneSync"
	before = stamp(before)
	var due []changeRow
	err := db.reading(ctx, func(tx *gorm.DB) error {
		return acrossTenants(tx).Raw(`SELECT DISTINCT tenant_id, user_id FROM (
			SELECT tenant_id, user_id FROM change_feed WHERE at < ?
			UNION ALL SELECT tenant_id, user_id FROM sync_mutations WHERE applied_at < ?) old LIMIT ?`,
			before, before, max(limit, 0)).Scan(&due).Error
	})
	if err != nil {
		return 0, fail(op, err)
	}
	for n, d := range due {
		err := db.transact(ctx, func(tx *gorm.DB) error {
			// A node's clock may have been behind another's: the first change that is kept
			// says where to stop, not the age of each.
			err := tx.Exec(`DELETE FROM change_feed WHERE tenant_id = ? AND user_id = ? AND at < ? AND seq < COALESCE(
				(SELECT MIN(k.seq) FROM change_feed k WHERE k.tenant_id = ? AND k.user_id = ? AND k.at >= ?), ?)`,
				d.TenantID, d.UserID, before, d.TenantID, d.UserID, before, int64(1)<<62).Error
			if err != nil {
				return err
			}
			return tx.Where("tenant_id = ? AND user_id = ? AND applied_at < ?", d.TenantID, d.UserID, before).Delete(&mutationRow{}).Error
		})
		if err != nil {
			return n, fail(op, err)
		}
	}
	return len(due), nil
}
