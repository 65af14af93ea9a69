package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

// sayer says things in a conversation and has them analysed.
type sayer struct {
	db  *store.DB
	c   learn.Conversation
	seq int
}

func (s *sayer) say(t *testing.T, text string, corrections []learn.Correction, l1 ...learn.L1Word) (messageID string) {
	t.Helper()
	s.seq++
	m := storetest.Utterance(s.c, s.seq)
	m.ID, m.Content, m.Heard = fmt.Sprintf("%s-%d", s.c.ID, s.seq), text, text
	if err := s.db.AppendMessage(t.Context(), 1, m); err != nil {
		t.Fatal(err)
	}
	a := learn.TurnAnalysis{TenantID: s.c.TenantID, UserID: s.c.UserID, ProfileID: s.c.ProfileID, ConversationID: s.c.ID, MessageID: m.ID,
		Message: text, Corrections: corrections, L1Words: l1}
	for range 2 { // the second changes nothing
		if err := s.db.SaveAnalysis(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	return m.ID
}

// wrong is a mistake at the beginning of what was said.
func wrong(id, original, corrected string, severity learn.Severity) learn.Correction {
	return learn.Correction{ID: id, Original: original, Corrected: corrected, End: len([]rune(original)), Category: learn.WordChoice, Severity: severity, Explanation: "Because."}
}

func cardsOf(t *testing.T, db *store.DB, l storetest.Learner) (backs []string) {
	t.Helper()
	cards, err := db.ListCards(t.Context(), learn.PersonalTenant, l.User.ID, learn.CardFilter{}, 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cards {
		backs = append(backs, string(c.Kind)+" "+c.Back)
	}
	slices.Sort(backs)
	return backs
}

func wantCards(t *testing.T, db *store.DB, l storetest.Learner, want ...string) {
	t.Helper()
	if got := cardsOf(t, db, l); !slices.Equal(got, want) {
		t.Errorf("%s has %q, want %q", l.User.Name, got, want)
	}
}

// willing is a learner for whom cards come by themselves.
func willing(t *testing.T, db *store.DB, name string) storetest.Learner {
	t.Helper()
	l := storetest.NewLearner(t, db, name)
	l.Profile.AutoCards = true
	p, err := db.UpdateProfile(t.Context(), l.Profile)
	if err != nil || !p.AutoCards {
		t.Fatalf("%+v, %v", p, err)
	}
	return l
}

// Cards come of mistakes that matter and of missing words, when the learner wants that, with
// the analysis and once; nobody else gets any.
func TestAutoCards(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ana, eve := willing(t, db, "ana"), storetest.NewLearner(t, db, "eve")
			for _, l := range []storetest.Learner{ana, eve} {
				s := sayer{db: db, c: l.Start(t, db)}
				id := l.User.Name
				s.say(t, "Yo fue al market.", []learn.Correction{wrong(id+"-1", "Yo fue", "Yo fui", learn.Major), wrong(id+"-2", "Yo", "Él", learn.Minor)},
					learn.L1Word{Text: "market", Target: "mercado"})
				withheld := wrong(id+"-3", "Yo soy", "Yo estoy", learn.Blocking)
				withheld.Withheld = true
				s.say(t, "Yo soy cansado.", []learn.Correction{withheld})
			}
			wantCards(t, db, eve)
			wantCards(t, db, ana, "fix Yo fui al market.", "speak mercado")
			wantRows(t, db, "SELECT CAST(COUNT(*) AS TEXT) FROM change_feed WHERE entity = 'card' AND op = 'put'", "2")
			wantRows(t, db, "SELECT v.origin FROM user_vocabulary v JOIN change_feed f ON f.entity_id = v.id WHERE v.auto_added AND v.reps = 0 ORDER BY v.origin", "correction", "l1_word")

			// What the learner has deleted stays deleted.
			cards, err := db.ListCards(t.Context(), learn.PersonalTenant, ana.User.ID, learn.CardFilter{}, 9, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cards {
				if err := db.DeleteCard(t.Context(), c.TenantID, c.UserID, c.ID, ""); err != nil {
					t.Fatal(err)
				}
			}
			s := sayer{db: db, c: ana.Start(t, db)}
			s.say(t, "¿Un market?", nil, learn.L1Word{Text: "market", Target: "Mercado"})
			wantCards(t, db, ana)
			if err := db.EraseUser(t.Context(), ana.User.ID); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A lesson gives five at the most, and a day no more than new cards are asked.
func TestAutoCardsAreFew(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
			o := fresh(t)
			o.Now = func() time.Time { return now }
			db := storetest.Open(t, o)
			ana := willing(t, db, "ana")
			words := 0
			lesson := func() {
				s := sayer{db: db, c: ana.Start(t, db)}
				for range 4 {
					words += 2
					one, two := fmt.Sprintf("word%d", words), fmt.Sprintf("word%d", words+1)
					s.say(t, one+" y "+two, nil, learn.L1Word{Text: one, Target: "palabra" + one}, learn.L1Word{Text: two, Target: "palabra" + two})
				}
			}
			for _, want := range []int{5, 10, 10} { // the day's ten are there
				lesson()
				if got := cardsOf(t, db, ana); len(got) != want {
					t.Errorf("%d cards, want %d: %q", len(got), want, got)
				}
			}
			now = now.AddDate(0, 0, 1)
			if _, err := db.Pool().ExecContext(t.Context(), "UPDATE learning_profiles SET new_cards_per_day = 2"); err != nil {
				t.Fatal(err)
			}
			lesson()
			if got := cardsOf(t, db, ana); len(got) != 12 {
				t.Errorf("%d cards with two a day", len(got))
			}
		})
	}
}

// When what a card was made of turns out wrong it goes again, unless the learner has reviewed
// or changed it.
func TestAutoCardsAreWithdrawn(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ctx, tenant := t.Context(), learn.PersonalTenant
			ana := willing(t, db, "ana")
			s := sayer{db: db, c: ana.Start(t, db)}
			s.say(t, "Yo fue.", []learn.Correction{wrong("c-1", "Yo fue", "Yo fui", learn.Major)})
			s.say(t, "Tú come.", []learn.Correction{wrong("c-2", "Tú come", "Tú comes", learn.Major)})
			misheard := s.say(t, "Él vivo in house.", []learn.Correction{wrong("c-3", "Él vivo", "Él vive", learn.Blocking)}, learn.L1Word{Text: "house", Target: "casa"})
			wantCards(t, db, ana, "fix Tú comes.", "fix Yo fui.", "fix Él vive in house.", "speak casa")

			if _, err := db.JudgeCorrection(ctx, tenant, ana.User.ID, "c-1", learn.CorrectionDisputed); err != nil {
				t.Fatal(err)
			}
			wantCards(t, db, ana, "fix Tú comes.", "fix Él vive in house.", "speak casa")
			cards, err := db.ListCards(ctx, tenant, ana.User.ID, learn.CardFilter{}, 9, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cards {
				switch c.Back {
				case "Tú comes.":
					_, _, err = db.AppendReviews(ctx, tenant, ana.User.ID, []learn.Review{{ID: "r", CardID: c.ID, Rating: learn.Good, At: time.Now(), RawAt: time.Now(), Mode: learn.ReviewSelf}})
				case "casa":
					_, err = db.PatchCard(ctx, learn.CardPatch{TenantID: tenant, UserID: ana.User.ID, ID: c.ID, Front: new("the house")})
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if _, err := db.JudgeCorrection(ctx, tenant, ana.User.ID, "c-2", learn.CorrectionDisputed); err != nil {
				t.Fatal(err)
			}
			if _, err := db.CorrectTranscript(ctx, tenant, ana.User.ID, misheard, "El vino es caro."); err != nil {
				t.Fatal(err)
			}
			wantCards(t, db, ana, "fix Tú comes.", "speak casa")
			wantRows(t, db, "SELECT CAST(COUNT(*) AS TEXT) FROM change_feed WHERE entity = 'card' AND op = 'delete'", "2")
		})
	}
}
