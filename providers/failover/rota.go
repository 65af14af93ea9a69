package failover

import (
	"cmp"
	"context"
	"errors"
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

// Options configure a [Tutor] or an [Analyst]. The zero value is usable.
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

// rota says in which order vendors are asked, by how they fared. Safe for concurrent use.
type rota struct {
	opt Options // static after newRota

	mu     sync.Mutex
	health []health // by place in the order of preference
}

// health is what is remembered of one vendor.
type health struct {
	failures int       // Unavailable in a row
	coolTill time.Time // not asked before
	fullTill time.Time // known to be short of capacity
}

func newRota(opt Options, vendors int) *rota {
	opt.CoolDown = cmp.Or(opt.CoolDown, DefaultCoolDown)
	opt.Failures = cmp.Or(opt.Failures, DefaultFailures)
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &rota{opt: opt, health: make([]health, vendors)}
}

// join makes "vendor/model".
func join(vendor, model string) string {
	if model == "" {
		return vendor
	}
	return vendor + "/" + model
}

// order returns the places of the vendors to ask: those that are not cooling down,
// or, when all are, every one, since a learner is waiting.
func (r *rota) order() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	var ready, all []int
	for i := range r.health {
		all = append(all, i)
		if !now.Before(r.health[i].coolTill) {
			ready = append(ready, i)
		}
	}
	if len(ready) == 0 {
		// The one that is nearest to being ready first; among equals, the preferred.
		slices.SortStableFunc(all, func(a, b int) int { return r.health[a].coolTill.Compare(r.health[b].coolTill) })
		return all
	}
	return ready
}

// overloaded says whether the vendor that is asked next has refused somebody for want
// of capacity within the last cool-down.
func (r *rota) overloaded() bool {
	next := r.order()[0]
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Before(r.health[next].fullTill)
}

// succeeded forgets a vendor's failures. That it could take one call more does not
// mean that it is no longer short of capacity.
func (r *rota) succeeded(i int) {
	r.mu.Lock()
	r.health[i] = health{fullTill: r.health[i].fullTill}
	r.mu.Unlock()
}

// failed remembers a failure and decides whether its vendor must cool down.
func (r *rota) failed(i int, err error) {
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		return // a cancellation says nothing about the vendor
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h := &r.health[i]
	var cool time.Duration
	switch e.Kind {
	case providers.Denied, providers.Quota:
		cool = r.opt.CoolDown
	case providers.Overloaded:
		cool = min(e.RetryAfter, r.opt.CoolDown)
		h.fullTill = time.Now().Add(r.opt.CoolDown)
	case providers.Unavailable:
		if h.failures++; h.failures >= r.opt.Failures {
			cool = r.opt.CoolDown
		}
	}
	if till := time.Now().Add(cool); cool > 0 && till.After(h.coolTill) {
		h.coolTill = till
	}
}

// log tells of a failure that the learner will not notice.
func (r *rota) log(ctx context.Context, part, from, to string, err error) {
	level := slog.LevelWarn
	if providers.KindOf(err) == providers.Invalid {
		level = slog.LevelError
	}
	r.opt.Log.Log(ctx, level, "vendor failed, asking the next", "part", part, "failed", from, "next", to, "err", err)
}
