package store_test

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

// bakery is a scenario.
func bakery() learn.Scenario {
	text := func(en, es string) learn.Texts { return learn.Texts{"en": en, "es": es} }
	return learn.Scenario{
		ID: "at-the-bakery", Version: 1, Topic: "everyday", Title: text("At the bakery", "En la panadería"), LevelMin: learn.A1, LevelMax: learn.B1,
		Audience: learn.ForAll, Situation: text("You are in a bakery.", "Estás en una panadería."), TutorRole: text("the baker", "la panadera"),
		LearnerRole: text("a customer", "un cliente"),
		Goals:       []learn.ScenarioGoal{{ID: "bread", Text: text("ask for bread", "pedir pan")}, {ID: "price", Text: text("ask the price", "preguntar el precio")}},
		Opener:      "Greet the customer.", Twist: "There is no bread.", Stop: []string{"the customer has paid", "they quarrel"},
		Words: map[string][]string{"es": {"el pan", "pagar"}, "de": {"das Brot"}},
	}
}

// kept is a scenario as a conversation keeps it: what learners read before it begins is not
// among it, but for the English that the tutor reads.
func kept(s learn.Scenario) learn.Scenario {
	for _, t := range []*learn.Texts{&s.Situation, &s.TutorRole, &s.LearnerRole} {
		*t = learn.Texts{"en": (*t)["en"]}
	}
	return s
}

// play begins a conversation of a scenario.
func play(t *testing.T, db *store.DB, l storetest.Learner, s learn.Scenario) learn.Conversation {
	t.Helper()
	c, err := db.StartConversation(t.Context(), learn.Conversation{TenantID: l.Profile.TenantID, UserID: l.User.ID, ProfileID: l.Profile.ID,
		Topic: "bread", Scene: &learn.Scene{Scenario: s}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// found is what an analysis found about a message.
func found(c learn.Conversation, messageID string, goals ...learn.GoalProgress) learn.TurnAnalysis {
	return learn.TurnAnalysis{TenantID: c.TenantID, UserID: c.UserID, ProfileID: c.ProfileID, ConversationID: c.ID, MessageID: messageID, Goals: goals}
}

// say stores what the learner says as message seq, and returns its id.
func say(t *testing.T, db *store.DB, c learn.Conversation, seq int) string {
	t.Helper()
	m := storetest.Utterance(c, seq)
	m.ID = c.ID + "-m" + string(rune('0'+seq))
	if err := db.AppendMessage(t.Context(), c.Epoch, m); err != nil {
		t.Fatal(err)
	}
	return m.ID
}

// A conversation keeps the scenario that it began with, in whatever way it is read or taken
// up, and a later version changes nothing for it.
func TestConversationKeepsScenario(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ctx := t.Context()
			ana := storetest.NewLearner(t, db, "ana")
			free := ana.Start(t, db)
			c := play(t, db, ana, bakery())
			want := &learn.Scene{Scenario: kept(bakery())}
			if free.Scene != nil || !reflect.DeepEqual(c.Scene, want) {
				t.Fatalf("began %+v, free talk %+v", c.Scene, free.Scene)
			}
			second := bakery()
			second.Version, second.Twist, second.Goals = 2, "Another one.", second.Goals[:1]
			later := play(t, db, ana, second)
			if !reflect.DeepEqual(later.Scene.Scenario, kept(second)) || later.Scene.Again {
				t.Errorf("a later version %+v", later.Scene)
			}

			reads := map[string]func() (learn.Conversation, error){
				"read":       func() (learn.Conversation, error) { return db.Conversation(ctx, c.TenantID, c.UserID, c.ID) },
				"taken over": func() (learn.Conversation, error) { return db.TakeOver(ctx, c.TenantID, c.UserID, c.ID) },
				"taken up with a token": func() (learn.Conversation, error) {
					now, err := db.TakeOver(ctx, c.TenantID, c.UserID, c.ID)
					if err == nil {
						err = db.OfferResume(ctx, learn.ResumeOffer{TenantID: c.TenantID, ConversationID: c.ID, Epoch: now.Epoch, Hash: "h1", Window: time.Hour})
					}
					if err != nil {
						return now, err
					}
					now, outcome, err := db.Resume(ctx, learn.Resumption{ConversationID: c.ID, Hash: "h1", Next: "h2", Window: time.Hour})
					if outcome != learn.ResumeGranted {
						t.Errorf("outcome %v", outcome)
					}
					return now, err
				},
			}
			for how, read := range reads {
				if got, err := read(); err != nil || !reflect.DeepEqual(got.Scene, want) {
					t.Errorf("%s: %+v, %v", how, got.Scene, err)
				}
			}
			if got, err := db.FinishConversation(ctx, c.TenantID, c.UserID, c.ID); err != nil || !reflect.DeepEqual(got.Scene, want) {
				t.Errorf("ended: %+v, %v", got.Scene, err)
			}
			list, err := db.ListConversations(ctx, c.TenantID, c.UserID, "", 10, 0)
			if err != nil || len(list) != 3 {
				t.Fatalf("listed %d, %v", len(list), err)
			}
			for _, got := range list {
				switch got.ID {
				case c.ID:
					if !reflect.DeepEqual(got.Scene, want) {
						t.Errorf("listed %+v", got.Scene)
					}
				case free.ID:
					if got.Scene != nil {
						t.Errorf("free talk is listed with %+v", got.Scene)
					}
				}
			}
			wantRows(t, db, "SELECT slug || ' ' || version || ' ' || status FROM scenarios ORDER BY version", "at-the-bakery 1 published", "at-the-bakery 2 published")
		})
	}
}

