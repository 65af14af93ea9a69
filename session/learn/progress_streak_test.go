package learn_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kalami/session/learn"
)

// run lists n days in a row.
func run(first string, n int) (days []string) {
	for i := range n {
		days = append(days, learn.AddDays(first, i))
	}
	return days
}

func TestStreak(t *testing.T) {
	week := run("2026-01-01", 7)
	fortnight := run("2026-01-01", 14)
	for _, c := range []struct {
		what    string
		days    []string // in the order in which they are counted
		today   string
		want    int
		longest int
		freezes int
	}{
		{"never", nil, "2026-03-01", 0, 0, 0},
		{"today", []string{"2026-03-01"}, "2026-03-01", 1, 1, 0},
		{"yesterday", []string{"2026-02-28"}, "2026-03-01", 1, 1, 0},
		{"the day before yesterday", []string{"2026-02-27"}, "2026-03-01", 0, 1, 0},
		{"over the end of a leap February", []string{"2028-02-28", "2028-02-29", "2028-03-01"}, "2028-03-01", 3, 3, 0},
		{"over the new year", []string{"2026-12-31", "2027-01-01"}, "2027-01-02", 2, 2, 0},
		{"with a gap", []string{"2026-01-01", "2026-01-02", "2026-01-03", "2026-01-05"}, "2026-01-05", 1, 3, 0},
		{"a day twice", []string{"2026-01-01", "2026-01-01"}, "2026-01-01", 1, 1, 0},
		{"a day too late", []string{"2026-01-02", "2026-01-01"}, "2026-01-02", 1, 1, 0},
		{"flown west, so that today is behind", []string{"2026-01-01", "2026-01-02"}, "2026-01-01", 2, 2, 0},

		{"six days earn nothing", run("2026-01-01", 6), "2026-01-06", 6, 6, 0},
		{"a week earns a freeze day", week, "2026-01-07", 7, 7, 1},
		{"which a missed day uses at reading", week, "2026-01-09", 7, 7, 0},
		{"and a second one ends the streak", week, "2026-01-10", 0, 7, 0},
		{"going on after a missed day adds one", append(slices.Clone(week), "2026-01-09"), "2026-01-09", 8, 8, 0},
		{"after which the next is missed in vain", append(slices.Clone(week), "2026-01-09"), "2026-01-11", 0, 8, 0},
		{"two weeks earn two", fortnight, "2026-01-14", 14, 14, 2},
		{"three weeks no third", run("2026-01-01", 21), "2026-01-21", 21, 21, 2},
		{"two missed days in a row", append(slices.Clone(fortnight), "2026-01-17"), "2026-01-17", 15, 15, 0},
		{"three are too many", append(slices.Clone(fortnight), "2026-01-18"), "2026-01-18", 1, 14, 0},
		{"a new streak begins without any", append(slices.Clone(fortnight), "2026-02-18"), "2026-02-20", 0, 14, 0},
		{"the seventh day of practice, not of the calendar", append(append(slices.Clone(week), "2026-01-09"), run("2026-01-10", 6)...), "2026-01-15", 14, 14, 1},
	} {
		got := learn.StreakOf(c.days, time.UTC).On(c.today, time.UTC)
		last := ""
		if len(c.days) > 0 {
			last = slices.Max(c.days)
		}
		if want := (learn.Streak{Days: c.want, Longest: c.longest, Freezes: c.freezes, Last: last}); got != want {
			t.Errorf("%s: %+v, want %+v", c.what, got, want)
		}
	}
}

// TestStreakZones: a day is followed by the next one that there was, whatever the clocks
// of the place did.
func TestStreakZones(t *testing.T) {
	for _, c := range []struct {
		zone         string
		days         []string
		today        string
		now, longest int
	}{
		// The 30th did not exist in Samoa, when it went over the date line.
		{"Pacific/Apia", []string{"2011-12-28", "2011-12-29", "2011-12-31"}, "2011-12-31", 3, 3},
		{"Pacific/Apia", []string{"2011-12-28", "2011-12-29"}, "2011-12-31", 2, 2},
		{"Pacific/Apia", []string{"2011-12-28", "2011-12-29"}, "2012-01-01", 0, 2},
		{"Asia/Tokyo", []string{"2011-12-28", "2011-12-29", "2011-12-31"}, "2011-12-31", 1, 2},
		// Days of 23 and of 25 hours.
		{"America/St_Johns", []string{"2026-03-07", "2026-03-08", "2026-03-09"}, "2026-03-09", 3, 3},
		{"America/St_Johns", []string{"2026-10-31", "2026-11-01", "2026-11-02"}, "2026-11-02", 3, 3},
		{"America/St_Johns", []string{"2026-10-31", "2026-11-02"}, "2026-11-02", 1, 1},
		// Midnight itself did not exist.
		{"America/Havana", []string{"2026-03-07", "2026-03-08", "2026-03-09"}, "2026-03-09", 3, 3},
	} {
		got := learn.StreakOf(c.days, place(t, c.zone)).On(c.today, place(t, c.zone))
		if got.Days != c.now || got.Longest != c.longest {
			t.Errorf("%s, %v, on %s: %+v; want %d, longest %d", c.zone, c.days, c.today, got, c.now, c.longest)
		}
	}
}

