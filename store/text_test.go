package store_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"kalami/store"
)

// FuzzClean: whatever a vendor sends becomes text that both databases take, and
// text that they take stays as it is.
func FuzzClean(f *testing.F) {
	for _, seed := range []string{"", "hola", "昨日", "a\x00b", "\xff\xfe", "\uFFFD", "e\u0301", "\xed\xa0\x80"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := store.Clean(s)
		if !utf8.ValidString(got) || strings.ContainsRune(got, 0) {
			t.Errorf("%q became %q", s, got)
		}
		if utf8.ValidString(s) && !strings.ContainsRune(s, 0) && got != s {
			t.Errorf("%q became %q for no reason", s, got)
		}
		if store.Clean(got) != got {
			t.Errorf("%q is not clean yet", got)
		}
	})
}
