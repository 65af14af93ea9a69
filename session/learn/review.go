package learn

import "time"

// Rating is how well a card was known.
type Rating int

// The four ratings. Nothing else is one.
const (
	Again Rating = iota + 1
	Hard
	Good
	Easy
)

// Valid says whether r is one of the four.
func (r Rating) Valid() bool { return r >= Again && r <= Easy }

// ReviewMode says how a card was asked.
type ReviewMode string

// The modes: the learner rated their own memory, typed the answer, said it, or used the
// word in a conversation without being asked.
const (
	ReviewSelf           ReviewMode = "self"
	ReviewTyped          ReviewMode = "typed"
	ReviewSpoken         ReviewMode = "spoken"
	ReviewInConversation ReviewMode = "in_conversation"
)

// Review is one entry of the log of reviews. It is never changed but for being undone,
// and what is known of a card follows from its reviews in the order of (At, ID).
type Review struct {
	ID       string // made by the client; unique for its user
	TenantID string
	UserID   string
	CardID   string
	Rating   Rating
	// At is when it happened, corrected by the device's clock and never before the card was
	// made nor after it was received; RawAt as the device said.
	At, RawAt, ReceivedAt time.Time
	// LocalDay is the learner's day at that time, YYYY-MM-DD.
	LocalDay string
	Duration time.Duration // from the question to the rating; 0: not known
	Mode     ReviewMode
	// Evidence is a JSON object about what the rating rests on, bounded; may be empty.
	Evidence []byte
	DeviceID string // may be empty
	// Before is the card's state before it; ElapsedDays since the review before and
	// ScheduledDays to the next, by the replay in which it was last part.
	Before        CardState
	ElapsedDays   int
	ScheduledDays int
	UndoneAt      time.Time // zero: it counts
}

// Preview is what one rating would do to a card.
type Preview struct {
	Rating Rating
	DueAt  time.Time
	Memory Memory
}

// Scheduling is by what a learner's cards are scheduled.
type Scheduling struct {
	Algorithm string    // "fsrs-5"
	Weights   []float64 // empty: the algorithm's defaults
	// Retention is how many of the due cards should still be known, 0.7 to 0.97; MaxInterval
	// bounds the time to the next review, in days.
	Retention   float64
	MaxInterval int
}
