package session

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// conductor decides. It is one loop over one select, does no I/O and never waits
// for another stage, so that turn-taking reads as "in this state, on this event,
// do that": learner.go has the learner's side, reply.go the tutor's, control.go
// what the client asks for, and watch.go the clocks.
type conductor struct {
	// static after newConductor
	lanes    *lanes
	settings *settings
	clock    *clock
	link     *link
	limits   Limits
	grace    time.Duration
	log      *slog.Logger
	meter    Meter      // or nil
	analyses *Analyses  // or nil
	words    WordLevels // or nil
	help     *Help      // or nil
	params   Params
	nudges   bool // the ladder is on
	reviews  bool // it is a review by voice, see recall.go
	// turnLimit is how long a learner may talk in one turn
	turnLimit time.Duration
	started   time.Time
	newID     func(prefix string) string

	// owned by run
	ctx     context.Context
	config  Config
	learner learnerTurn
	voices  []stretch // where in the microphone's audio there was voice lately
	reply   *reply    // nil when the tutor is neither preparing, speaking nor being interrupted
	drafts  drafting
	turns   uint64 // turns begun, the last one's number
	history []learn.Message
	totals  learn.Totals
	habits  learn.TurnHabits // the learner's, as observed up to now; kept when the session is over
	usage   Usage
	prevID  string // the item before the next one
	timer   *time.Timer
	watch   watch
	ladder  ladder
	stall   stall
	unheard deafness
	yield   yielding
	handing handing
	away    away
	moving  moving
	acks    acknowledging
	advice  advising
	helping helping
	recall  recalling
	// repeating is what is to be said again
	repeating repeating
	end       *End     // set when the session is to end
	trouble   *Problem // what went wrong then, for the client; or nil
}

// link is what UPLINK and LISTEN measure and CONDUCTOR looks at.
type link struct {
	lastInput atomic.Int64  // Unix nanoseconds
	again     atomic.Int64  // when it came after a silence of lateReport, Unix nanoseconds
	dropped   atomic.Int64  // mic frames dropped, oldest first
	acked     atomic.Uint64 // stream<<32 | seq, plus one
	started   atomic.Bool   // the first mic frame has come
	closed    atomic.Bool   // what the microphone delivers is not listened to
	places    places        // of the microphone's frames
}

// settings are the options of the vendors' streams, which LISTEN and SPEAK read and
// CONDUCTOR changes.
type settings struct {
	listen atomic.Pointer[providers.ListenOptions]
	speak  atomic.Pointer[providers.SpeakOptions]
	rate   atomic.Int32 // of the microphone
}

// run conducts until the session is to end. stop is the wish of whoever runs the
// session that it end, with an *End as its cause. It returns the *End.
func (c *conductor) run(ctx, stop context.Context) error {
	defer close(c.lanes.records)
	defer close(c.lanes.recall)
	defer c.stopHelping()
	c.ctx = ctx
	c.timer = time.NewTimer(time.Hour)
	defer c.timer.Stop()
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	c.open()
	stopped := stop.Done()
	for c.end == nil {
		now := time.Now()
		c.gate(now)
		c.reviewDraft(now)
		c.considerMove(now)
		c.considerRepeat()
		c.handOver()
		c.rearm(now)
		room, first := c.waitingRoom()
		select {
		case room <- first:
			c.letIn()
		case <-ctx.Done():
			c.leave()
			return context.Cause(ctx)
		case <-stopped:
			stopped = nil
			c.stop(context.Cause(stop))
		case m := <-c.params.Moves:
			c.moveAway(m)
		case s := <-c.lanes.signals:
			c.catchUp()
			c.onSignal(s)
		case m := <-c.lanes.heard:
			c.onHeard(m)
		case p := <-c.lanes.progress:
			c.onProgress(p)
		case s := <-c.lanes.stored:
			c.onStored(s)
		case d := <-c.lanes.analysed:
			c.onAnalysed(d)
		case p := <-c.lanes.plan:
			c.onPlan(p)
		case q := <-c.lanes.helped:
			c.onHelped(q)
		case e := <-c.params.Edits:
			c.onEdited(e)
		case k := <-c.params.Cards:
			c.emit(CardAdded{Card: AddedCardOf(k)})
		case r := <-c.lanes.recalled:
			c.onRecalled(r)
		case now := <-c.timer.C:
			c.onTimer(now)
		case now := <-tick.C:
			c.onTick(now)
		}
	}
	c.leave()
	return c.end
}

