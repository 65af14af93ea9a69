package main

import (
	"fmt"
	"io"
	"strings"

	"kalami/deploy/bench/learners"
)

// report prints the tables, and one line for each rule that programs can read.
func (b *board) report(w io.Writer) {
	b.overall(w)
	b.narrow(w, "language", learners.Languages())
	b.narrow(w, "level", []string{"A1", "A2", "B1", "B2", "C1"})
	b.narrow(w, "kind of utterance", []string{"whole", "phrase", "between", "filler", "repair"})
	fmt.Fprintln(w, "```")
	for _, f := range b.rules {
		t := f.of(judging, "")
		fmt.Fprintf(w, "cutoff rule=%s false_percent=%.1f wait_ms=%d pauses_percent=%.1f utterances=%d endless=%d\n",
			f.name, t.falsePercent(), t.median(), t.pausePercent(), t.utterances, t.endless)
	}
	fmt.Fprintln(w, "```")
}

// overall compares the rules on both parts of the set.
func (b *board) overall(w io.Writer) {
	fmt.Fprintln(w, "| Rule | Judging: utterances cut off | pauses cut | median wait | Tuning: utterances cut off | pauses cut | median wait |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|")
	for _, f := range b.rules {
		fmt.Fprintf(w, "| %s |%s |%s |\n", f.name, f.of(judging, "").row(), f.of(tuning, "").row())
	}
	fmt.Fprintln(w)
}

// row is a tally as three cells of a table.
func (t *tally) row() string {
	if t.utterances == 0 {
		return " – | – | –"
	}
	return fmt.Sprintf(" %d of %d (%.0f %%) | %d of %d (%.0f %%) | %s", t.cut, t.utterances, t.falsePercent(),
		t.cutPauses, t.pauses, t.pausePercent(), t.waiting())
}

// waiting is the median wait, or that turns never end.
func (t *tally) waiting() string {
	if t.endless > t.utterances/2 {
		return "never ends"
	}
	return fmt.Sprintf("%.2f s", float64(t.median())/1000)
}

// narrow compares the rules on the judging part by language, level or kind.
func (b *board) narrow(w io.Writer, what string, each []string) {
	fmt.Fprintf(w, "Judging part by %s: utterances cut off, and median wait.\n\n| Rule | %s |\n|---|%s\n",
		what, strings.Join(each, " | "), strings.Repeat("---|", len(each)))
	for _, f := range b.rules {
		fmt.Fprintf(w, "| %s |", f.name)
		for _, of := range each {
			t := f.of(judging, of)
			fmt.Fprintf(w, " %d of %d, %s |", t.cut, t.utterances, t.waiting())
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
}

// missed is the error that the goal is missed, or nil.
func (b *board) missed() error {
	ours, half, slow := b.of("kalami").of(judging, ""), b.of("fixed_900").of(judging, ""), b.of("fixed_1500").of(judging, "")
	if 2*ours.cut > half.cut {
		return fmt.Errorf("%d utterances cut off, more than half of the %d of fixed_900", ours.cut, half.cut)
	}
	if ours.median() > slow.median() || ours.endless > 0 {
		return fmt.Errorf("a median wait of %d ms, longer than the %d ms of fixed_1500, or for ever (%d turns)",
			ours.median(), slow.median(), ours.endless)
	}
	return nil
}

// list shows what kalami cuts off of the part that is looked at, and its waits.
func (b *board) list(w io.Writer) {
	f := b.of("kalami")
	for _, c := range f.cut {
		fmt.Fprintf(w, "%s %s %s: %q cut off at %v ms\n", c.utterance.ID, c.utterance.Level, c.utterance.Kind, c.utterance.Text(), c.at)
	}
	t := f.of(tuning, "")
	fmt.Fprintf(w, "%d of %d utterances, %d of %d pauses, median wait %d ms\n", t.cut, t.utterances, t.cutPauses, t.pauses, t.median())
}
