package pronounce

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"kalami/session/learn"
)

// Unsure is the recognition of a word, and the accuracy of a sound, below which it counts
// as hard to understand, of 100.
const Unsure float64 = unsure

// sittings is how many different conversations, or days of exercises, a word must have been
// hard to understand in: once may be the microphone.
const sittings = 2

// OftenMisheard finds what was hard to understand in two sittings or more, what has most
// evidence first and of the same the latest. Words are told apart without case.
func OftenMisheard(observed []learn.Observation) []learn.Misheard {
	type key struct{ kind, value, language string }
	type gathered struct {
		learn.Misheard
		sum float64
		in  map[string]bool
	}
	found := map[key]*gathered{}
	for _, o := range observed {
		if !(o.Score < Unsure) || o.Value == "" {
			continue
		}
		k := key{string(o.Kind), o.Value, o.Language}
		if o.Kind == learn.ProblemWord {
			k.value = strings.ToLower(o.Value)
		}
		g := found[k]
		if g == nil {
			g = &gathered{Misheard: learn.Misheard{Kind: o.Kind, Value: o.Value, Language: o.Language, Basis: learn.RecognitionBasis}, in: map[string]bool{}}
			found[k] = g
		}
		g.Evidence++
		g.sum += o.Score
		g.in[o.Sitting] = true
		if o.At.After(g.LastAt) {
			g.LastAt, g.Value = o.At, o.Value
		}
	}
	out := []learn.Misheard{}
	for _, g := range found {
		if g.Sittings = len(g.in); g.Sittings < sittings {
			continue
		}
		mean := new(rounded(g.sum / float64(g.Evidence)))
		if g.Recognition = mean; g.Kind == learn.ProblemSound {
			g.Recognition, g.Accuracy, g.Basis = nil, mean, learn.AcousticBasis
		}
		out = append(out, g.Misheard)
	}
	slices.SortFunc(out, func(a, b learn.Misheard) int {
		return cmp.Or(cmp.Compare(b.Evidence, a.Evidence), b.LastAt.Compare(a.LastAt),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Language, b.Language))
	})
	return out
}

// The length of a sentence to practise on, in units: enough for a context, not more than a
// breath.
const (
	drillLeast = 3
	drillMost  = 14
)

// Source is a text that sentences for practice may come from.
type Source struct {
	Text string
	// From is "tutor" or "exercise".
	From string
}

// Drills finds a sentence for each word in turn, at most most of them: the shortest of the
// sources in which it stands, the first of several. A sentence that has been chosen serves
// all words that stand in it. A word without a sentence is practised alone.
func Drills(language string, words []string, sources []Source, most int) []learn.Drill {
	out := []learn.Drill{}
	usable := sentencesOf(language, sources)
	covered := map[string]bool{}
	for _, w := range words {
		if len(out) == most {
			break
		}
		key := phraseKey(units(language, w))
		if key == "" || covered[key] {
			continue
		}
		d := learn.Drill{Text: w, Language: language, Targets: []string{w}, Source: "word"}
		if s, ok := shortestWith(usable, key); ok {
			d.Text, d.Source, d.Targets = s.text, s.from, nil
			for _, other := range words {
				if k := phraseKey(units(language, other)); k != "" && !covered[k] && s.has(k) {
					d.Targets = append(d.Targets, other)
					covered[k] = true
				}
			}
		}
		covered[key] = true
		out = append(out, d)
	}
	return out
}

// sentence is one that can be practised on.
type sentence struct {
	text, from, key string
	units           int
}

// has says whether a word, by its key, stands in the sentence.
func (s sentence) has(key string) bool { return strings.Contains(s.key, " "+key) }

// phraseKey is what units are found by within a sentence.
func phraseKey(us []unit) string {
	var b strings.Builder
	for _, u := range us {
		b.WriteString(u.key())
	}
	return b.String()
}

// shortestWith is the shortest sentence that has a word.
func shortestWith(all []sentence, key string) (best sentence, ok bool) {
	for _, s := range all {
		if s.has(key) && (!ok || s.units < best.units) {
			best, ok = s, true
		}
	}
	return best, ok
}

// sentencesOf cuts texts into sentences of a length to practise on.
func sentencesOf(language string, sources []Source) (out []sentence) {
	for _, source := range sources {
		for text := range sentences(source.Text) {
			if us := units(language, text); len(us) >= drillLeast && len(us) <= drillMost {
				out = append(out, sentence{text: text, from: source.From, key: " " + phraseKey(us), units: len(us)})
			}
		}
	}
	return out
}

// sentences cuts a text after the marks that end sentences, and at line ends.
func sentences(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		from, ended := 0, false
		for i, r := range text {
			if ended && !ending(string(r)) || r == '\n' {
				if !yield(strings.TrimSpace(text[from:i])) {
					return
				}
				from = i
			}
			ended = ending(string(r))
		}
		yield(strings.TrimSpace(text[from:]))
	}
}