// open greets the client and has the tutor begin, or goes on where a session was left.
func (c *conductor) open() {
	if c.params.Returning {
		if c.reviews {
			c.openRecall(c.params.Handover.Review)
		}
		c.takeUp()
		return
	}
	c.emit(Created{
		Session:   c.config,
		Protocol:  Protocol{Version: "1.0", Features: []string{"marks", "pause", "playback_reports", "truncation"}},
		Resume:    c.params.Resume,
		Limits:    c.limits,
		Heartbeat: Heartbeat{IntervalMS: int(pingInterval.Milliseconds()), TimeoutMS: int(clientTimeout.Milliseconds())},
	})
	if c.reviews {
		c.openRecall("")
		return
	}
	c.beginReply(learn.Opening(c.params.Conversation.Scene, len(c.history) > 0))
}

// leave settles what is live when the session ends: a reply under way is stored as
// far as it was heard, and words the learner had said are stored as said. A session that
// was superseded says nothing of either: its new owner goes on with them, and decides. Nor
// does one that is taken up by another node after this one: see restarts.
func (c *conductor) leave() {
	c.send(outbound{flush: c.turns}) // no audio after what is said here
	c.dropDraft(dropSuperseded)
	superseded, restarts := c.endsAs(EndSuperseded), c.restarts()
	passedOn := restarts && c.params.Survives
	if passedOn {
		c.handOver()
	}
	if superseded || passedOn {
		c.disown()
	}
	if r := c.reply; r != nil {
		r.turn.cancel(errInterrupted{"session_ended"})
		if c.aside(r.line.text) {
			c.learner = c.learner.fresh()
		}
		played := c.playedEstimate(time.Now())
		if restarts && r.heard(int(played)) == "" { // it is still owed
			c.reply = nil
		} else {
			c.settle(played, "estimate", "session_ended")
		}
	}
	if c.learner.text() != "" && !restarts {
		c.keepLearner("")
		c.totals.Turns++
		c.owe("")
	}
	if c.trouble != nil {
		c.emit(Failure{Error: *c.trouble})
	}
	if c.end != nil && c.end.Reason.closes() && !superseded {
		c.adviseLast()
	}
	if c.end != nil && c.end.Reason.final() {
		c.reportLesson()
		c.emit(Ended{Reason: string(c.end.Reason), Summary: c.summary()})
	}
	if !superseded && !passedOn {
		c.handOver()
	}
}

// endsAs says whether the session ends for that reason.
func (c *conductor) endsAs(r EndReason) bool { return c.end != nil && c.end.Reason == r }

// restarts says whether the client comes back at once, to another node or to this one when
// it is new. What it is saying is then not over: it sends that again from where nothing is
// stored, and it is heard as one utterance.
func (c *conductor) restarts() bool { return c.away.line != nil && c.endsAs(EndRestart) }

// disown forgets what is under way, since it is somebody else's now.
func (c *conductor) disown() {
	if c.reply != nil {
		c.reply.turn.cancel(errInterrupted{"session_ended"})
		c.reply = nil
	}
	c.learner = c.learner.fresh()
}

// summary sums the session up.
func (c *conductor) summary() Summary {
	return Summary{DurationMS: time.Since(c.started).Milliseconds(), Turns: c.totals.Turns, Usage: c.usage, Drafts: c.drafts.sum}
}

// finish ends the session for a reason; p, which may be nil, is told to the client
// when everything else has been said.
func (c *conductor) finish(e *End, p *Problem) {
	if c.end != nil {
		return
	}
	if p != nil {
		p.Fatal = true
	}
	c.end, c.trouble = e, p
}

// emit puts an event on the control lane. A client that does not read fills it: that
// ends the session, or its socket, rather than making anybody wait.
func (c *conductor) emit(ev Event) { c.send(outbound{event: ev}) }

func (c *conductor) send(o outbound) {
	if len(c.away.backlog) > 0 {
		c.overflow(o)
		return
	}
	select {
	case c.lanes.control <- o:
	default:
		c.overflow(o)
	}
}

