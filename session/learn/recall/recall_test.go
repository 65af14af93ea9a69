package recall_test

import (
	"strings"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/session/learn/recall"
)

// heard are words as a recogniser tells them, all with the same confidence.
func heard(text string, confidence float64) []learn.SpokenWord {
	var words []learn.SpokenWord
	for i, w := range strings.Fields(text) {
		words = append(words, learn.SpokenWord{Text: w, StartMS: i * 400, EndMS: i*400 + 300, Confidence: confidence})
	}
	return words
}

func TestJudge(t *testing.T) {
	house := learn.Card{Kind: learn.CardProduce, Front: "house", Back: "la casa"}
	either := learn.Card{Kind: learn.CardSpeak, Front: "car", Back: "el coche / el auto (de segunda mano)"}
	sentence := learn.Card{Kind: learn.CardFix, Front: "Yo fue al mercado.", Back: "¡Yo fui al mercado!"}
	eat := learn.Card{Kind: learn.CardProduce, Front: "to eat", Back: "食べる"}
	right := func(r learn.Rating) recall.Verdict { return recall.Verdict{Right: true, Rating: r} }
	wrong, unsure := recall.Verdict{Rating: learn.Again}, recall.Verdict{Unsure: true}
	for name, tt := range map[string]struct {
		card       learn.Card
		language   string
		said       string
		confidence float64
		after      time.Duration
		hinted     bool
		want       recall.Verdict
	}{
		"at once":                    {house, "es", "La casa.", 0.9, time.Second, false, right(learn.Easy)},
		"just in time for Easy":      {house, "es", "la casa", 0.9, 1999 * time.Millisecond, false, right(learn.Easy)},
		"after two seconds":          {house, "es", "la casa", 0.9, 2 * time.Second, false, right(learn.Good)},
		"at once, but hesitating":    {house, "es", "eh la casa", 0.9, time.Second, false, right(learn.Good)},
		"within a sentence":          {house, "es", "creo que es la casa", 0.9, 3 * time.Second, false, right(learn.Good)},
		"after eight seconds":        {house, "es", "la casa", 0.9, 8 * time.Second, false, right(learn.Good)},
		"later than that":            {house, "es", "la casa", 0.9, 8001 * time.Millisecond, false, right(learn.Hard)},
		"after a hint":               {house, "es", "la casa", 0.9, time.Second, true, right(learn.Hard)},
		"another gender":             {house, "es", "el casa", 0.9, time.Second, false, wrong},
		"without the article":        {house, "es", "casa", 0.9, time.Second, false, wrong},
		"another word":               {house, "es", "no lo sé", 0.9, time.Second, false, wrong},
		"the other way round":        {house, "es", "casa la", 0.9, time.Second, false, wrong},
		"not understood":             {house, "es", "la cosa", 0.4, time.Second, false, unsure},
		"right, if hardly heard":     {house, "es", "la casa", 0.4, 3 * time.Second, false, right(learn.Good)},
		"without confidences":        {house, "es", "la cosa", 0, time.Second, false, wrong},
		"a lecture with the word":    {house, "es", "en la casa de mi abuela vivimos todos juntos muchos años felices", 0.9, 3 * time.Second, false, wrong},
		"the first of two":           {either, "es", "el coche", 0.9, 3 * time.Second, false, right(learn.Good)},
		"the second, and no comment": {either, "es", "el auto", 0.9, 3 * time.Second, false, right(learn.Good)},
		"the right form":             {sentence, "es", "yo fui al mercado", 0.9, time.Second, false, right(learn.Easy)},
		"the wrong form again":       {sentence, "es", "yo fue al mercado", 0.9, time.Second, false, wrong},
		"without spaces":             {eat, "ja", "食べる", 0.9, 3 * time.Second, false, right(learn.Good)},
		"another without spaces":     {eat, "ja", "飲む", 0.9, 3 * time.Second, false, wrong},
	} {
		a := recall.Answer{Language: tt.language, Text: tt.said, Words: heard(tt.said, tt.confidence), After: tt.after, Hinted: tt.hinted}
		if got := recall.Judge(tt.card, a); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

// What is typed has no time, and is never easy.
func TestJudgeTyped(t *testing.T) {
	house := learn.Card{Kind: learn.CardProduce, Front: "house", Back: "la casa"}
	for text, want := range map[string]recall.Verdict{
		"La casa": {Right: true, Rating: learn.Good},
		"la cosa": {Rating: learn.Again},
		"":        {Rating: learn.Again},
	} {
		if got := recall.Judge(house, recall.Answer{Language: "es", Text: text, After: time.Hour}); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}

func TestHint(t *testing.T) {
	for back, want := range map[string]string{
		"la casa": "la c…", "casa": "c…", "(el) coche / el auto": "c…", "食べる": "食…", "(?)": "(…",
	} {
		if got := recall.Hint(learn.Card{Back: back}); got != want {
			t.Errorf("hint at %q: %q, want %q", back, got, want)
		}
	}
}

func TestSpoken(t *testing.T) {
	for kind, want := range map[learn.CardKind]bool{learn.CardProduce: true, learn.CardSpeak: true, learn.CardFix: true, learn.CardRecognise: false} {
		if recall.Spoken(learn.Card{Kind: kind}) != want {
			t.Errorf("%s is asked by voice: %v", kind, !want)
		}
	}
}

// Every language that is taught has its own phrases, and each names the card.
func TestPhrases(t *testing.T) {
	ask, mend := learn.Card{Kind: learn.CardProduce, Front: "FRONT", Back: "BACK"}, learn.Card{Kind: learn.CardFix, Front: "FRONT", Back: "BACK"}
	said := map[string]string{}
	for _, l := range learn.Languages {
		for _, question := range []string{recall.Question(l.Code, ask), recall.Question(l.Code, mend)} {
			if !strings.Contains(question, "FRONT") || strings.Contains(question, "%!") {
				t.Errorf("%s asks %q", l.Code, question)
			}
		}
		if wrong := recall.Comment(l.Code, ask, false); !strings.Contains(wrong, "BACK") || strings.Contains(wrong, "%!") {
			t.Errorf("%s comments %q", l.Code, wrong)
		}
		for _, phrase := range []string{recall.Question(l.Code, ask), recall.Comment(l.Code, ask, true), recall.Unclear(l.Code), recall.Nothing(l.Code, false), recall.Nothing(l.Code, true)} {
			if other, twice := said[phrase]; phrase == "" || twice {
				t.Errorf("%s says %q as %s does", l.Code, phrase, other)
			}
			said[phrase] = l.Code
		}
	}
	if recall.Unclear("xx") != recall.Unclear("en") {
		t.Error("a language that is not taught has phrases of its own")
	}
}
