package main

import (
	"context"
	"syscall"
	"time"
)

// moment is the time that passes before a fault: it comes at any moment of a turn.
func (t *trial) moment(ctx context.Context, most time.Duration) error {
	return sleep(ctx, time.Duration(t.rng.Int64N(int64(most))))
}

// nodekill kills the node with most learners, over and over, at any moment of their turns,
// and starts it again when all have a socket elsewhere: row 7. A learner is moved every few
// seconds, so that there is time for a sentence between.
func nodekill() fault {
	return fault{name: "nodekill", rows: []int{7}, takes: 4 * time.Second, short: 2, long: 1000, run: func(ctx context.Context, t *trial, times int) (int, error) {
		for range times {
			if err := t.moment(ctx, 3*time.Second); err != nil {
				return 0, err
			}
			n := t.fullest()
			n.kill()
			t.allBack(ctx, n, "nodekill")
			if err := n.start(ctx); err != nil {
				return 0, err
			}
		}
		t.settle(ctx, "nodekill")
		return times, nil
	}}
}

// zombie freezes the node with most learners until they are elsewhere, and lets it wake up:
// row 8. Each conversation that it had is a trial. What the node writes then is refused,
// which the checker sees.
func zombie() fault {
	return fault{name: "zombie", rows: []int{8}, takes: 5 * time.Second, short: 1, long: 500, run: func(ctx context.Context, t *trial, times int) (int, error) {
		least, most := 1500*time.Millisecond, 2*time.Second
		if !t.opts.short {
			least, most = 5*time.Second, 30*time.Second
		}
		trials, freezes := 0, 0
		for ; trials < times; freezes++ {
			if err := t.moment(ctx, time.Second); err != nil {
				return 0, err
			}
			n := t.fullest()
			trials += t.front.talking(n.address())
			n.signal(syscall.SIGSTOP)
			err := sleep(ctx, least+time.Duration(t.rng.Int64N(int64(most-least))))
			n.signal(syscall.SIGCONT)
			if err != nil {
				return 0, err
			}
			t.settle(ctx, "zombie")
		}
		t.figuref("%d nodes were frozen for %v to %v, %d writes of former owners were refused so far", freezes, least, most, t.refused())
		return trials, nil
	}}
}

// unmoved judges a restart that learners are told of before: nobody starts over, and nobody
// has to say anything again.
func unmoved(t *trial, o outcome) {
	restarted, fresh := 0, 0
	for _, r := range o.returns {
		switch {
		case r.Restarted:
			restarted++
		case r.Fresh:
			fresh++
		}
	}
	if restarted+fresh+o.misheard > 0 {
		t.wrongf("%s: %d sessions restarted, %d anew, and %d utterances had to be said again", o.fault, restarted, fresh, o.misheard)
	}
}

// rolling restarts all nodes one after another, as a deployment does: row 11.
func rolling() fault {
	return fault{name: "rolling", fells: true, rows: []int{11}, takes: 17 * time.Second, short: 1, long: 20, judge: unmoved, run: func(ctx context.Context, t *trial, times int) (int, error) {
		for range times {
			for _, n := range t.nodes {
				if err := n.restart(ctx); err != nil {
					return 0, err
				}
			}
		}
		return times, nil
	}}
}

// drain lets all nodes but one go at the same time: row 12.
func drain() fault {
	return fault{name: "drain", fells: true, rows: []int{12}, takes: 11 * time.Second, short: 1, long: 20, judge: unmoved, run: func(ctx context.Context, t *trial, times int) (int, error) {
		for range times {
			stays := t.rng.IntN(len(t.nodes))
			var going []*kalamiNode
			for i, n := range t.nodes {
				if i != stays {
					going = append(going, n)
				}
			}
			if err := together(going, func(n *kalamiNode) error { return n.restart(ctx) }); err != nil {
				return 0, err
			}
		}
		return times, nil
	}}
}

// blackout kills all nodes at once and starts them again: row 13.
func blackout() fault {
	return fault{name: "blackout", fells: true, rows: []int{13}, takes: 7 * time.Second, short: 1, long: 50, run: func(ctx context.Context, t *trial, times int) (int, error) {
		for range times {
			if err := t.moment(ctx, time.Second); err != nil {
				return 0, err
			}
			if err := together(t.nodes, func(n *kalamiNode) error { n.kill(); return nil }); err != nil {
				return 0, err
			}
			if err := together(t.nodes, func(n *kalamiNode) error { return n.start(ctx) }); err != nil {
				return 0, err
			}
			t.settle(ctx, "blackout")
		}
		return times, nil
	}}
}
