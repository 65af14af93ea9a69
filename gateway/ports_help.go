package gateway

import (
	"context"

	"kalami/session"
	"kalami/session/learn"
)

// Help answers learners who ask for it beside a conversation. Implemented by *session.Help.
// What belongs to others is NotFound, and Unavailable says that nobody can answer now.
type Help interface {
	// Hint says what the learner could say next. [session.ErrEnded] is in the chain when the
	// conversation has ended.
	Hint(ctx context.Context, r session.HelpRequest) (session.Hint, error)
	// Translate puts a message of the conversation, or a text when messageID is empty, into the
	// learner's own language. Invalid for a message that is too long.
	Translate(ctx context.Context, r session.HelpRequest, messageID, text string) (session.Translation, error)
	// Repeat is what the tutor said last as a clip in MP3; NotFound when there is nothing.
	// Other errors are those of [providers.Synthesizer].
	Repeat(ctx context.Context, r session.HelpRequest, slow bool) ([]byte, error)
}

// Corrections keeps what was corrected in what learners say, and what they say of it.
// Implemented by package store. Every call is bound to a tenant and user; what belongs to
// others is NotFound.
type Corrections interface {
	// Corrections returns one page of what was corrected in a conversation and shown, in the
	// order of what was said, without what the user has hidden.
	Corrections(ctx context.Context, tenantID, userID, conversationID string, limit, offset int) ([]learn.KeptCorrection, error)
	// JudgeCorrection stores what the user says of a correction that was shown: disputed,
	// confirmed or hidden.
	JudgeCorrection(ctx context.Context, tenantID, userID, id string, to learn.CorrectionStatus) (learn.KeptCorrection, error)
	// CorrectTranscript gives a message of the user's own another text, and has it analysed
	// again.
	CorrectTranscript(ctx context.Context, tenantID, userID, messageID, text string) (learn.Message, error)
}
