package learn

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words splits text into lower-case words without punctuation. Scripts without spaces
// come in runs; [Units] splits them further.
func Words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) && r != '\'' && r != '’'
	})
}

// Units splits the words of scripts without spaces into characters, since nobody marks
// where one ends; other words stay whole.
func Units(words []string) []string {
	var out []string
	for _, w := range words {
		from := 0
		for i, r := range w {
			if i > from && Wide(r) || i > 0 && from < i && wideAt(w, from) {
				out = append(out, w[from:i])
				from = i
			}
		}
		out = append(out, w[from:])
	}
	return out
}

// Wide says whether r belongs to a script written without spaces between words;
// there every character counts as a word.
func Wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}

func wideAt(text string, i int) bool {
	r, _ := utf8.DecodeRuneInString(text[i:])
	return Wide(r)
}

// WordSet makes a set of the words of a text, which white space divides.
func WordSet(text string) map[string]bool {
	set := make(map[string]bool)
	for w := range strings.FieldsSeq(text) {
		set[w] = true
	}
	return set
}
