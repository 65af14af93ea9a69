package providers_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

func TestWatchdog(t *testing.T) {
	barks := func(name string, after time.Duration, says string, f func(w *providers.Watchdog)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, w := providers.Watch(t.Context(), 5*time.Second, "no first word")
				defer w.Stop()
				start := time.Now()
				f(w)
				if after == 0 {
					time.Sleep(time.Hour)
					if ctx.Err() != nil || w.Expired() != nil {
						t.Errorf("ended by %v", context.Cause(ctx))
					}
					return
				}
				<-ctx.Done()
				if got := time.Since(start); got != after {
					t.Errorf("ended after %v, want %v", got, after)
				}
				if err := w.Expired(); err == nil || err.Error() != says {
					t.Errorf("says %v, want %q", err, says)
				}
			})
		})
	}
	barks("nothing comes", 5*time.Second, "no first word within 5s", func(*providers.Watchdog) {})
	barks("nothing more comes", 13*time.Second, "no further word within 10s", func(w *providers.Watchdog) {
		time.Sleep(3 * time.Second)
		w.Pause()
		w.Resume(10*time.Second, "no further word")
	})
	barks("the listener digests", 4*time.Minute+2100*time.Millisecond, "no further word within 1m0s", func(w *providers.Watchdog) {
		for range 3 {
			w.Pause()
			time.Sleep(time.Minute + 700*time.Millisecond)
			w.Resume(time.Minute, "no further word")
		}
	})
	barks("paused for good", 0, "", func(w *providers.Watchdog) { w.Pause() })
}

func TestWatchdogStopped(t *testing.T) {
	ctx, w := providers.Watch(t.Context(), time.Hour, "nothing")
	w.Stop()
	if ctx.Err() == nil || w.Expired() != nil {
		t.Errorf("after Stop: %v, %v", ctx.Err(), w.Expired())
	}
	why := errors.New("barge-in")
	parent, cancel := context.WithCancelCause(t.Context())
	ctx, w = providers.Watch(parent, time.Hour, "nothing")
	defer w.Stop()
	cancel(why)
	if context.Cause(ctx) != why || w.Expired() != nil {
		t.Errorf("after the parent's end: %v, %v", context.Cause(ctx), w.Expired())
	}
}
