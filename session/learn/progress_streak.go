package learn

import (
	"slices"
	"time"
)

// A learner who keeps a streak for FreezeEvery days earns a freeze day, and has at most
// FreezesMost of them. A day that is missed uses one up, by itself.
const (
	FreezeEvery = 7
	FreezesMost = 2
)

// Streak counts the local days on which somebody practised, without one missed that no
// freeze day stood in for. Its zero value is of a learner who never did. Values are
// comparable.
type Streak struct {
	// Days are those that were practised; a freeze day keeps the chain and adds nothing.
	Days, Longest int
	Freezes       int    // freeze days that are left
	Last          string // the last day that was practised; empty for never
}

// StreakOf is the streak of the days that were practised, each once and in order.
func StreakOf(days []string, loc *time.Location) (s Streak) {
	for _, day := range days {
		s = s.Add(day, loc)
	}
	return s
}

// Add counts a day in loc. A day that is already behind changes nothing.
func (s Streak) Add(day string, loc *time.Location) Streak {
	if s.Last != "" && day <= s.Last {
		return s
	}
	if missed := missedDays(s.Last, day, loc); s.Last == "" || missed > s.Freezes {
		s.Days, s.Freezes = 1, 0
	} else {
		s.Days, s.Freezes = s.Days+1, s.Freezes-missed
	}
	s.Last = day
	if s.Days%FreezeEvery == 0 {
		s.Freezes = min(s.Freezes+1, FreezesMost)
	}
	s.Longest = max(s.Longest, s.Days)
	return s
}

// On is the streak as it stands on a day in loc, on which it may still be continued: the
// days that were missed since the last one have used freeze days, or ended it.
func (s Streak) On(day string, loc *time.Location) Streak {
	missed := missedDays(s.Last, day, loc)
	if s.Last == "" || missed > s.Freezes {
		s.Days, s.Freezes = 0, 0
		return s
	}
	s.Freezes -= missed
	return s
}

// missedDays counts the days between two, neither of them with it, and stops counting
// when they are more than any number of freeze days can cover.
func missedDays(last, day string, loc *time.Location) (missed int) {
	if last == "" {
		return 0
	}
	for d := DayAfter(last, loc); d != "" && d < day && missed <= FreezesMost; d = DayAfter(d, loc) {
		missed++
	}
	return missed
}

// DayState says what a day was for a streak.
type DayState string

// The states. DayNone was neither practised nor covered by a freeze day, or is not over yet.
const (
	DayPractised DayState = "practised"
	DayFrozen    DayState = "frozen"
	DayNone      DayState = "none"
)

// Frozen lists the days in loc that freeze days stood in for, in order: between the days
// that were practised, each once and in order, and after the last of them up to today,
// which itself is not over.
func Frozen(practised []string, today string, loc *time.Location) (frozen []string) {
	var s Streak
	cover := func(until string) {
		if missed := missedDays(s.Last, until, loc); s.Last == "" || missed > s.Freezes {
			return
		}
		for d := DayAfter(s.Last, loc); d != "" && d < until; d = DayAfter(d, loc) {
			frozen = append(frozen, d)
		}
	}
	for _, day := range practised {
		cover(day)
		s = s.Add(day, loc)
	}
	cover(today)
	return frozen
}

// StateOf says what a day was, by days in order.
func StateOf(day string, practised, frozen []string) DayState {
	if _, ok := slices.BinarySearch(practised, day); ok {
		return DayPractised
	}
	if _, ok := slices.BinarySearch(frozen, day); ok {
		return DayFrozen
	}
	return DayNone
}
