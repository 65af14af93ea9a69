package session

import (
	"context"
	"time"

	"kalami/providers"
	"kalami/session/learn"
	"kalami/session/turntaking"
)

const (
	// clearedWait is how long the client has to say what it had played when it was told to be silent.
	clearedWait = 400 * time.Millisecond
	// silentClient is how much longer than its audio a reply lasts for a client that
	// never reports playback, and lateReport for one that has reported.
	silentClient = 500 * time.Millisecond
	lateReport   = 3 * time.Second
	// acksLate is more than a client on a line lets pass between two acknowledgements.
	acksLate = 2500 * time.Millisecond
	// clientBuffer is the player's delay until the client has told its own.
	clientBuffer = 150 * time.Millisecond
)

// reply is the tutor's side of a turn, from its beginning until it was heard,
// or until what was heard of it is known.
type reply struct {
	turn       *turn
	line       *timeline // text and places of the words
	timings    replyTimes
	prevID     string // the item before
	failed     bool   // the tutor or the voice broke off
	mute       bool   // there was no voice: the learner reads
	notice     bool   // it is a clip and nothing else: no answer, see unheard.go
	otherVoice string // the vendor, when it is not the preferred one
	nudge      bool   // it is a rung of the ladder
	comesIn    bool   // it takes the turn from a learner who did not stop; see comingIn
	delta      providers.Delta
	made       produced // for whoever goes on with it
	fromMS     int      // where its stream began, of one that another node spoke to its end
	wait       waiting

	began   time.Time // the first frame was sent, be it a clip's
	sentMS  int
	allSent bool
	// what the client has reported
	reports    int
	playedMS   float64
	bufferedMS float64
	reportedAt time.Time
	advancedAt time.Time     // when playedMS last grew
	stopped    bool          // the player has nothing more to play
	stood      time.Duration // how long the reply had stood still at reportedAt
	lag        time.Duration // the least that the player was behind the clock before the first pause; 0 for unknown
	stand      standing

	// set when it was interrupted
	reason  string
	until   time.Time // the client's report is awaited until then
	ordered time.Time // when the client was told
	unheard bool      // nothing had come from the client since, when it was due
}

// provider is who made the reply, and whose voice it was if not the preferred one's.
func (r *reply) provider() string {
	if r.otherVoice == "" {
		return r.delta.Model
	}
	return r.delta.Model + ", voice " + r.otherVoice
}

// interrupted says whether the reply was stopped and only waits for the client's report.
func (r *reply) interrupted() bool { return !r.until.IsZero() }

// stop notes that the client is told to be silent.
func (r *reply) stop(reason string, now time.Time) {
	r.reason, r.ordered, r.until = reason, now, now.Add(clearedWait)
}

// beginReply has the tutor speak. note is an extra instruction for this reply.
func (c *conductor) beginReply(note string) {
	c.dropDraft(dropSuperseded)
	if c.recall.on {
		c.recallTurn()
		return
	}
	if c.watch.draining {
		c.owe(note)
		return
	}
	r := c.newReply(c.prompt(c.history, note), nil)
	r.made.note = note
	c.announce(r)
	c.think(r.turn)
}

// newReply makes a reply that nobody knows of yet; h is nil unless it is a draft.
func (c *conductor) newReply(prompt providers.Prompt, h *held) *reply {
	c.turns++
	ctx, cancel := context.WithCancelCause(c.ctx)
	t := &turn{id: c.turns, responseID: c.newID("r_"), itemID: c.newID("it_"), ctx: ctx, cancel: cancel,
		prompt: prompt, language: c.config.Language, apology: learn.Apology(c.config.Language), voice: *c.settings.speak.Load(), held: h}
	now := time.Now()
	return &reply{turn: t, line: newTimeline(), timings: replyTimes{asked: now, turnEnd: now}}
}

// announce makes r the reply under way and tells the client.
func (c *conductor) announce(r *reply) {
	t := r.turn
	c.reply, r.prevID = r, c.prevID
	c.emit(c.created(t))
	c.emit(ItemAdded{Item: Item{ID: t.itemID, Role: "assistant", Status: "in_progress"}, PreviousItemID: c.prevID})
}

// created tells of a response and its stream.
func (c *conductor) created(t *turn) ResponseCreated {
	return ResponseCreated{
		Response: ResponseInfo{ID: t.responseID, ItemID: t.itemID, Status: "in_progress", Repeats: t.repeats},
		Stream:   t.stream(), Audio: AudioFormat{Format: c.config.Audio.Output.Format},
	}
}

