package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Dialect is a kind of database.
type Dialect string

// The two databases.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Database is DATABASE_URL, understood. Comparable; the zero value means that
// none was given.
type Database struct {
	Dialect Dialect
	// Path of the SQLite file; relative to the working directory unless absolute.
	Path string
	// URL of the Postgres database in the spelling of its drivers, postgres://…;
	// it holds the password.
	URL Secret
}

// UnmarshalText accepts the spellings of the drivers and of SQLAlchemy:
// sqlite:///relative, sqlite:////absolute, postgres:// and postgresql://, the
// scheme with or without a +driver, which is ignored.
func (d *Database) UnmarshalText(b []byte) error {
	scheme, rest, ok := strings.Cut(string(b), "://")
	if !ok {
		return errors.New("must be a URL: sqlite:///path or postgres://user:password@host/name")
	}
	scheme, _, _ = strings.Cut(strings.ToLower(scheme), "+")
	switch scheme {
	case "sqlite":
		return d.parseSQLite(rest)
	case "postgres", "postgresql":
		return d.parsePostgres(rest)
	}
	return errors.New("must start with sqlite:// or postgres://; no other database is supported")
}

func (d *Database) parseSQLite(rest string) error {
	path, ok := strings.CutPrefix(rest, "/")
	switch {
	case !ok && rest != "":
		return errors.New("needs three slashes before a relative path (sqlite:///kalami.db), four before an absolute one")
	case path == "" || path == ":memory:" || strings.HasPrefix(path, "file:"):
		return errors.New("must name a file; a database in memory would forget everything at the next start")
	case strings.ContainsAny(path, "?#\x00"):
		return errors.New("must be a plain path, without ? or #")
	case strings.HasSuffix(path, "/"):
		return errors.New("must name a file, not a folder")
	}
	*d = Database{Dialect: SQLite, Path: path}
	return nil
}

func (d *Database) parsePostgres(rest string) error {
	u, err := url.Parse("postgres://" + rest)
	if err != nil {
		return errors.New("is not a URL; special characters in a password must be percent-encoded (%40 for @)")
	}
	q, err := url.ParseQuery(u.RawQuery)
	switch {
	case err != nil:
		return errors.New("has parameters that cannot be read")
	case u.Hostname() == "" && q.Get("host") == "" || !validPort(u.Port()):
		return errors.New("must name a host, and a port between 1 and 65535 if any")
	case strings.Trim(u.Path, "/") == "" && q.Get("dbname") == "" && q.Get("database") == "":
		return errors.New("must name a database: postgres://user:password@host/name")
	case u.Fragment != "":
		return errors.New("must not have a fragment; # in a password is written %23")
	case strings.ContainsAny(strings.TrimPrefix(u.Path, "/"), "/@"):
		// A raw slash in a password ends the host, and the rest of it looks like a path.
		return errors.New("names no database; special characters in a password must be percent-encoded (%2F for /)")
	}
	// The asyncpg driver says ssl where everybody else says sslmode.
	if mode := q.Get("ssl"); mode != "" && !q.Has("sslmode") {
		switch strings.ToLower(mode) {
		case "true", "1", "on":
			mode = "require"
		case "false", "0", "off":
			mode = "disable"
		}
		q.Set("sslmode", mode)
		q.Del("ssl")
		u.RawQuery = q.Encode()
	}
	*d = Database{Dialect: Postgres, URL: Secret(u.String())}
	return nil
}

// Reveal returns the database as one URL with its password, for the one call
// that opens it. A SQLite path keeps its three or four slashes.
func (d Database) Reveal() string {
	if d.Dialect == SQLite {
		return "sqlite:///" + d.Path
	}
	return d.URL.Reveal()
}

// String returns the URL without its password.
func (d Database) String() string { return d.redacted() }

func (d Database) redacted() string {
	switch d.Dialect {
	case SQLite:
		return "sqlite:///" + d.Path
	case Postgres:
		return redactURL(d.URL)
	}
	return ""
}

// Redis is REDIS_URL, checked. The zero value means that none was given.
type Redis struct {
	// URL holds the password.
	URL Secret
}

// UnmarshalText accepts redis:// and rediss:// with a host and, if any, the
// number of a database.
func (r *Redis) UnmarshalText(b []byte) error {
	u, err := url.Parse(string(b))
	switch {
	case err != nil:
		return errors.New("is not a URL; special characters in a password must be percent-encoded (%40 for @)")
	case u.Scheme != "redis" && u.Scheme != "rediss":
		return errors.New("must start with redis:// or, for TLS, rediss://")
	case u.Hostname() == "" || !validPort(u.Port()):
		return errors.New("must name a host, and a port between 1 and 65535 if any")
	case u.Fragment != "":
		return errors.New("must not have a fragment; # in a password is written %23")
	}
	if db := strings.Trim(u.Path, "/"); db != "" {
		if n, err := strconv.Atoi(db); err != nil || n < 0 {
			return errors.New("may end in the number of a database, such as redis://host:6379/0, and in nothing else")
		}
		if q := u.Query(); db != "0" && (q.Has("addr") || q.Has("cluster")) {
			return errors.New("names a cluster, which has no numbered databases")
		}
	}
	r.URL = Secret(b)
	return nil
}

// Reveal returns the URL with its password, for the one call that connects;
// empty when none was given.
func (r Redis) Reveal() string { return r.URL.Reveal() }

// String returns the URL without its password.
func (r Redis) String() string { return r.redacted() }

func (r Redis) redacted() string { return redactURL(r.URL) }

// redactURL shows where a URL points: scheme, host and path. User, password and
// parameters (which may hold a password too) are masked.
func redactURL(s Secret) string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(s.Reveal())
	if err != nil {
		return mask
	}
	user, query := "", ""
	if u.User != nil {
		user = mask + "@"
	}
	if u.RawQuery != "" {
		query = "?" + mask
	}
	return fmt.Sprintf("%s://%s%s%s%s", u.Scheme, user, u.Host, u.EscapedPath(), query)
}
