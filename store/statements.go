package store

import (
	"container/list"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/ncruces/go-sqlite3"
	sqlite "github.com/ncruces/go-sqlite3/driver"
)

// keptStatements is how many prepared statements each SQLite connection keeps. There are
// fewer in this package, but for those whose text depends on how many rows they are for.
const keptStatements = 128

// openKeeping opens a pool of SQLite connections that keep what they prepare. To prepare
// one of our reads costs more than to run it. Neither database/sql nor gorm help: a
// statement that is prepared in a transaction dies with it, and gorm's cache for the
// others starts a goroutine that never ends. Here, below both, each connection has its
// own, and since one caller at a time has a connection, there is nothing to lock. When
// another process has migrated meanwhile, all of them are prepared anew.
func openKeeping(dsn string) (*sql.DB, error) {
	c, err := (&sqlite.SQLite{}).OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(keepingConnector{c}), nil
}

type keepingConnector struct{ driver.Connector }

// Connect implements [driver.Connector].
func (k keepingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	own, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("store: the SQLite driver's connections have changed"), c.Close())
	}
	version, _, err := own.Raw().Prepare("PRAGMA schema_version")
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &keepingConn{sqliteConn: own, version: version, kept: map[string]*keptStatement{}}, nil
}

// sqliteConn is what the driver's connections can do.
type sqliteConn interface {
	sqlite.Conn
	driver.ExecerContext
	driver.NamedValueChecker
}

// sqliteStmt is what the driver's statements can do.
type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
	driver.NamedValueChecker
	Reset() error
	ClearBindings() error
}

// keepingConn is a connection that keeps its statements.
type keepingConn struct {
	sqliteConn
	kept    map[string]*keptStatement
	recent  list.List     // of *keptStatement, the last used first
	version *sqlite3.Stmt // asks for the schema's version
	schema  int64         // under which they were prepared
}

// Prepare implements [driver.Conn].
func (c *keepingConn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext implements [driver.ConnPrepareContext].
func (c *keepingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := c.followSchema(); err != nil {
		return nil, err
	}
	there := c.kept[query]
	if there != nil && !there.busy {
		there.busy = true
		c.recent.MoveToFront(there.place)
		return there, nil
	}
	fresh, err := c.sqliteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	own, ok := fresh.(sqliteStmt)
	if !ok || there != nil { // the kept one is at work while the same is asked for again
		return fresh, nil
	}
	s := &keptStatement{sqliteStmt: own, busy: true, query: query}
	s.place = c.recent.PushFront(s)
	c.kept[query] = s
	return s, c.forget(keptStatements)
}

// followSchema forgets what was prepared under another schema: SQLite would prepare it
// anew by itself, but only when it runs, after its columns were asked for.
func (c *keepingConn) followSchema() error {
	var now int64
	if c.version.Step() {
		now = c.version.ColumnInt64(0)
	}
	if err := errors.Join(c.version.Err(), c.version.Reset()); err != nil || now == c.schema {
		return err
	}
	c.schema = now
	return c.forget(0)
}

// forget closes the statements that were used longest ago, until no more than most are
// left. Those at work stay.
func (c *keepingConn) forget(most int) error {
	var errs []error
	for e := c.recent.Back(); e != nil && len(c.kept) > most; {
		s, before := e.Value.(*keptStatement), e.Prev()
		if !s.busy {
			c.recent.Remove(e)
			delete(c.kept, s.query)
			errs = append(errs, s.sqliteStmt.Close())
		}
		e = before
	}
	return errors.Join(errs...)
}

// Close implements [driver.Conn]. No statement is at work any more.
func (c *keepingConn) Close() error {
	return errors.Join(c.version.Close(), c.forget(0), c.sqliteConn.Close())
}

// keptStatement is a statement whose Close gives it back to its connection.
type keptStatement struct {
	sqliteStmt
	query string
	place *list.Element
	busy  bool
}

// Close implements [driver.Stmt].
func (s *keptStatement) Close() error {
	s.busy = false
	// A statement that is not reset would hold its snapshot, and the WAL could not be
	// folded back. What it repeats is the error of the last run, which is told already.
	_ = s.Reset()
	return s.ClearBindings()
}
