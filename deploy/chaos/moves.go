package main

import (
	"context"
	"slices"
	"time"
)

// mortal are the nodes that may be stopped: in a soak not the first, which is watched.
func (t *trial) mortal() []*kalamiNode {
	if t.opts.soak > 0 {
		return t.nodes[1:]
	}
	return t.nodes
}

// anyNode is one of them by chance.
func (t *trial) anyNode() *kalamiNode {
	nodes := t.mortal()
	return nodes[t.rng.IntN(len(nodes))]
}

// fullest is the node with most learners of those that may be stopped; one of them by
// chance when there are several.
func (t *trial) fullest() *kalamiNode {
	nodes := slices.Clone(t.mortal())
	t.rng.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	return slices.MaxFunc(nodes, func(a, b *kalamiNode) int { return t.front.talking(a.address()) - t.front.talking(b.address()) })
}

// noticed is how long a client may take to see that its socket is gone.
const noticed = 50 * time.Millisecond

// allBack waits until every learner has a socket again, after a node's were lost.
func (t *trial) allBack(ctx context.Context, from *kalamiNode, after string) {
	deadline := time.Now().Add(signWait)
	for t.front.talking(from.address()) > 0 && time.Now().Before(deadline) && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(noticed)
	for slices.ContainsFunc(t.talkers, (*talker).away) && ctx.Err() == nil {
		if time.Now().After(deadline) {
			for _, k := range t.talkers {
				if k.away() {
					t.wrongf("%s: %s has not come back within %v", after, k.name, signWait)
				}
			}
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// gather brings all learners to one node.
func (t *trial) gather(ctx context.Context, to *kalamiNode, after string) error {
	t.front.lead(func(address string) bool { return address == to.address() })
	t.front.each(func(l *link) {
		if l.voice.Load() && l.node != to.address() {
			l.cut()
		}
	})
	for _, n := range t.nodes {
		if n != to {
			t.allBack(ctx, n, after)
		}
	}
	return context.Cause(ctx)
}

// scatter lets new connections go everywhere again.
func (t *trial) scatter() { t.front.lead(func(string) bool { return true }) }
