package session

import (
	"errors"
	"strings"
	"time"
)

// The session's clocks: how often CONDUCTOR looks, how often it pings, how long a client
// may be silent on the wire, and how long before their ends limits and tokens are told of.
const (
	watchInterval = time.Second
	pingInterval  = 10 * time.Second
	inputTimeout  = 15 * time.Second
	// clientTimeout is for how long a client waits for any byte: less than it keeps of the
	// microphone, so that nothing said to a connection that leads nowhere is lost.
	clientTimeout = 12 * time.Second
	goAwayBefore  = time.Minute
	authBefore    = time.Minute
	authAfter     = 30 * time.Second
)

// watch is what CONDUCTOR keeps an eye on beside the talk; owned by its run.
type watch struct {
	lastSpeech time.Time
	trip       roundTrip
	rtt        time.Duration // the shortest of the last round trips; 0 before the first
	validUntil time.Time
	authWarned bool
	wentAway   bool
	deaf       bool // the recogniser is missing, and the client knows
	voiceless  bool // the voice is missing, and the client knows
	otherVoice bool // another voice has spoken, and the client knows
	muted      bool
	reports    bool // the client says what it has played
	draining   bool
	drainAt    time.Time
	drainFrom  float64 // what was played when draining began, until that sentence's end is known; else -1
}

// speech says that the learner said something.
func (w *watch) speech(now time.Time) { w.lastSpeech = now }

// device takes the client's word on its microphone. Coming back from mute counts as being there.
func (w *watch) device(d DeviceState) {
	if w.muted && !d.Muted {
		w.lastSpeech = time.Now()
	}
	w.muted = d.Muted
}

// pong measures the round trip.
func (w *watch) pong(p Pong, now time.Time) {
	w.trip.pong(p.ID, now)
	w.rtt = w.trip.shortest()
}

// onTick looks at everything that depends on time alone, once a second.
func (c *conductor) onTick(now time.Time) {
	w := &c.watch
	if c.missing(now) {
		return
	}
	if silent := now.Sub(time.Unix(0, c.link.lastInput.Load())); silent > inputTimeout {
		c.lose(&End{Reason: EndHeartbeatTimeout, Code: HeartbeatTimeout}, now)
		return
	}
	c.acknowledge()
	if dropped := c.droppedFrames(); dropped > 0 {
		c.log.Warn("mic frames dropped", "frames", dropped)
		c.emit(Warning{Code: WarnInputOverrun, Message: "Some of the microphone's audio could not be passed on in time."})
	}
	if w.trip.due(now) {
		w.trip.ask(c.newID("p_"), now)
		c.emit(Ping{ID: w.trip.id, RTTMS: w.rtt.Milliseconds()})
	}
	c.checkStall()
	c.checkTalksOn(now)
	c.settleAlarm(now, false)
	c.checkLimits(now)
	c.checkAuth(now)
}

// droppedFrames is how many frames of the microphone were lost since it was last asked,
// but for those that nobody was to hear.
func (c *conductor) droppedFrames() int64 {
	if c.ladder.asleep {
		return 0 // awake judges them
	}
	if dropped := c.link.dropped.Swap(0); !c.watch.deaf {
		return dropped
	}
	return 0
}

// checkLimits ends sessions that are silent or too long.
func (c *conductor) checkLimits(now time.Time) {
	w := &c.watch
	if c.reply != nil {
		w.lastSpeech = later(w.lastSpeech, now) // a learner who listens is not idle
	}
	if idle := time.Duration(c.limits.IdleTimeoutMS) * time.Millisecond; now.Sub(w.lastSpeech) > idle {
		c.finish(&End{Reason: EndIdle, Code: IdleTimeout},
			&Problem{Type: InvalidRequest, Code: IdleTimeout, Message: "Nothing was said for a while, so the conversation was paused."})
		return
	}
	left := time.Duration(c.limits.MaxDurationMS)*time.Millisecond - now.Sub(c.started)
	if left <= 0 {
		c.finish(&End{Reason: EndMaxDuration, Code: MaxDuration},
			&Problem{Type: InvalidRequest, Code: MaxDuration, Message: "The conversation has reached its longest duration."})
		return
	}
	if left <= goAwayBefore && !w.wentAway {
		w.wentAway = true
		c.emit(GoAway{Reason: "max_duration", TimeLeftMS: int(left.Milliseconds())})
	}
}

