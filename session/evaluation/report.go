package evaluation

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// Report is what was counted.
type Report struct {
	Utterances int
	Correct    int // utterances without a mistake
	Failed     int // utterances that were not analysed
	// Gold is how many mistakes there are in what was analysed, Shown how many corrections
	// learners were shown, Right how many of them were right, and Named how many of these
	// have the category that they should have.
	Gold, Shown, Right, Named int
	// Found is how many mistakes were marked, be it with another correction.
	Found int
	// Spoiled is how many correct utterances were corrected.
	Spoiled int
}

// add counts one utterance.
func (r *Report) add(u Utterance, got result) {
	r.Utterances++
	if got.err != nil {
		r.Failed++
		return
	}
	gold := u.Wrong != ""
	if gold {
		r.Gold++
	} else {
		r.Correct++
	}
	right, found, shown := false, false, 0
	text := []rune(u.Reviewed.Learner.Content)
	start, end := u.place(text)
	want := plain(string(text[:start]) + u.Right + string(text[end:]))
	for _, c := range got.analysis.Corrections {
		if c.Withheld {
			continue
		}
		shown++
		if !gold {
			continue
		}
		found = found || c.Start < end && start < c.End
		if !right && plain(string(text[:c.Start])+c.Corrected+string(text[c.End:])) == want {
			right = true
			if c.Category == u.Category {
				r.Named++
			}
		}
	}
	r.Shown += shown
	r.count(gold, right, found, shown > 0)
}

func (r *Report) count(gold, right, found, shown bool) {
	if right {
		r.Right++
	}
	if found {
		r.Found++
	}
	if !gold && shown {
		r.Spoiled++
	}
}

// place is where the mistake stands in the utterance: the first place that does not begin or
// end within a word.
func (u Utterance) place(text []rune) (start, end int) {
	wrong := []rune(u.Wrong)
	for at := 0; at+len(wrong) <= len(text); at++ {
		before, behind := at == 0 || !unicode.IsLetter(text[at-1]), at+len(wrong) == len(text) || !unicode.IsLetter(text[at+len(wrong)])
		if before && behind && slices.Equal(text[at:at+len(wrong)], wrong) {
			return at, at + len(wrong)
		}
	}
	return 0, 0
}

// plain is a text as a recogniser could have written it: without case and punctuation.
func plain(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r)
	}), " ")
}

// Precision is the share of the shown corrections that were right; 1 when none was shown.
func (r Report) Precision() float64 { return share(r.Right, r.Shown, 1) }

// Recall is the share of the mistakes that were corrected rightly; 1 when there was none.
func (r Report) Recall() float64 { return share(r.Right, r.Gold, 1) }

// F05 is the harmonic mean of precision and recall in which precision weighs twice as much;
// 0 when both are.
func (r Report) F05() float64 {
	p, c := r.Precision(), r.Recall()
	if p+c == 0 {
		return 0
	}
	return 1.25 * p * c / (0.25*p + c)
}

// FalseCorrections is the share of the correct utterances that were corrected; 0 when there
// was none.
func (r Report) FalseCorrections() float64 { return share(r.Spoiled, r.Correct, 0) }

func share(part, of int, none float64) float64 {
	if of == 0 {
		return none
	}
	return float64(part) / float64(of)
}

// Print writes the report for people.
func (r Report) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, `utterances          %d (%d correct, %d with a mistake, %d not analysed)
corrections shown   %d, of which %d right, %d of these in the right category
mistakes marked     %d of %d
precision           %.3f
recall              %.3f
F0.5                %.3f
false corrections   %.3f of the correct utterances
`, r.Utterances, r.Correct, r.Gold, r.Failed, r.Shown, r.Right, r.Named, r.Found, r.Gold, r.Precision(), r.Recall(), r.F05(), r.FalseCorrections())
	return err
}
