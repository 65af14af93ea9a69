package session

import (
	"time"

	"kalami/providers"
	"kalami/session/fillers"
)

// What is said to nobody. UPLINK knows of a voice without any recogniser, so that a learner
// who is not heard is told so aloud, by a clip of package fillers in the language that is
// learned: when a voice ends while nobody listens, when it goes on for long, or when
// recognisers have said nothing to two voices in a row. It is a response without a text,
// which is not stored, and it is repeated in growing intervals alone: there are noises, too.
//
// A recogniser that has said nothing at all to a voice may be deaf, or there may be nothing
// to hear. One that outlives its vendors is asked for the next vendor once the voice is
// over: that is told the same audio, and if it finds words in it they are answered in time.
// For each replacement in vain the next needs twice as much voice.
const (
	// doubtFirst is how much voice without any event makes a recogniser doubtful, and
	// doubtAfter how long after its end: words come within 500 ms when all is well.
	doubtFirst = notUnderstoodVoice
	doubtAfter = 700 * time.Millisecond
	// unheardMost is how many such voices in a row are borne before the learner is told.
	unheardMost = 2
	// talksOn is how long a learner speaks to nobody before the tutor comes in. What is
	// said up to then is kept, and will be understood if somebody listens again.
	talksOn = 10 * time.Second
	// unheardAgain is the pause before the same is said again; it doubles up to unheardRare.
	unheardAgain = 30 * time.Second
	unheardRare  = 4 * time.Minute
	// lateLoss is how long after a voice its recogniser's absence may be noticed for that
	// to be its answer.
	lateLoss = 3 * time.Second
)

// deafness is what CONDUCTOR knows of voices that nobody hears; owned by its run.
type deafness struct {
	lively  time.Time     // the recogniser's last event
	need    time.Duration // of voice, for a doubt; 0 for doubtFirst
	doubted time.Time     // when the recogniser was replaced for the voice under way, or the last one
	voices  int           // in a row, that no recogniser said anything to
	endedAt time.Time     // the last voice without words was given up
	absent  time.Time     // since when it is known that nobody listens
	told    time.Time     // the clip was played
	pause   time.Duration // before it is played again
}

// silentTo says whether no recogniser has said anything since the learner's turn began, in
// which there was this much voice at least.
func (c *conductor) silentTo(voice time.Duration) bool {
	l := &c.learner
	return l.itemID != "" && l.voiced >= voice && c.unheard.lively.Before(l.clock.Began())
}

// doubtDeadline is when the recogniser is to be replaced because it says nothing; zero for never.
func (c *conductor) doubtDeadline() time.Time {
	l, u := &c.learner, &c.unheard
	if c.reply != nil || c.watch.deaf || c.ladder.asleep || l.clock.Speaking() || l.text() != "" ||
		!c.silentTo(cmpOr(u.need, doubtFirst)) || u.doubted.After(l.clock.Began()) {
		return time.Time{}
	}
	return l.clock.QuietSince(c.clock.audio()).Add(doubtAfter)
}

// onDoubtDue has another recogniser told what this one has not answered to.
func (c *conductor) onDoubtDue(now time.Time) {
	u := &c.unheard
	u.doubted, u.need = now, min(2*cmpOr(u.need, doubtFirst), stallMost)
	c.lanes.order(hearDoubt)
}

// heardSomething takes an event of the recogniser's as proof that somebody listens. One
// that follows a doubt shows that it was justified.
func (c *conductor) heardSomething(now time.Time) {
	u := &c.unheard
	if now.Sub(u.doubted) < lateLoss {
		u.need = 0
	}
	u.lively, u.voices, u.endedAt, u.told, u.pause = now, 0, time.Time{}, time.Time{}, 0
}

// gaveUp is told of a voice that was given up without words.
func (c *conductor) gaveUp(silent bool, now time.Time) {
	u := &c.unheard
	u.endedAt = now
	if silent {
		u.voices++
	}
	if c.watch.deaf || silent && u.voices >= unheardMost {
		c.sayUnheard(now)
	}
}

// nobodyListens is told that no recogniser can be had.
func (c *conductor) nobodyListens(now time.Time) {
	u := &c.unheard
	u.absent = now
	if now.Sub(u.endedAt) < lateLoss && !c.learner.clock.Speaking() {
		c.sayUnheard(now)
	}
}

// checkTalksOn is called once a second.
func (c *conductor) checkTalksOn(now time.Time) {
	if c.watch.deaf && c.learner.clock.Speaking() && now.Sub(later(c.unheard.absent, c.learner.clock.Began())) >= talksOn {
		c.sayUnheard(now)
	}
}

// sayUnheard tells the learner aloud, unless that was done lately.
func (c *conductor) sayUnheard(now time.Time) {
	u := &c.unheard
	if c.reply != nil || c.watch.draining || c.away.absent() || !u.told.IsZero() && now.Before(u.told.Add(u.pause)) {
		return
	}
	u.told, u.pause = now, min(max(2*u.pause, unheardAgain), unheardRare)
	c.dropDraft(dropSuperseded)
	r := c.newReply(providers.Prompt{}, nil)
	r.notice, r.failed, r.wait.over, r.made.complete = true, true, true, true
	c.announce(r)
	c.send(outbound{clip: &clipOrder{turn: r.turn, kind: fillers.Deaf, last: true}})
	if !c.watch.deaf {
		c.mayBeDeaf()
	}
}
