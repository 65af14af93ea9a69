package session

import (
	"kalami/session/learn"
)

// How the microphone's frames are acknowledged. The client keeps the last seconds of what
// it has recorded, to send it again after a break, and drops what is acknowledged. A node
// that goes on with the session, should this one die, hears again what is not in stored
// messages. So a frame is acknowledged when nothing that is said in it depends on this
// node: it was passed to the recogniser, it is before the utterance that is open, before
// those that are not stored yet, and old enough for the beginning of an utterance in it to
// have been noticed.
const (
	// noticedAfter is how long after its beginning an utterance is noticed at the latest.
	noticedAfter = 1500
	// beforeSign is how much before its first sign an utterance may have begun.
	beforeSign = 500
	// afterWords is how much of the audio behind its last word belongs to an utterance:
	// recognisers place the ends of words too early rather than too late.
	afterWords = 200
)

// acknowledging is what CONDUCTOR knows of the acknowledged frames; owned by its run.
type acknowledging struct {
	told learn.InputMark
	// unstored are the utterances that JOURNAL has, oldest first.
	unstored []unstored
}

// unstored is an utterance that is not durable yet.
type unstored struct {
	itemID string
	fromMS int64
}

// durable notes that an utterance is stored; those before it are decided, too.
func (a *acknowledging) durable(itemID string) {
	for i, u := range a.unstored {
		if u.itemID == itemID {
			a.unstored = append(a.unstored[:0], a.unstored[i+1:]...)
			return
		}
	}
}

// acknowledge tells the client how far its audio is not needed any more, if that is news.
func (c *conductor) acknowledge() {
	passed := c.link.acked.Load()
	if passed == 0 {
		return
	}
	upTo, known := c.link.places.before(c.settledMS())
	if !known {
		return
	}
	if p := (learn.InputMark{Stream: uint16((passed - 1) >> 32), Next: uint32(passed-1) + 1}); p.Before(upTo) {
		upTo = p
	}
	if upTo.Next == 0 || !c.acks.told.Before(upTo) {
		return
	}
	c.acks.told = upTo
	c.emit(InputAck{Input: InputPos{Stream: upTo.Stream, Seq: upTo.Next - 1, NextSeq: upTo.Next}})
}

// settledMS is the place in the session's audio before which nothing is open.
func (c *conductor) settledMS() int64 {
	at := c.clock.nowMS() - noticedAfter
	if c.learner.itemID != "" {
		at = min(at, c.learner.fromMS-beforeSign)
	}
	if n := len(c.voices); n > 0 && c.voices[n-1].open() {
		at = min(at, c.voices[n-1].fromMS-beforeSign)
	}
	if len(c.acks.unstored) > 0 {
		at = min(at, c.acks.unstored[0].fromMS-beforeSign)
	}
	return at
}

// inputEnd is the end of an utterance whose last word ends at wordMS, 0 for unknown, in the
// client's frames. What comes later is another one's.
func (c *conductor) inputEnd(wordMS int64) learn.InputMark {
	end := c.clock.nowMS()
	if wordMS > 0 {
		end = min(end, wordMS+afterWords)
	}
	mark, _ := c.link.places.behind(end)
	return mark
}
