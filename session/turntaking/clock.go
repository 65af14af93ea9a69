package turntaking

import (
	"strings"
	"time"
)

const (
	// finalWait is how long a turn that is over waits for the recogniser's last word.
	finalWait = 700 * time.Millisecond
	// noiseHold is how much longer than patience a voice without words may keep a turn open.
	noiseHold = 3 * time.Second
	// outstanding is how much later than the last word a voice must have ended for
	// words to be still on their way.
	outstanding = 400 * time.Millisecond
	// lagging is how long after its end a word must come for the recogniser to be
	// behind, and catchUpWait how long one that is behind may take for its next words.
	lagging     = time.Second
	catchUpWait = 2 * time.Second
	// notUnderstoodWait is how long after a voice without words they may still come.
	notUnderstoodWait = 2 * time.Second
	// voiceRelease is how long after a voice its end is told.
	voiceRelease = 300 * time.Millisecond
)

// Audio ties the learner's audio to the time of day: what had come up to AtMS, in
// milliseconds of session audio time, had come by Heard. The zero value is for before
// the first frame.
type Audio struct {
	AtMS  int64
	Heard time.Time
}

// When is when the audio at atMS came, had it come in real time; the zero time before
// the first frame.
func (a Audio) When(atMS int64) time.Time {
	if a.Heard.IsZero() {
		return time.Time{}
	}
	return a.Heard.Add(-time.Duration(a.AtMS-atMS) * time.Millisecond)
}

// Rules are what the learner and their school have set.
type Rules struct {
	// Language is the BCP-47 tag of what is spoken.
	Language string
	// Patience is how long the learner may be silent after a sentence that neither
	// plainly goes on nor plainly ends; see [LevelPatience] and [Adapted].
	Patience time.Duration
	// Manual is for push-to-talk: silence ends no turn.
	Manual bool
	// Endpoint has the recogniser's own end of a turn end it; patience counts only for
	// a recogniser that tells none.
	Endpoint bool
}

// Moment is the time at which a clock is asked, and what else it must know then.
type Moment struct {
	Now   time.Time
	Audio Audio
	Rules Rules
	// Tutor: the tutor prepares an answer, speaks or is being interrupted. Whoever
	// speaks over it without stopping it waits for its end.
	Tutor bool
	// Question is what the tutor said last, as far as it was heard.
	Question string
}

// Words is what the recogniser makes of the whole turn so far.
type Words struct {
	Text string
	// EndMS is where the last word ends, in session audio time; 0 when it is not known.
	EndMS int64
	// Open: the recogniser may still change the end of it. Final: it has just become
	// sure of some of it.
	Open, Final bool
}

// Clock is the turn clock of one turn of the learner's. The zero value is a turn in
// which nothing was heard; [Clock.Next] makes the one after it. It is a plain value
// without locks: whoever conducts owns it.
//
// The recogniser's ends are pauses, not turns: a hesitant sentence has several. A turn
// is over when the learner has been silent for as long as patience says, by words and
// by voice, whichever ended later. Words come 150 to 500 ms after they were said; the
// voice is known at once, but may be a noise, so that alone it holds a turn for a
// limited time only.
type Clock struct {
	began      time.Time // zero while nothing is heard
	text       string
	wordMS     int64     // where the last word ends; 0 when unknown
	changed    time.Time // when words came last
	open       bool
	finalAt    time.Time
	voiceOn    bool
	voiceEndMS int64

	held       time.Time // patience does not end before
	heldByWord bool      // because the learner said so
	heldBefore time.Time // what held would be without that

	closing time.Time // the turn is over; the last word is awaited until then
	reason  Reason    // why it closes

	judged  judged // what was made of the text last
	pauses  pauses
	earlier ended // the turn before, while the learner may still regret its end
}

// Reason is why a turn was closed, as input_audio_buffer.committed tells it.
type Reason string

// The reasons.
const (
	ByPatience Reason = "semantic" // the learner was silent
	ByEndpoint Reason = "vad"      // the recogniser said so, where its word is enough
	ByClient   Reason = "client"   // push-to-talk, "done", or something typed
	ByLimit    Reason = "timeout"  // it was too long, or the session ended
)

// Next is the clock of the turn after this one, which ended at now.
func (k *Clock) Next(now time.Time) Clock {
	next := Clock{voiceOn: k.voiceOn, voiceEndMS: k.voiceEndMS}
	if k.reason == ByPatience && !k.closing.IsZero() {
		next.earlier = ended{at: now, quietMS: max(k.wordMS, k.voiceEndMS), stretch: k.judged.stretch}
	}
	return next
}

// Begin says that somebody speaks. Only the first time in a turn counts.
func (k *Clock) Begin(now time.Time) {
	if k.began.IsZero() {
		k.began = now
	}
}

// Stood says that for a while there was nobody to be heard, and that this time does not
// count.
func (k *Clock) Stood(gap time.Duration) {
	for _, at := range []*time.Time{&k.began, &k.changed, &k.finalAt, &k.held, &k.heldBefore, &k.closing, &k.earlier.at} {
		if !at.IsZero() {
			*at = at.Add(gap)
		}
	}
}

// Voice takes an edge of the learner's voice at atMS.
func (k *Clock) Voice(on bool, atMS int64) {
	if on {
		k.goesOn(atMS)
	} else {
		k.voiceEndMS = atMS
	}
	k.voiceOn = on
}

