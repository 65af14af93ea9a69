package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"
	"gorm.io/gorm"

	"kalami/session/learn"
)

// fail turns err into a *learn.Error of operation op; nil stays nil. An error
// that is one already keeps its kind and message.
func fail(op string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*learn.Error](err); ok {
		own := *e
		if own.Op == "" {
			own.Op = op
		}
		return &own
	}
	e := &learn.Error{Kind: learn.Internal, Op: op, Err: err}
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		e.Kind, e.Msg = learn.NotFound, "Not found"
	case errors.Is(err, gorm.ErrDuplicatedKey):
		e.Kind, e.Msg = learn.Conflict, "It exists already"
	case unavailable(err):
		e.Kind, e.Msg = learn.Unavailable, "The database does not answer right now"
	}
	return e
}

// fenced is the error of a writer whose conversation is no longer its own.
func fenced(msg string) error {
	return &learn.Error{Kind: learn.Conflict, Msg: msg, Err: learn.ErrFenced}
}

func notFound(msg string) error { return &learn.Error{Kind: learn.NotFound, Msg: msg} }

func conflict(msg string) error { return &learn.Error{Kind: learn.Conflict, Msg: msg} }

func invalid(field, msg string) error {
	return &learn.Error{
		Kind: learn.Invalid, Msg: "Invalid " + field,
		Fields: []learn.FieldError{{Field: field, Message: msg}},
	}
}

// unavailable says whether trying again later may help.
func unavailable(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, sql.ErrTxDone) || // its context has ended
		errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return transientState(e.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	// Not net.Error: SQLite's errors look like one.
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return true
	}
	codes := []sqlite3.ErrorCode{
		sqlite3.BUSY, sqlite3.LOCKED, sqlite3.FULL, sqlite3.IOERR,
		sqlite3.INTERRUPT, sqlite3.READONLY, sqlite3.CANTOPEN,
	}
	return slices.ContainsFunc(codes, func(c sqlite3.ErrorCode) bool { return errors.Is(err, c) })
}

// transientState says whether an SQLSTATE speaks of the server's condition and
// not of the statement: no connection (08), a lost race (40), out of resources
// (53), a lock not given (55P03), stopped by an operator or a timeout (57).
func transientState(code string) bool {
	if code == "55P03" {
		return true
	}
	return slices.ContainsFunc([]string{"08", "40", "53", "57"}, func(class string) bool {
		return strings.HasPrefix(code, class)
	})
}

// isDuplicate says whether a row clashed with one that is there.
func isDuplicate(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }

// isDangling says whether a row pointed at one that is not there.
func isDangling(err error) bool { return errors.Is(err, gorm.ErrForeignKeyViolated) }

// isAbsent says whether a row that was asked for is not there.
func isAbsent(err error) bool { return errors.Is(err, gorm.ErrRecordNotFound) }
