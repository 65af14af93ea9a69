package session

import (
	"time"

	"kalami/session/learn"
	"kalami/session/turntaking"
)

// The kinds of [Nudge].
const (
	NudgeHint     = "hint"
	NudgeRephrase = "rephrase"
	NudgeOffer    = "offer"
	NudgePause    = "pause"
	NudgeHold     = "hold"
)

// The unstick ladder: what is done for a learner who is silent after the tutor has
// spoken, the more the longer it lasts. It is a policy of few rules:
//
//   - Time counts from the end of what was heard, or from the learner's last sign of
//     life: a voice, words, a control of the client. The end of a hold counts as one.
//     Words and controls begin the ladder anew; a voice alone may be a noise, and while
//     the tutor is heard, its echo, which counts for nothing.
//   - The tutor's own help, said aloud, is no such sign: what follows is counted from
//     its end, as if its speaking had taken no time.
//   - It stands still while somebody speaks or is about to: while a reply is prepared
//     or heard, while there is voice or words that have not become a turn, while the
//     turn is held, while nobody can hear the learner and while the node drains.
//   - When nothing was asked, nothing can be said again or offered: the hint and the
//     pause remain. The same while the microphone is muted: who is not there should
//     not be talked to.
//   - In a review by voice the hint is one at the card.
//   - With push-to-talk there is a hand to be moved before the mouth: twice the time,
//     but for the pause.
//   - There is no back-channel at 6 s, though a teacher would give one: it would have
//     to be spoken over the learner's thinking without being a turn, and every sound of
//     the tutor's is one here.
type ladder struct {
	from   time.Time // since when the learner is silent; zero before the first reply was heard
	rung   int       // the next
	asked  bool      // the tutor's last words were a question
	hints  int
	paused bool // the recogniser is told to rest
	asleep bool // and has not come back since
}

// rung is a step of the ladder.
type rung struct {
	kind     string // of the [Nudge]
	after    time.Duration
	question bool          // needs one, and a learner who can hear
	note     func() string // for the tutor, who then speaks; or nil
}

var rungs = [...]rung{
	{kind: NudgeHint, after: 10 * time.Second},
	{kind: NudgeRephrase, after: 16 * time.Second, question: true, note: learn.Rephrase},
	{kind: NudgeOffer, after: 30 * time.Second, question: true, note: learn.Offer},
	{kind: NudgePause, after: 90 * time.Second},
}

// nudgeAfter is how long the learner must have been silent for a rung.
func (c *conductor) nudgeAfter(r rung) time.Duration {
	if c.config.Audio.Input.TurnDetection == nil && r.kind != NudgePause {
		return 2 * r.after
	}
	return r.after
}

// nudgeDeadline is when the next rung is due; zero while the ladder stands still.
func (c *conductor) nudgeDeadline() time.Time {
	l, d := &c.learner, &c.ladder
	if !c.nudges || d.from.IsZero() || c.reply != nil || c.watch.draining || c.watch.deaf ||
		l.itemID != "" || l.clock.Speaking() || l.text() != "" || l.clock.Closing() {
		return time.Time{}
	}
	next := c.nextRung()
	if next == len(rungs) {
		return time.Time{}
	}
	return later(d.from, l.clock.HeldUntil()).Add(c.nudgeAfter(rungs[next]))
}

// nextRung is the number of the rung to be taken next, that of none when there is none.
func (c *conductor) nextRung() int {
	next := c.ladder.rung
	for next < len(rungs) && rungs[next].question && (!c.ladder.asked || c.watch.muted || c.recall.on) {
		next++
	}
	return next
}

// onNudgeDue takes the next rung.
func (c *conductor) onNudgeDue() {
	d := &c.ladder
	next := c.nextRung()
	r := rungs[next]
	d.rung = next + 1
	c.count(Nudges, 1)
	nudge := Nudge{Kind: r.kind}
	switch r.kind {
	case NudgeHint:
		nudge.Text = learn.Opener(c.config.Language, learn.Level(c.config.Level), d.hints)
		d.hints++
		if hint, asked := c.cardHint(); asked {
			nudge.Text = hint
		}
	case NudgePause:
		d.paused, d.asleep = true, true
		c.lanes.order(hearRest)
	}
	c.emit(nudge)
	if r.note != nil {
		c.beginReply(r.note())
		c.reply.nudge = true
	}
}

// stir takes words or a control as a sign of life: the ladder begins anew, and a lesson
// that was paused goes on.
func (c *conductor) stir(now time.Time) {
	c.stirByVoice(now)
	c.ladder.rung = 0
}

// stirByVoice takes a voice without words: the time begins anew, but no rung is taken
// twice, because in a noisy room they would be without end. The pause can be.
func (c *conductor) stirByVoice(now time.Time) {
	d := &c.ladder
	d.from = now
	if d.paused {
		d.paused, d.rung = false, len(rungs)-1
		c.link.dropped.Store(0) // while nobody was meant to hear
		c.lanes.order(hearWake)
	}
}

// awake: the recogniser listens again. What the full mic lane dropped since it was woken
// was from before the voice, unless it is more than the lane holds.
func (c *conductor) awake() {
	c.ladder.asleep = c.ladder.paused
	c.link.dropped.Store(max(0, c.link.dropped.Load()-micQueue))
}

// fallSilent begins the silence after a reply, or takes it up again when the reply was
// a rung and was heard to its end.
func (c *conductor) fallSilent(r *reply, now time.Time) {
	d := &c.ladder
	if r.nudge && r.reason == "" && d.rung > 0 {
		d.from = now.Add(-c.nudgeAfter(rungs[d.rung-1]))
		return
	}
	d.from, d.rung, d.asked = now, 0, turntaking.LooksFinished(c.question())
}

// deliberate says whether a control is a sign of life: what a client says by itself, of
// its player or of the connection, is none.
func deliberate(ctl Control) bool {
	switch ctl.(type) {
	case UpdateSession, SetTutor, CommitInput, ClearInput, CreateItem, CreateResponse, CancelResponse, HoldTurn, DeviceState, AskHint, Translate, Repeat, EditTranscript, AnswerReview:
		return true
	}
	return false
}
