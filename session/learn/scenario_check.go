package learn

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// How long the parts of a scenario may be, in characters, and how many there may be. A goal
// is also bounded by what a [Plan] takes.
const (
	scenarioIDMost    = 40
	scenarioTitleMost = 60
	scenarioTextMost  = 200
	scenarioGoalsLow  = 3
	scenarioGoalsHigh = 5
	scenarioWordsLow  = 6
	scenarioWordsHigh = 10
	scenarioStopsMost = 3
)

// Check says what is wrong with a scenario, field by field; nothing for one that may be
// talked in.
func (s Scenario) Check() []FieldError {
	var c scenarioCheck
	c.id("id", s.ID)
	if s.Version < 1 {
		c.add("version", "must be 1 or more")
	}
	if !slices.Contains(ScenarioTopics(), s.Topic) {
		c.add("topic", "must be one of %v", ScenarioTopics())
	}
	if a := s.Audience; a != ForAll && a != ForTeens && a != ForAdults {
		c.add("audience", "must be one of all, teen, adult")
	}
	low, high := c.level("level_min", s.LevelMin), c.level("level_max", s.LevelMax)
	if low && high && s.LevelMax < s.LevelMin {
		c.add("level_max", "must not be below level_min")
	}
	c.texts("title", s.Title, scenarioTitleMost)
	c.texts("situation", s.Situation, scenarioTextMost)
	c.texts("tutor_role", s.TutorRole, scenarioTextMost)
	c.texts("learner_role", s.LearnerRole, scenarioTextMost)
	c.text("opener", s.Opener, scenarioTextMost)
	c.text("twist", s.Twist, scenarioTextMost)
	if n := len(s.Stop); n == 0 || n > scenarioStopsMost {
		c.add("stop", "must be 1 to %d", scenarioStopsMost)
	}
	for i, t := range s.Stop {
		c.text(fmt.Sprintf("stop.%d", i), t, scenarioTextMost)
	}
	c.goals(s.Goals)
	c.words(s.Words)
	slices.SortFunc(c.found, func(a, b FieldError) int { return strings.Compare(a.Field, b.Field) })
	return c.found
}

// scenarioCheck collects what is wrong.
type scenarioCheck struct{ found []FieldError }

func (c *scenarioCheck) add(field, format string, args ...any) {
	c.found = append(c.found, FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

// id wants a word in lower case that can stand in a path and in a prompt.
func (c *scenarioCheck) id(field, id string) {
	bad := func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') }
	if id == "" || len(id) > scenarioIDMost || strings.ContainsFunc(id, bad) || strings.Trim(id, "-") != id {
		c.add(field, "must be 1 to %d small letters, digits and '-' between them", scenarioIDMost)
	}
}

func (c *scenarioCheck) level(field string, l Level) bool {
	known, ok := ParseLevel(string(l))
	if !ok || known != l {
		c.add(field, "must be one of A1, A2, B1, B2, C1, C2")
		return false
	}
	return true
}

// text wants one line that a prompt takes as it is, so that nothing is lost of it there.
func (c *scenarioCheck) text(field, text string, most int) {
	switch {
	case text == "":
		c.add(field, "is required")
	case !utf8.ValidString(text), strings.ContainsFunc(text, notInText), strings.ContainsAny(text, "<>"):
		c.add(field, "must be plain text without control characters, '<' and '>'")
	case strings.TrimSpace(text) != text:
		c.add(field, "must not begin or end with space")
	case utf8.RuneCountInString(text) > most:
		c.add(field, "must have at most %d characters", most)
	}
}

func (c *scenarioCheck) texts(field string, t Texts, most int) {
	if _, ok := t["en"]; !ok {
		c.add(field+".en", "is required")
	}
	for code, text := range t {
		if l, ok := LanguageByCode(code); !ok || l.Code != code {
			c.add(field+"."+code, "is not a language")
		}
		c.text(field+"."+code, text, most)
	}
}

func (c *scenarioCheck) goals(goals []ScenarioGoal) {
	if n := len(goals); n < scenarioGoalsLow || n > min(scenarioGoalsHigh, PlanGoals) {
		c.add("goals", "must be %d to %d", scenarioGoalsLow, scenarioGoalsHigh)
	}
	seen := map[string]bool{}
	for i, g := range goals {
		field := fmt.Sprintf("goals.%d", i)
		if c.id(field+".id", g.ID); seen[g.ID] {
			c.add(field+".id", "stands there twice")
		}
		seen[g.ID] = true
		c.texts(field+".text", g.Text, goalMost)
		if len(goals) > 0 && !maps.EqualFunc(g.Text, goals[0].Text, func(string, string) bool { return true }) {
			c.add(field+".text", "must be in the same languages as the first one")
		}
	}
}

func (c *scenarioCheck) words(words map[string][]string) {
	if len(words) == 0 {
		c.add("words", "is required")
	}
	for code, list := range words {
		field := "words." + code
		if l, ok := LanguageByCode(code); !ok || l.Code != code {
			c.add(field, "is not a language")
		}
		if n := len(list); n < scenarioWordsLow || n > scenarioWordsHigh {
			c.add(field, "must be %d to %d", scenarioWordsLow, scenarioWordsHigh)
		}
		seen := map[string]bool{}
		for i, w := range list {
			one := fmt.Sprintf("%s.%d", field, i)
			if c.text(one, w, wordMost); seen[bare(w)] {
				c.add(one, "stands there twice")
			}
			if seen[bare(w)] = true; !hasScript(w, code) {
				c.add(one, "is of another language")
			}
		}
	}
}
