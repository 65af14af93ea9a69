package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// cluster is Kalami on several nodes, with its stores, its vendors and what stands before
// it. Close it.
type cluster struct {
	histories string // of nodes and clients
	postgres  *postgresServer
	redis     *redisServer
	vendors   *vendors
	nodes     []*kalamiNode
	front     *front
}

// startCluster starts everything in a folder.
func startCluster(ctx context.Context, dir string, o *options, seed uint64) (c *cluster, err error) {
	c = &cluster{histories: filepath.Join(dir, "histories")}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if err := os.Mkdir(c.histories, 0o700); err != nil {
		return c, err
	}
	if c.vendors, err = startVendors(ctx, o.short); err != nil {
		return c, err
	}
	if c.postgres, err = startPostgres(ctx, dir); err != nil {
		return c, err
	}
	if c.redis, err = startRedis(ctx, dir, "redis"); err != nil {
		return c, err
	}
	ports, err := freePorts(2 * o.nodes)
	if err != nil {
		return c, err
	}
	for i := range o.nodes {
		n := &kalamiNode{name: fmt.Sprintf("node-%d", i+1), dir: dir, binary: o.kalami, environ: c.environ(o.short)}
		n.port, n.metrics = ports[2*i], ports[2*i+1]
		c.nodes = append(c.nodes, n)
	}
	if err := c.nodes[0].start(ctx); err != nil { // it makes the schema
		return c, err
	}
	if err := together(c.nodes[1:], func(n *kalamiNode) error { return n.start(ctx) }); err != nil {
		return c, err
	}
	var behind []*backend
	for _, n := range c.nodes {
		behind = append(behind, &backend{address: n.address(), ready: n.ready, up: true})
	}
	c.front, err = startFront(ctx, behind, seed)
	return c, err
}

// environ is what all nodes are told.
func (c *cluster) environ(short bool) []string {
	environ := append(c.vendors.environ(), "DATABASE_URL="+c.postgres.url(), "REDIS_URL="+c.redis.url(),
		"SECRET_KEY="+strings.Repeat("a key that opens nothing ", 3), "KALAMI_HISTORY_DIR="+c.histories,
		"KALAMI_RATE_LIMITS=false", "KALAMI_NUDGES=false", "KALAMI_LOG_LEVEL=INFO", "KALAMI_LOG_FORMAT=json",
		"KALAMI_MAX_DURATION=24h") // the long forms go on for longer than a lesson
	if short {
		environ = append(environ, "KALAMI_DRAIN_WAIT=500ms") // the balancer here looks ten times a second
	}
	return environ
}

// together does something with each node at the same time.
func together(nodes []*kalamiNode, do func(*kalamiNode) error) error {
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	for i, n := range nodes {
		all.Go(func() { errs[i] = do(n) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// Close ends every process that was started and waits for it.
func (c *cluster) Close() error {
	var errs []error
	if c.front != nil {
		errs = append(errs, c.front.Close())
	}
	errs = append(errs, together(c.nodes, func(n *kalamiNode) error {
		if n.child == nil {
			return nil
		}
		return n.stop(syscall.SIGTERM)
	}))
	if c.redis != nil && c.redis.child != nil {
		errs = append(errs, c.redis.stop(syscall.SIGTERM))
	}
	if c.postgres != nil && c.postgres.child != nil {
		errs = append(errs, c.postgres.stop(syscall.SIGINT)) // its fast stop
	}
	if c.vendors != nil {
		errs = append(errs, c.vendors.Close())
	}
	return errors.Join(errs...)
}
