package turntaking

import (
	"time"

	"kalami/session/learn"
)

// Bounds of a learner's own patience setting, and of any wait computed from it.
const (
	MinPatience = 800 * time.Millisecond
	MaxPatience = 4 * time.Second
)

// The stretch of a turn's patience: a sentence that plainly goes on gets more time, one
// that plainly ends, or is all that was asked for, gets less, and so little said about an
// open question that more is to be expected a little more. The bench deploy/bench/cutoff
// measures what they do; they are kept round, because its set is small.
const (
	unfinishedStretch = 1.75
	invitedStretch    = 1.5
	answeredShrink    = 0.75
	finishedShrink    = 0.6
)

// LevelPatience is how long a learner of a level may be silent before the tutor
// speaks: beginners search for words longer.
func LevelPatience(l learn.Level) time.Duration {
	switch l {
	case learn.A1:
		return 2000 * time.Millisecond
	case learn.A2:
		return 1800 * time.Millisecond
	case learn.B1:
		return 1500 * time.Millisecond
	case learn.B2:
		return 1200 * time.Millisecond
	default:
		return 900 * time.Millisecond
	}
}

// Wait is how long silence must last for a patience and its stretch.
func Wait(patience time.Duration, stretch float64) time.Duration {
	wait := time.Duration(float64(patience) * stretch)
	if stretch > 1 {
		return min(wait, MaxPatience)
	}
	return wait
}
