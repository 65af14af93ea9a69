package session

import (
	"strings"
	"unicode"

	"kalami/providers"
	"kalami/session/learn"
)

// units counts the words of a text; in scripts without spaces, the characters.
func units(text string) int { return len(learn.Units(strings.Fields(text))) }

// withoutFirst drops the first n units of a hypothesis, and its words with them.
func withoutFirst(text string, words []providers.Word, n int) (string, []providers.Word) {
	if n == 0 {
		return text, words
	}
	rest := text
	for ; n > 0 && rest != ""; n-- {
		rest = strings.TrimSpace(rest)
		rest = rest[len(learn.Units([]string{rest[:fieldEnd(rest)]})[0]):]
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
