package recall

import (
	"strings"
	"time"
	"unicode/utf8"

	"kalami/session/learn"
	"kalami/session/learn/pronounce"
)

const (
	// promptly and slowly are when an answer begins, after the end of the question.
	promptly = 2 * time.Second
	slowly   = 8 * time.Second
	// sure is the recogniser's confidence below which it may have misheard.
	sure = 0.6
	// aroundMost is how many more words than the card has may be said around the answer.
	aroundMost = 4
)

// Answer is what a learner said, or typed, when a card was asked.
type Answer struct {
	Language string // that is learned, a BCP-47 tag
	Text     string
	// Words are those that were heard, with their confidences; none when it was typed.
	Words []learn.SpokenWord
	// After is how long after the end of the question it began; it is not looked at when it
	// was typed.
	After  time.Duration
	Hinted bool // the learner had a hint
}

// Verdict is what becomes of an answer.
type Verdict struct {
	Right  bool
	Rating learn.Rating
	// Unsure: what was heard is not the answer, and may not be what was said. There is no
	// rating then.
	Unsure bool
}

// Spoken says whether a card can be asked by voice.
func Spoken(c learn.Card) bool {
	return c.Kind == learn.CardProduce || c.Kind == learn.CardSpeak || c.Kind == learn.CardFix
}

// Judge rates the answer to a card.
func Judge(c learn.Card, a Answer) Verdict {
	typed := len(a.Words) == 0
	words := a.Words
	if typed {
		for _, w := range strings.Fields(a.Text) {
			words = append(words, learn.SpokenWord{Text: w})
		}
	}
	for _, expected := range Answers(c) {
		around, ok := said(expected, a.Language, words)
		switch {
		case !ok:
			continue
		case a.Hinted, !typed && a.After > slowly:
			return Verdict{Right: true, Rating: learn.Hard}
		case !typed && a.After < promptly && around == 0:
			return Verdict{Right: true, Rating: learn.Easy}
		}
		return Verdict{Right: true, Rating: learn.Good}
	}
	if confidence(words) < sure {
		return Verdict{Unsure: true}
	}
	return Verdict{Rating: learn.Again}
}

// Answers are the right answers to a card: its back, without what stands in parentheses, or
// the parts of it between slashes or semicolons. There is at least one.
func Answers(c learn.Card) []string {
	var plain strings.Builder
	depth := 0
	for _, r := range c.Back {
		switch r {
		case '(', '（', '[':
			depth++
		case ')', '）', ']':
			depth = max(0, depth-1)
		default:
			if depth == 0 {
				plain.WriteRune(r)
			}
		}
	}
	var all []string
	for _, part := range strings.FieldsFunc(plain.String(), func(r rune) bool { return strings.ContainsRune("/;；／", r) }) {
		if part = strings.TrimSpace(part); learn.CardKey(part) != "" {
			all = append(all, part)
		}
	}
	if len(all) == 0 {
		return []string{c.Back}
	}
	return all
}

// said says whether all of a text was said, and how many words were said around it.
func said(text, language string, words []learn.SpokenWord) (around int, ok bool) {
	expected := 0
	for _, w := range pronounce.Assess(text, pronounce.Sample{Language: language, Words: words}).Words {
		switch {
		case w.RefIndex == nil:
			around++
		case w.Status == nil || *w.Status != learn.WordMatch:
			return 0, false
		default:
			expected++
		}
	}
	return around, expected > 0 && around <= expected+aroundMost
}

// confidence is the mean of those that the recogniser has told; 1 when it told none.
func confidence(words []learn.SpokenWord) float64 {
	sum, n := 0.0, 0
	for _, w := range words {
		if w.Confidence > 0 {
			sum, n = sum+w.Confidence, n+1
		}
	}
	if n == 0 {
		return 1
	}
	return sum / float64(n)
}

// Hint is the beginning of the answer to a card: its first word and the first letter of the
// next one, or the first letter of a single word.
func Hint(c learn.Card) string {
	words := strings.Fields(Answers(c)[0])
	if len(words) == 0 {
		return ""
	}
	first, _ := utf8.DecodeRuneInString(words[0])
	if len(words) == 1 {
		return string(first) + "…"
	}
	next, _ := utf8.DecodeRuneInString(words[1])
	return words[0] + " " + string(next) + "…"
}
