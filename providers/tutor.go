package providers

import (
	"context"
	"iter"
)

// Role says who spoke a line of a prompt.
type Role string

// The two voices of a conversation as a language model sees it.
const (
	RoleLearner Role = "user"
	RoleTutor   Role = "assistant"
)

// Line is one message of the conversation so far.
type Line struct {
	Role Role
	Text string
}

// Prompt is everything a tutor's reply is made from.
type Prompt struct {
	// System is the tutor's standing instruction: who it is, level, language,
	// correction mode. Stable within a conversation, so that vendors can cache it.
	System string
	// Lines alternate, oldest first, and end with the learner's. Implementations
	// merge neighbours of the same role where their vendor insists.
	Lines []Line
	// Reminder is repeated after the lines (level limits, what was not heard); may be empty.
	Reminder string
	// MaxTokens bounds the reply; 0 means the implementation's default.
	MaxTokens int
	// Said is how the reply has begun, when another call was to make it and broke off:
	// the learner hears this already, and the answer is to go on from its end without
	// repeating it. Empty for a reply from its beginning. Vendors render it as
	// [Prompt.Messages] says; no model's reply is prefilled.
	Said string
	// Avoid names vendors that have failed at this very reply, so that a choice of
	// vendors asks them last. A single vendor takes no notice.
	Avoid []string
}

// Delta is a piece of a streamed reply.
type Delta struct {
	// Text to append; may be empty in the last delta.
	Text string
	// Done is set on the last delta alone: the vendor said that the reply is complete.
	Done bool
	// Truncated is set with Done when the reply stopped at MaxTokens.
	Truncated bool
	// Usage is set with Done when the vendor reports it.
	Usage Usage
	// Model and RequestID name the model and call that answered; set with Done at the latest.
	Model, RequestID string
}

// A Tutor makes the tutor's replies. Safe for concurrent use.
type Tutor interface {
	// Name is the vendor's name for logs and metrics, such as "anthropic".
	Name() string
	// Reply streams one reply as plain text. The sequence ends after a delta
	// with Done, or with one final non-nil error: an *Error, or the context's
	// cause. Leaving the loop early or ending ctx aborts the vendor's call at
	// once. A stream that stops without the vendor's terminal event yields
	// [Unavailable]. Nothing is retried.
	Reply(ctx context.Context, p Prompt) iter.Seq2[Delta, error]
}
