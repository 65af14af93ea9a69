package session

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClauses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"sentences":           {"Hello there. How are you? I am fine.", "Hello there. |How are you? |I am fine."},
		"first comma":         {"Of course sir, a table for two at eight.", "Of course sir, |a table for two at eight."},
		"short start":         {"Yes, a table for two at eight.", "Yes, a table for two at eight."},
		"later commas":        {"Good. Today we have fish, chicken, a very good vegetable soup, and bread.", "Good. |Today we have fish, chicken, a very good vegetable soup, |and bread."},
		"abbreviation":        {"Ask Dr. Smith about it. He knows.", "Ask Dr. Smith about it. |He knows."},
		"numbers":             {"It costs 3.50 today. Or 1,000 tomorrow.", "It costs 3.50 today. |Or 1,000 tomorrow."},
		"ordinal":             {"Am 3. Mai war das. Gut.", "Am 3. Mai war das. |Gut."},
		"no spaces":           {"こんにちは。お元気ですか？はい。", "こんにちは。|お元気ですか？|はい。"},
		"spanish":             {"¡Hola! ¿Qué tal?", "¡Hola! |¿Qué tal?"},
		"arabic":              {"مرحبا بك. كيف حالك؟ أنا بخير، والحمد لله على كل شيء في هذا اليوم الجميل.", "مرحبا بك. |كيف حالك؟ |أنا بخير، والحمد لله على كل شيء في هذا اليوم الجميل."},
		"ends in an ellipsis": {"Well… let me see… good.", "Well… |let me see… |good."},
	} {
		t.Run(name, func(t *testing.T) {
			var cutter clauseCutter
			var got []string
			for _, r := range c.text { // as it streams
				got = append(got, cutter.add(string(r))...)
			}
			got = append(got, cutter.flush())
			got = slices.DeleteFunc(got, func(s string) bool { return s == "" })
			if joined := strings.Join(got, "|"); joined != c.want {
				t.Errorf("cut as %q, want %q", joined, c.want)
			}
		})
	}
}

// However text is cut and streamed, none of it is lost or changed.
func FuzzClauses(f *testing.F) {
	f.Add("Hello there. How are you? 3.5, Dr. X… こんにちは。", 3)
	f.Fuzz(func(t *testing.T, text string, step int) {
		if !utf8.ValidString(text) || step < 1 {
			return
		}
		var cutter clauseCutter
		var b strings.Builder
		for i := 0; i < len(text); i += step {
			end := min(i+step, len(text))
			for !utf8.ValidString(text[i:end]) {
				end++
			}
			for _, piece := range cutter.add(text[i:end]) {
				if piece == "" {
					t.Fatal("an empty piece")
				}
				b.WriteString(piece)
			}
			i = end - step
		}
		b.WriteString(cutter.flush())
		if b.String() != text {
			t.Errorf("%q became %q", text, b.String())
		}
	})
}

func TestSpeakable(t *testing.T) {
	if got := speakable("**Hola** 😀 #1\n_sí_"); got != "Hola  1 sí" {
		t.Errorf("%q", got)
	}
	if got := speakable("Hace 20 °C, ¿no? 5 €"); got != "Hace 20 °C, ¿no? 5 €" {
		t.Errorf("%q", got)
	}
	var cutter clauseCutter
	cutter.add("broken \xff")
	if got := cutter.flush(); got != "broken \xff" {
		t.Errorf("%q", got)
	}
}
