// Package lexicon says how hard words are, by CEFR level.
//
// It ships a list of its own for each of six languages: some eight hundred words with the
// levels at which a teacher would expect them, enough to notice a tutor that has become too
// hard and to get an idea of a learner's vocabulary, and no more than that. They were written
// for this project and have its licence.
//
// Better lists exist, under terms of their own, and are not shipped. [Lexicon.With] reads
// them from a directory as they are published, for instance the CEFR-J vocabulary profile
// (English, A1 to B2; free to use with its citation) and the Octanove vocabulary profile
// (English, C1 and C2; CC BY-SA 4.0). A file is CSV in UTF-8 whose first line names its
// columns: headword and CEFR are read, others are not. Its name begins with the language:
// en.csv, en-cefrj.csv. Where a file has a word, what is shipped says nothing of it any more.
//
// A headword may have several forms, "favorably/favourably". Where a word stands several
// times, as noun and as verb, the lowest level counts: whoever hears it may know it as that.
// Headwords of several words are passed over, since single words are asked for.
package lexicon

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"unicode/utf8"

	"kalami/session/learn"
)

//go:embed words/*.csv
var shipped embed.FS

// Lexicon knows the levels of words. It does not change, and is safe for concurrent use.
type Lexicon struct {
	words map[string]map[string]learn.Level // by language and folded word
}

// Shipped returns the lists that come with the program.
func Shipped() (*Lexicon, error) {
	own, err := fs.Sub(shipped, "words")
	if err != nil {
		return nil, fmt.Errorf("lexicon: %w", err)
	}
	return new(Lexicon).With(own)
}

// With returns the lexicon with the lists of a directory, whose words take the place of its
// own. It is an error, which names the file and the line, when one of them is not as the
// package says: then none is taken.
func (l *Lexicon) With(dir fs.FS) (*Lexicon, error) {
	lists, err := readLists(dir)
	if err != nil {
		return nil, err
	}
	both := &Lexicon{words: map[string]map[string]learn.Level{}}
	for language, words := range l.words {
		both.words[language] = maps.Clone(words)
	}
	for language, words := range lists {
		if both.words[language] == nil {
			both.words[language] = map[string]learn.Level{}
		}
		maps.Copy(both.words[language], words)
	}
	return both, nil
}

// Words is how many words of a language are known.
func (l *Lexicon) Words(language string) int { return len(l.words[language]) }

// Level is the level of a word of a language (a BCP-47 primary subtag), in any case; ok is
// false when nothing is known of it. A form that stands in no list is looked for without its
// regular ending.
func (l *Lexicon) Level(language, word string) (level learn.Level, ok bool) {
	words := l.words[language]
	if len(words) == 0 {
		return "", false
	}
	word = learn.Fold(word)
	if level, ok = words[word]; ok {
		return level, true
	}
	for _, e := range endings[language] {
		stem, ends := strings.CutSuffix(word, e.from)
		if !ends || utf8.RuneCountInString(stem) < stemLeast {
			continue
		}
		if level, ok = words[stem+e.to]; ok {
			return level, true
		}
	}
	return "", false
}

// Above says whether a word is above a level; known is false when nothing is known of it.
func (l *Lexicon) Above(language, word string, level learn.Level) (above, known bool) {
	is, ok := l.Level(language, word)
	return ok && is > level, ok // the levels' names are in their order
}

// stemLeast is how many letters a form has to have without its ending: of shorter ones the
// ending is too likely to be a part of the word.
const stemLeast = 3

// ending is what a regular form has in the place of what the headword has.
type ending struct{ from, to string }

// endings are the commonest of each language, those first that say most.
var endings = map[string][]ending{
	"en": {{"ies", "y"}, {"ied", "y"}, {"ing", ""}, {"ing", "e"}, {"ed", ""}, {"ed", "e"}, {"es", ""}, {"s", ""}, {"ly", ""}, {"er", ""}, {"'s", ""}},
	"es": {{"as", "o"}, {"a", "o"}, {"os", "o"}, {"ces", "z"}, {"es", ""}, {"s", ""}, {"mente", ""},
		{"o", "ar"}, {"as", "ar"}, {"a", "ar"}, {"amos", "ar"}, {"an", "ar"}, {"ó", "ar"}, {"é", "ar"}, {"ando", "ar"}, {"ado", "ar"},
		{"o", "er"}, {"es", "er"}, {"e", "er"}, {"emos", "er"}, {"en", "er"}, {"ió", "er"}, {"iendo", "er"}, {"ido", "er"},
		{"o", "ir"}, {"es", "ir"}, {"e", "ir"}, {"imos", "ir"}, {"en", "ir"}, {"ió", "ir"}, {"iendo", "ir"}, {"ido", "ir"}},
	"fr": {{"es", ""}, {"s", ""}, {"e", ""}, {"x", ""}, {"aux", "al"},
		{"e", "er"}, {"es", "er"}, {"ent", "er"}, {"ons", "er"}, {"ez", "er"}, {"é", "er"}, {"ait", "er"}, {"is", "ir"}, {"it", "ir"}, {"issons", "ir"}, {"issent", "ir"}, {"i", "ir"}},
	"de": {{"en", ""}, {"es", ""}, {"er", ""}, {"em", ""}, {"e", ""}, {"n", ""}, {"s", ""}, {"e", "en"}, {"st", "en"}, {"t", "en"}, {"te", "en"}, {"ten", "en"}},
	"it": {{"i", "o"}, {"a", "o"}, {"e", "a"}, {"e", "o"}, {"i", "e"},
		{"o", "are"}, {"i", "are"}, {"a", "are"}, {"iamo", "are"}, {"ano", "are"}, {"ato", "are"}, {"ando", "are"},
		{"o", "ere"}, {"i", "ere"}, {"e", "ere"}, {"ono", "ere"}, {"uto", "ere"}, {"o", "ire"}, {"i", "ire"}, {"e", "ire"}, {"ono", "ire"}, {"ito", "ire"}},
	"pt": {{"as", "o"}, {"a", "o"}, {"os", "o"}, {"ões", "ão"}, {"es", ""}, {"s", ""}, {"mente", ""},
		{"o", "ar"}, {"as", "ar"}, {"a", "ar"}, {"amos", "ar"}, {"am", "ar"}, {"ou", "ar"}, {"ei", "ar"}, {"ando", "ar"}, {"ado", "ar"},
		{"o", "er"}, {"es", "er"}, {"e", "er"}, {"emos", "er"}, {"em", "er"}, {"eu", "er"}, {"endo", "er"}, {"ido", "er"},
		{"o", "ir"}, {"es", "ir"}, {"e", "ir"}, {"imos", "ir"}, {"em", "ir"}, {"iu", "ir"}, {"indo", "ir"}, {"ido", "ir"}},
}
