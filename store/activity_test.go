package store_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"gorm.io/gorm"
	"pgregory.net/rapid"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

// diary is a learner of two languages whose days are watched while anything happens.
type diary struct {
	t     *rapid.T
	db    *store.DB
	now   time.Time
	es    storetest.Learner
	ja    storetest.Learner
	open  []learn.Conversation
	seq   map[string]int
	said  []learn.Message // learner's, with ids
	cards []string        // one a profile
	rows  int
}

// TestActivityIncremental: whatever happened, the days that were kept up to date are those
// that are made anew, even from spoiled ones.
func TestActivityIncremental(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			d := &diary{now: time.Date(2026, 2, 20, 9, 0, 0, 0, time.UTC)}
			o := fresh(t)
			o.Now = func() time.Time { return d.now }
			d.db = storetest.Open(t, o)
			learner := 0
			rapid.Check(t, func(rt *rapid.T) {
				learner++
				d.t, d.seq, d.open, d.said, d.cards = rt, map[string]int{}, nil, nil, nil
				d.es = storetest.NewLearner(t, d.db, fmt.Sprintf("ana%d", learner))
				d.ja = d.es
				var err error
				d.ja.Profile, err = d.db.CreateProfile(t.Context(), learn.Profile{TenantID: learn.PersonalTenant, UserID: d.es.User.ID, TargetLanguage: "ja", Level: learn.A1})
				d.must(err)
				d.card(d.es)
				d.card(d.ja)
				d.open = append(d.open, d.es.Start(t, d.db))
				rt.Repeat(map[string]func(*rapid.T){
					"":         func(*rapid.T) {},
					"say":      d.say(t),
					"correct":  d.correct(t),
					"repair":   d.repair(t),
					"review":   d.review(t),
					"undo":     d.undo(t),
					"travel":   d.travel(t),
					"delete":   d.remove(t),
					"converse": d.converse(t),
				})
				d.check(t)
			})
		})
	}
}

func (d *diary) must(err error) {
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *diary) exec(query string, args ...any) {
	d.must(d.db.Gorm().Transaction(func(tx *gorm.DB) error { return tx.Exec(query, args...).Error }))
}

// card gives a profile a card by hand.
func (d *diary) card(l storetest.Learner) {
	id := "card-" + l.Profile.ID
	d.exec(`INSERT INTO user_vocabulary (id, tenant_id, user_id, learning_profile_id, kind, front, back, created_at, updated_at)
		VALUES (?, ?, ?, ?, 'produce', 'a', 'b', ?, ?)`, id, learn.PersonalTenant, l.User.ID, l.Profile.ID, d.now, d.now)
	d.cards = append(d.cards, id)
}

func (d *diary) say(t *testing.T) func(*rapid.T) {
	return func(rt *rapid.T) {
		if len(d.open) == 0 {
			rt.Skip()
		}
		c := rapid.SampledFrom(d.open).Draw(rt, "conversation")
		d.now = d.now.Add(time.Duration(rapid.SampledFrom([]int{1, 30, 119, 7200, 40_000, 90_000, 200_000}).Draw(rt, "seconds")) * time.Second)
		d.seq[c.ID]++
		m := storetest.Utterance(c, d.seq[c.ID])
		m.ID, m.CreatedAt = fmt.Sprintf("%s-%d", c.ID, m.Seq), d.now.Add(-time.Duration(rapid.SampledFrom([]int{0, 0, 50, 100_000}).Draw(rt, "late"))*time.Second)
		if rapid.Bool().Draw(rt, "tutor") {
			m.Speaker = learn.SpeakerTutor
		} else if d.said = append(d.said, m); rapid.Bool().Draw(rt, "timed") {
			m.Words = []learn.SpokenWord{{Text: "uno", EndMS: 300}, {Text: "dos", StartMS: rapid.IntRange(300, 2000).Draw(rt, "start"), EndMS: 2500}}
		}
		d.must(d.db.AppendMessage(t.Context(), c.Epoch, m))
		d.must(d.db.AppendMessage(t.Context(), c.Epoch, m))
	}
}

