package pronounce

import (
	"cmp"
	"math"
	"slices"
	"time"

	"kalami/session/learn"
)

// unsure is the recognition below which a word was hard to understand, of 100. It is the
// confidence below which corrections are withheld.
const unsure = 60

// Sample is what a recogniser heard, and what is known of it.
type Sample struct {
	// Language is what was spoken, a BCP-47 tag whose region is ignored.
	Language string
	// Words in the order of speech, as the recogniser wrote them. Times that are no times
	// (an end before its start) count as missing, a confidence of 0 as not given.
	Words []learn.SpokenWord
	// Duration of the recording; 0 when it is not known: then it ends with the last word.
	Duration time.Duration
	// Fillers: the recogniser writes down the sounds of hesitation. It is believed for
	// English alone.
	Fillers bool
	// Native is the learner's own language: suggestions and the caveat are in it where it is
	// known here, in English otherwise.
	Native string
}

// Assess compares what was heard with the text that was to be read, or, when reference has
// no word, describes it on its own. The result rests on recognition: it has neither accuracy
// nor sounds nor a total. Provider, ids and time are left to the caller. The same input has
// the same result.
func Assess(reference string, s Sample) learn.Assessment {
	language := primary(s.Language)
	ref := units(language, reference)
	ref = ref[:min(len(ref), MaxUnits)]
	said, fillers := speech(language, s, ref)
	a := learn.Assessment{
		Mode: learn.Spontaneous, Language: language, Basis: learn.RecognitionBasis,
		Words: []learn.AssessedWord{},
	}
	if len(ref) > 0 {
		a.Mode, a.Reference = learn.Scripted, &reference
		a.Words = compare(ref, said)
		a.Scores.Completeness = completeness(a.Words)
	} else {
		a.Words = spoken(said)
	}
	a.Scores.Recognition = meanRecognition(a.Words)
	a.Fluency = fluency(language, s, said, fillers, breaks(a.Words, ref, said))
	a.Fluency.Repeats = repeats(a)
	finish(&a, s.Native)
	return a
}

// finish fills in what follows from the rest.
func finish(a *learn.Assessment, native string) {
	a.Capabilities = Capabilities(*a)
	a.ProblemAreas = problems(*a)
	a.Suggestions = suggestions(*a, native)
	a.Caveat = Caveat(a.Basis, native)
}

// Capabilities says what an assessment can tell, from what it tells.
func Capabilities(a learn.Assessment) []learn.Capability {
	out := []learn.Capability{}
	has := func(c learn.Capability, there bool) {
		if there {
			out = append(out, c)
		}
	}
	has(learn.CanCompleteness, a.Scores.Completeness != nil)
	has(learn.CanWordStatus, a.Mode == learn.Scripted)
	has(learn.CanRecognition, a.Scores.Recognition != nil)
	has(learn.CanFluency, a.Fluency.ArticulationWPM != nil)
	has(learn.CanAccuracy, a.Scores.Accuracy != nil)
	has(learn.CanProsody, a.Scores.Prosody != nil)
	has(learn.CanPhonemes, slices.ContainsFunc(a.Words, func(w learn.AssessedWord) bool { return len(w.Phonemes) > 0 }))
	return out
}

// completeness is how many words of the text were said, mispronounced ones among them.
func completeness(words []learn.AssessedWord) *float64 {
	wanted, said := 0, 0
	for _, w := range words {
		if w.RefIndex == nil {
			continue
		}
		wanted++
		if was(w, learn.WordMatch, learn.WordMispronounced) {
			said++
		}
	}
	if wanted == 0 {
		return nil
	}
	return new(rounded(100 * float64(said) / float64(wanted)))
}

// was says whether a word's status is one of some.
func was(w learn.AssessedWord, statuses ...learn.WordStatus) bool {
	return w.Status != nil && slices.Contains(statuses, *w.Status)
}

// meanRecognition is the mean over words that were said as they stand in the text, since
// how surely another word was understood says nothing about them; over all in free speech.
func meanRecognition(words []learn.AssessedWord) *float64 {
	sum, n := 0.0, 0
	for _, w := range words {
		if w.Recognition != nil && (w.Status == nil || was(w, learn.WordMatch, learn.WordRepetition)) {
			sum, n = sum+*w.Recognition, n+1
		}
	}
	if n == 0 {
		return nil
	}
	return new(rounded(sum / float64(n)))
}

// rounded is f to one decimal.
func rounded(f float64) float64 { return math.Round(f*10) / 10 }

// problems are the words that went wrong or were hard to understand, sounds that an assessor
// found off, and pauses within phrases; those with most evidence first.
func problems(a learn.Assessment) []learn.ProblemArea {
	var out []learn.ProblemArea
	observe := func(kind learn.ProblemKind, value string) {
		at := slices.IndexFunc(out, func(p learn.ProblemArea) bool { return p.Kind == kind && p.Value == value })
		if at < 0 {
			out = append(out, learn.ProblemArea{Kind: kind, Value: value, Evidence: 1})
			return
		}
		out[at].Evidence++
	}
	for _, w := range a.Words {
		if was(w, learn.WordOmission, learn.WordSubstitution, learn.WordMispronounced) || unclear(w) {
			observe(learn.ProblemWord, w.Word)
		}
		for _, p := range w.Phonemes {
			if p.Accuracy != nil && *p.Accuracy < unsure {
				observe(learn.ProblemSound, p.Symbol)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b learn.ProblemArea) int { return cmp.Compare(b.Evidence, a.Evidence) })
	out = slices.Concat(mostOf(out, learn.ProblemWord), mostOf(out, learn.ProblemSound))
	if n := a.Fluency.Pauses.InPhrase; n != nil && *n >= 2 && *n*8 >= a.Fluency.Units {
		out = append(out, learn.ProblemArea{Kind: learn.ProblemPauses, Value: "in_phrase", Evidence: *n})
	}
	if out == nil {
		return []learn.ProblemArea{}
	}
	return out
}

// unclear says whether a word of the text, or of free speech, was understood with doubt.
func unclear(w learn.AssessedWord) bool {
	return w.Recognition != nil && *w.Recognition < unsure && (w.Status == nil || was(w, learn.WordMatch))
}

// mostOf are the first of a kind.
func mostOf(all []learn.ProblemArea, kind learn.ProblemKind) (out []learn.ProblemArea) {
	const most = 5
	for _, p := range all {
		if p.Kind == kind && len(out) < most {
			out = append(out, p)
		}
	}
	return out
}
