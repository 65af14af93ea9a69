package session

import (
	"strings"
	"unicode"

	"kalami/providers"
)

// apart splits the words of scripts without spaces into characters, since nobody marks
// where one ends.
func apart(words []string) []string {
	var out []string
	for _, w := range words {
		from := 0
		for i, r := range w {
			if i > from && isWide(r) || i > 0 && from < i && isWide(runeAfter(w, from)) {
				out = append(out, w[from:i])
				from = i
			}
		}
		out = append(out, w[from:])
	}
	return out
}

// units counts the words of a text; in scripts without spaces, the characters.
func units(text string) int { return len(apart(strings.Fields(text))) }

// withoutFirst drops the first n units of a hypothesis, and its words with them.
func withoutFirst(text string, words []providers.Word, n int) (string, []providers.Word) {
	if n == 0 {
		return text, words
	}
	rest := text
	for ; n > 0 && rest != ""; n-- {
		rest = strings.TrimSpace(rest)
		rest = rest[len(apart([]string{rest[:fieldEnd(rest)]})[0]):]
	}
	dropped := units(text) - units(rest)
	for len(words) > 0 && dropped > 0 {
		dropped -= max(1, units(words[0].Text))
		words = words[1:]
	}
	return strings.TrimSpace(rest), words
}

// fieldEnd returns where the first white space of text is, or its end.
func fieldEnd(text string) int {
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		return i
	}
	return len(text)
}
