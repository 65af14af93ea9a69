package wire

// Limits of the original's dialect.
const (
	// MaxOriginalAudio bounds a recording, in bytes of the file: what every vendor takes.
	MaxOriginalAudio = 25 << 20
	// MaxOriginalBytes bounds one message of a client: the largest recording in base64,
	// and room for what stands around it.
	MaxOriginalBytes = (MaxOriginalAudio+2)/3*4 + 4<<10
	// MaxOriginalClip bounds the tutor's answer, in bytes of the file: 17 minutes at
	// 128 kbit/s.
	MaxOriginalClip = 16 << 20
	// maxOriginalTopic bounds a topic, in bytes; what a topic may be is the gateway's to say.
	maxOriginalTopic = 4 << 10
)

// OriginalInvalid is what the original says to whatever it cannot read.
const OriginalInvalid = "Invalid message format"

// The names of what the original's client says, and of what it is told where that is
// another name.
const (
	originalStartSession   = "start_session"
	originalAudio          = "audio"
	originalStartRecording = "start_recording"
	originalStopRecording  = "stop_recording"
	originalEndSession     = "end_session"
	originalPing           = "ping"
	originalHeartbeat      = "heartbeat"
)

// OriginalControl is what a client of the original says: one of the types below.
type OriginalControl interface{ originalControl() }

// The messages of a client.
type (
	// OriginalStartSession begins a conversation under a profile, or goes on with one.
	OriginalStartSession struct {
		ProfileID string
		// ConversationID is the conversation to go on with; empty for a new one. The
		// original's app never sends it.
		ConversationID string
		// Topic may be empty.
		Topic string
	}
	// OriginalAudio is one whole recorded utterance.
	OriginalAudio struct {
		// Audio is the file, at most [MaxOriginalAudio] bytes; it may be empty.
		Audio []byte
		// Format is the file's kind as the client names it; may be empty.
		Format string
		// ConversationID is the conversation that it belongs to; empty for the present one.
		ConversationID string
	}
	// OriginalStartRecording announces chunks of a recording as binary frames.
	OriginalStartRecording struct{}
	// OriginalStopRecording says that the recording is complete.
	OriginalStopRecording struct{}
	// OriginalEndSession ends the conversation.
	OriginalEndSession struct{}
	// OriginalPing asks for a pong.
	OriginalPing struct{}
	// OriginalHeartbeat comes every 30 seconds. Only one that asks (Ping) may be
	// answered: the app answers whatever heartbeat it gets, so answering answers would
	// never end.
	OriginalHeartbeat struct{ Ping bool }
	// OriginalUnknown is a message of a type that is not known here; it is ignored.
	OriginalUnknown struct{ Type string }
)

func (OriginalStartSession) originalControl()   {}
func (OriginalAudio) originalControl()          {}
func (OriginalStartRecording) originalControl() {}
func (OriginalStopRecording) originalControl()  {}
func (OriginalEndSession) originalControl()     {}
func (OriginalPing) originalControl()           {}
func (OriginalHeartbeat) originalControl()      {}
func (OriginalUnknown) originalControl()        {}

// OriginalEvent is what a client of the original is told: one of the types below. The
// encoded value is the message's payload.
type OriginalEvent interface {
	// OriginalType is the event's name on the wire.
	OriginalType() string
}

// The server's messages. Fields that the original did not have are marked as ours; its
// app ignores them.
type (
	// OriginalConnected is the first message of a connection.
	OriginalConnected struct {
		ConnectionID string `json:"connectionId"`
	}
	// OriginalSessionStarted says which conversation goes on from here.
	OriginalSessionStarted struct {
		// Session encodes as the conversation does in the REST API.
		Session any `json:"session"`
	}
	// OriginalProcessing says what is being done with an utterance.
	OriginalProcessing struct {
		// Stage is "transcribing", "thinking" or "speaking".
		Stage string `json:"stage"`
	}
	// OriginalTranscription is what the learner was heard to say.
	OriginalTranscription struct {
		Text    string `json:"text"`
		IsFinal bool   `json:"is_final"`
	}
	// OriginalResponse is the tutor's answer as text.
	OriginalResponse struct {
		Text        string               `json:"text"`
		Corrections []OriginalCorrection `json:"grammar_corrections"` // never null
		// ConversationID is ours.
		ConversationID string `json:"session_id"`
	}
	// OriginalAnswerAudio is the tutor's answer as one complete clip. The app stops what
	// it plays when one comes, so there is exactly one for an answer.
	OriginalAnswerAudio struct {
		Audio  []byte `json:"audio_base64"`
		Format string `json:"format"` // "mp3"
	}
	// OriginalRecordingStarted answers start_recording.
	OriginalRecordingStarted struct{}
	// OriginalAudioReceived answers one binary frame.
	OriginalAudioReceived struct {
		Bytes int `json:"bytes"` // of this frame
	}
	// OriginalSessionEnded answers end_session.
	OriginalSessionEnded struct {
		// Session is ours: the conversation with its totals, as in the REST API; null when
		// none was open.
		Session any `json:"session"`
	}
	// OriginalPong answers a ping.
	OriginalPong struct{}
	// OriginalHeartbeatAnswer answers a heartbeat that asks.
	OriginalHeartbeatAnswer struct {
		Pong bool `json:"pong"`
	}
	// OriginalFailure says what went wrong; the connection goes on.
	OriginalFailure struct {
		Message string `json:"message"`
		// Code is ours, for machines, as in the REST API's errors.
		Code string `json:"code"`
	}
)

// OriginalCorrection is one mistake of the learner and its right form.
type OriginalCorrection struct {
	Original    string `json:"original"`
	Corrected   string `json:"corrected"`
	Explanation string `json:"explanation"`
	Category    string `json:"category"`
}

// OriginalType implements [OriginalEvent].
func (OriginalConnected) OriginalType() string { return "connected" }

// OriginalType implements [OriginalEvent].
func (OriginalSessionStarted) OriginalType() string { return "session_started" }

// OriginalType implements [OriginalEvent].
func (OriginalProcessing) OriginalType() string { return "processing" }

// OriginalType implements [OriginalEvent].
func (OriginalTranscription) OriginalType() string { return "transcription" }

// OriginalType implements [OriginalEvent].
func (OriginalResponse) OriginalType() string { return "response" }

// OriginalType implements [OriginalEvent].
func (OriginalAnswerAudio) OriginalType() string { return originalAudio }

// OriginalType implements [OriginalEvent].
func (OriginalRecordingStarted) OriginalType() string { return "recording_started" }

// OriginalType implements [OriginalEvent].
func (OriginalAudioReceived) OriginalType() string { return "audio_received" }

// OriginalType implements [OriginalEvent].
func (OriginalSessionEnded) OriginalType() string { return "session_ended" }

// OriginalType implements [OriginalEvent].
func (OriginalPong) OriginalType() string { return "pong" }

// OriginalType implements [OriginalEvent].
func (OriginalHeartbeatAnswer) OriginalType() string { return originalHeartbeat }

// OriginalType implements [OriginalEvent].
func (OriginalFailure) OriginalType() string { return "error" }
