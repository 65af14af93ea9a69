package session

import "time"

// Input is one thing the learner's client sent: an audio frame or a control.
// A reader reuses one Input, so that frames cost no allocation.
type Input struct {
	// Control is nil for an audio frame.
	Control Control
	// Frame is meaningful when Control is nil.
	Frame Frame
	// EventID is the client's own name for the event, echoed in errors; may be empty.
	EventID string
}

// FrameFlags are the flag bits of a binary frame's header.
type FrameFlags uint8

// The flags of a binary frame.
const (
	FlagDiscontinuity FrameFlags = 1 << iota // frames were dropped, or the device changed
	FlagEndOfStream
	FlagRetransmission
	FlagSilence // muted; the payload may be empty
)

// Frame is one binary frame's header and audio, in either direction.
type Frame struct {
	Flags  FrameFlags
	Stream uint16 // capture epoch (mic) or response number (tutor)
	Seq    uint32 // per stream, +1 per frame
	Pos    uint32 // sample offset of the first sample in the stream, at the stream's rate
	// Audio is valid until the next Read of the connection (mic), or the receiver's (tutor).
	Audio []byte
}

// Control is a client's event.
type Control interface{ control() }

// The client's events, in the order of the protocol's table.
type (
	// UpdateSession merges the unlocked fields that are set.
	UpdateSession struct {
		Session ConfigPatch `json:"session"`
	}
	// ResumeSession is the first event on a socket opened with a resume token.
	ResumeSession struct {
		SessionID string         `json:"session_id" required:"true"`
		LastSeq   uint64         `json:"last_seq" required:"true" doc:"The last event of the server that was seen"`
		Playback  *PlaybackState `json:"playback"`
		Input     InputPos       `json:"input"`
	}
	// EndSession finishes the lesson.
	EndSession struct {
		Reason string `json:"reason"`
	}
	// CommitInput ends the learner's turn now (push-to-talk).
	CommitInput struct{}
	// ClearInput discards what was said since the last turn.
	ClearInput struct{}
	// DeviceState reports device facts.
	DeviceState struct {
		Muted        bool   `json:"muted"`
		Route        string `json:"route" enum:",speaker,earpiece,wired,bluetooth_hfp,bluetooth_le" doc:"Where the sound comes out"`
		NativeRate   int    `json:"native_rate" doc:"The device's samples per second"`
		AEC          bool   `json:"aec" doc:"Echo cancellation is on"`
		NS           bool   `json:"ns" doc:"Noise suppression is on"`
		AGC          bool   `json:"agc" doc:"Automatic gain control is on"`
		Backgrounded bool   `json:"backgrounded"`
	}
	// CreateItem is a typed message. Its item gets ID, if that is not empty; a message whose
	// ID the conversation has is the same one, sent again.
	CreateItem struct {
		ID   string
		Text string
	}
	// CreateResponse asks the tutor to speak.
	CreateResponse struct {
		Instructions string
	}
	// CancelResponse is the stop button; an empty id means the current response.
	CancelResponse struct {
		ResponseID string `json:"response_id"`
	}
	// PlaybackStarted: the first sample of the response was rendered.
	PlaybackStarted struct {
		ResponseID string `json:"response_id" required:"true"`
		// LatencyMS and SpeechEndMS are 0 when the client does not know them. The second
		// is for whoever compares both sides of a recorded conversation: the session's own
		// reckoning is to check the client's, and does without it.
		LatencyMS   float64 `json:"latency_ms" doc:"From the end of the learner's speech to this sample, by the client's clock; 0 when it does not know"`
		SpeechEndMS float64 `json:"speech_end_ms" doc:"Where in the microphone's stream the learner's speech ended, by the client's ear; 0 when it does not know"`
		BufferMS    float64 `json:"buffer_ms" doc:"From the arrival of the response's first frame to this sample"`
	}
	// PlaybackPosition comes every 250 ms while playing.
	PlaybackPosition struct {
		PlaybackState
		Underruns int `json:"underruns" doc:"How often the player ran dry"`
	}
	// PlaybackMark echoes a mark when it is reached.
	PlaybackMark struct {
		Name       string  `json:"name" required:"true"`
		ResponseID string  `json:"response_id" required:"true"`
		PlayedMS   float64 `json:"played_ms" required:"true"`
	}
	// PlaybackStopped: the buffer drained after the end of the stream.
	PlaybackStopped struct {
		ResponseID string  `json:"response_id" required:"true"`
		PlayedMS   float64 `json:"played_ms" required:"true"`
	}
	// PlaybackCleared: the flush was done; PlayedMS is what was really heard.
	PlaybackCleared struct {
		ResponseID string  `json:"response_id" required:"true"`
		PlayedMS   float64 `json:"played_ms" required:"true"`
		DroppedMS  float64 `json:"dropped_ms"`
	}
	// AckEvents acknowledges the server's events up to Seq.
	AckEvents struct {
		Seq uint64 `json:"seq" required:"true" doc:"Of the last event that was handled"`
	}
	// Pong answers a ping.
	Pong struct {
		ID string `json:"id" required:"true"`
		TS int64  `json:"ts" doc:"Repeats the ping's ts"`
	}
	// AuthRenewed says that the client showed a fresh access token; the gateway has verified it.
	AuthRenewed struct {
		Until time.Time
	}
	// HoldTurn keeps the learner's turn open; 0 means 15 s.
	HoldTurn struct {
		MS int `json:"ms" doc:"How long; 0 for 15 seconds"`
	}
	// SetTutor changes settings of this conversation; nil fields stay.
	SetTutor struct {
		PatienceMS     *int     `json:"patience_ms" minimum:"800" maximum:"4000" doc:"Silence before the tutor speaks"`
		SpeechRate     *float64 `json:"speech_rate" minimum:"0.5" maximum:"1.5" doc:"1 is the voice's own pace"`
		CorrectionMode *string  `json:"correction_mode" enum:"flow,balanced,strict,elicit,silent"`
	}
	// InputDropped says that the gateway drops mic audio because it comes faster
	// than the protocol allows; the session answers with [WarnInputOverrun]. It
	// is sent once per overrun, and in the place of the first frame dropped.
	InputDropped struct{}
	// Detached says that the client's socket is lost. It comes from a [Line] alone, which
	// waits for another: nothing is heard meanwhile, and nothing need be said.
	Detached struct {
		// Cause is how the socket ended.
		Cause *End
	}
	// Attached says that another socket has come, and what its client had played when it
	// did; nil for nothing.
	Attached struct {
		Playback *PlaybackState
	}
	// Rejected stands for something the gateway could not decode: the session
	// answers with the problem, and closes if it is fatal.
	Rejected struct {
		Problem Problem
	}
)

