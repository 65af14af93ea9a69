package drafts

import (
	"cmp"
	"sync"
	"time"
)

// Defaults of [Options], with [DefaultConversation] and [DefaultNode].
const (
	DefaultPerTurn = 0.3 // dropped drafts for each answered turn
	DefaultBusy    = 0.8 // of the load
)

// DefaultConversation is what one conversation may waste in a minute.
func DefaultConversation() Waste { return Waste{Calls: 6, Tokens: 600, Characters: 1200} }

// DefaultNode is what all conversations of a node together may waste in a minute.
func DefaultNode() Waste { return Waste{Calls: 300, Tokens: 30_000, Characters: 60_000} }

// Options configure a [Governor]. The zero value means the defaults.
type Options struct {
	// PerTurn is how many dropped drafts an answered turn may cost, on average.
	PerTurn float64
	// Conversation and Node bound what is wasted in a minute; a field that is 0 means
	// its default.
	Conversation, Node Waste
	// Load says how busy the node is, from 0 to 1; nil means never. It is called by
	// every conversation, concurrently, and must not block.
	Load func() float64
	// Busy is the load from which on no draft is begun.
	Busy float64
}

// Waste is what was paid for and not used.
type Waste struct {
	Calls      int // of the language model
	Tokens     int // that it made
	Characters int // that the voice was given
}

// Governor is what all conversations of a node share. Safe for concurrent use.
type Governor struct {
	opt Options // static after New

	mu   sync.Mutex
	node purse
}

// New makes a governor.
func New(opt Options) *Governor {
	opt.PerTurn = cmp.Or(opt.PerTurn, DefaultPerTurn)
	opt.Busy = cmp.Or(opt.Busy, DefaultBusy)
	opt.Conversation = opt.Conversation.or(DefaultConversation())
	opt.Node = opt.Node.or(DefaultNode())
	return &Governor{opt: opt, node: newPurse(opt.Node)}
}

// or fills in what is 0.
func (w Waste) or(d Waste) Waste {
	return Waste{cmp.Or(w.Calls, d.Calls), cmp.Or(w.Tokens, d.Tokens), cmp.Or(w.Characters, d.Characters)}
}

// busy says whether the node has no calls to spare.
func (g *Governor) busy() bool { return g.opt.Load != nil && g.opt.Load() >= g.opt.Busy }

// take takes a call from the node's minute, if there is one.
func (g *Governor) take(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.node.take(now)
}

// settle gives a call back, or takes what a dropped draft cost besides it.
func (g *Governor) settle(back bool, w Waste) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.node.settle(back, w)
}

// purse holds what may still be wasted: it fills up within a minute.
type purse struct {
	full                      Waste
	calls, tokens, characters float64
	filled                    time.Time // zero: it is full
}

func newPurse(full Waste) purse {
	return purse{full: full, calls: float64(full.Calls), tokens: float64(full.Tokens), characters: float64(full.Characters)}
}

// take takes a call, if there is one, and if neither tokens nor characters are overdrawn.
func (p *purse) take(now time.Time) bool {
	if !p.filled.IsZero() {
		share := max(0, now.Sub(p.filled).Minutes())
		p.calls = min(p.calls+share*float64(p.full.Calls), float64(p.full.Calls))
		p.tokens = min(p.tokens+share*float64(p.full.Tokens), float64(p.full.Tokens))
		p.characters = min(p.characters+share*float64(p.full.Characters), float64(p.full.Characters))
	}
	p.filled = now
	if p.calls < 1 || p.tokens <= 0 || p.characters <= 0 {
		return false
	}
	p.calls--
	return true
}

// settle gives a call back, or takes w's tokens and characters; the purse may be
// overdrawn by them, since nobody knew how many there would be.
func (p *purse) settle(back bool, w Waste) {
	if back {
		p.calls = min(p.calls+1, float64(p.full.Calls))
		return
	}
	p.tokens -= float64(w.Tokens)
	p.characters -= float64(w.Characters)
}
