package session

import (
	"context"
	"strings"

	"kalami/providers"
	"kalami/session/learn"
)

// What the tutor said last is said again on demand, as a reply whose text is given: it goes
// the way of all replies, so that it is paced, reported, interrupted and handed over like
// them, and asks no model. It is no message: nothing of it is stored, and the client is told
// by [ResponseInfo] which item it repeats.
//
//   - While nobody speaks, it begins at once.
//   - While the tutor speaks, the reply that is heard is the one to be said again. It is
//     stopped, and begun anew, as soon as all of it is known, which mostly it is; to stop it
//     before would lose its end, with the question.
//   - While an answer is being prepared of which nothing was heard, it is refused: the
//     answer comes first.
//   - Whatever ends the reply or takes the turn meanwhile, the learner's words before all,
//     ends the wish as well.
//
// A learner who has heard a repetition to its end has heard the reply, be it that it was
// interrupted at first: the tutor is not reminded that something was not heard.

// repeating is a wish that waits for the rest of a reply; owned by CONDUCTOR's run.
type repeating struct {
	response string // that is to be said again; empty for no wish
	slow     bool
}

// repeat says the last reply again, or notes the wish.
func (c *conductor) repeat(m Repeat, eventID string) {
	c.repeating = repeating{}
	if r := c.reply; r != nil && !r.interrupted() && r.turn.repeats == "" && !r.notice {
		if r.sentMS == 0 && !r.mute {
			c.emit(Failure{Error: Problem{Type: InvalidRequest, Code: ResponseNotActive, EventID: eventID,
				Message: "The tutor is about to answer; that comes first."}})
			return
		}
		c.repeating = repeating{response: r.turn.responseID, slow: m.Slow}
		return // considerRepeat comes next
	}
	c.supersede("client_cancelled") // a repetition is begun anew
	c.sayAgain(m.Slow, eventID)
}

// considerRepeat begins what was wished for, when all of the reply under way is known.
func (c *conductor) considerRepeat() {
	p := c.repeating
	if p.response == "" || c.end != nil {
		return
	}
	r := c.reply
	switch {
	case r == nil || r.turn.responseID != p.response || r.interrupted():
		c.repeating = repeating{}
	case r.made.complete && !c.away.absent():
		c.repeating = repeating{}
		c.supersede("client_cancelled")
		c.sayAgain(p.slow, "")
	}
}

// sayAgain begins a reply that says the last one again.
func (c *conductor) sayAgain(slow bool, eventID string) {
	last, ok := learn.LastSaid(c.history)
	if !ok || c.watch.draining {
		c.emit(Failure{Error: Problem{Type: InvalidRequest, Code: ItemNotFound, EventID: eventID, Message: "There is nothing to say again."}})
		return
	}
	c.dropDraft(dropSuperseded)
	r := c.newReply(providers.Prompt{}, nil)
	r.turn.repeats, r.turn.from = last.UtteranceID, &resumption{text: strings.TrimSpace(last.Content), whole: true}
	if slow {
		r.turn.voice.Speed = learn.SlowRate(cmpOr(r.turn.voice.Speed, 1))
	}
	r.made.complete = true
	c.reply, r.prevID = r, c.prevID
	c.emit(c.created(r.turn))
	c.think(r.turn)
}

// repeated takes note of a repetition that is over: what was heard to its end was heard.
func (c *conductor) repeated(r *reply, cut bool) {
	c.usage.Characters += len([]rune(r.line.text))
	if i := c.place(r.turn.repeats); i >= 0 && !cut && !r.failed {
		m := &c.history[i]
		m.Heard, m.Interrupted = m.Content, false
	}
}

// openRepetition completes what is handed over of a reply that says another one again, or whose
// text was given: all of its text is known, and nobody is to be asked for the rest.
func (c *conductor) openRepetition(o *OpenReply, r *reply) {
	if o.Repeats = r.turn.repeats; o.Repeats == "" && !r.turn.given {
		return
	}
	o.Speed = r.turn.voice.Speed
	if f := r.turn.from; f != nil && strings.HasPrefix(f.said+f.text, o.Text) {
		o.Text = f.said + f.text
	}
}

// fromStart says whether the places in the turn's stream are those in the reply's audio.
func (t *turn) fromStart() bool { return t.from == nil || t.from.ms == 0 }

// place is where in the history that the session knows an item is; -1 for nowhere.
func (c *conductor) place(itemID string) int {
	for i := range c.history {
		if c.history[i].UtteranceID == itemID {
			return i
		}
	}
	return -1
}

// warmAgain makes the voice ready for the next reply, when the last one had a pace of its
// own. Nobody waits for it: if it fails the next reply tries again.
func (s *speak) warmAgain(ctx context.Context, t *turn) {
	if t.repeats == "" || s.stream == nil || s.opened == s.options() {
		return
	}
	if err := s.warm(ctx, s.options()); err != nil {
		s.log.Debug("voice not warmed again", "err", err)
	}
}
