package pronounce

import (
	"slices"
	"strings"

	"kalami/session/learn"
)

// utterance is a unit that was heard.
type utterance struct {
	unit
	timed      bool
	startMS    int
	endMS      int
	confidence float64
	// pauseMS is the silence before it; what comes before the first word counts.
	pauseMS int
}

// speech cuts what was heard into units, without fillers, which it counts. A word that is
// cut hands its time on in equal parts.
func speech(language string, s Sample, ref []unit) (said []utterance, fillers int) {
	end := 0 // of what was heard before, fillers included
	for _, w := range s.Words {
		cut := units(language, w.Text)
		timed := w.EndMS > w.StartMS && w.StartMS >= 0 && w.EndMS <= maxMS
		start, length := max(w.StartMS, end), 0
		if timed {
			length = max(w.EndMS-start, 0)
		}
		for i, u := range cut {
			v := utterance{unit: u, timed: timed, confidence: bounded(w.Confidence)}
			if timed {
				v.startMS, v.endMS = start+length*i/len(cut), start+length*(i+1)/len(cut)
				v.pauseMS, end = max(v.startMS-end, 0), v.endMS
			}
			if language == "en" && isFiller(u) && !slices.ContainsFunc(ref, func(r unit) bool { return r.key() == u.key() }) {
				fillers++
				continue
			}
			if len(said) == MaxUnits {
				return said, fillers
			}
			said = append(said, v)
		}
	}
	for i := range said {
		for t := range said[i].tokens {
			said[i].tokens[t].unit = i
		}
	}
	return said, fillers
}

// maxMS is the latest time that is believed: a day.
const maxMS = 24 * 60 * 60 * 1000

// bounded is a confidence as it should be; 0, for none, when it is no number.
func bounded(c float64) float64 {
	if !(c > 0) {
		return 0
	}
	return min(c, 1)
}

// isFiller knows the sounds of hesitation that recognisers write down in English.
func isFiller(u unit) bool {
	switch u.key() {
	case "um ", "umm ", "uh ", "uhm ", "er ", "erm ", "hmm ", "mm ":
		return true
	}
	return false
}

// flat are all tokens of units.
func flat(us []unit) (out []token) {
	for i, u := range us {
		for _, t := range u.tokens {
			t.unit = i
			out = append(out, t)
		}
	}
	return out
}

// unitsOf are the units alone.
func unitsOf(said []utterance) []unit {
	out := make([]unit, len(said))
	for i, u := range said {
		out[i] = u.unit
	}
	return out
}

// links say which units an alignment has put together.
type links struct {
	heard [][]int // for each unit of the text, what was heard for it, in order
	whole []bool  // for each unit of the text: every token matches
	clean []bool  // for each that was heard: every token matches
}

// linked follows an alignment from tokens to units.
func linked(pairs []pair, ref, heard []token, refs, heards int) links {
	l := links{heard: make([][]int, refs), whole: make([]bool, refs), clean: make([]bool, heards)}
	for i := range l.whole {
		l.whole[i] = true
	}
	for i := range l.clean {
		l.clean[i] = true
	}
	for _, p := range pairs {
		if p.ref >= 0 && !p.match {
			l.whole[ref[p.ref].unit] = false
		}
		if p.heard >= 0 && !p.match {
			l.clean[heard[p.heard].unit] = false
		}
		if p.ref >= 0 && p.heard >= 0 {
			r, h := ref[p.ref].unit, heard[p.heard].unit
			if !slices.Contains(l.heard[r], h) {
				l.heard[r] = append(l.heard[r], h)
			}
		}
	}
	return l
}

// compare lists the words of a text with what became of them, and what was added.
func compare(ref []unit, said []utterance) []learn.AssessedWord {
	refTokens, heardTokens := flat(ref), flat(unitsOf(said))
	pairs := align(refTokens, heardTokens)
	l := linked(pairs, refTokens, heardTokens, len(ref), len(said))
	added := make([]bool, len(said))
	for h := range added {
		added[h] = true
	}
	for _, hs := range l.heard {
		for _, h := range hs {
			added[h] = false
		}
	}
	again := repeated(said, added)
	out := make([]learn.AssessedWord, 0, len(pairs))
	nextRef, nextHeard := 0, 0
	for _, p := range pairs {
		if p.ref >= 0 && refTokens[p.ref].unit == nextRef {
			out = append(out, l.word(ref, said, nextRef))
			nextRef++
		}
		if p.heard >= 0 && heardTokens[p.heard].unit >= nextHeard {
			h := heardTokens[p.heard].unit
			nextHeard = h + 1
			if added[h] {
				out = append(out, extra(said[h], again[h]))
			}
		}
	}
	return numbered(out)
}

// word is what became of a unit of the text.
func (l links) word(ref []unit, said []utterance, r int) learn.AssessedWord {
	w := learn.AssessedWord{RefIndex: new(r), Word: ref[r].shown}
	hs := l.heard[r]
	if len(hs) == 0 {
		w.Status = new(learn.WordOmission)
		return w
	}
	status := learn.WordMatch
	if !l.whole[r] {
		status = learn.WordSubstitution
	}
	var heard []string
	sum, sure := 0.0, true
	for _, h := range hs {
		if !l.clean[h] {
			status = learn.WordSubstitution
		}
		heard = append(heard, said[h].shown)
		sum, sure = sum+said[h].confidence, sure && said[h].confidence > 0
	}
	w.Status, w.Heard = &status, new(strings.Join(heard, " "))
	if sure {
		w.Recognition = new(rounded(100 * sum / float64(len(hs))))
	}
	first, last := said[hs[0]], said[hs[len(hs)-1]]
	if first.timed && last.timed {
		w.StartMS, w.EndMS, w.PauseBeforeMS = new(first.startMS), new(last.endMS), new(first.pauseMS)
	}
	return w
}

// extra is a word that does not stand in the text.
func extra(u utterance, again bool) learn.AssessedWord {
	w := free(u)
	w.Status = new(learn.WordInsertion)
	if again {
		w.Status = new(learn.WordRepetition)
	}
	return w
}

// free is a word of which nothing is known but that it was heard.
func free(u utterance) learn.AssessedWord {
	w := learn.AssessedWord{Word: u.shown, Heard: new(u.shown)}
	if u.confidence > 0 {
		w.Recognition = new(rounded(100 * u.confidence))
	}
	if u.timed {
		w.StartMS, w.EndMS, w.PauseBeforeMS = new(u.startMS), new(u.endMS), new(u.pauseMS)
	}
	return w
}

// spoken lists what was said freely.
func spoken(said []utterance) []learn.AssessedWord {
	out := make([]learn.AssessedWord, len(said))
	for i, u := range said {
		out[i] = free(u)
	}
	return numbered(out)
}

// numbered counts what was said.
func numbered(words []learn.AssessedWord) []learn.AssessedWord {
	n := 0
	for i := range words {
		if words[i].Heard != nil {
			words[i].Index = new(n)
			n++
		}
	}
	return words
}
