package live

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"kalami/session/learn"
)

// PutOnce stores value under key for ttl, to be taken once. Conflict when the key
// is there already, Invalid for a ttl below a millisecond.
func (s *Store) PutOnce(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	const op = "live.PutOnce"
	if ttl < time.Millisecond {
		return &learn.Error{Kind: learn.Invalid, Op: op, Msg: "The time to live is below a millisecond"}
	}
	err := s.client.SetArgs(ctx, s.key("once", key), value, redis.SetArgs{Mode: "NX", TTL: ttl}).Err()
	if errors.Is(err, redis.Nil) {
		return &learn.Error{Kind: learn.Conflict, Op: op, Msg: "It exists already"}
	}
	return fail(op, err)
}

// TakeOnce returns the value and removes it, atomically: of any number of callers
// exactly one gets it. ok is false when it is unknown, used or expired. After an
// error it may be gone: whoever asked has to get a new one.
func (s *Store) TakeOnce(ctx context.Context, key string) (value []byte, ok bool, err error) {
	value, err = s.client.GetDel(ctx, s.key("once", key)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fail("live.TakeOnce", err)
	}
	return value, true, nil
}
