package session

import (
	"strings"
	"time"

	"kalami/providers"
	"kalami/session/learn"
	"kalami/session/turntaking"
)

const (
	// notUnderstoodVoice is how much voice without words makes the tutor say that it did not understand.
	notUnderstoodVoice = 700 * time.Millisecond
	// holdDefault is how long tutor.hold keeps a turn open when it does not say, and
	// holdMost, in milliseconds, the longest that it may ask for.
	holdDefault = 15 * time.Second
	holdMost    = 120_000
)

// learnerTurn is what the learner has said since the last turn ended.
type learnerTurn struct {
	itemID   string // empty until something is heard
	fromMS   int64  // where it began in the session's audio, as far as is known
	clock    turntaking.Clock
	finals   []understood // rising; what is over, of the segments before the open one
	past     past
	language string

	// the recogniser's segment that is not final
	open    bool
	ended   bool // its end has come: no event of it is expected
	epoch   int
	segment int
	partial string
	skip    int // units of this segment that belong to the turn before
	pending []providers.Word
	// segmentAt is when the segment was first heard of
	segmentAt time.Time
	side      sideWords
	// clearedMS: what was said before then the learner has taken back
	clearedMS int64

	voiced   time.Duration
	emptyEnd bool // the recogniser said that there was nothing to understand

	wordsAt time.Time // when there was text first
	longAt  time.Time // when the text passed turnChars
	fullAt  time.Time // when it passed turnCharsMost
	limited bool      // the tutor takes the turn
}

// fresh starts the next turn, remembering what of an open segment was already used.
func (l *learnerTurn) fresh() learnerTurn {
	next := learnerTurn{clock: l.clock.Next(time.Now()), epoch: l.epoch, segment: l.segment, segmentAt: l.segmentAt, ended: l.ended,
		clearedMS: l.clearedMS, past: l.past.add(l.finals)}
	next.skip = l.skip + units(l.partial) // until the segment ends
	return next
}

// beginLearner gives the turn its item and tells the client that somebody speaks.
func (c *conductor) beginLearner(atMS int64) {
	if c.learner.itemID == "" {
		c.learner.itemID, c.learner.fromMS = c.utteranceID(), atMS
		c.learner.clock.Begin(time.Now())
		c.emit(SpeechStarted{ItemID: c.learner.itemID, AudioStartMS: atMS})
	}
	c.learner.fromMS = min(c.learner.fromMS, atMS)
}

// onVoice follows the learner's voice.
func (c *conductor) onVoice(e voiceEdge) {
	switch e.kind {
	case voiceLasting:
		c.pauseFor(e.atMS, time.Now())
		return
	case voiceHushed:
		c.playOn(time.Now())
		return
	}
	c.noteVoice(e)
	l := &c.learner
	if c.reply == nil {
		c.stirByVoice(time.Now())
	}
	l.clock.Voice(e.kind == voiceStarted, e.atMS)
	if e.kind == voiceStarted {
		switch {
		case l.itemID != "":
			c.emit(SpeechStarted{ItemID: l.itemID, AudioStartMS: e.atMS})
		case c.reply == nil: // else it may be the tutor's echo: words decide
			c.beginLearner(e.atMS)
		}
		return
	}
	l.voiced += e.voiced
	if l.itemID != "" {
		c.emit(SpeechStopped{ItemID: l.itemID, AudioEndMS: e.atMS})
	}
}

// onHeard takes what the recogniser understood.
func (c *conductor) onHeard(m heardMsg) {
	switch {
	case m.down != nil:
		c.recogniserDown(m.down)
		return
	case m.awake:
		c.awake()
		return
	case m.up:
		c.watch.deaf = false
		if !c.ladder.from.IsZero() { // it stood still
			c.ladder.from = time.Now()
		}
		c.link.dropped.Store(0) // while nobody heard, as the client was told
		c.emit(Warning{Code: WarnUpstreamDegraded, Message: "Hearing works again."})
		return
	}
	c.lively()
	if !c.inOrder(m) {
		return
	}
	l := &c.learner
	switch m.event.Kind {
	case providers.HeardStart, providers.HeardResumed:
		if c.reply == nil {
			c.beginLearner(int64(m.event.StartMS))
		}
	case providers.HeardUpdate, providers.HeardEagerEnd:
		c.hypothesis(m.event, false)
	case providers.HeardEnd:
		c.hypothesis(m.event, true)
		c.obey(l.clock.Ended(c.moment(time.Now())))
	}
	c.draftHears(m.event.Kind)
}

