package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// healthEvery is how often a load balancer asks whether a node takes new
	// connections, and healthWait how long it waits for an answer.
	healthEvery = 100 * time.Millisecond
	healthWait  = 400 * time.Millisecond
	// dialWait bounds opening a connection to a node.
	dialWait = 200 * time.Millisecond
)

// front is what learners reach: a load balancer that gives new connections to nodes which
// are ready, and a bad network before it.
type front struct {
	listener net.Listener
	nodes    []*backend
	work     sync.WaitGroup
	stop     context.CancelFunc
	cuts     atomic.Int64 // connections cut at a byte

	mu    sync.Mutex // guards what follows
	rng   *rand.Rand
	links map[*link]struct{}
	// weather is what new connections get.
	weather weather
	closed  bool
}

// backend is a node as the load balancer sees it.
type backend struct {
	address string
	ready   func(context.Context) error
	// up and shut are guarded by the front's mu. shut: it gets no new connections, however
	// ready it is.
	up, shut bool
}

// startFront listens on a port of the loopback for these nodes. Close it.
func startFront(ctx context.Context, nodes []*backend, seed uint64) (*front, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	f := &front{listener: l, nodes: nodes, stop: stop, rng: rand.New(rand.NewPCG(seed, 1)), links: map[*link]struct{}{}}
	f.work.Go(func() { f.accept(ctx) })
	for _, b := range f.nodes {
		f.work.Go(func() { f.watch(ctx, b) })
	}
	return f, nil
}

// url is where learners find Kalami.
func (f *front) url() string { return "http://" + f.listener.Addr().String() }

// Close cuts everything and waits.
func (f *front) Close() error {
	f.stop()
	err := f.listener.Close()
	f.mu.Lock()
	f.closed = true
	for l := range f.links {
		l.cut()
	}
	f.mu.Unlock()
	f.work.Wait()
	return err
}

// watch asks a node whether it is ready. From one that does not answer at all its
// connections are taken; one that is only not ready keeps them.
func (f *front) watch(ctx context.Context, b *backend) {
	failed := 0
	for ctx.Err() == nil {
		one, cancel := context.WithTimeout(ctx, healthWait)
		err := b.ready(one)
		dead := err != nil && one.Err() != nil
		cancel()
		if failed++; !dead {
			failed = 0
		}
		f.mu.Lock()
		b.up = err == nil
		for l := range f.links {
			if failed >= 2 && l.node == b.address {
				l.cut()
			}
		}
		f.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(healthEvery):
		}
	}
}

// accept takes connections until the listener is closed.
func (f *front) accept(ctx context.Context) {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.work.Go(func() { f.serve(ctx, conn) })
	}
}

// serve carries one connection to a node and back.
func (f *front) serve(ctx context.Context, conn net.Conn) {
	node, address, err := f.dial(ctx)
	if err != nil {
		_ = conn.Close() // nobody is there; the client tries again
		return
	}
	f.mu.Lock()
	l := newLink(conn, node, address, f.weather, rand.New(rand.NewPCG(f.rng.Uint64(), 2)), &f.cuts)
	f.links[l] = struct{}{}
	if f.closed {
		l.cut()
	}
	f.mu.Unlock()
	l.carry()
	f.mu.Lock()
	delete(f.links, l)
	f.mu.Unlock()
}

// dial opens a connection to a node that is ready, by chance; to another when it cannot.
func (f *front) dial(ctx context.Context) (net.Conn, string, error) {
	f.mu.Lock()
	var up []string
	for _, b := range f.nodes {
		if b.up && !b.shut {
			up = append(up, b.address)
		}
	}
	f.rng.Shuffle(len(up), func(i, j int) { up[i], up[j] = up[j], up[i] })
	f.mu.Unlock()
	dialer := net.Dialer{Timeout: dialWait}
	for _, address := range up {
		if conn, err := dialer.DialContext(ctx, "tcp", address); err == nil {
			return conn, address, nil
		}
	}
	return nil, "", errors.New("no node is ready")
}

// turn changes the weather for connections to come.
func (f *front) turn(w weather) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.weather = w
}

// each calls what with every open connection.
func (f *front) each(what func(l *link)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for l := range f.links {
		what(l)
	}
}

// lead gives new connections to those nodes alone which it is asked to.
func (f *front) lead(to func(address string) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.nodes {
		b.shut = !to(b.address)
	}
}

// talking is how many voice sockets a node has.
func (f *front) talking(address string) int {
	n := 0
	f.each(func(l *link) {
		if l.node == address && l.voice.Load() {
			n++
		}
	})
	return n
}
