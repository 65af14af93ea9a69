package store_test

import (
	"strings"
	"testing"

	"kalami/session/learn"
	"kalami/store"
)

// TestURL: which database a URL means.
func TestURL(t *testing.T) {
	for _, c := range []struct{ url, kind, path, pgx string }{
		{"", "sqlite", "kalami.db", ""},
		{"  ", "sqlite", "kalami.db", ""},
		{"lessons.db", "sqlite", "lessons.db", ""},
		{"/var/lib/kalami/k.db", "sqlite", "/var/lib/kalami/k.db", ""},
		{"sqlite:///./kalami.db", "sqlite", "./kalami.db", ""},
		{"sqlite:////var/k.db", "sqlite", "/var/k.db", ""},
		{"sqlite+aiosqlite:///./kalami.db", "sqlite", "./kalami.db", ""},
		{"postgres://u:p@h:5432/d?sslmode=disable", "postgres", "", "postgres://u:p@h:5432/d?sslmode=disable"},
		{"postgresql://h/d", "postgres", "", "postgres://h/d"},
		{"PostgreSQL+asyncpg://u:p@h/d", "postgres", "", "postgres://u:p@h/d"},
	} {
		kind, path, url, err := store.ParseURL(c.url)
		if err != nil || kind != c.kind || path != c.path || url != c.pgx {
			t.Errorf("%q: %s %q %q, %v; want %s %q %q", c.url, kind, path, url, err, c.kind, c.path, c.pgx)
		}
	}
	for _, bad := range []string{
		":memory:", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://k.db", "file:k.db",
		"k.db?mode=ro", "mysql://u:secret@h/d", "host=h password=secret", "://secret", "k\x00.db",
	} {
		_, _, _, err := store.ParseURL(bad)
		if learn.KindOf(err) != learn.Invalid || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v; want Invalid, without the password", bad, err)
		}
	}
}

// FuzzURL: whatever stands in the configuration, it means a database or is
// refused as invalid, without being repeated.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{"", "k.db", "sqlite:////a/b.db", "postgresql+asyncpg://u:p@h/d", ":memory:", "mysql://x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		kind, path, url, err := store.ParseURL(s)
		switch {
		case err != nil:
			if learn.KindOf(err) != learn.Invalid || kind != "" {
				t.Errorf("%q: kind %q, %v", s, kind, err)
			}
		case kind == "sqlite":
			if path == "" || url != "" {
				t.Errorf("%q: path %q, url %q", s, path, url)
			}
		case kind == "postgres":
			if path != "" || !strings.HasPrefix(url, "postgres://") {
				t.Errorf("%q: path %q, url %q", s, path, url)
			}
		default:
			t.Errorf("%q: kind %q", s, kind)
		}
	})
}
