package lexicon_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"kalami/session/learn"
	"kalami/session/learn/lexicon"
)

func shipped(t *testing.T) *lexicon.Lexicon {
	t.Helper()
	l, err := lexicon.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Each list that comes with the program has words of every level.
func TestShipped(t *testing.T) {
	l := shipped(t)
	for language, words := range map[string][6]string{
		"en": {"house", "airport", "although", "acknowledge", "mitigate", "ubiquitous"},
		"es": {"casa", "aeropuerto", "aunque", "abordar", "menoscabar", "inefable"},
		"fr": {"maison", "aéroport", "cependant", "aboutir", "endiguer", "velléité"},
		"de": {"haus", "flughafen", "obwohl", "gewährleisten", "unerlässlich", "eruieren"},
		"it": {"casa", "aeroporto", "però", "coinvolgere", "ledere", "pleonastico"},
		"pt": {"casa", "aeroporto", "embora", "abranger", "mitigar", "inefável"},
	} {
		if n := l.Words(language); n < 700 {
			t.Errorf("%s has %d words", language, n)
		}
		for i, w := range words {
			if got, ok := l.Level(language, w); !ok || got != learn.Levels()[i] {
				t.Errorf("%s %q is %q, %v", language, w, got, ok)
			}
		}
	}
	if n := l.Words("ja"); n != 0 {
		t.Errorf("%d Japanese words", n)
	}
	if _, known := l.Above("ja", "家", learn.A1); known {
		t.Error("a word of a language without a list is known")
	}
}

// Forms are found by what they are forms of, in any case; what looks like one and is not stays
// unknown.
func TestForms(t *testing.T) {
	l := shipped(t)
	for _, tt := range []struct {
		language, word string
		level          learn.Level
	}{
		{"en", "Houses", learn.A1}, {"en", "cities", learn.A1}, {"en", "mitigated", learn.C1}, {"en", "achieving", learn.B1}, {"en", "Tom's", ""}, {"en", "teacher’s", ""},
		{"es", "CASAS", learn.A1}, {"es", "menoscaban", learn.C1}, {"es", "abordó", learn.B2}, {"es", "aprovechamos", learn.B1},
		{"fr", "maisons", learn.A1}, {"fr", "entravent", learn.C1}, {"de", "Flughafens", learn.A2}, {"de", "eruierte", learn.C2},
		{"it", "libri", learn.A1}, {"it", "coinvolgono", learn.B2}, {"pt", "casas", learn.A1}, {"pt", "opiniões", learn.B1},
		{"en", "as", ""}, {"en", "zzz", ""}, {"en", "", ""}, {"en", "ss", ""}, {"es", "es", learn.A1},
	} {
		got, ok := l.Level(tt.language, tt.word)
		if got != tt.level || ok != (tt.level != "") {
			t.Errorf("%s %q is %q, %v, want %q", tt.language, tt.word, got, ok, tt.level)
		}
	}
	for level, above := range map[learn.Level]bool{learn.A1: true, learn.A2: true, learn.B1: false, learn.C2: false} {
		if got, known := l.Above("en", "although", level); got != above || !known {
			t.Errorf("although is above %s: %v, %v", level, got, known)
		}
	}
}

// Lists of others are read as they are published, and say more than what is shipped.
func TestWith(t *testing.T) {
	l, err := shipped(t).With(fstest.MapFS{
		"en-cefrj.csv":    {Data: []byte("\ufeffheadword,pos,CEFR,CoreInventory 1,CoreInventory 2,Threshold\na.m./A.M./am/AM,adverb,A1,,,\nhouse,noun,B2,,,\nbank,verb,B1,,,\nbank,noun,A2,,,\naccording to,preposition,A2,,,\n")},
		"en-octanove.csv": {Data: []byte("headword,pos,CEFR,notes\r\ncast,noun,C1,\"plaster cast, mold\"\r\nfavorably/favourably,adverb,c1,\r\n")},
		"LICENCE":         {Data: []byte("not a list")},
		"older/en.csv":    {Data: []byte("broken")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for word, level := range map[string]learn.Level{"house": learn.B2, "bank": learn.A2, "Favourably": learn.C1, "favorably": learn.C1, "cast": learn.C1, "A.M.": learn.A1, "although": learn.B1} {
		if got, ok := l.Level("en", word); got != level || !ok {
			t.Errorf("%q is %q, %v, want %q", word, got, ok, level)
		}
	}
	if _, ok := l.Level("en", "according to"); ok {
		t.Error("two words are one")
	}
	if got, _ := shipped(t).Level("en", "house"); got != learn.A1 {
		t.Errorf("what is shipped has changed: %q", got)
	}
	if got, _ := l.Level("es", "casa"); got != learn.A1 {
		t.Errorf("another language has lost its list: %q", got)
	}
}

// A list that is broken is refused whole, by its name and its line.
func TestBrokenLists(t *testing.T) {
	for name, tt := range map[string]struct{ file, list, want string }{
		"level":     {"en.csv", "headword,CEFR\nhouse,A1\nhome,A7\n", "lexicon: en.csv: line 3: the level must be one of A1, A2, B1, B2, C1, C2"},
		"fields":    {"en.csv", "headword,CEFR\nhouse,A1\nhome\n", "lexicon: en.csv: line 3: wrong number of fields"},
		"quotes":    {"en.csv", "headword,CEFR\n\"house,A1\n", "lexicon: en.csv: line 2: extraneous or missing \" in quoted-field"},
		"header":    {"en.csv", "word,level\nhouse,A1\n", "lexicon: en.csv: line 1: must name the columns, headword and CEFR among them"},
		"empty":     {"en.csv", "", "lexicon: en.csv: line 1: must name the columns, headword and CEFR among them"},
		"no word":   {"en.csv", "headword,CEFR\n ,A1\n", "lexicon: en.csv: line 2: the headword must have a letter in it"},
		"long":      {"en.csv", "headword,CEFR\n" + strings.Repeat("x", 81) + ",A1\n", "lexicon: en.csv: line 2: the headword must have at most 80 characters"},
		"bytes":     {"en.csv", "headword,CEFR\nh\xff,A1\n", "lexicon: en.csv: line 2: the headword must be UTF-8"},
		"language":  {"words.csv", "headword,CEFR\n", "lexicon: words.csv: its name does not begin with a language, as in en.csv or en-more.csv"},
		"too large": {"en.csv", strings.Repeat("x", 8<<20+1), "lexicon: en.csv has more than 8388608 bytes"},
	} {
		l, err := shipped(t).With(fstest.MapFS{"de.csv": {Data: []byte("headword,CEFR\nhaus,C2\n")}, tt.file: {Data: []byte(tt.list)}})
		if err == nil || err.Error() != tt.want || l != nil {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
}

func FuzzList(f *testing.F) {
	for _, s := range []string{"headword,CEFR\nhouse,A1\n", "CEFR,headword\nB2,\"a\nb\"\n", "headword,CEFR\na/b//,C1\n", "\ufeff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		l, err := new(lexicon.Lexicon).With(fstest.MapFS{"en.csv": {Data: []byte(list)}})
		if (err == nil) == (l == nil) {
			t.Fatalf("%v and %v", l, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "lexicon: en.csv: line ") {
			t.Errorf("%v names no line", err)
		}
	})
}
