package session

import (
	"math"
	"slices"
	"strings"
	"time"

	"kalami/session/learn"
	"kalami/session/turntaking"
)

// onControl does what the client asks for.
func (c *conductor) onControl(ctl Control, eventID string) {
	if deliberate(ctl) {
		c.stir(time.Now())
	}
	switch m := ctl.(type) {
	case UpdateSession:
		c.update(m.Session, eventID)
	case SetTutor:
		c.setTutor(m, eventID)
	case AskHint:
		c.hint(eventID)
	case Translate:
		c.translate(m, eventID)
	case Repeat:
		c.repeat(m, eventID)
	case EditTranscript:
		c.editTranscript(m, eventID)
	case AnswerReview:
		c.answerReview(m, eventID)
	case EndSession:
		c.finish(&End{Reason: EndNormal}, nil)
	case CommitInput:
		c.commit()
	case ClearInput:
		c.learner = c.learner.fresh()
		c.learner.clearedMS = c.clock.nowMS()
	case CreateItem:
		c.typed(m, eventID)
	case CreateResponse:
		c.supersede("client_cancelled")
		c.beginReply(learn.Wish(m.Instructions))
	case CancelResponse:
		c.cancelResponse(m, eventID)
	case HoldTurn:
		c.hold(m.MS)
	case DeviceState:
		c.onDevice(m)
	case Pong:
		c.watch.pong(m, time.Now())
	case AckEvents:
		// a line has taken note; elsewhere nothing is kept to be sent again
	case AuthRenewed:
		c.watch.validUntil, c.watch.authWarned = m.Until, false
	case InputDropped:
		c.emit(Warning{Code: WarnInputOverrun, Message: "The microphone's audio comes faster than real time; some of it is not used."})
	case Rejected:
		c.rejected(m.Problem)
	case Detached:
		if !c.moving.movedSocket() {
			c.detached(m.Cause, time.Now())
		}
	case Attached:
		c.moving.told, c.moving.alone = time.Time{}, false
		c.attached(m.Playback, time.Now())
	case ResumeSession:
		c.invalid(eventID, "type", "session.resume is the first event of a socket that was opened with a resume token.")
	default:
		c.onPlayback(ctl)
	}
}

// onPlayback takes the player's word for what was heard.
func (c *conductor) onPlayback(ctl Control) {
	const unknown = math.MaxFloat64 // what is buffered, if all that was sent is
	r, now := c.reply, time.Now()
	report := func(id string, played, buffered float64) bool {
		if r == nil || id != r.turn.responseID {
			return false
		}
		c.report(r, played, buffered, now)
		return true
	}
	switch m := ctl.(type) {
	case PlaybackStarted:
		if r != nil && r.reports > 0 && m.ResponseID == r.turn.responseID || report(m.ResponseID, 0, unknown) {
			c.firstHeard(r, m, now)
		}
	case PlaybackPosition:
		report(m.ResponseID, m.PlayedMS, m.BufferedMS)
	case PlaybackMark:
		report(m.ResponseID, m.PlayedMS, unknown)
	case PlaybackStopped:
		if report(m.ResponseID, m.PlayedMS, 0) {
			r.stopped, r.bufferedMS = true, 0
			c.completeIfHeard()
		}
	case PlaybackCleared:
		if r != nil && m.ResponseID == r.turn.responseID && r.interrupted() {
			c.settle(c.cleared(r, m.PlayedMS), "client", r.reason)
		}
	}
}

// typed takes a message that was written instead of spoken.
func (c *conductor) typed(m CreateItem, eventID string) {
	if m.ID != "" && c.typedBefore(m.ID) {
		return
	}
	text := strings.TrimSpace(m.Text)
	plantedPanic(text)
	if text == "" {
		c.invalid(eventID, "item.content", "The message is empty.")
		return
	}
	c.supersede("client_cancelled")
	if c.learner.text() != "" { // what was being said comes first
		c.keepLearner(turntaking.ByClient)
	}
	item := Item{ID: cmpOr(m.ID, c.newID("it_")), Role: "user", Status: "completed", Content: []ItemContent{{Type: "input_text", Text: text}}}
	c.emit(ItemAdded{Item: item, PreviousItemID: c.prevID})
	prev := c.prevID
	c.prevID = item.ID
	c.totals.Words += len(strings.Fields(text))
	c.keep(learn.Message{Turn: c.totals.Turns + 1, Speaker: learn.SpeakerLearner, Source: "text", Content: text, Heard: text}, item, prev)
	c.totals.Turns++
	c.watch.speech(time.Now())
	c.beginReply("")
}

