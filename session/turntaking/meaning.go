package turntaking

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"kalami/session/learn"
)

// SameMeaning says whether what was understood first and what was understood in the
// end ask for the same answer: they are equal but for case, punctuation, white space
// and sounds of hesitation at the end. Two texts without any word are the same.
//
// It errs towards "not the same", since that costs a draft, and the contrary a wrong
// answer: "1.5" is not "15", and "um" at the end is a word in German and Portuguese.
func SameMeaning(a, b string) bool { return essence(a) == essence(b) }

// essence is the text without what SameMeaning does not look at.
func essence(text string) string {
	words := learn.Words(text)
	for len(words) > 0 && sounds[words[len(words)-1]] {
		words = words[:len(words)-1]
	}
	var b strings.Builder
	last := ' '
	for _, w := range words {
		if first, _ := utf8.DecodeRuneInString(w); unicode.IsNumber(last) && unicode.IsNumber(first) {
			b.WriteByte(' ')
		}
		b.WriteString(strings.ReplaceAll(w, "’", "'"))
		last, _ = utf8.DecodeLastRuneInString(w)
	}
	return b.String()
}

// sounds are hesitations that are no word in any of the languages.
var sounds = learn.WordSet("ehm eeh uh uhh uhm umm erm hmm mmm hm mm euh heu äh ähm öh öhm あの えっと えーと ええと うーん 음 어 嗯 呃 ээ эм ммм يعني")
