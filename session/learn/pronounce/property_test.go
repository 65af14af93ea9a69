package pronounce_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kalami/session/learn"
	"kalami/session/learn/pronounce"
)

// vocabulary has words that look alike, contractions, elisions, numbers and scripts without
// spaces.
var languages = map[string][]string{
	"en": strings.Fields("the a cat cats don't do not it's is twenty 21 well-known I'm um"),
	"fr": strings.Fields("l'homme homme n'a a pas aujourd'hui 71 onze et"),
	"es": strings.Fields("quiero un uno 1 café cafe con leche, no no."),
	"ja": strings.Fields("コーヒー を ください。 水 12 十二"),
}

// drawSpeech draws a language, a text in it, and what a recogniser heard, with times that
// may be nonsense.
func drawSpeech(t *rapid.T) (reference string, s pronounce.Sample) {
	s.Language = rapid.SampledFrom([]string{"en", "fr", "es", "ja"}).Draw(t, "language")
	word := rapid.SampledFrom(languages[s.Language])
	reference = strings.Join(rapid.SliceOfN(word, 0, 12).Draw(t, "reference"), " ")
	for range rapid.IntRange(0, 14).Draw(t, "heard") {
		s.Words = append(s.Words, learn.SpokenWord{
			Text:       word.Draw(t, "word"),
			StartMS:    rapid.IntRange(-100, 5000).Draw(t, "start"),
			EndMS:      rapid.IntRange(-100, 6000).Draw(t, "end"),
			Confidence: rapid.SampledFrom([]float64{0, 0.3, 0.9, 1.5, -1}).Draw(t, "confidence"),
		})
	}
	s.Duration = time.Duration(rapid.IntRange(0, 7000).Draw(t, "duration")) * time.Millisecond
	s.Fillers = rapid.Bool().Draw(t, "fillers")
	return reference, s
}

// Whatever is heard: every word of the text stands in the result once and in order, so does
// what was said, figures keep their bounds, and the same input has the same result.
func TestAssessHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reference, s := drawSpeech(t)
		a := pronounce.Assess(reference, s)
		if again := pronounce.Assess(reference, s); !reflect.DeepEqual(a, again) {
			t.Fatal("another result the second time")
		}
		ref, index, matched := 0, 0, 0
		for _, w := range a.Words {
			if w.RefIndex != nil {
				if *w.RefIndex != ref {
					t.Fatalf("word %d of the text comes after word %d", *w.RefIndex, ref-1)
				}
				ref++
				if *w.Status == learn.WordMatch {
					matched++
				}
			}
			if (w.Heard == nil) != (w.Index == nil) || w.Heard == nil && *w.Status != learn.WordOmission {
				t.Fatalf("%s", dump(w))
			}
			if w.Index != nil {
				if *w.Index != index {
					t.Fatalf("what was said is numbered %d after %d", *w.Index, index-1)
				}
				index++
			}
			if w.Recognition != nil && (*w.Recognition <= 0 || *w.Recognition > 100) {
				t.Fatalf("recognition %v", *w.Recognition)
			}
			if w.StartMS != nil && (*w.EndMS < *w.StartMS || *w.StartMS < 0) {
				t.Fatalf("%s", dump(w))
			}
		}
		if c := a.Scores.Completeness; (c == nil) != (ref == 0) || c != nil && (*c < 0 || *c > 100 || (*c == 100) != (matched == ref)) {
			t.Fatalf("completeness of %d of %d: %s", matched, ref, dump(c))
		}
		f := a.Fluency
		if f.VoicedMS > f.DurationMS || f.VoicedMS < 0 || f.Pauses.LongestMS*f.Pauses.Count < f.Pauses.MeanMS*f.Pauses.Count-f.Pauses.Count ||
			f.Pauses.InPhrase != nil && *f.Pauses.InPhrase > f.Pauses.Count || f.Repeats > f.Units {
			t.Fatalf("%s", dump(f))
		}
		if a.Caveat == "" || a.Overall != nil || a.Scores.Accuracy != nil {
			t.Fatalf("%s", dump(a))
		}
	})
}

