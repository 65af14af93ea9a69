// Package failover makes one tutor of several: when the first cannot answer, the
// next is asked, as long as the learner has heard nothing yet.
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
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"time"

	"kalami/providers"
)

// Defaults of [Options].
const (
	DefaultCoolDown = 30 * time.Second
	DefaultFailures = 3
)

// Options configure a [Tutor]. The zero value is usable.
type Options struct {
	// CoolDown is how long a vendor is left alone; 0 means [DefaultCoolDown].
	CoolDown time.Duration
	// Failures in a row, of kind Unavailable, that bring it about; 0 means
	// [DefaultFailures]. Denied and Quota need one; Overloaded needs one whose
	// vendor names a time, and lasts no longer than that.
	Failures int
	// Log gets a line for each failure that was answered by asking the next; nil discards.
	Log *slog.Logger
}

// Tutor asks an ordered list of tutors. Safe for concurrent use.
type Tutor struct {
	// Static after New.
	opt    Options
	tutors []providers.Tutor

	mu     sync.Mutex
	health []health // by place in tutors
}

// health is what is remembered of one tutor.
type health struct {
	failures int       // Unavailable in a row
	coolTill time.Time // not asked before
}

var _ providers.Tutor = (*Tutor)(nil)

// NewTutor returns a tutor over one or more, the preferred first. It starts
// nothing; closing the tutors is up to who made them.
func NewTutor(opt Options, preferred providers.Tutor, others ...providers.Tutor) *Tutor {
	opt.CoolDown = cmp.Or(opt.CoolDown, DefaultCoolDown)
	opt.Failures = cmp.Or(opt.Failures, DefaultFailures)
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	tutors := append([]providers.Tutor{preferred}, others...)
	return &Tutor{opt: opt, tutors: tutors, health: make([]health, len(tutors))}
}

// Name implements providers.Tutor. Who really answered is in [providers.Delta.Model].
func (t *Tutor) Name() string { return "failover" }

// errNoEnd is the cause when a tutor's sequence stops without Done or an error.
var errNoEnd = errors.New("the reply stopped without an end")

// Reply implements providers.Tutor. Delta.Model is "vendor/model". When nobody can
// answer, the error is that of the last one asked; the others' are in the log.
func (t *Tutor) Reply(ctx context.Context, p providers.Prompt) iter.Seq2[providers.Delta, error] {
	return func(yield func(providers.Delta, error) bool) {
		order := t.order()
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
			t.log(ctx, t.tutors[i].Name(), t.tutors[order[n+1]].Name(), err)
		}
	}
}

// ask passes one tutor's reply on. err is nil when it was complete or the consumer
// has left; spoken tells that words were passed on.
func (t *Tutor) ask(ctx context.Context, i int, p providers.Prompt, yield func(providers.Delta, error) bool) (spoken bool, err error) {
	tutor := t.tutors[i]
	for d, err := range tutor.Reply(ctx, p) {
		if err != nil {
			t.failed(i, err)
			return spoken, err
		}
		spoken = spoken || d.Text != ""
		if d.Model != "" || d.Done {
			d.Model = join(tutor.Name(), d.Model)
		}
		if d.Done {
			t.succeeded(i)
		}
		if !yield(d, nil) || d.Done {
			return spoken, nil
		}
	}
	if ctx.Err() != nil {
		return spoken, context.Cause(ctx)
	}
	err = &providers.Error{Kind: providers.Unavailable, Vendor: tutor.Name(), Op: "reply", Err: errNoEnd}
	t.failed(i, err)
	return spoken, err
}

// join makes "vendor/model".
func join(vendor, model string) string {
	if model == "" {
		return vendor
	}
	return vendor + "/" + model
}

// order returns the places of the tutors to ask: those that are not cooling down,
// or, when all are, every one, since a learner is waiting.
func (t *Tutor) order() []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	var ready, all []int
	for i := range t.tutors {
		all = append(all, i)
		if !now.Before(t.health[i].coolTill) {
			ready = append(ready, i)
		}
	}
	if len(ready) == 0 {
		// The one that is nearest to being ready first; among equals, the preferred.
		slices.SortStableFunc(all, func(a, b int) int { return t.health[a].coolTill.Compare(t.health[b].coolTill) })
		return all
	}
	return ready
}

// succeeded forgets a tutor's failures.
func (t *Tutor) succeeded(i int) {
	t.mu.Lock()
	t.health[i] = health{}
	t.mu.Unlock()
}

// failed remembers a failure and decides whether its tutor must cool down.
func (t *Tutor) failed(i int, err error) {
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		return // a cancellation says nothing about the vendor
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	h := &t.health[i]
	var cool time.Duration
	switch e.Kind {
	case providers.Denied, providers.Quota:
		cool = t.opt.CoolDown
	case providers.Overloaded:
		cool = min(e.RetryAfter, t.opt.CoolDown)
	case providers.Unavailable:
		if h.failures++; h.failures >= t.opt.Failures {
			cool = t.opt.CoolDown
		}
	}
	if till := time.Now().Add(cool); cool > 0 && till.After(h.coolTill) {
		h.coolTill = till
	}
}

// log tells of a failure that the learner will not notice.
func (t *Tutor) log(ctx context.Context, from, to string, err error) {
	level := slog.LevelWarn
	if providers.KindOf(err) == providers.Invalid {
		level = slog.LevelError
	}
	t.opt.Log.Log(ctx, level, "tutor failed before its first word, asking the next", "failed", from, "next", to, "err", err)
}
