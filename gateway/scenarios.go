package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

const defaultScenarios, maxScenarios = 50, 100

func (s *Server) scenarioRoutes() {
	languages := make([]any, len(learn.Languages))
	for i, l := range learn.Languages {
		languages[i] = l.Code
	}
	topics := make([]any, len(learn.ScenarioTopics()))
	for i, t := range learn.ScenarioTopics() {
		topics[i] = string(t)
	}
	s.handleLearner(operation{
		method: http.MethodGet, path: "/scenarios", id: "listScenarios", tag: "scenarios", class: reading,
		summary: "What can be played, the easiest first",
		about: "Those that suit the caller's age. A scenario can be played in whatever is learned; in some languages it also brings words. " +
			"Start a session, or buy a ticket, with its id as `scenario_id`; without one the talk is free. " + pollable,
		query: append(pageParameters(defaultScenarios, maxScenarios),
			parameter{name: "language", about: "Only those with words of this language, and no words of another.", shape: "", enum: languages},
			parameter{name: "level", about: "Only those for this CEFR level.", shape: "", enum: []any{"A1", "A2", "B1", "B2", "C1", "C2"}},
			parameter{name: "topic", about: "Only those of this topic.", shape: "", enum: topics}),
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: []scenarioJSON{}}}}, unchanged()},
	}, s.listScenarios)
	s.handleLearner(operation{
		method: http.MethodGet, path: "/scenarios/:id", id: "getScenario", tag: "scenarios", class: reading,
		summary: "One scenario", about: pollable,
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: scenarioJSON{}}}}, unchanged()},
		fails: []failure{{http.StatusNotFound, "There is no such scenario, or not for the caller's age."}},
	}, s.getScenario)
}

// scenarioJSON is a scenario as the API shows it: what learners are told of it.
type scenarioJSON struct {
	ID          string              `json:"id" example:"order-in-a-cafe"`
	Version     int                 `json:"version" doc:"Rises when it is changed; a session keeps the one that it began with" example:"1"`
	Topic       string              `json:"topic" enum:"everyday,work,study,talk" doc:"talk: no roles are played" example:"everyday"`
	Title       learn.Texts         `json:"title" doc:"By the language of the app; English is always there, as in all such texts"`
	LevelMin    string              `json:"level_min" doc:"The lowest CEFR level that it is written for" enum:"A1,A2,B1,B2,C1,C2" example:"A1"`
	LevelMax    string              `json:"level_max" doc:"The highest" enum:"A1,A2,B1,B2,C1,C2" example:"A2"`
	Audience    string              `json:"audience" doc:"How old one should be" enum:"all,teen,adult" example:"all"`
	Situation   learn.Texts         `json:"situation" doc:"Where it plays; \"you\" is the learner"`
	TutorRole   learn.Texts         `json:"tutor_role" doc:"Whom the tutor plays"`
	LearnerRole learn.Texts         `json:"learner_role" doc:"Whom the learner plays"`
	Goals       []scenarioGoalJSON  `json:"goals" doc:"What the learner is to manage, three to five"`
	Languages   []string            `json:"languages" doc:"In which it brings words"`
	Words       map[string][]string `json:"words" doc:"Worth using in it, by the language that is learned"`
}

type scenarioGoalJSON struct {
	ID   string      `json:"id" doc:"Unique in its scenario" example:"price"`
	Text learn.Texts `json:"text" doc:"By the language of the app"`
}

// showScenario shows the words of one language alone, unless it is empty.
func showScenario(s learn.Scenario, language string) scenarioJSON {
	out := scenarioJSON{
		ID: s.ID, Version: s.Version, Topic: string(s.Topic), Title: s.Title, LevelMin: string(s.LevelMin), LevelMax: string(s.LevelMax),
		Audience: string(s.Audience), Situation: s.Situation, TutorRole: s.TutorRole, LearnerRole: s.LearnerRole,
		Goals: []scenarioGoalJSON{}, Languages: s.Languages(), Words: s.Words,
	}
	for _, g := range s.Goals {
		out.Goals = append(out.Goals, scenarioGoalJSON(g))
	}
	if language != "" {
		out.Words = map[string][]string{language: s.Words[language]}
	}
	return out
}

