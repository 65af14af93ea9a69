package pronounce

import (
	"slices"

	"kalami/session/learn"
)

// Judgement is what an assessor that was trained on sounds says of a text that was read. Its
// figures are of 0 to 100, nil where it gives none.
type Judgement struct {
	Provider, Version                                 string
	Overall, Accuracy, Completeness, Fluency, Prosody *float64
	// Words are those of the text, in its order. Words that the assessor heard besides may be
	// among them; they are passed over.
	Words []JudgedWord
}

// JudgedWord is one word as the assessor judged it.
type JudgedWord struct {
	Word          string
	Accuracy      *float64
	Mispronounced bool
	// Added: it does not stand in the text.
	Added    bool
	Phonemes []learn.Phoneme
}

// Judge fills into a scripted assessment what an assessor has heard. What the recogniser
// found stays: only a word that it understood as it stands in the text may turn out to be
// mispronounced. A figure that is no number of 0 to 100 is not taken.
func Judge(a *learn.Assessment, j Judgement, native string) {
	a.Provider, a.ProviderVersion, a.Basis = j.Provider, j.Version, learn.AcousticBasis
	a.Overall = score(j.Overall)
	a.Scores.Accuracy, a.Scores.Fluency, a.Scores.Prosody = score(j.Accuracy), score(j.Fluency), score(j.Prosody)
	var judged []unit
	var from []JudgedWord // of each unit
	for _, w := range j.Words {
		if w.Added {
			continue
		}
		for _, u := range units(a.Language, w.Word) {
			judged, from = append(judged, u), append(from, w)
			w.Phonemes = nil // they stand with its first unit
		}
	}
	judged = judged[:min(len(judged), MaxUnits)]
	var ref []unit
	var at []int // where a unit of the text stands among the words
	for i, w := range a.Words {
		if w.RefIndex != nil {
			ref, at = append(ref, unit{tokens: tokens(a.Language, w.Word)}), append(at, i)
		}
	}
	refTokens, judgedTokens := flat(ref), flat(judged)
	l := linked(align(refTokens, judgedTokens), refTokens, judgedTokens, len(ref), len(judged))
	for r, us := range l.heard {
		if l.whole[r] {
			take(&a.Words[at[r]], us, from)
		}
	}
	finish(a, native)
}

// take writes what was said of a word into it.
func take(w *learn.AssessedWord, units []int, from []JudgedWord) {
	sum, n := 0.0, 0
	for _, u := range units {
		j := from[u]
		if accuracy := score(j.Accuracy); accuracy != nil {
			sum, n = sum+*accuracy, n+1
		}
		if j.Mispronounced && was(*w, learn.WordMatch) {
			w.Status = new(learn.WordMispronounced)
		}
		for _, p := range j.Phonemes {
			p.Accuracy = score(p.Accuracy)
			w.Phonemes = append(w.Phonemes, p)
		}
	}
	w.Phonemes = slices.Clip(w.Phonemes)
	if n > 0 {
		w.Accuracy = new(rounded(sum / float64(n)))
	}
}

// score is a figure that may be shown; nil for one that is none.
func score(f *float64) *float64 {
	if f == nil || !(*f >= 0 && *f <= 100) {
		return nil
	}
	return new(rounded(*f))
}
