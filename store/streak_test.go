package store_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"kalami/store"
)

func TestStreak(t *testing.T) {
	for _, c := range []struct {
		what         string
		days         []string
		today        string
		now, longest int
	}{
		{"never", nil, "2026-03-01", 0, 0},
		{"today", []string{"2026-03-01"}, "2026-03-01", 1, 1},
		{"yesterday", []string{"2026-02-28"}, "2026-03-01", 1, 1},
		{"the day before yesterday", []string{"2026-02-27"}, "2026-03-01", 0, 1},
		{"over the end of a leap February", []string{"2028-02-28", "2028-02-29", "2028-03-01"}, "2028-03-01", 3, 3},
		{"over the new year", []string{"2026-12-31", "2027-01-01"}, "2027-01-02", 2, 2},
		{"with a gap", []string{"2026-01-01", "2026-01-02", "2026-01-03", "2026-01-05"}, "2026-01-05", 1, 3},
		{"a day twice", []string{"2026-01-01", "2026-01-01"}, "2026-01-01", 1, 1},
		{"a day too late", []string{"2026-01-02", "2026-01-01"}, "2026-01-02", 1, 1},
		{"flown west, so that today is behind", []string{"2026-01-01", "2026-01-02"}, "2026-01-01", 2, 2},
	} {
		if now, longest := store.StreakOn(time.UTC, c.today, c.days...); now != c.now || longest != c.longest {
			t.Errorf("%s: %d, longest %d; want %d, %d", c.what, now, longest, c.now, c.longest)
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
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		if now, longest := store.StreakOn(loc, c.today, c.days...); now != c.now || longest != c.longest {
			t.Errorf("%s, %v, on %s: %d, longest %d; want %d, %d", c.zone, c.days, c.today, now, longest, c.now, c.longest)
		}
	}
}

// TestStreakProperty: adding days in order gives what counting back from the last
// one gives.
func TestStreakProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spoken := rapid.SliceOfN(rapid.Bool(), 1, 40).Draw(t, "spoken")
		day := time.Date(2027, 12, 20, 0, 0, 0, 0, time.UTC)
		var days []string
		for i, yes := range spoken {
			if yes {
				days = append(days, day.AddDate(0, 0, i).Format(time.DateOnly))
			}
		}
		end := len(spoken) - 1
		if !spoken[end] {
			end-- // today may still come
		}
		want := 0
		for ; end >= 0 && spoken[end]; end-- {
			want++
		}
		now, longest := store.StreakOn(time.UTC, day.AddDate(0, 0, len(spoken)-1).Format(time.DateOnly), days...)
		if now != want || longest < now {
			t.Fatalf("streak %d, longest %d; want %d", now, longest, want)
		}
	})
}
