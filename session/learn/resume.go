package learn

import "time"

// A conversation that is live can be taken up again with a token, at any node. The token
// names the conversation and is kept as a hash. Two are good at a time: the one that the
// client is known to have, and the one that was offered after it, because an answer that
// carries a new token may be lost on the way. The client shows that it has arrived by
// acknowledging it or by using it; from then on the one before is used up.

// ResumeOffer is a further token for a conversation.
type ResumeOffer struct {
	TenantID       string
	ConversationID string
	Epoch          int64
	// Hash is the new token's, and Known that of the one which the client is known to
	// have, empty for none. These two are good from now on, and no other: the same offer
	// may be made again by whoever does not know what became of it.
	Hash, Known string
	// TokenVersion is the user's for which the session was begun: when their sessions are
	// ended, the token ends with them.
	TokenVersion int
	// Window is for how long the conversation can be taken up with a token, from now on by
	// the store's clock, which all nodes share: their own may differ.
	Window time.Duration
}

// Resumption is a return with a token.
type Resumption struct {
	ConversationID string
	// Hash is that of the token that is shown, and Next that of the one which is offered
	// in its place.
	Hash, Next string
	// Epoch is that of the node which has the conversation in its memory: it stays the
	// owner. With 0 whoever asks becomes the owner, and the epoch rises.
	Epoch int64
	// Window is for how long the next token is good, by the store's clock.
	Window time.Duration
}

// ResumeOutcome says what became of a [Resumption].
type ResumeOutcome uint8

// The outcomes.
const (
	// ResumeGranted: the conversation is the caller's.
	ResumeGranted ResumeOutcome = iota + 1
	// ResumeOver: the conversation is unknown, has ended, or its time is over.
	ResumeOver
	// ResumeForeign: the token is none of the conversation's that are good; it was used
	// already or never was one.
	ResumeForeign
	// ResumeMoved: the token is good, but the epoch is not the conversation's any more:
	// somebody else has taken it over.
	ResumeMoved
	// ResumeRevoked: the token was good, but the user's sessions have been ended since.
	ResumeRevoked
)

// LiveEvent is one event of a live conversation, encoded for its client.
type LiveEvent struct {
	Seq  uint64
	Data []byte
}

// LiveChange is what happened in a live conversation since the last change: kept where
// other nodes find it, for as long as nobody needs it to be true.
type LiveChange struct {
	ConversationID string
	Epoch          int64
	// Events follow those of the changes before without a hole; those that the mirror has
	// already may be among them. They are kept as they are and not changed afterwards.
	Events []LiveEvent
	// State is the session after the event StateSeq, in the session's own form; nil when
	// it is as it was.
	State    []byte
	StateSeq uint64
}

// LiveState is what is known of a live conversation.
type LiveState struct {
	Epoch    int64
	Owner    string // the node
	State    []byte
	StateSeq uint64
	// Events are the latest, in order and without a hole; they may reach beyond StateSeq.
	Events []LiveEvent
}

// Last is the number of the last event; 0 when there is none.
func (l LiveState) Last() uint64 {
	if len(l.Events) == 0 {
		return 0
	}
	return l.Events[len(l.Events)-1].Seq
}

// Overtaken says whether another session came between, of which the mirror has nothing, as
// it did not answer then: epoch is the conversation's now, that of a session that is to
// begin, and the client has seen events up to lastSeq. What the mirror holds is void then,
// since the client was told otherwise.
func (l LiveState) Overtaken(epoch int64, lastSeq uint64) bool {
	return l.Epoch+1 < epoch && lastSeq > l.Last()
}

// LiveLease says that a node has a live conversation in its memory.
type LiveLease struct {
	ConversationID string
	Epoch          int64
}

// LiveAnswer is what the mirror has to say of conversations that a node takes for its own,
// by their ids. Those of which nothing is said are well.
type LiveAnswer struct {
	// Superseded have an owner with a higher epoch; nothing of them was kept.
	Superseded []string
	// Lost are those that are not in the mirror as they should be: it was emptied, or it
	// did not answer. The next change is to hold the newest state and all events that the
	// node still has; sending what is there already changes nothing.
	Lost []string
}

// Background is what is known of a conversation's learner before the next word.
type Background struct {
	User User
	// Profile counts what conversations that have ended have added to it; streak and words
	// are not looked up.
	Profile Profile
	Tenant  TenantSettings
	// History are the last messages, oldest first.
	History []Message
}