// hypothesis takes a segment's text, which replaces what was understood of it so far.
func (c *conductor) hypothesis(ev providers.Heard, final bool) {
	l := &c.learner
	if end := int64(ev.EndMS); ev.Text != "" && 0 < end && end <= l.clearedMS {
		l.skip = units(ev.Text) // taken back before it was understood
	}
	text, words := withoutFirst(ev.Text, ev.Words, l.skip)
	if c.overhear(ev, text, words, final) {
		return
	}
	changed := text != l.partial
	l.partial, l.pending, l.open = text, words, true
	if text != "" {
		if changed {
			c.spoke()
		}
		if ev.Language != "" {
			l.language = ev.Language
		}
		c.beginLearner(int64(ev.StartMS))
	}
	asksForTime := false
	if final {
		l.partial, l.pending = "", nil
		if ev.Text != "" {
			asksForTime = text != "" && c.asksForTime(text)
			l.keep(understood{skip: l.skip, text: text, words: words, forTime: asksForTime}) // without text it belongs to the turn before
		} else {
			l.emptyEnd = l.text() == ""
		}
		l.open, l.ended, l.skip = false, true, 0
	}
	endMS := int64(ev.EndMS)
	if text == "" {
		endMS = 0
	}
	l.clock.Words(turntaking.Words{Text: l.text(), EndMS: endMS, Open: !final, Final: final}, time.Now())
	if text == "" {
		return
	}
	if asksForTime {
		c.holdByWord()
	}
	if final {
		c.showTranscript(1)
	} else if changed {
		c.showTranscript(0)
	}
	c.yieldTo()
}

// spoke takes words as a sign of life.
func (c *conductor) spoke() {
	now := time.Now()
	c.watch.speech(now)
	c.stir(now)
}

// giveUp drops a voice in which there were no words.
func (c *conductor) giveUp() {
	l, silent := &c.learner, c.silentTo(doubtFirst)
	voiced := l.voiced >= notUnderstoodVoice
	if (voiced || l.emptyEnd) && l.join(true) == "" {
		c.emit(NotUnderstood{ItemID: cmpOr(l.itemID, c.newID("it_"))}) // beside the tutor a voice gets no item
	}
	c.ladder.from = later(c.ladder.from, l.clock.HeldUntil())
	c.learner = l.fresh()
	if voiced {
		c.gaveUp(silent, time.Now())
	}
}

// endTurn commits what the learner said and has the tutor answer.
func (c *conductor) endTurn() {
	if c.holdInstead() {
		return
	}
	if c.learner.text() == "" {
		c.giveUp()
		return
	}
	speechEnd, final, note := c.speechEnd(), c.learner.clock.FinalAt(), c.learner.turnNote()
	c.supersede("client_cancelled") // nothing else ends a turn while the tutor speaks
	ready := c.draftFor(c.learner.text())
	c.observeTurn()
	c.keepLearner(c.learner.clock.Reason())
	c.totals.Turns++
	c.answer(ready, note)
	if c.reply != nil {
		c.reply.comesIn = note != ""
		c.reply.timings.answers(speechEnd, final, c.reply.timings.turnEnd)
	}
}

// keepLearner turns what was said into an item and a message, and starts the next turn.
// An empty reason means that the session's end cut the turn.
func (c *conductor) keepLearner(reason turntaking.Reason) {
	l := &c.learner
	text, shown, words := l.text(), l.join(true), l.words()
	item := Item{ID: l.itemID, Role: "user", Status: "completed", Content: []ItemContent{{Type: "input_audio", Text: text}}}
	c.emit(Committed{ItemID: item.ID, PreviousItemID: c.prevID, Reason: string(cmpOr(reason, turntaking.ByLimit))})
	c.emit(TranscriptCompleted{ItemID: item.ID, Transcript: shown, Language: l.language, Words: heardWords(words)})
	c.emit(ItemAdded{Item: item, PreviousItemID: c.prevID})
	prev := c.prevID
	c.prevID = item.ID
	c.totals.Learner += l.voiced
	c.totals.Words += len(strings.Fields(text))
	c.keep(learn.Message{
		Turn: c.totals.Turns + 1, Speaker: learn.SpeakerLearner, Source: "voice", Content: text, Heard: shown,
		Words: spokenTimes(words), Audio: l.voiced, Provider: c.config.Parts.STT, Input: c.inputEnd(lastWordMS(words)),
	}, item, prev)
	c.recall.saidMS = l.fromMS
	c.acks.unstored = append(c.acks.unstored, unstored{itemID: item.ID, fromMS: l.fromMS})
	c.learner = l.fresh()
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
