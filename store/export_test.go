package store

import (
	"database/sql"
	"time"

	"gorm.io/gorm"
)

// What the tests in package store_test look at from inside.

func (db *DB) Gorm() *gorm.DB { return db.write }

func (db *DB) Reader() *gorm.DB { return db.read }

func (db *DB) Pool() *sql.DB { return db.pools[0] }

var (
	IsTenantTable  = isTenantTable
	ErrNoTenant    = errNoTenant
	TransientState = transientState
	Clean          = clean
	OpenKeeping    = openKeeping
	KeptStatements = keptStatements
)

type MessageRow = messageRow

type ConversationRow = conversationRow

// ParseURL returns what parseURL makes of a URL.
func ParseURL(s string) (kind, path, url string, err error) {
	l, err := parseURL(s)
	return string(l.dialect), l.path, l.url, err
}

// StreakOn counts days of a zone in the given order and returns the streak as of today
// and the longest.
func StreakOn(loc *time.Location, today string, days ...string) (now, longest int) {
	var s streak
	for _, d := range days {
		s = s.add(d, loc)
	}
	return s.on(today, loc), s.longest
}
