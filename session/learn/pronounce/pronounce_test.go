package pronounce_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/session/learn/pronounce"
)

// said makes what a recogniser heard of a text: words of 300 ms, 100 ms apart, one in every
// 400 ms, each understood with a confidence of 0.9.
func said(text string) (words []learn.SpokenWord) {
	for i, w := range strings.Fields(text) {
		words = append(words, learn.SpokenWord{Text: w, StartMS: 100 + 400*i, EndMS: 400 + 400*i, Confidence: 0.9})
	}
	return words
}

// story writes an assessment's words in short: what matched as it is, -missing, +added,
// &repeated, swapped>heard, !mispronounced.
func story(a learn.Assessment) string {
	var out []string
	for _, w := range a.Words {
		switch *w.Status {
		case learn.WordMatch:
			out = append(out, w.Word)
		case learn.WordOmission:
			out = append(out, "-"+w.Word)
		case learn.WordInsertion:
			out = append(out, "+"+w.Word)
		case learn.WordRepetition:
			out = append(out, "&"+w.Word)
		case learn.WordSubstitution:
			out = append(out, w.Word+">"+*w.Heard)
		case learn.WordMispronounced:
			out = append(out, "!"+w.Word)
		}
	}
	return strings.Join(out, " ")
}

// What was heard is laid over the text word by word, in languages that write words apart
// and in one that does not; case, punctuation and ways of writing tell nothing apart.
func TestAlignment(t *testing.T) {
	for _, c := range []struct {
		language, reference, heard string
		want                       string
		completeness               float64
		repeats                    int
	}{
		{"es", "Quiero un café con leche.", "quiero un café con leche", "quiero un café con leche", 100, 0},
		{"es", "Quiero un café con leche.", "quiero un café leche", "quiero un café -con leche", 80, 0},
		{"es", "Quiero un café con leche.", "quiero un buen café con leche", "quiero un +buen café con leche", 100, 0},
		{"es", "Quiero un café con leche.", "quiero un café con noche", "quiero un café con leche>noche", 80, 0},
		{"es", "Quiero un café con leche.", "quiero quiero un café con con leche", "&quiero quiero un café &con con leche", 100, 2},
		{"es", "Tengo 21 años y 3 hermanas", "tengo veintiuno años y tres hermanas", "tengo 21 años y 3 hermanas", 100, 0},
		{"es", "A las 8:30", "a las ocho y treinta", "a las 8 +y 30", 100, 0},
		{"en", "I'd like to book a table for 2, please.", "i would like to book a table for two please", "I'd like to book a table for 2 please", 100, 0},
		{"en", "I don't know why it's late.", "i do not know why it is late", "I don't know why it's late", 100, 0},
		{"en", "I do not know.", "I don't know", "I do not know", 100, 0},
		{"en", "I do know.", "I don't know", "I do>don't know", 66.7, 0},
		{"en", "The cat sat on the mat.", "the cat the cat sat on the mat", "&the &cat the cat sat on the mat", 100, 1},
		{"en", "She has twenty-one cats.", "She has 21 cats", "she has twenty one cats", 100, 0},
		{"en", "We meet on Tuesday at noon.", "um we meet uh at noon", "we meet -on -Tuesday at noon", 66.7, 0},
		{"en", "Take the second street on the left.", "take a third street on left now", "take the>a second>third street on -the left +now", 57.1, 0},
		{"de", "Wie geht's Ihrer Straße?", "wie geht es ihrer strasse", "Wie geht's Ihrer Straße", 100, 0},
		{"de", "Ich habe einundzwanzig Bücher gelesen.", "ich habe 21 bücher bücher gegessen", "Ich habe einundzwanzig &bücher Bücher gelesen>gegessen", 80, 1},
		{"fr", "L’homme n’a pas l’heure.", "l'homme n'a pas l'heure", "l'homme n'a pas l'heure", 100, 0},
		{"fr", "L’homme n’a pas l’heure.", "l homme a pas l'heure", "l'homme n'a>a pas l'heure", 75, 0},
		{"fr", "Il a 71 ans aujourd’hui.", "il a soixante et onze ans aujourd'hui", "il a 71 ans aujourd'hui", 100, 0},
		{"it", "Dov’è l’ufficio postale?", "dov'è ufficio postale", "dov'è l'ufficio>ufficio postale", 66.7, 0},
		{"pt", "São 42 reais.", "são quarenta e dois reais", "são 42 reais", 100, 0},
		{"ja", "コーヒーをください。", "コーヒー を ください", "コ ー ヒ ー を く だ さ い", 100, 0},
		{"ja", "水をください。", "水 ください", "水 -を く だ さ い", 83.3, 0},
		{"ja", "三時に駅で会いましょう", "3 時 に 駅 駅 前 で 会い ました", "三 時 に &駅 駅 +前 で 会 い ま し -ょ う>た", 81.8, 1},
		{"zh", "我想喝十二杯水", "我想喝 12 杯茶", "我 想 喝 十 二 杯 水>茶", 85.7, 0},
		{"ru", "Ещё раз, пожалуйста.", "еще раз раз пожалуйста", "ещё &раз раз пожалуйста", 100, 1},
		{"ar", "أُريدُ قهوةً", "اريد قهوة", "أُريدُ قهوةً", 100, 0},
		{"ko", "커피 한 잔 주세요.", "커피 두 잔 주세요", "커피 한>두 잔 주세요", 75, 0},
	} {
		t.Run(c.language+" "+c.heard, func(t *testing.T) {
			a := pronounce.Assess(c.reference, pronounce.Sample{Language: c.language, Words: said(c.heard), Fillers: true})
			if got := story(a); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if got := *a.Scores.Completeness; got != c.completeness {
				t.Errorf("completeness %v, want %v", got, c.completeness)
			}
			if a.Fluency.Repeats != c.repeats {
				t.Errorf("%d repeats, want %d", a.Fluency.Repeats, c.repeats)
			}
		})
	}
}

