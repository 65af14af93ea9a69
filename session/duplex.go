package session

import (
	"time"

	"kalami/session/turntaking"
)

const (
	// echoTail is how long a room and a loudspeaker go on sounding after the tutor.
	echoTail = 300 * time.Millisecond
	// echoWords is how many words of the tutor's must come back in one segment to be
	// evidence: a learner may repeat a word or two.
	echoWords = 3
	// After echoSuspect echoes a device is taken for one that has no echo
	// cancellation, and after echoHalf its microphone is closed while the tutor
	// speaks. One that says that it cancels echoes gets trustFactor times the credit.
	echoSuspect = 2
	echoHalf    = 4
	trustFactor = 2
)

// echoing is what is known about the tutor's voice coming back from the loudspeaker.
type echoing struct {
	device    DeviceState
	told      bool // the client has told of its device
	heard     int  // echoes
	suspected bool // words count only when there are some that the tutor does not say
	warned    bool
	closed    bool // the session went to half duplex by itself
	tail      tail
}

// suspectEcho takes an echo as evidence about the device.
func (c *conductor) suspectEcho(o turntaking.Overheard) {
	e := &c.yield.echo
	if o.Words < echoWords || e.told && headphones(e.device.Route) {
		return
	}
	e.heard++
	c.count(EchoesSuspected, 1)
	credit := 1
	if e.told && e.device.AEC {
		credit = trustFactor
	}
	if e.heard >= echoSuspect*credit {
		e.suspected = true
		if !e.warned {
			e.warned = true
			c.emit(Warning{Code: WarnEchoSuspected, Message: "The microphone hears the tutor; headphones help."})
		}
	}
	if e.heard >= echoHalf*credit {
		c.toHalf()
	}
}

// headphones says whether nobody but the learner hears the tutor on a route: who says
// the tutor's words there speaks along with it, as learners do.
func headphones(route string) bool {
	return route == "wired" || route == "bluetooth_hfp" || route == "bluetooth_le"
}

// toHalf closes the microphone while the tutor speaks, from now on, and says so.
func (c *conductor) toHalf() {
	if c.config.Duplex == "half" {
		return
	}
	c.yield.echo.closed = true
	next := c.config.clone()
	next.Duplex = "half"
	c.adopt(next)
}

// toFull opens the microphone again that toHalf has closed.
func (c *conductor) toFull() {
	if !c.yield.echo.closed {
		return
	}
	c.yield.echo.closed = false
	next := c.config.clone()
	next.Duplex = "full"
	c.adopt(next)
}

// onDevice takes the client's word on its device. A loudspeaker without echo
// cancellation is half duplex from the start; another device is another chance.
func (c *conductor) onDevice(d DeviceState) {
	c.watch.device(d)
	e := &c.yield.echo
	if d.Muted || e.told && e.device.Route == d.Route && e.device.AEC == d.AEC {
		return
	}
	e.device, e.told = d, true
	e.heard, e.suspected = 0, false
	if d.Route == "speaker" && !d.AEC {
		c.toHalf()
	} else {
		c.toFull()
	}
}

// chooseDuplex takes the client's explicit wish, which ends what was decided for it.
func (c *conductor) chooseDuplex() {
	e := &c.yield.echo
	e.closed, e.heard, e.suspected = false, 0, false
}

// halfDuplex is the microphone of a client that closes it while the tutor speaks. It is
// closed here too, because the client may keep sending: what comes is neither a turn
// nor an interruption, and the recogniser gets silence, so that its clock goes on.
type halfDuplex struct {
	sounding     bool
	opensAt      time.Time // the tail ends; zero for none
	fromMS, toMS int64     // session audio time of the last time it was closed; toMS is 0 while it is
}

// shut says whether words that begin at startMS, 0 for unknown, were said to a closed microphone.
func (h *halfDuplex) shut(startMS int64, closed bool) bool {
	if startMS == 0 {
		return closed
	}
	return startMS > h.fromMS && (closed || startMS < h.toMS)
}

// gate closes and opens the microphone as the tutor's sound comes and goes.
func (c *conductor) gate(now time.Time) {
	h := &c.yield.mic
	half := c.config.Duplex == "half"
	sounding := half && c.reply != nil && c.reply.sounding()
	switch {
	case sounding:
		h.opensAt = time.Time{}
	case !half:
		h.opensAt = time.Time{}
	case h.sounding:
		h.opensAt = now.Add(echoTail)
	case !h.opensAt.IsZero() && !now.Before(h.opensAt):
		h.opensAt = time.Time{}
	}
	h.sounding = sounding
	closed := sounding || !h.opensAt.IsZero()
	if closed == c.link.closed.Load() {
		return
	}
	if closed {
		h.fromMS, h.toMS = c.clock.nowMS(), 0
	} else {
		h.toMS = c.clock.nowMS()
	}
	c.link.closed.Store(closed)
}
