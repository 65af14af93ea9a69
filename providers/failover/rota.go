package failover

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"kalami/providers"
)

// A rota says in which order the vendors of one part are asked, by how they fared. Safe
// for concurrent use. Close joins the probes that it has started.
type rota struct {
	opt     Options // static after newRota
	part    Part
	vendors []*vendor // in order of preference
	budget  *budget
	// probe asks the i-th vendor something of our own.
	probe func(ctx context.Context, i int) error

	ctx    context.Context // of the probes
	cancel context.CancelFunc
	mu     sync.Mutex // guards closed against probes that begin
	closed bool
	probes sync.WaitGroup
}

// vendor is one that can be asked.
type vendor struct {
	name    string // of its client
	label   string // name, made unique
	breaker *breaker
	places  *bulkheads
}

// newRota makes one over vendors of these names. Close it.
func newRota(opt Options, part Part, probe func(ctx context.Context, i int) error, names ...string) *rota {
	r := &rota{opt: opt, part: part, budget: newBudget(), probe: probe}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	for i, name := range names {
		label := name
		if n := count(names[:i], name); n > 0 {
			label += "-" + strconv.Itoa(n+1)
		}
		v := &vendor{name: name, label: label, places: newBulkheads(opt.Concurrent, max(1, opt.Concurrent*opt.TenantShare/100))}
		v.breaker = newBreaker(opt, func(s State) { opt.Observer.Breaker(part, label, s) })
		opt.Observer.Breaker(part, label, Closed)
		r.vendors = append(r.vendors, v)
	}
	return r
}

// count is how often name occurs.
func count(names []string, name string) (n int) {
	for _, other := range names {
		if other == name {
			n++
		}
	}
	return n
}

// close ends the probes and waits for them.
func (r *rota) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.probes.Wait()
}

// join makes "vendor/model".
func join(vendor, model string) string {
	if model == "" {
		return vendor
	}
	return vendor + "/" + model
}

// order returns the places of the vendors to ask, for a call that follows: those whose
// breakers are closed, and after them those on trial that somebody else tries; or, when
// there are none, every one, the nearest to being probed first. Those to avoid come last.
// It has vendors probed that are due, and never blocks.
func (r *rota) order(avoid ...string) []int { return r.rank((*breaker).admit, avoid) }

// outlook is the order that a call would have now; none need follow.
func (r *rota) outlook() []int { return r.rank((*breaker).ready, nil) }

