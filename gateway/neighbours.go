package gateway

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	// topicNodes carries what nodes have to say to each other about themselves: a word, a
	// space and the node's name.
	topicNodes = "nodes"
	// wordStopping is said by a node that stops, and wordOpen by all others.
	wordStopping, wordOpen = "stopping", "open"
	// announceEvery is how often a node says its word, and announceAgain how soon after an
	// attempt that failed.
	announceEvery, announceAgain = 2 * time.Second, 100 * time.Millisecond
	// forgetAfter is how long a node is not heard that is taken to be gone.
	forgetAfter = 7 * time.Second
)

// neighbours are the other nodes as far as this one has heard of them. Each says every two
// seconds, and when it begins or stops, whether it takes clients. So a node that is to stop
// knows at once whether there is somewhere to go, and does not depend on any one notice;
// and of two that stop together neither takes the other for open.
type neighbours struct {
	// Static after newNeighbours.
	node     string
	nodes    Nodes
	draining func() bool
	log      *slog.Logger
	wake     chan struct{} // to say the word now; one notice is enough

	mu    sync.Mutex // guards what follows
	heard map[string]time.Time
	// own is when this node was last heard by itself. While its own word does not come
	// back, nobody else's can, and silence says nothing.
	own time.Time
}

func newNeighbours(node string, nodes Nodes, draining func() bool, log *slog.Logger) *neighbours {
	return &neighbours{node: node, nodes: nodes, draining: draining, log: log, wake: make(chan struct{}, 1), heard: map[string]time.Time{}}
}

// announce says the node's word until ctx ends. It is the only one that does, so that
// "open" never follows "stopping".
func (n *neighbours) announce(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for failing := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-n.wake:
		}
		word, next := wordOpen, announceEvery
		if n.draining() {
			word = wordStopping
		}
		err := n.nodes.Publish(ctx, topicNodes, word+" "+n.node)
		if err != nil {
			next = announceAgain
			if !failing && ctx.Err() == nil {
				n.log.Warn("other nodes do not hear of this one", "err", err)
			}
		}
		failing = err != nil
		timer.Reset(next)
	}
}

// speak has the node say its word now. It does not block.
func (n *neighbours) speak() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// heed notes what a node has said of itself. Whoever stops is answered, so that it need not
// wait to learn who is there.
func (n *neighbours) heed(payload string) {
	word, node, _ := strings.Cut(payload, " ")
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case node == n.node:
		n.own = time.Now()
	case word == wordOpen:
		n.heard[node] = time.Now()
	case word == wordStopping:
		delete(n.heard, node)
		if !n.draining() {
			n.speak()
		}
	}
}

// open says whether any other node takes clients, as far as is known.
func (n *neighbours) open() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for node, at := range n.heard {
		if n.own.Sub(at) < forgetAfter {
			return true
		}
		delete(n.heard, node)
	}
	return false
}

// find waits until another node is known to take clients; false when ctx ends first.
func (n *neighbours) find(ctx context.Context) bool {
	n.speak()
	look := time.NewTicker(announceAgain)
	defer look.Stop()
	for !n.open() {
		select {
		case <-look.C:
		case <-ctx.Done():
			return n.open()
		}
	}
	return true
}
