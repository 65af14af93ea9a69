package learn_test

import (
	"testing"

	"kalami/session/learn"
)

// Every language that is taught has openers for beginners and for others, in turn.
func TestOpener(t *testing.T) {
	for _, l := range learn.Languages {
		low, high := map[string]bool{}, map[string]bool{}
		for n := range 6 {
			low[learn.Opener(l.Code, learn.A2, n)] = true
			high[learn.Opener(l.Code+"-XX", learn.B1, n)] = true
		}
		if len(low) != 3 || len(high) != 3 || low[""] || high[""] {
			t.Errorf("%s: %v and %v", l.Code, low, high)
		}
		for text := range low {
			if high[text] {
				t.Errorf("%s: %q is for everybody", l.Code, text)
			}
		}
	}
	for _, c := range []struct {
		language, level string
		n               int
		want            string
	}{
		{"es", "A1", 0, "Creo que…"}, {"es", "A1", 3, "Creo que…"}, {"es", "A1", -1, "Creo que…"},
		{"es", "", 1, "Me gusta…"}, {"tlh", "A1", 0, ""}, {"", "C2", 0, ""},
	} {
		if got := learn.Opener(c.language, learn.Level(c.level), c.n); got != c.want {
			t.Errorf("opener %d for %q at %q is %q, want %q", c.n, c.language, c.level, got, c.want)
		}
	}
}
