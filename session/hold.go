package session

import (
	"time"

	"kalami/session/turntaking"
)

// A learner may ask for time in words ("un momento") as well as with a button. The
// turn then stays open for spokenHold and nothing is answered. The request is set
// aside: the learner sees it in the transcript, but it is no turn and no part of the one
// that follows. When the learner goes on, patience is enough again: somebody without a
// button could not say that the time is over. A hold of the client's lasts as long as it
// was asked for, and a commit ends either at once.
const spokenHold = holdDefault

// asksForTime says whether a stretch of speech is nothing but a request for time. Within
// a turn a single word is rather the next of the sentence ("my mother … waits").
func (c *conductor) asksForTime(text string) bool {
	if units(text) == 1 && c.learner.text() != "" {
		return false
	}
	return turntaking.HoldPhrase(c.config.Language, text) || turntaking.HoldPhrase(c.config.NativeLanguage, text)
}

// holdByWord keeps the turn open at the learner's word.
func (c *conductor) holdByWord() {
	if c.learner.clock.Reason() == turntaking.ByClient {
		return // it is over
	}
	c.dropDraft(dropHeld)
	c.learner.clock.HoldByWord(time.Now().Add(spokenHold))
	c.emit(Nudge{Kind: NudgeHold})
}

// holdInstead looks at words that are not final when the turn is about to end: some
// recognisers never say so. It says whether the turn stays open because of them.
func (c *conductor) holdInstead() bool {
	l := &c.learner
	partial, pending := l.partial, l.pending
	l.partial, l.pending = "", nil
	if partial == "" || !c.asksForTime(partial) {
		l.partial, l.pending = partial, pending
		return false
	}
	l.keep(understood{skip: l.skip, text: partial, words: pending, forTime: true})
	l.skip += units(partial)
	l.clock.Words(turntaking.Words{Text: l.text(), Open: l.open}, time.Now())
	c.holdByWord()
	return l.clock.Reason() != turntaking.ByClient
}
