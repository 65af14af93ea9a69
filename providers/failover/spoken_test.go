package failover

import (
	"strings"
	"testing"
	"unicode/utf8"

	"kalami/providers"
)

// FuzzSpoken follows a vendor that says anything while it was given anything: what is
// taken for spoken whole never goes back, never passes the text, and lies between
// characters; a vendor that says just its text is followed to its end.
func FuzzSpoken(f *testing.F) {
	f.Add("Uno es pescado fresco. Dos, pollo.", "Uno es pescado fresco. Dos, pollo.", uint8(3))
	f.Add("Son 2 euros.", "Son dos euros.", uint8(1))
	f.Add("¿Qué? ¡Sí!", "qué sí", uint8(200))
	f.Add("你好。我是老师", "你好我是老师", uint8(2))
	f.Add("你İ", "你", uint8(2))
	f.Add("", "something else", uint8(7))
	f.Add("a\xffb", "a\xff", uint8(0))
	f.Fuzz(func(t *testing.T, text, said string, step uint8) {
		s := newSpoken()
		s.write(text)
		var marks []providers.CharMark
		for i, r := range []rune(said) {
			marks = append(marks, providers.CharMark{Char: string(r), StartMS: 20 * i, EndMS: 20 * (i + 1)})
		}
		whole := 0
		for n := int(step)%7 + 1; ; {
			take := marks[:min(n, len(marks))]
			marks = marks[len(take):]
			s.align(take, len(marks) == 0)
			if s.whole < whole || s.whole > len(text) || s.owed() < 0 {
				t.Fatalf("from %d to %d of %d bytes, %d letters owed", whole, s.whole, len(text), s.owed())
			}
			if whole = s.whole; utf8.ValidString(text) && whole < len(text) && !utf8.RuneStart(text[whole]) {
				t.Fatalf("byte %d of %q is within a character", whole, text)
			}
			if s.openMS > 20*utf8.RuneCountInString(said) {
				t.Fatalf("a word begins at %d ms", s.openMS)
			}
			if len(marks) == 0 {
				break
			}
		}
		if len(s.queue) > 0 {
			t.Errorf("%d characters were not looked at", len(s.queue))
		}
		if said == text && utf8.ValidString(text) && (s.owed() > 0 || strings.ContainsFunc(text[s.whole:], sounds)) {
			t.Errorf("%q was said, and %d of %d bytes are known", text, s.whole, len(text))
		}
	})
}

// Marks that are spread over a stretch spell the text and fill the stretch.
func TestSpread(t *testing.T) {
	marks := spread("¡Sí, 4!", 100, 800)
	if len(marks) != 7 || marks[0].StartMS != 100 || marks[6].EndMS != 800 || marks[1].Char != "S" || marks[2].Char != "í" {
		t.Errorf("%+v", marks)
	}
	for i := range marks[1:] {
		if marks[i].EndMS != marks[i+1].StartMS {
			t.Errorf("a gap after %+v", marks[i])
		}
	}
}
