package main

import (
	"slices"
	"strings"
	"testing"

	"kalami/deploy/bench/learners"
	"kalami/session/learn"
)

func everything(t *testing.T) (set []learners.Utterance) {
	t.Helper()
	for _, language := range learners.Languages() {
		us, err := learners.Load(language)
		if err != nil {
			t.Fatal(err)
		}
		set = append(set, us...)
	}
	return set
}

// The goal, on the part that is kept for judging: at most half of the cut-offs of a fixed
// 0.9 s, and no longer a wait than a fixed 1.5 s.
func TestGoal(t *testing.T) {
	for _, written := range []bool{false, true} {
		b := measure(everything(t), written)
		if err := b.missed(); err != nil {
			t.Errorf("fillers written %v: %v", written, err)
		}
		ours, adapted := b.of("kalami").of(judging, ""), b.of("kalami_adapted").of(judging, "")
		if ours.utterances < 40 || ours.pauses < 40 || adapted.utterances != ours.utterances {
			t.Errorf("%d utterances with %d pauses were judged", ours.utterances, ours.pauses)
		}
		if adapted.cut > ours.cut {
			t.Errorf("knowing the learner cuts off %d instead of %d", adapted.cut, ours.cut)
		}
		// What was learned on one part holds on the other, more or less.
		tuned := b.of("kalami").of(tuning, "")
		if ours.falsePercent() > tuned.falsePercent()+10 {
			t.Errorf("%.0f %% cut off of the judging part, %.0f %% where the rules were tuned", ours.falsePercent(), tuned.falsePercent())
		}
	}
}

// The bench itself: rules whose figures are known beforehand get them.
func TestRulesOfKnownFigures(t *testing.T) {
	set := everything(t)
	b := &board{}
	b.listen("hasty", &silence{wait: 1}, set, true)
	b.listen("deaf", &silence{wait: 10 * horizon}, set, true)
	b.listen("second", &silence{wait: 1000}, set, true)
	paused, pauses, long := 0, 0, 0
	for _, u := range set {
		if !u.Judging {
			continue
		}
		for i := range u.Words[1:] {
			gap := u.Words[i+1].StartMS - u.Words[i].EndMS
			if gap > 0 {
				pauses++
			}
			if gap > 1000+voiceOnDelay {
				long++
			}
		}
		if u.Kind != "whole" {
			paused++
		}
	}
	hasty, deaf, second := b.of("hasty").of(judging, ""), b.of("deaf").of(judging, ""), b.of("second").of(judging, "")
	if hasty.cut != paused || hasty.cutPauses != pauses {
		t.Errorf("a rule that waits for nothing cut %d of %d utterances and %d of %d pauses", hasty.cut, paused, hasty.cutPauses, pauses)
	}
	if deaf.cut != 0 || deaf.endless != deaf.utterances || deaf.waiting() != "never ends" {
		t.Errorf("a rule that never ends a turn: %+v, %s", deaf, deaf.waiting())
	}
	if second.cutPauses < long || second.median() != 1000 || second.endless != 0 {
		t.Errorf("a second of silence cut %d pauses, at least %d are longer; median wait %d ms", second.cutPauses, long, second.median())
	}
	b.rules[0].name, b.rules[1].name = "kalami", "fixed_1500"
	b.rules[2].name = "fixed_900"
	if b.missed() == nil {
		t.Error("a rule that cuts everybody off reaches the goal")
	}
	b.rules[0].name, b.rules[1].name = "fixed_1500", "kalami"
	if b.missed() == nil {
		t.Error("a rule that never ends a turn reaches the goal")
	}
}

// What a session is told, word by word, of one utterance.
func TestEvents(t *testing.T) {
	u := learners.Utterance{Language: "en", Level: learn.A1, Words: []learners.Word{
		{Text: "I", StartMS: 0, EndMS: 140}, {Text: "like,", StartMS: 140, EndMS: 500},
		{Text: "um", StartMS: 1500, EndMS: 1700}, {Text: "tea.", StartMS: 2500, EndMS: 2800}}}
	want := []event{
		{at: 60, kind: voiceOn},
		{at: 440, kind: partial, text: "I", end: 140},
		{at: 800, kind: voiceOff, edge: 500},
		{at: 800, kind: partial, text: "I like", end: 500},
		{at: 850, kind: final, text: "I like.", end: 500},
		{at: 1560, kind: voiceOn, edge: 1500},
		{at: 2000, kind: voiceOff, edge: 1700},
		{at: 2560, kind: voiceOn, edge: 2500},
		{at: 3100, kind: voiceOff, edge: 2800},
		{at: 3100, kind: partial, text: "tea", end: 2800, complete: true},
		{at: 3150, kind: final, text: "tea.", end: 2800, complete: true},
	}
	got := events(u, false)
	if !slices.Equal(got, want) {
		t.Errorf("told\n%+v, want\n%+v", got, want)
	}
	heard := 0
	for _, e := range events(u, true) {
		if e.kind == final {
			heard++
		}
	}
	if heard != 3 {
		t.Errorf("with fillers written, %d stretches of speech, want 3", heard)
	}
}

// The report has a line for each rule, of the judging part, and is the same each time.
func TestReport(t *testing.T) {
	var first, again strings.Builder
	set := everything(t)
	measure(set, false).report(&first)
	measure(set, false).report(&again)
	if first.String() != again.String() {
		t.Error("two runs differ")
	}
	for _, rule := range []string{"kalami", "kalami_adapted", "fixed_500", "fixed_900", "fixed_1500", "flux_model"} {
		if n := strings.Count(first.String(), "\ncutoff rule="+rule+" false_percent="); n != 1 {
			t.Errorf("%d lines of %s", n, rule)
		}
	}
	if strings.Contains(first.String(), "NaN") {
		t.Error(first.String())
	}
}
