package learn

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Scenario is a situation to talk in: two roles, and goals that the learner is to reach. It
// belongs to no language; what depends on one are a few words. A conversation without a
// scenario is free talk.
//
// Version rises with each change: a conversation keeps the one that it began with.
type Scenario struct {
	ID      string        `json:"id"`
	Version int           `json:"version"`
	Topic   ScenarioTopic `json:"topic"`
	Title   Texts         `json:"title"`
	// LevelMin and LevelMax are whom it is written for; nobody is kept from it.
	LevelMin Level `json:"level_min"`
	LevelMax Level `json:"level_max"`
	// Audience is how old one should be.
	Audience Audience `json:"audience"`
	// Situation, TutorRole and LearnerRole are told to the learner, whom they call "you".
	Situation   Texts          `json:"situation"`
	TutorRole   Texts          `json:"tutor_role"`
	LearnerRole Texts          `json:"learner_role"`
	Goals       []ScenarioGoal `json:"goals"`
	// Opener is how the tutor begins, Twist what happens to who has been there before, and
	// Stop when it is over: instructions for the tutor, in English.
	Opener string   `json:"opener"`
	Twist  string   `json:"twist"`
	Stop   []string `json:"stop"`
	// Words are worth bringing in, by the language that is learned.
	Words map[string][]string `json:"words"`
}

// ScenarioGoal is something that the learner is to manage in a scenario.
type ScenarioGoal struct {
	ID   string `json:"id"` // unique in its scenario
	Text Texts  `json:"text"`
}

// ScenarioTopic is where in life a scenario belongs.
type ScenarioTopic string

// ScenarioTopics are all topics. Talk has no roles to play: it is free talk about something.
func ScenarioTopics() []ScenarioTopic {
	return []ScenarioTopic{"everyday", "work", "study", "talk"}
}

// Audience is for how old people something is.
type Audience string

// The audiences.
const (
	ForAll    Audience = "all"
	ForTeens  Audience = "teen"  // and adults
	ForAdults Audience = "adult" // alone
)

// Suits says whether a scenario is for a user of an age, of whom nothing may be known.
func (a Audience) Suits(age AgeBand) bool {
	switch age {
	case AgeChild:
		return a == ForAll
	case AgeTeen:
		return a != ForAdults
	}
	return true
}

// Texts is one text in languages that apps are shown in, by their codes. English is always
// there.
type Texts map[string]string

// In is the text for a locale such as "es-MX": in its language, else in English.
func (t Texts) In(locale string) string {
	base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(locale), "_", "-"), "-")
	if text, ok := t[base]; ok {
		return text
	}
	return t["en"]
}

// ScenarioFilter says which scenarios are wanted; what is empty lets all through.
type ScenarioFilter struct {
	// Language is one that they have words of.
	Language string
	Level    Level
	Topic    ScenarioTopic
	Age      AgeBand
}

// Passes says whether the filter lets a scenario through.
func (f ScenarioFilter) Passes(s Scenario) bool {
	if f.Language != "" && len(s.Words[f.Language]) == 0 {
		return false
	}
	if f.Level != "" && (f.Level < s.LevelMin || f.Level > s.LevelMax) { // "A1" < "A2" < … < "C2"
		return false
	}
	return (f.Topic == "" || f.Topic == s.Topic) && s.Audience.Suits(f.Age)
}

// Languages are those of which it has words, in order.
func (s Scenario) Languages() []string { return slices.Sorted(maps.Keys(s.Words)) }

// Scene is the scenario of a conversation, and how far the learner is in it.
type Scene struct {
	Scenario
	// Again says that the learner has talked in an earlier conversation of this scenario.
	Again bool
	// Met are the goals that were reached, each once, the first first.
	Met []GoalMet
}

// GoalMet is a goal that was reached.
type GoalMet struct {
	ID        string
	MessageID string // of the learner's
	Quote     string // their words in it that prove it
	At        time.Time
}

// Progress says of each goal, in the scenario's order, whether it was reached.
func (s *Scene) Progress() []GoalState {
	if s == nil {
		return nil
	}
	states := make([]GoalState, len(s.Goals))
	for i, g := range s.Goals {
		states[i].ScenarioGoal = g
		if k := slices.IndexFunc(s.Met, func(m GoalMet) bool { return m.ID == g.ID }); k >= 0 {
			states[i].Met = &s.Met[k]
		}
	}
	return states
}

// GoalState is a goal of a conversation; Met is nil until it was reached.
type GoalState struct {
	ScenarioGoal
	Met *GoalMet
}

// Open are the goals that were not reached yet, as a [Plan] has them; none without a scene.
func (s *Scene) Open() []Goal {
	var open []Goal
	for _, g := range s.Progress() {
		if g.Met == nil {
			open = append(open, Goal{ID: g.ID, Text: g.Text.In("en")})
		}
	}
	return open
}
