package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// unnoticed moves learners to other nodes while every connection that waits for notices is
// cut as soon as it is there: row 19. A former owner then hears of it by its lease, or when
// it writes.
func unnoticed() fault {
	return fault{name: "unnoticed", rows: []int{19}, takes: 5 * time.Second, short: 1, long: 20, run: func(ctx context.Context, t *trial, times int) (int, error) {
		quiet, over := context.WithCancel(ctx)
		var deaf sync.WaitGroup
		defer deaf.Wait()
		defer over()
		deaf.Go(func() {
			for quiet.Err() == nil {
				_, _ = t.redis.ask(quiet, "CLIENT KILL TYPE pubsub") // the next one kills it, too
				_ = sleep(quiet, 5*time.Millisecond)
			}
		})
		for range times {
			if err := t.moment(ctx, time.Second); err != nil {
				return 0, err
			}
			n := t.fullest()
			t.front.lead(func(address string) bool { return address != n.address() })
			t.front.each(func(l *link) {
				if l.node == n.address() {
					l.cut()
				}
			})
			t.allBack(ctx, n, "unnoticed")
			t.scatter()
			t.settle(ctx, "unnoticed")
		}
		return times, nil
	}}
}

// redisFailover lets Redis die and a replica take its place at the same address, which was
// frozen before and has not got what was written last: row 17, as with Sentinel behind an
// address that moves. The conversations move at the same time, so that the epochs that the
// replica knows are too low.
func redisFailover() fault {
	return fault{name: "redis-failover", rows: []int{17}, takes: 5 * time.Second, short: 1, long: 5, run: func(ctx context.Context, t *trial, times int) (int, error) {
		for i := range times {
			replica, err := t.redis.replica(ctx, "replica-"+strconv.Itoa(i+1))
			if err != nil {
				return 0, err
			}
			replica.signal(syscall.SIGSTOP)
			n := t.fullest()
			n.kill() // its conversations get epochs that the replica never hears of
			t.allBack(ctx, n, "redis-failover")
			t.redis.kill()
			replica.signal(syscall.SIGCONT)
			if err := replica.promote(ctx, t.redis.port); err != nil {
				return 0, errors.Join(err, replica.stop(syscall.SIGTERM))
			}
			t.redis.child, t.redis.name = replica.child, replica.name
			if err := n.start(ctx); err != nil {
				return 0, err
			}
			t.settle(ctx, "redis-failover")
		}
		return times, nil
	}}
}

// replica starts another Redis, and returns when it has all that this one has.
func (r *redisServer) replica(ctx context.Context, name string) (*redisServer, error) {
	c, err := startRedis(ctx, r.dir, name, "--replicaof", "127.0.0.1 "+strconv.Itoa(r.port))
	if err != nil {
		return nil, err
	}
	return c, c.await(ctx, func(ctx context.Context) error { return r.command(ctx, "WAIT 1 500", ":1") })
}

// promote makes a replica the master at the port of the one that has died.
func (r *redisServer) promote(ctx context.Context, port int) error {
	if err := r.command(ctx, "REPLICAOF NO ONE", "+OK"); err != nil {
		return err
	}
	if err := r.command(ctx, fmt.Sprintf("CONFIG SET port %d", port), "+OK"); err != nil {
		return err
	}
	r.port = port
	return nil
}
