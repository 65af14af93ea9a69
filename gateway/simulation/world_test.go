package simulation

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"kalami/session/learn"
	"kalami/session/verify"
)

// odds are how probable each fault is in a virtual 100 ms, of each client or node; and at
// each call to the model and the voice.
type odds struct {
	cut, unread                 float64 // of a client
	freeze, die, drain, step    float64 // of a node
	slow, gone, wipe, mirrorOff float64
	model, voice                float64
	notices                     float64 // that one is lost
	deaf                        float64 // that nobody listens for a stream, at first
}

// oddsOf chooses which faults a trial has: all at once hide each other.
func oddsOf(r *rand.Rand) odds {
	of := func(p float64) float64 {
		if r.IntN(5) < 2 {
			return 0
		}
		return p * (0.3 + 2*r.Float64())
	}
	return odds{cut: of(0.004), unread: of(0.0005), freeze: of(0.001), die: of(0.0008), drain: of(0.0005), step: of(0.001),
		slow: of(0.001), gone: of(0.0006), wipe: of(0.001), mirrorOff: of(0.0005), model: of(0.03), voice: of(0.02), notices: of(0.4),
		deaf: of(0.1)}
}

// world is one trial.
type world struct {
	seed    uint64
	odds    odds
	store   *store
	mirror  *mirror
	ending  atomic.Bool
	stop    chan struct{}
	clients []*client
	work    sync.WaitGroup // wakers and notices

	acknowledged atomic.Int64

	mu       sync.Mutex
	rng      *rand.Rand // of what nodes and vendors ask
	ears     *rand.Rand // of what recognisers do
	names    int
	nodes    []*node
	fallen   []*node
	records  []verify.Record
	problems []string
	faults   map[string]int
}

func newWorld(seed uint64, nodes, clients int, p plant) *world {
	r := rand.New(rand.NewPCG(seed, 3))
	w := &world{seed: seed, odds: oddsOf(r), rng: rand.New(rand.NewPCG(seed, 4)), ears: rand.New(rand.NewPCG(seed, 6)), stop: make(chan struct{}), faults: map[string]int{},
		store:  &store{plant: p, rows: map[string]*row{}, takes: time.Millisecond},
		mirror: &mirror{plant: p, live: map[string]learn.LiveState{}, caps: map[string]place{}}}
	for range nodes {
		w.nodes = append(w.nodes, newNode(w, w.newName("node")))
	}
	for i := range clients {
		id := "c" + strconv.Itoa(i+1)
		w.store.rows[id] = &row{Conversation: learn.Conversation{ID: id, TenantID: "t1", UserID: "u" + strconv.Itoa(i+1),
			Status: "active", Epoch: 0, NextSeq: 1}}
		w.clients = append(w.clients, newClient(w, "client-"+strconv.Itoa(i+1), id, seed+uint64(i)))
	}
	return w
}

func (w *world) record(by, conversation string, f verify.Fact) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records = append(w.records, verify.Record{By: by, At: time.Now(), Conversation: conversation, Fact: f})
}

// fail notes what no record shows.
func (w *world) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

func (w *world) chance(p float64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.Float64() < p
}

// deafness is what is wrong with the recogniser when a stream is asked for: it refuses,
// takes its time, or does both.
func (w *world) deafness() (refuses bool, takes time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ears.Float64() >= w.odds.deaf {
		return false, 0
	}
	w.faults["deaf"]++
	return w.ears.IntN(3) > 0, time.Duration(w.ears.IntN(3000)) * time.Millisecond
}

func (w *world) newName(kind string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.names++
	return kind + "-" + strconv.Itoa(w.names)
}

func (w *world) newToken(conversation string) string { return conversation + "/" + w.newName("token") }

func (w *world) isEnding() bool { return w.ending.Load() }

// anyNode is where a client's next connection happens to go.
func (w *world) anyNode(r *rand.Rand) *node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nodes[r.IntN(len(w.nodes))]
}

// alive are the nodes of the moment.
func (w *world) alive() []*node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*node(nil), w.nodes...)
}

// replace has a new node take the place of one.
func (w *world) replace(old *node) {
	fresh := newNode(w, w.newName("node"))
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, n := range w.nodes {
		if n == old {
			w.nodes[i] = fresh
		}
	}
	w.fallen = append(w.fallen, old)
}

// notify tells all nodes that a conversation has another owner; notices may be lost.
func (w *world) notify(id string, epoch int64) {
	for _, n := range w.alive() {
		if w.chance(w.odds.notices) {
			continue
		}
		if s := n.find(id); s != nil && s.epoch < epoch {
			w.later(30*time.Millisecond, func() {
				if n.awake() {
					s.stop(superseded())
				}
			})
		}
	}
}

// later does something after a while.
func (w *world) later(d time.Duration, f func()) {
	w.work.Go(func() {
		time.Sleep(d)
		f()
	})
}

// happened counts a fault.
func (w *world) happened(fault string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults[fault]++
}
