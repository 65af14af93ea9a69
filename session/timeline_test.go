package session

import (
	"testing"
	"unicode/utf8"

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

// A voice that speaks a number in many words is followed: no word of the text is taken
// for spoken because its letters occur in them.
func TestNumbersSpelledOut(t *testing.T) {
	const text, said = "En 1995 viví en París con mi tía Nora.", "En mil novecientos noventa y cinco viví en París con mi tía Nora."
	line := newTimeline()
	line.write(text)
	marks := spell(said)
	for from := 0; from < len(marks); from += 7 { // as it comes, cut anywhere
		line.align(marks[from:min(from+7, len(marks))])
	}
	line.finish(0)
	for playedMS, want := range map[int]string{
		110: "", 1000: "", 1720: "En 1995", 1740: "En 1995", 2000: "En 1995 viví", 5000: text,
	} {
		if heard, _ := line.heard(playedMS); heard != want {
			t.Errorf("after %d ms %q was heard, want %q", playedMS, heard, want)
		}
	}
	var shown string
	for _, w := range line.take() {
		shown += line.text[w.From:w.To]
	}
	if shown != text {
		t.Errorf("captions %q", shown)
	}
}

// The voice's places begin in the middle of the text, or the text begins with what it
// spells otherwise: the captions are whole all the same.
func TestMarksBeginLate(t *testing.T) {
	for text, said := range map[string]string{
		"¿3 panes?":            "tres panes",
		"1995 fue un buen año": "mil novecientos noventa y cinco fue un buen año",
		"Sí. Muy bien, claro":  "bien, claro",
	} {
		line := newTimeline()
		line.write(text)
		line.align(spell(said))
		line.finish(0)
		var shown string
		for _, w := range line.take() {
			shown += line.text[w.From:w.To]
		}
		if shown != text {
			t.Errorf("captions %q, want %q", shown, text)
		}
		if heard, unheard := line.heard(10_000); heard != text || unheard != "" {
			t.Errorf("heard %q, not %q", heard, unheard)
		}
	}
}

// Whatever a voice says it spoke, the words lie one after the other, cover the text
// from its beginning, and none is lost in the end.
func FuzzTimeline(f *testing.F) {
	f.Add("Son 3 euros, más o menos.", "Son tres euros, más o menos.", 5)
	f.Add("今日は元気です。", "きょうはげんきです", 1)
	f.Add("  a\u00a0b ", "", 2)
	f.Fuzz(func(t *testing.T, text, said string, step int) {
		if !utf8.ValidString(text) || step < 1 {
			return
		}
		line := newTimeline()
		line.write(text)
		marks, shown := spell(said), ""
		take := func() {
			for _, w := range line.take() {
				if w.From != len(shown) || w.To <= w.From || w.EndMS < w.StartMS {
					t.Fatalf("word %+v after %d bytes", w, len(shown))
				}
				shown += text[w.From:w.To]
			}
		}
		for len(marks) > 0 {
			n := min(step, len(marks))
			line.align(marks[:n])
			marks = marks[n:]
			take()
		}
		line.finish(50 * len(said))
		take()
		if shown != text {
			t.Errorf("captions %q of %q", shown, text)
		}
		for played := range 10 {
			if heard, unheard := line.heard(played * 100); len(heard)+len(unheard) > len(text) {
				t.Errorf("%q and %q are more than %q", heard, unheard, text)
			}
		}
	})
}
