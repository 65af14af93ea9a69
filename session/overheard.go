package session

import (
	"slices"
	"strings"
	"time"

	"kalami/providers"
	"kalami/session/turntaking"
)

const (
	// openingFirst is how much of a session's first reply is protected: echo cancellers
	// need seconds of sound before they work. openingLater is that of every later one.
	openingFirst = 2500 * time.Millisecond
	openingLater = 300 * time.Millisecond
	// overTalk is how many words of their own interrupt where one could be an echo.
	overTalk = 2
	// Of what the tutor says, an echo is looked for around the time at which it was
	// heard: echoBefore it, because loudspeakers are late, and echoAfter it, because
	// what was played may be further than was reported.
	echoBefore = 3 * time.Second
	echoAfter  = time.Second
	// tailMost is how much of a reply is remembered for an echo that is understood after its end.
	tailMost = 8 * time.Second
	// placing is how far recognisers put the end of a word from where it was.
	placing = 200 * time.Millisecond
)

// sideWords are what was said beside the tutor without interrupting it: a back-channel
// or an echo. They are forgotten, unless they turn out at the tutor's end to be an answer.
type sideWords struct {
	understood           // its text is empty for none
	endMS      int64     // where its last word ended in the session's audio; 0 for unknown
	at         time.Time // and when
	echo       bool
}

// tail is the end of the last reply.
type tail struct {
	text  string
	endMS int64 // session audio time at which it ended; 0 for none
}

// overhear judges a segment's words that may be the tutor's echo, a back-channel, or of
// the time in which the microphone is closed. It says whether they are dealt with: such
// words are no part of the learner's turn.
func (c *conductor) overhear(ev providers.Heard, text string, words []providers.Word, final bool) bool {
	l, r := &c.learner, c.reply
	if text == "" {
		return false
	}
	if c.yield.mic.shut(startOf(ev), c.link.closed.Load()) {
		n := units(text)
		c.setAside(text, final)
		if !final {
			l.skip += n
		}
		return true
	}
	if r == nil || r.sentMS == 0 {
		return c.overhearTail(ev, text, final)
	}
	if c.config.Audio.Input.TurnDetection == nil || r.interrupted() { // the button decides, or it is decided
		return false
	}
	now := time.Now()
	o := turntaking.Overhear(text, c.saidAround(ev, now), final)
	if o.Kind != turntaking.BackChannel && o.Kind != turntaking.Echo {
		return false
	}
	if final {
		l.side = sideWords{endMS: int64(ev.EndMS), at: c.heardAt(ev, now), echo: c.surelyEcho(o),
			understood: understood{segmentKey: l.key(), skip: l.skip, text: text, words: words}}
	}
	c.setAside(text, final)
	c.playOn(now)
	switch {
	case !final: // the rest of it is still to come
	case o.Kind == turntaking.BackChannel:
		c.count(BackChannels, 1)
	default:
		c.suspectEcho(o)
	}
	return true
}

// setAside keeps a segment's words out of the learner's turn. Their place is kept when
// they are final, so that a repeated end does not bring them back.
func (c *conductor) setAside(text string, final bool) {
	l := &c.learner
	l.open, l.partial, l.pending = true, "", nil
	if final {
		l.keep(understood{skip: l.skip + units(text)})
		l.open, l.ended, l.skip = false, true, 0
	}
	l.clock.Words(turntaking.Words{Text: l.text(), Open: !final, Final: final}, time.Now())
}

// overhearTail deals with words that were heard while the tutor spoke, and come when it
// is over: an echo, or a back-channel that was no answer. An echo is over when the tutor
// is: the same words, when they go on after it, are a learner's who repeats them, as
// learners do, and few wait for 300 ms before they begin.
func (c *conductor) overhearTail(ev providers.Heard, text string, final bool) bool {
	t, start := c.yield.echo.tail, startOf(ev)
	if t.endMS == 0 || start == 0 || start > t.endMS+echoTail.Milliseconds() || c.learner.text() != "" {
		return false
	}
	if int64(ev.EndMS) > t.endMS+(echoTail+placing).Milliseconds() {
		return false
	}
	o := turntaking.Overhear(text, t.text, final)
	early := 0 < ev.EndMS && int64(ev.EndMS) < t.endMS-clearedWait.Milliseconds() // else it may be an answer
	switch {
	case o.Kind == turntaking.Echo && (early || c.surelyEcho(o)):
		if final {
			c.suspectEcho(o)
		}
	case o.Kind == turntaking.BackChannel && early && final:
		c.count(BackChannels, 1)
	default:
		return false
	}
	c.setAside(text, final)
	return true
}

// surelyEcho says whether an echo is one: a single word of the tutor's may be the learner's.
func (c *conductor) surelyEcho(o turntaking.Overheard) bool {
	return o.Kind == turntaking.Echo && (o.Words > 1 || c.yield.echo.suspected)
}

