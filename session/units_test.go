package session

import (
	"testing"

	"kalami/providers"
)

// What belongs to the turn before is taken from the beginning of a hypothesis, by words
// or, where there are none, by characters.
func TestWithoutFirst(t *testing.T) {
	word := func(s string) providers.Word { return providers.Word{Text: s} }
	for _, c := range []struct {
		before, now, want string
		words             []providers.Word
		left              int // of words
	}{
		{"", "yo fui", "yo fui", []providers.Word{word("yo"), word("fui")}, 2},
		{"yo fui", "yo fui al mercado", "al mercado", []providers.Word{word("yo"), word("fui"), word("al"), word("mercado")}, 2},
		{"yo fui", "Yo", "", []providers.Word{word("Yo")}, 0},
		{"私は", "私は学生です", "学生です", []providers.Word{word("私は"), word("学生"), word("です")}, 2},
		{"私は", "私", "", nil, 0},
		{"我 是", "我是学生", "学生", []providers.Word{word("我"), word("是"), word("学"), word("生")}, 2},
	} {
		text, words := withoutFirst(c.now, c.words, units(c.before))
		if text != c.want || len(words) != c.left {
			t.Errorf("%q after %q leaves %q and %d words, want %q and %d", c.now, c.before, text, len(words), c.want, c.left)
		}
	}
}
