package session

import (
	"time"

	"kalami/session/fillers"
)

// Nobody waits in silence. While an answer is owed, from the end of the learner's turn
// until all of it was sent, the tutor's audio never pauses for longer than fillerAfter and
// what a clock takes: a clip is played, of package fillers, which needs no vendor. It is
// part of the response's own stream, so that it counts in all places and is interrupted
// like any audio; and it is no part of what the tutor said: it is captioned with a mark,
// and neither stored nor told to the model. After answerWithin without a word of the answer
// an apology ends the response as failed. The next turn is another chance.
//
// Time does not run while the learner speaks, while the reply stands still, or while the
// client is away. A reply of which nothing is known to have sounded since is silent from
// where its audio ends by the server's clock.
const (
	fillerAfter = 2 * time.Second
	silenceMost = 2500 * time.Millisecond
	// answerWithin leaves the tutor's own apology a moment to be spoken, if there is a voice.
	answerWithin = turnDeadline + 500*time.Millisecond
	// orderWait is how long DOWNLINK may take to begin with a clip before it is asked again.
	orderWait = time.Second
)

// waiting is what CONDUCTOR knows of the silence within a reply.
type waiting struct {
	clips    inserted
	since    time.Time // the client came back
	answered time.Time // the answer's audio, or its text when there is no voice, ends
	asked    time.Time // DOWNLINK, for a clip
	over     bool      // it was given up
}

// clipOrder has DOWNLINK play a clip when it has nothing else of the turn.
type clipOrder struct {
	turn *turn
	kind fillers.Kind
	// last ends the reply with it, whatever else there may be; transcript is what was said.
	last       bool
	transcript string
}

// soundsTo is when all that was sent of the reply has been played, by the server's clock.
func (r *reply) soundsTo(now time.Time) time.Time {
	_, before, _ := r.turn.before()
	had := time.Duration(r.turn.aheadMS()) * time.Millisecond
	if r.began.IsZero() {
		return later(r.timings.turnEnd.Add(had), r.wait.since)
	}
	return later(r.began.Add(time.Duration(r.sentMS-before)*time.Millisecond+r.stand.until(now)+had), r.wait.since)
}

// heard is what was heard of the reply's text when played milliseconds of its audio were.
func (r *reply) heard(played int) string {
	if r.wait.clips.voiced(r.sentMS) == 0 { // else the places of words would be estimated
		return ""
	}
	heard, _ := r.line.heard(r.wait.clips.voiced(played))
	return heard
}

// quietSince is since when the learner has heard nothing, and said nothing.
func (c *conductor) quietSince(now time.Time) time.Time {
	return later(c.reply.soundsTo(now), c.learner.clock.QuietSince(c.clock.audio()))
}

// deadAirDeadline is when a clip is due; zero for never.
func (c *conductor) deadAirDeadline(now time.Time) time.Time {
	r := c.reply
	if r == nil || r.allSent || r.interrupted() || r.stand.paused() || r.wait.over || c.watch.draining || c.learner.clock.Speaking() {
		return time.Time{}
	}
	quiet, last := c.quietSince(now), c.givesUpAt(now)
	if last.Sub(quiet) <= silenceMost {
		return last
	}
	return later(quiet.Add(fillerAfter), r.wait.asked.Add(orderWait))
}

// givesUpAt is when the answer is not waited for any more; no clip is cut for it.
func (c *conductor) givesUpAt(now time.Time) time.Time {
	r := c.reply
	from := later(later(r.timings.turnEnd, r.wait.since), r.wait.answered)
	return later(from.Add(answerWithin), r.soundsTo(now))
}

// onDeadAirDue has a clip played.
func (c *conductor) onDeadAirDue(now time.Time) {
	r := c.reply
	if !now.Before(c.givesUpAt(now)) {
		c.giveUpReply()
		return
	}
	kind := fillers.Thinking
	if len(r.wait.clips) > 0 {
		kind = fillers.Moment
	}
	r.wait.asked = now
	c.send(outbound{clip: &clipOrder{turn: r.turn, kind: kind}})
}