// InputPos is a place in the learner's frames.
type InputPos struct {
	Stream  uint16 `json:"stream"`
	Seq     uint32 `json:"seq"`
	NextSeq uint32 `json:"next_seq"`
}

// PlaybackState is how far the client's player is.
type PlaybackState struct {
	ResponseID string  `json:"response_id" required:"true"`
	PlayedMS   float64 `json:"played_ms" required:"true"`
	BufferedMS float64 `json:"buffered_ms" doc:"Audio that is not played yet"`
}

// ConfigPatch is the part of [Config] that a client may change; nil fields stay.
type ConfigPatch struct {
	Duplex *string     `json:"duplex"`
	Audio  *AudioPatch `json:"audio"`
}

// AudioPatch changes audio settings; formats only before the first audio frame.
type AudioPatch struct {
	Input  *InputPatch  `json:"input"`
	Output *OutputPatch `json:"output"`
}

// InputPatch changes the learner's direction.
type InputPatch struct {
	Format *Format `json:"format"`
	// TurnDetection is set when the field was present; its Value is nil for null (push-to-talk).
	TurnDetection *TurnDetectionPatch `json:"turn_detection"`
}

// TurnDetectionPatch tells "absent" from "null".
type TurnDetectionPatch struct {
	Off               bool
	Type              *string
	PatienceMS        *int
	InterruptResponse *bool
}

// OutputPatch changes the tutor's direction.
type OutputPatch struct {
	Format *Format  `json:"format"`
	Speed  *float64 `json:"speed"`
}

func (UpdateSession) control()    {}
func (ResumeSession) control()    {}
func (EndSession) control()       {}
func (CommitInput) control()      {}
func (ClearInput) control()       {}
func (DeviceState) control()      {}
func (CreateItem) control()       {}
func (CreateResponse) control()   {}
func (CancelResponse) control()   {}
func (PlaybackStarted) control()  {}
func (PlaybackPosition) control() {}
func (PlaybackMark) control()     {}
func (PlaybackStopped) control()  {}
func (PlaybackCleared) control()  {}
func (AckEvents) control()        {}
func (Pong) control()             {}
func (AuthRenewed) control()      {}
func (HoldTurn) control()         {}
func (SetTutor) control()         {}
func (AskHint) control()          {}
func (Translate) control()        {}
func (Repeat) control()           {}
func (EditTranscript) control()   {}
func (AnswerReview) control()     {}
func (InputDropped) control()     {}
func (Detached) control()         {}
func (Attached) control()         {}
func (Rejected) control()         {}
