package session

import (
	"context"
	"strings"
	"time"

	"kalami/providers"
	"kalami/session/cutting"
)

// think asks the tutor for one reply at a time and cuts it into pieces that can be spoken.
type think struct {
	tutor providers.Tutor
	lanes *lanes

	// owned by run
	handed bool // some text of the turn was handed on
}

// run takes turns until ctx ends. A turn's own context ends it earlier.
func (th *think) run(ctx context.Context) error {
	for {
		select {
		case t := <-th.lanes.turns:
			if err := th.turn(t); err != nil && t.ctx.Err() == nil {
				th.apologise(t, err)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// apologise ends a reply that the tutor could not finish: what was handed on
// stays; when that is nothing, the learner hears the turn's apology. An error here
// means that nobody wants the turn any more.
func (th *think) apologise(t *turn, err error) {
	if th.lanes.report(t.ctx, progress{turn: t, kind: thinkFailed, at: time.Now(), err: err}) != nil {
		return
	}
	if t.letGo(t.ctx) != nil {
		return // a draft that fails is no answer: the turn will have another
	}
	if !th.handed && th.hand(t, t.apology, false) != nil {
		return
	}
	_ = th.hand(t, "", true)
}

// turn makes one reply. It returns the tutor's error; what had been cut by then
// has been handed on, and CONDUCTOR decides how the reply ends.
func (th *think) turn(t *turn) error {
	th.handed = false
	cutter := cutting.New(t.language)
	began := false
	delta, err := readReply(t.ctx, th.tutor, t.prompt, func(text string) error {
		t.countRead(text)
		if !began {
			began = true
			if err := th.lanes.report(t.ctx, progress{turn: t, kind: thinkFirstToken, at: time.Now()}); err != nil {
				return err
			}
		}
		cutter.Write(text)
		for piece, ok := cutter.Next(); ok; piece, ok = cutter.Next() {
			if err := th.piece(t, piece); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := th.piece(t, cutter.Rest()); err != nil {
		return err
	}
	if !th.handed {
		return nothingSaid(th.tutor)
	}
	return th.finish(t, delta)
}

// piece hands a piece with something to say on, and reports the first one.
func (th *think) piece(t *turn, text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	if !th.handed {
		if err := th.lanes.report(t.ctx, progress{turn: t, kind: thinkFirstClause, at: time.Now()}); err != nil {
			return err
		}
	}
	return th.hand(t, text, false)
}

// finish hands on the end of the text and reports what the reply consumed.
func (th *think) finish(t *turn, delta providers.Delta) error {
	if err := th.lanes.report(t.ctx, progress{turn: t, kind: thinkDone, at: time.Now(), delta: delta}); err != nil {
		return err
	}
	return th.hand(t, "", true)
}

// hand gives a piece to SPEAK and tells CONDUCTOR what it was.
func (th *think) hand(t *turn, text string, last bool) error {
	if text != "" {
		if err := th.lanes.report(t.ctx, progress{turn: t, kind: thinkText, text: text}); err != nil {
			return err
		}
	}
	select {
	case th.lanes.text <- clause{turn: t, text: text, last: last}:
		th.handed = th.handed || text != ""
		return nil
	case <-t.ctx.Done():
		return context.Cause(t.ctx)
	}
}