func (d *diary) correct(t *testing.T) func(*rapid.T) {
	return func(rt *rapid.T) {
		if len(d.said) == 0 {
			rt.Skip()
		}
		m := rapid.SampledFrom(d.said).Draw(rt, "message")
		a := learn.TurnAnalysis{TenantID: m.TenantID, UserID: d.es.User.ID, ConversationID: m.ConversationID, MessageID: m.ID, Understood: true}
		for i := range rapid.IntRange(1, 3).Draw(rt, "corrections") {
			a.Corrections = append(a.Corrections, learn.Correction{Original: "a", Corrected: "b", Start: i, End: i + 1, Category: learn.Article,
				Severity: learn.Minor, Withheld: rapid.Bool().Draw(rt, "withheld")})
		}
		d.must(d.db.SaveAnalysis(t.Context(), a))
	}
}

func (d *diary) repair(*testing.T) func(*rapid.T) {
	return func(rt *rapid.T) {
		if len(d.said) == 0 {
			rt.Skip()
		}
		m := rapid.SampledFrom(d.said).Draw(rt, "message")
		change := rapid.SampledFrom([]string{"repair = 'repaired'", "repair = 'prompted'", "status = 'disputed'", "status = 'confirmed'"}).Draw(rt, "change")
		d.must(d.db.Gorm().Transaction(func(tx *gorm.DB) error {
			if err := tx.Exec("UPDATE corrections SET "+change+" WHERE tenant_id = ? AND message_id = ? AND status <> 'withheld'", m.TenantID, m.ID).Error; err != nil {
				return err
			}
			return store.CountCorrections(tx, m.TenantID, m.ConversationID)
		}))
	}
}

func (d *diary) review(*testing.T) func(*rapid.T) {
	return func(rt *rapid.T) {
		card := rapid.SampledFrom(d.cards).Draw(rt, "card")
		day := learn.AddDays(learn.LocalDay(d.now, time.UTC), -rapid.IntRange(0, 3).Draw(rt, "days ago"))
		d.rows++
		d.must(d.db.Gorm().Transaction(func(tx *gorm.DB) error {
			err := tx.Exec(`INSERT INTO review_log (id, tenant_id, user_id, card_id, rating, reviewed_at, raw_reviewed_at, received_at, local_day, mode, state_before, created_at)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'self', ?, ?)`, fmt.Sprint("r", d.rows), learn.PersonalTenant, d.es.User.ID, card,
				rapid.IntRange(1, 4).Draw(rt, "rating"), d.now, d.now, d.now, day, rapid.SampledFrom([]string{"new", "learning", "review"}).Draw(rt, "state"), d.now).Error
			if err != nil {
				return err
			}
			return store.CountReviews(tx, learn.PersonalTenant, d.es.User.ID, []string{day}, d.now)
		}))
	}
}

func (d *diary) undo(*testing.T) func(*rapid.T) {
	return func(rt *rapid.T) {
		d.must(d.db.Gorm().Transaction(func(tx *gorm.DB) error {
			err := tx.Exec("UPDATE review_log SET undone_at = ? WHERE tenant_id = ? AND user_id = ? AND rating = ?",
				d.now, learn.PersonalTenant, d.es.User.ID, rapid.IntRange(1, 4).Draw(rt, "rating")).Error
			if err != nil {
				return err
			}
			var days []string
			if err := tx.Raw("SELECT local_day FROM review_log WHERE tenant_id = ? AND user_id = ?", learn.PersonalTenant, d.es.User.ID).Scan(&days).Error; err != nil {
				return err
			}
			return store.CountReviews(tx, learn.PersonalTenant, d.es.User.ID, days, d.now)
		}))
	}
}

func (d *diary) travel(t *testing.T) func(*rapid.T) {
	return func(rt *rapid.T) {
		d.must(d.db.SetTimeZone(t.Context(), d.es.User.ID, rapid.SampledFrom([]string{"Asia/Tokyo", "America/St_Johns", "Pacific/Apia", "Pacific/Honolulu"}).Draw(rt, "zone")))
	}
}

func (d *diary) converse(t *testing.T) func(*rapid.T) {
	return func(rt *rapid.T) {
		l := d.es
		if rapid.Bool().Draw(rt, "japanese") {
			l = d.ja
		}
		d.open = append(d.open, l.Start(t, d.db))
	}
}

