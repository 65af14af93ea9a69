package session

import (
	"strings"
	"time"

	"kalami/providers"
	"kalami/session/learn"
	"kalami/session/turntaking"
)

const (
	// finalWait is how long a turn that is over waits for the recogniser's last word.
	finalWait = 700 * time.Millisecond
	// noiseHold is how much longer than patience a voice without words may keep a turn open.
	noiseHold = 3 * time.Second
	// outstanding is how much later than the last word a voice must have ended for
	// words to be still on their way.
	outstanding = 400 * time.Millisecond
	// lagging is how long after its end a word must come for the recogniser to be
	// behind, and catchUpWait how long one that is behind may take for its next words.
	lagging     = time.Second
	catchUpWait = 2 * time.Second
	// notUnderstoodVoice is how much voice without words makes the tutor say that it did not understand.
	notUnderstoodVoice = 700 * time.Millisecond
	// notUnderstoodWait is how long after such a voice words may still come.
	notUnderstoodWait = 2 * time.Second
	// holdDefault is how long tutor.hold keeps a turn open when it does not say, and
	// holdMost, in milliseconds, the longest that it may ask for.
	holdDefault = 15 * time.Second
	holdMost    = 120_000
)

// learnerTurn is what the learner has said since the last turn ended.
type learnerTurn struct {
	itemID   string // empty until something is heard
	began    time.Time
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
	// clearedMS: what was said before then the learner has taken back
	clearedMS int64

	lastWordMS int64     // session audio time at which the last word ended; 0 when unknown
	changed    time.Time // when the text last changed
	finalAt    time.Time // when the last final came

	voiceOn    bool
	voiceEndMS int64
	voiced     time.Duration
	emptyEnd   bool // the recogniser said that there was nothing to understand

	held       time.Time // patience does not end before
	heldByWord bool      // because the learner said so
	heldBefore time.Time // what held would be without that

	longAt  time.Time // when the text passed turnChars
	fullAt  time.Time // when it passed turnCharsMost
	limited bool      // the tutor takes the turn

	closing time.Time // the turn is over; the last final is awaited until then
	reason  string    // why the turn closes
}

// fresh starts the next turn, remembering what of an open segment was already used.
func (l *learnerTurn) fresh() learnerTurn {
	next := learnerTurn{voiceOn: l.voiceOn, voiceEndMS: l.voiceEndMS, epoch: l.epoch, segment: l.segment, ended: l.ended,
		clearedMS: l.clearedMS, past: l.past.add(l.finals)}
	if l.open {
		next.skip = l.skip + units(l.partial)
	}
	return next
}

// begin gives the turn its item and tells the client that somebody speaks.
func (c *conductor) beginLearner(atMS int64) {
	if c.learner.itemID == "" {
		c.learner.itemID, c.learner.began = c.newID("it_"), time.Now()
		c.emit(SpeechStarted{ItemID: c.learner.itemID, AudioStartMS: atMS})
	}
}

// onVoice follows the learner's voice.
func (c *conductor) onVoice(e voiceEdge) {
	c.noteVoice(e)
	l := &c.learner
	c.stir(time.Now())
	if e.kind == voiceStarted {
		l.voiceOn = true
		switch {
		case l.itemID != "":
			c.emit(SpeechStarted{ItemID: l.itemID, AudioStartMS: e.atMS})
		case c.reply == nil: // else it may be the tutor's echo: words decide
			c.beginLearner(e.atMS)
		}
		return
	}
	l.voiceOn, l.voiceEndMS = false, e.atMS
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
		if !l.closing.IsZero() && c.caughtUpBy().IsZero() {
			c.endTurn() // this is the last word that was awaited
		}
	}
}

