package session

import (
	"time"
	"unicode/utf8"

	"kalami/session/learn"
	"kalami/session/turntaking"
)

const (
	// turnLimit is how long a learner may talk in one turn, and turnChars how much that
	// may be in characters, before the tutor looks for a pause to come in.
	turnLimit = time.Minute
	turnChars = 1500
	// limitPause is how short a pause is enough then, and limitGrace how long one is
	// looked for before the tutor comes in without.
	limitPause = 300 * time.Millisecond
	limitGrace = 15 * time.Second
	// turnCharsMost is what no turn exceeds by more than one event of the recogniser, also
	// with push-to-talk, where the learner alone ends turns.
	turnCharsMost = 4000
)

// measure notes when the turn's text began and when it became too long.
func (l *learnerTurn) measure(now time.Time) {
	chars := utf8.RuneCountInString(l.text())
	if chars > 0 && l.wordsAt.IsZero() {
		l.wordsAt = now
	}
	if chars >= turnChars && l.longAt.IsZero() {
		l.longAt = now
	}
	if chars >= turnCharsMost && l.fullAt.IsZero() {
		l.fullAt = now
	}
}

// limitDeadline is when a turn that does not end is ended; zero for not yet. What is
// said from then on is the beginning of the next turn. A hold is not talking, and while
// the tutor is heard, whoever talks over it is waiting for its end.
func (c *conductor) limitDeadline() time.Time {
	l := &c.learner
	if l.text() == "" || l.clock.Closing() || c.reply != nil {
		return time.Time{}
	}
	if c.config.Audio.Input.TurnDetection == nil || !l.fullAt.IsZero() {
		return l.fullAt
	}
	over := l.wordsAt.Add(c.turnLimit) // not from the voice, which may have been a noise for long
	if !l.longAt.IsZero() {
		over = earlier(over, l.longAt)
	}
	over = later(over, l.clock.HeldUntil())
	cut := over.Add(limitGrace)
	if !l.clock.Speaking() {
		cut = earlier(cut, later(over, l.clock.QuietSince(c.clock.audio()).Add(limitPause)))
	}
	return cut
}

// onLimitDue takes the turn from a learner who does not stop talking.
func (c *conductor) onLimitDue() {
	c.count(TurnsLimited, 1)
	c.learner.limited = true
	c.closeTurn(turntaking.ByLimit)
}

// turnNote is what the tutor is told about the turn that it answers; empty for nothing.
func (l *learnerTurn) turnNote() string {
	if l.limited {
		return learn.TakeTurn()
	}
	return ""
}

// comingIn says whether the flood of words must not stop the reply yet: the tutor comes
// in for a reason, and is heard for one sentence. The learner's controls stop it.
func (c *conductor) comingIn(now time.Time) bool {
	r := c.reply
	if !r.comesIn {
		return false
	}
	played := c.playedEstimate(now)
	if end := c.sentenceEnd(0); end > 0 {
		return played < float64(end)
	}
	return !r.allSent || played < float64(r.sentMS)
}
