package pronounce

import (
	"slices"

	"kalami/session/learn"
)

// longestRepeat is how many words a repeated phrase may have.
const longestRepeat = 4

// repeated says which of the added words say again what stands beside them: "I want I want
// a coffee" has a repetition of two words.
func repeated(said []utterance, added []bool) []bool {
	again := make([]bool, len(said))
	for at := 0; at < len(said); {
		n := 0
		for l := min(longestRepeat, len(said)-at); l > 0 && n == 0; l-- {
			if !slices.Contains(added[at:at+l], false) && (equal(said, at, at+l, l) || equal(said, at, at-l, l)) {
				n = l
			}
		}
		for i := range n {
			again[at+i] = true
		}
		at += max(n, 1)
	}
	return again
}

// equal says whether n words at a are those at b.
func equal(said []utterance, a, b, n int) bool {
	if min(a, b) < 0 || max(a, b)+n > len(said) {
		return false
	}
	for i := range n {
		if said[a+i].key() != said[b+i].key() {
			return false
		}
	}
	return true
}

// repeats counts repetitions: of a text by its words' status, in free speech by what is said
// twice in a row, unless it is a word that is doubled for emphasis.
func repeats(a learn.Assessment) (n int) {
	if a.Mode == learn.Scripted {
		for i, w := range a.Words {
			if was(w, learn.WordRepetition) && (i == 0 || !was(a.Words[i-1], learn.WordRepetition)) {
				n++
			}
		}
		return n
	}
	said := make([]utterance, len(a.Words))
	for i, w := range a.Words {
		said[i].unit = unit{tokens: tokens(a.Language, w.Word)}
	}
	for at := 0; at < len(said); {
		l := min(longestRepeat, (len(said)-at)/2)
		for l > 0 && !(equal(said, at, at+l, l) && !(l == 1 && emphatic(said[at]))) {
			l--
		}
		if l > 0 {
			n++
			for i := range l { // the false start, not what it was a start of
				a.Words[at+i].Status = new(learn.WordRepetition)
			}
		}
		at += max(l, 1)
	}
	return n
}

// emphatic knows words that are doubled on purpose, and numbers, which are dictated.
func emphatic(u utterance) bool {
	if len(u.tokens) == 0 {
		return false
	}
	t := u.tokens[0].text
	if t[0] >= '0' && t[0] <= '9' || learn.Wide([]rune(t)[0]) {
		return true
	}
	switch t {
	case "very", "no", "yes", "really", "so", "bye", "ha", "muy", "sí", "si", "oui", "non", "ja", "nein",
		"molto", "sehr", "très", "nous", "vous", "muito", "sim", "não", "да", "нет", "очень", "نعم", "لا", "네", "아니":
		return true
	}
	return false
}
