package session

import "time"

// What CONDUCTOR does while its client is away. On a [Line] a session outlives its
// sockets: the client of one that broke comes back, mostly within a second. Until then
// nothing happens that it would have to be there for. The reply stands still at DOWNLINK,
// and every clock with it: the turn's, the ladder's, those of limits and heartbeats. What
// the stages were at goes on into their queues, and what is said meanwhile is kept by the
// line. The silence of a lost connection is none of the learner's.

const (
	// warmDefault is how long a client may stay away where [Resume] does not say.
	warmDefault = 30 * time.Second
	// restAfter is how long the recogniser's stream is kept for a client that is away.
	restAfter = 10 * time.Second
	// resendWait is how long after a return no turn ends for silence: the client sends
	// what it has recorded meanwhile.
	resendWait = time.Second
	// linePoll is how soon DOWNLINK looks again at a client that lacks too much.
	linePoll = 20 * time.Millisecond
	// backlogMost is how much may wait for room on the control lane, and backlogDrop with
	// how much the socket is given up, so that the line takes it all.
	backlogMost = 512
	backlogDrop = 128
)

// away is what CONDUCTOR knows of its client's absence; owned by its run.
type away struct {
	line    Line      // nil for a client that has only one socket
	since   time.Time // zero while the client is there
	cause   *End
	back    time.Time // when it came back last
	rested  bool      // the recogniser was sent to rest
	backlog []outbound
}

// absent says whether there is no client.
func (a *away) absent() bool { return !a.since.IsZero() }

// detached stops everything that would run away from a client that is not there.
func (c *conductor) detached(cause *End, now time.Time) {
	a := &c.away
	if a.absent() || a.line == nil {
		return
	}
	a.since, a.cause, a.rested = now, cause, false
	c.dropDraft(dropSuperseded) // it would be stale
	if r := c.reply; r != nil && !r.interrupted() && !r.stand.paused() {
		r.stand.since, r.stand.decideBy = now, time.Time{}
	}
	c.send(outbound{pause: pauseOrder{kind: clientAway}})
	if c.watch.draining { // it comes back to another node
		c.finish(&End{Reason: EndRestart, Code: Draining}, nil)
	}
}

// attached goes on where the client is by its own word.
func (c *conductor) attached(p *PlaybackState, now time.Time) {
	a := &c.away
	gap := time.Duration(0)
	if a.absent() {
		gap = now.Sub(a.since)
	}
	a.since, a.cause, a.back = time.Time{}, nil, now
	if a.rested && !c.ladder.paused {
		c.lanes.order(hearWake)
	}
	a.rested = false
	c.standBy(gap)
	order := pauseOrder{kind: clientBack}
	if r := c.reply; r != nil {
		if p != nil && p.ResponseID == r.turn.responseID && !r.interrupted() {
			c.report(r, p.PlayedMS, p.BufferedMS, now)
		}
		if p != nil && p.ResponseID == r.turn.responseID && r.turn.fromStart() {
			order.turn, order.by = r.turn.id, time.Duration(r.playedMS*float64(time.Millisecond))
		}
		if r.stand.paused() && !r.stand.decideBy.IsZero() { // what the voice was is not worth knowing any more
			c.playOn(now)
			c.yield.alarmAt = time.Time{}
		}
		r.stand.end(now)
		r.wait.since = now
	}
	c.send(outbound{pause: order})
}

// standBy takes a gap out of every clock: as if no time had passed.
func (c *conductor) standBy(gap time.Duration) {
	if gap <= 0 {
		return
	}
	l := &c.learner
	c.clock.stood(gap)
	l.clock.Stood(gap)
	for _, at := range []*time.Time{&l.wordsAt, &l.longAt, &l.fullAt, &l.segmentAt, &l.side.at,
		&c.watch.lastSpeech, &c.ladder.from, &c.yield.offTo, &c.yield.alarmAt, &c.yield.mic.opensAt} {
		if !at.IsZero() {
			*at = at.Add(gap)
		}
	}
	c.watch.trip.id = "" // a ping that got lost measures nothing
	if r := c.reply; r != nil && r.interrupted() {
		r.until = later(r.until, c.away.back.Add(clearedWait)) // it is told once more
	}
}

// missing is asked once a second, and when the time of an absent client is over. It says
// whether the client is absent.
func (c *conductor) missing(now time.Time) bool {
	a := &c.away
	if !a.absent() {
		return false
	}
	switch {
	case !now.Before(c.awayUntil()):
		c.finish(&End{Reason: EndGone, Err: a.cause}, nil)
	case now.Sub(a.since) >= restAfter && !a.rested:
		a.rested = true
		if !c.ladder.paused {
			c.lanes.order(hearRest)
		}
	}
	return true
}

// awayUntil is when an absent client's time is over.
func (c *conductor) awayUntil() time.Time {
	warm := time.Duration(c.params.Resume.WarmMS) * time.Millisecond
	return c.away.since.Add(cmpOr(warm, warmDefault))
}

// lose gives the client's socket up, for e: on a line another may come, else the session
// is over.
func (c *conductor) lose(e *End, now time.Time) {
	if c.away.line == nil {
		c.finish(e, nil)
		return
	}
	c.away.line.Drop(e)
	c.detached(e, now)
}

// overflow takes what the control lane has no room for. Without a line that is a client
// that does not read; on a line the write under way may be a replay, so that it waits.
func (c *conductor) overflow(o outbound) {
	a := &c.away
	if a.line == nil || len(a.backlog) == backlogMost {
		if c.end == nil {
			c.end = &End{Reason: EndSlowConsumer, Code: SlowConsumer}
		}
		return
	}
	a.backlog = append(a.backlog, o)
	if len(a.backlog) == backlogDrop {
		c.lose(&End{Reason: EndSlowConsumer, Code: SlowConsumer}, time.Now())
	}
}

// waitingRoom is the control lane when something waits for room on it, and the first that
// does; a nil lane otherwise.
func (c *conductor) waitingRoom() (chan<- outbound, outbound) {
	if len(c.away.backlog) == 0 {
		return nil, outbound{}
	}
	return c.lanes.control, c.away.backlog[0]
}

// letIn forgets the first that waited, which is on the lane now.
func (c *conductor) letIn() {
	a := &c.away
	a.backlog[0] = outbound{}
	if a.backlog = a.backlog[1:]; len(a.backlog) == 0 {
		a.backlog = nil
	}
}
