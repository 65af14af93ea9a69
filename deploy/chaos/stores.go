package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"

	"kalami/store/live"
)

// mirrorWhole is how soon after Redis' return all that goes on must be in it again.
const mirrorWhole = 2 * time.Second

// redisGone is how long Redis is away.
func (t *trial) redisGone() time.Duration {
	if t.opts.short {
		return 1500 * time.Millisecond
	}
	return 30 * time.Second
}

// redisKill kills Redis and starts it again, with what its log has kept: row 14.
func redisKill() fault {
	return fault{name: "redis-kill", rows: []int{14}, takes: 5 * time.Second, short: 1, long: 5, run: func(ctx context.Context, t *trial, times int) (int, error) {
		return t.redisAway(ctx, "redis-kill", times, func() func() error {
			t.redis.kill()
			return func() error { return t.redis.start(ctx) }
		})
	}}
}

// redisHang freezes Redis: connections are taken, and nothing is answered: row 15.
func redisHang() fault {
	return fault{name: "redis-hang", rows: []int{15}, takes: 7 * time.Second, short: 1, long: 5, run: func(ctx context.Context, t *trial, times int) (int, error) {
		return t.redisAway(ctx, "redis-hang", times, func() func() error {
			t.redis.signal(syscall.SIGSTOP)
			return func() error { t.redis.signal(syscall.SIGCONT); return nil }
		})
	}}
}

// redisAway takes Redis away for a while, as often as wanted. Everybody talks on; in the long
// form a learner begins and a node is killed meanwhile, whose learners go on elsewhere from
// what the database has.
func (t *trial) redisAway(ctx context.Context, name string, times int, away func() (back func() error)) (int, error) {
	var whole []time.Duration
	answered := 0
	for i := range times {
		if err := t.moment(ctx, time.Second); err != nil {
			return 0, err
		}
		answers := t.count(func(n *notes) int { return n.done })
		back := away()
		began := time.Now()
		var err error
		var killed *kalamiNode
		if !t.opts.short {
			err = t.newcomer(ctx, fmt.Sprintf("%s-%d", name, i+1))
			killed = t.busiest()
			killed.kill()
			t.settle(ctx, name+", and a node")
		}
		err = cmp.Or(err, sleep(ctx, time.Until(began.Add(t.redisGone()))))
		for i, n := range t.count(func(n *notes) int { return n.done }) {
			answered += n - answers[i]
		}
		if err := cmp.Or(err, back()); err != nil {
			return 0, err
		}
		took, err := t.mirrored(ctx, name)
		if err != nil {
			return 0, err
		}
		whole = append(whole, took)
		t.settle(ctx, name)
		if killed != nil {
			if err := killed.start(ctx); err != nil {
				return 0, err
			}
		}
	}
	slices.Sort(whole)
	t.figuref("%s: away %v, %d answers meanwhile; all is mirrored %s after the return", name, t.redisGone(), answered, spread(whole))
	return times, nil
}

// redisWipe empties Redis while everybody talks: row 16. Then it is emptied again, and a node
// is killed at once, whose learners find nothing of theirs there.
func redisWipe() fault {
	return fault{name: "redis-wipe", rows: []int{16}, takes: 5 * time.Second, short: 1, long: 20, run: func(ctx context.Context, t *trial, times int) (int, error) {
		var whole []time.Duration
		for range times {
			if err := t.redis.command(ctx, "FLUSHALL", "+OK"); err != nil {
				return 0, err
			}
			took, err := t.mirrored(ctx, "redis-wipe")
			if err != nil {
				return 0, err
			}
			whole = append(whole, took)
			if err := t.redis.command(ctx, "FLUSHALL", "+OK"); err != nil {
				return 0, err
			}
			n := t.busiest()
			n.kill()
			t.settle(ctx, "redis-wipe")
			if err := n.start(ctx); err != nil {
				return 0, err
			}
		}
		slices.Sort(whole)
		t.figuref("redis-wipe: all is mirrored %s after it was emptied", spread(whole))
		return times, nil
	}}
}

// mirrored waits until Redis has of each conversation a state, and the events up to those
// that its client has now; it returns how long that took.
func (t *trial) mirrored(ctx context.Context, name string) (took time.Duration, err error) {
	began := time.Now()
	type place struct {
		conversation string
		seq          uint64
	}
	missing := map[string]place{}
	for _, k := range t.talkers {
		k.notes.mu.Lock()
		missing[k.name] = place{k.notes.conversation, k.notes.seq}
		k.notes.mu.Unlock()
	}
	mirror, err := live.Open(ctx, live.Options{URL: t.redis.url()})
	if err != nil {
		return 0, err
	}
	defer func() { err = cmp.Or(err, mirror.Close()) }()
	for {
		for who, p := range missing {
			// Another's error, or none: it is asked again.
			kept, ok, _ := mirror.Live(ctx, p.conversation)
			if n := len(kept.Events); ok && n > 0 && len(kept.State) > 0 && kept.Events[n-1].Seq >= p.seq {
				delete(missing, who)
			}
		}
		took = time.Since(began)
		switch {
		case len(missing) == 0:
			if took > mirrorWhole && !t.opts.short {
				t.wrongf("%s: all was mirrored %v after Redis' return", name, took.Round(time.Millisecond))
			}
			return took, nil
		case took > signWait:
			t.wrongf("%s: %d conversations are not mirrored %v after Redis' return", name, len(missing), signWait)
			return took, nil
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// busiest is the node that most learners are at.
func (t *trial) busiest() *kalamiNode {
	at := map[string]int{}
	t.front.each(func(l *link) { at[l.node]++ })
	return slices.MaxFunc(t.nodes, func(a, b *kalamiNode) int { return at[a.address()] - at[b.address()] })
}

// newcomer is a learner who comes in, is greeted and leaves.
func (t *trial) newcomer(ctx context.Context, name string) error {
	say, err := speech(t.opts.speech)
	if err != nil {
		return err
	}
	k, err := newTalker(t.histories, "newcomer-"+name, rand.New(rand.NewPCG(t.rng.Uint64(), 4)))
	if err != nil {
		return err
	}
	over := make(chan struct{})
	if err := k.talk(ctx, t.front.url(), say, over, sync.OnceFunc(func() { close(over) })); err != nil {
		t.wrongf("%s: nobody comes in: %v", name, err)
	}
	for _, w := range k.complaints() {
		t.wrongf("%s: %s", name, w)
	}
	return nil
}

// spread tells the middle and the end of sorted times.
func spread(sorted []time.Duration) string {
	if len(sorted) == 0 {
		return "never"
	}
	return fmt.Sprintf("%v p50, %v p99, %v at most", quantile(sorted, 0.5), quantile(sorted, 0.99), quantile(sorted, 1))
}
