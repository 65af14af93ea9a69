// Package scenarios is the catalogue of scenarios that every server has: eight for everyday
// life, eight for work and study, and eight to talk about something. Each is a file of its
// own in catalogue, named by the scenario's id, of the shape of [learn.Scenario].
//
// Situations, roles and goals are in the languages of the page, English and Spanish; what the
// tutor alone reads is in English; words are there for Spanish, French, German, Italian,
// Portuguese and English. A scenario can be talked in whatever is learned.
//
// To change one is to raise its version: conversations keep the one that they began with,
// which is stored with them.
package scenarios

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"kalami/session/learn"
)

//go:embed catalogue/*.json
var files embed.FS

// Languages are those that every scenario of the catalogue has words of.
func Languages() []string { return []string{"es", "fr", "de", "it", "pt", "en"} }

// Locales are the languages of the texts that learners read, in each scenario.
func Locales() []string { return []string{"en", "es"} }

// Catalogue is a set of scenarios that does not change. Safe for concurrent use.
type Catalogue struct {
	all  []learn.Scenario // by level, then by id
	byID map[string]int
}

// Shipped reads the catalogue that is built in.
func Shipped() (*Catalogue, error) {
	dir, err := fs.Sub(files, "catalogue")
	if err != nil {
		return nil, err
	}
	return Read(dir)
}

// Read reads a catalogue from the files of a directory whose names end in .json. It is an
// error when one of them is not a whole scenario with nothing else beside, is not named by its
// id, or lacks a language.
func Read(dir fs.FS) (*Catalogue, error) {
	names, err := fs.Glob(dir, "*.json")
	if err != nil {
		return nil, err
	}
	c := &Catalogue{byID: map[string]int{}}
	for _, name := range names {
		raw, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		s, err := Parse(raw)
		if err == nil && s.ID+".json" != path.Base(name) {
			err = fmt.Errorf("its id is %q", s.ID)
		}
		if err != nil {
			return nil, fmt.Errorf("scenarios: %s: %w", name, err)
		}
		c.all = append(c.all, s)
	}
	slices.SortStableFunc(c.all, func(a, b learn.Scenario) int {
		if byLevel := strings.Compare(string(a.LevelMin+a.LevelMax), string(b.LevelMin+b.LevelMax)); byLevel != 0 {
			return byLevel
		}
		return strings.Compare(a.ID, b.ID)
	})
	for i, s := range c.all {
		c.byID[s.ID] = i
	}
	return c, nil
}

// Parse reads one scenario. It is an error, which names the fields, when the JSON is not of
// the shape, has a field more, or holds what [learn.Scenario.Check] refuses; and when it has
// not exactly the languages of the catalogue.
func Parse(raw []byte) (learn.Scenario, error) {
	var s learn.Scenario
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, err
	}
	if _, err := d.Token(); err != io.EOF {
		return s, fmt.Errorf("there is more behind the scenario")
	}
	wrong := s.Check()
	for field, t := range map[string]learn.Texts{"title": s.Title, "situation": s.Situation, "tutor_role": s.TutorRole, "learner_role": s.LearnerRole} {
		wrong = append(wrong, inAll(field, t)...)
	}
	for i, g := range s.Goals {
		wrong = append(wrong, inAll(fmt.Sprintf("goals.%d.text", i), g.Text)...)
	}
	if want := slices.Sorted(slices.Values(Languages())); !slices.Equal(s.Languages(), want) {
		wrong = append(wrong, learn.FieldError{Field: "words", Message: fmt.Sprintf("must be in %v", want)})
	}
	if len(wrong) > 0 {
		return s, fmt.Errorf("%v", wrong)
	}
	return s, nil
}

// inAll wants a text in every locale of the catalogue, and no other.
func inAll(field string, t learn.Texts) []learn.FieldError {
	for _, l := range Locales() {
		if t[l] == "" {
			return []learn.FieldError{{Field: field + "." + l, Message: "is required"}}
		}
	}
	if len(t) > len(Locales()) {
		return []learn.FieldError{{Field: field, Message: fmt.Sprintf("must be in %v", Locales())}}
	}
	return nil
}

// Scenario returns the one with an id; ok is false when there is none.
func (c *Catalogue) Scenario(id string) (s learn.Scenario, ok bool) {
	i, ok := c.byID[id]
	if !ok {
		return s, false
	}
	return c.all[i], true
}

// Scenarios returns those that the filter lets through, the easiest first.
func (c *Catalogue) Scenarios(f learn.ScenarioFilter) []learn.Scenario {
	var out []learn.Scenario
	for _, s := range c.all {
		if f.Passes(s) {
			out = append(out, s)
		}
	}
	return out
}
