package learn

import (
	"errors"
	"fmt"
)

// Kind is the closed list of ways in which a request can fail. Each maps to one
// HTTP status, in one place (package gateway).
type Kind uint8

const (
	// Internal is our own fault; the message is not shown to anybody.
	Internal Kind = iota
	// Invalid: the request's content is wrong.
	Invalid
	// Unauthorised: who is asking is not known.
	Unauthorised
	// Forbidden: who is asking may not.
	Forbidden
	// NotFound: it does not exist, or not for who is asking.
	NotFound
	// Conflict: it clashes with what is there; for durable writes of a
	// conversation: somebody else has taken it over (see [ErrFenced]).
	Conflict
	// TooMany: a rate or a number is used up.
	TooMany
	// Unavailable: a part that is needed does not answer now.
	Unavailable
)

// String returns the kind's name, which is also the `code` of an HTTP error
// when the error itself names none.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case Unauthorised:
		return "unauthorized"
	case Forbidden:
		return "forbidden"
	case NotFound:
		return "not_found"
	case Conflict:
		return "conflict"
	case TooMany:
		return "too_many_requests"
	case Unavailable:
		return "unavailable"
	}
	return "internal"
}

// FieldError says what is wrong with one field of a request.
type FieldError struct {
	Field   string `json:"field" example:"email"`
	Message string `json:"message" example:"is required"`
}

// Error is a failure with a kind for machines, a message for people, and an
// operation and cause for the log.
type Error struct {
	Kind Kind
	// Msg may be shown to a learner; empty for Internal.
	Msg string
	// Fields names what to correct, for Invalid.
	Fields []FieldError
	// Op is what was being done, such as "store.CreateUser".
	Op string
	// Err is the cause, or nil.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	s := e.Kind.String()
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	if e.Msg != "" {
		s += ": " + e.Msg
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's chain; any other non-nil
// error is Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Errorf returns an *Error with a message for people.
func Errorf(kind Kind, op, format string, args ...any) *Error {
	return &Error{Kind: kind, Op: op, Msg: fmt.Sprintf(format, args...)}
}

// ErrFenced is in the chain of a durable write's error when another owner has taken
// the conversation over, or somebody has ended or deleted it: whoever gets it stops
// writing.
var ErrFenced = errors.New("learn: conversation has a newer owner")
