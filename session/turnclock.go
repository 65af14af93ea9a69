package session

import (
	"time"

	"kalami/session/learn"
	"kalami/session/turntaking"
)

// moment is what the turn clock must know, beside what the learner did, to say when the
// learner's turn ends.
func (c *conductor) moment(now time.Time) turntaking.Moment {
	m := turntaking.Moment{Now: now, Audio: c.clock.audio(), Tutor: c.reply != nil, Question: c.question(),
		Rules: turntaking.Rules{Language: c.config.Language, Manual: true}}
	if td := c.config.Audio.Input.TurnDetection; td != nil {
		m.Rules.Manual, m.Rules.Endpoint = false, td.Type == TurnsEndpoint
		m.Rules.Patience = time.Duration(td.PatienceMS) * time.Millisecond
		if td.adapts {
			m.Rules.Patience = turntaking.Adapted(learn.Level(c.config.Level), c.habits)
		}
	}
	return m
}

// question is what the tutor said last, as far as it was heard.
func (c *conductor) question() string {
	for i := len(c.history) - 1; i >= 0; i-- {
		if c.history[i].Speaker == learn.SpeakerTutor {
			return c.history[i].Heard
		}
	}
	return ""
}

// turnDeadline is when the learner's turn is over if nothing more is heard; zero for never.
func (c *conductor) turnDeadline(now time.Time) time.Time {
	at, _ := c.learner.clock.Deadline(c.moment(now))
	if soonest := c.away.back.Add(resendWait); !at.IsZero() && at.Before(soonest) {
		return soonest
	}
	return at
}

// onTurnDue does what the turn clock says when its deadline has come.
func (c *conductor) onTurnDue(now time.Time) {
	if l := &c.learner; l.clock.Closing() && l.partial != "" { // the recogniser was asked for its end
		c.count(RecogniserFaults, 1)
	}
	c.obey(c.learner.clock.Due(c.moment(now)))
}

// closeTurn ends the learner's turn, waiting a little for words on their way.
func (c *conductor) closeTurn(reason turntaking.Reason) {
	c.obey(c.learner.clock.Close(reason, c.moment(time.Now())))
}

// obey does what the turn clock says.
func (c *conductor) obey(v turntaking.Verdict) {
	switch v {
	case turntaking.Open:
	case turntaking.LastWord:
		select {
		case c.lanes.finalize <- struct{}{}:
		default: // already asked
		}
	case turntaking.Over:
		c.endTurn()
	case turntaking.Empty:
		c.giveUp()
	}
}

// observeTurn remembers what the learner's turn, which is over, has shown of their pauses.
func (c *conductor) observeTurn() {
	if c.config.Audio.Input.TurnDetection != nil {
		c.habits = turntaking.Learn(c.habits, learn.Level(c.config.Level), c.learner.clock.Observed())
	}
}

// observeCutOff remembers that the learner went on where silence had ended their turn.
// It is asked when words stop the tutor: its echo, and a "mhm", are no such words.
func (c *conductor) observeCutOff() {
	if o, cut := c.learner.clock.CutOff(c.moment(time.Now())); cut {
		c.habits = turntaking.Learn(c.habits, learn.Level(c.config.Level), o)
	}
}