// Who has talked in a scenario before plays it again; who only opened it does not, nor does
// somebody else, and the first conversation stays the first.
func TestScenarioAgain(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ana, eve := storetest.NewLearner(t, db, "ana"), storetest.NewLearner(t, db, "eve")
			first := play(t, db, ana, bakery())
			if silent := play(t, db, ana, bakery()); silent.Scene.Again {
				t.Error("again after nothing was said")
			}
			say(t, db, first, 1)
			newer := bakery()
			newer.Version = 2
			if again := play(t, db, ana, newer); !again.Scene.Again {
				t.Error("not again after they talked")
			}
			if other := play(t, db, eve, bakery()); other.Scene.Again {
				t.Error("again for somebody else")
			}
			if c, err := db.Conversation(t.Context(), first.TenantID, first.UserID, first.ID); err != nil || c.Scene.Again {
				t.Errorf("the first is again: %v", err)
			}
		})
	}
}

// A goal is reached once, by the first message that does, whoever saves it and how often;
// those that the scenario has not are nobody's.
func TestGoalsMet(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ctx := t.Context()
			ana, eve := storetest.NewLearner(t, db, "ana"), storetest.NewLearner(t, db, "eve")
			c := play(t, db, ana, bakery())
			first, second := say(t, db, c, 1), say(t, db, c, 2)
			bread := learn.GoalProgress{ID: "bread", Met: true, Quote: "buenos"}
			var saving sync.WaitGroup
			for range 4 {
				for _, a := range []learn.TurnAnalysis{
					found(c, first, bread, learn.GoalProgress{ID: "price"}, learn.GoalProgress{ID: "fly", Met: true, Quote: "días"}),
				} {
					saving.Go(func() {
						if err := db.SaveAnalysis(ctx, a); err != nil {
							t.Error(err)
						}
					})
				}
			}
			saving.Wait()
			again := bread
			again.Quote = "días"
			if err := db.SaveAnalysis(ctx, found(c, second, again)); err != nil {
				t.Fatal(err)
			}
			met, err := db.GoalsMet(ctx, c.TenantID, c.UserID, c.ID)
			if err != nil || len(met) != 1 || met[0].ID != "bread" || met[0].MessageID != first || met[0].Quote != "buenos" || met[0].At.IsZero() || met[0].At.Location() != time.UTC {
				t.Fatalf("met %+v, %v", met, err)
			}
			if got, err := db.Conversation(ctx, c.TenantID, c.UserID, c.ID); err != nil || !reflect.DeepEqual(got.Scene.Met, met) {
				t.Errorf("the conversation tells %+v, %v", got.Scene, err)
			}
			plan, err := db.Plan(ctx, c.TenantID, c.UserID, c.ID)
			if want := []learn.Goal{{ID: "price", Text: "ask the price"}}; err != nil || !reflect.DeepEqual(plan.Goals, want) {
				t.Errorf("plan %+v, %v", plan, err)
			}
			s, _, err := db.Summary(ctx, c.TenantID, c.UserID, c.ID)
			if err != nil || len(s.Goals) != 2 || s.Goals[0].Met == nil || s.Goals[1].Met != nil || s.Evidence.GoalsMet != 1 || s.Goals[1].Text["es"] != "preguntar el precio" {
				t.Errorf("report %+v, %v", s.Goals, err)
			}
			if _, err := db.GoalsMet(ctx, c.TenantID, eve.User.ID, c.ID); learn.KindOf(err) != learn.NotFound || err == nil {
				t.Errorf("of somebody else's: %v", err)
			}

			free := eve.Start(t, db)
			if err := db.SaveAnalysis(ctx, found(free, say(t, db, free, 1), bread)); err != nil {
				t.Fatal(err)
			}
			if met, err := db.GoalsMet(ctx, free.TenantID, free.UserID, free.ID); err != nil || len(met) != 0 {
				t.Errorf("free talk has reached %+v, %v", met, err)
			}
		})
	}
}