// giveUpReply ends a reply whose answer does not come: what was heard of it stays.
func (c *conductor) giveUpReply() {
	r := c.reply
	r.wait.over, r.failed = true, true
	r.turn.cancel(errInterrupted{"error"})
	c.log.Warn("no answer in time", "text", r.line.text != "", "voiced_ms", r.wait.clips.voiced(r.sentMS))
	if r.line.text == "" {
		c.problem(UpstreamError, LLMUnavailable, "The tutor's answer could not be made just now.")
	} else {
		c.voiceDown()
	}
	if !r.mute {
		r.line.cutAt(r.wait.clips.voiced(r.sentMS))
	}
	r.made = produced{note: r.made.note, complete: true}
	c.count(AnswersGivenUp, 1)
	c.send(outbound{clip: &clipOrder{turn: r.turn, kind: fillers.Apology, last: true, transcript: r.line.text}})
}

// cutAt forgets what had not been spoken after ms of the voice's audio.
func (t *timeline) cutAt(ms int) {
	n, end := 0, 0
	for n < len(t.words) && t.words[n].EndMS <= ms {
		end = t.words[n].To
		n++
	}
	t.words, t.text = t.words[:n], t.text[:end]
}

// sent follows what DOWNLINK has written of the reply: of the voice's audio, or of a clip.
func (c *conductor) sent(r *reply, p progress) {
	if r.began.IsZero() {
		r.began = p.at
		c.deadAir(p.at.Sub(later(r.timings.turnEnd, r.wait.since)))
	} else if dry := p.at.Sub(r.soundsTo(p.at)); dry > 0 {
		r.stand.total += dry // the player had run dry: it is behind the clock by that
		c.deadAir(dry)
	}
	ms := p.ms - r.sentMS
	if p.kind == sentClip {
		if p.text != "" {
			c.count(FillersPlayed, 1)
		}
		r.made = produced{note: r.made.note, complete: r.made.complete} // words that follow are further back
		r.wait.clips = r.wait.clips.sent(r.sentMS, ms, p.text)
		r.sentMS = p.ms
		return
	}
	if r.timings.firstSent.IsZero() {
		r.timings.firstSent = p.at
	}
	r.sentMS = p.ms
	r.wait.answered = r.soundsTo(p.at)
}

// deadAir tells the node's meter of a silence while an answer was owed.
func (c *conductor) deadAir(silent time.Duration) {
	if c.meter != nil {
		c.meter.DeadAir(max(0, silent))
	}
}

// written is what to tell of a frame that was just written, from a place in the audio on.
func (d *downlink) written(fromMS int) progress {
	p := progress{turn: d.chunk.turn, kind: sentAudio, at: time.Now(), ms: d.reachedMS()}
	if d.chunk.clip != "" {
		p.kind = sentClip
		if !d.chunk.told {
			p.text, d.chunk.told = d.chunk.clip, true
		}
		d.stream.clips = d.stream.clips.sent(fromMS, p.ms-fromMS, p.text)
	}
	p.turn.sentMS.Store(int64(d.sentMS() - d.stream.clips.total())) // SPEAK knows of the voice's alone
	return p
}

// interpose begins with a clip, if there is nothing better of its turn.
func (d *downlink) interpose(o *clipOrder) {
	t := o.turn
	if t.id <= max(d.floor, d.closed) || d.holding && (!o.last || d.chunk.turn != t) {
		return
	}
	if o.last {
		d.closed = t.id // for whatever else may come of it
	}
	chunk := clipChunk(t, o.kind)
	chunk.last, chunk.transcript = o.last, o.transcript
	d.chunk, d.holding, d.fresh = chunk, true, true
}

// clipChunk is a clip as a piece of a turn.
func clipChunk(t *turn, kind fillers.Kind) audioChunk {
	clip := fillers.Say(t.language, kind)
	return audioChunk{turn: t, pcm: clip.PCM(t.voice.SampleRate), rate: t.voice.SampleRate, clip: clip.Text}
}

// excuse says aloud, once, that answers are to be read because there is no voice; or,
// each time, that there is no answer. It says whether the turn is still wanted.
func (s *speak) excuse(c clause) bool {
	kind := fillers.Voiceless
	switch {
	case c.text == c.turn.apology:
		kind = fillers.Apology
	case s.excused:
		return true
	}
	s.excused = true
	select {
	case s.lanes.audio <- clipChunk(c.turn, kind):
		return true
	case <-c.turn.ctx.Done():
		return false
	}
}

// clipCaption tells the client what the clip says that begins now.
func (d *downlink) clipCaption() error {
	t := d.chunk.turn
	return d.event(CaptionDelta{ResponseID: t.responseID, ItemID: t.itemID, Delta: d.chunk.clip + " ", AudioStartMS: int64(d.reachedMS()), Filler: true})
}
