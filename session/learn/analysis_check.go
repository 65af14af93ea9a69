package learn

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

const (
	// sureHeard is the recogniser's confidence below which a word may have been
	// misheard: what is "wrong" there may be the recogniser's own mistake.
	sureHeard = 0.6
	// sureWrong is the model's confidence below which a correction is not shown.
	sureWrong = 0.5
)

// corrections checks what a model would correct. See [ReadAnalysis].
func (r Reviewed) corrections(raw []rawCorrection) []Correction {
	// The worst first, so that when there are too many the least matter is left out.
	slices.SortStableFunc(raw, func(a, b rawCorrection) int {
		return cmp.Compare(weight(b.Severity), weight(a.Severity))
	})
	message := []rune(strings.ToValidUTF8(r.Learner.Content, "\ufffd"))
	var kept []Correction
	shown, withheld := 0, 0
	for _, c := range raw {
		checked, ok := r.correction(message, c, kept)
		switch {
		case !ok:
			continue
		case checked.Withheld:
			if withheld++; withheld > correctionsWithheld {
				continue
			}
		default:
			if shown++; shown > correctionsShown {
				continue
			}
		}
		kept = append(kept, checked)
	}
	slices.SortFunc(kept, func(a, b Correction) int { return cmp.Compare(a.Start, b.Start) })
	return kept
}

// weight orders severities; one that is not known weighs least.
func weight(severity string) int {
	return slices.Index([]Severity{Minor, Major, Blocking}, Severity(severity))
}

// correction checks one, and finds its place beside those that were kept.
func (r Reviewed) correction(message []rune, raw rawCorrection, kept []Correction) (Correction, bool) {
	original, corrected := line(raw.Original, spanMost), line(raw.Corrected, spanMost)
	c := Correction{
		Corrected: corrected, Category: Category(raw.Category), Severity: Severity(raw.Severity),
		Explanation: line(raw.Explanation, explanationMost), ExplanationLanguage: r.explainedIn(),
		Confidence: min(max(raw.Confidence, 0), 1),
	}
	if weight(raw.Severity) < 0 {
		c.Severity = Minor
	}
	switch {
	case original == "" || !slices.Contains(Categories(), c.Category):
		return c, false
	case corrected == "" && (c.Category != Extra || strings.TrimSpace(raw.Corrected) != ""):
		return c, false
	case fluent(original) == fluent(corrected), bare(original) == "":
		return c, false
	case !hasScript(corrected, r.Language):
		return c, false
	case c.Explanation == "" || !writtenIn(c.Explanation, c.ExplanationLanguage):
		return c, false
	}
	free := func(start, end int) bool {
		return !slices.ContainsFunc(kept, func(k Correction) bool { return start < k.End && k.Start < end })
	}
	var ok bool
	if c.Start, c.End, ok = find(message, []rune(original), free); !ok {
		return c, false
	}
	c.Original = string(message[c.Start:c.End])
	c.HeardConfidence = heardConfidence(message, r.Learner.Words, c.Start, c.End)
	c.Withheld = c.Confidence < sureWrong || c.HeardConfidence > 0 && c.HeardConfidence < sureHeard
	return c, true
}

// sentence is the sentence around a place in a text; empty when it is very long.
func sentence(text []rune, start, end int) string {
	start, end = sentenceAt(text, start, end)
	return line(string(text[start:end]), exampleMost)
}

// sentenceAt is where the sentence of a span begins and ends.
func sentenceAt(text []rune, start, end int) (int, int) {
	ends := func(r rune) bool { return strings.ContainsRune(".!?…。！？؟\n", r) }
	for start > 0 && !ends(text[start-1]) {
		start--
	}
	for end < len(text) && !ends(text[end-1]) {
		end++
	}
	return start, end
}

// find returns the first place of part in text that is free and does not begin or end
// within a word: as it is written, else in any case. The model saw the text as [Said]
// returns it, in which each character has the same place.
func find(text, part []rune, free func(start, end int) bool) (start, end int, ok bool) {
	if len(part) == 0 {
		return 0, 0, false
	}
	for _, equal := range []func(a, b rune) bool{sameRune, sameLetter} {
		for at := 0; at+len(part) <= len(text); at++ {
			if matchesAt(text[at:], part, equal) && wordEdge(text, at) && wordEdge(text, at+len(part)) && free(at, at+len(part)) {
				return at, at + len(part), true
			}
		}
	}
	return 0, 0, false
}

func matchesAt(text, part []rune, equal func(a, b rune) bool) bool {
	for i, r := range part {
		if !equal(asSeen(text[i]), asSeen(r)) {
			return false
		}
	}
	return true
}

// asSeen is a character as the model sees it, white space as one kind.
func asSeen(r rune) rune {
	switch {
	case r == '<':
		return '‹'
	case r == '>':
		return '›'
	case unicode.IsSpace(r):
		return ' '
	}
	return r
}

func sameRune(a, b rune) bool { return a == b }

func sameLetter(a, b rune) bool { return unicode.ToLower(a) == unicode.ToLower(b) }

// wordEdge says whether a text may be cut at a place: not between two letters or digits
// of a script that writes spaces.
func wordEdge(text []rune, at int) bool {
	return at == 0 || at == len(text) || !inWord(text[at-1]) || !inWord(text[at])
}

func inWord(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)) &&
		!unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// bare is a text without case and punctuation, which the recogniser put there.
func bare(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r)
	})
	return strings.Join(words, " ")
}

// fluent is bare without words that are said twice in a row: hesitating is no mistake.
func fluent(s string) string {
	return strings.Join(slices.Compact(strings.Fields(bare(s))), " ")
}

// heardConfidence is the recogniser's lowest confidence for the words that overlap a
// span of the message; 0 when it gave none. Words are found in the message one after
// the other; one that is not found, because its text was formatted, is passed over.
func heardConfidence(message []rune, words []SpokenWord, start, end int) float64 {
	lowest, from := 0.0, 0
	anywhere := func(int, int) bool { return true }
	for _, w := range words {
		at, to, ok := find(message[from:], []rune(strings.TrimSpace(w.Text)), anywhere)
		if !ok {
			continue
		}
		at, to = at+from, to+from
		from = to
		if at < end && start < to && w.Confidence > 0 && (lowest == 0 || w.Confidence < lowest) {
			lowest = w.Confidence
		}
	}
	return lowest
}