// Who says the text has said it: whatever words it is made of, and however often the
// recogniser's form of them differs in case and punctuation.
func TestSayingTheText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reference, s := drawSpeech(t)
		s.Words = said(strings.ToUpper(strings.NewReplacer(",", "", ".", "!", "'", "’").Replace(reference)))
		a := pronounce.Assess(reference, s)
		for _, w := range a.Words {
			if *w.Status != learn.WordMatch {
				t.Fatalf("%q has %s", reference, story(a))
			}
		}
	})
}

// Leaving out or adding a word that stands nowhere else costs exactly that word.
func TestOneChange(t *testing.T) {
	words := strings.Fields("seven brown birds watched our slow garden party quietly yesterday")
	rapid.Check(t, func(t *rapid.T) {
		heard := append([]string(nil), words...)
		at := rapid.IntRange(0, len(words)-1).Draw(t, "at")
		change := rapid.SampledFrom([]string{"omit", "add", "swap", "repeat"}).Draw(t, "change")
		want := append([]string(nil), words...)
		switch change {
		case "omit":
			heard = append(heard[:at], heard[at+1:]...)
			want[at] = "-" + words[at]
		case "add":
			heard = append(heard[:at], append([]string{"zebra"}, heard[at:]...)...)
			want[at] = "+zebra " + words[at]
		case "swap":
			heard[at] = "zebra"
			want[at] = words[at] + ">zebra"
		case "repeat":
			heard[at] = words[at] + " " + words[at]
			want[at] = "&" + words[at] + " " + words[at]
		}
		a := pronounce.Assess(strings.Join(words, " "), pronounce.Sample{Language: "en", Words: said(strings.Join(heard, " "))})
		if got := story(a); got != strings.Join(want, " ") {
			t.Fatalf("%s, want %s", got, strings.Join(want, " "))
		}
	})
}

// Numbers up to 99 have words of their own in each language that has words for them.
func TestNumbers(t *testing.T) {
	for _, c := range []struct{ language, digits, words string }{
		{"en", "0 13 20 21 99", "zero thirteen twenty twenty one ninety nine"},
		{"es", "16 21 22 23 26 27 30 31 99", "dieciséis veintiuno veintidós veintitrés veintiséis veintisiete treinta treinta y uno noventa y nueve"},
		{"fr", "17 21 70 71 77 80 81 90 91 99", "dix sept vingt et un soixante dix soixante et onze soixante dix sept quatre vingts quatre vingt un quatre vingt dix quatre vingt onze quatre vingt dix neuf"},
		{"de", "12 21 30 67", "zwölf einundzwanzig dreißig siebenundsechzig"},
		{"it", "18 21 23 28 35", "diciotto ventuno ventitré ventotto trentacinque"},
		{"pt", "14 21 58", "catorze vinte e um cinquenta e oito"},
		{"zh", "7 10 12 20 35", "七 十 十 二 二 十 三 十 五"},
		{"ja", "5 11 40", "五 十 一 四 十"},
		{"ru", "5 12", "5 12"},
	} {
		a := pronounce.Assess(c.words, pronounce.Sample{Language: c.language, Words: said(c.digits)})
		if *a.Scores.Completeness != 100 {
			t.Errorf("%s: %s", c.language, story(a))
		}
		for n := range 100 {
			other := pronounce.Assess(fmt.Sprint(n), pronounce.Sample{Language: c.language, Words: said(fmt.Sprint((n + 1) % 100))})
			if *other.Scores.Completeness == 100 {
				t.Errorf("%s: %d and the next are the same", c.language, n)
			}
		}
	}
}

// FuzzAssess: no text and no words bring it down.
func FuzzAssess(f *testing.F) {
	f.Add("en", "I don't 8:30, “well-known”.", "i do not eight thirty", 100, 200)
	f.Add("ja", "水を\u3099。", "水 ー", 5, 1)
	f.Add("ar", "أُ ـ", "\u0301 '' -", -1, 1<<40)
	f.Fuzz(func(t *testing.T, language, reference, heard string, start, end int) {
		words := said(heard)
		for i := range words {
			words[i].StartMS, words[i].EndMS = start+i, end-i
		}
		if len(reference)+len(heard) > 2000 {
			return
		}
		a := pronounce.Assess(reference, pronounce.Sample{Language: language, Words: words, Native: language})
		pronounce.Judge(&a, pronounce.Judgement{Words: []pronounce.JudgedWord{{Word: heard}}}, language)
		if a.Caveat == "" {
			t.Fatal("no caveat")
		}
		dump(a)
	})
}
