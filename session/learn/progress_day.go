package learn

import "time"

// Days are written YYYY-MM-DD, so that comparing the text compares the days. Which day it
// is depends on where the learner is: every event carries the day that it had there and
// then, and keeps it wherever the learner travels later.

// LocalDay is the day that it was at t in loc.
func LocalDay(t time.Time, loc *time.Location) string { return t.In(loc).Format(time.DateOnly) }

// ParseDay reads a day of the calendar from 1970 to 2199; ok is false for anything else.
func ParseDay(s string) (day string, ok bool) {
	t, err := time.Parse(time.DateOnly, s)
	return s, err == nil && t.Year() >= 1970 && t.Year() < 2200
}

// DayAfter is the next day that there was in loc; empty for what is not a day. It is the
// calendar's next one, but where a country has crossed the date line and left one out
// (Samoa had no 30 December 2011).
func DayAfter(day string, loc *time.Location) string {
	// Noon is far from every change of the clock.
	t, err := time.ParseInLocation(time.DateTime, day+" 12:00:00", loc)
	if err != nil {
		return ""
	}
	return LocalDay(t.Add(24*time.Hour), loc)
}

// AddDays is the day n days of the calendar behind day, before it for a negative n; empty
// for what is not a day.
func AddDays(day string, n int) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, n).Format(time.DateOnly)
}

// DaysThrough counts the days of the calendar from one to another, both of them with it; 0
// when the second is earlier, or either is no day.
func DaysThrough(from, to string) int {
	a, err := time.Parse(time.DateOnly, from)
	b, err2 := time.Parse(time.DateOnly, to)
	if err != nil || err2 != nil || b.Before(a) {
		return 0
	}
	return int(b.Sub(a)/(24*time.Hour)) + 1
}
