package providers

import (
	"context"
	"encoding/json"
)

// Question asks a language model for one answer in JSON.
type Question struct {
	// System is the standing instruction.
	System string
	// Prompt holds the material and what to do with it.
	Prompt string
	// Name of the answer's shape, of letters and '_', and its JSON Schema: an object
	// with additionalProperties false in which every property is required (what the
	// strict modes of all vendors take).
	Name   string
	Schema json.RawMessage
	// MaxTokens bounds the answer; 0 means the implementation's default.
	MaxTokens int
}

// Answer is what a model said to a [Question].
type Answer struct {
	// JSON is the answer's text. It is promised to be valid JSON, and no more: whoever
	// asked checks it against what it must be.
	JSON             []byte
	Usage            Usage
	Model, RequestID string
}

// An Analyst answers questions in JSON, off the spoken path. Safe for concurrent use.
type Analyst interface {
	// Name is the vendor's name for logs and metrics, such as "anthropic".
	Name() string
	// Ask blocks until the answer is whole, the client's timeout has passed, or ctx
	// ended, whose cause it then returns; other errors are *Error. An answer that is
	// cut off or is not JSON is [Unavailable]. Nothing is retried.
	Ask(ctx context.Context, q Question) (Answer, error)
}
