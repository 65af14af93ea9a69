package learn

import (
	"slices"
	"strings"
	"unicode"
)

// newWords checks which words the tutor introduced: they stand in what it said, and the
// learner had not just said them.
func (r Reviewed) newWords(raw []rawWord) []NewWord {
	answer := []rune(strings.ToValidUTF8(r.tutored(), "\ufffd"))
	message := []rune(strings.ToValidUTF8(r.Learner.Content, "\ufffd"))
	anywhere := func(int, int) bool { return true }
	var kept []NewWord
	for _, w := range raw {
		surface := line(w.Surface, wordMost)
		start, end, ok := find(answer, []rune(surface), anywhere)
		if !ok || len(kept) == newWordsMost {
			continue
		}
		level, _ := ParseLevel(w.Level)
		word := NewWord{
			Lemma: line(w.Lemma, wordMost), Surface: string(answer[start:end]), PartOf: line(w.PartOf, wordMost),
			Translation: line(w.Translation, wordMost), Level: level, Example: sentence(answer, start, end),
		}
		if _, _, said := find(message, []rune(surface), anywhere); said || word.Lemma == "" || word.Translation == "" ||
			!slices.ContainsFunc([]rune(word.Lemma), unicode.IsLetter) ||
			slices.ContainsFunc(kept, func(k NewWord) bool { return strings.EqualFold(k.Lemma, word.Lemma) }) {
			continue
		}
		kept = append(kept, word)
	}
	return kept
}

// l1Words checks which words the learner said in another language: they stand in the
// message, and what would have been right is something else, in the right script.
func (r Reviewed) l1Words(raw []L1Word) []L1Word {
	var kept []L1Word
	for _, w := range raw {
		text, ok := r.quoted(w.Text, wordMost)
		target := line(w.Target, wordMost)
		if !ok || len(kept) == l1WordsMost || bare(target) == "" || bare(target) == bare(text) || !hasScript(target, r.Language) ||
			slices.ContainsFunc(kept, func(k L1Word) bool { return bare(k.Text) == bare(text) }) {
			continue
		}
		kept = append(kept, L1Word{Text: text, Target: target})
	}
	return kept
}

// usedWords checks which due words the learner used: they were asked for, the words that
// prove it stand in the message and are no longer than a phrase of that many words, and
// nothing was wrong with them.
func (r Reviewed) usedWords(raw []rawQuote, wrong []Correction) []UsedWord {
	due := r.Plan.Within().Due
	message := []rune(strings.ToValidUTF8(r.Learner.Content, "\ufffd"))
	var kept []UsedWord
	for _, q := range raw {
		i := keyed(q.ID, len(due), wordKey)
		quote := line(q.Quote, wordMost)
		if i < 0 || bare(quote) == "" || len(strings.Fields(quote)) > len(strings.Fields(due[i].Text))+1 ||
			slices.ContainsFunc(kept, func(k UsedWord) bool { return k.ID == due[i].ID }) {
			continue
		}
		right := func(start, end int) bool {
			return !slices.ContainsFunc(wrong, func(c Correction) bool { return start < c.End && c.Start < end })
		}
		start, end, ok := find(message, []rune(quote), right)
		if !ok {
			continue
		}
		surface := string(message[start:end])
		kept = append(kept, UsedWord{ID: due[i].ID, Surface: surface, Prompted: r.told(surface) || r.told(due[i].Text)})
	}
	return kept
}

// told says whether a word stood in what the tutor had said, or in the help that was shown.
func (r Reviewed) told(word string) bool { return saidIn(r.Question, word) || saidIn(r.Help, word) }

// keyed is the place of what a model named among n; -1 when it named something else.
func keyed(id string, n int, key func(int) string) int {
	for i := range n {
		if id == key(i) {
			return i
		}
	}
	return -1
}

// saidIn says whether a text has a part, in any case and as whole words.
func saidIn(text, part string) bool {
	_, _, ok := find([]rune(strings.ToValidUTF8(text, "\ufffd")), []rune(part), func(int, int) bool { return true })
	return ok
}

// comprehension is a degree that a model named; empty when there is no such one.
func comprehension(s string) Comprehension {
	switch c := Comprehension(s); c {
	case UnderstoodAll, UnderstoodPart, UnderstoodNone:
		return c
	}
	return ""
}
