package live

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"kalami/session/learn"
)

// Options say which Redis to use.
type Options struct {
	// URL is redis://, rediss:// or unix://, as go-redis reads it; empty means a
	// Redis inside the process.
	URL string
	// Prefix begins every key; empty means "kalami".
	Prefix string
	// Log gets one line about the embedded mode; nil means nowhere.
	Log *slog.Logger
}

// Store is an open Redis. Its methods may be called from any goroutine.
type Store struct {
	// Static after Open.
	client   *redis.Client
	embedded *embedded // nil with a URL
	prefix   string
	gcra     *redis.Script
}

// Open connects to Redis. The caller closes what it returns. Errors: Invalid for
// a URL that cannot be understood, Unavailable when Redis does not answer.
func Open(ctx context.Context, o Options) (*Store, error) {
	const op = "live.Open"
	s := &Store{prefix: cmp.Or(o.Prefix, "kalami"), gcra: redis.NewScript(gcraScript)}
	var opts *redis.Options
	if o.URL != "" {
		var err error
		if opts, err = redis.ParseURL(o.URL); err != nil {
			// The error repeats the URL, which may hold a password.
			return nil, &learn.Error{
				Kind: learn.Invalid, Op: op, Msg: "The Redis URL cannot be read",
				Fields: []learn.FieldError{{Field: "URL", Message: "not a redis://, rediss:// or unix:// URL"}},
			}
		}
	} else {
		s.embedded = startEmbedded()
		opts = &redis.Options{Addr: "embedded", Dialer: s.embedded.dial}
		if o.Log != nil {
			o.Log.LogAttrs(ctx, slog.LevelInfo, "live state is kept in this process; set REDIS_URL to run more than one node")
		}
	}
	setTimes(opts, s.embedded != nil)
	s.client = redis.NewClient(opts)
	if err := s.Ping(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// setTimes overrides go-redis' patience, which is made for batch work; see the
// package's page.
func setTimes(o *redis.Options, embedded bool) {
	o.ContextTimeoutEnabled = true
	o.ReadTimeout = 200 * time.Millisecond
	o.WriteTimeout = 200 * time.Millisecond
	o.DialTimeout = 500 * time.Millisecond
	o.PoolTimeout = 100 * time.Millisecond
	if embedded {
		o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = busyWait, busyWait, busyWait
	}
	o.DialerRetries = 1
	o.MaxRetries = -1 // none; 0 would mean the library's 3
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// Ping asks Redis for an answer; Unavailable when it gives none.
func (s *Store) Ping(ctx context.Context) error {
	return fail("live.Ping", s.client.Ping(ctx).Err())
}

// Close closes every connection and, in embedded mode, stops the Redis inside the
// process, which forgets everything. It waits for every goroutine of both.
// Closing again changes nothing.
func (s *Store) Close() error {
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
