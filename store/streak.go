package store

import "time"

// streak counts the consecutive local days on which somebody spoke. Its zero
// value is of a learner who never did.
type streak struct {
	days, longest int
	last          string // YYYY-MM-DD, or empty
}

// localDay returns the day that it was at t in loc.
func localDay(t time.Time, loc *time.Location) string { return t.In(loc).Format(time.DateOnly) }

// dayAfter returns the next day of the calendar; empty for what is not a day.
func dayAfter(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, 1).Format(time.DateOnly)
}

// add counts a day. A day that is already behind changes nothing: what happened
// then has been counted, or arrives too late to mend the chain.
func (s streak) add(day string) streak {
	switch {
	case s.last == "" || day > dayAfter(s.last):
		s.days, s.last = 1, day
	case day == dayAfter(s.last):
		s.days, s.last = s.days+1, day
	}
	s.longest = max(s.longest, s.days)
	return s
}

// on returns the length of the streak as it stands on a day: it lives through
// the day after the last one, on which it may still be continued.
func (s streak) on(day string) int {
	if s.last == "" || day > dayAfter(s.last) {
		return 0
	}
	return s.days
}
