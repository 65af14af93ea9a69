package failover

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"kalami/providers"
)

// errNoEnd is the cause when a tutor's sequence stops without Done or an error.
var errNoEnd = errors.New("the reply stopped without an end")

func noEnd(vendor string) error {
	return &providers.Error{Kind: providers.Unavailable, Vendor: vendor, Op: "reply", Err: errNoEnd}
}

// A race is one reply being asked for at one vendor or at several: the first word wins.
// It is for one goroutine, which ends it.
type race struct {
	tutor  *Tutor
	prompt providers.Prompt
	left   []int // places of the vendors not yet asked, in order
	ctx    context.Context
	stop   context.CancelFunc

	words   chan word // of all runners; nothing is kept in it
	runners []*runner // in the order in which they were asked
	winner  *runner
	stall   *time.Timer // of the winner
	work    sync.WaitGroup
}

// runner is a vendor that was asked.
type runner struct {
	place  int // of the vendor
	call   *call
	cancel context.CancelFunc
	out    bool // it has failed
	hedge  bool // it was asked although nobody had failed
}

// word is what a runner's vendor said: a delta, or how it failed.
type word struct {
	from  *runner
	delta providers.Delta
	err   error
	panic any
}

// begin asks until somebody says the first word, which it returns. The error is what
// the reply fails with.
func (r *race) begin() (providers.Delta, error) {
	if err := r.ask(false, nil); err != nil {
		return providers.Delta{}, err
	}
	late := time.NewTimer(r.patience())
	defer late.Stop()
	for {
		select {
		case w := <-r.words:
			switch {
			case w.panic != nil:
				panic(w.panic)
			case w.err != nil:
				if err := r.failed(w); err != nil {
					return providers.Delta{}, err
				}
			case w.delta.Text != "" || w.delta.Done:
				r.won(w.from)
				return r.told(w), nil
			}
		case <-late.C:
			if again := r.hedge(); again > 0 {
				late.Reset(again)
			}
		case <-r.ctx.Done():
			return providers.Delta{}, context.Cause(r.ctx)
		}
	}
}

// hedge has the next vendor asked beside one that is late, or returns how long that may
// still take when the budget does not cover it. Later than [Options.Slow] is as good as
// failed: it counts against the vendor, so that its breaker keeps such moves few.
func (r *race) hedge() (again time.Duration) {
	rota := r.tutor.rota
	if len(r.left) == 0 {
		return 0
	}
	left := rota.opt.Slow - time.Since(r.runners[len(r.runners)-1].call.began)
	if rota.budget.spend() || left <= 0 && rota.budget.move() {
		_ = r.ask(true, nil) // who is running already may still answer
		return 0
	}
	return left
}

// next returns what the winner says after its first word. A winner that says no more is
// given up: who waits for it can go on with another.
func (r *race) next() (providers.Delta, error) {
	r.stall.Reset(r.tutor.rota.opt.Stall)
	defer r.stall.Stop()
	for {
		select {
		case <-r.stall.C:
			return providers.Delta{}, r.broke(&providers.Error{Kind: providers.Unavailable, Vendor: r.tutor.tutors[r.winner.place].Name(), Op: "reply",
				Detail: fmt.Sprintf("no further word within %v", r.tutor.rota.opt.Stall)})
		case w := <-r.words:
			switch {
			case w.panic != nil:
				panic(w.panic)
			case w.from != r.winner: // its last word, after it was cancelled
			case w.err != nil:
				return providers.Delta{}, r.broke(w.err)
			default:
				return r.told(w), nil
			}
		case <-r.ctx.Done():
			return providers.Delta{}, context.Cause(r.ctx)
		}
	}
}

// broke notes that the winner has failed, which the log is told.
func (r *race) broke(err error) error {
	r.winner.call.settle(err)
	if rota := r.tutor.rota; providers.KindOf(err) != 0 && r.ctx.Err() == nil {
		rota.opt.Log.WarnContext(r.ctx, "vendor broke off", "part", string(rota.part), "failed", rota.vendors[r.winner.place].label, "err", err)
	}
	return err
}

