package failover

import (
	"cmp"
	"log/slog"
	"time"

	"kalami/providers"
)

// Defaults of [Options].
const (
	DefaultCoolDown    = time.Minute
	DefaultFailures    = 3
	DefaultStall       = 2500 * time.Millisecond
	DefaultConcurrent  = 1024
	DefaultTenantShare = 80
)

// Options configure a choice of vendors. The zero value is usable.
type Options struct {
	// Failures among twice as many calls open a vendor's breaker; 0 means [DefaultFailures].
	Failures int
	// CoolDown is the longest time between two probes of a vendor that is down; the first
	// come after [ProbeInterval], and each waits twice as long as the one before. 0 means
	// [DefaultCoolDown].
	CoolDown time.Duration
	// Slow is how late the first word or sample may be without counting against its
	// vendor; 0 means the kind's default.
	Slow time.Duration
	// Stall is how long a vendor may say nothing in the middle before it is given up, while
	// somebody waits; 0 means [DefaultStall].
	Stall time.Duration
	// Concurrent bounds the calls under way at one vendor; further ones go to the next,
	// and fail as Overloaded when that is nobody. 0 means [DefaultConcurrent].
	Concurrent int
	// TenantShare is how many percent of Concurrent one tenant may take, at least one call;
	// 0 means [DefaultTenantShare].
	TenantShare int
	// Probes paces the probes of all parts of a node; nil means a pace of one's own.
	Probes *Probes
	// Observer is told what happens; nil for nobody.
	Observer Observer
	// Called is told of each call that ended, and why it was made; nil for nobody. It is
	// called from many goroutines and must not block.
	Called func(p Part, vendor string, why Why)
	// Log gets a line for each failure that was answered by asking the next; nil discards.
	Log *slog.Logger
}

// completed returns opt with its defaults.
func (opt Options) completed(slow time.Duration) Options {
	opt.CoolDown = cmp.Or(opt.CoolDown, DefaultCoolDown)
	opt.Failures = cmp.Or(opt.Failures, DefaultFailures)
	opt.Slow = cmp.Or(opt.Slow, slow)
	opt.Stall = cmp.Or(opt.Stall, DefaultStall)
	opt.Concurrent = cmp.Or(opt.Concurrent, DefaultConcurrent)
	opt.TenantShare = cmp.Or(opt.TenantShare, DefaultTenantShare)
	if opt.Probes == nil {
		opt.Probes = NewProbes()
	}
	if opt.Called == nil {
		opt.Called = func(Part, string, Why) {}
	}
	if opt.Observer == nil {
		opt.Observer = nobody{}
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return opt
}

// Part is what a vendor does, as a metric's label.
type Part string

// The parts.
const (
	Recognition Part = "stt"
	Replies     Part = "llm"
	Speech      Part = "tts"
	Analysis    Part = "analysis"
)

// Parts are all of them.
func Parts() []Part { return []Part{Recognition, Replies, Speech, Analysis} }

// Outcome is how a call ended, as a metric's label: one of these, or the name of a
// [providers.Kind].
type Outcome string

// The outcomes that are no vendor's failure.
const (
	OK      Outcome = "ok"
	Slow    Outcome = "slow"    // whole, but its beginning was late
	Beaten  Outcome = "beaten"  // another vendor, asked after it, was quicker
	Left    Outcome = "left"    // nobody wanted the rest
	Foreign Outcome = "foreign" // failed for a reason that is not the vendor's
)

// Outcomes are all of them.
func Outcomes() []Outcome {
	all := []Outcome{OK, Slow, Beaten, Left, Foreign}
	for k := providers.Unavailable; k <= providers.Quota; k++ {
		all = append(all, Outcome(k.String()))
	}
	return all
}

// Why says why a vendor was called.
type Why string

// The reasons.
const (
	ForTurn     Why = "turn"     // the first call for something
	ForRetry    Why = "retry"    // the same again, because the call before has failed
	ForHedge    Why = "hedge"    // beside one that is late
	ForAnalysis Why = "analysis" // of what was said
	ForProbe    Why = "probe"    // whether the vendor is well again
)

// reasonOf is why something is asked for, for the first time or not.
func reasonOf(retry bool) Why {
	if retry {
		return ForRetry
	}
	return ForTurn
}

// When says at which point of a call the next vendor was asked, as a metric's label.
type When string

// The points.
const (
	BeforeFirst When = "before_first" // nobody had heard anything
	AfterFirst  When = "after_first"  // in the middle
)

// State is a breaker's, as a metric's value.
type State int

// The states.
const (
	Closed State = iota
	HalfOpen
	Open
)

// An Observer is told what becomes of calls, for metrics. Its methods must not block, and
// are called from many goroutines. vendor is a vendor's name, followed by "-2" for the
// second of a name: the values are as many as vendors are configured.
type Observer interface {
	// Requested is told of each call that ended, probes included.
	Requested(p Part, vendor string, o Outcome)
	// FailedOver is told when the next vendor is asked because one has failed.
	FailedOver(p Part, w When)
	// Breaker is told a vendor's state: once when it is made, and at each change.
	Breaker(p Part, vendor string, s State)
	// Hedged is told how a race ended: won says whether the vendor asked later was first.
	Hedged(p Part, won bool)
}

// nobody observes.
type nobody struct{}

func (nobody) Requested(Part, string, Outcome) {}
func (nobody) FailedOver(Part, When)           {}
func (nobody) Breaker(Part, string, State)     {}
func (nobody) Hedged(Part, bool)               {}