// keep hands a message to JOURNAL. A full lane means that nothing could be stored
// for 64 messages: going on would lose words silently. prev is the item before.
func (c *conductor) keep(m learn.Message, item Item, prev string) {
	m.ID, m.TenantID, m.ConversationID = c.newID(""), c.params.Conversation.TenantID, c.params.Conversation.ID
	m.UtteranceID, m.CreatedAt, m.Language = item.ID, time.Now().UTC(), c.config.Language
	c.history = remember(c.history, m)
	c.record(m, ItemDone{Item: item, PreviousItemID: prev})
}

// record hands a message to JOURNAL; done is told when it is durable.
func (c *conductor) record(m learn.Message, done ItemDone) {
	c.handing.await(m)
	c.write(record{message: m, done: done})
}

// write hands something to JOURNAL.
func (c *conductor) write(r record) {
	select {
	case c.lanes.records <- r:
	default:
		c.finish(&End{Reason: EndInternal, Code: InternalError},
			&Problem{Type: ServerError, Code: InternalError, Message: "What was said cannot be stored at the moment."})
	}
}

// onStored acknowledges what is durable.
func (c *conductor) onStored(s stored) {
	switch {
	case s.fenced != nil:
		c.count(FencedWrites, 1)
		c.finish(&End{Reason: EndSuperseded, Code: Superseded, Err: s.fenced},
			&Problem{Type: InvalidRequest, Code: Superseded, Message: "This conversation was opened somewhere else."})
	case s.delayed:
		c.emit(Warning{Code: WarnStorageDelayed, Message: "Saving takes longer than usual; nothing is lost."})
	case s.edited:
		c.onEditStored(s)
	default:
		c.handing.durable(s.done.Item.ID)
		c.acks.durable(s.done.Item.ID)
		c.emit(s.done)
		c.offerAnalysis(s.done.Item.ID)
		c.advise()
	}
}

// onSignal obeys the client's controls and follows its voice.
func (c *conductor) onSignal(s signal) {
	if s.control != nil {
		c.onControl(s.control, s.eventID)
		s.obeyed <- struct{}{} // UPLINK waits for one at a time
		return
	}
	c.onVoice(s.voice)
}

// rearm sets the one timer to the next thing that is due.
func (c *conductor) rearm(now time.Time) {
	if c.away.absent() {
		next := c.awayUntil()
		if at := c.moving.deadline(); !at.IsZero() && !c.moving.told.IsZero() {
			next = earlier(next, at)
		}
		c.timer.Reset(max(0, next.Sub(now)))
		return
	}
	next := now.Add(time.Hour)
	for _, at := range []time.Time{c.moving.deadline(), c.turnDeadline(now), c.replyDeadline(now), c.deadAirDeadline(now), c.draftDeadline(now), c.yieldDeadline(), c.limitDeadline(), c.nudgeDeadline(), c.doubtDeadline(), c.watch.drainAt} {
		if !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	c.timer.Reset(max(0, next.Sub(now)))
}

// onTimer does what is due.
func (c *conductor) onTimer(now time.Time) {
	if c.missing(now) {
		return
	}
	if at := c.replyDeadline(now); !at.IsZero() && !now.Before(at) {
		c.onReplyDue(now)
	}
	if at := c.deadAirDeadline(now); !at.IsZero() && !now.Before(at) {
		c.onDeadAirDue(now)
	}
	if at := c.yieldDeadline(); !at.IsZero() && !now.Before(at) {
		c.onYieldDue(now)
	}
	if at := c.turnDeadline(now); !at.IsZero() && !now.Before(at) {
		c.onTurnDue(now)
	}
	c.onDraftDue(now)
	if at := c.limitDeadline(); !at.IsZero() && !now.Before(at) {
		c.onLimitDue()
	}
	if at := c.nudgeDeadline(); !at.IsZero() && !now.Before(at) {
		c.onNudgeDue()
	}
	if at := c.doubtDeadline(); !at.IsZero() && !now.Before(at) {
		c.onDoubtDue(now)
	}
	if at := c.watch.drainAt; !at.IsZero() && !now.Before(at) {
		c.onDrainDue(now)
	}
}
