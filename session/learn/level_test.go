package learn_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kalami/session/learn"
)

// speakers are how learners of each level may speak: what an estimate has to find again.
var speakers = map[learn.Level]learn.LevelSession{
	learn.A1: {Level: learn.A1, Turns: 50, Pace: learn.Pace{Words: 140, SpeechMS: 200_000, Pauses: 45, PauseMS: 80_000},
		Evidence: learn.LevelEvidence{Words: 160, Analysed: 50, Errors: map[learn.Severity]int{learn.Minor: 10, learn.Major: 10}, L1Share: 0.2, Comprehension: 0.85}},
	learn.B1: {Level: learn.B1, Turns: 30, Pace: learn.Pace{Words: 280, SpeechMS: 200_000, Pauses: 42, PauseMS: 45_000},
		Evidence: learn.LevelEvidence{Words: 300, Analysed: 30, Errors: map[learn.Severity]int{learn.Minor: 15, learn.Major: 6}, L1Share: 0.01, Comprehension: 0.85,
			Rated: map[learn.Level]int{learn.A1: 60, learn.A2: 30, learn.B1: 10}}},
	learn.C2: {Level: learn.C2, Turns: 20, Pace: learn.Pace{Words: 560, SpeechMS: 230_000, Pauses: 20, PauseMS: 30_000},
		Evidence: learn.LevelEvidence{Words: 600, Analysed: 20, Errors: map[learn.Severity]int{learn.Minor: 4}, Comprehension: 1,
			Rated: map[learn.Level]int{learn.A1: 60, learn.A2: 40, learn.B1: 25, learn.B2: 15, learn.C1: 10, learn.C2: 5}}},
}

// A learner of a level is found to be of it, within a range that is not everything.
func TestEstimateLevel(t *testing.T) {
	for level, s := range speakers {
		e, ok := learn.EstimateLevel("es", []learn.LevelSession{s, s, s, s})
		if !ok || e.Level != level || e.Low > e.Level || e.High < e.Level || e.Low == learn.A1 && e.High == learn.C2 {
			t.Errorf("%s is %s, %s to %s, %v: %+v", level, e.Level, e.Low, e.High, ok, e.Basis.Measures)
		}
		if e.Basis.Words != 4*s.Evidence.Words || e.Basis.Sessions != 4 || e.Basis.Turns != 4*s.Turns {
			t.Errorf("%s rests on %+v", level, e.Basis)
		}
	}
	b1, _ := learn.EstimateLevel("es", []learn.LevelSession{speakers[learn.B1], speakers[learn.B1], speakers[learn.B1]})
	var names []string
	for _, m := range b1.Basis.Measures {
		names = append(names, m.Name)
	}
	want := slices.DeleteFunc(learn.LevelMeasures(), func(n string) bool { return n == learn.MeasureL1 })
	if !slices.Equal(names, want) || b1.Basis.Coverage[learn.A1] != 0.6 || b1.Basis.Coverage[learn.A2] != 0.9 || b1.Basis.Coverage[learn.C2] != 1 {
		t.Errorf("measured %v, covered %v", names, b1.Basis.Coverage)
	}
}

// Nothing is said of too little, nor of conversations that nobody has looked into.
func TestTooLittleForALevel(t *testing.T) {
	b1 := speakers[learn.B1]
	short, unseen, silent := b1, b1, b1
	short.Evidence.Words, short.Turns, short.Evidence.Analysed = 99, 10, 10
	unseen.Evidence.Analysed = 14
	silent.Evidence.Words = 0
	for name, sessions := range map[string][]learn.LevelSession{
		"none": nil, "two conversations": {b1, b1}, "299 words": {short, short, short}, "not analysed": {b1, b1, unseen, unseen}, "silent": {b1, b1, silent},
	} {
		if e, ok := learn.EstimateLevel("es", sessions); ok {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// Few mistakes in short sentences do not make an expert, and no words of one's own language
// say nothing.
func TestFewMistakesInShortSentences(t *testing.T) {
	shy := learn.LevelSession{Level: learn.A1, Turns: 50, Evidence: learn.LevelEvidence{Words: 150, Analysed: 50}}
	e, ok := learn.EstimateLevel("es", []learn.LevelSession{shy, shy, shy})
	if !ok || e.High > learn.A2 {
		t.Errorf("%+v", e)
	}
}

// Characters are no words, and how fast they come is not measured in them.
func TestLevelInCharacters(t *testing.T) {
	s := speakers[learn.B1]
	s.Evidence.Words, s.Evidence.Rated = 600, nil
	e, ok := learn.EstimateLevel("ja", []learn.LevelSession{s, s, s})
	if !ok || len(e.Basis.Measures) != 3 || e.Basis.Measures[0].Value != 20 || e.Basis.Measures[0].Points != learn.B1 {
		t.Errorf("%+v", e)
	}
}

// Whatever the figures are, the estimate is a range with the level in it, and more mistakes
// never raise it.
func TestLevelHolds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var sessions, worse []learn.LevelSession
		for range 3 + r.IntN(5) {
			words := 100 + r.IntN(900)
			turns := 1 + r.IntN(words)
			s := learn.LevelSession{Level: learn.Levels()[r.IntN(6)], Turns: turns, Pace: learn.Pace{Words: r.IntN(500), SpeechMS: r.IntN(300_000), Pauses: r.IntN(200), PauseMS: r.IntN(90_000)},
				Evidence: learn.LevelEvidence{Words: words, Analysed: turns, L1Share: r.Float64(), Comprehension: r.Float64(),
					Errors: map[learn.Severity]int{learn.Minor: r.IntN(50), learn.Blocking: r.IntN(50)}, Rated: map[learn.Level]int{learn.A1: r.IntN(90), learn.C1: r.IntN(90)}}}
			sessions = append(sessions, s)
			s.Evidence.Errors = map[learn.Severity]int{learn.Minor: s.Evidence.Errors[learn.Minor], learn.Blocking: s.Evidence.Errors[learn.Blocking] + 20}
			worse = append(worse, s)
		}
		e, ok := learn.EstimateLevel("de", sessions)
		w, _ := learn.EstimateLevel("de", worse)
		if !ok || e.Low > e.Level || e.Level > e.High || w.Level > e.Level {
			t.Fatalf("%+v\nand with more mistakes %+v\nof %+v", e, w, sessions)
		}
	}
}

// The learner's different words are counted by their level, as far as that is known.
func TestRate(t *testing.T) {
	levels := map[string]learn.Level{"casa": learn.A1, "aunque": learn.B1, "empero": learn.C2}
	above := func(w string, l learn.Level) (bool, bool) { is, ok := levels[w]; return is > l, ok }
	l := learn.Lesson{Said: []learn.Message{
		{Speaker: learn.SpeakerLearner, Content: "La casa, la CASA, aunque…"}, {Speaker: learn.SpeakerTutor, Content: "empero"}}}
	if got := fmt.Sprint(l.Rate(above)); got != "map[A1:1 B1:1]" {
		t.Error(got)
	}
	if got := l.Rate(func(string, learn.Level) (bool, bool) { return false, false }); got != nil {
		t.Errorf("of unknown words: %v", got)
	}
}
