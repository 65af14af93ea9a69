package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Options say which database to open and how. The zero value opens the SQLite
// file kalami.db in the current folder.
type Options struct {
	// URL is empty, the path of a SQLite file, sqlite:///relative/path,
	// sqlite:////absolute/path, or postgres://user:password@host:port/database.
	// A driver's name in the scheme, as in postgresql+asyncpg, is ignored.
	URL string
	// Migrate brings the schema up to date before Open returns.
	Migrate bool
	// Log gets slow statements and what was migrated; nil means nowhere.
	Log *slog.Logger
	// SlowQuery is how long a statement may take before it is logged; 0 means 200 ms.
	SlowQuery time.Duration
	// MaxConns is how many operations a Postgres works on at a time for this process; 0
	// means 16. Its pool has two connections more, for pings and tools. SQLite's are fixed.
	MaxConns int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// DB is an open database. Its methods may be called from any goroutine. Each
// blocks until the database has answered or its context has ended; those that
// write return after the commit is durable.
type DB struct {
	// Static after Open. In Postgres, read and write are the same.
	write, read *gorm.DB
	toWrite     *gate
	toRead      *gate
	outage      *outage // nil in SQLite
	pools       []*sql.DB
	migrator    migrator
	log         *slog.Logger
	now         func() time.Time
}

// Open connects to a database. The caller closes what it returns. Errors: Invalid
// for a URL that cannot be understood, Unavailable when the database does not
// answer.
func Open(ctx context.Context, o Options) (*DB, error) {
	const op = "store.Open"
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.SlowQuery == 0 {
		o.SlowQuery = 200 * time.Millisecond
	}
	if o.MaxConns == 0 {
		o.MaxConns = 16
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	loc, err := parseURL(o.URL)
	if err != nil {
		return nil, fail(op, err)
	}
	db := &DB{log: o.Log, now: o.Now}
	if loc.dialect == postgresDialect {
		err = db.openPostgres(loc, o)
	} else {
		err = db.openSQLite(loc, o)
	}
	if err == nil {
		err = db.Ping(ctx)
	}
	if err == nil && o.Migrate {
		_, err = db.Migrate(ctx)
	}
	if err != nil {
		return nil, fail(op, errors.Join(err, db.Close()))
	}
	return db, nil
}

// Ping asks the database for an answer; Unavailable when it gives none. It does not wait
// behind those who use it.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.outage.refuse(); err != nil {
		return fail("store.Ping", err)
	}
	for _, p := range db.pools {
		if err := p.PingContext(ctx); err != nil {
			db.outage.suspect()
			return fail("store.Ping", err)
		}
	}
	return nil
}

// Close waits for running statements and closes every connection. Closing again
// changes nothing.
func (db *DB) Close() error {
	db.outage.close()
	var errs []error
	for _, p := range db.pools {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// transact runs f in a transaction that may write.
func (db *DB) transact(ctx context.Context, f func(tx *gorm.DB) error) error {
	return db.writing(ctx, func(tx *gorm.DB) error { return tx.Transaction(f) })
}

// writing runs f where it may write, each statement for itself. Callers wait for a
// connection at the gate. f must not wait there again.
func (db *DB) writing(ctx context.Context, f func(tx *gorm.DB) error) error {
	return db.toWrite.pass(ctx, func(ctx context.Context) error { return f(db.write.WithContext(ctx)) })
}

// reading runs f where it may read, each statement for itself; otherwise it is as writing.
func (db *DB) reading(ctx context.Context, f func(tx *gorm.DB) error) error {
	return db.toRead.pass(ctx, func(ctx context.Context) error { return f(db.read.WithContext(ctx)) })
}

// Degraded tells whether the database is known not to answer. Calls fail at once then, with
// Unavailable, until it does. It does not block, and is always false for SQLite.
func (db *DB) Degraded() bool { return db.outage.known() }

// attach makes a gorm session over a pool that db then owns.
func (db *DB) attach(d gorm.Dialector, pool *sql.DB, o Options) (*gorm.DB, error) {
	db.pools = append(db.pools, pool)
	g, err := gorm.Open(d, &gorm.Config{
		Logger:         statementLog{log: o.Log, slow: o.SlowQuery},
		NowFunc:        db.clock,
		TranslateError: true,
		// One statement is atomic without a transaction around it.
		SkipDefaultTransaction:   true,
		DisableNestedTransaction: true,
		DisableAutomaticPing:     true,
	})
	if err != nil {
		return nil, err
	}
	if err := registerGuard(g); err != nil {
		return nil, err
	}
	return g, nil
}

// clock returns the time as the database can keep it.
func (db *DB) clock() time.Time { return stamp(db.now()) }

// stamp cuts a time to what both databases keep: UTC and microseconds.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// stampOr is stamp of t, or of now when t is zero.
func stampOr(t, now time.Time) time.Time {
	if t.IsZero() {
		return now
	}
	return stamp(t)
}

// newID returns id, or a fresh UUIDv7 when it is empty.
func newID(id string) (string, error) {
	if id != "" {
		return id, nil
	}
	u, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

// nullable turns a zero value into SQL's null.
func nullable[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// valueOr turns SQL's null into a given value.
func valueOr[T any](p *T, null T) T {
	if p == nil {
		return null
	}
	return *p
}
