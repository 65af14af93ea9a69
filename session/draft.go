package session

import (
	"strings"
	"time"

	"kalami/providers"
	"kalami/session/drafts"
	"kalami/session/learn"
	"kalami/session/turntaking"
)

// CONDUCTOR's drafts: answers that are begun while the learner may still be thinking,
// and held. The package documentation tells when one begins and how it ends.

const (
	// settled is how long a partial transcript must stand, with the voice silent,
	// before it is worth an answer.
	settled = 300 * time.Millisecond
	// draftDoubt is how long the recogniser may understand something else before the
	// draft is dropped: it often comes back to what it had.
	draftDoubt = 300 * time.Millisecond
	// draftLife is how long a draft is held. It is much less than what any vendor's
	// stream may stand still, and none that begins in time needs as much.
	draftLife = 10 * time.Second
	// tokenLength is how many characters count as a token where the vendor did not come
	// to report its usage, because its reply was dropped.
	tokenLength = 4
)

// Why a draft is dropped.
const (
	dropWentOn     = "went_on"   // the learner said more
	dropResumed    = "resumed"   // the recogniser noticed that more is coming
	dropRewritten  = "rewritten" // the recogniser understood something else in the end
	dropHeld       = "held"      // the learner asked for time
	dropOutlived   = "outlived"  // it was held for as long as a draft may be
	dropFailed     = "failed"    // model or voice
	dropSuperseded = "superseded"
)

// draft is a reply begun before the learner's turn has ended.
type draft struct {
	*reply
	itemID  string    // the learner's item that it answers
	text    string    // as it was understood then
	doubted time.Time // since when something else is understood; zero when it is not
}

// endsBy is when the draft is dropped if nothing becomes of it.
func (d *draft) endsBy() time.Time {
	life := d.timings.asked.Add(draftLife)
	if d.doubted.IsZero() {
		return life
	}
	return earlier(life, d.doubted.Add(draftDoubt))
}

// waste is what dropping the draft throws away. Tokens are the vendor's count when the
// reply was complete, else an estimate from its length.
func (d *draft) waste() drafts.Waste {
	read := int(d.turn.held.read.Load())
	w := drafts.Waste{Calls: 1, Tokens: d.delta.Usage.OutputTokens, Characters: int(d.turn.held.spoken.Load())}
	if w.Tokens == 0 {
		w.Tokens = (read + tokenLength - 1) / tokenLength
	}
	return w
}

// drafting is what CONDUCTOR knows of drafts; owned by its run.
type drafting struct {
	budget *drafts.Budget // nil: none are made
	pace   pace
	sum    DraftSummary
	live   *draft // begun, and neither released nor dropped; or nil. No reply is, then.

	// of the learner's turn itemID:
	itemID string
	eager  string // what the recogniser's eager end was about; empty when it went on
	done   string // what a draft was withheld for, or failed; none is begun for it again
}

// of forgets what belongs to another turn of the learner.
func (d *drafting) of(itemID string) {
	if d.itemID != itemID {
		d.itemID, d.eager, d.done = itemID, "", ""
	}
}

// draftHears follows what the recogniser says of pauses, when what was heard has been taken.
func (c *conductor) draftHears(kind providers.HeardKind) {
	d := &c.drafts
	d.of(c.learner.itemID)
	switch kind {
	case providers.HeardEagerEnd:
		d.eager = c.learner.text()
	case providers.HeardResumed:
		d.eager = ""
		c.dropDraft(dropResumed)
	case providers.HeardEnd:
		if d.live != nil && !turntaking.SameMeaning(d.live.text, c.learner.text()) {
			c.dropDraft(dropRewritten)
		}
	}
}

// reviewDraft drops a draft that has lost its purpose, whatever event that was: the
// turn it answers is gone, the tutor speaks, or the learner has gone on. Words that
// are only rewritten put it in doubt.
func (c *conductor) reviewDraft(now time.Time) {
	d := c.drafts.live
	if d == nil {
		return
	}
	text := c.learner.text()
	switch {
	case c.learner.itemID != d.itemID || c.reply != nil || c.watch.draining || !c.mayDraft():
		c.dropDraft(dropSuperseded)
	case turntaking.SameMeaning(d.text, text):
		d.doubted = time.Time{}
	case goesOn(d.text, text):
		c.dropDraft(dropWentOn)
	case d.doubted.IsZero():
		d.doubted = now
	}
}

// goesOn says whether text is what was said before, and more.
func goesOn(before, text string) bool {
	was, is := learn.Units(learn.Words(before)), learn.Units(learn.Words(text))
	if len(is) <= len(was) {
		return false
	}
	return strings.Join(was, " ") == strings.Join(is[:len(was)], " ")
}

// mayDraft says whether drafts are made in this session as it is set now: they are, unless
// the client alone says when a turn ends, because then there is no pause to use.
func (c *conductor) mayDraft() bool {
	return c.drafts.budget != nil && c.config.Audio.Input.TurnDetection != nil
}

// draftDeadline is when something is due for a draft: the beginning of one, or its
// end. Zero for never.
func (c *conductor) draftDeadline(now time.Time) time.Time {
	begin := c.draftAt(now)
	d := c.drafts.live
	if d == nil {
		return begin
	}
	if begin.IsZero() {
		return d.endsBy()
	}
	return earlier(begin, d.endsBy())
}

