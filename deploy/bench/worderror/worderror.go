// Package worderror measures recognition: how many words must be put in, taken out
// or exchanged to turn what was heard into what was spoken. Divided by the words
// that were spoken, that is the word error rate, the usual measure of recognisers:
// 0 is perfect; it is above 1 when more was made up than was said.
//
//	c := worderror.Compare("a table for two", "the table for two people")
//	c.Errors, c.Words // 2, 4: one exchanged, one too many
//	c.Rate()          // 0.5
//
// Only words count: letter case, punctuation and the shape of apostrophes do not.
// Numbers are compared as they are written, so "8" for "eight" is an error.
package worderror

import (
	"strings"
	"unicode"
)

// Count is the result of a comparison.
type Count struct {
	// Errors are words exchanged, missing and too many.
	Errors int
	// Words are those that were spoken.
	Words int
}

// Compare counts the fewest errors that explain what was heard.
func Compare(spoken, heard string) Count {
	want, got := Words(spoken), Words(heard)
	return Count{Errors: distance(want, got), Words: len(want)}
}

// Add sums two counts, so that the rate of several utterances weighs each word alike.
func (c Count) Add(other Count) Count {
	return Count{Errors: c.Errors + other.Errors, Words: c.Words + other.Words}
}

// Rate is errors per spoken word. Where nothing was spoken, each word heard counts whole.
func (c Count) Rate() float64 { return float64(c.Errors) / float64(max(c.Words, 1)) }

// Words returns the text's words in lower case without punctuation. An apostrophe
// inside a word belongs to it, a hyphen parts two.
func Words(text string) []string {
	text = strings.ToLower(strings.ReplaceAll(text, "’", "'"))
	words := strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) && r != '\''
	})
	kept := words[:0]
	for _, w := range words {
		if w = strings.Trim(w, "'"); w != "" {
			kept = append(kept, w)
		}
	}
	return kept
}

// distance is Levenshtein's over words. It keeps one row of the table: best[j] is
// the cost of making the first j words of got from the words of want seen so far.
func distance(want, got []string) int {
	best := make([]int, len(got)+1)
	for j := range best {
		best[j] = j
	}
	for i, w := range want {
		diagonal := best[0]
		best[0] = i + 1
		for j, g := range got {
			exchanged := diagonal
			if w != g {
				exchanged++
			}
			diagonal = best[j+1]
			best[j+1] = min(exchanged, best[j]+1, best[j+1]+1)
		}
	}
	return best[len(got)]
}
