package drafts

import "time"

const (
	// advance is how many dropped drafts a conversation may have before it has earned
	// any, and savings how many it may keep for later.
	advance = 2
	savings = 3
)

// Verdict says whether a draft may begin.
type Verdict uint8

// The verdicts.
const (
	Go        Verdict = iota
	Unearned          // too many were dropped for the turns that were answered
	Spent             // the conversation's minute is spent
	NodeSpent         // the node's minute is spent
	StoodDown         // too few were released lately
	Busy              // the node needs its calls for answers
)

// String returns the verdict's name.
func (v Verdict) String() string {
	switch v {
	case Go:
		return "go"
	case Unearned:
		return "unearned"
	case Spent:
		return "spent"
	case NodeSpent:
		return "node_spent"
	case StoodDown:
		return "stood_down"
	case Busy:
		return "busy"
	}
	return "unknown"
}

// Budget is one conversation's. It is used from one goroutine.
type Budget struct {
	governor *Governor
	earned   float64 // dropped drafts that may still be
	minute   purse
	record   record
}

// Conversation returns the budget of a conversation with a learner of that habit.
func (g *Governor) Conversation(h Habit) *Budget {
	return &Budget{governor: g, earned: advance, minute: newPurse(g.opt.Conversation), record: newRecord(h)}
}

// Begin asks for a draft. When the verdict is [Go], Released, Dropped or Wasted must follow
// before the next Begin.
func (b *Budget) Begin(now time.Time) Verdict {
	switch {
	case b.earned < 1:
		return Unearned
	case b.governor.busy():
		return Busy
	case b.record.standsDown():
		return StoodDown
	case !b.minute.take(now):
		return Spent
	case !b.governor.take(now):
		b.minute.settle(true, Waste{})
		return NodeSpent
	}
	b.earned--
	return Go
}

// Released says that the draft became the answer.
func (b *Budget) Released() {
	b.earned = min(b.earned+1, savings)
	b.minute.settle(true, Waste{})
	b.governor.settle(true, Waste{})
	b.record.note(true)
}

// Dropped says that the draft was in vain, and what it cost beside the call.
func (b *Budget) Dropped(w Waste) {
	b.Wasted(w)
	b.record.note(false)
}

// Wasted is Dropped for a reason that says nothing of the learner: a vendor failed, or
// the session ended.
func (b *Budget) Wasted(w Waste) {
	b.minute.settle(false, w)
	b.governor.settle(false, w)
}

// Turn says that a turn of the learner was answered, by a draft or without.
func (b *Budget) Turn() {
	b.earned = min(b.earned+b.governor.opt.PerTurn, savings)
	b.record.turn()
}

// Habit is what is to be remembered of the learner.
func (b *Budget) Habit() Habit { return b.record.habit }
