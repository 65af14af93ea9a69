package session

import "time"

const (
	// moveWait is how long a client that was told to move has for it, beyond the wait that it
	// was told, before the session goes on here.
	moveWait = 3 * time.Second
	// moveAgain is how long the session then goes on before its client is told once more.
	moveAgain = 4 * time.Second
	// soundingOn is how much of the sentence that is being played must be left, beyond the
	// client's wait, to cover the move and the voice's first sound elsewhere. It is more than
	// [reach], so that the next sentence has not begun to play, and is heard once.
	soundingOn = reach + 100*time.Millisecond
	// hurry is how long a client waits at the most that is sent away while it plays a sentence.
	hurry = 50 * time.Millisecond
)

// Move is the wish of a node that stops: that the client of a session goes to another node
// and opens its socket there before this one is closed. It is told so when nobody speaks,
// or, in the second half of the time, between two sentences of a reply; By is when it is
// told at the latest.
type Move struct {
	By time.Time
	// Until is when the node is gone: what is told to the client as the time left.
	Until time.Time
	// After is how long the client waits before it goes, which keeps a crowd apart.
	After time.Duration
}

// moving is what CONDUCTOR knows of its own leaving; owned by its run.
type moving struct {
	wish  *Move // nil while the node does not stop
	from  time.Time
	told  time.Time     // zero unless the client is about to go
	after time.Duration // how long it waits before it does
	next  time.Time     // not told again before
	alone bool          // the socket was lost meanwhile
}

// moveAway begins to look for the moment at which the client goes to another node.
func (c *conductor) moveAway(m Move) {
	if c.away.line == nil { // it could not come back
		c.stop(&End{Reason: EndRestart, Code: Draining})
		return
	}
	c.moving.wish, c.moving.from = &m, time.Now()
}

// considerMove tells the client to go if this is the moment, and goes on with a client
// that was told and has not gone. A client that is away needs no telling: it is let in
// elsewhere.
func (c *conductor) considerMove(now time.Time) {
	m := &c.moving
	switch {
	case m.wish == nil || c.end != nil || c.watch.draining:
	case !m.told.IsZero():
		if !m.alone && !now.Before(m.backAt()) {
			c.stay(now)
		}
	case c.away.absent() || now.Before(m.next):
	case !now.Before(m.wish.By) || c.atBoundary(now):
		c.sendAway(now)
	}
}

// atBoundary says whether a move would be noticed by nobody.
func (c *conductor) atBoundary(now time.Time) bool {
	if c.learner.itemID != "" || c.voiceOpen() {
		return false
	}
	if c.reply == nil {
		return true
	}
	half := c.moving.wish.By.Sub(c.moving.from) / 2
	return now.Sub(c.moving.from) >= half && c.betweenSentences(now)
}

// voiceOpen says whether the learner's voice is heard at the moment.
func (c *conductor) voiceOpen() bool {
	n := len(c.voices)
	return n > 0 && c.voices[n-1].open()
}

// betweenSentences says whether the client has the whole of the sentence that it plays, and
// plays it for a while: what follows is spoken by another node, behind it.
func (c *conductor) betweenSentences(now time.Time) bool {
	r := c.reply
	if r.interrupted() || r.stand.paused() || r.allSent {
		return false
	}
	r.made.follow(r)
	played := c.playedEstimate(now)
	for _, s := range r.made.sentences {
		if left := time.Duration(float64(s.EndMS)-played) * time.Millisecond; left > 0 {
			return s.EndMS <= r.sentMS && left >= hurry+soundingOn
		}
	}
	return false
}

// sendAway tells the client to go. From here on it hears nothing more on this socket, so
// that it cannot know of anything that the next node does not, and the session stands
// still, as if it had gone.
func (c *conductor) sendAway(now time.Time) {
	m := &c.moving
	m.told, m.after, m.alone = now, m.wish.After, false
	if c.reply != nil {
		m.after = min(m.after, hurry)
	}
	left := max(0, m.wish.Until.Sub(now))
	c.send(outbound{pause: pauseOrder{kind: clientMoves}, event: GoAway{Reason: "deploy", TimeLeftMS: int(left.Milliseconds()),
		Reconnect: Reconnecting{Resume: true, AfterMS: int(m.after.Milliseconds())}}})
	c.detached(&End{Reason: EndRestart, Code: Draining}, now)
}

// stay goes on with a client that has not gone: the other nodes would not have it.
func (c *conductor) stay(now time.Time) {
	c.moving.told, c.moving.next = time.Time{}, now.Add(moveAgain)
	c.send(outbound{pause: pauseOrder{kind: clientStays}})
	c.attached(nil, now)
}

// movedSocket notes that the socket of a client that was told to go is lost: true when it
// was, since the session stands still already.
func (m *moving) movedSocket() bool {
	m.alone = !m.told.IsZero()
	return m.alone
}

// backAt is when the session goes on with a client that was told to go and has not gone.
func (m *moving) backAt() time.Time { return m.told.Add(m.after + moveWait) }

// deadline is when something about the move is due; zero for nothing.
func (m *moving) deadline() time.Time {
	switch {
	case m.wish == nil || m.alone:
		return time.Time{}
	case !m.told.IsZero():
		return m.backAt()
	}
	return later(m.wish.By, m.next)
}

// graceLeft is how long the sentence being spoken may go on in a node that stops.
func (c *conductor) graceLeft(now time.Time) time.Duration {
	if w := c.moving.wish; w != nil {
		return min(c.grace, max(0, w.Until.Sub(now)))
	}
	return c.grace
}
