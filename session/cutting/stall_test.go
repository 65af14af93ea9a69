package cutting

import (
	"slices"
	"strings"
	"testing"
)

// When the stream stalls, the learner hears what makes sense so far.
func TestStalled(t *testing.T) {
	for name, c := range map[string]struct{ language, text, want string }{
		"a sentence whose next word is awaited": {"es", "¡Muy bien!", "¡Muy bien!"},
		"and its blank":                         {"es", "¡Muy bien! ", "¡Muy bien! "},
		"quotes":                                {"en", "He said “go.”", "He said “go.”"},
		"a comma that was too short":            {"en", "Well, I thi", "Well, "},
		"a comma at the end":                    {"es", "Pues,", "Pues,"},
		"before a preposition":                  {"en", "We have a very nice table for", ""},
		"before a preposition that is whole":    {"en", "We have a very nice table for two", "We have a very nice table "},
		"not behind a conjunction":              {"es", "Y,", ""},
		"a number may go on":                    {"en", "It costs 3.", ""},
		"a comma may be a decimal's":            {"de", "Es kostet 3,", ""},
		"an abbreviation":                       {"en", "Ask Dr.", ""},
		"an initial":                            {"en", "Ask J.", ""},
		"half a word":                           {"de", "Ich ver", ""},
		"Japanese":                              {"ja", "そうですね。", "そうですね。"},
		"nothing":                               {"en", "", ""},
		"marks alone":                           {"en", "...", ""},
	} {
		t.Run(name, func(t *testing.T) {
			cutter := New(c.language)
			cutter.Write(c.text)
			if piece, ok := cutter.Next(); ok {
				if piece != c.want {
					t.Errorf("cut at %q before it stalled, want %q", piece, c.want)
				}
				return
			}
			piece, ok := cutter.Stalled()
			if piece != c.want || ok != (c.want != "") {
				t.Errorf("cut at %q, %v; want %q", piece, ok, c.want)
			}
			if rest := cutter.Rest(); piece+rest != c.text {
				t.Errorf("%q and %q are not %q", piece, rest, c.text)
			}
		})
	}
}

// A text that never pauses is cut all the same: no piece is longer than the ceiling.
func TestCeiling(t *testing.T) {
	for name, text := range map[string]string{
		"no blanks":      strings.Repeat("a", 5000),
		"words":          strings.Repeat("palabra ", 800),
		"digits":         strings.Repeat("1", 5000),
		"dots":           strings.Repeat(".", 5000),
		"dots in a word": "hola" + strings.Repeat(".", 5000) + " y adiós",
		"blanks":         strings.Repeat(" ", 5000),
		"quotes":         "hola." + strings.Repeat("”", 3000),
		"kanji":          strings.Repeat("漢", 3000),
		"emoji":          strings.Repeat("👨‍👩‍👧", 500),
		"no UTF-8":       strings.Repeat("\xff\xe3", 2000),
		"dashes":         strings.Repeat("- ", 2000),
	} {
		t.Run(name, func(t *testing.T) {
			pieces := cutUp("es", text, 5)
			if strings.Join(pieces, "") != text {
				t.Error("the pieces are not the text")
			}
			for _, p := range pieces {
				if len(p) > Ceiling {
					t.Errorf("a piece of %d bytes", len(p))
				}
			}
		})
	}
}

