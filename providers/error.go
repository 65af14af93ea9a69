package providers

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind is the closed list of ways in which a vendor fails.
type Kind uint8

const (
	// Unavailable: network, cut stream, 5xx, broken answer. Another vendor may help, and so may trying again.
	Unavailable Kind = iota + 1
	// Overloaded: the vendor asks to slow down (429, 529). RetryAfter may say how long.
	Overloaded
	// Denied: the key is wrong or lacks a right (401, 403). Trying again does not help.
	Denied
	// Invalid: our request was refused as such (400, 404, 422). A bug or a wrong setting.
	Invalid
	// Quota: the account's money or monthly allowance is used up. Do not retry.
	Quota
)

// String returns the kind's name in lower case, as used in logs and metric labels.
func (k Kind) String() string {
	switch k {
	case Unavailable:
		return "unavailable"
	case Overloaded:
		return "overloaded"
	case Denied:
		return "denied"
	case Invalid:
		return "invalid"
	case Quota:
		return "quota"
	}
	return "unknown"
}

// Error is a vendor's failure. Its text holds no secret and nothing a learner said.
type Error struct {
	Kind Kind
	// Vendor and Op say who failed at what: "deepgram", "listen".
	Vendor, Op string
	// RequestID is the vendor's name for the call, empty when none was given.
	RequestID string
	// RetryAfter is the wait that the vendor asked for, 0 when it named none.
	RetryAfter time.Duration
	// Detail is the vendor's own explanation, shortened; for the log.
	Detail string
	// Err is the cause, or nil.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s %s: %s", e.Vendor, e.Op, e.Kind)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.RequestID != "" {
		s += " (request " + e.RequestID + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrCancelled is what Next of an utterance returns after Cancel.
var ErrCancelled = errors.New("providers: cancelled")

// KindOf returns the kind of the first *Error in err's chain, or 0: err is nil,
// a cancellation, or no vendor's failure.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return 0
}

// KindOfStatus maps an HTTP status of a vendor's answer to a kind. Vendor
// packages refine it by the body's error code.
func KindOfStatus(status int) Kind {
	switch {
	case status == 401 || status == 403:
		return Denied
	case status == 402:
		return Quota
	case status == 408 || status == 425 || status >= 500 && status != 529:
		return Unavailable
	case status == 429 || status == 529:
		return Overloaded
	case status >= 400:
		return Invalid
	}
	return Unavailable
}

// Cause returns err for a live ctx, and the cause of ctx's end for one that is
// over: what a blocking call should report when both happened.
func Cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
