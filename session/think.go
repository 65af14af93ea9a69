package session

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"kalami/providers"
	"kalami/session/cutting"
)

// think asks the tutor for one reply at a time and cuts it into pieces that can be spoken.
type think struct {
	tutor providers.Tutor
	lanes *lanes

	// owned by run, and by the goroutine that asks while there is one
	began  bool   // the tutor has said something in the turn
	handed bool   // some text of the turn was handed on
	said   string // which it is, behind what another node has said
}

// run takes turns until ctx ends. A turn's own context ends it earlier.
func (th *think) run(ctx context.Context) error {
	for {
		select {
		case t := <-th.lanes.turns:
			err := th.turn(t)
			if fault, ok := errors.AsType[*End](err); ok {
				return fault
			}
			if err != nil && t.ctx.Err() == nil {
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

// stallTime is how long a model may say nothing before what it has said is spoken as far
// as it makes sense: a comma's pause, and many times the 10 to 50 ms that it takes for a
// token when all is well.
const stallTime = 250 * time.Millisecond

// turn makes one reply, by more than one call when the tutor breaks off. It returns the
// tutor's error; what had been cut by then has been handed on, and CONDUCTOR decides how
// the reply ends.
func (th *think) turn(t *turn) error {
	th.began, th.handed, th.said = false, false, ""
	if more, err := th.goOn(t); err != nil || !more {
		return err
	}
	calls := newTries(t.prompt)
	for {
		delta, asked, err := th.attempt(t, calls)
		if err != nil {
			return err
		}
		if asked == nil && !th.handed {
			return nothingSaid(th.tutor)
		}
		if asked == nil {
			return th.finish(t, calls.named(delta))
		}
		if err := calls.again(t.ctx, asked, th.said); err != nil {
			return err
		}
	}
}

// attempt makes one call and hands on what comes of it; of a call that failed with asked,
// only what makes whole pieces. err is any other trouble.
func (th *think) attempt(t *turn, calls *tries) (delta providers.Delta, asked, err error) {
	ctx, stop := context.WithCancelCause(t.ctx)
	texts := make(chan string) // nothing is kept in it: who is slow to take slows the model
	var asking sync.WaitGroup
	asking.Go(func() {
		defer close(texts)
		asked = guard(ctx, func(ctx context.Context) (err error) {
			delta, err = th.ask(ctx, t, calls, texts)
			return err
		})
	})
	cutter := cutting.New(t.language)
	err = th.cut(t, cutter, texts)
	stop(err) // the tutor need not go on when nobody takes what it says
	asking.Wait()
	if fault, ok := errors.AsType[*End](asked); ok && err == nil {
		err = fault
	}
	if err == nil && asked == nil {
		err = th.piece(t, cutter.Rest())
	}
	return delta, asked, err
}

// cut hands on the pieces of what the tutor says until it says no more.
func (th *think) cut(t *turn, cutter *cutting.Cutter, texts <-chan string) error {
	stall := time.NewTimer(stallTime)
	defer stall.Stop()
	for {
		select {
		case text, more := <-texts:
			if !more {
				return nil
			}
			cutter.Write(text)
		case <-stall.C:
			if piece, ok := cutter.Stalled(); ok {
				if err := th.piece(t, piece); err != nil {
					return err
				}
			}
		}
		for piece, ok := cutter.Next(); ok; piece, ok = cutter.Next() {
			if err := th.piece(t, piece); err != nil {
				return err
			}
		}
		stall.Reset(stallTime)
	}
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
		th.said += text
		return nil
	case <-t.ctx.Done():
		return context.Cause(t.ctx)
	}
}
