package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"

	"kalami/session/learn"
)

// freeConns are the connections of the pool that nobody waits for at the gate.
const freeConns = 2

func (db *DB) openPostgres(loc location, o Options) error {
	cfg, err := pgx.ParseConfig(loc.url)
	if err != nil {
		// pgx blacks out the password in its message, but not the host.
		return &learn.Error{
			Kind:   learn.Invalid,
			Msg:    "The Postgres URL cannot be read.",
			Fields: []learn.FieldError{{Field: "URL", Message: "not a Postgres URL"}},
			Err:    err,
		}
	}
	defaults := map[string]string{
		"application_name": "kalami",
		// A turn cannot wait for long, and what cannot be written now is retried.
		"statement_timeout":                   "2s",
		"lock_timeout":                        "1s",
		"idle_in_transaction_session_timeout": "10s",
	}
	for name, value := range defaults {
		if _, set := cfg.RuntimeParams[name]; !set {
			cfg.RuntimeParams[name] = value
		}
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 5 * time.Second
	}
	pool := stdlib.OpenDB(*cfg)
	pool.SetMaxOpenConns(o.MaxConns + freeConns)
	pool.SetMaxIdleConns(o.MaxConns + freeConns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	// Reconnecting now and then spreads the load after a database has moved.
	pool.SetConnMaxLifetime(30 * time.Minute)
	if db.write, err = db.attach(postgres.New(postgres.Config{Conn: pool}), pool, o); err != nil {
		return err
	}
	db.read = db.write
	db.outage = newOutage(func(ctx context.Context) error { return askPostgres(ctx, cfg) }, o.Log)
	db.toWrite = newGate(o.MaxConns, db.outage)
	db.toRead = db.toWrite
	db.migrator = migrator{dialect: postgresDialect, open: func() (*sql.DB, func() error, error) {
		own := cfg.Copy()
		delete(own.RuntimeParams, "statement_timeout")
		delete(own.RuntimeParams, "idle_in_transaction_session_timeout")
		// A migration that cannot get its lock soon gives way to the running
		// nodes instead of queueing all their statements behind itself.
		own.RuntimeParams["lock_timeout"] = "2s"
		p := stdlib.OpenDB(*own)
		return p, p.Close, nil
	}}
	return nil
}

// askPostgres says whether a Postgres works, on a connection of its own.
func askPostgres(ctx context.Context, cfg *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(conn.Ping(ctx), conn.Close(ctx))
}