// A text that was sent apart from its accents is the same text.
func TestAccentsApart(t *testing.T) {
	a := pronounce.Assess("Cafe\u0301 man\u0303ana", pronounce.Sample{Language: "es", Words: said("café mañana")})
	if got := story(a); got != "café mañana" {
		t.Error(got)
	}
}

// example is the assessment of "Quiero un cafe con leche" that the API's description shows,
// in which the learner leaves out a word and is hard to understand in another.
func example() learn.Assessment {
	return pronounce.Assess("Quiero un cafe con leche", pronounce.Sample{
		Language: "es-MX", Native: "en", Duration: 3120 * time.Millisecond, Fillers: true,
		Words: []learn.SpokenWord{
			{Text: "quiero", StartMS: 120, EndMS: 480, Confidence: 0.96},
			{Text: "un", StartMS: 480, EndMS: 700, Confidence: 0.9},
			{Text: "cafe", StartMS: 1120, EndMS: 1700, Confidence: 0.99},
			{Text: "leche", StartMS: 1900, EndMS: 2400, Confidence: 0.4},
		},
	})
}

// The whole JSON of an assessment by recognition. There is no accuracy, no sound and no
// total anywhere in it, whatever the confidences are.
func TestJSON(t *testing.T) {
	got, err := json.MarshalIndent(example(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id": "", "session_id": null, "message_id": null, "mode": "scripted", "language": "es",
	"reference_text": "Quiero un cafe con leche", "provider": "", "basis": "asr_recognition",
	"capabilities": ["completeness", "word_status", "recognition", "fluency"], "overall_score": null,
	"scores": {"accuracy": null, "completeness": 80, "fluency": null, "prosody": null, "recognition": 81.3},
	"fluency": {"duration_ms": 3120, "voiced_ms": 1660, "unit": "word", "units": 4, "words_per_minute": 76.9,
		"articulation_wpm": 144.6, "pauses": {"count": 1, "mean_ms": 420, "longest_ms": 420, "in_phrase": 1},
		"fillers": null, "repeats": 0, "mean_length_of_run": 2},
	"words": [
		{"index": 0, "ref_index": 0, "word": "quiero", "heard": "quiero", "status": "match", "recognition": 96,
			"accuracy": null, "start_ms": 120, "end_ms": 480, "pause_before_ms": 120, "phonemes": null},
		{"index": 1, "ref_index": 1, "word": "un", "heard": "un", "status": "match", "recognition": 90,
			"accuracy": null, "start_ms": 480, "end_ms": 700, "pause_before_ms": 0, "phonemes": null},
		{"index": 2, "ref_index": 2, "word": "cafe", "heard": "cafe", "status": "match", "recognition": 99,
			"accuracy": null, "start_ms": 1120, "end_ms": 1700, "pause_before_ms": 420, "phonemes": null},
		{"index": null, "ref_index": 3, "word": "con", "heard": null, "status": "omission", "recognition": null,
			"accuracy": null, "start_ms": null, "end_ms": null, "pause_before_ms": null, "phonemes": null},
		{"index": 3, "ref_index": 4, "word": "leche", "heard": "leche", "status": "match", "recognition": 40,
			"accuracy": null, "start_ms": 1900, "end_ms": 2400, "pause_before_ms": 200, "phonemes": null}],
	"problem_areas": [{"kind": "word", "value": "con", "evidence": 1}, {"kind": "word", "value": "leche", "evidence": 1}],
	"suggestions": [
		{"text": "You left out: con. Read the sentence again.", "language": "en"},
		{"text": "Say again, slowly: leche. It was hard to recognise.", "language": "en"}],
	"caveat": "Based on how clearly a recogniser understood you, not on the sounds themselves.",
	"created_at": "0001-01-01T00:00:00Z"}`
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("%s", got)
	}
}

// accuracies are the values of every field whose name speaks of accuracy or of a total, at
// any depth.
func accuracies(v any) (found []any) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if strings.Contains(name, "accuracy") || strings.Contains(name, "overall") || name == "phonemes" || name == "prosody" {
				found = append(found, value)
			}
			found = append(found, accuracies(value)...)
		}
	case []any:
		for _, value := range v {
			found = append(found, accuracies(value)...)
		}
	}
	return found
}

// Nothing that a recogniser says, sure or unsure, scripted or free, is called accuracy; and
// the caveat is always there, in every language of the app.
func TestConfidenceIsNoAccuracy(t *testing.T) {
	for _, l := range learn.Languages {
		for _, confidence := range []float64{0, 0.01, 0.5, 0.99, 1} {
			for _, reference := range []string{"", "one two three"} {
				words := said("one two four")
				for i := range words {
					words[i].Confidence = confidence
				}
				a := pronounce.Assess(reference, pronounce.Sample{Language: "en", Words: words, Native: l.Code})
				raw, err := json.Marshal(a)
				if err != nil {
					t.Fatal(err)
				}
				var v any
				if err := json.Unmarshal(raw, &v); err != nil {
					t.Fatal(err)
				}
				found := accuracies(v)
				if len(found) < 5 {
					t.Fatalf("%d fields found: the search finds too few", len(found))
				}
				for _, value := range found {
					if value != nil {
						t.Errorf("%v is called accuracy: %s", value, raw)
					}
				}
				if a.Caveat == "" || a.Basis != learn.RecognitionBasis {
					t.Errorf("caveat %q, basis %q", a.Caveat, a.Basis)
				}
			}
		}
		for _, basis := range []learn.Basis{learn.RecognitionBasis, learn.AcousticBasis} {
			if english := pronounce.Caveat(basis, "tlh"); l.Code != "en" && pronounce.Caveat(basis, l.Code) == english {
				t.Errorf("%s has no caveat of its own for %s", l.Code, basis)
			}
		}
	}
}

// Suggestions are in the learner's language, name the words, and are three at most.
func TestSuggestions(t *testing.T) {
	texts := map[string]bool{}
	for _, l := range learn.Languages {
		words := said("ich habe heute bier getrunken")
		words[3].Confidence = 0.2
		words[4].StartMS, words[4].EndMS = 4000, 4300
		a := pronounce.Assess("Ich habe heute kein Bier gegessen", pronounce.Sample{Language: "de", Words: words, Native: l.Code + "-XX"})
		if len(a.Suggestions) != 3 {
			t.Fatalf("%s: %+v", l.Code, a.Suggestions)
		}
		for i, word := range []string{"kein", "gegessen", "Bier"} {
			s := a.Suggestions[i]
			if s.Language != l.Code || !strings.Contains(s.Text, word) || strings.Contains(s.Text, "%") || texts[s.Text] {
				t.Errorf("%s: %+v", l.Code, s)
			}
			texts[s.Text] = true
		}
	}
}

// Fluency of free speech: pauses within phrases are told where the recogniser wrote
// punctuation down and nowhere else; fillers in English alone.
func TestFluency(t *testing.T) {
	timed := func(words ...any) (out []learn.SpokenWord) {
		for i := 0; i < len(words); i += 3 {
			out = append(out, learn.SpokenWord{Text: words[i].(string), StartMS: words[i+1].(int), EndMS: words[i+2].(int), Confidence: 0.8})
		}
		return out
	}
	for _, c := range []struct {
		name   string
		sample pronounce.Sample
		want   learn.Fluency
	}{
		{"English with fillers and a repetition",
			pronounce.Sample{Language: "en", Fillers: true, Duration: 5 * time.Second,
				Words: timed("um", 0, 300, "I", 400, 500, "I", 600, 700, "went", 1000, 1300, "home,", 1400, 1700, "very", 2200, 2400, "very", 2400, 2600, "late.", 2700, 3000)},
			learn.Fluency{DurationMS: 5000, VoicedMS: 1500, Unit: "word", Units: 7, WordsPerMinute: new(84.0), ArticulationWPM: new(280.0),
				Pauses: learn.Pauses{Count: 2, MeanMS: 400, LongestMS: 500, InPhrase: new(1)}, Fillers: new(1), Repeats: 1, MeanRun: new(2.3)}},
		{"nothing tells phrases apart",
			pronounce.Sample{Language: "es", Fillers: true, Words: timed("hola", 0, 500, "ana", 800, 1000)},
			learn.Fluency{DurationMS: 1000, VoicedMS: 700, Unit: "word", Units: 2, WordsPerMinute: new(120.0), ArticulationWPM: new(171.4),
				Pauses: learn.Pauses{Count: 1, MeanMS: 300, LongestMS: 300}, MeanRun: new(1.0)}},
		{"characters", pronounce.Sample{Language: "zh", Words: timed("你好。", 0, 600)},
			learn.Fluency{DurationMS: 600, VoicedMS: 600, Unit: "character", Units: 2, WordsPerMinute: new(200.0), ArticulationWPM: new(200.0),
				Pauses: learn.Pauses{InPhrase: new(0)}, MeanRun: new(2.0)}},
		{"without times", pronounce.Sample{Language: "fr", Duration: time.Second, Words: []learn.SpokenWord{{Text: "oui"}}},
			learn.Fluency{DurationMS: 1000, Unit: "word", Units: 1}},
		{"nothing said", pronounce.Sample{Language: "en", Duration: time.Second, Fillers: true},
			learn.Fluency{DurationMS: 1000, Unit: "word", Fillers: new(0)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := pronounce.Assess("", c.sample)
			if !reflect.DeepEqual(got.Fluency, c.want) {
				t.Errorf("%s, want %s", dump(got.Fluency), dump(c.want))
			}
			if got.Scores.Completeness != nil || got.Mode != learn.Spontaneous || got.Reference != nil {
				t.Errorf("free speech was compared with something: %s", dump(got))
			}
		})
	}
}

// A pause where the text has a comma is not within a phrase; one between article and noun is.
func TestPausesOfAText(t *testing.T) {
	words := said("good morning i want the house")
	for i := 2; i < len(words); i++ {
		words[i].StartMS, words[i].EndMS = words[i].StartMS+400, words[i].EndMS+400
	}
	words[5].StartMS, words[5].EndMS = words[5].StartMS+500, words[5].EndMS+500
	a := pronounce.Assess("Good morning, I want the house.", pronounce.Sample{Language: "en", Words: words})
	if p := a.Fluency.Pauses; p.Count != 2 || p.InPhrase == nil || *p.InPhrase != 1 || p.LongestMS != 600 {
		t.Errorf("%s", dump(p))
	}
}

// An assessor that has heard the sounds fills in what recognition cannot tell, and the
// recogniser's part stays as it was. A score that is none is left out.
func TestJudge(t *testing.T) {
	a := example()
	before := a.Scores.Recognition
	pronounce.Judge(&a, pronounce.Judgement{Provider: "azure", Version: "v1", Overall: new(72.04), Accuracy: new(70.0), Prosody: new(180.0),
		Words: []pronounce.JudgedWord{
			{Word: "Quiero", Accuracy: new(95.0)},
			{Word: "eh", Accuracy: new(9.0), Added: true},
			{Word: "un", Accuracy: new(90.0)}, {Word: "cafe", Accuracy: new(88.0)}, {Word: "con"},
			{Word: "leche", Accuracy: new(40.0), Mispronounced: true, Phonemes: []learn.Phoneme{
				{Symbol: "tʃ", Alphabet: "ipa", Accuracy: new(21.0), HeardAs: new("ʃ")}, {Symbol: "e", Alphabet: "ipa", Accuracy: new(91.0)}}},
		}}, "es")
	if got := story(a); got != "quiero un cafe -con !leche" {
		t.Error(got)
	}
	if *a.Overall != 72 || *a.Scores.Accuracy != 70 || a.Scores.Prosody != nil || *a.Scores.Completeness != 80 || a.Scores.Recognition != before {
		t.Errorf("%s", dump(a.Scores))
	}
	if a.Basis != learn.AcousticBasis || a.Provider != "azure" || !strings.Contains(a.Caveat, "programa") {
		t.Errorf("%q %q %q", a.Basis, a.Provider, a.Caveat)
	}
	if got, want := fmt.Sprint(a.Capabilities), "[completeness word_status recognition fluency accuracy phonemes]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := dump(a.Words[0].Accuracy), "95"; got != want {
		t.Errorf("quiero: %s", got)
	}
	want := `[{"kind":"word","value":"con","evidence":1},{"kind":"word","value":"leche","evidence":1},{"kind":"sound","value":"tʃ","evidence":1}]`
	if got := dump(a.ProblemAreas); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func dump(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
