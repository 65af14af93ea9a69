package main

import (
	"slices"
	"strings"

	"kalami/deploy/bench/learners"
	"kalami/session/learn"
)

// Delays in milliseconds, of what a session is told after what it is about.
const (
	voiceOnDelay  = 60
	voiceOffDelay = 300
	partialDelay  = 300
	finalDelay    = 350
)

// event is one thing that a session is told about a learner.
type event struct {
	at   int // when it is told
	kind eventKind

	edge int // voiceOn, voiceOff: where

	text     string // partial, final: of this stretch of speech
	end      int    // where its last word ends
	complete bool   // by the set's own punctuation, a sentence ends with it
}

type eventKind int

const (
	partial eventKind = iota
	final
	voiceOff
	voiceOn
)

// sounds of hesitation are no words, whatever language is spoken.
var sounds = learn.WordSet("eh em ehm euh heu äh ähm öhm uh uhm um er erm")

// stretch is speech without a pause.
type stretch struct {
	words    []learners.Word
	from, to int
}

// stretches divides an utterance at its pauses.
func stretches(words []learners.Word) (all []stretch) {
	for _, w := range words {
		if n := len(all); n > 0 && all[n-1].to == w.StartMS {
			all[n-1].words, all[n-1].to = append(all[n-1].words, w), w.EndMS
			continue
		}
		all = append(all, stretch{[]learners.Word{w}, w.StartMS, w.EndMS})
	}
	return all
}

// events are what a session is told about an utterance, in the order of the telling.
// written: sounds of hesitation are words.
func events(u learners.Utterance, written bool) (all []event) {
	for _, s := range stretches(u.Words) {
		all = append(all, event{at: s.from + voiceOnDelay, kind: voiceOn, edge: s.from},
			event{at: s.to + voiceOffDelay, kind: voiceOff, edge: s.to})
		var said []string
		var last event
		for _, w := range s.words {
			if !written && sounds[strings.ToLower(strings.Trim(w.Text, ".,;:!?… "))] {
				continue
			}
			said = append(said, w.Text)
			heard := strings.Join(said, " ")
			bare := strings.TrimRight(heard, ".,;:… ")
			last = event{at: w.EndMS + partialDelay, kind: partial, text: bare, end: w.EndMS, complete: strings.ContainsAny(heard[len(bare):], ".…") || asks(heard)}
			all = append(all, last)
		}
		if len(said) == 0 {
			continue
		}
		if !asks(last.text) {
			last.text += "."
		}
		last.at, last.kind = s.to+finalDelay, final
		all = append(all, last)
	}
	slices.SortStableFunc(all, func(a, b event) int { return a.at - b.at })
	return all
}

// asks says whether a text ends as a question or an exclamation.
func asks(text string) bool { return strings.HasSuffix(text, "?") || strings.HasSuffix(text, "!") }
