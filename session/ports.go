package session

import (
	"context"

	"kalami/session/learn"
)

// Conn is the learner's connection, in whatever dialect the gateway speaks with
// this client. UPLINK alone reads; DOWNLINK alone writes and closes.
type Conn interface {
	// Read blocks until the client sent something and stores it in in. It
	// answers what it cannot decode with a [Rejected] control. When the
	// connection is over it returns an *End saying why. It is unblocked by
	// Close and Abort alone.
	Read(in *Input) error
	// WriteEvent sends one event. It may block for as long as the client does
	// not read; Abort unblocks it.
	WriteEvent(h Head, ev Event) error
	// WriteAudio sends one frame of the tutor's audio.
	WriteAudio(f Frame) error
	// Close sends the close frame that belongs to the end and frees the
	// connection, waiting at most two seconds for the client's answer.
	Close(e *End)
	// Abort frees the connection at once without a close frame. Safe to call
	// from any goroutine, more than once.
	Abort()
}

// Line is a Conn that outlives its sockets. Package gateway/line implements it. While it
// has none, Read waits for the next, having said [Detached], and WriteEvent keeps what is
// to be said; the events' numbers are the line's own.
type Line interface {
	Conn
	// Drop closes the socket, if there is one, for e, and keeps the line.
	Drop(e *End)
	// Full says that there is no room to keep another frame of the tutor's audio, of 100 ms
	// at the most, besides those that the client is not known to have: it is asked before
	// each is written, and while it holds none is. It does not block.
	Full() bool
	// Keep takes the session as it is after the events written so far. It does not
	// block: of states that were not yet passed on the newest alone counts.
	Keep(h Handover)
	// Quiet(true) has the line write nothing to its socket but what was said before and the
	// next event, which waits until the mirror has all of it: of what follows, which is
	// kept, the client is to know by another socket. Quiet(false) writes it after all. A
	// [GoAway] that was not written by then, or that the mirror does not get within two
	// seconds, asks the client to go no more.
	Quiet(on bool)
}

// Journal keeps what must not be lost. Package store implements it. Writes carry
// the conversation's epoch and fail with [learn.ErrFenced] in the chain when
// somebody else has taken the conversation over.
type Journal interface {
	// AppendMessage commits one message durably before it returns. Appending an
	// utterance id again changes nothing and succeeds.
	AppendMessage(ctx context.Context, epoch int64, m learn.Message) error
	// EditTranscript gives a stored message of the learner's another text; to say it again
	// changes nothing. NotFound when there is no such message of theirs.
	EditTranscript(ctx context.Context, epoch int64, e learn.TranscriptEdit) error
	// EndConversation closes the conversation and adds its totals to the
	// profile, once: ending again changes nothing and succeeds.
	EndConversation(ctx context.Context, epoch int64, c learn.Conversation) error
	// KeepHabits stores what was observed of how the profile's learner takes turns. It
	// is no part of the conversation: the session tries once and goes on without.
	KeepHabits(ctx context.Context, tenantID, userID, profileID string, h learn.TurnHabits) error
}

// TurnStore keeps the turns of [Turnwise]. Package store implements it. What belongs to
// another user or tenant is NotFound.
type TurnStore interface {
	Conversation(ctx context.Context, tenantID, userID, id string) (learn.Conversation, error)
	// TakeOver raises the conversation's epoch, which fences whoever held it before,
	// and returns it with its next message number. Conflict when it has ended.
	TakeOver(ctx context.Context, tenantID, userID, id string) (learn.Conversation, error)
	// RecentMessages returns the last n messages, oldest first.
	RecentMessages(ctx context.Context, tenantID, conversationID string, n int) ([]learn.Message, error)
	// AppendMessage is that of [Journal].
	AppendMessage(ctx context.Context, epoch int64, m learn.Message) error
	// SaveAnalysis keeps what was found out about a learner's message, once for a message.
	SaveAnalysis(ctx context.Context, a learn.TurnAnalysis) error
}
