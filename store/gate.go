package store

import (
	"context"
	"fmt"
	"time"

	"kalami/session/learn"
)

const (
	// requestQueue is how many requests may be at the database or wait for it; the next is
	// refused at once. Lessons are not counted: each waits for one commit at a time, so that
	// their number bounds them.
	requestQueue = 256
	// requestWait is how long a request waits for its turn. A lesson waits as long as its
	// context lasts.
	requestWait = 5 * time.Second
)

// gate stands before the connections of one pool, whose own queue has no end and gives
// connections to anybody. Callers pass in the order in which they came. A quarter of the
// connections is kept for what lessons need, so that a flood of requests, or one that holds
// a lock, makes no learner wait for the acknowledgement of what they said.
type gate struct {
	places   chan struct{} // one for each connection
	requests chan struct{} // how many of them requests may have
	queue    chan struct{} // of requests, with those that have a place
	outage   *outage       // nil: the database is on this machine
}

func newGate(places int, o *outage) *gate {
	return &gate{places: make(chan struct{}, places), requests: make(chan struct{}, max(1, places-places/4)),
		queue: make(chan struct{}, requestQueue), outage: o}
}

// lessonKey marks contexts.
type lessonKey struct{}

// lesson marks what a conversation that is going on needs of the database.
func lesson(ctx context.Context) context.Context { return context.WithValue(ctx, lessonKey{}, true) }

// pass runs f when it is the caller's turn. Unavailable when there are too many callers, the
// turn does not come in time, or the database is known not to answer.
func (g *gate) pass(ctx context.Context, f func(ctx context.Context) error) error {
	if err := g.outage.refuse(); err != nil {
		return err
	}
	leave, err := g.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := g.outage.refuse(); err != nil { // since we began to wait
		return err
	}
	return g.outage.watch(ctx, f)
}

// enter waits for a place, which the caller leaves.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	if ctx.Value(lessonKey{}) != nil {
		if err := take(ctx, g.places); err != nil {
			return nil, err
		}
		return func() { <-g.places }, nil
	}
	select {
	case g.queue <- struct{}{}:
	default:
		return nil, errBusy(nil)
	}
	wait, cancel := context.WithTimeout(ctx, requestWait)
	defer cancel()
	if err := take(wait, g.requests); err != nil {
		<-g.queue
		return nil, err
	}
	if err := take(wait, g.places); err != nil {
		<-g.requests
		<-g.queue
		return nil, err
	}
	return func() { <-g.places; <-g.requests; <-g.queue }, nil
}

// take waits for room. Those who wait are served in the order in which they came.
func take(ctx context.Context, room chan<- struct{}) error {
	select {
	case room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return errBusy(fmt.Errorf("wait for the database: %w", ctx.Err()))
	}
}

// errBusy is what callers get for whom there is no room.
func errBusy(cause error) error {
	return &learn.Error{Kind: learn.Unavailable, Msg: "The database is busy, try again shortly", Err: cause}
}
