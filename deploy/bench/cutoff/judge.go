package main

import (
	"slices"

	"kalami/deploy/bench/learners"
	"kalami/session/learn"
)

// horizon is the bench's own patience, in milliseconds: a turn that has not ended so long after the last word never does.
const horizon = 20_000

// outcome is how a rule did with an utterance.
type outcome struct {
	pauses, cutPauses int
	cuts              []int // when turns were ended too early
	wait              int   // from the end of the last word to the end of the turn
	ended             bool
}

// play lets a rule listen to an utterance.
func play(r rule, u learners.Utterance, written bool) (o outcome) {
	r.begin(u)
	told, now, end := events(u, written), 0, u.EndMS()
	for {
		next := end + horizon
		if len(told) > 0 {
			next = told[0].at
		}
		if due := r.deadline(now); due != never && due <= next && due <= end+horizon {
			if waited := due > now; waited && r.deadline(due) > due {
				now = due // it moves on with time: somebody speaks
				continue
			}
			now = due
			if !r.over(now) {
				continue
			}
			if now >= end {
				o.wait, o.ended = now-end, true
				break
			}
			o.cuts = append(o.cuts, now)
			continue
		}
		if len(told) == 0 {
			o.wait = horizon
			break
		}
		now = told[0].at
		r.tell(told[0])
		told = told[1:]
	}
	all := stretches(u.Words)
	for i, s := range all[1:] {
		o.pauses++
		if slices.ContainsFunc(o.cuts, func(at int) bool { return all[i].to < at && at <= s.to }) {
			o.cutPauses++
		}
	}
	return o
}

// tally is what came of several utterances.
type tally struct {
	utterances, cut, pauses, cutPauses, endless int
	waits                                       []int
}

func (t *tally) add(o outcome) {
	t.utterances++
	if len(o.cuts) > 0 {
		t.cut++
	}
	if !o.ended {
		t.endless++
	}
	t.pauses += o.pauses
	t.cutPauses += o.cutPauses
	t.waits = append(t.waits, o.wait)
}

// falsePercent is the share of utterances that were cut off at least once.
func (t *tally) falsePercent() float64 { return percent(t.cut, t.utterances) }

func (t *tally) pausePercent() float64 { return percent(t.cutPauses, t.pauses) }

func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

// median is that of the waiting times in milliseconds: of two in the middle, the longer.
func (t *tally) median() int {
	if len(t.waits) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t.waits))
	return sorted[len(sorted)/2]
}

// part is for tuning or for judging.
type part bool

const (
	tuning  part = false
	judging part = true
)

// cell is a part of the set, and in it perhaps a language, a level or a kind.
type cell struct {
	part part
	of   string // empty for all
}

// figures are those of one rule.
type figures struct {
	name  string
	cells map[cell]*tally
	cut   []cutOff
}

// cutOff is an utterance that was cut.
type cutOff struct {
	utterance learners.Utterance
	at        []int
}

func (f *figures) add(u learners.Utterance, o outcome) {
	for _, of := range []string{"", u.Language, string(u.Level), u.Kind} {
		c := cell{part(u.Judging), of}
		if f.cells[c] == nil {
			f.cells[c] = &tally{}
		}
		f.cells[c].add(o)
	}
	if len(o.cuts) > 0 && !u.Judging {
		f.cut = append(f.cut, cutOff{u, o.cuts})
	}
}

// of returns the tally of a cell, which is empty when nothing was measured for it.
func (f *figures) of(p part, of string) *tally {
	if t := f.cells[cell{p, of}]; t != nil {
		return t
	}
	return &tally{}
}

// board is what came of all rules.
type board struct {
	set   []learners.Utterance
	rules []*figures
}

// measure lets every rule listen to the set.
func measure(set []learners.Utterance, written bool) *board {
	b := &board{set: set}
	unknown := func(learners.Utterance) *learn.TurnHabits { return &learn.TurnHabits{} }
	b.listen("kalami", &kalami{habits: unknown}, set, written)
	known := map[string]*learn.TurnHabits{}
	seen := func(u learners.Utterance) *learn.TurnHabits {
		id := u.Language + string(u.Level)
		if known[id] == nil {
			known[id] = &learn.TurnHabits{}
		}
		return known[id]
	}
	tune, judge := split(set)
	for _, u := range tune {
		play(&kalami{habits: seen, learns: true}, u, written)
	}
	b.listen("kalami_adapted", &kalami{habits: seen}, judge, written)
	b.listen("fixed_500", &silence{wait: 500}, set, written)
	b.listen("fixed_900", &silence{wait: 900}, set, written)
	b.listen("fixed_1500", &silence{wait: 1500}, set, written)
	b.listen("flux_model", &flux{}, set, written)
	return b
}

// split divides the set into its parts.
func split(set []learners.Utterance) (tune, judge []learners.Utterance) {
	for _, u := range set {
		if u.Judging {
			judge = append(judge, u)
		} else {
			tune = append(tune, u)
		}
	}
	return tune, judge
}

// listen measures one rule.
func (b *board) listen(name string, r rule, set []learners.Utterance, written bool) {
	f := &figures{name: name, cells: map[cell]*tally{}}
	for _, u := range set {
		f.add(u, play(r, u, written))
	}
	b.rules = append(b.rules, f)
}

// of returns the figures of a rule.
func (b *board) of(name string) *figures {
	for _, f := range b.rules {
		if f.name == name {
			return f
		}
	}
	return &figures{name: name}
}
