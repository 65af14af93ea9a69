package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"kalami/deploy/bench/trial"
	"kalami/session"
)

// errMissed says that something was not as it should be.
var errMissed = errors.New("something was not as it should be; the tables name it")

// report prints both tables, and what was wrong.
func report(w io.Writer, held []*trial.Trial, echoes []trial.Echo) error {
	var b strings.Builder
	missed := writeTrials(&b, held)
	if len(echoes) > 0 {
		missed = writeEchoes(&b, echoes) || missed
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	if missed {
		return errMissed
	}
	return nil
}

// writeTrials prints a line for each trial, and says whether something was missed.
func writeTrials(b *strings.Builder, held []*trial.Trial) (missed bool) {
	b.WriteString("| fixture | level | spoken | heard | WER | turns | patience ms | turn ended ms | first audio ms | engines' own ms | prepared ms | as it should be |\n" +
		"|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|---|\n")
	for _, t := range held {
		var ended, first, engines, prepared []string
		late := 0
		for turn := range t.Result.Turns {
			if a := t.Result.Answer(turn + 1); a != nil {
				ended = append(ended, fmt.Sprint(a.Latency.EndpointMS))
				first = append(first, fmt.Sprint(a.Latency.FirstAudioMS))
				engines = append(engines, fmt.Sprint(enginesOwn(a.Latency)))
				prepared = append(prepared, fmt.Sprint(a.Latency.DraftMS))
				late = max(late, lateness(a.Latency))
			}
		}
		verdict := "yes"
		if t.Held > 1 {
			verdict = fmt.Sprintf("yes, when held %d times", t.Held)
		}
		if problems := t.Judge(); len(problems) > 0 {
			verdict, missed = "**no**: "+strings.Join(problems, "; "), true
		}
		if late > promptMS {
			verdict += fmt.Sprintf("; an answer came %d ms after it could", late)
		}
		if len(t.Result.Warnings) > 0 {
			verdict += "; warned: " + strings.Join(slices.Compact(t.Result.Warnings), ", ")
		}
		cells(b, t.Name, t.Level, list(t.Spoken), list(t.Result.Turns), wer(t),
			fmt.Sprintf("%d of %d", len(t.Result.Turns), len(t.Spoken)), fmt.Sprint(t.Result.PatienceMS),
			list(ended), list(first), list(engines), list(prepared), verdict)
	}
	return missed
}

// promptMS is how long after a turn's end an answer may begin that was ready by then, in milliseconds.
const promptMS = 20

// enginesOwn is how long the engines took to make an answer's first audio, in milliseconds.
func enginesOwn(l session.Latency) int { return l.LLMFirstMS + l.ClauseMS + l.TTSFirstMS }

// lateness is how long after the turn's end an answer began beyond what the engines
// still needed then, in milliseconds: what is left of their time after what was done
// while the tutor waited.
func lateness(l session.Latency) int {
	return l.FirstAudioMS - l.EndpointMS - max(0, enginesOwn(l)-l.DraftMS)
}

// wer is a trial's word error rate as a percentage; there is none when nobody speaks.
func wer(t *trial.Trial) string {
	if len(t.Spoken) == 0 {
		return "–"
	}
	return percent(t.WordError().Rate())
}

// writeEchoes prints a line for each answer that was recognised again.
func writeEchoes(b *strings.Builder, echoes []trial.Echo) (missed bool) {
	b.WriteString("\n| the tutor's caption | recognised again from the tutor's audio | WER | WER of the engine alone | as it should be |\n" +
		"|---|---|--:|--:|---|\n")
	for i := range echoes {
		e := &echoes[i]
		verdict, alone := "yes", "–"
		switch {
		case e.Lost():
			verdict, alone, missed = "**no**", percent(e.Alone.Rate()), true
		case !e.Right():
			verdict, alone = "the engine misunderstands its own voice", percent(e.Alone.Rate())
		}
		cells(b, e.Caption, cmp.Or(e.Heard, "–"), percent(e.Tutor.Rate()), alone, verdict)
	}
	return missed
}

func percent(rate float64) string { return fmt.Sprintf("%.0f %%", 100*rate) }

// list joins what belongs to several turns; a dash stands for nothing.
func list(all []string) string { return cmp.Or(strings.Join(all, " / "), "–") }

// cells prints a line of a table.
func cells(b *strings.Builder, all ...string) {
	for _, c := range all {
		b.WriteString("| " + strings.NewReplacer("|", `\|`, "\n", " ").Replace(c) + " ")
	}
	b.WriteString("|\n")
}
