package main

import (
	"context"
	"os"
	"runtime"
	"time"

	"kalami/gateway"
	"kalami/providers/failover"
	"kalami/session/verify"
)

const (
	// countEvery is how often a history says what its node holds.
	countEvery = 10 * time.Second
	// quietWait is how long what was closed gets to disappear.
	quietWait = 2 * time.Second
)

// called writes down each call to a vendor; nil when there is no history.
func (h *history) called() func(failover.Part, string, failover.Why) {
	if h == nil {
		return nil
	}
	return func(p failover.Part, vendor string, why failover.Why) {
		h.Record("", verify.VendorCalled{Part: string(p), Vendor: vendor, Why: string(why)})
	}
}

// processCount is what a process holds of what the system gives it.
type processCount struct{ goroutines, files int }

// countProcess counts. Where the system does not say how many files are open, there are none.
func countProcess() processCount {
	open, _ := os.ReadDir("/proc/self/fd")
	return processCount{goroutines: runtime.NumGoroutine(), files: len(open)}
}

// counted writes down what the node holds. The process is counted only where the node is all
// that there is in it.
func (h *history) counted(when string, held gateway.Held, p processCount) {
	h.Record("", verify.Counted{When: when, Sessions: held.Sessions, Caps: held.Counted, Keys: held.Conversations,
		Goroutines: p.goroutines, Files: p.files})
}

// countBusy writes down what the node holds, again and again until ctx ends.
func (a *app) countBusy(ctx context.Context) {
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.history.counted(verify.WhenBusy, a.gateway.Held(), countProcess())
		}
	}
}

// begins writes down what the process held before the node was opened, when it is the only
// one in it; the file of the history came afterwards.
func (a *app) begins(before processCount) {
	if a.history == nil {
		return
	}
	before.files++
	a.before = &before
	a.history.counted(verify.WhenStart, gateway.Held{}, before)
}

// countQuiet writes down what is left when all is closed but the history.
func (a *app) countQuiet() {
	if a.history == nil || a.before == nil || a.gateway == nil {
		return
	}
	left := countProcess()
	for late := time.Now().Add(quietWait); (left.goroutines > a.before.goroutines || left.files > a.before.files) && time.Now().Before(late); left = countProcess() {
		time.Sleep(10 * time.Millisecond)
	}
	a.history.counted(verify.WhenQuiet, a.gateway.Held(), left)
}
