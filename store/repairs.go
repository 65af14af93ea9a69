package store

import (
	"gorm.io/gorm"

	"kalami/session/learn"
)

// settleRepairs looks again at the mistakes around a turn that were shown and not repaired,
// now that more is known: what was said in the turn may repair earlier ones, and later
// turns those of this one. It returns what it has changed.
func settleRepairs(tx *gorm.DB, tenantID, sessionID string, turn int) ([]learn.Change, error) {
	var rows []messageRow
	err := tx.Omit("words", "timings").Where("tenant_id = ? AND session_id = ?", tenantID, sessionID).
		Where("turn_no BETWEEN ? AND ?", turn-learn.RepairTurns, turn+learn.RepairTurns).Order("seq").Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	said, err := messagesOf(rows)
	if err != nil {
		return nil, err
	}
	var open []correctionRow
	err = tx.Where("tenant_id = ? AND session_id = ?", tenantID, sessionID).Where("status IN ? AND repair = ?", []string{"shown", "confirmed"}, learn.RepairNone).
		Find(&open).Error
	if err != nil {
		return nil, err
	}
	var changes []learn.Change
	for _, c := range open {
		for i, m := range said {
			if m.ID != c.MessageID {
				continue
			}
			repair := learn.RepairOf(c.correction(), said[i+1:])
			if repair == learn.RepairNone {
				break
			}
			err := tx.Model(&correctionRow{}).Where("tenant_id = ? AND id = ?", tenantID, c.ID).Update("repair", repair).Error
			if err != nil {
				return nil, err
			}
			changes = append(changes, learn.Change{Entity: learn.EntityCorrection, ID: c.ID})
			break
		}
	}
	return changes, nil
}
