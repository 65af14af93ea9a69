package failover

import (
	"errors"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"kalami/providers"
)

// breaker says whether a vendor may be asked. A vendor that answers probes may still fail
// learners, so that a probe closes it on trial: one learner's call is let through at a time,
// and the first that fails opens it again. The waits for probes grow until enough learners'
// calls have gone well. Safe for concurrent use.
type breaker struct {
	circuit  circuitbreaker.CircuitBreaker[any]
	coolDown time.Duration
	enough   int

	mu       sync.Mutex
	wait     time.Duration // before the next probe but one
	probeAt  time.Time     // when the next may be made
	fullTill time.Time     // known to be short of capacity
	trial    bool
	tryAt    time.Time // when the next call may be let through on trial
	good     int       // learners' calls since the last failure; no more than enough
}

// newBreaker makes a closed one; changed is told of each change of its state, and must
// not block.
func newBreaker(opt Options, changed func(State)) *breaker {
	b := &breaker{coolDown: opt.CoolDown, enough: opt.Failures, wait: ProbeInterval}
	failures := uint(opt.Failures)
	b.circuit = circuitbreaker.NewBuilder[any]().
		WithFailureThresholdRatio(failures, 2*failures).
		WithSuccessThreshold(1).
		WithDelay(0). // probeAt says when
		OnStateChanged(func(e circuitbreaker.StateChangedEvent) { changed(stateOf(e.NewState)) }).
		Build()
	return b
}

func stateOf(s circuitbreaker.State) State {
	switch s {
	case circuitbreaker.OpenState:
		return Open
	case circuitbreaker.HalfOpenState:
		return HalfOpen
	}
	return Closed
}

// closed says whether the vendor is to be asked.
func (b *breaker) closed() bool { return b.circuit.IsClosed() }

// ready says whether it may be asked now; while on trial that is not for everybody.
func (b *breaker) ready(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed() && !(b.trial && now.Before(b.tryAt))
}

// admit is ready for a call that will be made if it may. One that says nothing of the
// vendor, because nobody wants its rest, holds the next one up no longer than a probe does.
func (b *breaker) admit(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed() || b.trial && now.Before(b.tryAt) {
		return false
	}
	b.tryAt = now.Add(ProbeInterval)
	return true
}

// due is when the next probe may be made.
func (b *breaker) due() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.probeAt
}

// full says whether the vendor has refused somebody for want of capacity within the
// last cool-down.
func (b *breaker) full(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Before(b.fullTill)
}

// tryProbe takes the permit of the one probe that may be under way; its result must follow.
func (b *breaker) tryProbe() bool { return !b.closed() && b.circuit.TryAcquirePermit() }

// probed notes a probe that went well: learners' calls are tried again.
func (b *breaker) probed() {
	if b.closed() { // a learner's call has closed it meanwhile
		return
	}
	b.mu.Lock()
	b.trial, b.tryAt = true, time.Time{}
	b.mu.Unlock()
	b.circuit.Close()
}

// succeeded notes a learner's call that went well. One that was made although the breaker
// is not closed, because none is, closes it.
func (b *breaker) succeeded() {
	b.mu.Lock()
	b.trial = false
	if b.good = min(b.good+1, b.enough); b.good == b.enough {
		b.wait = ProbeInterval
	}
	b.mu.Unlock()
	if b.closed() {
		b.circuit.RecordSuccess()
		return
	}
	b.circuit.Close()
}

// failed notes a call that did not, for the vendor's error or, when err is nil, because it
// was slow.
func (b *breaker) failed(now time.Time, err error) {
	wait, atOnce := b.judge(now, err)
	b.mu.Lock()
	atOnce = atOnce || b.trial
	b.trial, b.good = false, 0
	b.mu.Unlock()
	if atOnce {
		b.circuit.Open()
	} else {
		b.circuit.RecordFailure()
	}
	if b.closed() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if at := now.Add(max(b.wait, wait)); at.After(b.probeAt) {
		b.probeAt = at
	}
	b.wait = min(2*b.wait, b.coolDown)
}

// judge says how long a failure keeps its vendor from being probed, and whether it opens
// the breaker by itself.
func (b *breaker) judge(now time.Time, err error) (wait time.Duration, atOnce bool) {
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		return 0, false
	}
	switch e.Kind {
	case providers.Denied:
		return 0, true
	case providers.Quota:
		return b.coolDown, true
	case providers.Overloaded:
		b.mu.Lock()
		b.fullTill = now.Add(b.coolDown)
		b.mu.Unlock()
		return min(e.RetryAfter, b.coolDown), e.RetryAfter > 0
	}
	return 0, false
}
