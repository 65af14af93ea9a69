package session

import (
	"time"
)

// What a player reports cannot always be true: clients count wrongly, reports of one
// clock arrive in another order than they were made, and some lie. What was played never
// shrinks, and is never more than was sent; reports that say otherwise by more than
// these slacks are counted.
const (
	backSlack  = 50  // milliseconds: reports made at the same moment differ by so much
	aheadSlack = 100 // milliseconds: the news of a frame may be slower than its report
)

// report takes the player's word: how much was played, and how much waits to be.
func (c *conductor) report(r *reply, played, buffered float64, now time.Time) {
	said := played
	played = min(amount(played), float64(r.sentMS))
	switch {
	case said != said || said < 0 || said > float64(r.sentMS)+aheadSlack:
		c.count(ReportsClamped, 1)
	case said < r.playedMS:
		if said < r.playedMS-backSlack {
			c.count(ReportsClamped, 1)
		}
		return // it is older than what is known
	default:
		c.noteLag(r, played, now)
	}
	if played > r.playedMS || r.reports == 0 {
		r.playedMS, r.advancedAt = max(played, r.playedMS), now
	}
	r.reports++
	c.watch.reports = true
	r.bufferedMS, r.reportedAt, r.stopped = amount(buffered), now, false
	r.stood = r.stand.until(now)
}

// cleared is what was heard of an interrupted reply by the player's last word: no less
// than it had said before, and no more than was sent.
func (c *conductor) cleared(r *reply, played float64) float64 {
	switch {
	case played != played || played < r.playedMS-backSlack || played > float64(r.sentMS)+aheadSlack:
		c.count(ReportsClamped, 1)
		return max(r.playedMS, min(amount(played), float64(r.sentMS)))
	default:
		return min(amount(played), float64(r.sentMS))
	}
}

// amount is a client's number of milliseconds: nothing if it makes no sense.
func amount(ms float64) float64 {
	if ms > 0 {
		return ms
	}
	return 0 // NaN, too
}

// playedEstimate is how much of the reply was played by now, for want of a report:
// the client's last word continued, or the wall clock, less delays and pauses; never more than was sent.
func (c *conductor) playedEstimate(now time.Time) float64 {
	r := c.reply
	if r.began.IsZero() && r.reports == 0 {
		return r.playedMS // elsewhere
	}
	if r.interrupted() {
		now = r.ordered
	}
	stood := r.stand.until(now)
	played := r.playedMS + float64(now.Sub(r.began)-stood-c.watch.rtt/2-clientBuffer)/float64(time.Millisecond)
	if r.reports > 0 {
		since := float64(now.Sub(r.reportedAt)-max(0, stood-r.stood)) / float64(time.Millisecond)
		played = r.playedMS + max(0, min(since, r.bufferedMS))
	}
	return max(0, min(played, float64(r.sentMS)))
}

// replyDeadline is when the reply's end is decided without the client; zero for not yet.
func (c *conductor) replyDeadline(now time.Time) time.Time {
	r := c.reply
	switch {
	case r == nil:
		return time.Time{}
	case r.interrupted():
		return c.clearedBy(now)
	case !r.allSent || r.stand.paused():
		return time.Time{}
	case r.sentMS == 0:
		return r.timings.turnEnd // nothing to be heard
	}
	stood := r.stand.until(now)
	_, before, _ := r.turn.before()
	end := r.began.Add(time.Duration(r.sentMS-before)*time.Millisecond + stood + c.watch.rtt/2)
	if r.reports > 0 {
		rest := time.Duration((float64(r.sentMS)-r.playedMS)*float64(time.Millisecond)) + max(0, stood-r.stood)
		end = later(end, r.advancedAt.Add(rest))
	}
	if r.reports == 0 && (c.away.line == nil || !c.watch.reports) {
		return end.Add(silentClient)
	}
	return c.unlessSilent(end.Add(lateReport), now)
}

// clearedBy is when it is decided without the client what was heard of a reply that was
// stopped; zero for not yet. A client that reports, and of which nothing has come since it
// was told, may not have got the order, and plays on: on a [Line] it is waited for until it
// is heard again, and then for as long as any.
func (c *conductor) clearedBy(now time.Time) time.Time {
	r := c.reply
	if now.Before(r.until) || c.away.line == nil || !c.watch.reports {
		return r.until
	}
	switch heard := time.Unix(0, c.link.lastInput.Load()).After(r.ordered); {
	case !heard:
		r.unheard = true
		return time.Time{}
	case r.unheard:
		r.unheard, r.until = false, now.Add(clearedWait)
	}
	return r.until
}

// unlessSilent is due, the time at which a client that reports is believed to have played
// what it was sent, unless nothing comes from it: on a [Line], that client may have stood
// still, and says what it has played when it goes on, here or from another socket. It has
// lateReport for that. The zero time is for not yet. A client that is heard now and then,
// more rarely than it should acknowledge events, is waited for as long as a silent one.
func (c *conductor) unlessSilent(due, now time.Time) time.Time {
	if c.away.line == nil {
		return due
	}
	at := later(due, time.Unix(0, c.link.again.Load()).Add(lateReport))
	if at.Sub(time.Unix(0, c.link.lastInput.Load())) <= acksLate {
		return at
	}
	if last := due.Add(inputTimeout); !now.Before(last) {
		return last
	}
	return time.Time{}
}