func (d *diary) remove(t *testing.T) func(*rapid.T) {
	return func(rt *rapid.T) {
		if len(d.open) < 2 {
			rt.Skip()
		}
		c := d.open[0]
		d.open = d.open[1:]
		d.must(d.db.DeleteConversation(t.Context(), c.TenantID, c.UserID, c.ID))
		said := d.said[:0]
		for _, m := range d.said {
			if m.ConversationID != c.ID {
				said = append(said, m)
			}
		}
		d.said = said
	}
}

// days are all that is told of a profile, or of both.
func (d *diary) days(t *testing.T, profile string) (learn.Activity, learn.Statistics) {
	a, err := d.db.Activity(t.Context(), learn.ProgressQuery{TenantID: learn.PersonalTenant, UserID: d.es.User.ID, ProfileID: profile,
		From: learn.AddDays(learn.LocalDay(d.now, time.UTC), -360), To: learn.AddDays(learn.LocalDay(d.now, time.UTC), 1)})
	d.must(err)
	st, err := d.db.Statistics(t.Context(), learn.PersonalTenant, d.es.User.ID)
	d.must(err)
	return a, st
}

// check makes the days anew, twice, the second time from spoiled ones.
func (d *diary) check(t *testing.T) {
	for _, profile := range []string{"", d.es.Profile.ID, d.ja.Profile.ID} {
		a, st := d.days(t, profile)
		if profile == "" && st.Streak != a.Streak.Days {
			d.t.Fatalf("the statistics have a streak of %d, the days %d", st.Streak, a.Streak.Days)
		}
		for _, spoil := range []bool{false, true} {
			if spoil {
				d.exec("UPDATE daily_activity SET words = words + 7, reviews = 3, learner_ms = 1, pauses = 9 WHERE tenant_id = ? AND user_id = ?", learn.PersonalTenant, d.es.User.ID)
			}
			d.must(d.db.RebuildActivity(t.Context(), learn.PersonalTenant, d.es.User.ID))
			if b, st2 := d.days(t, profile); !reflect.DeepEqual(a, b) || !reflect.DeepEqual(st, st2) {
				d.t.Fatalf("kept up to date: %+v\nmade anew (spoiled before: %v): %+v\nstatistics %+v and %+v", a, spoil, b, st, st2)
			}
		}
	}
}

// TestDaysFollowCorrections: a mistake that is disputed, or that stands in a message which
// was not what was said, no longer counts on its day.
func TestDaysFollowCorrections(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ctx := t.Context()
			l := storetest.NewLearner(t, db, "ana")
			c := l.Start(t, db)
			m := storetest.Utterance(c, 1)
			m.ID = "m-1"
			if err := db.AppendMessage(ctx, c.Epoch, m); err != nil {
				t.Fatal(err)
			}
			a := learn.TurnAnalysis{TenantID: c.TenantID, UserID: c.UserID, ConversationID: c.ID, MessageID: m.ID, Message: m.Content, Understood: true,
				Corrections: []learn.Correction{
					{ID: "c-1", Original: "a", Corrected: "b", Start: 0, End: 1, Category: learn.Article, Severity: learn.Minor},
					{ID: "c-2", Original: "a", Corrected: "b", Start: 2, End: 3, Category: learn.Gender, Severity: learn.Minor}}}
			if err := db.SaveAnalysis(ctx, a); err != nil {
				t.Fatal(err)
			}
			want := func(what string, n int) {
				t.Helper()
				q := learn.ProgressQuery{TenantID: c.TenantID, UserID: c.UserID}
				e, err := db.ErrorProgress(ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				if got := e.Activity.Total().Corrections; got != n || len(e.Categories) != n {
					t.Errorf("%s: %d corrections in %v, want %d", what, got, e.Categories, n)
				}
			}
			want("at first", 2)
			if _, err := db.JudgeCorrection(ctx, c.TenantID, c.UserID, "c-1", learn.CorrectionDisputed); err != nil {
				t.Fatal(err)
			}
			want("with one of them disputed", 1)
			if _, err := db.JudgeCorrection(ctx, c.TenantID, c.UserID, "c-1", learn.CorrectionConfirmed); err != nil {
				t.Fatal(err)
			}
			want("confirmed after all", 2)
		})
	}
}
