package deck_test

import (
	"bytes"
	"errors"
	"iter"
	"reflect"
	"strings"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/session/learn/deck"
)

func at() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600)) }

// kept are cards with everything in them that a file could stumble over.
func kept() []learn.Card {
	texts := []struct{ front, back, context string }{
		{"house", "la casa", "La casa es azul."},
		{"=1+1", "+34 600", "-o, -a"},
		{"'=x", "''@home", "'tis"},
		{`say "hola"`, `"¡Hola!"`, `a "b" c`},
		{"a, b; c|d", "#separator:comma", "# no comment"},
		{"<b>bold</b>", "x & y < z", "&amp; [sound:a.mp3]"},
		{"“bonjour\u00a0!”", "« salut »", "e\u0301"},
		{"＝SUM(A1)", "食べる", "«»"},
		{"-", "@", "'"},
	}
	cards := make([]learn.Card, len(texts))
	for i, t := range texts {
		cards[i] = learn.Card{ID: string(rune('a' + i)), Language: "es", Kind: learn.CardProduce, Origin: learn.FromImport, Front: t.front, Back: t.back, Context: t.context,
			Memory: learn.Memory{State: learn.CardNew}, CreatedAt: at()}
	}
	cards[1].Kind, cards[1].Level, cards[1].Tags = learn.CardFix, learn.B1, []string{"=tag", "a,b", `q"q`}
	return cards
}

func sequence[T any](all []T, broken error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
		var none T
		if broken != nil {
			yield(none, broken)
		}
	}
}

// read is what is left of cards in a file that is read.
func read(cards []learn.Card) []learn.Card {
	left := make([]learn.Card, len(cards))
	for i, c := range cards {
		left[i] = learn.Card{Kind: c.Kind, Origin: learn.FromImport, Front: c.Front, Back: c.Back, Context: c.Context, Level: c.Level, Tags: c.Tags}
	}
	return left
}

// What is written is read back as the same cards, in both forms.
func TestRoundTrip(t *testing.T) {
	var text, table bytes.Buffer
	if err := deck.EncodeAnki(&text, sequence(kept(), nil)); err != nil {
		t.Fatal(err)
	}
	if err := deck.EncodeCSV(&table, sequence(kept(), nil)); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]func() ([]learn.Card, error){
		"anki": func() ([]learn.Card, error) { return deck.DecodeAnki(text.Bytes()) },
		"csv":  func() ([]learn.Card, error) { return deck.DecodeCSV(table.Bytes()) },
	} {
		cards, err := got()
		if err != nil || !reflect.DeepEqual(cards, read(kept())) {
			t.Errorf("%s: read %+v, %v", name, cards, err)
		}
	}
}

func TestEncodeAnki(t *testing.T) {
	var b bytes.Buffer
	c := kept()[3]
	c.Tags, c.Level = []string{"a", "b"}, learn.A1
	if err := deck.EncodeAnki(&b, sequence([]learn.Card{c}, nil)); err != nil {
		t.Fatal(err)
	}
	const want = "#separator:tab\n#html:false\n#notetype:Kalami\n#guid column:1\n#deck column:2\n#tags column:8\n" +
		"#columns:Guid\tDeck\tFront\tBack\tContext\tKind\tLevel\tTags\n" +
		"d\tKalami es\t\"say \"\"hola\"\"\"\t\"\"\"¡Hola!\"\"\"\t\"a \"\"b\"\" c\"\tproduce\tA1\ta b\n"
	if b.String() != want {
		t.Errorf("wrote %s", b.String())
	}
}

// No cell of a spreadsheet begins with what makes a formula.
func TestEncodeCSV(t *testing.T) {
	var b bytes.Buffer
	c := kept()[1]
	c.ID = "-1+1"
	c.Memory = learn.Memory{State: learn.CardReview, Stability: 15.7, Difficulty: 3.21, DueAt: at(), LastReviewedAt: at(), Reps: 3, Lapses: 1, ScheduledDays: 16}
	c.SuspendedAt = at()
	if err := deck.EncodeCSV(&b, sequence([]learn.Card{c}, nil)); err != nil {
		t.Fatal(err)
	}
	const want = "\ufeffid,language,kind,front,back,context,tags,level,origin,state,due_at,last_reviewed_at,stability,difficulty,reps,lapses,scheduled_days,suspended_at,created_at\r\n" +
		"'-1+1,es,fix,'=1+1,'+34 600,\"'-o, -a\",\"'=tag a,b q\"\"q\",B1,import,review,2026-03-04T04:06:07Z,2026-03-04T04:06:07Z,15.7000,3.2100,3,1,16,2026-03-04T04:06:07Z,2026-03-04T04:06:07Z\r\n"
	if b.String() != want {
		t.Errorf("wrote %q", b.String())
	}
}

