package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
	"github.com/redis/go-redis/v9"

	"kalami/store"
	"kalami/store/live"
)

// The variables that name servers to test on.
const (
	PostgresVariable = "KALAMI_TEST_POSTGRES_URL"
	RedisVariable    = "KALAMI_TEST_REDIS_URL"
)

// SQLite gives a file in the test's own folder.
func SQLite(tb testing.TB) store.Options {
	return store.Options{URL: filepath.Join(tb.TempDir(), "kalami.db")}
}

// Postgres gives a schema of its own in the database that KALAMI_TEST_POSTGRES_URL
// names, and skips the test when it names none.
func Postgres(tb testing.TB) store.Options {
	tb.Helper()
	base := os.Getenv(PostgresVariable)
	if base == "" {
		missing(tb, PostgresVariable+" is not set")
	}
	u, err := url.Parse(base)
	if err != nil {
		tb.Fatalf("%s is not a URL", PostgresVariable)
	}
	schema := pgx.Identifier{"kalami_test_" + strings.ToLower(rand.Text())}
	onServer(tb, base, "CREATE SCHEMA "+schema.Sanitize())
	tb.Cleanup(func() { onServer(tb, base, "DROP SCHEMA "+schema.Sanitize()+" CASCADE") })
	q := u.Query()
	q.Set("search_path", schema[0])
	u.RawQuery = q.Encode()
	return store.Options{URL: u.String()}
}

// missing skips a test for want of a server; where everything has to be there,
// which CI=true says, it fails it.
func missing(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatal(what)
	}
	tb.Skip(what)
}

func onServer(tb testing.TB, url, statement string) {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context())
	pool, err := sql.Open("pgx", url)
	if err == nil {
		_, err = pool.ExecContext(ctx, statement)
		if cerr := pool.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		tb.Fatalf("%s: %v", strings.Fields(statement)[0], err)
	}
}

// Embedded gives the Redis inside the process.
func Embedded(testing.TB) live.Options { return live.Options{} }

// Redis gives a key prefix of its own on the server that KALAMI_TEST_REDIS_URL
// names, and skips the test when it names none.
func Redis(tb testing.TB) live.Options {
	tb.Helper()
	base := os.Getenv(RedisVariable)
	if base == "" {
		missing(tb, RedisVariable+" is not set")
	}
	o, err := redis.ParseURL(base)
	if err != nil {
		tb.Fatalf("%s is not a Redis URL", RedisVariable)
	}
	prefix := "kalami-test-" + strings.ToLower(rand.Text())
	tb.Cleanup(func() {
		ctx := context.WithoutCancel(tb.Context())
		c := redis.NewClient(o)
		defer c.Close()
		keys := c.Scan(ctx, 0, prefix+":*", 1000).Iterator()
		for keys.Next(ctx) {
			c.Del(ctx, keys.Val())
		}
		if err := keys.Err(); err != nil {
			tb.Errorf("remove %s:*: %v", prefix, err)
		}
	})
	return live.Options{URL: base, Prefix: prefix}
}
