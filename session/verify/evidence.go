package verify

import (
	"context"
	"io"
	"time"

	"kalami/session/learn"
)

// Evidence is what a trial has left behind, or a restore. Everything may be missing: what
// is not there is not checked.
type Evidence struct {
	// Records are those of all histories, those of each writer in their order.
	Records []Record
	// Database holds the conversations; or nil. Without histories all of it is checked,
	// else the conversations that the histories name.
	Database Database
	// CloseCodes are those that clients are told of, beside 0; nil for not known.
	CloseCodes []int
	// Canaries are markers of secrets and texts that must not stand in Logs.
	Canaries []string
	Logs     []Log
	// Skew is by how much the clocks of two writers may differ.
	Skew time.Duration
	// Around is how many records of the conversation a violation shows before and after
	// the one that it is about; 0 means 5.
	Around int
}

// Database reads what is stored. Packages store and its like know nothing of it: whoever
// calls [Check] adapts them.
type Database interface {
	// Conversations calls each with the conversations of these ids that exist, or with
	// all of them for nil, in any order. It returns the first error of each.
	Conversations(ctx context.Context, ids []string, each func(Stored) error) error
}

// Stored is a conversation as it is stored, with all that belongs to it.
type Stored struct {
	Conversation learn.Conversation
	// Messages are in the order of their numbers.
	Messages []StoredMessage
	// Analysed holds the id of the message for each analysis.
	Analysed []string
}

// StoredMessage is a message with the epoch that it was written in.
type StoredMessage struct {
	learn.Message
	Epoch int64
}

// Log is a file in which nothing secret may stand.
type Log struct {
	Name string
	// Open opens it for one reading.
	Open func() (io.ReadCloser, error)
}