// Words takes what was understood by now. A text that is only a beginning of the one
// before was shortened by the recogniser: no new words. New words of a learner who is
// speaking open a turn again that silence was about to end.
func (k *Clock) Words(w Words, now time.Time) {
	more := w.Text != k.text && !strings.HasPrefix(k.text, w.Text)
	k.text, k.open = w.Text, w.Open
	k.wordMS = max(k.wordMS, w.EndMS)
	if w.Final {
		k.finalAt = now
	}
	if !more {
		return
	}
	k.Begin(now)
	k.changed = now
	k.pauses.confirm()
	if k.heldByWord {
		k.heldByWord, k.held = false, k.heldBefore
	}
	k.pauses.held = now.Before(k.held)
	if k.voiceOn && k.reason == ByPatience {
		k.closing = time.Time{}
	}
}

// Hold keeps the turn open until then at least, also one that silence was about to end.
func (k *Clock) Hold(until time.Time) {
	k.held, k.heldByWord = until, false
	k.pauses.held = true
	if k.reason != ByClient {
		k.closing = time.Time{}
	}
}

// HoldByWord is Hold for a learner who has asked for time in words, and who therefore
// cannot say that the time is over but by going on: new words end it. A hold of the
// client's stays what it was.
func (k *Clock) HoldByWord(until time.Time) {
	before := k.held
	if k.heldByWord {
		before = k.heldBefore
	}
	k.Hold(later(k.held, until))
	k.heldByWord, k.heldBefore = true, before
}

// HeldUntil is until when the turn is held; the zero time when it never was.
func (k *Clock) HeldUntil() time.Time { return k.held }

// Began is when something was heard first; the zero time while nothing is.
func (k *Clock) Began() time.Time { return k.began }

// Speaking says whether there is a voice.
func (k *Clock) Speaking() bool { return k.voiceOn }

// FinalAt is when the recogniser was sure of something last; zero when it never was.
func (k *Clock) FinalAt() time.Time { return k.finalAt }

// ChangedAt is when words came last; the zero time while there are none.
func (k *Clock) ChangedAt() time.Time { return k.changed }

// Closing says whether the turn is over but for the recogniser's last word.
func (k *Clock) Closing() bool { return !k.closing.IsZero() }

// Reason is why the turn was closed; empty while it is not.
func (k *Clock) Reason() Reason { return k.reason }

// Verdict is what is to be done with a turn.
type Verdict int

// The verdicts.
const (
	// Open: the turn goes on.
	Open Verdict = iota
	// LastWord: it is over, but for a word that is on its way; the recogniser is to be
	// asked for it. The next deadline ends the wait.
	LastWord
	// Over: the learner is done, and it is the tutor's turn.
	Over
	// Empty: there was a voice, but no words, and none will come.
	Empty
)

// Due is asked when the deadline has come.
func (k *Clock) Due(m Moment) Verdict {
	switch {
	case k.Closing():
		return Over
	case k.text == "":
		return Empty
	}
	if !k.endpointAt(m).IsZero() {
		return k.Close(ByEndpoint, m)
	}
	return k.Close(ByPatience, m)
}

// Ended is asked when the recogniser is sure of a segment's text, after [Clock.Words]
// was told of it.
func (k *Clock) Ended(m Moment) Verdict {
	if k.Closing() && k.caughtUpBy(m).IsZero() {
		return Over // this was the last word that was awaited
	}
	return Open
}

// Close ends the turn, waiting a little for words on their way: at once when all is
// final, else the verdict is [LastWord]. A turn that is closing stays as it is.
func (k *Clock) Close(reason Reason, m Moment) Verdict {
	if k.Closing() {
		return Open
	}
	k.reason = reason
	missing := k.voiceOn || k.text == "" || k.voiceUnheard(m.Audio)
	if !k.open && !missing {
		k.closing = m.Now
		return Over
	}
	k.closing = m.Now.Add(finalWait)
	return LastWord
}

// WordEnd is when the last word ended; when the recogniser gives no times, when it came.
func (k *Clock) WordEnd(a Audio) time.Time {
	at := a.When(k.wordMS)
	if k.wordMS == 0 || at.IsZero() || at.After(k.changed) { // typed, or a recogniser that counts ahead
		return k.changed
	}
	return at
}

// QuietSince is when the learner fell silent, by words and by voice.
func (k *Clock) QuietSince(a Audio) time.Time {
	return later(k.WordEnd(a), a.When(k.voiceEndMS))
}

// endpointAt is when the recogniser ended the learner's turn, where its word is enough
// ([Rules.Endpoint]); zero while it has not ended it, while a voice goes on, and when
// there was voice since that it has not told of: then patience decides.
func (k *Clock) endpointAt(m Moment) time.Time {
	if !m.Rules.Endpoint || k.open || k.voiceOn || k.voiceUnheard(m.Audio) {
		return time.Time{}
	}
	return k.finalAt
}

// voiceUnheard says whether there was voice after the last final whose words are still
// on their way.
func (k *Clock) voiceUnheard(a Audio) bool {
	return k.voiceEndMS-k.wordMS > outstanding.Milliseconds() && a.When(k.voiceEndMS).After(k.finalAt)
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
