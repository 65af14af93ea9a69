package store

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// push is what the mutations of one request do.
type push struct {
	// Static.
	tenantID, userID, device string
	cursor                   *int64
	now                      time.Time     // when the request was received
	skew                     time.Duration // by which the device's clock is ahead

	// What comes of it, added to after each transaction.
	results []learn.MutationResult
	renamed map[string]string        // cards that were merged: the id that stands for theirs
	wrote   map[learn.EntityRef]bool // by the device, and need not be told
	tell    map[learn.EntityRef]bool // although the device may have written it
	// ahead: the cursor is none of ours.
	ahead bool
	// noteDevice: the device is to be noted without a mutation.
	noteDevice bool
}

// begin returns what a transaction works on, which knows what those before it have renamed.
func (s *push) begin() *pushing {
	return &pushing{push: s, renamed: maps.Clone(s.renamed), results: map[string]learn.MutationResult{}, tell: map[learn.EntityRef]bool{}}
}

// end takes over what a transaction has committed.
func (s *push) end(t *pushing) {
	s.results = append(s.results, t.answers...)
	s.renamed = t.renamed
	maps.Copy(s.tell, t.tell)
	for _, c := range t.changes {
		if ref := (learn.EntityRef{Entity: c.Entity, ID: c.ID}); c.Device == "" {
			s.tell[ref] = true
		} else {
			s.wrote[ref] = true
		}
	}
}

// pushing is one transaction of a push.
type pushing struct {
	*push
	tx      *gorm.DB
	renamed map[string]string
	results map[string]learn.MutationResult // by the mutation's id
	answers []learn.MutationResult
	changes []learn.Change
	tell    map[learn.EntityRef]bool
}

// mutationRow is a row of the table sync_mutations.
type mutationRow struct {
	TenantID   string
	UserID     string
	MutationID string
	DeviceID   string
	Result     string // JSON of a learn.MutationResult; claimed has none
	AppliedAt  time.Time
	CreatedAt  time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (mutationRow) TableName() string { return "sync_mutations" }

// claimed is the result of a mutation while it is applied; nobody sees it.
const claimed = "null"

// apply does a transaction's work. The feed comes last.
func (t *pushing) apply(tx *gorm.DB, part []learn.Mutation) error {
	t.tx = tx
	fresh, err := t.claim(part)
	if err != nil {
		return err
	}
	if err := t.lockNamed(part, fresh); err != nil {
		return err
	}
	if err := t.applyAll(part); err != nil {
		return err
	}
	if err := t.keepResults(fresh); err != nil {
		return err
	}
	if err := t.keepDevice(tx); err != nil {
		return err
	}
	return feed(tx, t.tenantID, t.userID, t.now, t.changes...)
}

// claim enters the mutations that are new, and reads the results of the others. Whoever sends
// the same at the same time waits there until this transaction has ended.
func (t *pushing) claim(part []learn.Mutation) (fresh map[string]bool, err error) {
	fresh = map[string]bool{}
	var ids []string
	for _, m := range part {
		if m.ID != "" && !fresh[m.ID] {
			fresh[m.ID] = true
			ids = append(ids, m.ID)
		}
	}
	if len(ids) == 0 {
		return fresh, nil
	}
	slices.Sort(ids) // two that send the same wait for each other once
	rows := make([]mutationRow, len(ids))
	for i, id := range ids {
		rows[i] = mutationRow{TenantID: t.tenantID, UserID: t.userID, MutationID: id, DeviceID: t.device,
			Result: claimed, AppliedAt: t.now, CreatedAt: t.now}
	}
	err = t.tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error
	if isDangling(err) {
		err = notFound("User not found")
	}
	if err != nil {
		return nil, err
	}
	var all []mutationRow
	err = t.tx.Select("mutation_id", "result").Where("tenant_id = ? AND user_id = ? AND mutation_id IN ?", t.tenantID, t.userID, ids).Find(&all).Error
	if err != nil {
		return nil, err
	}
	for _, row := range all {
		if row.Result == claimed {
			continue
		}
		var result learn.MutationResult
		if err := json.Unmarshal([]byte(row.Result), &result); err != nil {
			return nil, err
		}
		t.results[row.MutationID] = result
		delete(fresh, row.MutationID)
	}
	return fresh, nil
}

// keepResults stores what came of the new mutations.
func (t *pushing) keepResults(fresh map[string]bool) error {
	var rows []mutationRow
	for _, id := range slices.Sorted(maps.Keys(fresh)) {
		text, err := json.Marshal(t.results[id])
		if err != nil {
			return err
		}
		rows = append(rows, mutationRow{TenantID: t.tenantID, UserID: t.userID, MutationID: id, DeviceID: t.device,
			Result: clean(string(text)), AppliedAt: t.now, CreatedAt: t.now})
	}
	if len(rows) == 0 {
		return nil
	}
	return t.tx.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "tenant_id"}, {Name: "user_id"}, {Name: "mutation_id"}},
		DoUpdates: clause.AssignmentColumns([]string{"result"}),
	}).Create(&rows).Error
}
