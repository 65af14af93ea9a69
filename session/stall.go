package session

import "time"

const (
	// stallFirst is how much voice without any event of the recogniser makes its stream
	// one that has stalled; stallMost bounds the waiting when replacing it did not help,
	// which doubles each time: it may be a noise in which there is nothing to hear.
	stallFirst = 6 * time.Second
	stallMost  = time.Minute
)

// stall notices a recogniser that has gone silent without closing its stream.
type stall struct {
	voiced time.Duration // since its last event, to the second
	bound  time.Duration // 0 for stallFirst
	told   bool          // the client knows
}

// checkStall is called once a second. The tutor's own voice does not count, since what
// comes back of it is rarely words.
func (c *conductor) checkStall() {
	s := &c.stall
	if !c.learner.clock.Speaking() || c.reply != nil || c.watch.deaf || c.ladder.asleep {
		return
	}
	s.voiced += watchInterval
	if s.voiced < cmpOr(s.bound, stallFirst) {
		return
	}
	s.voiced, s.bound = 0, min(2*cmpOr(s.bound, stallFirst), stallMost)
	c.count(RecogniserFaults, 1)
	c.mayBeDeaf()
	c.lanes.order(hearAnew)
}

// mayBeDeaf tells the client, once, that nobody may hear its learner.
func (c *conductor) mayBeDeaf() {
	if !c.stall.told {
		c.stall.told = true
		c.emit(Warning{Code: WarnUpstreamDegraded, Message: "The tutor may not hear you just now; it is being tried again."})
	}
}

// lively takes an event of the recogniser's as proof that it hears.
func (c *conductor) lively() {
	if c.stall.told {
		c.emit(Warning{Code: WarnUpstreamDegraded, Message: "Hearing works again."})
	}
	c.stall = stall{}
	c.heardSomething(time.Now())
}
