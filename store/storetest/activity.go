package storetest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"kalami/session/learn"
)

// testActivity follows a learner in St. John's over midnight: each message counts on the
// day that it was there, and so does the time between messages.
func testActivity(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 3, 8, 3, 20, 0, 0, time.UTC)} // 23:50 on the 7th; the clocks change at 2:00
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	ana := NewLearner(t, db, "ana")
	must(t, db.SetTimeZone(ctx, ana.User.ID, "America/St_Johns"))
	c := ana.Start(t, db)
	say := func(seq int, after time.Duration, change func(*learn.Message)) {
		t.Helper()
		at.at = at.at.Add(after)
		m := Utterance(c, seq)
		m.CreatedAt = at.at
		if change != nil {
			change(&m)
		}
		must(t, db.AppendMessage(ctx, c.Epoch, m))
	}
	tutor := func(m *learn.Message) { m.Speaker, m.Audio = learn.SpeakerTutor, 5*time.Second }
	say(1, 5*time.Second, tutor)
	say(2, 10*time.Second, func(m *learn.Message) {
		m.Words = []learn.SpokenWord{{Text: "buenos", StartMS: 100, EndMS: 400}, {Text: "días", StartMS: 900, EndMS: 1300}}
	})
	say(3, 9*time.Minute, tutor)          // a long silence, which is no talking: 23:59:15
	say(4, 50*time.Second, nil)           // 00:00:05 on the 8th
	say(5, 20*time.Second, tutor)         // 00:00:25
	say(6, 26*time.Hour+time.Hour, tutor) // over a day of 23 hours: 04:00:25 on the 9th
	say(6, 0, tutor)                      // again, which changes nothing

	q := learn.ProgressQuery{TenantID: c.TenantID, UserID: c.UserID, ProfileID: c.ProfileID, From: "2026-03-07", To: "2026-03-09"}
	want := []learn.Day{
		{Day: "2026-03-07", Speaking: time.Second, Talking: 15 * time.Second, Turns: 1, Words: 2,
			Pace: learn.Pace{Words: 2, SpeechMS: 1200, Pauses: 1, PauseMS: 500, LongestMS: 500}},
		{Day: "2026-03-08", Speaking: time.Second, Talking: 70 * time.Second, Turns: 1, Words: 2},
		{Day: "2026-03-09"},
	}
	check := func(what string) {
		t.Helper()
		a, err := db.Activity(ctx, q)
		must(t, err)
		if !reflect.DeepEqual(a.Days, want) {
			t.Errorf("%s: %+v\nwant %+v", what, a.Days, want)
		}
		if a.Streak != (learn.Streak{Days: 2, Longest: 2, Last: "2026-03-08"}) || a.Today != "2026-03-09" ||
			!reflect.DeepEqual(a.States, []learn.DayState{learn.DayPractised, learn.DayPractised, learn.DayNone}) {
			t.Errorf("%s: streak %+v on %s, %v", what, a.Streak, a.Today, a.States)
		}
	}
	check("at first")
	must(t, db.RebuildActivity(ctx, c.TenantID, c.UserID))
	check("made anew")
	must(t, db.SetTimeZone(ctx, ana.User.ID, "America/Halifax")) // travels, 30 minutes west
	must(t, db.RebuildActivity(ctx, c.TenantID, c.UserID))
	check("made anew elsewhere")
	must(t, db.DeleteConversation(ctx, c.TenantID, c.UserID, c.ID))
	check("after the conversation was deleted")
	must(t, db.RebuildActivity(ctx, c.TenantID, c.UserID))
	check("made anew after that")

	for what, other := range map[string]learn.ProgressQuery{
		"another user":    {TenantID: q.TenantID, UserID: NewLearner(t, db, "eve").User.ID, ProfileID: q.ProfileID},
		"another tenant":  {TenantID: "school", UserID: q.UserID},
		"nobody":          {TenantID: q.TenantID, UserID: "nobody"},
		"another profile": {TenantID: q.TenantID, UserID: q.UserID, ProfileID: "none"},
	} {
		_, err := db.Activity(ctx, other)
		wantKind(t, "Activity of "+what, err, learn.NotFound)
		_, err = db.VocabularyProgress(ctx, other)
		wantKind(t, "VocabularyProgress of "+what, err, learn.NotFound)
		_, err = db.ErrorProgress(ctx, other)
		wantKind(t, "ErrorProgress of "+what, err, learn.NotFound)
	}
	wantKind(t, "making nobody's days", db.RebuildActivity(ctx, q.TenantID, "nobody"), learn.NotFound)
}

