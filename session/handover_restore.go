package session

import (
	"math"
	"strings"
	"time"

	"kalami/session/cutting"
	"kalami/session/learn"
	"kalami/session/turntaking"
)

// streamsOfEpoch is how many numbers of replies each epoch has for itself where nothing
// is known of those that were used: many more than there are replies in a session.
const streamsOfEpoch = 512

// resumed is p as a session begins from it: with what is known of the session that it
// takes up, as it is after all that is stored. A new session begins from p itself.
func (p Params) resumed() Params {
	if p.Handover == nil && !p.Returning {
		return p
	}
	var h Handover
	if p.Handover != nil {
		h = *p.Handover
	}
	h = h.Reconciled(p.History)
	if h.SessionID == "" {
		h.Streams = uint64(p.Conversation.Epoch) * streamsOfEpoch
		h.Turns = p.Conversation.Totals.Turns
		if len(p.History) == 0 { // nobody has said a word yet
			h.Reply = &OpenReply{Note: learn.Opening(p.Conversation.Scene, false)}
		}
	} else {
		here := p.Config
		p.Config = h.Config.clone()
		p.Config.Parts, p.Config.Demo = here.Parts, here.Demo
		if td := p.Config.Audio.Input.TurnDetection; td != nil {
			td.adapts = h.Adapts
		}
		p.Profile.Habits = h.Habits.Within()
	}
	p.Returning, p.Handover = true, &h
	return p
}

// startedAt is when the session began, be it on another node, whose clock may differ.
func (p Params) startedAt(now time.Time) time.Time {
	if p.Handover == nil || p.Handover.StartedAt.IsZero() {
		return now
	}
	return earlier(p.Handover.StartedAt, now)
}

// takeUp goes on with a session that another node has left.
func (c *conductor) takeUp() {
	h, now := c.params.Handover, time.Now()
	c.turns, c.usage, c.prevID, c.handing.last = h.Streams, h.Usage, h.PrevItemID, h.LastMessage
	c.totals.Turns = max(c.totals.Turns, h.Turns-learners(h.Pending))
	c.watch.reports = c.params.Playback != nil
	if h.Utterance != nil {
		c.handing.reuse = h.Utterance.ItemID
	}
	if h.settled != nil {
		c.tellSettled(h.settled, h.as)
	}
	for _, m := range h.untold {
		c.emit(ItemDone{Item: ItemOf(m)})
	}
	for _, m := range h.Pending {
		c.keepAgain(m)
	}
	if h.Reply != nil {
		c.takeUpReply(h.Reply)
	}
	if c.reply == nil && len(c.history) > 0 { // it is the learner's turn
		c.ladder.from, c.ladder.asked = now, turntaking.LooksFinished(c.question())
	}
}

// utteranceID is the id for what the learner begins to say: that under which another node
// began to hear it, or a new one.
func (c *conductor) utteranceID() string {
	id := cmpOr(c.handing.reuse, c.newID("it_"))
	c.handing.reuse = ""
	return id
}

// tellSettled tells of the end of a reply that another node had stored, and did not come
// to tell.
func (c *conductor) tellSettled(o *OpenReply, m learn.Message) {
	info := ResponseInfo{ID: o.ResponseID, ItemID: o.ItemID, Status: "completed"}
	if m.Interrupted {
		info.Status, info.Details = "cancelled", &StatusDetails{Reason: cmpOr(o.Interrupted, "turn_detected")}
		c.emit(Truncated{ItemID: o.ItemID, AudioEndMS: m.Audio.Milliseconds(), Transcript: m.Heard, Source: "estimate"})
	}
	c.emit(ResponseDone{Response: info})
}

// learners counts those messages that are turns of the learner's.
func learners(messages []learn.Message) (n int) {
	for _, m := range messages {
		if m.Speaker == learn.SpeakerLearner {
			n++
		}
	}
	return n
}

// ItemOf is the entry of the history that a kept message is shown as.
func ItemOf(m learn.Message) Item {
	item := Item{ID: m.UtteranceID, Role: "user", Status: "completed"}
	switch {
	case m.Speaker == learn.SpeakerTutor:
		item.Role, item.Content = "assistant", []ItemContent{{Type: "output_audio", Text: m.Heard}}
		if m.Interrupted {
			item.Status = "incomplete"
		}
	case m.Source == "text":
		item.Content = []ItemContent{{Type: "input_text", Text: m.Content}}
	default:
		item.Content = []ItemContent{{Type: "input_audio", Text: m.Content}}
	}
	return item
}

