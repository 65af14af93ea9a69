package storetest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
)

// testZones: a day is the learner's own, whatever the clocks do there.
func testZones(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2011, 12, 1, 0, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	for _, c := range []struct {
		name, zone string
		spoken     []string // UTC, each with the streak there
		streaks    []int
	}{
		{"tokyo", "Asia/Tokyo", []string{"2026-06-01T14:59:00Z", "2026-06-01T15:01:00Z", "2026-06-02T14:59:00Z", "2026-06-02T15:01:00Z"}, []int{1, 2, 2, 3}},
		// Half an hour beside everybody else; on 8 March a day has 23 hours, on 1 November 25.
		{"spring", "America/St_Johns", []string{"2026-03-08T03:29:00Z", "2026-03-08T03:31:00Z", "2026-03-09T02:29:00Z", "2026-03-09T02:31:00Z"}, []int{1, 2, 2, 3}},
		{"autumn", "America/St_Johns", []string{"2026-11-01T02:29:00Z", "2026-11-01T02:31:00Z", "2026-11-02T03:29:00Z", "2026-11-02T03:31:00Z"}, []int{1, 2, 2, 3}},
		// 29 December 2011 was followed by the 31st.
		{"apia", "Pacific/Apia", []string{"2011-12-29T12:00:00Z", "2011-12-30T09:59:00Z", "2011-12-30T10:01:00Z", "2011-12-31T10:01:00Z"}, []int{1, 1, 2, 3}},
		{"nowhere", "", []string{"2026-06-01T23:59:00Z", "2026-06-02T00:01:00Z"}, []int{1, 2}},
	} {
		l := NewLearner(t, db, c.name)
		must(t, db.SetTimeZone(t.Context(), l.User.ID, c.zone))
		for i, when := range c.spoken {
			spoken, err := time.Parse(time.RFC3339, when)
			must(t, err)
			at.at = spoken
			say(t, db, l)
			st, err := db.Statistics(t.Context(), l.Profile.TenantID, l.User.ID)
			must(t, err)
			p, err := db.Profile(t.Context(), l.Profile.TenantID, l.User.ID, l.Profile.ID)
			must(t, err)
			if st.Streak != c.streaks[i] || p.StreakDays != c.streaks[i] {
				t.Errorf("%s, at %s: streak of %d, with this language %d; want %d", c.zone, when, st.Streak, p.StreakDays, c.streaks[i])
			}
		}
	}
}

// say starts a conversation in which the learner says one thing now, and leaves it open.
func say(t *testing.T, db *store.DB, l Learner) learn.Conversation {
	t.Helper()
	c := l.Start(t, db)
	must(t, db.AppendMessage(t.Context(), c.Epoch, Utterance(c, 1)))
	return c
}

// testStatistics follows a learner of two languages through a week. Any language keeps
// the streak, open conversations count, and nothing counts twice when they end.
func testStatistics(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	ctx := t.Context()
	es := NewLearner(t, db, "ana")
	tenant, user := es.Profile.TenantID, es.User.ID
	want := learn.Statistics{Languages: []string{"es"}}
	check := func(what string) {
		t.Helper()
		if got, err := db.Statistics(ctx, tenant, user); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", what, got, err, want)
		}
	}
	check("before the first word")
	at.at = at.at.Add(time.Second)
	ja := es
	var err error
	ja.Profile, err = db.CreateProfile(ctx, learn.Profile{TenantID: tenant, UserID: user, TargetLanguage: "ja", Level: learn.A1})
	must(t, err)
	want.Languages = []string{"es", "ja"}

	first := say(t, db, es)
	want.Conversations, want.Speaking, want.Streak, want.Longest = 1, time.Second, 1, 1
	check("in an open conversation")
	_, err = db.FinishConversation(ctx, tenant, user, first.ID)
	must(t, err)
	check("when it has ended")
	at.at = at.at.AddDate(0, 0, 1)
	check("on the next day")
	say(t, db, ja)
	want.Conversations, want.Speaking, want.Streak, want.Longest = 2, 2*time.Second, 2, 2
	check("in the other language")
	at.at = at.at.AddDate(0, 0, 1)
	last := say(t, db, es)
	want.Conversations, want.Speaking, want.Streak, want.Longest = 3, 3*time.Second, 3, 3
	check("in the first again")
	for profile, days := range map[string]int{es.Profile.ID: 1, ja.Profile.ID: 1} {
		if p, err := db.Profile(ctx, tenant, user, profile); err != nil || p.StreakDays != days {
			t.Errorf("the streak of %s is %d, %v; want %d", p.TargetLanguage, p.StreakDays, err, days)
		}
	}
	tutor := Utterance(last, 2)
	tutor.Speaker, tutor.UtteranceID, tutor.Audio = learn.SpeakerTutor, "tutor", time.Hour
	at.at = at.at.AddDate(0, 0, 1)
	must(t, db.AppendMessage(ctx, last.Epoch, tutor))
	check("when only the tutor has spoken, who counts for nothing")
	at.at = at.at.AddDate(0, 0, 1)
	want.Streak = 0
	check("a whole day missed")
	typed := Utterance(last, 3)
	typed.UtteranceID, typed.Source, typed.Audio = "typed", "text", 0
	must(t, db.AppendMessage(ctx, last.Epoch, typed))
	want.Streak = 1
	check("begun again by typing")
	must(t, db.DeleteProfile(ctx, tenant, user, es.Profile.ID))
	want.Conversations, want.Speaking, want.Languages = 1, time.Second, []string{"ja"}
	check("without Spanish")
	if st, err := db.Statistics(ctx, tenant, "nobody"); err != nil || !reflect.DeepEqual(st, learn.Statistics{}) {
		t.Errorf("nobody has %+v, %v", st, err)
	}
	testBusyDay(t, db, ja)
}

// testBusyDay: conversations that run at once count one day once.
func testBusyDay(t *testing.T, db *store.DB, l Learner) {
	t.Helper()
	done := make(chan error)
	for i := range 8 {
		c := l.Start(t, db)
		go func() {
			m := Utterance(c, 1)
			m.UtteranceID = fmt.Sprint(i)
			done <- db.AppendMessage(t.Context(), c.Epoch, m)
		}()
	}
	for range 8 {
		must(t, <-done)
	}
	if p, err := db.Profile(t.Context(), l.Profile.TenantID, l.User.ID, l.Profile.ID); err != nil || p.StreakDays != 1 || p.Conversations != 9 {
		t.Errorf("streak of %d over %d conversations, %v; want 1 over 9", p.StreakDays, p.Conversations, err)
	}
}
