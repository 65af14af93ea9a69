package store

import (
	"context"
	"database/sql"

	"gorm.io/gorm"
)

// What the tests in package store_test look at from inside.

func (db *DB) Gorm() *gorm.DB { return db.write }

func (db *DB) Reader() *gorm.DB { return db.read }

func (db *DB) Pool() *sql.DB { return db.pools[0] }

var (
	IsTenantTable    = isTenantTable
	ErrNoTenant      = errNoTenant
	AcrossTenants    = acrossTenants
	TransientState   = transientState
	Clean            = clean
	OpenKeeping      = openKeeping
	KeptStatements   = keptStatements
	CountReviews     = recountReviews
	CountCorrections = countCorrections
	NewGate          = newGate
	NewOutage        = newOutage
	Feed             = feed
	Lesson           = lesson
)

const (
	RequestQueue = requestQueue
	RequestWait  = requestWait
	AnswerWait   = answerWait
)

func (g *gate) Pass(ctx context.Context, f func(ctx context.Context) error) error {
	return g.pass(ctx, f)
}

func (o *outage) Stop() { o.close() }

func (o *outage) Suspect() { o.suspect() }

func (o *outage) Known() bool { return o.known() }

type MessageRow = messageRow

type ConversationRow = conversationRow

// ParseURL returns what parseURL makes of a URL.
func ParseURL(s string) (kind, path, url string, err error) {
	l, err := parseURL(s)
	return string(l.dialect), l.path, l.url, err
}