// A message that reads otherwise proves nothing any more, until it is analysed again; a
// conversation that is deleted leaves no goal, and nor does a learner who is erased.
func TestGoalsAreTakenBack(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ctx := t.Context()
			ana := storetest.NewLearner(t, db, "ana")
			c, other := play(t, db, ana, bakery()), play(t, db, ana, bakery())
			id := say(t, db, c, 1)
			reach := func(c learn.Conversation, id, quote string) {
				t.Helper()
				if err := db.SaveAnalysis(ctx, found(c, id, learn.GoalProgress{ID: "bread", Met: true, Quote: quote})); err != nil {
					t.Fatal(err)
				}
			}
			reach(c, id, "buenos")
			reach(other, say(t, db, other, 1), "buenos")
			if _, err := db.CorrectTranscript(ctx, c.TenantID, c.UserID, id, "Un pan, por favor."); err != nil {
				t.Fatal(err)
			}
			if met, err := db.GoalsMet(ctx, c.TenantID, c.UserID, c.ID); err != nil || len(met) != 0 {
				t.Errorf("still met: %+v, %v", met, err)
			}
			reach(c, id, "Un pan")
			wantRows(t, db, "SELECT quote FROM conversation_goals ORDER BY met_at", "buenos", "Un pan")
			if err := db.DeleteConversation(ctx, c.TenantID, c.UserID, c.ID); err != nil {
				t.Fatal(err)
			}
			wantRows(t, db, "SELECT quote FROM conversation_goals", "buenos")
			if err := db.EraseUser(ctx, ana.User.ID); err != nil {
				t.Fatal(err)
			}
			wantRows(t, db, "SELECT quote FROM conversation_goals")
			wantRows(t, db, "SELECT slug FROM scenarios", "at-the-bakery")
		})
	}
}

// Learners who begin with the same scenario at once all get it.
func TestScenarioPinnedAtOnce(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			var all sync.WaitGroup
			for _, name := range []string{"a", "b", "c", "d"} {
				l := storetest.NewLearner(t, db, name)
				all.Go(func() {
					_, err := db.StartConversation(t.Context(), learn.Conversation{TenantID: l.Profile.TenantID, UserID: l.User.ID, ProfileID: l.Profile.ID,
						Scene: &learn.Scene{Scenario: bakery()}})
					if err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			wantRows(t, db, "SELECT id FROM scenarios", "at-the-bakery@1")
		})
	}
}
