package store

import (
	"strings"

	"kalami/session/learn"
)

// dialect names a kind of database.
type dialect string

const (
	sqliteDialect   dialect = "sqlite"
	postgresDialect dialect = "postgres"
)

// location is where a database is.
type location struct {
	dialect dialect
	// path is the SQLite file.
	path string
	// url is what pgx reads; it may hold a password and is never printed.
	url string
}

// parseURL reads Options.URL. Its errors are Invalid and never repeat the URL.
func parseURL(s string) (location, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return location{dialect: sqliteDialect, path: "kalami.db"}, nil
	}
	scheme, rest, isURL := strings.Cut(s, "://")
	if !isURL {
		return sqliteFile(s)
	}
	kind, _, _ := strings.Cut(strings.ToLower(scheme), "+")
	switch kind {
	case "postgres", "postgresql":
		return location{dialect: postgresDialect, url: "postgres://" + rest}, nil
	case "sqlite", "sqlite3":
		path, ok := strings.CutPrefix(rest, "/")
		if !ok {
			return location{}, badURL("a SQLite URL has three slashes before a relative path and four before an absolute one")
		}
		return sqliteFile(path)
	}
	return location{}, badURL("neither sqlite nor postgres, nor the path of a SQLite file")
}

func sqliteFile(path string) (location, error) {
	switch {
	case path == "" || path == ":memory:" || strings.HasPrefix(path, "file:"):
		return location{}, badURL("a SQLite database needs the path of a file, so that what is learned is kept")
	case strings.ContainsAny(path, "?\x00"):
		return location{}, badURL("a SQLite path takes no options")
	case strings.Contains(path, "="):
		// libpq's "host=… password=…" form: better refused than made a file's name.
		return location{}, badURL("write a Postgres address as postgres://…")
	}
	return location{dialect: sqliteDialect, path: path}, nil
}

func badURL(reason string) error {
	return &learn.Error{
		Kind:   learn.Invalid,
		Msg:    "The database URL is not usable: " + reason + ".",
		Fields: []learn.FieldError{{Field: "URL", Message: reason}},
	}
}
