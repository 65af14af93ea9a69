package turntaking

import (
	"time"

	"kalami/session/learn"
)

// How patience follows a learner. It rises quickly, because a cut-off hurts, and comes
// down slowly, because a long answer without a pause says little about the next one.
const (
	// margin is how much more patience than the observed pause is wanted.
	margin = 1.1
	// quick is the part of what is missing that one pause adds, and slow the part of
	// the way down to the least patience that a turn without pauses goes.
	quick, slow = 0.6, 0.02
	// near is the part of the present patience from which on a pause speaks for it.
	near = 0.75
	// shareLeast and shareMost bound what is learned, in parts of the level's patience.
	shareLeast, shareMost = 0.75, 2.0
	// regret is how soon after the end of a turn somebody who was cut off goes on. Later
	// than that it is an answer to what the tutor has begun to say.
	regret = time.Second
)

// Observation is what a turn showed of its learner's pauses.
type Observation struct {
	// Pause is the longest silence within the turn.
	Pause time.Duration
	// Needed is the patience, before it is stretched for unfinished sentences and
	// shortened for finished ones, that would just have outlasted every silence.
	Needed time.Duration
	// Calm: the turn ended by silence, so that a longer pause would have been seen.
	Calm bool
	// CutOff: the turn had ended when the learner went on.
	CutOff bool
}

// Adapted is the patience for a learner of a level who has not chosen one: what was
// learned from their pauses, or else the level's. It is between [MinPatience] and
// [MaxPatience], and never more than twice, nor less than three quarters of the level's.
func Adapted(level learn.Level, h learn.TurnHabits) time.Duration {
	usual := LevelPatience(level)
	if h.PatienceMS <= 0 {
		return usual
	}
	least, most := bounds(level)
	return min(max(time.Duration(h.PatienceMS)*time.Millisecond, least), most)
}

// bounds are those of what is learned for a level.
func bounds(level learn.Level) (least, most time.Duration) {
	usual := float64(LevelPatience(level))
	return max(MinPatience, time.Duration(shareLeast*usual)), min(MaxPatience, time.Duration(shareMost*usual))
}

// Learn returns the habits of a learner of a level after one more turn, or, for a
// cut-off, after it turned out that the last one was none.
func Learn(h learn.TurnHabits, level learn.Level, o Observation) learn.TurnHabits {
	h = h.Within()
	least, most := bounds(level)
	patience := Adapted(level, h)
	wanted := min(time.Duration(margin*float64(o.Needed)), most)
	switch {
	case wanted > patience:
		patience += time.Duration(quick * float64(wanted-patience))
	case wanted > time.Duration(near*float64(patience)):
	case o.Calm:
		patience -= time.Duration(slow * float64(patience-least))
	}
	h.PatienceMS = int(patience.Round(time.Millisecond).Milliseconds())
	switch {
	case o.CutOff:
		h.CutOffs++
	case o.Pause >= MinPatience:
		h.Pauses++
		h.Turns++
	default:
		h.Turns++
	}
	return h.Within()
}

// pauses are the silences of a turn: one is a pause when words follow it, and the turn's
// end, or a noise, when none do. One for which the learner asked for time is none: they
// do not need the patience then, and one such would be remembered for weeks.
type pauses struct {
	silent, longest Observation
	held            bool // time was asked for, in the silence under way or for it
}

// confirm takes the silence before the voice that has turned out to be words.
func (p *pauses) confirm() {
	p.longest.Pause = max(p.longest.Pause, p.silent.Pause)
	p.longest.Needed = max(p.longest.Needed, p.silent.Needed)
	p.silent = Observation{}
}

// ended is a turn that silence has ended.
type ended struct {
	at      time.Time
	quietMS int64   // where the silence began
	stretch float64 // of patience, for what had been said
	onsetMS int64   // where the voice began again
}

// goesOn takes the beginning of a voice.
func (k *Clock) goesOn(atMS int64) {
	switch {
	case k.voiceOn, k.pauses.held:
	case k.text != "":
		stretch := 1.0
		if k.judged.text == k.text && k.judged.stretch > 0 {
			stretch = k.judged.stretch
		}
		o := silence(atMS-max(k.wordMS, k.voiceEndMS), stretch)
		k.pauses.silent.Pause = max(k.pauses.silent.Pause, o.Pause)
		k.pauses.silent.Needed = max(k.pauses.silent.Needed, o.Needed)
	case !k.earlier.at.IsZero() && k.earlier.onsetMS == 0:
		k.earlier.onsetMS = atMS
	}
}

// silence is the observation of a silence of so many milliseconds.
func silence(ms int64, stretch float64) Observation {
	pause := time.Duration(max(ms, 0)) * time.Millisecond
	return Observation{Pause: pause, Needed: time.Duration(float64(pause) / stretch)}
}

// Observed is what this turn has shown up to now.
func (k *Clock) Observed() Observation {
	o := k.pauses.longest
	o.Calm = k.reason == ByPatience
	return o
}

// CutOff says whether the words that have come now are those of a learner who was cut
// off: silence ended the turn before, and the voice went on within a second. It says so
// once. Whether they are words meant for the tutor is the caller's to judge.
func (k *Clock) CutOff(m Moment) (Observation, bool) {
	e := k.earlier
	k.earlier = ended{}
	if e.at.IsZero() || e.onsetMS <= e.quietMS || m.Audio.When(e.onsetMS).Sub(e.at) > regret {
		return Observation{}, false
	}
	if e.stretch <= 0 {
		e.stretch = 1
	}
	o := silence(e.onsetMS-e.quietMS, e.stretch)
	o.CutOff = true
	return o, true
}
