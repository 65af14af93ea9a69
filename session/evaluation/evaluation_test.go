package evaluation_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kalami/session/evaluation"
	"kalami/session/learn"
)

func set(t *testing.T, languages ...string) []evaluation.Utterance {
	t.Helper()
	all, err := evaluation.Set(languages...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The set has 150 utterances in six languages, more than a third of them without a mistake,
// of most kinds of mistakes; each mistake stands in its utterance once, and its correction
// says something else.
func TestSet(t *testing.T) {
	all := set(t)
	correct, ids, kinds, languages := 0, map[string]bool{}, map[learn.Category]bool{}, map[string]int{}
	for _, u := range all {
		if ids[u.ID] {
			t.Errorf("%s stands there twice", u.ID)
		}
		ids[u.ID] = true
		languages[u.Reviewed.Language]++
		if u.Reviewed.Question == "" || u.Reviewed.NativeLanguage == u.Reviewed.Language {
			t.Errorf("%s: %+v", u.ID, u.Reviewed)
		}
		if u.Wrong == "" {
			correct++
			continue
		}
		kinds[u.Category] = true
		if u.Wrong == u.Right || u.Right == "" {
			t.Errorf("%s corrects nothing", u.ID)
		}
	}
	if len(all) < 150 || len(languages) != 6 || float64(correct) < 0.35*float64(len(all)) || len(kinds) < 12 {
		t.Errorf("%d utterances, %d correct, of %v and %d kinds", len(all), correct, languages, len(kinds))
	}
	if _, err := evaluation.Set("tlh"); err == nil {
		t.Error("there is a set in Klingon")
	}
}

// A mistake that is written down is found in its utterance, in code points, whatever letters
// stand before it.
func TestSpansAreFound(t *testing.T) {
	for _, u := range set(t) {
		if u.Wrong == "" {
			continue
		}
		answer := `{"understood":true,"corrections":[{"original":"` + u.Wrong + `","corrected":"` + u.Right + `","category":"` + string(u.Category) +
			`","severity":"minor","explanation":"` + map[bool]string{true: "Aquí.", false: "Here."}[u.Reviewed.Language == "en"] + `","confidence":1}]}`
		a, err := learn.ReadAnalysis([]byte(answer), u.Reviewed)
		if err != nil || len(a.Corrections) != 1 {
			t.Errorf("%s: %+v, %v", u.ID, a.Corrections, err)
			continue
		}
		c := a.Corrections[0]
		if got := string([]rune(u.Reviewed.Learner.Content)[c.Start:c.End]); got != u.Wrong {
			t.Errorf("%s: found %q, want %q", u.ID, got, u.Wrong)
		}
	}
}

// Every recorded answer is of the shape that models are asked for.
func TestRecordingsAreOfTheSchema(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(learn.AnalysisSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema := c.MustCompile("schema.json")
	all, err := evaluation.Recordings()
	if err != nil || len(all) != len(set(t)) {
		t.Fatalf("%d recorded answers, %v", len(all), err)
	}
	for _, r := range all {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.Answer))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			t.Errorf("%s: %v", r.ID, err)
		}
	}
}

// Of the recorded answers, those corrections that change nothing, were not said or are
// explained in another language have gone; missed mistakes and corrected right sentences are
// counted.
func TestRecordedEvaluation(t *testing.T) {
	analyse, err := evaluation.Recorded()
	if err != nil {
		t.Fatal(err)
	}
	r, err := evaluation.Run(t.Context(), set(t), 4, analyse)
	if err != nil {
		t.Fatal(err)
	}
	want := evaluation.Report{Utterances: 150, Correct: 54, Gold: 96, Shown: 94, Right: 88, Named: 88, Found: 88, Spoiled: 6}
	if r != want {
		t.Errorf("counted %+v, want %+v", r, want)
	}
	for name, x := range map[string][2]float64{
		"precision": {r.Precision(), 88.0 / 94}, "recall": {r.Recall(), 88.0 / 96}, "F0.5": {r.F05(), 0.9322}, "false": {r.FalseCorrections(), 6.0 / 54},
	} {
		if math.Abs(x[0]-x[1]) > 1e-4 {
			t.Errorf("%s %f, want %f", name, x[0], x[1])
		}
	}
	var b strings.Builder
	if err := r.Print(&b); err != nil || !strings.Contains(b.String(), "F0.5                0.932\n") {
		t.Errorf("printed %v\n%s", err, b.String())
	}
}

// A correction counts when the utterance reads with it as it should, whatever was marked.
func TestOtherSpansOfTheSameCorrection(t *testing.T) {
	all := set(t, "es")[:1] // Yo soy muy cansado hoy.
	for name, tt := range map[string]struct {
		start, end   int
		corrected    string
		withheld     bool
		right, found int
	}{
		"the shortest":   {3, 6, "estoy", false, 1, 1},
		"a longer part":  {0, 6, "yo estoy", false, 1, 1},
		"another":        {3, 6, "fui", false, 0, 1},
		"somewhere else": {7, 10, "más", false, 0, 0},
		"withheld":       {3, 6, "estoy", true, 0, 0},
	} {
		r, err := evaluation.Run(t.Context(), all, 1, func(context.Context, learn.Reviewed) (learn.TurnAnalysis, error) {
			return learn.TurnAnalysis{Corrections: []learn.Correction{{Start: tt.start, End: tt.end, Corrected: tt.corrected, Withheld: tt.withheld}}}, nil
		})
		if err != nil || r.Right != tt.right || r.Found != tt.found || r.Named != 0 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// A model that fails is counted and harms nothing else; who gives up gets no report.
func TestEvaluationOfFailures(t *testing.T) {
	dead := func(context.Context, learn.Reviewed) (learn.TurnAnalysis, error) {
		return learn.TurnAnalysis{}, errors.New("dead")
	}
	r, err := evaluation.Run(t.Context(), set(t), 3, dead)
	if err != nil || r != (evaluation.Report{Utterances: 150, Failed: 150}) || r.F05() != 1 || r.FalseCorrections() != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := evaluation.Run(ctx, set(t), 3, dead); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}
