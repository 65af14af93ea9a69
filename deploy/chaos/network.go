package main

import (
	"context"
	"time"
)

// cut cuts every connection at a random byte in each direction, until there were so many
// cuts: row 1.
func cut() fault {
	return fault{name: "cut", rows: []int{1}, takes: 5 * time.Second, short: 60, long: 10_000, run: func(ctx context.Context, t *trial, times int) (int, error) {
		before := t.front.cuts.Load()
		t.front.turn(weather{cutWithin: 64 << 10})
		t.front.each(func(l *link) { l.cut() }) // what is there already has no such byte
		for t.front.cuts.Load()-before < int64(times) {
			if err := sleep(ctx, 20*time.Millisecond); err != nil {
				return 0, err
			}
		}
		return int(t.front.cuts.Load() - before), nil
	}}
}

// hole lets connections swallow everything without a word, so that each side believes that
// the other is there: row 2.
func hole() fault {
	return fault{name: "hole", rows: []int{2}, takes: 13 * time.Second, short: 1, long: 50, run: func(ctx context.Context, t *trial, times int) (int, error) {
		for range times {
			t.front.each(func(l *link) { l.hole.Store(true) })
			t.settle(ctx, "hole")
			t.front.each(func(l *link) { // what nobody pings waits for ever, like a request over it
				if l.hole.Load() {
					l.cut()
				}
			})
		}
		return times, context.Cause(ctx)
	}}
}

// slow makes the network slow in both directions, and lets it stall: row 5. The matrix
// asks for 16 KB/s, which is less than the 48 KB/s of the tutor's voice in PCM: what is
// tried here is a line that has just enough on average.
func slow() fault {
	return fault{name: "slow", rows: []int{5}, takes: 7 * time.Second, short: 1, long: 10, run: func(ctx context.Context, t *trial, times int) (int, error) {
		for range times {
			t.front.turn(weather{delay: 200 * time.Millisecond, rate: 64 << 10, stalls: 0.02})
			t.front.each(func(l *link) { l.cut() })
			if err := sleep(ctx, 2*time.Second); err != nil {
				return 0, err
			}
			t.front.turn(weather{})
			t.front.each(func(l *link) { l.cut() })
			t.settle(ctx, "slow")
		}
		return times, nil
	}}
}
