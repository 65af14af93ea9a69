package store

import (
	"database/sql"
	"fmt"
	"os"
	"strings"

	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/gormlite"
)

// sqliteReaders is the number of connections that only read.
const sqliteReaders = 4

// sqliteTimes is how SQLite keeps times: of one width, so that text sorts as time.
const sqliteTimes = "2006-01-02T15:04:05.000000Z07:00"

func (db *DB) openSQLite(loc location, o Options) error {
	// Made here and not by SQLite, so that nobody else on the machine can read
	// what learners said; the WAL gets the same mode.
	// Whoever may read the WAL's index may lock it, and stop every writer.
	for _, path := range []string{loc.path, loc.path + "-shm"} {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return fmt.Errorf("open the database file: %w", err)
		}
		if err := f.Close(); err != nil {
			return fmt.Errorf("open the database file: %w", err)
		}
	}
	write, err := openKeeping(sqliteDSN(loc.path, "_timefmt="+sqliteTimes))
	if err != nil {
		return err
	}
	write.SetMaxOpenConns(1)
	write.SetMaxIdleConns(1)
	db.toWrite, db.toRead = newGate(1, nil), newGate(sqliteReaders, nil)
	if db.write, err = db.attach(gormlite.OpenDB(write), write, o); err != nil {
		return err
	}
	read, err := openKeeping(sqliteDSN(loc.path, "_timefmt="+sqliteTimes, "_pragma=query_only(on)"))
	if err != nil {
		return err
	}
	read.SetMaxOpenConns(sqliteReaders)
	read.SetMaxIdleConns(sqliteReaders)
	if db.read, err = db.attach(gormlite.OpenDB(read), read, o); err != nil {
		return err
	}
	db.migrator = migrator{dialect: sqliteDialect, open: func() (*sql.DB, func() error, error) {
		// On a connection of its own, because goose reads times that SQLite itself
		// has written, in another format.
		p, err := driver.Open(sqliteDSN(loc.path))
		if err != nil {
			return nil, nil, err
		}
		p.SetMaxOpenConns(1)
		return p, p.Close, nil
	}}
	return nil
}

// sqliteDSN returns the driver's name for a file. Transactions begin IMMEDIATE: one
// that begins by reading could otherwise find, when it comes to write, that its
// snapshot is out of date.
func sqliteDSN(path string, more ...string) string {
	path = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23", "&", "%26", "+", "%2b").Replace(path)
	params := append([]string{
		"modeof=" + path, // the WAL is as private as the database
		"_txlock=immediate",
		"_pragma=busy_timeout(60000)", // first: switching to WAL may already have to wait
		"_pragma=journal_mode(wal)",
		"_pragma=synchronous(full)",
		"_pragma=foreign_keys(on)",
	}, more...)
	return "file:" + path + "?" + strings.Join(params, "&")
}
