package main

import (
	"time"

	"kalami/deploy/bench/learners"
	"kalami/session/learn"
	"kalami/session/turntaking"
)

// never is a deadline that does not come.
const never = -1

// rule decides when a turn is over. Times are milliseconds of the utterance.
type rule interface {
	// begin starts an utterance.
	begin(u learners.Utterance)
	// tell says what has happened, when it is told.
	tell(e event)
	// deadline is when the turn is over if nothing more happens, or never.
	deadline(now int) int
	// over is called at the deadline: it says whether the turn is over, and if so
	// makes ready for the next.
	over(now int) bool
}

// silence is the rule that looks at silence alone.
type silence struct {
	wait int

	speaking bool
	words    bool
	quiet    int // since when
}

func (r *silence) begin(learners.Utterance) { *r = silence{wait: r.wait} }

func (r *silence) tell(e event) {
	switch e.kind {
	case voiceOn:
		r.speaking = true
	case voiceOff:
		r.speaking, r.quiet = false, max(r.quiet, e.edge)
	case partial, final:
		r.words, r.quiet = true, max(r.quiet, e.end)
	}
}

func (r *silence) deadline(now int) int {
	if r.speaking || !r.words {
		return never
	}
	return max(now, r.quiet+r.wait)
}

func (r *silence) over(int) bool {
	r.words = false
	return true
}

// Figures of the model of Flux: see the package documentation.
const (
	fluxThreshold  = 0.7
	fluxMost       = 0.95
	fluxComplete   = 260
	fluxIncomplete = 2500
	fluxTimeout    = 5000
)

// flux is our model of a recogniser that judges ends itself.
type flux struct {
	silence
	complete bool
}

func (r *flux) begin(learners.Utterance) { *r = flux{} }

func (r *flux) tell(e event) {
	if e.kind == partial || e.kind == final {
		r.complete = e.complete
	}
	r.silence.tell(e)
}

// confidence is how sure it is after so much silence that the turn is over.
func (r *flux) confidence(quiet int) float64 {
	after := fluxIncomplete
	if r.complete {
		after = fluxComplete
	}
	return min(fluxMost, fluxThreshold*float64(quiet)/float64(after))
}

// deadline looks for the first of the milliseconds at which it is sure enough. The end
// of the voice is its own to hear: it does not wait for the server's detector.
func (r *flux) deadline(now int) int {
	if r.speaking && r.quiet < now-voiceOffDelay || !r.words {
		return never
	}
	for quiet := range fluxTimeout {
		if r.confidence(quiet) >= fluxThreshold {
			return max(now, r.quiet+quiet)
		}
	}
	return max(now, r.quiet+fluxTimeout)
}

// kalami is the turn clock of package turntaking, as a session drives it.
type kalami struct {
	habits func(learners.Utterance) *learn.TurnHabits
	// learns: what turns show of the learner's pauses is added to the habits
	learns bool

	utterance learners.Utterance
	clock     turntaking.Clock
	finals    string // of this turn
	open      string // what may still change
}

func (r *kalami) begin(u learners.Utterance) {
	*r = kalami{habits: r.habits, learns: r.learns, utterance: u}
}

// at is the time of day of a millisecond of an utterance.
func at(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }

func (r *kalami) moment(now int) turntaking.Moment {
	level := r.utterance.Level
	return turntaking.Moment{
		Now: at(now), Audio: turntaking.Audio{AtMS: int64(now), Heard: at(now)}, Question: r.utterance.Asked,
		Rules: turntaking.Rules{Language: r.utterance.Language, Patience: turntaking.Adapted(level, *r.habits(r.utterance))},
	}
}

func (r *kalami) tell(e event) {
	switch e.kind {
	case voiceOn, voiceOff:
		r.clock.Voice(e.kind == voiceOn, int64(e.edge))
		if e.kind == voiceOn {
			r.clock.Begin(at(e.at))
		}
		return
	case partial:
		r.open = e.text
	case final:
		r.finals, r.open = join(r.finals, e.text), ""
	}
	r.clock.Words(turntaking.Words{Text: join(r.finals, r.open), EndMS: int64(e.end), Open: e.kind == partial, Final: e.kind == final}, at(e.at))
	if o, cut := r.clock.CutOff(r.moment(e.at)); cut {
		r.learn(o)
	}
}

func (r *kalami) learn(o turntaking.Observation) {
	if h := r.habits(r.utterance); r.learns {
		*h = turntaking.Learn(*h, r.utterance.Level, o)
	}
}

func (r *kalami) deadline(now int) int {
	due, _ := r.clock.Deadline(r.moment(now))
	if due.IsZero() {
		return never
	}
	return max(now, int(due.Sub(at(0))/time.Millisecond))
}

func (r *kalami) over(now int) bool {
	if r.clock.Due(r.moment(now)) != turntaking.Over {
		return false
	}
	r.learn(r.clock.Observed())
	r.clock, r.finals, r.open = r.clock.Next(at(now)), "", ""
	return true
}

// join puts two pieces of text together.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}