// checkAuth asks for a fresh access token in time, and ends a session whose token has run out.
func (c *conductor) checkAuth(now time.Time) {
	w := &c.watch
	if w.validUntil.IsZero() {
		return
	}
	if now.After(w.validUntil.Add(authAfter)) {
		c.finish(&End{Reason: EndUnauthorised, Code: TicketExpired},
			&Problem{Type: AuthenticationError, Code: TicketExpired, Message: "The access token has ended."})
		return
	}
	if !w.authWarned && now.After(w.validUntil.Add(-authBefore)) {
		w.authWarned = true
		c.emit(AuthExpiring{ExpiresAt: w.validUntil.UTC().Format(time.RFC3339)})
	}
}

// recogniserDown tells the client, once, that nothing can be heard.
func (c *conductor) recogniserDown(error) {
	if c.watch.deaf {
		return
	}
	c.watch.deaf = true
	c.problem(UpstreamError, STTUnavailable, "The tutor cannot hear just now; it is being tried again. You can type meanwhile.")
	c.nobodyListens(time.Now())
}

// voiceDown tells the client, once, that nothing can be spoken.
func (c *conductor) voiceDown() {
	if c.watch.voiceless {
		return
	}
	c.watch.voiceless = true
	c.problem(UpstreamError, TTSUnavailable, "The tutor's voice is not available; answers come as text.")
}

// otherVoice tells the client, once, that the tutor sounds like somebody else.
func (c *conductor) otherVoice() {
	if c.watch.otherVoice {
		return
	}
	c.watch.otherVoice = true
	c.emit(Warning{Code: WarnFallbackVoice, Message: "The tutor's usual voice is not available; another one speaks."})
}

// stop ends the session at the wish of whoever runs it: at once, or, for a
// restart, when the sentence being spoken is over, but no later than the grace allows.
func (c *conductor) stop(cause error) {
	end, ok := errors.AsType[*End](cause)
	if !ok {
		end = &End{Reason: EndGoingAway, Err: cause}
	}
	if end.Reason != EndRestart {
		c.finish(end, nil)
		return
	}
	w := &c.watch
	w.draining = true
	now := time.Now()
	grace := c.graceLeft(now)
	c.emit(GoAway{Reason: "deploy", TimeLeftMS: int(grace.Milliseconds()), Reconnect: Reconnecting{Resume: true}})
	c.playOn(now)
	if c.away.absent() || c.reply == nil || c.reply.sentMS == 0 || c.reply.interrupted() {
		c.finish(end, nil)
		return
	}
	w.drainAt, w.drainFrom = now.Add(grace), c.playedEstimate(now)
	c.drainAtSentenceEnd(now)
}

// drainAtSentenceEnd ends a draining session when the sentence that was sounding is
// over, as soon as it is known where that is: the voice may not have come there yet.
func (c *conductor) drainAtSentenceEnd(now time.Time) {
	w := &c.watch
	if w.drainAt.IsZero() || w.drainFrom < 0 {
		return
	}
	if at := c.sentenceEnd(w.drainFrom); at > 0 {
		wait := time.Duration(float64(at)-c.playedEstimate(now)) * time.Millisecond
		w.drainAt, w.drainFrom = earlier(w.drainAt, now.Add(wait+clientBuffer)), -1
	}
}

// onDrainDue ends a draining session.
func (c *conductor) onDrainDue(time.Time) {
	c.watch.drainAt = time.Time{}
	c.finish(&End{Reason: EndRestart, Code: Draining}, nil)
}

// sentenceEnd is where in the reply the sentence sounding at playedMS ends, 0 when that is not known.
func (c *conductor) sentenceEnd(playedMS float64) int {
	line, clips := c.reply.line, c.reply.wait.clips
	for _, w := range line.words {
		if end := clips.end(w.EndMS); end > int(playedMS) && endsWithSentence(strings.TrimSpace(line.text[w.From:w.To])) {
			return end
		}
	}
	return 0
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