// hypothesis takes a segment's text, which replaces what was understood of it so far.
func (c *conductor) hypothesis(ev providers.Heard, final bool) {
	l := &c.learner
	if end := int64(ev.EndMS); ev.Text != "" && 0 < end && end <= l.clearedMS {
		l.skip = units(ev.Text) // taken back before it was understood
	}
	text, words := withoutFirst(ev.Text, ev.Words, l.skip)
	changed := text != l.partial
	l.partial, l.pending, l.open = text, words, true
	if text != "" {
		if changed {
			l.changed = time.Now()
			c.spoke()
			l.goOn()
			if l.voiceOn && l.reason == "semantic" {
				l.closing = time.Time{} // the learner goes on after all
			}
		}
		if end := int64(ev.EndMS); end > 0 {
			l.lastWordMS = max(l.lastWordMS, end)
		}
		if ev.Language != "" {
			l.language = ev.Language
		}
		c.beginLearner(int64(ev.StartMS))
	}
	if final {
		l.finalAt = time.Now()
		l.partial, l.pending = "", nil
		if ev.Text != "" {
			aside := text != "" && c.asksForTime(text)
			l.keep(understood{skip: l.skip, text: text, words: words, aside: aside}) // without text it belongs to the turn before
			if aside {
				c.holdByWord()
			}
		} else {
			l.emptyEnd = l.text() == ""
		}
		l.open, l.ended, l.skip = false, true, 0
	}
	if text == "" {
		return
	}
	if final {
		c.showTranscript(1)
	} else if changed {
		c.showTranscript(0)
	}
	if c.reply != nil && !c.reply.interrupted() && c.mayInterrupt() && !c.guarded(time.Now()) && turntaking.Interrupts(l.join(true), c.reply.audible()) {
		c.interrupt("turn_detected")
	}
}

// spoke takes words as a sign of life.
func (c *conductor) spoke() {
	now := time.Now()
	c.watch.speech(now)
	c.stir(now)
}

// mayInterrupt says whether speech stops the tutor in this session.
func (c *conductor) mayInterrupt() bool {
	td := c.config.Audio.Input.TurnDetection
	return c.config.Duplex != "half" && td != nil && td.InterruptResponse
}

// turnDeadline is when the learner's turn is over if nothing more is heard; zero for never.
func (c *conductor) turnDeadline(now time.Time) time.Time {
	l := &c.learner
	if l.reason == "semantic" && !l.closing.IsZero() {
		return later(l.closing, c.caughtUpBy())
	}
	if !l.closing.IsZero() {
		return l.closing
	}
	if c.reply != nil { // whoever speaks over the tutor without stopping it waits for its end
		return time.Time{}
	}
	text := l.text()
	if text == "" {
		return c.notUnderstoodAt()
	}
	td := c.config.Audio.Input.TurnDetection
	if td == nil {
		return time.Time{} // push-to-talk
	}
	if at := c.endpointAt(); !at.IsZero() {
		return later(later(at, l.held), c.caughtUpBy())
	}
	wait := turntaking.PatienceFor(time.Duration(td.PatienceMS)*time.Millisecond, c.config.Language, text, c.asked())
	at := c.quietSince().Add(wait)
	if l.voiceOn {
		at = later(at, now.Add(vadWindow*vadRelease)) // look again when the voice may have ended
		if limit := c.wordEnd().Add(wait + noiseHold); at.After(limit) {
			at = limit
		}
	}
	return later(later(at, l.held), c.caughtUpBy())
}

// asked says whether the tutor's last words, as far as they were heard, were a question.
func (c *conductor) asked() bool {
	for i := len(c.history) - 1; i >= 0; i-- {
		if c.history[i].Speaker == learn.SpeakerTutor {
			return turntaking.LooksFinished(c.history[i].Heard)
		}
	}
	return false
}

// notUnderstoodAt is when a voice without words is given up; zero when there is none.
func (c *conductor) notUnderstoodAt() time.Time {
	l := &c.learner
	if l.itemID == "" || l.voiceOn {
		return time.Time{}
	}
	return later(later(l.began, c.clock.when(l.voiceEndMS)).Add(notUnderstoodWait), l.held)
}