func place(t *testing.T, zone string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// TestStreakProperty holds the streak against a diary that is kept day by day: each morning
// it is settled whether yesterday was missed, and what that cost. The calendar says the same.
func TestStreakProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spoken := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bool {
			return rapid.IntRange(0, 9).Draw(t, "dice") > 1
		}), 1, 60).Draw(t, "spoken")
		first := "2027-12-20"
		var days, frozen []string
		var want learn.Streak
		var pending []string // missed days that may be covered yet
		for i, yes := range spoken {
			day := learn.AddDays(first, i)
			if yes {
				want.Days, want.Last = want.Days+1, day
				want.Longest = max(want.Longest, want.Days)
				if want.Days%7 == 0 {
					want.Freezes = min(2, want.Freezes+1)
				}
				days, frozen, pending = append(days, day), append(frozen, pending...), nil
				continue
			}
			if i == len(spoken)-1 {
				break // today is not over
			}
			if want.Days > 0 {
				pending = append(pending, day)
				if want.Freezes--; want.Freezes < 0 {
					want.Days, want.Freezes, pending = 0, 0, nil
				}
			}
		}
		today := learn.AddDays(first, len(spoken)-1)
		if got := learn.StreakOf(days, time.UTC).On(today, time.UTC); got != want {
			t.Fatalf("after %v: %+v, want %+v", days, got, want)
		}
		if got := learn.Frozen(days, today, time.UTC); !reflect.DeepEqual(got, append(frozen, pending...)) {
			t.Fatalf("after %v until %s: frozen %v, want %v", days, today, got, append(frozen, pending...))
		}
	})
}

func TestDays(t *testing.T) {
	for in, want := range map[string]bool{"2026-02-28": true, "2026-02-29": false, "1969-12-31": false, "2200-01-01": false,
		"": false, "2026-1-1": false, "2026-01-01T00:00:00Z": false, "９９９９-01-01": false} {
		if _, ok := learn.ParseDay(in); ok != want {
			t.Errorf("ParseDay(%q) = %v, want %v", in, ok, want)
		}
	}
	if n := learn.DaysThrough("2027-12-31", "2028-03-01"); n != 62 {
		t.Errorf("%d days, want 62", n)
	}
	if n := learn.DaysThrough("2028-03-01", "2027-12-31") + learn.DaysThrough("x", "2027-12-31"); n != 0 {
		t.Errorf("%d days, want none", n)
	}
	const today = "2026-05-10"
	for _, c := range []struct {
		asked    learn.ProgressQuery
		from, to string
		days     int
	}{
		{learn.ProgressQuery{}, "2026-04-11", today, 30},
		{learn.ProgressQuery{Days: 7}, "2026-05-04", today, 7},
		{learn.ProgressQuery{From: "2026-05-01"}, "2026-05-01", today, 10},
		{learn.ProgressQuery{From: "2026-05-01", Days: 3}, "2026-05-01", "2026-05-03", 3},
		{learn.ProgressQuery{To: "2026-01-02", Days: 3}, "2025-12-31", "2026-01-02", 3},
		{learn.ProgressQuery{From: "2020-01-01", To: "2026-01-01"}, "2025-01-01", "2026-01-01", 366},
		{learn.ProgressQuery{From: "2026-05-11"}, "2026-05-11", today, 0},
	} {
		got := c.asked.Within(today)
		if got.From != c.from || got.To != c.to || got.Days != c.days {
			t.Errorf("%+v is %s to %s, %d days; want %s to %s, %d", c.asked, got.From, got.To, got.Days, c.from, c.to, c.days)
		}
	}
}
