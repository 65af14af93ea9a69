package learn_test

import (
	"math"
	"testing"

	"kalami/session/learn"
)

func TestPace(t *testing.T) {
	word := func(from, to int) learn.SpokenWord { return learn.SpokenWord{Text: "a", StartMS: from, EndMS: to} }
	for _, c := range []struct {
		what  string
		words []learn.SpokenWord
		want  learn.Pace
	}{
		{"nothing", nil, learn.Pace{}},
		{"one word has no pace", []learn.SpokenWord{word(0, 300)}, learn.Pace{}},
		{"without a pause", []learn.SpokenWord{word(100, 300), word(400, 900), word(1149, 1300)}, learn.Pace{Words: 3, SpeechMS: 1200}},
		{"with two", []learn.SpokenWord{word(100, 300), word(550, 900), word(2000, 2500)},
			learn.Pace{Words: 3, SpeechMS: 2400, Pauses: 2, PauseMS: 1350, LongestMS: 1100}},
		{"words that overlap", []learn.SpokenWord{word(0, 500), word(400, 700)}, learn.Pace{Words: 2, SpeechMS: 700}},
		{"times that cannot be", []learn.SpokenWord{word(-5, 3), word(9, 3), word(0, 500), word(100, 400), word(0, math.MaxInt), word(700, 800)},
			learn.Pace{Words: 2, SpeechMS: 800}},
		{"words without length", []learn.SpokenWord{word(0, 0), word(500, 500)}, learn.Pace{}},
	} {
		if got := learn.MeasurePace(c.words); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
		}
	}
	f := learn.Pace{Words: 30, SpeechMS: 20_000, Pauses: 4, PauseMS: 5_001, LongestMS: 2000}.
		Plus(learn.Pace{Words: 10, SpeechMS: 4_000, LongestMS: 100})
	if f.WordsPerMinute() != 100 || f.ArticulationRate() != 126.3 || f.MeanPauseMS() != 1250 || f.LongestMS != 2000 {
		t.Errorf("%v words a minute, %v without pauses, mean %d ms, longest %d", f.WordsPerMinute(), f.ArticulationRate(), f.MeanPauseMS(), f.LongestMS)
	}
	if z := (learn.Pace{}); z.WordsPerMinute() != 0 || z.ArticulationRate() != 0 || z.MeanPauseMS() != 0 {
		t.Error("nothing has a pace")
	}
}
