package session

import (
	"context"
	"sync"

	"kalami/session/learn"
)

// turnsWaiting is how many turns of one conversation may wait for the one that is being
// made: somebody who sends more than that does not talk. The next is refused.
const turnsWaiting = 3

// turnQueues let the turns of each conversation come one after another. The zero value
// is ready.
type turnQueues struct {
	mu   sync.Mutex
	open map[string]*turnQueue // those with somebody in them
}

type turnQueue struct {
	here int           // being made or waiting; guarded by turnQueues.mu
	turn chan struct{} // whoever's value is in it may go on; senders are served in order
}

// enter waits until nobody else makes a turn of this name, or until ctx ended, whose
// cause it then returns. Whoever got in calls leave. TooMany when the queue is full.
func (q *turnQueues) enter(ctx context.Context, name string) (leave func(), err error) {
	t, ok := q.join(name)
	if !ok {
		return nil, learn.Errorf(learn.TooMany, "session.Take", "Other turns of this conversation are waiting for their answers")
	}
	select {
	case t.turn <- struct{}{}:
		return func() { <-t.turn; q.part(name, t) }, nil
	case <-ctx.Done():
		q.part(name, t)
		return nil, context.Cause(ctx)
	}
}

func (q *turnQueues) join(name string) (*turnQueue, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open == nil {
		q.open = map[string]*turnQueue{}
	}
	t := q.open[name]
	if t == nil {
		t = &turnQueue{turn: make(chan struct{}, 1)}
		q.open[name] = t
	}
	if t.here > turnsWaiting {
		return nil, false
	}
	t.here++
	return t, true
}

func (q *turnQueues) part(name string, t *turnQueue) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.here--; t.here == 0 {
		delete(q.open, name)
	}
}
