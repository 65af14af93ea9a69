package turntaking

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kalami/session/learn"
)

// questionKind is what kind of answer the tutor's last sentence asks for.
type questionKind int

const (
	noQuestion   questionKind = iota // a statement, or nothing: any answer
	polarQuery                       // yes or no
	choiceQuery                      // one of the alternatives that it names
	factQuery                        // a place, a time, a number, a person, a name
	openQuery                        // anything else that is asked with a question word
	tellMeInvite                     // an invitation to tell
)

// questionWords is how many words from the beginning of a sentence on a question word
// makes it a question; it may also be the last.
const questionWords = 3

// kindOf says what the last sentence of what the tutor said asks for, and returns it.
func kindOf(language, said string) (questionKind, string) {
	sentence := lastSentence(said)
	lex := lexiconOf(language)
	words := learn.Words(strings.ReplaceAll(sentence, "’", "'"))
	if !LooksFinished(sentence) {
		if slices.ContainsFunc(words, func(w string) bool { return lex.tell[w] }) || containsAny(sentence, lex.tell) {
			return tellMeInvite, sentence
		}
		return noQuestion, sentence
	}
	switch {
	case asksWith(words, sentence, lex.facts):
		return factQuery, sentence
	case asksWith(words, sentence, lex.asks):
		return openQuery, sentence
	case slices.ContainsFunc(words, func(w string) bool { return lex.or[w] }) || containsAny(sentence, lex.or):
		return choiceQuery, sentence
	}
	return polarQuery, sentence
}

// lastSentence is the last sentence of a text, with its mark.
func lastSentence(text string) string {
	text = strings.TrimSpace(text)
	_, size := utf8.DecodeLastRuneInString(text)
	body := text[:len(text)-size]
	from := strings.LastIndexAny(body, ".!?…。！？؟\n")
	if from < 0 {
		return text
	}
	_, size = utf8.DecodeRuneInString(body[from:])
	return strings.TrimSpace(text[from+size:])
}

// asksWith says whether one of the phrases, divided by commas, begins within the first
// words or ends the sentence. In Korean, and in a script without spaces, it may stand
// anywhere.
func asksWith(words []string, sentence, phrases string) bool {
	for phrase := range strings.SplitSeq(phrases, ",") {
		if phrase == "" {
			continue
		}
		if r, _ := utf8.DecodeRuneInString(phrase); spaceless(phrase) || unicode.Is(unicode.Hangul, r) { // "왜요" is "왜", politely
			if strings.Contains(sentence, phrase) {
				return true
			}
			continue
		}
		asked := strings.Fields(phrase)
		for i := range words {
			if i+len(asked) > len(words) || !slices.Equal(words[i:i+len(asked)], asked) {
				continue
			}
			if i < questionWords || i+len(asked) == len(words) {
				return true
			}
		}
	}
	return false
}

// spaceless says whether a phrase is of a script without spaces between words.
func spaceless(phrase string) bool {
	r, _ := utf8.DecodeRuneInString(phrase)
	return learn.Wide(r)
}

// containsAny looks for the words of a script without spaces.
func containsAny(sentence string, set map[string]bool) bool {
	for w := range set {
		if spaceless(w) && strings.Contains(sentence, w) {
			return true
		}
	}
	return false
}