// onDraftDue drops a draft whose time is over, and begins one whose time has come.
func (c *conductor) onDraftDue(now time.Time) {
	if d := c.drafts.live; d != nil && !now.Before(d.endsBy()) {
		if d.doubted.IsZero() {
			c.drafts.done = d.text
			c.dropDraft(dropOutlived)
		} else {
			c.dropDraft(dropRewritten)
		}
	}
	if at := c.draftAt(now); !at.IsZero() && !now.Before(at) {
		c.beginDraft(now)
	}
}

// draftAt is when a draft of what was said so far is to begin; zero for never. It is
// as late as lets the answer be ready when the turn ends, so that a pause that does
// not end it often costs nothing, but not before the words have settled.
func (c *conductor) draftAt(now time.Time) time.Time {
	d, text := &c.drafts, c.learner.text()
	if !c.mayDraft() || c.reply != nil || c.watch.draining || text == "" {
		return time.Time{}
	}
	tried := d.itemID == c.learner.itemID && d.done != "" && turntaking.SameMeaning(d.done, text)
	begun := d.live != nil && turntaking.SameMeaning(d.live.text, text)
	if tried || begun || c.asksForTime(c.learner.partial) {
		return time.Time{}
	}
	at, end := c.settledAt(text, now), c.turnDeadline(now)
	if at.IsZero() || end.IsZero() {
		return time.Time{}
	}
	if c.config.Audio.Input.TurnDetection.Type == TurnsEndpoint && !now.Before(c.learner.clock.HeldUntil()) {
		return at // the turn ends at the recogniser's word, which nobody foresees
	}
	return later(at, end.Add(-d.pace.expected()))
}

// settledAt is when the text is no longer in flux: at the recogniser's eager end, at
// its end when the voice is silent too, or when a partial has stood for a while in
// silence. Zero while it is not known, because the voice is heard.
func (c *conductor) settledAt(text string, now time.Time) time.Time {
	l, d := &c.learner, &c.drafts
	switch {
	case d.itemID == l.itemID && d.eager != "" && turntaking.SameMeaning(d.eager, text):
		return l.clock.ChangedAt()
	case l.clock.Speaking():
		return time.Time{}
	case !l.open:
		return l.clock.FinalAt()
	}
	return later(l.clock.ChangedAt(), l.clock.QuietSince(c.moment(now).Audio)).Add(settled)
}

// beginDraft begins an answer to what was said so far, unless the budget forbids it.
func (c *conductor) beginDraft(now time.Time) {
	c.dropDraft(dropRewritten)
	d, text := &c.drafts, c.learner.text()
	d.of(c.learner.itemID)
	if verdict := d.budget.Begin(now); verdict != drafts.Go {
		d.done = text
		d.sum.Withheld++
		c.count(DraftsWithheld, 1)
		c.log.Debug("draft withheld", "why", verdict)
		return
	}
	d.sum.Started++
	c.count(DraftsStarted, 1)
	said := learn.Message{Speaker: learn.SpeakerLearner, Content: text, Heard: text}
	history := append(c.history[:len(c.history):len(c.history)], said)
	r := c.newReply(c.prompt(history, ""), &held{released: make(chan struct{})})
	d.live = &draft{reply: r, itemID: c.learner.itemID, text: text}
	c.think(r.turn)
}

// draftFor returns the draft that answers text, or nil.
func (c *conductor) draftFor(text string) *draft {
	if d := c.drafts.live; d != nil && !c.watch.draining && turntaking.SameMeaning(d.text, text) {
		return d
	}
	return nil
}

// answer has the tutor answer the learner's turn that ended now: with the draft that is
// ready, if there is one.
// note is for a reply that is begun now.
func (c *conductor) answer(ready *draft, note string) {
	if c.drafts.budget != nil {
		c.drafts.budget.Turn()
	}
	switch {
	case ready == nil:
		c.dropDraft(dropRewritten)
		c.beginReply(note)
	case note != "": // which the draft was made without
		c.beginReply(note)
	default:
		c.release(ready, time.Now())
	}
}

// release makes the draft the answer: the client hears of it, and then what was held of it.
func (c *conductor) release(d *draft, now time.Time) {
	c.drafts.live = nil
	c.announce(d.reply)
	close(d.turn.held.released)
	c.send(outbound{release: d.turn.id})
	c.consumed(d.delta.Usage)
	d.timings.turnEnd = now
	ms := d.timings.latency().DraftMS
	c.drafts.budget.Released()
	c.rememberDrafts()
	c.drafts.sum.Released++
	c.drafts.sum.WonMS += int64(ms)
	c.count(DraftsReleased, 1)
	c.count(DraftMSWon, ms)
}

// dropDraft forgets the draft, if there is one. Nobody has heard of it.
func (c *conductor) dropDraft(reason string) {
	d := c.drafts.live
	if d == nil {
		return
	}
	c.drafts.live = nil
	d.turn.cancel(errInterrupted{reason})
	c.send(outbound{flush: d.turn.id})
	w := d.waste()
	switch reason {
	case dropFailed, dropSuperseded: // says nothing of how this learner ends a turn
		c.drafts.budget.Wasted(w)
	default:
		c.drafts.budget.Dropped(w)
		c.rememberDrafts()
	}
	c.drafts.sum.Dropped++
	c.drafts.sum.Tokens += w.Tokens
	c.drafts.sum.Characters += w.Characters
	c.count(DraftsDropped, 1)
	c.count(TokensWasted, w.Tokens)
	c.count(CharsWasted, w.Characters)
}

// rememberDrafts puts the record of drafts among the learner's habits.
func (c *conductor) rememberDrafts() {
	h := c.drafts.budget.Habit()
	c.habits.Drafts, c.habits.Released = h.Started, h.Released
}
