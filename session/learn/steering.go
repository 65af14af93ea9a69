package learn

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Steering is what is known between two turns, without asking a model, of how the tutor
// should go on.
type Steering struct {
	Language string
	Level    Level
	// Replies are the tutor's latest, oldest first; two are looked at.
	Replies []string
	// Learner and Tutor are for how long each has spoken, in Turns turns of the learner's.
	Learner, Tutor time.Duration
	Turns          int
	// Left is for how long the conversation can still go on; 0 when nothing bounds it.
	Left time.Duration
	// Due are words that the learner should come to use; see [Plan].
	Due []DueWord
	// Above says whether a word is above a level, where that is known; may be nil.
	Above func(word string) (above, known bool)
}

const (
	// steerTurns is after how many turns shares of the talk mean something.
	steerTurns = 3
	// wrapUp is how long before its end a conversation is brought to one.
	wrapUp = 2 * time.Minute
	// steerWords is how many due words a note names.
	steerWords = 2
	// aboveMost is the share of words above the level from which on a reply is too hard.
	aboveMost = 0.15
)

// levelShapes say what a reply of each level is made of at the most, as in levelRules: with
// half as much again, so that only replies are too long that are too long for anybody.
var levelShapes = map[Level]struct{ sentences, words int }{
	A1: {2, 8}, A2: {2, 10}, B1: {3, 14}, B2: {3, 24}, C1: {4, 30}, C2: {4, 30},
}

// learnerShares are how much of the talk should be the learner's.
var learnerShares = map[Level]float64{A1: 0.35, A2: 0.40, B1: 0.50, B2: 0.60, C1: 0.60, C2: 0.60}

// Drifted says whether a reply is beyond what a learner of a level can follow: it has more
// sentences, or longer ones, or harder words. It is measured on each reply, since standing
// instructions alone stop holding the level in long talks.
func (s Steering) Drifted(reply string) bool {
	shape := levelShapes[known(s.Level)]
	sentences, words, hard, rated := 0, 0, 0, 0
	for part := range strings.FieldsFuncSeq(reply, func(r rune) bool { return strings.ContainsRune(".!?…。！？؟", r) }) {
		said := Units(Words(part))
		if len(said) == 0 {
			continue
		}
		sentences++
		words += len(said)
		for _, w := range said {
			if s.Above == nil {
				break
			}
			if above, known := s.Above(w); known {
				rated++
				if above {
					hard++
				}
			}
		}
	}
	most := shape.words * 3 / 2
	if strings.ContainsFunc(reply, func(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai) }) {
		most *= 2 // characters, not words
	}
	return sentences > shape.sentences+1 || words > most*max(1, sentences) || rated >= 5 && float64(hard) > aboveMost*float64(rated)
}

// Note is the instruction for the tutor's next reply that follows from this; empty when all
// is as it should be. Words are marked as data.
func (s Steering) Note() string {
	var notes []string
	if n := len(s.Replies); n >= 2 && s.Drifted(s.Replies[n-1]) && s.Drifted(s.Replies[n-2]) {
		notes = append(notes, fmt.Sprintf("Your last answers were too long or too hard for level %s: use fewer, shorter sentences and simpler words.", known(s.Level)))
	}
	if spoken := s.Learner + s.Tutor; s.Turns >= steerTurns && s.Learner > 0 && s.Learner.Seconds() < learnerShares[known(s.Level)]*spoken.Seconds() {
		notes = append(notes, "You talk more than the learner should have to listen: answer in one sentence, and ask something that takes more than a word to answer.")
	}
	if s.Left > 0 && s.Left <= wrapUp {
		return strings.Join(append(notes, "The lesson ends in less than two minutes: bring it to a friendly end, and begin nothing new."), " ")
	}
	var due []string
	for _, w := range (Plan{Due: s.Due}).Within().Due {
		if len(due) < steerWords {
			due = append(due, w.Text)
		}
	}
	if len(due) > 0 {
		notes = append(notes, fmt.Sprintf("Where it fits, lead the learner to say these without saying them first: <words>%s</words>", strings.Join(due, "; ")))
	}
	return strings.Join(notes, " ")
}