// goalJSON is a goal of a session's scenario, and whether it was reached.
type goalJSON struct {
	ID        string      `json:"id" doc:"Unique in its scenario" example:"price"`
	Text      learn.Texts `json:"text" doc:"By the language of the app"`
	Met       bool        `json:"met" doc:"Whether it was reached" example:"true"`
	Quote     *string     `json:"quote" doc:"The learner's words that prove it; null until then" example:"¿cuánto cuesta?"`
	MessageID *string     `json:"message_id" doc:"The message in which they stand; null until then"`
	MetAt     *time.Time  `json:"met_at" doc:"When it was found; null until then" example:"2026-03-04T05:08:10Z"`
}

func showGoals(goals []learn.GoalState) []goalJSON {
	out := make([]goalJSON, len(goals)) // [] and never null
	for i, g := range goals {
		out[i] = goalJSON{ID: g.ID, Text: g.Text, Met: g.Met != nil}
		if g.Met != nil {
			at := g.Met.At.UTC()
			out[i].Quote, out[i].MessageID, out[i].MetAt = orNull(g.Met.Quote), orNull(g.Met.MessageID), orNull(at)
		}
	}
	return out
}

// listScenarios answers GET /scenarios.
func (s *Server) listScenarios(c echo.Context, who caller) error {
	q := readQuery(c)
	page := q.page(defaultScenarios, maxScenarios)
	f := learn.ScenarioFilter{Age: who.user.Age}
	if code, ok := q.get("language"); ok {
		l, known := learn.LanguageByCode(code)
		if !known {
			q.add("language", "must be one that can be learned; see /languages")
		}
		f.Language = l.Code
	}
	if level, ok := q.get("level"); ok {
		if f.Level, ok = learn.ParseLevel(level); !ok {
			q.add("level", "must be one of A1, A2, B1, B2, C1, C2")
		}
	}
	if topic, ok := q.get("topic"); ok {
		if f.Topic = learn.ScenarioTopic(topic); !slices.Contains(learn.ScenarioTopics(), f.Topic) {
			q.add("topic", "must be one of %s", strings.Trim(fmt.Sprint(learn.ScenarioTopics()), "[]"))
		}
	}
	if err := q.err("gateway.listScenarios"); err != nil {
		return err
	}
	found := s.opts.Scenarios.Scenarios(f)
	found = found[min(page.offset, len(found)):]
	out := []scenarioJSON{} // and never null
	for _, one := range found[:min(page.limit, len(found))] {
		out = append(out, showScenario(one, f.Language))
	}
	return conditionalJSON(c, out)
}

// getScenario answers GET /scenarios/{id}.
func (s *Server) getScenario(c echo.Context, who caller) error {
	found, ok := s.scenarioFor(who.user, c.Param("id"))
	if !ok {
		return learn.Errorf(learn.NotFound, "gateway.getScenario", "Scenario not found")
	}
	return conditionalJSON(c, showScenario(found, ""))
}

// scenarioFor is a scenario that a user may play; others are none.
func (s *Server) scenarioFor(u learn.User, id string) (learn.Scenario, bool) {
	found, ok := s.opts.Scenarios.Scenario(id)
	if !ok || !found.Audience.Suits(u.Age) {
		return learn.Scenario{}, false
	}
	return found, true
}

// topicOf is what a conversation that begins is about: what was asked for, or else its
// scenario.
func topicOf(asked string, scene *learn.Scene, u learn.User) string {
	if scene == nil || asked != defaultTopic {
		return asked
	}
	return scene.Title.In(u.UILocale)
}

// chosenScene is what a conversation that begins is to play: nil for free talk, which is no
// scenario or an empty one. Invalid, naming the field, when there is no such scenario.
func (s *Server) chosenScene(u learn.User, id string) (*learn.Scene, error) {
	if id == "" {
		return nil, nil
	}
	found, ok := s.scenarioFor(u, id)
	if !ok {
		var f faults
		f.add("scenario_id", "is no scenario; see /scenarios")
		return nil, f.err("gateway.chosenScene")
	}
	return &learn.Scene{Scenario: found}, nil
}
