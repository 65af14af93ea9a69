package session

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kalami/session/learn"
)

// Help in a live session. CONDUCTOR asks [Help] in goroutines of their own, which it joins
// when the session ends: a hint or a translation never stands between the learner and the
// tutor, it comes when it comes, and within helpWait. What is asked for again while it is
// being made is answered once. It is none of the session's state: of what was asked on
// another node nothing is known here, and the client asks again.

const (
	// helpAtOnce is how many answers are awaited at a time; further questions are refused.
	helpAtOnce = 3
	// helpBurst is how many questions a session may ask without a pause, and helpEvery how
	// soon one more after that.
	helpBurst = 6
	helpEvery = 5 * time.Second
)

// helping is what CONDUCTOR knows of questions under way; owned by its run.
type helping struct {
	ctx     context.Context // of the questions; nil before the first
	stop    context.CancelFunc
	asking  sync.WaitGroup
	pending map[string]bool // what is being asked: a source text, or the empty one for a hint
	hints   int
	// spent is when as many questions may be asked at once as ever again
	spent time.Time
}

// assisted is the answer to one question; key is that of helping.pending.
type assisted struct {
	key     string
	event   Event
	err     error
	eventID string
	param   string
}

// askHint has somebody think of what the learner could say.
func (c *conductor) askHint(eventID string) {
	if !c.mayAsk("", eventID, time.Now()) {
		return
	}
	said := append([]learn.Message(nil), c.history...)
	if r := c.reply; r != nil && r.line.text != "" && r.turn.repeats == "" { // it is what is to be answered
		said = append(said, learn.Message{Speaker: learn.SpeakerTutor, Content: r.line.text, Heard: r.line.text})
	}
	stuck := learn.Stuck{Language: c.config.Language, NativeLanguage: c.config.NativeLanguage, Level: learn.Level(c.config.Level),
		Topic: c.config.Topic, Scene: c.params.Conversation.Scene, Goals: c.openGoals(c.params.Conversation.Scene.Open()), Said: said}
	n := c.helping.hints
	c.helping.hints++
	c.seek(assisted{eventID: eventID}, func(ctx context.Context) (Event, error) { return c.help.hint(ctx, stuck, n) })
}

// translate has an item or a text translated.
func (c *conductor) translate(m Translate, eventID string) {
	param, text := "text", m.Text
	if m.ItemID != "" {
		param = "item_id"
		var found bool
		if text, found = c.textOf(m.ItemID); !found {
			c.noItem(eventID)
			return
		}
	}
	if text == "" || !learn.Translatable(text) {
		c.invalid(eventID, param, fmt.Sprintf("What is translated at once has 1 to %d characters.", learn.TranslatedMost))
		return
	}
	if !c.mayAsk(text, eventID, time.Now()) {
		return
	}
	owner := c.params.Conversation.TenantID + "/" + c.params.User.ID
	f := learn.Foreign{Language: c.config.Language, NativeLanguage: c.config.NativeLanguage, Text: text}
	c.seek(assisted{key: text, eventID: eventID, param: param}, func(ctx context.Context) (Event, error) {
		t, err := c.help.translation(ctx, owner, f)
		t.ItemID = m.ItemID
		return t, err
	})
}

// textOf is what the learner is shown of an item; false for one that the session does not
// know, be it that it was said too long ago.
func (c *conductor) textOf(itemID string) (string, bool) {
	if r := c.reply; r != nil && r.turn.itemID == itemID {
		return r.line.text, true
	}
	if i := c.place(itemID); i >= 0 {
		return shownOf(c.history[i]), true
	}
	return "", false
}

// noItem answers a question about an item that there is not.
func (c *conductor) noItem(eventID string) {
	c.emit(Failure{Error: Problem{Type: InvalidRequest, Code: ItemNotFound, Param: "item_id", EventID: eventID,
		Message: "The conversation has no such item, or it is too long ago."}})
}

// mayAsk says whether a question may be asked now, and counts it; else it is answered. One
// that is being asked will be answered.
func (c *conductor) mayAsk(key, eventID string, now time.Time) bool {
	h := &c.helping
	if h.pending[key] {
		return false
	}
	refused := func(after time.Duration) bool {
		c.emit(Failure{Error: Problem{Type: RateLimitError, Code: RateLimited, EventID: eventID, RetryAfterMS: int(after.Milliseconds()),
			Message: "Too many questions at once; try again in a moment."}})
		return false
	}
	if len(h.pending) == helpAtOnce {
		return refused(helpEvery)
	}
	spent := later(h.spent, now).Add(helpEvery)
	if over := spent.Sub(now) - helpBurst*helpEvery; over > 0 {
		return refused(over)
	}
	h.spent = spent
	return true
}

// seek asks in a goroutine of its own.
func (c *conductor) seek(q assisted, ask func(context.Context) (Event, error)) {
	h := &c.helping
	if h.ctx == nil {
		h.ctx, h.stop = context.WithCancel(c.ctx)
		h.pending = map[string]bool{}
	}
	h.pending[q.key] = true
	ctx := h.ctx
	h.asking.Go(func() {
		q.event, q.err = ask(ctx)
		c.lanes.helped <- q // there is room for all that are pending
	})
}

// onHelped tells the client what came of a question.
func (c *conductor) onHelped(q assisted) {
	delete(c.helping.pending, q.key)
	if q.err == nil {
		c.showHelp(q.event)
		return
	}
	c.emit(Failure{Error: Problem{Type: UpstreamError, Code: LLMUnavailable, Param: q.param, EventID: q.eventID,
		Message: "Nobody can answer that at the moment; try again shortly."}})
}

// stopHelping ends the questions under way and waits for them.
func (c *conductor) stopHelping() {
	if c.helping.ctx != nil {
		c.helping.stop()
		c.helping.asking.Wait()
	}
}
