package gateway

import "kalami/session/learn"

// someScenarios is a catalogue of a few.
type someScenarios []learn.Scenario

func (s someScenarios) Scenario(id string) (learn.Scenario, bool) {
	for _, one := range s {
		if one.ID == id {
			return one, true
		}
	}
	return learn.Scenario{}, false
}

func (s someScenarios) Scenarios(f learn.ScenarioFilter) (out []learn.Scenario) {
	for _, one := range s {
		if f.Passes(one) {
			out = append(out, one)
		}
	}
	return out
}

// fewScenarios are a café, with words in Spanish and German, and more pay, which is for adults.
func fewScenarios() someScenarios {
	text := func(en, es string) learn.Texts { return learn.Texts{"en": en, "es": es} }
	goals := func(ids ...string) (out []learn.ScenarioGoal) {
		for _, id := range ids {
			out = append(out, learn.ScenarioGoal{ID: id, Text: text("do "+id, "hacer "+id)})
		}
		return out
	}
	return someScenarios{{
		ID: "cafe", Version: 2, Topic: "everyday", Title: text("A café", "Un café"), LevelMin: learn.A1, LevelMax: learn.A2, Audience: learn.ForAll,
		Situation: text("You are in a café.", "Estás en un café."), TutorRole: text("the waiter", "el camarero"), LearnerRole: text("a guest", "un cliente"),
		Goals: goals("drink", "price", "thanks"), Opener: "Greet the guest.", Twist: "There is no tea.", Stop: []string{"the guest has paid"},
		Words: map[string][]string{"es": {"el té", "pagar"}, "de": {"der Tee", "bezahlen"}},
	}, {
		ID: "more-pay", Version: 1, Topic: "work", Title: text("More pay", "Más sueldo"), LevelMin: learn.B1, LevelMax: learn.C1, Audience: learn.ForAdults,
		Situation: text("You talk to your boss.", "Hablas con tu jefa."), TutorRole: text("the boss", "la jefa"), LearnerRole: text("who asks", "quien pide"),
		Goals: goals("done", "wish", "counter"), Opener: "Say hello.", Twist: "Offer days.", Stop: []string{"they agree"},
		Words: map[string][]string{"es": {"el sueldo", "pedir"}},
	}}
}