// prose is a reply of every language, for the properties and the benchmark.
var prose = map[string]string{
	"es": "¡Muy bien! Entonces, una mesa para dos a las 20:30, p. ej. cerca de la ventana… ¿Le parece bien? Cuesta 1.000,50 euros en total, con el Sr. Pérez.",
	"de": "Sehr gut, dann treffen wir uns am 3. Mai um 10:30 Uhr bei Dr. Klein, d. h. in drei Tagen. Bringen Sie bitte Brot, Käse usw. mit! Was meinen Sie?",
	"fr": "Ah bon ? Mme. Dupont arrive demain, c'est-à-dire le 14 juillet, avec 10 000 euros. Quelle bonne idée… Vous venez aussi ?",
	"en": "I see... Well, tell me more about J. R. Tolkien, e.g. where he lived at 8 a.m. “Really?” she asked. It costs $3.50, see https://example.org/a,b.",
	"ru": "Хорошо, давайте встретимся завтра на ул. Ленина, д. 5, в 2024 г. и поговорим о книгах, музыке и т. д. Что вы думаете?!",
	"ja": "そうですね、今日は「とてもいい。」と思います。３，０００円ですか？駅の前の大きいレストランで友達と一緒に晩ご飯を食べました。",
	"zh": "好的，我们今天有鱼和鸡肉。您想吃什么？我今天早上很早就起床去上班了因为路上的车特别多……",
	"ko": "네, 좋아요. 저는 어제 친구를 만나서 영화를 봤는데 그 영화가 정말로 아주 재미있었어요. 몇 시에 오세요?",
	"ar": "مرحبا بك، كيف حالك؟ هذا د. أحمد، وهو يعمل في المدينة منذ 10 سنوات. أنا بخير؛ والحمد لله!",
}

// FuzzCut: whatever the text and however it streams, the pieces are the text, none is
// empty or too long, no character is cut in two, and the tokens do not matter.
func FuzzCut(f *testing.F) {
	for language, text := range prose {
		f.Add(language, text, 3)
	}
	f.Fuzz(func(t *testing.T, language, text string, step int) {
		if step < 1 {
			return
		}
		pieces := cutUp(language, text, step)
		if got := strings.Join(pieces, ""); got != text {
			t.Fatalf("%q became %q", text, got)
		}
		for _, p := range pieces {
			if p == "" || len(p) > Ceiling {
				t.Errorf("a piece of %d bytes", len(p))
			}
		}
		if whole := cutUp(language, text, max(1, len(text))); !slices.Equal(whole, pieces) {
			t.Errorf("in steps of %d it is cut as %q, in one as %q", step, pieces, whole)
		}
		checkCuts(t, text, pieces)
	})
}

// checkCuts says where two pieces were torn apart that belong together.
func checkCuts(t *testing.T, text string, pieces []string) {
	t.Helper()
	at := 0
	for _, p := range pieces[:max(0, len(pieces)-1)] {
		at += len(p)
		if len(p) > Ceiling-3*reach {
			continue // nobody could speak it anyway
		}
		before, after := []byte(text[:at]), []byte(text[at:])
		if strings.ToValidUTF8(p, "") == p && strings.ToValidUTF8(text, "") == text && !strings.ContainsRune(p, 0xfffd) &&
			strings.ToValidUTF8(text[at:], "") != text[at:] {
			t.Errorf("a character is cut in two behind %q", p)
		}
		if digit(before) && firstRune(after) >= '0' && firstRune(after) <= '9' {
			t.Errorf("a number is cut in two behind %q", p)
		}
	}
}

func digit(b []byte) bool { r := lastRune(b); return '0' <= r && r <= '9' }

// What a token costs: nothing is allocated but the pieces.
func BenchmarkCut(b *testing.B) {
	for _, language := range []string{"es", "ja"} {
		b.Run(language, func(b *testing.B) {
			var tokens []string
			for _, w := range strings.SplitAfter(strings.Repeat(prose[language]+" ", 4), " ") {
				for len(w) > 12 {
					tokens, w = append(tokens, w[:6]), w[6:]
				}
				tokens = append(tokens, w)
			}
			b.ReportAllocs()
			pieces := 0
			for b.Loop() {
				c := New(language)
				for _, token := range tokens {
					c.Write(token)
					for _, ok := c.Next(); ok; _, ok = c.Next() {
						pieces++
					}
				}
				c.Rest()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(tokens)), "ns/token")
			b.ReportMetric(float64(pieces)/float64(b.N), "pieces/op")
		})
	}
}
