package session

import (
	"slices"
	"strings"
	"time"

	"kalami/session/learn"
)

// WordLevels says how hard words are, where that is known. Package store may implement it; it
// must not block.
type WordLevels interface {
	// Above says whether a word of a language is above a level; known is false for a word of
	// which nothing is known.
	Above(language, word string, level learn.Level) (above, known bool)
}

// steer is what the tutor is told with its next reply beside note, by rules over what
// happened up to now: no model is asked.
func (c *conductor) steer(history []learn.Message, note string) string {
	level := learn.Level(c.config.Level)
	s := learn.Steering{Language: c.config.Language, Level: level, Learner: c.totals.Learner, Tutor: c.totals.Tutor, Turns: c.totals.Turns}
	for _, m := range slices.Backward(history) {
		if m.Speaker == learn.SpeakerTutor && len(s.Replies) < 2 {
			s.Replies = append(s.Replies, m.Content)
		}
	}
	slices.Reverse(s.Replies)
	if len(s.Replies) == 0 { // it has not begun
		return note
	}
	if most := time.Duration(c.limits.MaxDurationMS) * time.Millisecond; most > 0 {
		s.Left = max(time.Millisecond, most-time.Since(c.started))
	}
	for _, w := range c.advice.plan.Due {
		if !c.advice.used[w.ID] {
			s.Due = append(s.Due, w)
		}
	}
	if c.words != nil {
		s.Above = func(word string) (bool, bool) { return c.words.Above(c.config.Language, word, level) }
	}
	return strings.TrimSpace(note + " " + s.Note())
}
