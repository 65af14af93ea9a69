package learn

import "time"

// Statistics are what a learner has done so far, over all profiles that are not
// deleted. Conversations that are still open count with what was said in them so far.
type Statistics struct {
	Conversations int
	// Speaking is the learner's own voiced time, not the clock's.
	Speaking time.Duration
	// Mastered counts the cards in review with a stability of at least 21 days, and
	// those used rightly and unprompted on three different days.
	Mastered  int
	Languages []string // of the profiles, oldest first
	// Streak is the number of consecutive days, by the learner's own calendar, on which
	// the learner said or typed something in any language, as it stands today; Longest,
	// the longest there ever was. Neither shrinks when a profile is deleted.
	Streak, Longest int
}
