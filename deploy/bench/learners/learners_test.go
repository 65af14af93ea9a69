package learners_test

import (
	"testing"

	"kalami/deploy/bench/learners"
	"kalami/session/learn"
)

func TestTheSetIsWhatItSays(t *testing.T) {
	for _, language := range learners.Languages() {
		all, err := learners.Load(language)
		if err != nil {
			t.Fatal(err)
		}
		kinds, levels, ids, judging := map[string]int{}, map[learn.Level]int{}, map[string]bool{}, 0
		for _, u := range all {
			kinds[u.Kind]++
			levels[u.Level]++
			if ids[u.ID] || u.Asked == "" || u.Language != language {
				t.Errorf("%+v", u)
			}
			ids[u.ID] = true
			if u.Judging {
				judging++
			}
			checkTimes(t, u)
		}
		if len(all) != 36 || len(kinds) != 5 || len(levels) != 5 || judging < 10 || judging > 12 {
			t.Errorf("%s: %d utterances, kinds %v, levels %v, %d to judge by", language, len(all), kinds, levels, judging)
		}
	}
	if _, err := learners.Load("tlh"); err == nil {
		t.Error("there is a file for Klingon")
	}
}

// checkTimes: words follow each other, and the pauses are as long as the kind says.
func checkTimes(t *testing.T, u learners.Utterance) {
	t.Helper()
	at, pauses := 0, 0
	for _, w := range u.Words {
		gap := w.StartMS - at
		if gap != 0 {
			pauses++
		}
		if gap != 0 && (gap < 400 || gap > 2500) || w.EndMS-w.StartMS < learners.ShortestWord {
			t.Errorf("%s: %+v comes %d ms after the word before", u.ID, w, gap)
		}
		at = w.EndMS
	}
	if u.EndMS() != at || (u.Kind == "whole") != (pauses == 0) {
		t.Errorf("%s ends at %d, want %d; %d pauses in a turn of kind %s", u.ID, u.EndMS(), at, pauses, u.Kind)
	}
}