// think has THINK make the reply of t.
func (c *conductor) think(t *turn) {
	select { // THINK may not have come to take the turn before: nobody wants that one
	case <-c.lanes.turns:
	default:
	}
	c.lanes.turns <- t
}

// prompt makes the tutor's instruction from a history of the conversation.
func (c *conductor) prompt(history []learn.Message, note string) providers.Prompt {
	return tutorPrompt(learn.Tutoring{
		Language: c.config.Language, NativeLanguage: c.config.NativeLanguage, Level: learn.Level(c.config.Level),
		Mode: learn.CorrectionMode(c.config.CorrectionMode), Topic: c.config.Topic, Learner: c.params.User.Name, Scene: c.params.Conversation.Scene,
		Remembered: c.advice.plan.Remembered,
	}, history, c.steer(history, note))
}

// catchUp hears the stages out before the client is heard, which answers to what they
// did: else it might report a frame of which DOWNLINK's word still waits here.
func (c *conductor) catchUp() {
	for {
		select {
		case p := <-c.lanes.progress:
			c.onProgress(p)
		default:
			return
		}
	}
}

// onProgress follows the reply through THINK, SPEAK and DOWNLINK.
func (c *conductor) onProgress(p progress) {
	if p.kind == speakFailed && p.turn == nil {
		c.voiceDown()
		return
	}
	r := c.reply
	if d := c.drafts.live; d != nil && p.turn == d.turn {
		if p.kind == thinkFailed || p.kind == speakFailed { // the turn will have another answer
			c.drafts.done = d.text
			c.dropDraft(dropFailed)
			return
		}
		r = d.reply
	}
	if r == nil || p.turn != r.turn {
		return // of a turn that nobody wants any more
	}
	if r.wait.over && p.kind < sentAudio {
		return // too late
	}
	switch p.kind {
	case thinkFirstToken:
		r.timings.firstToken = p.at
	case thinkFirstClause:
		r.timings.firstClause = p.at
	case thinkText:
		r.line.write(p.text)
		if r.mute {
			r.wait.answered = time.Now() // it is read
		}
	case thinkDone:
		r.delta, r.made.complete = p.delta, true
		if r == c.reply { // else when it is released
			c.consumed(p.delta.Usage)
		}
	case thinkFailed:
		r.failed, r.made.complete = true, true
		c.log.Warn("tutor failed", "err", p.err)
		c.problem(UpstreamError, LLMUnavailable, "The tutor's answer could not be made just now.")
	case speakFirstAudio:
		r.timings.firstAudio = p.at
		if !r.failed && r.turn.repeats == "" {
			c.drafts.pace.observe(p.at.Sub(r.timings.asked))
		}
	case speakWords:
		r.line.marks = true
		r.line.words = append(r.line.words, p.words...)
		c.drainAtSentenceEnd(time.Now())
	case speakFailed:
		r.mute, r.wait.answered = true, time.Now()
		c.voiceDown()
	case speakAgain:
		if c.watch.voiceless {
			c.watch.voiceless = false
			c.emit(Warning{Code: WarnUpstreamDegraded, Message: "The tutor's voice is back."})
		}
	case speakFallback:
		r.otherVoice = p.text
		c.otherVoice()
	case sentAudio, sentClip:
		c.sent(r, p)
	case sentAll:
		r.sentMS, r.allSent = p.ms, true
		c.completeIfHeard() // the player may have been quicker with its word
	}
}

// consumed adds what an answer took to the session's usage.
func (c *conductor) consumed(u providers.Usage) {
	c.usage.InputTokens += u.InputTokens
	c.usage.OutputTokens += u.OutputTokens
}

// problem tells the client of trouble that the session survives.
func (c *conductor) problem(t ProblemType, code Code, message string) {
	c.emit(Failure{Error: Problem{Type: t, Code: code, Message: message}})
}

// interrupt stops the reply now: audio is forgotten on the way, the client is told
// to fall silent, and what was heard is settled when it has answered.
func (c *conductor) interrupt(reason string) {
	r := c.reply
	if r == nil || r.interrupted() {
		return
	}
	if reason == "turn_detected" {
		c.observeCutOff()
	}
	now := time.Now()
	r.stand.end(now)
	r.turn.cancel(errInterrupted{reason})
	c.send(outbound{flush: r.turn.id, event: ClearAudio{ResponseID: r.turn.responseID, Stream: r.turn.stream(), Reason: reason}})
	if reason == "turn_detected" && r.sentMS > 0 {
		c.totals.BargeIns++
	}
	r.stop(reason, now)
	if r.sentMS == 0 {
		c.settle(0, "estimate", reason)
	}
}