// rank is the order in which those come first of which may holds.
func (r *rota) rank(may func(*breaker, time.Time) bool, avoid []string) []int {
	now := time.Now()
	var ready, tried, all []int
	for i, v := range r.vendors {
		all = append(all, i)
		switch {
		case !slices.Contains(avoid, v.name) && may(v.breaker, now):
			ready = append(ready, i)
		case v.breaker.closed():
			tried = append(tried, i)
		case len(r.vendors) > 1:
			r.tryProbe(i, now)
		}
	}
	if ready = append(ready, tried...); len(ready) == 0 {
		slices.SortStableFunc(all, func(a, b int) int {
			return r.vendors[a].breaker.due().Compare(r.vendors[b].breaker.due())
		})
		ready = all
	}
	slices.SortStableFunc(ready, func(a, b int) int {
		return btoi(slices.Contains(avoid, r.vendors[a].name)) - btoi(slices.Contains(avoid, r.vendors[b].name))
	})
	return ready
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// preferred is the vendor that would be asked now. Unlike order it starts nothing.
func (r *rota) preferred() int {
	for i, v := range r.vendors {
		if v.breaker.closed() {
			return i
		}
	}
	return 0
}

// overloaded says whether the vendor that is asked next has refused somebody for want
// of capacity within the last cool-down.
func (r *rota) overloaded() bool {
	return r.vendors[r.preferred()].breaker.full(time.Now())
}

// tryProbe probes a vendor in the background if it is time to and the budget allows.
func (r *rota) tryProbe(i int, now time.Time) {
	v := r.vendors[i]
	if now.Before(v.breaker.due()) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || !r.opt.Probes.turn(now) || !r.budget.spend() || !v.breaker.tryProbe() {
		return
	}
	r.probes.Go(func() {
		ctx, cancel := context.WithTimeout(r.ctx, probeTimeout)
		defer cancel()
		c := &call{rota: r, vendor: v, why: ForProbe, began: now, probe: true, leave: func() {}}
		err := r.probe(ctx, i)
		if err != nil && providers.KindOf(err) == 0 && r.ctx.Err() == nil {
			err = &providers.Error{Kind: providers.Unavailable, Vendor: v.name, Op: "probe", Err: err}
		}
		c.first()
		c.settle(err)
	})
}

// A call is one that is under way at a vendor: the first step of two is begin, the second
// settle, beaten or left, of which the first counts. Safe for concurrent use.
type call struct {
	rota   *rota
	vendor *vendor
	why    Why
	began  time.Time
	probe  bool
	leave  func()

	mu      sync.Mutex
	slow    bool
	begun   bool
	settled bool
}

// begin takes a place at the i-th vendor. The error is Overloaded: too much is under way.
func (r *rota) begin(ctx context.Context, i int, why Why) (*call, error) {
	v := r.vendors[i]
	leave := v.places.enter(ctx)
	if leave == nil {
		return nil, &providers.Error{Kind: providers.Overloaded, Vendor: v.name, Op: "begin", Detail: "too many calls under way"}
	}
	return &call{rota: r, vendor: v, why: why, began: time.Now(), leave: leave}, nil
}

// first notes the answer's beginning: its first word, its first sample.
func (c *call) first() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.begun {
		c.begun, c.slow = true, time.Since(c.began) > c.rota.opt.Slow
	}
}

// settle notes the call's end: nil for a whole answer.
func (c *call) settle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	switch kind := providers.KindOf(err); {
	case c.settled:
	case err == nil && c.slow:
		c.vendor.breaker.failed(now, nil)
		c.end(Slow)
	case err == nil && c.probe:
		c.vendor.breaker.probed()
		c.end(OK)
	case err == nil:
		c.vendor.breaker.succeeded()
		c.end(OK)
	case kind == 0: // a cancellation or a bug says nothing about the vendor
		if errors.Is(err, context.Canceled) || errors.Is(err, providers.ErrCancelled) {
			c.end(Left)
		} else {
			c.end(Foreign)
		}
	default:
		c.vendor.breaker.failed(now, err)
		c.end(Outcome(kind.String()))
	}
}

// beaten notes that a vendor asked later has answered before.
func (c *call) beaten() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.settled {
		c.vendor.breaker.failed(time.Now(), nil)
		c.end(Beaten)
	}
}

// left notes that nobody wants the rest: it says of the vendor how quickly it began.
func (c *call) left() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.settled {
		return
	}
	if c.slow {
		c.vendor.breaker.failed(time.Now(), nil)
	}
	c.end(Left)
}

// forget takes back that the call was begun.
func (c *call) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.settled {
		c.settled = true
		c.leave()
	}
}

// end gives the place back; c.mu is held.
func (c *call) end(o Outcome) {
	c.settled = true
	c.leave()
	c.rota.opt.Observer.Requested(c.rota.part, c.vendor.label, o)
	c.rota.opt.Called(c.rota.part, c.vendor.label, c.why)
}

// log tells of a failure that the learner will not notice.
func (r *rota) log(ctx context.Context, from, to int, err error) {
	level := slog.LevelWarn
	if providers.KindOf(err) == providers.Invalid {
		level = slog.LevelError
	}
	r.opt.Log.Log(ctx, level, "vendor failed, asking the next", "part", string(r.part),
		"failed", r.vendors[from].label, "next", r.vendors[to].label, "err", err)
}
