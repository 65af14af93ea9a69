package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
	"kalami/session/learn/srs"
)

const (
	// pushAtOnce is how many mutations one transaction takes: the writer of SQLite, and the
	// user's counter, are held for so long.
	pushAtOnce = 100
	// pushTries is how often a transaction is tried that has lost to another one.
	pushTries = 4
	// deviceNoted is how old the note of when a device was last seen may be.
	deviceNoted = time.Hour
)

// Sync applies what a device tells, in its order, and answers with what has changed since its
// cursor, also by what it has told. Each mutation is applied once: one whose ID was seen
// before gets the answer of that time. A mutation that cannot be is rejected in its result
// and changes nothing; the others do not mind. Times of the device are corrected by what it
// says that its clock is, and brought between the making of the card and now.
//
// Not told is what the device has just written itself, unless something else came of it:
// times that were corrected, memory, a merge, a later write that has won, a rejection.
//
// An error means that some of the mutations, a first part of them, may be applied; sending
// all of them again is right. NotFound when the user is not a member of the tenant.
func (db *DB) Sync(ctx context.Context, r learn.SyncRequest) (learn.SyncAnswer, error) {
	const op = "store.Sync"
	r.TenantID, r.UserID, r.DeviceID = clean(r.TenantID), clean(r.UserID), clean(r.DeviceID)
	s := newPush(r, db.clock())
	if r.Cursor != nil { // judged before there are changes of its own
		if err := db.reading(ctx, s.lookAhead); err != nil {
			return learn.SyncAnswer{}, fail(op, err)
		}
	}
	for part := range slices.Chunk(r.Mutations, pushAtOnce) {
		if err := db.push(ctx, s, part); err != nil {
			return learn.SyncAnswer{}, fail(op, err)
		}
	}
	answer := learn.SyncAnswer{Results: s.results}
	err := db.reading(ctx, func(tx *gorm.DB) error { return db.pull(tx, r, s, &answer) })
	if err == nil && s.noteDevice {
		err = db.writing(ctx, func(tx *gorm.DB) error { return s.keepDevice(tx) })
	}
	if err != nil {
		return learn.SyncAnswer{}, fail(op, err)
	}
	return answer, nil
}

// push applies some mutations in a transaction of their own, all or none. One that has lost a
// race with another device's is tried again.
func (db *DB) push(ctx context.Context, s *push, part []learn.Mutation) error {
	for try := 1; ; try++ {
		t := s.begin()
		err := db.transact(ctx, func(tx *gorm.DB) error { return t.apply(tx, part) })
		if err == nil {
			s.end(t)
			return nil
		}
		if try == pushTries || !lostRace(err) || ctx.Err() != nil {
			return err
		}
	}
}

// lostRace tells of a transaction that Postgres has given up for another one.
func lostRace(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && len(e.Code) == 5 && e.Code[:2] == "40"
}

// lookAhead notes whether the device's cursor is one of changes that are still to come.
func (s *push) lookAhead(tx *gorm.DB) error {
	last, err := lastChange(tx, s.tenantID, s.userID)
	s.ahead = *s.cursor > last
	return err
}

// deviceRow is what this package writes of the table devices.
type deviceRow struct {
	TenantID    string
	UserID      string
	ID          string
	ClockSkewMS int64 `gorm:"column:clock_skew_ms"`
	LastCursor  int64
	LastSeenAt  *time.Time
	CreatedAt   time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (deviceRow) TableName() string { return "devices" }

// keepDevice notes that the device was here. The cursor with which it came is how far it
// surely knows everything.
func (s *push) keepDevice(tx *gorm.DB) error {
	row := deviceRow{TenantID: s.tenantID, UserID: s.userID, ID: s.device, ClockSkewMS: s.skew.Milliseconds(),
		LastCursor: valueOr(s.cursor, 0), LastSeenAt: &s.now, CreatedAt: s.now}
	err := tx.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "tenant_id"}, {Name: "user_id"}, {Name: "id"}},
		DoUpdates: clause.AssignmentColumns([]string{"clock_skew_ms", "last_cursor", "last_seen_at"}),
	}).Create(&row).Error
	if isDangling(err) {
		err = notFound("User not found")
	}
	return err
}

// deviceIsNoted says whether what keepDevice would write is known well enough.
func (s *push) deviceIsNoted(tx *gorm.DB) (bool, error) {
	var row deviceRow
	err := tx.Where("tenant_id = ? AND user_id = ? AND id = ?", s.tenantID, s.userID, s.device).Take(&row).Error
	if isAbsent(err) {
		return false, nil
	}
	fresh := row.LastSeenAt != nil && s.now.Sub(*row.LastSeenAt) < deviceNoted
	drift := time.Duration(row.ClockSkewMS)*time.Millisecond - s.skew
	return fresh && row.LastCursor == valueOr(s.cursor, 0) && drift.Abs() < time.Second, err
}

// newPush begins what one request writes.
func newPush(r learn.SyncRequest, now time.Time) *push {
	return &push{
		tenantID: r.TenantID, userID: r.UserID, device: r.DeviceID, cursor: r.Cursor,
		now: now, skew: srs.Skew(r.ClientNow, now),
		renamed: map[string]string{}, wrote: map[learn.EntityRef]bool{}, tell: map[learn.EntityRef]bool{},
	}
}
