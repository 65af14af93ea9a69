package providers

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// A Watchdog ends a streamed call whose vendor says nothing for too long. Time
// that the consumer takes to digest does not count: the clock is paused meanwhile.
// It is used from one goroutine.
type Watchdog struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	// waiting is the cause that the clock will give; the timer's goroutine reads it.
	waiting atomic.Pointer[silence]
}

// Watch derives the context of one call from ctx and starts the clock: unless
// paused, resumed or stopped within d, the call's context ends. what says in a
// few words what was missing, "no first word". Stop must be called.
func Watch(ctx context.Context, d time.Duration, what string) (context.Context, *Watchdog) {
	w := &Watchdog{}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.waiting.Store(&silence{what, d})
	w.timer = time.AfterFunc(d, func() { w.cancel(w.waiting.Load()) })
	return w.ctx, w
}

// Pause stops the clock.
func (w *Watchdog) Pause() { w.timer.Stop() }

// Resume starts the clock afresh for d.
func (w *Watchdog) Resume(d time.Duration, what string) {
	if now := w.waiting.Load(); now.what != what || now.after != d {
		w.waiting.Store(&silence{what, d})
	}
	w.timer.Reset(d)
}

// Stop ends the call's context and the clock.
func (w *Watchdog) Stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// Expired returns why the watchdog ended the call, or nil when it did not.
func (w *Watchdog) Expired() error {
	if s, ok := errors.AsType[*silence](context.Cause(w.ctx)); ok {
		return s
	}
	return nil
}

// silence is the cause that a watchdog gives.
type silence struct {
	what  string
	after time.Duration
}

func (s *silence) Error() string { return fmt.Sprintf("%s within %v", s.what, s.after) }

// Timeout tells callers that look for it, as with net.Error, that time ran out.
func (s *silence) Timeout() bool { return true }
