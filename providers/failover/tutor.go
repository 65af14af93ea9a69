// Package failover makes one tutor of several, and one analyst of several: when the
// first cannot answer, the next is asked, as long as the learner has heard nothing yet.
//
// A tutor is given up for the next one only before its first word. After that its
// failure is the reply's failure: two models' halves do not make a sentence. Which
// failures another may cure is decided by kind:
//
//   - Unavailable, Overloaded: that vendor has trouble. Ask the next.
//   - Denied, Quota: that vendor's account has trouble. Ask the next, and leave
//     this one alone for a while.
//   - Invalid: that vendor does not know the model, refuses the subject, or we sent
//     nonsense. The first two are cured by another vendor, and the learner cannot
//     repair the third; so the next is asked, but as it is somebody's mistake it is
//     logged as an error.
//   - The end of the context, and errors that are no vendor's: nobody else is asked.
//
// A vendor that keeps failing cools down, so that not every reply waits for it.
package failover

import (
	"context"
	"errors"
	"iter"

	"kalami/providers"
)

// Tutor asks an ordered list of tutors. Safe for concurrent use.
type Tutor struct {
	tutors []providers.Tutor
	rota   *rota
}

var _ providers.Tutor = (*Tutor)(nil)

// NewTutor returns a tutor over one or more, the preferred first. It starts
// nothing; closing the tutors is up to who made them.
func NewTutor(opt Options, preferred providers.Tutor, others ...providers.Tutor) *Tutor {
	tutors := append([]providers.Tutor{preferred}, others...)
	return &Tutor{tutors: tutors, rota: newRota(opt, len(tutors))}
}

// Name implements providers.Tutor. Who really answered is in [providers.Delta.Model].
func (t *Tutor) Name() string { return "failover" }

// Overloaded says whether calls that can wait should: the tutor that is asked next has
// lately refused for want of capacity. It does not block.
func (t *Tutor) Overloaded() bool { return t.rota.overloaded() }

// errNoEnd is the cause when a tutor's sequence stops without Done or an error.
var errNoEnd = errors.New("the reply stopped without an end")

// Reply implements providers.Tutor. Delta.Model is "vendor/model". When nobody can
// answer, the error is that of the last one asked; the others' are in the log.
func (t *Tutor) Reply(ctx context.Context, p providers.Prompt) iter.Seq2[providers.Delta, error] {
	return func(yield func(providers.Delta, error) bool) {
		order := t.rota.order()
		for n, i := range order {
			spoken, err := t.ask(ctx, i, p, yield)
			if err == nil {
				return
			}
			last := n == len(order)-1
			if spoken || last || ctx.Err() != nil || providers.KindOf(err) == 0 {
				yield(providers.Delta{}, providers.Cause(ctx, err))
				return
			}
			t.rota.log(ctx, "tutor", t.tutors[i].Name(), t.tutors[order[n+1]].Name(), err)
		}
	}
}

// ask passes one tutor's reply on. err is nil when it was complete or the consumer
// has left; spoken tells that words were passed on.
func (t *Tutor) ask(ctx context.Context, i int, p providers.Prompt, yield func(providers.Delta, error) bool) (spoken bool, err error) {
	tutor := t.tutors[i]
	for d, err := range tutor.Reply(ctx, p) {
		if err != nil {
			t.rota.failed(i, err)
			return spoken, err
		}
		spoken = spoken || d.Text != ""
		if d.Model != "" || d.Done {
			d.Model = join(tutor.Name(), d.Model)
		}
		if d.Done {
			t.rota.succeeded(i)
		}
		if !yield(d, nil) || d.Done {
			return spoken, nil
		}
	}
	if ctx.Err() != nil {
		return spoken, context.Cause(ctx)
	}
	err = &providers.Error{Kind: providers.Unavailable, Vendor: tutor.Name(), Op: "reply", Err: errNoEnd}
	t.rota.failed(i, err)
	return spoken, err
}
