package live

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// failuresToOpen is after how many failures in a row nobody is let wait any more, if
	// there was no answer for as long as a command may take, or the server's port is
	// closed. A crowd that waits for a connection may fail in a row too, but between answers.
	failuresToOpen = 3
	// probeEvery is how often a Redis that does not answer is asked again.
	probeEvery = 250 * time.Millisecond
	// probeWait is how long that question may take: nobody waits for the answer, and a
	// process that is short of time itself should not take it for Redis' silence.
	probeWait = time.Second
)

// errNotAnswering is what callers get at once while a breaker is open.
var errNotAnswering = errors.New("live: Redis has not been answering")

// breaker keeps callers from waiting for a Redis that does not answer, each for the time
// that a command may take. It is go-redis' [redis.Limiter] of one server, or one master of
// a cluster: the others go on. While it is open a goroutine asks whether the server is back,
// on a connection of its own, until it is or the store is closed. (The breaker of a library
// lets every so many callers wait for the answer to that.)
type breaker struct {
	// Static after attach.
	health *health
	server redis.Options // without the breaker
	client *redis.Client // with it
	// known tells whether the cluster still has that master; nil without a cluster.
	known func(ctx context.Context, addr string) bool

	mu       sync.Mutex // guards what follows
	failures int        // in a row
	answered time.Time
	open     bool
	admit    bool // though it is open
	probing  bool
}

// newGuardedClient returns a client of one server, behind a breaker.
func newGuardedClient(h *health, o *redis.Options, known func(ctx context.Context, addr string) bool) *redis.Client {
	b := &breaker{health: h, server: *o, known: known}
	b.server.PoolSize, b.server.MinIdleConns = 1, 0
	o.Limiter = b
	b.client = redis.NewClient(o)
	return b.client
}

// Allow implements [redis.Limiter].
func (b *breaker) Allow() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open && !b.admit {
		return errNotAnswering
	}
	return nil
}

// ReportResult implements [redis.Limiter].
func (b *breaker) ReportResult(err error) {
	if notItsFault(err) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !isSilence(err) {
		b.failures, b.answered, b.open = 0, time.Now(), false
		return
	}
	b.failures++
	sure := errors.Is(err, syscall.ECONNREFUSED) || time.Since(b.answered) >= answerWait
	if b.open || b.failures < failuresToOpen || !sure {
		return
	}
	if b.probing || b.health.start(b.probe) {
		b.open, b.probing = true, true
	}
}

// notItsFault tells of errors that say nothing about the server: the caller has left, too
// many callers wait for a connection, or the store is closed.
func notItsFault(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, redis.ErrPoolTimeout) ||
		errors.Is(err, redis.ErrPoolExhausted) || errors.Is(err, redis.ErrClosed)
}

// isSilence tells of errors that are no answer. What the server itself says is one, except
// that it has not read its data yet.
func isSilence(err error) bool {
	if err == nil || errors.Is(err, redis.Nil) {
		return false
	}
	if _, said := errors.AsType[redis.Error](err); said {
		return redis.IsLoadingError(err)
	}
	return true
}

// probe asks the server until it answers, the cluster has it no longer, or ctx ends. The
// first question is asked at once: when it is answered, it was a false alarm that nobody
// hears of.
func (b *breaker) probe(ctx context.Context) {
	t := time.NewTicker(probeEvery)
	defer t.Stop()
	for announced := false; ; {
		b.ask(ctx)
		if b.over() {
			if announced {
				b.health.up(b.server.Addr)
			}
			return
		}
		if !announced && ctx.Err() == nil {
			announced = true
			b.health.down(b.server.Addr)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// over tells whether the breaker is closed, and that its goroutine is about to end then.
func (b *breaker) over() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = b.open
	return !b.open
}

// ask asks the server, first by a client that has not dialled yet, and then by the one that
// all use: for up to a second after many dials have failed, that one does not dial. The
// breaker hears of its answer. Calls that come just then are let through; the client makes
// some itself on a new connection.
func (b *breaker) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, dialWait+probeWait)
	defer cancel()
	o := b.server
	o.ReadTimeout, o.WriteTimeout = probeWait, probeWait
	scout := redis.NewClient(&o)
	defer func() { _ = scout.Close() }() // nothing is pending in it
	answers := !isSilence(scout.Ping(ctx).Err())
	gone := !answers && b.known != nil && !b.known(ctx, b.server.Addr)

	b.mu.Lock()
	b.admit, b.open = answers, b.open && !gone
	b.mu.Unlock()
	if !answers {
		return
	}
	_ = b.client.Ping(ctx) // reported by the client
	b.mu.Lock()
	b.admit = false
	b.mu.Unlock()
}
