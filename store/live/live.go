package live

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"kalami/session/learn"
)

// Options say which Redis to use.
type Options struct {
	// URL is redis://, rediss:// or unix://, as go-redis reads it; empty means a
	// Redis inside the process. A cluster is named by the addresses of some of its
	// servers, redis://one:6379?addr=two:6379&addr=three:6379, or by one with
	// ?cluster=true.
	URL string
	// Prefix begins every key; empty means "kalami".
	Prefix string
	// Log gets one line about the embedded mode, and one when Redis stops to answer and
	// when it does again; nil means nowhere.
	Log *slog.Logger
}

// Store is an open Redis. Its methods may be called from any goroutine.
type Store struct {
	// Static after Open.
	client   redis.UniversalClient
	embedded *embedded // nil with a URL
	prefix   string
	scripts  scripts
	health   *health
	here     arrivals // while Redis does not answer

	operations atomic.Uint64 // this process' changes of conversations, counted
}

// Open connects to Redis. The caller closes what it returns. A Redis that does not answer
// is no error: the store is degraded from the start then, and whole when Redis is there.
// Errors: Invalid for a URL that cannot be understood, Unavailable when Redis answers with a
// refusal, as to a wrong password, or ctx has ended.
func Open(ctx context.Context, o Options) (*Store, error) {
	const op = "live.Open"
	s := &Store{prefix: cmp.Or(o.Prefix, "kalami"), scripts: newScripts(), health: newHealth(o.Log)}
	if o.URL == "" {
		s.embedded = startEmbedded()
		opts := &redis.Options{Addr: "embedded", Dialer: s.embedded.dial}
		setTimes(opts, busyWait, busyWait)
		s.client = redis.NewClient(opts)
		if o.Log != nil {
			o.Log.LogAttrs(ctx, slog.LevelInfo, "live state is kept in this process; set REDIS_URL to run more than one node")
		}
	} else if client, err := connect(o.URL, s.health); err != nil {
		// The error repeats the URL, which may hold a password.
		return nil, &learn.Error{
			Kind: learn.Invalid, Op: op, Msg: "The Redis URL cannot be read",
			Fields: []learn.FieldError{{Field: "URL", Message: "not a redis://, rediss:// or unix:// URL"}},
		}
	} else {
		s.client = client
	}
	if err := s.greet(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// greet asks Redis for a first answer, as often as it takes for the breaker to be sure that
// there is none; it then goes on asking and tells the log.
func (s *Store) greet(ctx context.Context) (err error) {
	for range failuresToOpen {
		err = s.client.Ping(ctx).Err()
		if !isSilence(err) || ctx.Err() != nil || s.embedded != nil {
			return fail("live.Open", err)
		}
	}
	return nil
}

// Ping asks Redis for an answer; Unavailable when it gives none.
func (s *Store) Ping(ctx context.Context) error {
	return fail("live.Ping", s.client.Ping(ctx).Err())
}

// Close closes every connection and, in embedded mode, stops the Redis inside the
// process, which forgets everything. It waits for every goroutine of both, but for one that
// go-redis has for a server that it could not dial many times: asleep, it cannot be told,
// and ends within a second, having dialled nobody. Closing again changes nothing.
func (s *Store) Close() error {
	s.health.close()
	err := s.client.Close()
	if errors.Is(err, redis.ErrClosed) {
		err = nil
	}
	if s.embedded != nil {
		s.embedded.close()
	}
	return err
}

// key returns the name of what a thing of some kind is kept under.
func (s *Store) key(kind, of string) string { return s.prefix + ":" + kind + ":{" + of + "}" }

// fail turns an error of go-redis into a *learn.Error; nil stays nil. Whatever
// goes wrong in Redis, the answer is the same: not now.
func fail(op string, err error) error {
	if err == nil {
		return nil
	}
	return &learn.Error{Kind: learn.Unavailable, Op: op, Msg: "Live state does not answer right now", Err: err}
}
