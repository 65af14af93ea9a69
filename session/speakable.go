package session

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// speakable removes what a voice should not read aloud: markdown signs, emoji and
// control characters. Letters, digits, punctuation and spaces stay as they are.
func speakable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r == '*' || r == '#' || r == '`' || r == '_' || r == '~' || r == '|' || r == '\ufe0f' || r == '\u200d':
			return -1
		case r == '°':
			return r // a symbol, but one that is read
		case unicode.IsControl(r) || unicode.Is(unicode.So, r) || unicode.Is(unicode.Sk, r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, text)
}

// endsWithSentence says whether a word closes a sentence.
func endsWithSentence(word string) bool {
	r, _ := utf8.DecodeLastRuneInString(strings.TrimRight(word, " »”\"')"))
	return strings.ContainsRune(".!?…。！？؟", r)
}
