package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kalami/session"
)

// panicWord is what a learner types to make a node panic that was built for that
// (session/planted_chaos.go).
const panicWord = "kalami: panic"

// panics lets a session's goroutine panic, in the middle of whatever goes on: row 10. That
// session is taken up again, and the node and everybody else's sessions live on.
func panics() fault {
	return fault{name: "panic", rows: []int{10}, takes: 4 * time.Second, short: 2, long: 200, run: func(ctx context.Context, t *trial, times int) (int, error) {
		for range times {
			if err := t.moment(ctx, time.Second); err != nil {
				return 0, err
			}
			began, k := time.Now(), t.talkers[t.rng.IntN(len(t.talkers))]
			if err := k.lesson.Send(session.CreateItem{Text: panicWord}); err != nil {
				return 0, err
			}
			for len(k.returned(began)) == 0 {
				if time.Since(began) > signWait {
					return 0, fmt.Errorf("nobody panicked within %v: is the node built with -tags chaos?", signWait)
				}
				if err := sleep(ctx, 5*time.Millisecond); err != nil {
					return 0, err
				}
			}
			if others := len(t.returnsSince(began)) - len(k.returned(began)); others > 0 {
				t.wrongf("panic: %d others lost their sockets, too", others)
			}
			if slices.ContainsFunc(t.nodes, func(n *kalamiNode) bool { return n.ended() }) {
				t.wrongf("panic: a node has died of it")
			}
		}
		t.settle(ctx, "panic")
		return times, nil
	}}
}
