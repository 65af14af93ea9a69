package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Both folders hold the same versions; a test compares what they make.
//
//go:embed migrations
var migrations embed.FS

// migrationLock is the advisory lock under which a Postgres database is migrated.
const migrationLock = 0x6b616c616d69 // "kalami"

// migrator knows how to reach a database for changing its schema.
type migrator struct {
	dialect dialect
	// open returns a pool for migrating and what to call when done with it.
	open func() (*sql.DB, func() error, error)
}

// Migrate brings the schema up to date and says how many versions it applied; 0
// when there was nothing to do. On Postgres it blocks while another node
// migrates. A version that fails leaves those before it applied; running again
// goes on from there. Unavailable when the database cannot be reached or locked.
func (db *DB) Migrate(ctx context.Context) (applied int, err error) {
	const op = "store.Migrate"
	pool, done, err := db.migrator.open()
	if err != nil {
		return 0, fail(op, err)
	}
	defer func() {
		if cerr := done(); err == nil && cerr != nil {
			err = fail(op, cerr)
		}
	}()
	p, err := db.migrator.provider(pool)
	if err != nil {
		return 0, fail(op, err)
	}
	results, err := p.Up(ctx)
	for _, r := range results {
		db.log.LogAttrs(ctx, slog.LevelInfo, "schema migrated",
			slog.Int64("version", r.Source.Version), slog.Duration("took", r.Duration))
	}
	return len(results), fail(op, err)
}

func (m migrator) provider(pool *sql.DB) (*goose.Provider, error) {
	folder, err := fs.Sub(migrations, "migrations/"+string(m.dialect))
	if err != nil {
		return nil, err
	}
	opts := []goose.ProviderOption{
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()),
		// A version may come to be with a lower number than those that are there.
		goose.WithAllowOutofOrder(true),
	}
	if m.dialect == postgresDialect {
		opts = append(opts, goose.WithSessionLocker(advisoryLock{id: migrationLock, poll: 100 * time.Millisecond}))
		return goose.NewProvider(goose.DialectPostgres, pool, folder, opts...)
	}
	return goose.NewProvider(goose.DialectSQLite3, pool, folder, opts...)
}

// advisoryLock is a lock of a Postgres session. It asks again and again instead
// of waiting inside the database: a session that waits there holds a snapshot,
// and an index that is made concurrently waits for all snapshots, so that the
// node that migrates and those that wait for it would wait for each other.
type advisoryLock struct {
	id   int64
	poll time.Duration
}

var _ lock.SessionLocker = advisoryLock{}

// SessionLock blocks until the lock is held or ctx has ended.
func (l advisoryLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	tick := time.NewTicker(l.poll)
	defer tick.Stop()
	for {
		var held bool
		err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", l.id).Scan(&held)
		if err != nil {
			return fmt.Errorf("take the migration lock: %w", err)
		}
		if held {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for another node's migration: %w", context.Cause(ctx))
		}
	}
}

// SessionUnlock gives the lock back.
func (l advisoryLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	var held bool
	err := conn.QueryRowContext(ctx, "SELECT pg_advisory_unlock($1)", l.id).Scan(&held)
	if err != nil {
		return fmt.Errorf("give back the migration lock: %w", err)
	}
	if !held {
		return errors.New("the migration lock was not held")
	}
	return nil
}