func TestEncodeReviews(t *testing.T) {
	reviews := []learn.Review{
		{CardID: "a", Rating: learn.Good, At: at(), Before: learn.CardNew, Duration: 3200 * time.Millisecond},
		{CardID: "a", Rating: learn.Easy, At: at(), Before: learn.CardReview, UndoneAt: at()},
		{CardID: "=b", Rating: learn.Again, At: at().Add(time.Millisecond), Before: learn.CardReview},
		{CardID: "b", Rating: learn.Hard, At: at(), Before: learn.CardLearning},
		{CardID: "b", Rating: learn.Good, At: at(), Before: learn.CardRelearning},
	}
	var b bytes.Buffer
	if err := deck.EncodeReviews(&b, sequence(reviews, nil)); err != nil {
		t.Fatal(err)
	}
	const want = "card_id,review_time,review_rating,review_state,review_duration\na,1772597167000,3,0,3200\n'=b,1772597167001,1,2,0\nb,1772597167000,2,1,0\nb,1772597167000,3,3,0\n"
	if b.String() != want {
		t.Errorf("wrote %s", b.String())
	}
}

// What cards break off with is the error.
func TestEncodeBreaksOff(t *testing.T) {
	gone := errors.New("gone")
	for name, err := range map[string]error{
		"anki":    deck.EncodeAnki(&bytes.Buffer{}, sequence(kept(), gone)),
		"csv":     deck.EncodeCSV(&bytes.Buffer{}, sequence(kept(), gone)),
		"reviews": deck.EncodeReviews(&bytes.Buffer{}, sequence[learn.Review](nil, gone)),
	} {
		if !errors.Is(err, gone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Files of other programs, as they come.
func TestDecode(t *testing.T) {
	casa := func(change ...func(*learn.Card)) []learn.Card {
		c := learn.Card{Kind: learn.CardProduce, Origin: learn.FromImport, Front: "house", Back: "la casa"}
		for _, f := range change {
			f(&c)
		}
		return []learn.Card{c}
	}
	context := func(c *learn.Card) { c.Context = "La casa es azul." }
	tags := func(c *learn.Card) { c.Tags = []string{"home", "noun"} }
	for name, tt := range map[string]struct {
		decode func([]byte) ([]learn.Card, error)
		file   string
		want   []learn.Card
	}{
		"bare":                {deck.DecodeAnki, "house\tla casa", casa()},
		"bare, semicolons":    {deck.DecodeAnki, "house;la casa;La casa es azul.\n", casa(context)},
		"named separator":     {deck.DecodeAnki, "#separator:Pipe\r\nhouse|la casa\r\n\r\n", casa()},
		"character":           {deck.DecodeAnki, "#separator:,\nhouse,la casa\n", casa()},
		"old Macintosh":       {deck.DecodeAnki, "#html:false\rhouse\tla casa\r", casa()},
		"mark of Windows":     {deck.DecodeAnki, "\ufeff#separator:tab\nhouse\tla casa", casa()},
		"comments":            {deck.DecodeAnki, "# mine\nhouse\tla casa\n# more\n", casa()},
		"special columns":     {deck.DecodeAnki, "#notetype column:1\n#deck column:2\n#guid column:3\n#tags column:6\nBasic\tEs\tx\thouse\tla casa\tnoun home\n", casa(tags)},
		"tags of all":         {deck.DecodeAnki, "#tags:noun home\nhouse\tla casa\n", casa(tags)},
		"names in any order":  {deck.DecodeAnki, "#separator:tab\n#columns:Context\tBACK\tOther\tfront\nLa casa es azul.\tla casa\tx\thouse\n", casa(context)},
		"names of others":     {deck.DecodeAnki, "#separator:tab\n#columns:English\tSpanish\nhouse\tla casa\n", casa()},
		"HTML":                {deck.DecodeAnki, "#html:true\n<div>hou<b class=\"x\">se</b></div>\tla&nbsp;<i>casa</i>[sound:a.mp3]\n", []learn.Card{{Kind: learn.CardProduce, Origin: learn.FromImport, Front: "house", Back: "la\u00a0casa"}}},
		"lines within":        {deck.DecodeAnki, "#html:true\nhouse\t\"la<br>casa\"\n", casa()},
		"lines within quotes": {deck.DecodeAnki, "house\t\"la\r\ncasa\"\n", casa()},
		"no HTML":             {deck.DecodeAnki, "a < b\t<b>[sound:\n", []learn.Card{{Kind: learn.CardProduce, Origin: learn.FromImport, Front: "a < b", Back: "<b>[sound:"}}},
		"a table":             {deck.DecodeCSV, "front,back\nhouse,la casa\n", casa()},
		"of Excel in Europe":  {deck.DecodeCSV, "\ufeffBack;Front;Notes\r\nla casa;house;x\r\n;;\r\n", casa()},
		"quoted":              {deck.DecodeCSV, "\"front\",\"back\",\"context\",tags\n\"house\",\"la\ncasa\",\"La casa es azul.\",\"home noun\"\n", casa(context, tags)},
		"kind and level":      {deck.DecodeCSV, "level,kind,front,back\na1,Speak,house,la casa", casa(func(c *learn.Card) { c.Kind, c.Level = learn.CardSpeak, learn.A1 })},
		"guarded":             {deck.DecodeCSV, "front,back\n'=house,'la casa\n", casa(func(c *learn.Card) { c.Front, c.Back = "=house", "'la casa" })},
	} {
		if got, err := tt.decode([]byte(tt.file)); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: read %+v, %v; want %+v", name, got, err, tt.want)
		}
	}
}

// A file that is broken anywhere is refused, and the line is named.
func TestDecodeBroken(t *testing.T) {
	const right = "house\tla casa\n"
	for file, want := range map[string]string{
		right + "\"dog\tel perro\n" + right:                                "line 2: has a quotation mark that is not closed",
		right + "\"a\nb\nc\"x\ty\n":                                        "line 4: has text behind a quotation mark that closes",
		right + "\"a\nb\"\ty\n" + "dog\n":                                  "line 4: has 1 columns instead of 2",
		right + "dog\t\n":                                                  "line 2: back is required",
		right + right + "\xff\n":                                           "line 3: must be UTF-8",
		"\ufffd\t\ufffd\n\xff":                                             "line 2: must be UTF-8",
		right + "a\x00b\tc\n":                                              "line 2: front must not contain control characters",
		right + "a\t" + strings.Repeat("x", 501):                           "line 2: back must have at most 500 characters",
		right + "a\t" + strings.Repeat("x", 20_001):                        "line 2: has a field of more than 20000 bytes",
		"#separator:dash\n":                                                "line 1: names no separator; it must be tab, comma, semicolon, pipe, colon or space",
		"#html:true\n#guid column:0\n":                                     "line 2: names no column",
		"#tags column:3\n" + right:                                         "line 2: has 2 columns, and the first lines speak of number 3",
		"#columns:a\tb\tc\n" + right:                                       "line 2: has 2 columns, and line 1 names 3",
		"house\n":                                                          "line 1: must have a column for the question and one for the answer",
		"#guid column:1\n" + right:                                         "line 2: must have a column for the question and one for the answer",
		"#columns:Front\tBack\tKind\na\tb\tguess":                          "line 2: kind must be one of recognise, produce, speak, fix",
		"#columns:Front\tBack\tLevel\na\tb\tD1":                            "line 2: level must be one of A1, A2, B1, B2, C1, C2",
		strings.Repeat("\t", 200):                                          "line 1: has more than 100 columns",
		strings.Repeat("a\tb\n", deck.Most) + "\n\na\tb\n":                 "line 10003: is one card more than the 10000 that a file may have",
		"#tags:" + strings.Repeat("x", learn.CardTagMost+1) + "\n" + right: "line 2: tags must each have 1 to 40 characters",
	} {
		cards, err := deck.DecodeAnki([]byte(file))
		if line, ok := errors.AsType[*deck.LineError](err); !ok || line.Error() != want || cards != nil {
			t.Errorf("%.60q: %d cards, %v; want %s", file, len(cards), err, want)
		}
	}
	for file, want := range map[string]string{
		"":                                "line 1: must name the columns, front and back among them",
		"\n\nhouse,la casa\n":             "line 3: must name the columns, front and back among them",
		"front,context\na,b\n":            "line 1: must name the columns, front and back among them",
		"front,back\na,b\nc\n":            "line 3: has 1 columns instead of 2",
		"front,back\na,b\n\"c,d\n":        "line 3: has a quotation mark that is not closed",
		"front,back\na,b\n,d\n":           "line 3: front is required",
		"front,\"back":                    "line 1: has a quotation mark that is not closed",
		"front,back\n\"a\r\nb\",c\nd,,\n": "line 4: has 3 columns instead of 2",
	} {
		cards, err := deck.DecodeCSV([]byte(file))
		if line, ok := errors.AsType[*deck.LineError](err); !ok || line.Error() != want || cards != nil {
			t.Errorf("%.60q: %d cards, %v; want %s", file, len(cards), err, want)
		}
	}
}

func TestDecodeNothing(t *testing.T) {
	for _, file := range []string{"", "\n\n", "#html:true", "# only\n# comments"} {
		if cards, err := deck.DecodeAnki([]byte(file)); err != nil || len(cards) != 0 {
			t.Errorf("%q: %+v, %v", file, cards, err)
		}
	}
	if cards, err := deck.DecodeCSV([]byte("front,back")); err != nil || len(cards) != 0 {
		t.Errorf("%+v, %v", cards, err)
	}
}

// wantWhole checks what holds for every file: cards that may be kept, which come again when
// they are written and read, or an error that names a line of the file.
func wantWhole(t *testing.T, file []byte, cards []learn.Card, err error) {
	t.Helper()
	if err != nil {
		line, ok := errors.AsType[*deck.LineError](err)
		if !ok || cards != nil || line.Line < 1 || line.Line > 1+bytes.Count(file, []byte("\n"))+bytes.Count(file, []byte("\r")) {
			t.Fatalf("%d cards, %v", len(cards), err)
		}
		return
	}
	for i, c := range cards {
		if f := c.Check(); len(f) > 0 {
			t.Fatalf("card %d cannot be: %v", i, f)
		}
	}
	var text, table bytes.Buffer
	if err := errors.Join(deck.EncodeAnki(&text, sequence(cards, nil)), deck.EncodeCSV(&table, sequence(cards, nil))); err != nil {
		t.Fatal(err)
	}
	again, err := deck.DecodeAnki(text.Bytes())
	if err != nil || !sameCards(again, cards) {
		t.Fatalf("as Anki's text: %v\n%+v\n%+v", err, again, cards)
	}
	if again, err = deck.DecodeCSV(table.Bytes()); err != nil || !sameCards(again, cards) {
		t.Fatalf("as a table: %v\n%+v\n%+v", err, again, cards)
	}
}

func sameCards(a, b []learn.Card) bool {
	return len(a) == len(b) && (len(a) == 0 || reflect.DeepEqual(a, b))
}

func FuzzDecodeAnki(f *testing.F) {
	for _, s := range []string{"", "a\tb", "#separator:;\n#html:true\n#columns:Front;Back\n<b>a</b>;\"b\"\"\nc\"\n", "#tags column:3\na\tb\tc d",
		"\ufeff#x\r\n\"#a\"\tb\r\n", "#separator:space\na b", "a\tb\n\xff", "'=a\t&lt;"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		cards, err := deck.DecodeAnki(file)
		wantWhole(t, file, cards, err)
	})
}

func FuzzDecodeCSV(f *testing.F) {
	for _, s := range []string{"", "front,back\na,b", "front;back;tags\r\n'=a;\"b\nc\";d e\r\n", "front\tback\n\"\"\"\ta", "back,front,kind,level\nb,a,fix,a1", "front,back\n''=,'-"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		cards, err := deck.DecodeCSV(file)
		wantWhole(t, file, cards, err)
	})
}
