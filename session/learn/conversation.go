package learn

import "time"

// Conversation is one session of talking; "conversation_sessions" in the database.
type Conversation struct {
	ID        string
	TenantID  string
	UserID    string
	ProfileID string
	// Language is the profile's target language; whoever starts a conversation need not set it.
	Language string
	Topic    string
	Mode     string // live, turn, text, review
	Level    Level  // when it started
	Status   string // active, ended, abandoned
	// ClientKey is the client's own name for the start, which makes starting repeat-safe; may be empty.
	ClientKey string
	// Epoch says who may write: raised by each take-over, carried by each durable write.
	Epoch     int64
	NextSeq   int // of the next message; 1 in a new conversation
	StartedAt time.Time
	// LastActivityAt is when it last changed: its start, a message, a take-over, its end.
	LastActivityAt time.Time
	EndedAt        *time.Time
	EndReason      string
	Totals         Totals
	// Corrections are the mistakes of the learner that were shown, and Disputes how many of
	// them the learner has disputed at some time.
	Corrections, Disputes int
	// Input is how far the learner's audio is in stored messages.
	Input InputMark
	// TokenVersion is the user's that the conversation's resume tokens need.
	TokenVersion int
	// Scene is what is played in it; nil for free talk. Whoever starts a conversation gives
	// the scenario, which it then keeps.
	Scene *Scene
}

// Totals are a conversation's running sums.
type Totals struct {
	Learner  time.Duration // voiced
	Tutor    time.Duration // heard by the learner
	Turns    int           // learner's turns
	Words    int           // learner's
	BargeIns int
}

// Speaker says whose a message is.
type Speaker string

// The two speakers, by the names that the original's API uses.
const (
	SpeakerLearner Speaker = "user"
	SpeakerTutor   Speaker = "assistant"
)

// Message is one utterance of a conversation, as stored.
type Message struct {
	ID             string
	TenantID       string
	ConversationID string
	// UtteranceID is made when the utterance begins; unique within the
	// conversation, so that the same utterance is never stored twice.
	UtteranceID string
	Seq         int // place in the conversation, from 1, without holes
	Turn        int // the learner's turn that it belongs to, from 0 (the opener)
	Speaker     Speaker
	// Content is what was said: the learner's transcript, or all that the tutor meant to say.
	Content string
	// Heard is the part of a tutor's Content that the learner heard; equal to
	// Content unless Interrupted.
	Heard       string
	Interrupted bool
	// Original is what was understood first, where the learner has said that it was
	// something else; empty for any other message.
	Original string
	Source   string // voice or text
	Language string
	Words    []SpokenWord
	Audio    time.Duration // of the learner's speech, or of the tutor's audio that was heard
	Timings  Timings       // tutor's messages only
	Provider string        // who recognised or answered, "anthropic/claude-…"
	Tokens   int
	// Input is the last frame of the microphone that holds something of what was said;
	// the zero value for a tutor's message and for what was typed.
	Input     InputMark
	CreatedAt time.Time
}

// InputMark is a frame of a learner's microphone: whatever was said up to it is stored.
// The zero value is before all of them.
type InputMark struct {
	Stream uint16 // rises with each restart of the microphone, from 1
	Next   uint32 // the number of the frame after it
}

// Before says whether m is an earlier frame than n.
func (m InputMark) Before(n InputMark) bool {
	return m.Stream < n.Stream || m.Stream == n.Stream && m.Next < n.Next
}

// SpokenWord is a word with its time within the message's own audio and the recogniser's confidence.
type SpokenWord struct {
	Text       string  `json:"w"`
	StartMS    int     `json:"s"`
	EndMS      int     `json:"e"`
	Confidence float64 `json:"c,omitempty"`
	Language   string  `json:"l,omitempty"`
}

// Timings say where a turn's time went, in milliseconds, 0 where a stage was not passed.
// See session.Latency, which has the same fields, for each one's bounds.
type Timings struct {
	EndpointMS   int `json:"endpoint_ms"`
	STTFinalMS   int `json:"stt_final_ms"`
	LLMFirstMS   int `json:"llm_ttft_ms"`
	ClauseMS     int `json:"clause_ms"`
	TTSFirstMS   int `json:"tts_ttfb_ms"`
	EgressMS     int `json:"egress_ms"`
	FirstAudioMS int `json:"first_audio_ms"`
	BufferMS     int `json:"client_buffer_ms"`
	HeardMS      int `json:"heard_ms"`
	ClientMS     int `json:"client_ms"`
	DraftMS      int `json:"draft_ms"`
}
