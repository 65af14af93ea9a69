package session

import (
	"testing"

	"kalami/providers"
)

// spell makes marks of 50 ms a character for what a voice said.
func spell(said string) (marks []providers.CharMark) {
	at := 0
	for _, r := range said {
		marks = append(marks, providers.CharMark{Char: string(r), StartMS: at, EndMS: at + 50})
		at += 50
	}
	return marks
}

func TestHeard(t *testing.T) {
	for name, c := range map[string]struct {
		text, said     string // said is what the voice's marks spell; empty for text
		playedMS       int
		heard, unheard string
	}{
		"nothing":             {"Hola amigo.", "", 0, "", "Hola amigo."},
		"a word":              {"Hola amigo.", "", 240, "Hola", "amigo."},
		"half a word":         {"Hola amigo.", "", 400, "Hola", "amigo."},
		"all":                 {"Hola amigo.", "", 5000, "Hola amigo.", ""},
		"numbers spelled out": {"Son 3 euros más.", "Son tres euros más.", 820, "Son 3 euros", "más."},
		"no spaces":           {"今日は元気です", "", 160, "今日は", "元気です"},
		"capitals":            {"Hola AMIGO mío", "hola amigo mío", 560, "Hola AMIGO", "mío"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.said == "" {
				c.said = c.text
			}
			line := newTimeline()
			line.write(c.text)
			line.align(spell(c.said))
			line.finish(0)
			if heard, unheard := line.heard(c.playedMS); heard != c.heard || unheard != c.unheard {
				t.Errorf("after %d ms: %q | %q, want %q | %q", c.playedMS, heard, unheard, c.heard, c.unheard)
			}
		})
	}
}

// A voice that gives no marks is followed by the length of its text; the captions
// come out whole either way, and only once.
func TestCaptionsWithoutMarks(t *testing.T) {
	line := newTimeline()
	var shown string
	take := func() {
		for _, w := range line.take() {
			shown += line.text[w.From:w.To]
		}
	}
	line.write("Uno dos ")
	take()
	line.write("tres.")
	take()
	line.finish(1300)
	take()
	if shown != line.text {
		t.Errorf("captions %q of %q", shown, line.text)
	}
	if heard, _ := line.heard(830); heard != "Uno dos" {
		t.Errorf("heard %q of 1.3 s after 0.83 s", heard)
	}
}

// Whatever a voice spells, captions are the text, places rise, and nothing panics.
func FuzzTimeline(f *testing.F) {
	f.Add("Son 3 euros más.", "Son tres euros más.", 700)
	f.Add("今日は", "きょうは", 10)
	f.Fuzz(func(t *testing.T, text, said string, played int) {
		line := newTimeline()
		line.write(text)
		line.align(spell(said))
		line.finish(len(said) * 50)
		end := 0
		for _, w := range line.take() {
			if w.From < end || w.To <= w.From || w.To > len(text) {
				t.Fatalf("words out of order: %+v", line.words)
			}
			end = w.To
		}
		heard, unheard := line.heard(played)
		if len(heard)+len(unheard) > len(text) {
			t.Errorf("%q and %q out of %q", heard, unheard, text)
		}
	})
}
