package session

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// claimLease is for how long a node takes what was left undone. One that dies has lost it
	// after that: with the pause between two looks (sweepEvery) others take it within ten
	// seconds.
	claimLease = 6 * time.Second
	// claimRenew is how often a node that lives says so of what it has not come to yet. Two
	// that fail in a row do no harm; after that something is done twice, and kept once.
	claimRenew = 2 * time.Second
)

// workOff does one claim after the other until all are done or ctx ends, and renews by hold
// what is still to be done or under way. It returns when nothing of it is left.
func workOff[C any](ctx context.Context, log *slog.Logger, claims []C, hold func(context.Context, []C) error, do func(C)) {
	var mu sync.Mutex // guards left
	left := claims
	renewing, stop := context.WithCancel(ctx)
	var renewer sync.WaitGroup
	renewer.Go(func() {
		tick := time.NewTicker(claimRenew)
		defer tick.Stop()
		for {
			select {
			case <-renewing.Done():
				return
			case <-tick.C:
			}
			mu.Lock()
			mine := left
			mu.Unlock()
			err := contained(func() error {
				asking, cancel := context.WithTimeout(renewing, claimRenew)
				defer cancel()
				return hold(asking, mine)
			})
			if err != nil && renewing.Err() == nil {
				log.Warn("claims not renewed", "claims", len(mine), "err", err)
			}
		}
	})
	defer renewer.Wait()
	defer stop()
	for i, c := range claims {
		if ctx.Err() != nil {
			return // whoever goes on has them when their time is over
		}
		mu.Lock()
		left = claims[i:]
		mu.Unlock()
		do(c)
	}
}