// testTravel: what was said keeps its day, and the day that it is follows the learner.
func testTravel(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{}
	o.Now = at.now
	db := Open(t, o)
	type step struct {
		zone, at string // where, and when in UTC
		spoken   bool
		today    string
		streak   int
		what     string
	}
	for name, steps := range map[string][]step{
		"tokyo-honolulu": {
			{"Asia/Tokyo", "2026-05-10T14:59:00Z", true, "2026-05-10", 1, "a minute before midnight"},
			{"Asia/Tokyo", "2026-05-10T15:01:00Z", true, "2026-05-11", 2, "a minute after"},
			{"Pacific/Honolulu", "2026-05-11T05:00:00Z", true, "2026-05-10", 2, "back over the date line: the 10th again"},
			{"Pacific/Honolulu", "2026-05-11T10:01:00Z", true, "2026-05-11", 2, "the 11th again"},
			{"Pacific/Honolulu", "2026-05-12T10:01:00Z", true, "2026-05-12", 3, "the 12th"},
		},
		"honolulu-apia": {
			{"Pacific/Honolulu", "2026-05-11T09:59:00Z", true, "2026-05-10", 1, "a minute before midnight"},
			{"Pacific/Apia", "2026-05-12T10:59:00Z", false, "2026-05-12", 0, "a day was lost over the Pacific, and there is no freeze day"},
			{"Pacific/Apia", "2026-05-12T11:01:00Z", true, "2026-05-13", 1, "begun again after midnight"},
		},
		"apia": {
			{"Pacific/Apia", "2011-12-30T09:59:00Z", true, "2011-12-29", 1, "the last minute before the date line"},
			{"Pacific/Apia", "2011-12-30T10:01:00Z", true, "2011-12-31", 2, "the first minute behind it: there was no 30th"},
			{"Pacific/Apia", "2026-05-12T10:59:00Z", true, "2026-05-12", 1, "UTC+13, without summer time now"},
		},
		"st-johns": {
			{"America/St_Johns", "2026-11-01T02:29:00Z", true, "2026-10-31", 1, "a minute before midnight in summer"},
			{"America/St_Johns", "2026-11-01T02:31:00Z", true, "2026-11-01", 2, "half an hour beside everybody"},
			{"America/St_Johns", "2026-11-02T03:29:00Z", true, "2026-11-01", 2, "a day of 25 hours"},
			{"America/St_Johns", "2026-11-02T03:31:00Z", true, "2026-11-02", 3, "its end"},
			{"Europe/London", "2026-11-02T23:59:00Z", true, "2026-11-02", 3, "east"},
			{"Europe/London", "2026-11-03T00:01:00Z", true, "2026-11-03", 4, "into the next day"},
		},
	} {
		l := NewLearner(t, db, name)
		spoken := map[string]int{}
		for _, s := range steps {
			when, err := time.Parse(time.RFC3339, s.at)
			must(t, err)
			at.at = when
			must(t, db.SetTimeZone(t.Context(), l.User.ID, s.zone))
			if s.spoken {
				say(t, db, l)
				spoken[s.today]++
			}
			q := learn.ProgressQuery{TenantID: l.Profile.TenantID, UserID: l.User.ID, From: "2011-12-01", Days: 366}
			if when.Year() > 2011 {
				q.From = "2026-01-01"
			}
			for _, how := range []string{"", ", made anew"} {
				if how != "" {
					must(t, db.RebuildActivity(t.Context(), q.TenantID, q.UserID))
				}
				a, err := db.Activity(t.Context(), q)
				must(t, err)
				if a.Today != s.today || a.Streak.Days != s.streak || a.TimeZone != s.zone {
					t.Errorf("%s, %s%s: %s in %s, streak %d; want %s, %d", name, s.what, how, a.Today, a.TimeZone, a.Streak.Days, s.today, s.streak)
				}
				for _, d := range a.Days {
					if d.Turns != spoken[d.Day] {
						t.Errorf("%s, %s%s: %d turns on %s, want %d", name, s.what, how, d.Turns, d.Day, spoken[d.Day])
					}
				}
				p, err := db.Profile(t.Context(), l.Profile.TenantID, l.User.ID, l.Profile.ID)
				must(t, err)
				st, err := db.Statistics(t.Context(), l.Profile.TenantID, l.User.ID)
				must(t, err)
				if p.StreakDays != s.streak || st.Streak != s.streak {
					t.Errorf("%s, %s%s: the profile's streak is %d, that of all %d; want %d", name, s.what, how, p.StreakDays, st.Streak, s.streak)
				}
			}
		}
	}
}

// testFreezeDays: a week earns a freeze day, a missed day uses it, and what is stored late
// mends a streak.
func testFreezeDays(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	l := NewLearner(t, db, "ana")
	c := l.Start(t, db)
	seq := 0
	speak := func(day int) {
		t.Helper()
		seq++
		m := Utterance(c, seq)
		m.UtteranceID, m.CreatedAt = fmt.Sprint(seq), time.Date(2026, 6, day, 12, 0, 0, 0, time.UTC)
		must(t, db.AppendMessage(t.Context(), c.Epoch, m))
	}
	want := func(what string, day, streak, longest, freezes int) {
		t.Helper()
		at.at = time.Date(2026, 6, day, 13, 0, 0, 0, time.UTC)
		a, err := db.Activity(t.Context(), learn.ProgressQuery{TenantID: c.TenantID, UserID: c.UserID})
		must(t, err)
		st, err := db.Statistics(t.Context(), c.TenantID, c.UserID)
		must(t, err)
		if a.Streak.Days != streak || a.Streak.Freezes != freezes || a.Streak.Longest != longest || st.Streak != streak || st.Longest != longest {
			t.Errorf("%s: %+v, statistics %d and %d; want %d, longest %d, %d freeze days", what, a.Streak, st.Streak, st.Longest, streak, longest, freezes)
		}
	}
	for day := 1; day <= 7; day++ {
		speak(day)
	}
	want("after a week", 7, 7, 7, 1)
	want("a day missed", 9, 7, 7, 0)
	want("two days missed", 10, 0, 7, 0)
	speak(11)
	want("begun again", 11, 1, 7, 0)
	speak(9) // what a device had kept until now
	want("with what came late, before another day missed", 11, 1, 8, 0)
	speak(10)
	want("and more of it", 11, 10, 10, 0)
	must(t, db.RebuildActivity(t.Context(), c.TenantID, c.UserID))
	want("made anew", 11, 10, 10, 0)
}
