package trial

import (
	"fmt"
	"strings"

	"kalami/deploy/bench/worderror"
)

// MaxWordError is the share of words that may be wrong: in each turn of a learner's
// as it was understood, and in each answer of the tutor's as it is recognised again.
const MaxWordError = 0.15

// Judge returns what is wrong with a trial that was held, nil when nothing is: each
// utterance is one turn and nothing else is, no turn goes without an answer, and no
// error was reported. In an English turn the words are right, too; the free
// engines that serve other languages in tests know a few phrases only, which says
// nothing about words.
func (t *Trial) Judge() (problems []string) {
	r := t.Result
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if len(r.Turns) != len(t.Spoken) {
		problem("%d turns, want %d: %q", len(r.Turns), len(t.Spoken), r.Turns)
	} else if t.Language == "en" {
		for i, heard := range r.Turns {
			if c := worderror.Compare(t.Spoken[i], heard); c.Rate() > MaxWordError {
				problem("%d of %d words are wrong: %q was spoken, %q was heard", c.Errors, c.Words, t.Spoken[i], heard)
			}
		}
	}
	for turn := range len(r.Turns) {
		if a := r.Answer(turn + 1); a == nil || len(a.Audio.PCM) == 0 {
			problem("turn %d was not answered aloud", turn+1)
		}
	}
	if len(r.Errors) > 0 {
		problem("the server reported %s", strings.Join(r.Errors, ", "))
	}
	return problems
}

// WordError counts the words that were understood wrong, over all turns.
func (t *Trial) WordError() worderror.Count {
	return worderror.Compare(t.Text(), strings.Join(t.Result.Turns, " "))
}