// startOf is where in the session's audio a segment's words begin, 0 when that is not known.
func startOf(ev providers.Heard) int64 {
	if len(ev.Words) > 0 && ev.Words[0].StartMS > 0 {
		return int64(ev.Words[0].StartMS)
	}
	if ev.StartMS > 0 {
		return int64(ev.StartMS)
	}
	return int64(ev.EndMS)
}

// heardAt is when a segment's last word ended, now when the recogniser does not say.
func (c *conductor) heardAt(ev providers.Heard, now time.Time) time.Time {
	if at := c.clock.audio().When(int64(ev.EndMS)); ev.EndMS > 0 && !at.IsZero() {
		return earlier(at, now)
	}
	return now
}

// saidAround is what of the reply sounded around the time at which a segment was heard.
func (c *conductor) saidAround(ev providers.Heard, now time.Time) string {
	from := c.learner.segmentAt
	if at := c.clock.audio().When(startOf(ev)); startOf(ev) > 0 && !at.IsZero() && (from.IsZero() || at.Before(from)) {
		from = at
	}
	if from.IsZero() {
		from = now
	}
	played := time.Duration(c.playedEstimate(now) * float64(time.Millisecond))
	return c.reply.said(played-now.Sub(from)-echoBefore, played+echoAfter)
}

// said is the text whose words sound between two places of the reply's audio; all of it
// when no place of a word is known.
func (r *reply) said(from, to time.Duration) string {
	var b strings.Builder
	line, clips := r.line, r.wait.clips
	for _, i := range clips {
		if int64(i.atMS+i.ms) > from.Milliseconds() && int64(i.atMS) < to.Milliseconds() {
			b.WriteString(i.text + " ")
		}
	}
	if len(line.words) == 0 {
		return b.String() + line.text
	}
	for _, w := range line.words {
		if int64(clips.end(w.EndMS)) > from.Milliseconds() && int64(clips.start(w.StartMS)) < to.Milliseconds() && w.To <= len(line.text) {
			b.WriteString(line.text[w.From:w.To])
		}
	}
	return b.String()
}

// sounding says whether the reply can be heard: some of it was sent, and the player is not done.
func (r *reply) sounding() bool { return r.sentMS > 0 && !r.stopped && !r.interrupted() && !r.mute }

// yieldTo interrupts the tutor if the learner's words so far are meant to.
func (c *conductor) yieldTo() {
	r, now := c.reply, time.Now()
	if r == nil || r.interrupted() || !c.mayInterrupt() {
		return
	}
	spoken := ""
	if r.sentMS > 0 {
		spoken = c.saidAround(providers.Heard{}, now)
	}
	o := turntaking.Overhear(c.learner.join(true), spoken, !c.learner.open)
	if o.Kind >= turntaking.Speech && c.heeds(o, now) {
		c.yield.alarmAt = time.Time{} // if there was a pause, it was no false alarm
		c.count(Interruptions, 1)
		c.interrupt("turn_detected")
	}
}

// heeds says whether speech interrupts at this point of the reply, on this device.
func (c *conductor) heeds(o turntaking.Overheard, now time.Time) bool {
	switch {
	case c.reply.sentMS == 0:
		return true
	case c.comingIn(now):
		return false
	case o.Kind == turntaking.Stop:
		return true
	case c.yield.echo.suspected:
		return o.Foreign >= overTalk
	case c.opening(now):
		return o.Words >= overTalk
	}
	return true
}

// opening says whether the reply is in its protected beginning, where neither a voice
// nor a single word is taken for an interruption.
func (c *conductor) opening(now time.Time) bool {
	protected := openingLater
	if c.reply.turn.id == 1 {
		protected = openingFirst
	}
	return c.playedEstimate(now) < float64(protected.Milliseconds())
}

// forgetAside ends what was said beside a reply when that is over: it is dropped, unless
// the learner was at it when the tutor ended. Then it is the answer.
func (c *conductor) forgetAside(r *reply) {
	c.settleAlarm(time.Now(), true)
	c.yield.echo.tail = tail{text: r.said(time.Duration(r.sentMS)*time.Millisecond-tailMost, time.Hour), endMS: c.clock.nowMS()}
	l := &c.learner
	a := l.side
	l.side = sideWords{}
	if l.clock.Speaking() || time.Since(a.at) <= clearedWait {
		c.answerAside(a)
	}
	if l.text() == "" { // what else was set aside will not be needed
		l.past, l.finals = l.past.add(l.finals), nil
	}
	c.dropAside(r.line.text)
}

// answerAside makes what was said beside the tutor the learner's.
func (c *conductor) answerAside(a sideWords) {
	l := &c.learner
	if a.text == "" || a.echo || l.text() != "" {
		return
	}
	i := slices.IndexFunc(l.finals, func(u understood) bool { return u.segmentKey == a.segmentKey })
	if i < 0 {
		return
	}
	l.finals[i] = a.understood
	l.clock.Words(turntaking.Words{Text: l.text(), EndMS: a.endMS, Final: true}, time.Now())
	c.beginLearner(c.clock.nowMS())
	c.showTranscript(1)
}
