package session

import (
	"kalami/providers"
	"kalami/session/learn"
)

// TurnRequest is one whole turn of a learner, typed or recorded, to be answered at once.
type TurnRequest struct {
	User    learn.User
	Profile learn.Profile
	// ConversationID is one of the user's conversations under Profile.
	ConversationID string
	// Text is what was typed; empty when Recording is set.
	Text string
	// Recording is what was said; nil when Text is set.
	Recording *providers.Recording
	// RecordingMS is the recording's length in milliseconds, 0 when it is not known.
	// It bounds the voiced time, and stands for it where the vendor gives no words.
	RecordingMS int
	// Speak asks for the answer as a clip, too.
	Speak bool
	// Progress is told of each step as it is reached; may be nil. It is called from
	// the goroutine of Take and must not block.
	Progress func(TurnProgress)
}

// TurnStep is how far a turn has come.
type TurnStep uint8

// The steps, in order. A typed turn begins with TurnHeard.
const (
	TurnTranscribing TurnStep = iota + 1
	TurnHeard                 // Text is the learner's
	TurnThinking
	TurnAnswered // Text is the tutor's
	TurnSpeaking
)

// TurnProgress is one step of a turn.
type TurnProgress struct {
	Step TurnStep
	Text string
}

// TurnResult is an answered turn. Learner and Tutor are durable when Take returns it.
type TurnResult struct {
	// Conversation with its totals as they now are.
	Conversation learn.Conversation
	Learner      learn.Message
	Tutor        learn.Message
	// Corrections of the learner's message that may be shown, and words that the tutor
	// introduced; empty when the analysis failed, which Analysed tells. A learner whose
	// correction mode is silent is shown none; they are stored for reports.
	Corrections []learn.Correction
	NewWords    []learn.NewWord
	Analysed    bool
	// Clip is the answer in MP3; nil when none was asked for or the voice failed,
	// which VoiceErr then tells: the turn stands without it.
	Clip     []byte
	VoiceErr error
	// Unheard: the recording held no words. There was no turn, nothing was stored,
	// and every other field is zero but Conversation.
	Unheard bool
}