// keepAgain hands a message to JOURNAL that another node did not come to store.
func (c *conductor) keepAgain(m learn.Message) {
	t := &c.totals
	if m.Speaker == learn.SpeakerLearner {
		t.Turns++
		t.Learner += m.Audio
		t.Words += len(strings.Fields(m.Content))
	} else {
		t.Tutor += m.Audio
	}
	c.history = remember(c.history, m)
	c.record(m, ItemDone{Item: ItemOf(m)})
}

// takeUpReply goes on with the reply that was under way or owed, where [Handover.GoOn]
// has told the client that it does.
func (c *conductor) takeUpReply(o *OpenReply) {
	if o.ResponseID == "" {
		c.beginReply(o.Note)
		return
	}
	s := o.seam(c.params.Playback)
	prompt := c.prompt(c.history, o.Note)
	prompt.Said = o.Text[:s.kept]
	r := c.newReply(prompt, nil)
	r.turn.responseID, r.turn.itemID, r.prevID, r.turn.repeats = o.ResponseID, o.ItemID, o.PrevItemID, o.Repeats
	if o.Repeats != "" && speedOK(o.Speed) {
		r.turn.voice.Speed = o.Speed
	}
	r.made = produced{note: o.Note, complete: o.Complete}
	r.delta.Model, r.delta.Usage.OutputTokens = o.Model, o.Tokens
	r.playedMS, r.sentMS = s.playedMS, s.audioMS
	r.line = o.line(s)
	if s.reported {
		r.reports, r.reportedAt, r.advancedAt = 1, time.Now(), time.Now()
		r.bufferedMS = float64(s.audioMS) - s.playedMS
	}
	c.reply = r
	if s.action == ActionRespeak {
		r.turn.from = &resumption{said: o.Text[:s.text], ms: s.audioMS, sentences: s.sentences,
			text: o.Text[s.text:s.kept], whole: o.Complete && s.kept > 0, aheadMS: s.audioMS - int(s.playedMS)}
		c.showRest(r, o, s)
		c.emit(c.created(r.turn))
		c.think(r.turn)
		return
	}
	// Nothing more is spoken: it keeps the number under which the client knows it.
	r.fromMS = o.FromMS
	c.turns--
	r.turn.id = c.turns - uint64(uint16(c.turns)-o.Stream)
	if s.action == ActionTruncated {
		r.sentMS = o.SentMS
		if s.playsOn {
			r.stop(o.Interrupted, time.Now())
			c.emit(ClearAudio{ResponseID: o.ResponseID, Stream: o.Stream, Reason: o.Interrupted})
			return
		}
		source := "estimate"
		if s.reported {
			source = "client"
		}
		c.settle(s.playedMS, source, o.Interrupted)
		return
	}
	r.allSent = true
	c.showRest(r, o, s)
	c.emit(AudioDone{ResponseID: o.ResponseID, ItemID: o.ItemID, AudioMS: int64(s.audioMS)})
	r.stopped = s.reported && math.Round(s.playedMS) >= float64(s.audioMS) // it will not say so again
	c.completeIfHeard()
}

// line is the reply's timeline as far as the client has it. Of sentences whose words have
// no known places, words share the time.
func (o *OpenReply) line(s seam) *timeline {
	t := newTimeline()
	t.text, t.marks = o.Text[:s.text], true
	words := o.Words
	for _, end := range o.Sentences {
		if end.To > s.text || len(words) > 1 && words[0] <= end.To {
			break
		}
		t.share(end)
	}
	for ; len(words) > 1 && words[0] <= s.text; words = words[2:] {
		from, ms := t.end()
		if words[0] > from {
			t.words = append(t.words, timedWord{From: from, To: words[0], StartMS: ms, EndMS: max(ms, words[1])})
		}
	}
	for _, end := range o.Sentences {
		if from, _ := t.end(); end.To > from && end.To <= s.text {
			t.share(end)
		}
	}
	return t
}

// end is where the words end that have places.
func (t *timeline) end() (to, ms int) {
	if n := len(t.words); n > 0 {
		return t.words[n-1].To, t.words[n-1].EndMS
	}
	return 0, 0
}

// share gives the words up to the end of a sentence their shares of its time.
func (t *timeline) share(s SpokenSentence) {
	from, ms := t.end()
	letters, seen := max(1, cutting.Letters(t.text[from:s.To])), 0
	long := max(0, s.EndMS-ms)
	for at := from; at < s.To; {
		to := min(wordEnd(t.text, at), s.To)
		w := timedWord{From: at, To: to, StartMS: ms + long*seen/letters}
		seen += cutting.Letters(t.text[at:to])
		w.EndMS = ms + long*seen/letters
		t.words = append(t.words, w)
		at = to
	}
}