// wordEnd is when the last word ended; when the recogniser gives no times, when it came.
func (c *conductor) wordEnd() time.Time {
	l := &c.learner
	if l.lastWordMS == 0 {
		return l.changed
	}
	at := c.clock.when(l.lastWordMS)
	if at.IsZero() || at.After(l.changed) { // typed, or a recogniser that counts ahead
		return l.changed
	}
	return at
}

// quietSince is when the learner fell silent, by words and by voice.
func (c *conductor) quietSince() time.Time {
	return later(c.wordEnd(), c.clock.when(c.learner.voiceEndMS))
}

// caughtUpBy is until when the next words are awaited of a recogniser that is behind:
// its last ones came late, and there was voice after them. Without this wait each of
// them would be a turn, because its patience ended before it came. Zero when the
// recogniser keeps up.
func (c *conductor) caughtUpBy() time.Time {
	l := &c.learner
	voiceTo := l.voiceEndMS
	if l.voiceOn {
		voiceTo = c.clock.nowMS()
	}
	if l.changed.Sub(c.wordEnd()) < lagging || voiceTo-l.lastWordMS <= outstanding.Milliseconds() {
		return time.Time{}
	}
	return l.changed.Add(catchUpWait)
}

// onTurnDue closes the learner's turn: at once when all is final, else after the
// recogniser was asked for its last word.
func (c *conductor) onTurnDue(time.Time) {
	l := &c.learner
	switch {
	case l.text() == "" && l.closing.IsZero():
		c.giveUp()
	case !l.closing.IsZero():
		c.endTurn()
	default:
		c.closeTurn(c.endReason())
	}
}

// closeTurn ends the learner's turn, waiting a little for words on their way.
func (c *conductor) closeTurn(reason string) {
	l := &c.learner
	if !l.closing.IsZero() {
		return
	}
	l.reason = reason
	missing := l.voiceOn || l.text() == "" || c.voiceUnheard()
	if !l.open && !missing {
		c.endTurn()
		return
	}
	l.closing = time.Now().Add(finalWait)
	select {
	case c.lanes.finalize <- struct{}{}:
	default: // already asked
	}
}

// giveUp drops a voice in which there were no words.
func (c *conductor) giveUp() {
	l := &c.learner
	if (l.voiced >= notUnderstoodVoice || l.emptyEnd) && l.join(true) == "" {
		c.emit(NotUnderstood{ItemID: l.itemID})
	}
	c.ladder.from = later(c.ladder.from, l.held)
	c.learner = l.fresh()
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
	speechEnd, final, note := c.speechEnd(), c.learner.finalAt, c.learner.turnNote()
	c.supersede("client_cancelled") // nothing else ends a turn while the tutor speaks
	c.keepLearner()
	c.totals.Turns++
	c.beginReply(note)
	if c.reply != nil {
		c.reply.comesIn = note != ""
		c.reply.timings.answers(speechEnd, final, c.reply.timings.turnEnd)
	}
}

// keepLearner turns what was said into an item and a message, and starts the next turn.
func (c *conductor) keepLearner() {
	l := &c.learner
	text, shown, words := l.text(), l.join(true), l.words()
	item := Item{ID: l.itemID, Role: "user", Status: "completed", Content: []ItemContent{{Type: "input_audio", Text: text}}}
	if l.reason == "" {
		l.reason = "timeout"
	}
	c.emit(Committed{ItemID: item.ID, PreviousItemID: c.prevID, Reason: l.reason})
	c.emit(TranscriptCompleted{ItemID: item.ID, Transcript: shown, Language: l.language, Words: heardWords(words)})
	c.emit(ItemAdded{Item: item, PreviousItemID: c.prevID})
	prev := c.prevID
	c.prevID = item.ID
	c.totals.Learner += l.voiced
	c.totals.Words += len(strings.Fields(text))
	c.keep(learn.Message{
		Turn: c.totals.Turns + 1, Speaker: learn.SpeakerLearner, Source: "voice", Content: text, Heard: shown,
		Words: spokenTimes(words), Audio: l.voiced, Provider: c.config.Parts.STT,
	}, item, prev)
	c.learner = l.fresh()
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
