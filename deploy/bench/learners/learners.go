// Package learners is a set of what learners say in one turn each, with the time of
// every word: 144 utterances, 36 in each of Spanish, French, German and English, over
// the levels A1 to C1. It exists to judge when a tutor may take the turn: half a
// second after "Yo quiero" somebody else would be talking into the search for a word,
// and three seconds after "Sí, mucho" a learner wonders whether anybody listens.
//
// The set is ours. Kalami's authors wrote it, mistakes of learners included, and chose
// the pauses (0.4 to 2.4 s, longer for beginners) after what they know of teaching; it
// was not recorded from people, and whoever compares systems by it should say so. The
// kinds of utterance are:
//
//	whole    a complete short answer, without a pause
//	phrase   pauses inside a phrase, while a word is looked for
//	between  pauses between sentences: each could have been the last
//	filler   pauses around a sound of hesitation
//	repair   a pause before the learner says something again, better
//
// Every third utterance of a language and kind is kept for judging; rules are tuned on
// the others only ([Utterance.Judging]). How far that was kept to is told by the command
// that judges, deploy/bench/cutoff.
//
// Word times are computed, so that they can be read and repeated: a word takes its
// letters at the level's pace ([Pace]), and at least [ShortestWord]; words follow each
// other without a gap except where the text says so.
package learners

import (
	"bufio"
	"embed"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"kalami/session/learn"
)

//go:embed *.txt
var files embed.FS

// Languages are those of the set.
func Languages() []string { return []string{"es", "fr", "de", "en"} }

// ShortestWord is how long a word lasts at least, in milliseconds.
const ShortestWord = 140

// Utterance is all that a learner says in one turn.
type Utterance struct {
	ID       string
	Language string // BCP-47 primary subtag
	Level    learn.Level
	Kind     string
	// Asked is what the tutor said before.
	Asked string
	Words []Word
	// Judging: not to be looked at while rules are tuned.
	Judging bool
}

// Word is one word with its place in the utterance, in milliseconds from its start.
type Word struct {
	Text           string // with the punctuation that follows it
	StartMS, EndMS int
}

// Pace is how fast learners of a level articulate, in letters a second: about 90 words
// a minute at A1 and 160 at C1, without the pauses.
func Pace(l learn.Level) float64 {
	switch l {
	case learn.A1:
		return 8
	case learn.A2:
		return 9.5
	case learn.B1:
		return 11
	case learn.B2:
		return 12.5
	default:
		return 14
	}
}

// Text is the whole utterance.
func (u Utterance) Text() string {
	words := make([]string, len(u.Words))
	for i, w := range u.Words {
		words[i] = w.Text
	}
	return strings.Join(words, " ")
}

// EndMS is when the last word ends.
func (u Utterance) EndMS() int { return u.Words[len(u.Words)-1].EndMS }

// Load reads the utterances of a language, in the file's order. Errors name the line.
func Load(language string) ([]Utterance, error) {
	f, err := files.Open(language + ".txt")
	if err != nil {
		return nil, fmt.Errorf("learners: %w", err)
	}
	defer f.Close() // an embedded file: closing cannot fail
	var all []Utterance
	ofKind := map[string]int{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		u, err := parse(language, line)
		if err != nil {
			return nil, fmt.Errorf("learners: %s.txt:%d: %w", language, n, err)
		}
		ofKind[u.Kind]++
		u.Judging = ofKind[u.Kind]%3 == 0
		all = append(all, u)
	}
	return all, lines.Err()
}

// parse reads one line: id | level | kind | asked | said.
func parse(language, line string) (Utterance, error) {
	fields := strings.Split(line, "|")
	if len(fields) != 5 {
		return Utterance{}, fmt.Errorf("%d fields, want 5", len(fields))
	}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	level, ok := learn.ParseLevel(fields[1])
	if !ok {
		return Utterance{}, fmt.Errorf("level %q", fields[1])
	}
	switch fields[2] {
	case "whole", "phrase", "between", "filler", "repair":
	default:
		return Utterance{}, fmt.Errorf("kind %q", fields[2])
	}
	words, err := timed(fields[4], Pace(level))
	if err != nil {
		return Utterance{}, err
	}
	return Utterance{ID: fields[0], Language: language, Level: level, Kind: fields[2], Asked: fields[3], Words: words}, nil
}

// timed gives the words of an utterance their times.
func timed(said string, pace float64) (words []Word, err error) {
	at := 0
	for field := range strings.FieldsSeq(said) {
		if pause, ok := strings.CutPrefix(field, "["); ok {
			seconds, err := strconv.ParseFloat(strings.TrimSuffix(pause, "]"), 64)
			if err != nil || seconds < 0.3 || seconds > 3 {
				return nil, fmt.Errorf("pause %q", field)
			}
			at += int(seconds * 1000)
			continue
		}
		if !strings.ContainsFunc(field, unicode.IsLetter) { // "?" stands alone in French
			if len(words) == 0 {
				return nil, fmt.Errorf("%q before any word", field)
			}
			words[len(words)-1].Text += " " + field
			continue
		}
		letters := 0
		for _, r := range field {
			if unicode.IsLetter(r) || unicode.IsNumber(r) {
				letters++
			}
		}
		end := at + max(ShortestWord, int(float64(letters)*1000/pace))
		words = append(words, Word{Text: field, StartMS: at, EndMS: end})
		at = end
	}
	if len(words) == 0 {
		return nil, fmt.Errorf("no words in %q", said)
	}
	return words, nil
}
