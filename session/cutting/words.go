package cutting

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"kalami/session/learn"
)

// words are those of a language that matter here.
type words struct {
	// bound are abbreviations that never end a sentence, either those that may; in small
	// letters and without their last full stop.
	bound, either map[string]bool
	// pronouns are words of one capital letter that are no initials.
	pronouns map[string]bool
	// ordinals says that a full stop behind a number makes it one: 3. Mai.
	ordinals bool
	// before are conjunctions and prepositions, before which a speaker may breathe, unless
	// after one of them or of leaning: articles, possessives, negations.
	before, leaning map[string]bool
	// endings are those of Korean words behind which a speaker may breathe.
	endings []string
}

// languages are the words of each language, and of none. English abbreviations are
// known in every language, for names and explanations.
var languages = func() map[string]*words {
	all := map[string]*words{"": {}}
	for code, l := range lists {
		all[code] = &words{
			ordinals: code == "de",
			before:   learn.WordSet(l.before), leaning: learn.WordSet(l.before + " " + l.leaning), endings: strings.Fields(l.endings),
		}
	}
	for code, w := range all {
		w.bound, w.either = learn.WordSet(lists[code].bound+" "+lists["en"].bound), learn.WordSet(lists[code].either+" "+lists["en"].either)
		w.pronouns = learn.WordSet("I")
	}
	return all
}()

// wordsOf returns a language's words.
func wordsOf(language string) *words {
	base, _, _ := strings.Cut(strings.ToLower(language), "-")
	if w, ok := languages[base]; ok {
		return w
	}
	return languages[""]
}

// breathAt returns where, at the blank or the character of a script without blanks at i,
// a speaker may breathe; 0 for not here. wait says that the next word has not come.
func (w *words) breathAt(text []byte, i int) (at int, wait bool) {
	r, size := utf8.DecodeRune(text[i:])
	if wide(r) {
		return w.breathBefore(text, i, r)
	}
	rest := text[i+size:]
	word := rest[:leading(rest[:min(len(rest), reach)], isWord)]
	if len(word) == len(rest) && len(rest) < reach {
		return 0, true
	}
	last := text[bytes.LastIndexFunc(text[:i], unicode.IsSpace)+1 : i]
	if len(word) == 0 || len(last) == 0 || !isWord(lastRune(last)) || w.leaning[string(last)] {
		return 0, false
	}
	if w.before[string(word)] || w.ends(string(last)) {
		return i + size, false
	}
	return 0, false
}

// isWord says whether r belongs to a word.
func isWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '\'' || r == '’'
}

// ends says whether a Korean word ends like a clause.
func (w *words) ends(word string) bool {
	for _, e := range w.endings {
		if len(word) > len(e) && strings.HasSuffix(word, e) {
			return true
		}
	}
	return false
}

// The words of two characters before which Chinese breathes, and the particles behind
// which Japanese does, if a word in other characters follows.
const (
	chineseBreaths    = "但是 因为 所以 而且 如果 然后 还有 或者 不过 可是 因此"
	japaneseParticles = "はがをもにでとへてねよ"
)

// breathBefore is breathAt for a character of a script without blanks.
func (w *words) breathBefore(text []byte, i int, r rune) (at int, wait bool) {
	last := lastRune(text[:i])
	if hiragana(last) {
		if !hiragana(r) && strings.ContainsRune(japaneseParticles, last) {
			return i, false
		}
		return 0, false
	}
	if !unicode.Is(unicode.Han, r) || !strings.ContainsRune(chineseBreaths, r) {
		return 0, false
	}
	two := text[i:]
	if len(two) < 2*utf8.RuneLen(r) {
		return 0, true
	}
	if two = two[:2*utf8.RuneLen(r)]; strings.Contains(chineseBreaths, string(two)) && utf8.Valid(two) {
		return i, false
	}
	return 0, false
}
