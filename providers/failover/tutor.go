package failover

import (
	"context"
	"iter"
	"time"

	"kalami/providers"
)

// slowReply is the default of [Options.Slow] for a reply's first word: with the next
// vendor's first word and its first sound it is still less than the silence that a
// learner bears.
const slowReply = 1500 * time.Millisecond

// Tutor asks an ordered list of tutors. Safe for concurrent use. Close it.
type Tutor struct {
	tutors []providers.Tutor
	rota   *rota
	paces  []*pace // to the first word, by vendor
}

var _ providers.Tutor = (*Tutor)(nil)

// NewTutor returns a tutor over one or more, the preferred first. Closing the tutors is
// up to who made them.
func NewTutor(opt Options, preferred providers.Tutor, others ...providers.Tutor) *Tutor {
	t := &Tutor{tutors: append([]providers.Tutor{preferred}, others...)}
	var names []string
	for _, one := range t.tutors {
		names = append(names, one.Name())
		t.paces = append(t.paces, &pace{})
	}
	t.rota = newRota(opt.completed(slowReply), Replies, t.probe, names...)
	return t
}

// Name implements providers.Tutor. Who really answered is in [providers.Delta.Model].
func (t *Tutor) Name() string { return "failover" }

// Close ends the probes under way and waits for them. Replies under way go on.
func (t *Tutor) Close() { t.rota.close() }

// Overloaded says whether calls that can wait should: the tutor that is asked next has
// lately refused for want of capacity. It does not block.
func (t *Tutor) Overloaded() bool { return t.rota.overloaded() }

// Reply implements providers.Tutor. Delta.Model is "vendor/model".
//
// While nothing has come, a vendor that fails is followed by the next, and one that is
// later than most of its replies is raced by the next as far as the budget goes; one that
// is later than [Options.Slow] is taken for failing. The first word wins, the others are
// cancelled, and joined before the sequence ends. When nobody can answer, the error is
// that of the last one that failed; the others' are in the log. After the first word the
// winner's failure is the sequence's, also when it says no more for [Options.Stall]. Who
// knows what has been said by then calls again, with Prompt.Said and Prompt.Avoid: that is
// a move, and Overloaded when there were too many.
func (t *Tutor) Reply(ctx context.Context, p providers.Prompt) iter.Seq2[providers.Delta, error] {
	return func(yield func(providers.Delta, error) bool) {
		if err := t.pay(p); err != nil {
			yield(providers.Delta{}, err)
			return
		}
		r := &race{tutor: t, prompt: p, left: t.rota.order(p.Avoid...), words: make(chan word), stall: time.NewTimer(time.Hour)}
		r.ctx, r.stop = context.WithCancel(ctx)
		defer r.end()
		d, err := r.begin()
		for err == nil {
			if !yield(d, nil) || d.Done {
				return
			}
			d, err = r.next()
		}
		yield(providers.Delta{}, providers.Cause(ctx, err))
	}
}

// pay takes a reply that goes on with one that broke off from the budget, and lets any
// other earn.
func (t *Tutor) pay(p providers.Prompt) error {
	if len(p.Avoid) == 0 {
		t.rota.budget.earn()
		return nil
	}
	if !t.rota.budget.move() {
		return &providers.Error{Kind: providers.Overloaded, Vendor: t.Name(), Op: "reply", Detail: "too many replies broke off"}
	}
	t.rota.opt.Observer.FailedOver(t.rota.part, AfterFirst)
	return nil
}

// probe has a tutor say a word of our own choice.
func (t *Tutor) probe(ctx context.Context, i int) error {
	ask := providers.Prompt{System: "Answer with the single word OK.", MaxTokens: 16,
		Lines: []providers.Line{{Role: providers.RoleLearner, Text: "Are you there?"}}}
	for d, err := range t.tutors[i].Reply(ctx, ask) {
		if err != nil {
			return err
		}
		if d.Done {
			return nil
		}
	}
	return noEnd(t.tutors[i].Name())
}
