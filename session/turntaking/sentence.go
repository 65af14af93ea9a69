package turntaking

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kalami/session/learn"
)

const (
	// fewWords is how many words or fewer are little said about an open question.
	fewWords = 5
	// someWords is how many words or fewer are an answer to a closed one; who says more
	// has begun to tell. They are also the one sentence with which few will leave it who
	// were invited to tell.
	someWords = 8
	// manyWords is how many are a whole answer to an open question. Whoever was invited
	// to tell may go on for longer.
	manyWords = 10
)

// Judge says by how much patience is to be stretched after text, more than 1 when its
// sentence goes on and less when it ends, and why. question is what the tutor said before.
func Judge(language, text, question string) (stretch float64, why Why) {
	text = clip(text)
	kind, asked := kindOf(language, question)
	words := answer(language, text)
	closed := kind == polarQuery || kind == choiceQuery || kind == factQuery
	switch {
	case kind != noQuestion && kind != tellMeInvite && ClosedAnswer(text),
		kind == polarQuery && shortAnswer(language, words),
		kind == choiceQuery && chosen(language, words, asked):
		return finishedShrink, WhyAnswered
	case LooksUnfinished(language, text):
		return unfinishedStretch, WhyUnfinished
	case LooksFinished(text):
		return finishedShrink, WhyFinished
	case closed && len(words) > someWords || len(words) == 0:
		return 1, WhyPatience
	case kind == polarQuery && len(words) > 1, kind == factQuery && names(language, text, words):
		return answeredShrink, WhyAnswered
	case kind == openQuery && len(words) <= fewWords, kind == tellMeInvite && len(words) <= someWords:
		return invitedStretch, WhyInvited
	case kind == openQuery && len(words) > manyWords:
		return answeredShrink, WhyAnswered
	}
	return 1, WhyPatience
}

// judgedBytes bounds how much of a text is looked at: its end decides.
const judgedBytes = 1000

// clip is the end of a text that is longer than anybody's sentence.
func clip(text string) string {
	if len(text) <= judgedBytes {
		return text
	}
	text = text[len(text)-judgedBytes:]
	for len(text) > 0 && !utf8.RuneStart(text[0]) {
		text = text[1:]
	}
	return text
}

// answer is the words of a text, or in a script without spaces its characters, without
// fillers at the beginning and polite words at the end.
func answer(language, text string) []string {
	words := learn.Units(learn.Words(strings.ReplaceAll(text, "’", "'")))
	fillers := lexiconOf(language).fillers
	for len(words) > 0 && (sounds[words[0]] || fillers[words[0]]) {
		words = words[1:]
	}
	for len(words) > 1 && polite[words[len(words)-1]] {
		words = words[:len(words)-1]
	}
	return words
}

// LooksUnfinished says whether a speaker who stopped here has plainly more to
// say: the text ends in a comma, an ellipsis, an article, preposition,
// conjunction, auxiliary or filler, or in a word said twice. A full stop says nothing:
// recognisers put one at every pause.
func LooksUnfinished(language, text string) bool {
	text = strings.TrimSpace(clip(text))
	if text == "" {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(text)
	if strings.ContainsRune(",;:、，،؛…-–—", last) || strings.HasSuffix(text, "...") {
		return true
	}
	if strings.ContainsRune("?!？！。؟", last) {
		return false
	}
	words := learn.Words(strings.ReplaceAll(text, "’", "'"))
	if len(words) == 0 {
		return false
	}
	end := words[len(words)-1]
	if len(words) > 1 && words[len(words)-2] == end && !assents[end] && !refusals[end] {
		return true
	}
	lex := lexiconOf(language)
	return sounds[end] || lex.fillers[end] || lex.function[end] || lex.prepositions[end] || lex.verbs[end] || trailsOff(lex, end)
}

// trailsOff says whether the last word, or the whole sentence in a script without
// spaces, ends in something with which no sentence of the language ends.
func trailsOff(lex lexicon, end string) bool {
	if strings.HasSuffix(end, "こんにちは") || strings.HasSuffix(end, "こんばんは") { // they end like a topic, but greet
		return false
	}
	return slices.ContainsFunc(lex.tails, func(tail string) bool { return strings.HasSuffix(end, tail) })
}

// LooksFinished says whether the text plainly asks for an answer. A full stop
// alone does not count: recognisers put one at every pause.
func LooksFinished(text string) bool {
	last, _ := utf8.DecodeLastRuneInString(strings.TrimSpace(text))
	return last == '?' || last == '？' || last == '؟'
}

// ClosedAnswer says whether the text is nothing but a yes or a no.
func ClosedAnswer(text string) bool {
	words := learn.Words(text)
	for _, w := range words {
		if !backchannels[w] && !refusals[w] && !assents[w] {
			return false
		}
	}
	return len(words) > 0
}

// shortAnswer is a yes or a no and two words at most of which one is an auxiliary or a
// modal: "yes, I do", "no, no puedo", "ja, habe ich".
func shortAnswer(language string, words []string) bool {
	if len(words) < 2 || len(words) > 4 || !assents[words[0]] && !refusals[words[0]] {
		return false
	}
	lex := lexiconOf(language)
	verb := func(w string) bool { return lex.verbs[w] }
	last := words[len(words)-1]
	if language := primary(language); language == "de" { // the verb comes before its subject
		return slices.ContainsFunc(words[1:], verb) && (lex.function[last] || lex.verbs[last]) && !lex.prepositions[last]
	}
	return verb(last)
}

// chosen says whether the last word of the answer is one of the question's, and no word
// with which no sentence ends: it names one of the alternatives.
func chosen(language string, words []string, question string) bool {
	if len(words) == 0 {
		return false
	}
	last, lex := words[len(words)-1], lexiconOf(language)
	if lex.function[last] || lex.prepositions[last] || lex.verbs[last] || lex.fillers[last] {
		return false
	}
	return slices.Contains(learn.Units(learn.Words(question)), last)
}

// names says whether an answer has what a place, a time, a number or a person is named
// with: a figure, a number, a preposition, or a capital letter within the sentence.
func names(language, text string, words []string) bool {
	lex := lexiconOf(language)
	if slices.ContainsFunc(words, func(w string) bool {
		return lex.numbers[w] || strings.ContainsFunc(w, unicode.IsNumber)
	}) {
		return true
	}
	if len(words) < 2 {
		return false
	}
	if spaceless(words[len(words)-1]) {
		return true
	}
	if slices.ContainsFunc(words[:len(words)-1], func(w string) bool { return lex.prepositions[w] }) {
		return true
	}
	for i, w := range strings.Fields(text) {
		if r, _ := utf8.DecodeRuneInString(w); i > 0 && unicode.IsUpper(r) && w != "I" && !strings.HasPrefix(w, "I'") {
			return true
		}
	}
	return false
}
