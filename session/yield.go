package session

import (
	"time"
)

// How the tutor makes way for a voice. Whether a voice is the learner who interrupts, a
// cough, a "mhm" or the tutor's own echo is known only when there are words, and they
// come hundreds of milliseconds after the voice. Going on meanwhile is rude to a learner
// who means it, and stopping loses what was being said when nobody does. So the tutor
// pauses: DOWNLINK and the client stand still where they are, and either words turn the
// pause into an interruption, or it plays on from the very sample. Words that come
// later than the decision interrupt all the same.
const (
	// decideWithin is how long after a voice's onset it is decided what it was: 400 ms,
	// less what an order takes to be written. A round trip is taken off as well, so
	// that the learner has the decision by then, but leaves decideLeast.
	decideWithin = 380 * time.Millisecond
	decideLeast  = 240 * time.Millisecond
	// pauseLeast is the shortest pause that is worth it: frames may come late.
	pauseLeast = 60 * time.Millisecond
	// alarmsMost false alarms within alarmsIn make voices no reason to pause for
	// alarmsOff: there is an echo, or the room is noisy. Words still interrupt.
	alarmsMost = 3
	alarmsIn   = 20 * time.Second
	alarmsOff  = 30 * time.Second
	// falseAfter is how long after a pause words may show that it was no false alarm.
	falseAfter = 2 * time.Second
)

// yielding is what CONDUCTOR knows of voices beside the tutor's; owned by its run.
type yielding struct {
	alarms  []time.Time // the latest false alarms, alarmsMost at the most
	offTo   time.Time   // a voice alone does not pause the tutor before
	alarmAt time.Time   // the end of a pause of which it is not known whether it was a false alarm
	playsOn bool        // the client does not pause when it is asked to
	echo    echoing
	mic     halfDuplex
}

// standing is a reply's pauses.
type standing struct {
	since    time.Time // zero while it plays
	total    time.Duration
	decideBy time.Time
	times    int
}

// paused says whether the reply stands still.
func (s *standing) paused() bool { return !s.since.IsZero() }

// until is how long the reply has stood still by now, all pauses together.
func (s *standing) until(now time.Time) time.Duration {
	if s.paused() {
		return s.total + now.Sub(s.since)
	}
	return s.total
}

// end ends the pause, if there is one.
func (s *standing) end(now time.Time) {
	if s.paused() {
		s.total += now.Sub(s.since)
		s.since = time.Time{}
	}
}

// mayInterrupt says whether speech stops the tutor in this session.
func (c *conductor) mayInterrupt() bool {
	td := c.config.Audio.Input.TurnDetection
	return c.config.Duplex != "half" && td != nil && td.InterruptResponse
}

// pauseFor makes way for a voice that began at onset, a place in the session's audio, and lasts.
func (c *conductor) pauseFor(onset int64, now time.Time) {
	r := c.reply
	if r == nil || r.stand.paused() || !c.mayPause(now) {
		return
	}
	by := c.clock.audio().When(onset).Add(max(decideLeast, decideWithin-c.watch.rtt))
	if by.Sub(now) < pauseLeast {
		return
	}
	c.settleAlarm(now, true)
	if now.Before(c.yield.offTo) {
		return
	}
	r.stand.since, r.stand.decideBy = now, by
	r.stand.times++
	c.send(outbound{pause: pauseOrder{kind: standStill, turn: r.turn.id},
		event: PauseAudio{ResponseID: r.turn.responseID, Stream: r.turn.stream()}})
}

// mayPause says whether a voice alone is a reason to pause the reply.
func (c *conductor) mayPause(now time.Time) bool {
	r := c.reply
	switch {
	case !r.sounding() || !c.mayInterrupt() || c.comingIn(now) || c.opening(now):
		return false
	case c.watch.draining: // it has a sentence's time left
		return false
	case c.yield.playsOn || r.reports == 0 && r.stand.times > 0:
		return false // whoever never says what was played may play on: it would run dry
	}
	return !r.allSent || c.playedEstimate(now) < float64(r.sentMS)
}

// yieldDeadline is when it must be decided what a voice was, or the microphone of a
// half-duplex client opens again; zero for neither.
func (c *conductor) yieldDeadline() time.Time {
	if r := c.reply; r != nil && r.stand.paused() {
		return r.stand.decideBy
	}
	return c.yield.mic.opensAt
}

// onYieldDue decides for want of words: it was nothing.
func (c *conductor) onYieldDue(now time.Time) {
	if c.reply != nil && c.reply.stand.paused() {
		c.playOn(now)
	}
}

// playOn ends a pause: the tutor goes on from where it stands.
func (c *conductor) playOn(now time.Time) {
	r := c.reply
	if r == nil || !r.stand.paused() {
		return
	}
	r.stand.end(now)
	c.yield.alarmAt = now
	c.send(outbound{pause: pauseOrder{kind: playOn, turn: r.turn.id},
		event: ResumeAudio{ResponseID: r.turn.responseID, Stream: r.turn.stream()}})
}

// settleAlarm counts the last pause as a false alarm when no words have come after it
// for long enough, or when surely none will.
func (c *conductor) settleAlarm(now time.Time, surely bool) {
	y := &c.yield
	if y.alarmAt.IsZero() || !surely && now.Sub(y.alarmAt) < falseAfter {
		return
	}
	y.alarmAt = time.Time{}
	c.count(FalseAlarms, 1)
	if y.alarms = append(y.alarms, now); len(y.alarms) < alarmsMost {
		return
	}
	if now.Sub(y.alarms[0]) < alarmsIn {
		y.offTo, y.alarms = now.Add(alarmsOff), nil
		return
	}
	y.alarms = y.alarms[1:]
}

// noteLag takes how far the player is behind the clock by its own word, to find out
// whether it obeys: one that plays on is not behind by the pause. Its reports may be
// late, but never early, so that the least lag of several is nearly the true one. A
// client that plays on is not asked again, and DOWNLINK makes up for the time.
func (c *conductor) noteLag(r *reply, played float64, now time.Time) {
	if r.began.IsZero() || r.turn.from != nil || r.stand.paused() || played <= 0 || played >= float64(r.sentMS) {
		return
	}
	lag := now.Sub(r.began) - time.Duration(played*float64(time.Millisecond))
	switch {
	case r.stand.times == 0:
		if r.lag == 0 || lag < r.lag {
			r.lag = lag
		}
	case r.lag > 0 && r.stand.total > 0 && lag < r.lag+r.stand.total/3 && !c.yield.playsOn:
		c.yield.playsOn = true
		c.send(outbound{pause: pauseOrder{kind: catchUp, turn: r.turn.id, by: r.stand.total}})
		r.stand.total = 0
	}
}
