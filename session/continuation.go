package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"kalami/providers"
)

const (
	// turnDeadline bounds how long a learner's turn may wait for its reply's first word,
	// and again for that of a continuation: all waits of one reply together.
	turnDeadline = 8 * time.Second
	// mostTries is how many calls one reply may be made by.
	mostTries = 4
	// tryPause lies before a try whose predecessor brought nothing, and grows with each.
	tryPause = 300 * time.Millisecond
)

// tries are the calls by which one reply is made: one, unless the model breaks off. What
// was handed to the voice by then stays, what was not is dropped, and the next call is
// told to go on from there: two models' halves of a sentence do not fit.
type tries struct {
	prompt  providers.Prompt // of the next call
	wait    time.Duration    // what is left of turnDeadline
	n       int              // calls so far
	brought bool             // the last one said something
}

func newTries(p providers.Prompt) *tries { return &tries{prompt: p, wait: turnDeadline} }

// again readies the next call after one that failed with err, said being what was handed
// to the voice. The error is why there is none.
func (r *tries) again(ctx context.Context, err error, said string) error {
	e, ok := errors.AsType[*providers.Error](err)
	// Before the first word every vendor was asked; and what is refused is not asked again.
	if !ok || e.Kind == providers.Invalid || r.n >= mostTries || said == "" && !r.brought || ctx.Err() != nil {
		return err
	}
	if pause := time.Duration(r.n-1) * tryPause; !r.brought {
		if r.wait -= pause; r.wait <= 0 {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	r.prompt.Said = said
	r.prompt.Avoid = append(slices.Clone(r.prompt.Avoid), e.Vendor)
	return nil
}

// named tells in the last delta who made the reply, when it was more than one.
func (r *tries) named(d providers.Delta) providers.Delta {
	if len(r.prompt.Avoid) > 0 {
		d.Model = strings.Join(append(slices.Compact(slices.Clone(r.prompt.Avoid)), d.Model), "+")
	}
	return d
}

// ask has the tutor reply, or go on with it, and passes on what it says.
func (th *think) ask(ctx context.Context, t *turn, r *tries, texts chan<- string) (providers.Delta, error) {
	r.n++
	r.brought = false
	since := time.Now()
	ctx, deadline := providers.Watch(ctx, r.wait, "no first word")
	defer deadline.Stop()
	defer func() {
		if !r.brought {
			r.wait -= time.Since(since)
		}
	}()
	join := newJoint(r.prompt.Said)
	pass := func(text string) error {
		if text == "" {
			return nil
		}
		select {
		case texts <- text:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	delta, err := readReply(ctx, th.tutor, r.prompt, func(text string) error {
		t.countRead(text)
		if !r.brought {
			r.brought = true
			deadline.Pause()
			r.wait -= time.Since(since)
			if err := th.firstToken(ctx, t); err != nil {
				return err
			}
		}
		return pass(join.write(text))
	})
	if err == nil {
		err = pass(join.rest())
	}
	return delta, err
}

// firstToken reports the first word of a turn.
func (th *think) firstToken(ctx context.Context, t *turn) error {
	if th.began {
		return nil
	}
	th.began = true
	return th.lanes.report(ctx, progress{turn: t, kind: thinkFirstToken, at: time.Now()})
}