// typedBefore says whether a message is there already: its client does not know that it had
// arrived before a socket was lost. One that is stored is told so again, others when they are.
func (c *conductor) typedBefore(id string) bool {
	named := func(m learn.Message) bool { return m.UtteranceID == id }
	if !c.handing.on || slices.ContainsFunc(c.handing.pending, named) {
		return slices.ContainsFunc(c.history, named)
	}
	i := slices.IndexFunc(c.history, named)
	if i >= 0 {
		c.emit(ItemDone{Item: ItemOf(c.history[i])})
	}
	return i >= 0
}

// commit ends the learner's turn at the client's word. There may be no words yet: they
// come later than the voice, so that the turn waits a moment for them in any case.
func (c *conductor) commit() {
	c.answerAside(c.learner.side)
	if c.learner.text() != "" {
		c.interrupt("client_cancelled")
	}
	c.closeTurn(turntaking.ByClient)
}

// hold keeps the learner's turn open, also one that was about to close by itself.
func (c *conductor) hold(ms int) {
	hold := holdDefault
	if ms > 0 {
		hold = time.Duration(min(ms, holdMost)) * time.Millisecond
	}
	c.dropDraft(dropHeld) // more is to come
	c.learner.clock.Hold(time.Now().Add(hold))
}

// cancelResponse is the stop button.
func (c *conductor) cancelResponse(m CancelResponse, eventID string) {
	if c.reply == nil || m.ResponseID != "" && m.ResponseID != c.reply.turn.responseID {
		c.emit(Failure{Error: Problem{Type: InvalidRequest, Code: ResponseNotActive, Message: "That response is not being spoken.",
			Param: "response_id", EventID: eventID}})
		return
	}
	c.interrupt("client_cancelled")
}

// rejected answers what the gateway could not accept.
func (c *conductor) rejected(p Problem) {
	if p.Fatal {
		c.finish(&End{Reason: endOfProblem(p.Code), Code: p.Code}, &p)
		return
	}
	c.emit(Failure{Error: p})
}

// endOfProblem is how a session ends for a fatal problem of the client's making.
func endOfProblem(code Code) EndReason {
	switch code {
	case RateLimited, InputOverrun:
		return EndRateLimited
	case TicketInvalid, TicketExpired:
		return EndUnauthorised
	case Forbidden:
		return EndForbidden
	case MessageTooLarge:
		return EndTooBig
	case InvalidJSON: // fatal only when a text is no text
		return EndBadUTF8
	}
	return EndBadRequest
}

// invalid answers an event whose field is wrong.
func (c *conductor) invalid(eventID, param, message string) {
	c.emit(Failure{Error: Problem{Type: InvalidRequest, Code: InvalidEvent, Message: message, Param: param, EventID: eventID}})
}

// setTutor changes the settings of this conversation.
func (c *conductor) setTutor(m SetTutor, eventID string) {
	next := c.config.clone()
	if m.PatienceMS != nil {
		if !patienceOK(*m.PatienceMS) {
			c.invalid(eventID, "patience_ms", "Patience is between 800 and 4000 milliseconds.")
			return
		}
		if next.Audio.Input.TurnDetection != nil {
			next.Audio.Input.TurnDetection.choose(*m.PatienceMS)
		}
	}
	if m.SpeechRate != nil {
		if !speedOK(*m.SpeechRate) {
			c.invalid(eventID, "speech_rate", "The speech rate is between 0.5 and 1.5.")
			return
		}
		next.Audio.Output.Speed = *m.SpeechRate
	}
	if m.CorrectionMode != nil {
		if !learn.CorrectionMode(*m.CorrectionMode).Valid() {
			c.invalid(eventID, "correction_mode", "The correction mode is one of flow, balanced, strict, elicit, silent.")
			return
		}
		next.CorrectionMode = *m.CorrectionMode
	}
	c.adopt(next)
}

// adopt makes a configuration effective and says so.
func (c *conductor) adopt(next Config) {
	c.config = next
	c.dropDraft(dropSuperseded) // it was made for other settings
	c.settings.follow(c.config)
	c.emit(Updated{Session: c.config})
}

// update merges the unlocked fields of session.update.
func (c *conductor) update(p ConfigPatch, eventID string) {
	next := c.config.clone()
	if p.Duplex != nil {
		if *p.Duplex != "full" && *p.Duplex != "half" {
			c.invalid(eventID, "session.duplex", "Duplex is full or half.")
			return
		}
		next.Duplex = *p.Duplex
	}
	if p.Audio != nil {
		if problem := next.Audio.merge(p.Audio, c.link.started.Load(), c.turns > 0 && c.speaking()); problem != nil {
			problem.EventID = eventID
			c.emit(Failure{Error: *problem})
			return
		}
	}
	if p.Duplex != nil {
		c.chooseDuplex()
	}
	c.adopt(next.Completed(c.params.Profile))
}

// speaking says whether audio of the tutor has been sent in this session.
func (c *conductor) speaking() bool {
	return c.turns > 1 || c.reply == nil || c.reply.sentMS > 0
}
