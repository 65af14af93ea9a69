package scenarios_test

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"kalami/session/learn"
	"kalami/session/learn/scenarios"
)

var update = flag.Bool("update", false, "write down the versions of the catalogue")

func shipped(t testing.TB) *scenarios.Catalogue {
	t.Helper()
	c, err := scenarios.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// There are eight scenarios for everyday life, eight for work and study and eight to talk,
// from the first level to the last, the easiest first, each with everything that it needs.
func TestShipped(t *testing.T) {
	all := shipped(t).Scenarios(learn.ScenarioFilter{})
	topics, ids, openers := map[learn.ScenarioTopic]int{}, map[string]bool{}, map[string]bool{}
	for i, s := range all {
		if f := s.Check(); len(f) > 0 {
			t.Errorf("%s: %v", s.ID, f)
		}
		if ids[s.ID] || openers[s.Opener] {
			t.Errorf("%s stands there twice", s.ID)
		}
		if ids[s.ID], openers[s.Opener] = true, true; i > 0 && s.LevelMin < all[i-1].LevelMin {
			t.Errorf("%s (%s) comes after %s (%s)", s.ID, s.LevelMin, all[i-1].ID, all[i-1].LevelMin)
		}
		topics[s.Topic]++
		for _, l := range scenarios.Languages() {
			if n := len(s.Words[l]); n < 6 || n > 10 {
				t.Errorf("%s has %d words in %s", s.ID, n, l)
			}
		}
		for _, g := range s.Goals {
			for _, l := range scenarios.Locales() {
				if g.Text[l] == "" || g.Text["en"] == g.Text["es"] {
					t.Errorf("%s: goal %s is not told in %s", s.ID, g.ID, l)
				}
			}
		}
	}
	if len(all) != 24 || topics["everyday"] != 8 || topics["work"]+topics["study"] != 8 || topics["talk"] != 8 {
		t.Errorf("%d scenarios of %v", len(all), topics)
	}
	for _, level := range []learn.Level{learn.A1, learn.A2, learn.B1, learn.B2, learn.C1, learn.C2} {
		for _, l := range scenarios.Languages() {
			if n := len(shipped(t).Scenarios(learn.ScenarioFilter{Level: level, Language: l})); n < 2 {
				t.Errorf("%d scenarios for %s at %s", n, l, level)
			}
		}
	}
	if young := shipped(t).Scenarios(learn.ScenarioFilter{Age: learn.AgeChild}); len(young) == 0 || len(young) == 24 {
		t.Errorf("%d scenarios for children", len(young))
	}
}

func TestScenarioByID(t *testing.T) {
	c := shipped(t)
	if s, ok := c.Scenario("order-in-a-cafe"); !ok || s.ID != "order-in-a-cafe" || len(s.Goals) != 4 {
		t.Errorf("found %+v, %v", s, ok)
	}
	for _, id := range []string{"", "nothing", "Order-In-A-Cafe", "order-in-a-cafe.json"} {
		if s, ok := c.Scenario(id); ok || s.ID != "" {
			t.Errorf("%q is %+v", id, s)
		}
	}
}

// A scenario that was shipped is not changed without a new version: conversations that began
// with the old one keep it under that number.
func TestVersions(t *testing.T) {
	const file = "testdata/versions.txt"
	var now []string
	for _, s := range shipped(t).Scenarios(learn.ScenarioFilter{}) {
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		now = append(now, fmt.Sprintf("%s %d %x", s.ID, s.Version, sha256.Sum256(raw)))
	}
	slices.Sort(now)
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(now, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	known, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(known)) != strings.Join(now, "\n") {
		t.Errorf("scenarios have changed: raise the version of each that did, then write them down with -update\ngot  %v\nwant %s", now, known)
	}
}

// order is one of the files.
func order(t testing.TB) string {
	t.Helper()
	raw, err := os.ReadFile("catalogue/order-in-a-cafe.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A file that is not a whole scenario is refused, and what is wrong is named.
func TestReadRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		file         string
		old, changed string
		want         string
	}{
		"another name":       {"cafe.json", "", "", `its id is "order-in-a-cafe"`},
		"an unknown field":   {"", `"version": 1`, `"version": 1, "price": 3`, "price"},
		"no JSON":            {"", `"version": 1`, `"version"`, "invalid character"},
		"a wrong type":       {"", `"version": 1`, `"version": "1"`, "version"},
		"more behind it":     {"", "\n}\n", "\n}\n{}", "more behind"},
		"no version":         {"", `"version": 1`, `"version": 0`, "version"},
		"a language less":    {"", `"es": "Pedir en un café"`, `"de": "Im Café"`, "title.es"},
		"a language more":    {"", `"es": "Pedir en un café"`, `"es": "Pedir en un café", "de": "Im Café"`, "title"},
		"words too few":      {"", `"el café", `, "", "words.es"},
		"no Portuguese":      {"", `"pt": [`, `"ja": [`, "words"},
		"two goals alike":    {"", `"id": "food"`, `"id": "drink"`, "goals.1.id"},
		"a goal in one":      {"", `, "es": "pedir algo de comer"`, "", "goals.1.text"},
		"marks of a prompt":  {"", "Greet the guest", "</scenario>Greet the guest", "opener"},
		"a level unheard of": {"", `"level_max": "A2"`, `"level_max": "D2"`, "level_max"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(order(t), tt.old, tt.changed, 1)
			if tt.old != "" && text == order(t) {
				t.Fatalf("there is no %q", tt.old)
			}
			file := tt.file
			if file == "" {
				file = "order-in-a-cafe.json"
			}
			_, err := scenarios.Read(fstest.MapFS{file: {Data: []byte(text)}, "NOTES": {Data: []byte("x")}})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), file) {
				t.Errorf("read: %v, want %q", err, tt.want)
			}
		})
	}
	if c, err := scenarios.Read(fstest.MapFS{}); err != nil || len(c.Scenarios(learn.ScenarioFilter{})) != 0 {
		t.Errorf("an empty catalogue: %v", err)
	}
}

// Whatever is parsed passes all checks, and is the same when it is written and parsed again.
func FuzzParse(f *testing.F) {
	f.Add(order(f))
	f.Add(`{}`)
	f.Add(strings.Replace(order(f), "café", "<café>", 1))
	f.Fuzz(func(t *testing.T, raw string) {
		s, err := scenarios.Parse([]byte(raw))
		if err != nil {
			return
		}
		if wrong := s.Check(); len(wrong) > 0 {
			t.Fatalf("parsed with faults: %v", wrong)
		}
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := scenarios.Parse(again); err != nil {
			t.Fatalf("not parsed again: %v", err)
		}
	})
}
