package gateway

import (
	"fmt"
	"time"

	"kalami/session"
)

// resendSeconds is how much of the microphone a returning client may send again at once:
// its ring of 15 s, and what was said while it came back.
const resendSeconds = 20

// resend lets a returning client send again what the break has swallowed, faster than
// real time, beside the rate of what it hears now. Owned by the reader.
type resend struct {
	begun   bool    // the socket's first event has come
	seconds float64 // that may still be sent again
}

// begin takes a socket's events: it gets the allowance when the first one takes a session
// up again, and never anew.
func (r *resend) begin(ctl session.Control) {
	if _, returns := ctl.(session.ResumeSession); returns && !r.begun {
		r.seconds = resendSeconds
	}
	r.begun = true
}

// take says whether a frame is sent again within the allowance.
func (r *resend) take(f session.Frame, seconds float64) bool {
	if f.Flags&session.FlagRetransmission == 0 || r.seconds < seconds {
		return false
	}
	r.seconds -= seconds
	return true
}

// ringSeconds is how much of the microphone a client keeps to send it again.
const ringSeconds = 15

// returned lets a client that has come back send what it kept, as fast as it can.
func (c *voiceConn) returned() {
	c.audio.burst += ringSeconds
	c.audio.tokens += ringSeconds
}

// countEvent takes an event's share of the rate; without pass, the other two are the
// reader's answer.
func (c *voiceConn) countEvent(in *session.Input) (pass, deliver bool, end *session.End) {
	switch c.events.take(1) {
	case flowPass:
		return true, false, nil
	case flowDropFirst:
		if c.answers.overrun() {
			return false, false, nil // it has been told that already
		}
		in.Control = tooFast(in.EventID)
		return false, true, nil
	case flowFlood:
		return false, false, flooded("events")
	}
	return false, false, nil
}

// countAnswer takes the share of an event that is answered; nil stands for a mistake.
// Without pass, deliver is the reader's answer. Dropping more is never the end of a
// client: the rate of all events is.
func (c *voiceConn) countAnswer(ctl session.Control, deliver *bool, in *session.Input) (pass bool) {
	v := flowPass
	switch ctl.(type) {
	case session.AckEvents, session.Pong, session.DeviceState, session.PlaybackStarted, session.PlaybackPosition,
		session.PlaybackMark, session.PlaybackStopped, session.PlaybackCleared, session.EndSession:
		return true // taken note of, or the last word
	case session.CreateItem, session.CreateResponse, session.CommitInput:
		v = c.replies.take(1)
	}
	if v == flowPass {
		v = c.answers.take(1)
	}
	if v == flowDropFirst {
		in.Control = tooFast(in.EventID)
		*deliver = true
	}
	return v == flowPass
}

// tooFast tells a client that what it sends is dropped from here on.
func tooFast(eventID string) session.Rejected {
	return session.Rejected{Problem: session.Problem{
		Type: session.RateLimitError, Code: session.RateLimited, EventID: eventID, RetryAfterMS: 1000,
		Message: "Events come too fast; some are dropped.",
	}}
}

// ping says whether a client's ping frame is answered. It costs an event; a flood is
// told by the end of reading, since the library reads on after a ping.
func (c *voiceConn) ping() (answer bool) {
	v := c.events.take(1)
	if v == flowFlood {
		c.pinged = true
		_ = c.raw.SetReadDeadline(time.Now())
	}
	return v == flowPass
}

// reject reports a bad audio frame. Each costs an event, so that a flood of them is one.
func (c *voiceConn) reject(in *session.Input, code session.Code, param, message string) (bool, *session.End) {
	*in = session.Input{}
	if pass, deliver, end := c.countEvent(in); !pass {
		return deliver, end
	}
	if deliver := false; !c.countAnswer(nil, &deliver, in) {
		return deliver, nil
	}
	in.Control = session.Rejected{Problem: session.Problem{
		Type: session.InvalidRequest, Code: code, Param: param, Message: message,
	}}
	return true, nil
}

// flooded is the end of a client that went on sending too much.
func flooded(what string) *session.End {
	return &session.End{Reason: session.EndRateLimited, Code: session.RateLimited,
		Err: fmt.Errorf("gateway: too many %s for too long", what)}
}
