package simulation

import (
	"math/rand/v2"
	"time"

	"kalami/session"
)

func superseded() error {
	return &session.End{Reason: session.EndSuperseded, Code: session.Superseded}
}

// disturb lets go wrong what chance says, every virtual 100 ms for a while.
func (w *world) disturb(length time.Duration) {
	r := rand.New(rand.NewPCG(w.seed, 5))
	seconds := func(most int) time.Duration { return time.Duration(1+r.IntN(most*10)) * 100 * time.Millisecond }
	for range length / (100 * time.Millisecond) {
		time.Sleep(100 * time.Millisecond)
		for _, c := range w.clients {
			if r.Float64() < w.odds.cut {
				w.happened("cut")
				select {
				case c.cuts <- struct{}{}:
				default:
				}
			}
			if r.Float64() < w.odds.unread {
				w.happened("unread")
				select {
				case c.stall <- seconds(8):
				default:
				}
			}
		}
		for _, n := range w.alive() {
			w.disturbNode(n, r, seconds)
		}
		w.disturbStores(r, seconds)
	}
}

func (w *world) disturbNode(n *node, r *rand.Rand, seconds func(int) time.Duration) {
	if r.Float64() < w.odds.freeze {
		w.happened("freeze")
		n.freeze()
		w.later(seconds(30), n.thaw)
	}
	if r.Float64() < w.odds.step {
		w.happened("step")
		n.mu.Lock()
		n.step = []time.Duration{-time.Hour, 0, time.Hour}[r.IntN(3)]
		n.mu.Unlock()
	}
	switch {
	case r.Float64() < w.odds.die:
		w.happened("die")
		n.die()
		w.replace(n)
	case r.Float64() < w.odds.drain:
		w.happened("drain")
		n.drain()
		w.replace(n)
		w.later(10*time.Second, n.die)
	}
}

func (w *world) disturbStores(r *rand.Rand, seconds func(int) time.Duration) {
	set := func(change func()) func() {
		return func() {
			w.store.mu.Lock()
			defer w.store.mu.Unlock()
			change()
		}
	}
	if r.Float64() < w.odds.slow {
		w.happened("slow")
		takes := time.Duration(r.IntN(2500)) * time.Millisecond
		set(func() { w.store.takes = takes })()
		w.later(seconds(10), set(func() { w.store.takes = time.Millisecond }))
	}
	if r.Float64() < w.odds.gone {
		w.happened("gone")
		set(func() { w.store.gone = true })()
		w.later(seconds(20), set(func() { w.store.gone = false }))
	}
	if r.Float64() < w.odds.wipe {
		w.happened("wipe")
		w.mirror.wipe()
	}
	if r.Float64() < w.odds.mirrorOff {
		w.happened("mirror off")
		w.mirror.turn(true)
		w.later(seconds(20), func() { w.mirror.turn(false) })
	}
}

// turn has the mirror answer nobody, or everybody again.
func (m *mirror) turn(off bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone = off
}
