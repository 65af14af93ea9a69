package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"kalami/session/learn"
)

const (
	// answerWait is how long an operation may take by this side's clock. A server that works
	// gives up a statement before that (statement_timeout): who has heard nothing by then
	// speaks to one that hangs, or to nobody.
	answerWait = 2500 * time.Millisecond
	// silencesToOpen is after how many operations without an answer, one after another, no
	// more callers are let wait.
	silencesToOpen = 3
	// askAgain is how often a database that does not answer is asked whether it is back, and
	// askWait how long each question may take. One that was frozen answers the question that
	// it is being asked when it goes on.
	askAgain, askWait = 250 * time.Millisecond, time.Second
)

// errNoAnswer is the cause of an operation's context that has lasted for answerWait.
var errNoAnswer = errors.New("store: the database has not answered in time")

// outage knows whether a database answers. When it does not, callers fail at once instead of
// each waiting for its own timeout and opening a connection that a frozen server would have
// to work off when it goes on, and a goroutine asks on a connection of its own until there
// is an answer. The nil outage is that of a database which always answers.
type outage struct {
	// Static after newOutage.
	ask  func(ctx context.Context) error
	log  *slog.Logger
	ctx  context.Context // ends with close
	stop context.CancelFunc

	asking sync.WaitGroup

	mu       sync.Mutex // guards what follows
	closed   bool
	silences int  // one after another
	open     bool // callers are refused
	asks     bool // a goroutine asks
}

func newOutage(ask func(ctx context.Context) error, log *slog.Logger) *outage {
	o := &outage{ask: ask, log: log}
	o.ctx, o.stop = context.WithCancel(context.Background())
	return o
}

// close ends the asking and waits for it.
func (o *outage) close() {
	if o == nil {
		return
	}
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.stop()
	o.asking.Wait()
}

// refuse returns an error while the database is known not to answer.
func (o *outage) refuse() error {
	if !o.known() {
		return nil
	}
	return &learn.Error{Kind: learn.Unavailable, Msg: "The database does not answer right now", Err: errNoAnswer}
}

func (o *outage) known() bool {
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.open
}

// watch runs f for answerWait at most, and takes note of how it ended.
func (o *outage) watch(ctx context.Context, f func(ctx context.Context) error) error {
	if o == nil {
		return f(ctx)
	}
	own, cancel := context.WithTimeoutCause(ctx, answerWait, errNoAnswer)
	defer cancel()
	err := f(own)
	switch {
	case err == nil:
		o.answered()
	case errors.Is(context.Cause(own), errNoAnswer):
		o.silent()
	case ctx.Err() != nil: // the caller has left: that says nothing about the database
	case isSilence(err):
		o.silent()
	default:
		o.answered()
	}
	return err
}

// isSilence tells of errors that are no answer: a connection that broke or was not made. A
// server that starts or stops says so to whoever connects, and answers nothing else; one
// that has no room for another connection works.
func isSilence(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "57P03" || e.Code == "57P01" || e.Code == "57P02"
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

func (o *outage) answered() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.silences = 0
}

// silent notes an operation that has got no answer. The first question is asked at once:
// when it is answered, it was a false alarm that nobody hears of.
func (o *outage) silent() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.silences++; o.silences >= silencesToOpen {
		o.open = o.startAsking()
	}
}

// suspect has the database asked by somebody with more time than the caller had.
func (o *outage) suspect() {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.startAsking()
}

// startAsking starts the goroutine that asks, unless there is one; false when everything is
// closed. o.mu is held.
func (o *outage) startAsking() bool {
	if !o.asks && !o.closed {
		o.asks = true
		o.asking.Go(o.untilAnswered)
	}
	return o.asks
}

// untilAnswered asks until the database answers or everything is closed. Meanwhile callers
// are refused.
func (o *outage) untilAnswered() {
	began, announced := time.Now(), false
	t := time.NewTicker(askAgain)
	defer t.Stop()
	for {
		err := o.question()
		if o.ctx.Err() != nil {
			return
		}
		o.mu.Lock()
		o.open, o.asks = err != nil, err != nil
		if err == nil {
			o.silences = 0
		}
		o.mu.Unlock()
		switch {
		case err == nil && announced:
			o.log.Info("the database answers again", "after", time.Since(began).Round(time.Millisecond))
			return
		case err == nil:
			return
		case !announced:
			announced = true
			o.log.Warn("the database does not answer; nothing is acknowledged until it does", "err", err)
		}
		select {
		case <-o.ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (o *outage) question() error {
	ctx, cancel := context.WithTimeout(o.ctx, askWait)
	defer cancel()
	return o.ask(ctx)
}