// told completes what a vendor said.
func (r *race) told(w word) providers.Delta {
	d := w.delta
	if d.Model != "" || d.Done {
		d.Model = join(r.tutor.tutors[w.from.place].Name(), d.Model)
	}
	if d.Done {
		w.from.call.settle(nil)
	}
	return d
}

// end cancels and joins everybody.
func (r *race) end() {
	r.stop()
	r.stall.Stop()
	r.work.Wait()
	for _, one := range r.runners {
		one.call.left()
	}
}

// ask has the next vendor run that there is a place at; failed is why, or nil. The error
// is that there is none.
func (r *race) ask(hedge bool, failed error) error {
	var refused error
	for len(r.left) > 0 {
		i := r.left[0]
		r.left = r.left[1:]
		why := reasonOf(failed != nil || len(r.prompt.Avoid) > 0)
		if hedge {
			why = ForHedge
		}
		c, err := r.tutor.rota.begin(r.ctx, i, why)
		if err != nil {
			refused = err
			continue
		}
		one := &runner{place: i, call: c, hedge: hedge}
		var ctx context.Context
		ctx, one.cancel = context.WithCancel(r.ctx)
		r.runners = append(r.runners, one)
		r.work.Go(func() {
			defer one.cancel()
			r.run(ctx, one)
		})
		return nil
	}
	if failed != nil {
		return failed
	}
	return refused
}

// run passes on what one vendor says until it ends, or its ctx.
func (r *race) run(ctx context.Context, one *runner) {
	tell := func(w word) bool {
		w.from = one
		select {
		case r.words <- w:
			return true
		case <-ctx.Done():
			return false
		}
	}
	defer func() {
		if v := recover(); v != nil { // goes on where somebody can take it
			tell(word{panic: fmt.Sprintf("%v\n%s", v, debug.Stack())})
		}
	}()
	tutor := r.tutor.tutors[one.place]
	for d, err := range tutor.Reply(ctx, r.prompt) {
		if !tell(word{delta: d, err: err}) || err != nil || d.Done {
			return
		}
	}
	tell(word{err: noEnd(tutor.Name())})
}

// failed takes a vendor out, and asks the next one when nobody else is running. The
// error is what the reply fails with.
func (r *race) failed(w word) error {
	w.from.out = true
	w.from.call.settle(w.err)
	if providers.KindOf(w.err) == 0 || r.ctx.Err() != nil {
		return w.err
	}
	for _, one := range r.runners {
		if !one.out {
			return nil
		}
	}
	rota := r.tutor.rota
	if len(r.left) == 0 || !rota.budget.move() {
		return w.err
	}
	rota.log(r.ctx, w.from.place, r.left[0], w.err)
	rota.opt.Observer.FailedOver(rota.part, BeforeFirst)
	return r.ask(false, w.err)
}

// won makes one the winner and cancels the others. Those that were asked before it were
// too slow.
func (r *race) won(one *runner) {
	r.winner = one
	one.call.first()
	r.tutor.paces[one.place].took(time.Since(one.call.began))
	hedged, before := false, true
	for _, other := range r.runners {
		hedged = hedged || other.hedge
		switch {
		case other == one:
			before = false
		case other.out:
		case before:
			r.tutor.paces[other.place].took(time.Since(other.call.began))
			other.call.beaten()
			other.cancel()
		default:
			other.call.left()
			other.cancel()
		}
	}
	if hedged {
		r.tutor.rota.opt.Observer.Hedged(r.tutor.rota.part, one.hedge)
	}
}

// patience is how long the vendor that was asked first may take before another is.
func (r *race) patience() time.Duration { return r.tutor.paces[r.runners[0].place].patience() }