// supersede ends the reply, if there is one, without waiting for the client's word:
// what comes next needs to know now what was heard.
func (c *conductor) supersede(reason string) {
	c.interrupt(reason)
	if c.reply != nil {
		c.settle(c.playedEstimate(time.Now()), "estimate", c.reply.reason)
	}
}

// completeIfHeard completes the reply when all of it was sent and the player is done.
func (c *conductor) completeIfHeard() {
	if r := c.reply; r.stopped && r.allSent && !r.interrupted() {
		c.complete()
	}
}

// onReplyDue ends a reply whose client has not said more.
func (c *conductor) onReplyDue(now time.Time) {
	r := c.reply
	if r.interrupted() {
		c.settle(c.playedEstimate(now), "estimate", r.reason)
		return
	}
	c.complete()
}

// settle ends an interrupted reply: the tutor's message is what was heard.
func (c *conductor) settle(playedMS float64, source, reason string) {
	r := c.reply
	c.reply = nil
	played := int(min(amount(playedMS), float64(r.sentMS)))
	heard := r.heard(played)
	if r.mute {
		heard = r.line.text // it was read, not heard
	}
	c.emit(Truncated{ItemID: r.turn.itemID, AudioEndMS: int64(played), Transcript: heard, Source: source})
	c.emit(ResponseDone{
		Response: ResponseInfo{ID: r.turn.responseID, ItemID: r.turn.itemID, Status: "cancelled",
			Details: &StatusDetails{Reason: reason}, Usage: usageOf(r.delta, r.line.text)},
		Latency: c.over(r),
	})
	c.keepTutor(r, heard, played, true)
	c.fallSilent(r, time.Now())
	c.forgetAside(r)
	c.advise()
}

// complete ends a reply that was heard to its end.
func (c *conductor) complete() {
	r := c.reply
	c.reply = nil
	r.turn.cancel(nil)
	info := ResponseInfo{ID: r.turn.responseID, ItemID: r.turn.itemID, Status: "completed", Usage: usageOf(r.delta, r.line.text)}
	if r.failed {
		info.Status, info.Details = "failed", &StatusDetails{Reason: "error"}
	}
	c.emit(ResponseDone{Response: info, Latency: c.over(r)})
	c.keepTutor(r, r.line.text, r.sentMS, false)
	c.recallHeard()
	c.fallSilent(r, time.Now())
	c.forgetAside(r)
	c.advise()
	if c.watch.draining {
		c.onDrainDue(time.Now())
	}
}

// keepTutor stores the tutor's message.
func (c *conductor) keepTutor(r *reply, heard string, playedMS int, cut bool) {
	if r.turn.repeats != "" {
		c.repeated(r, cut)
		return
	}
	c.totals.Tutor += time.Duration(playedMS) * time.Millisecond
	c.usage.Characters += len([]rune(r.line.text))
	if r.line.text == "" {
		return
	}
	item := Item{ID: r.turn.itemID, Role: "assistant", Status: "completed", Content: []ItemContent{{Type: "output_audio", Text: heard}}}
	if cut {
		item.Status = "incomplete"
	}
	c.prevID = item.ID
	c.keep(learn.Message{
		Turn: c.totals.Turns, Speaker: learn.SpeakerTutor, Source: "voice", Content: r.line.text, Heard: heard, Interrupted: cut,
		Audio: time.Duration(playedMS) * time.Millisecond, Timings: learn.Timings(r.timings.latency()),
		Provider: r.provider(), Tokens: r.delta.Usage.OutputTokens,
	}, item, r.prevID)
}

// aside says whether what the learner has said was not meant to stop the tutor, who
// was saying spoken: a back-channel or an echo. Whoever holds a button means it.
func (c *conductor) aside(spoken string) bool {
	text := c.learner.text()
	return text != "" && c.config.Audio.Input.TurnDetection != nil && !turntaking.Interrupts(text, spoken)
}

// dropAside forgets what was said beside the tutor, unless the learner is still at it.
func (c *conductor) dropAside(spoken string) {
	if c.aside(spoken) && !c.learner.clock.Speaking() && time.Since(c.learner.clock.WordEnd(c.clock.audio())) > clearedWait {
		c.learner = c.learner.fresh()
	}
}

// usageOf is what a reply consumed.
func usageOf(d providers.Delta, text string) *Usage {
	return &Usage{InputTokens: d.Usage.InputTokens, OutputTokens: d.Usage.OutputTokens, Characters: len([]rune(text))}
}
