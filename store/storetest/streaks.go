package storetest

import (
	"fmt"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
)

// testStreaks follows a learner in Tokyo through two weeks. Days are hers: 15:00
// UTC is her midnight.
func testStreaks(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{}
	o.Now = at.now
	day := func(d, hour, minute int) time.Time {
		return time.Date(2026, 6, d, hour, minute, 0, 0, time.UTC)
	}
	at.at = day(1, 0, 0)
	db := Open(t, o)
	kei := NewLearner(t, db, "kei")
	must(t, db.SetTimeZone(t.Context(), kei.User.ID, "Asia/Tokyo"))
	steps := []struct {
		what   string
		spoken []time.Time // one conversation
		now    time.Time   // when the profile is read
		want   int
	}{
		{"before the first word", nil, day(1, 1, 0), 0},
		{"on the first day", []time.Time{day(1, 14, 0)}, day(1, 14, 5), 1},
		{"twice on the same day", []time.Time{day(1, 14, 50)}, day(1, 14, 55), 1},
		{"the same day in UTC, the next in Tokyo", []time.Time{day(1, 15, 10)}, day(1, 15, 20), 2},
		{"across midnight in Tokyo", []time.Time{day(3, 14, 58), day(3, 15, 2)}, day(3, 15, 5), 4},
		{"the day after, not yet spoken", nil, day(5, 14, 0), 4},
		{"a whole day missed", nil, day(5, 15, 1), 0},
		{"begun again", []time.Time{day(7, 3, 0)}, day(7, 3, 5), 1},
		{"a talk without a word from the learner", []time.Time{}, day(8, 3, 0), 1},
	}
	for _, s := range steps {
		at.at = s.now
		if s.spoken != nil {
			talk(t, db, kei, s.spoken)
		}
		p, err := db.Profile(t.Context(), kei.Profile.TenantID, kei.User.ID, kei.Profile.ID)
		must(t, err)
		if p.StreakDays != s.want {
			t.Errorf("%s: streak of %d, want %d", s.what, p.StreakDays, s.want)
		}
	}
}

// talk holds a conversation in which the learner speaks at the given times.
func talk(t *testing.T, db *store.DB, l Learner, spoken []time.Time) {
	t.Helper()
	c := l.Start(t, db)
	for i, when := range spoken {
		m := Utterance(c, i+1)
		m.UtteranceID, m.CreatedAt = fmt.Sprintf("u-%d", i), when
		must(t, db.AppendMessage(t.Context(), c.Epoch, m))
	}
	m := Utterance(c, len(spoken)+1)
	m.UtteranceID, m.Speaker = "farewell", learn.SpeakerTutor
	must(t, db.AppendMessage(t.Context(), c.Epoch, m))
	must(t, db.EndConversation(t.Context(), c.Epoch, c))
}
