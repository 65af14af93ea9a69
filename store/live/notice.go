package live

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// quiet is after how long without a notice a subscription asks whether Redis is there.
	quiet = 15 * time.Second
	// resubscribeAfter is the pause before a subscription that was lost is tried again.
	resubscribeAfter = time.Second
)

// Publish tells every node that is subscribed to a topic. Who is not connected just then
// is never told, so a notice may only hasten what the database says anyway. Unavailable
// when Redis does not answer.
func (s *Store) Publish(ctx context.Context, topic, payload string) error {
	return fail("live.Publish", s.client.Publish(ctx, s.key("notice", topic), payload).Err())
}

// Subscribe calls take with every notice on a topic, this node's own too, one after
// another. It blocks until ctx ends or the store is closed, and returns nil then; a
// Redis that goes away meanwhile is asked again every second. Notices of one node come in
// its order, except on a cluster.
func (s *Store) Subscribe(ctx context.Context, topic string, take func(payload string)) error {
	sub := s.client.Subscribe(ctx, s.key("notice", topic))
	// A pending read knows only deadlines: closing is what ends it.
	stop := context.AfterFunc(ctx, func() { _ = sub.Close() })
	defer func() {
		stop()
		_ = sub.Close() // closing again changes nothing
	}()
	for {
		got, err := sub.ReceiveTimeout(ctx, quiet)
		if ctx.Err() != nil || errors.Is(err, redis.ErrClosed) {
			return nil
		}
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			err = sub.Ping(ctx) // its answer, or its absence, is what comes next
		}
		if err != nil {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(resubscribeAfter):
				continue
			}
		}
		if m, ok := got.(*redis.Message); ok {
			take(m.Payload)
		}
	}
}
