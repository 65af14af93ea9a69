package session

// ProblemType groups the protocol's errors.
type ProblemType string

// The error types of the protocol.
const (
	InvalidRequest      ProblemType = "invalid_request_error"
	AuthenticationError ProblemType = "authentication_error"
	PermissionError     ProblemType = "permission_error"
	RateLimitError      ProblemType = "rate_limit_error"
	QuotaError          ProblemType = "quota_error"
	UpstreamError       ProblemType = "upstream_error"
	ServerError         ProblemType = "server_error"
)

// Code is the closed list of error codes; a fatal one is also the close reason.
type Code string

// The codes of the protocol.
const (
	UnknownEvent      Code = "unknown_event"
	InvalidJSON       Code = "invalid_json"
	InvalidEvent      Code = "invalid_event"
	InvalidAudioFrame Code = "invalid_audio_frame"
	UnsupportedFormat Code = "unsupported_format"
	ConfigLocked      Code = "config_locked"
	ResponseNotActive Code = "response_not_active"
	ItemNotFound      Code = "item_not_found"
	InputOverrun      Code = "input_audio_overrun"
	MessageTooLarge   Code = "message_too_large"
	TicketInvalid     Code = "ticket_invalid"
	TicketExpired     Code = "ticket_expired"
	ResumeInvalid     Code = "resume_invalid"
	ResumeExpired     Code = "resume_expired"
	Superseded        Code = "superseded"
	HeartbeatTimeout  Code = "heartbeat_timeout"
	SlowConsumer      Code = "slow_consumer"
	Moved             Code = "moved"
	SessionLost       Code = "session_lost"
	BadRequest        Code = "bad_request"
	Forbidden         Code = "forbidden"
	IdleTimeout       Code = "idle_timeout"
	MaxDuration       Code = "max_duration"
	QuotaExhausted    Code = "quota_exhausted"
	TooManySessions   Code = "too_many_sessions"
	RateLimited       Code = "rate_limited"
	STTUnavailable    Code = "stt_unavailable"
	LLMUnavailable    Code = "llm_unavailable"
	TTSUnavailable    Code = "tts_unavailable"
	InternalError     Code = "internal_error"
	Draining          Code = "draining"
)

// Problem is the `error` object of the protocol: what a client is told went wrong.
type Problem struct {
	Type    ProblemType `json:"type"`
	Code    Code        `json:"code"`
	Message string      `json:"message"`
	// Param names the field at fault, dotted ("session.audio.input.format.rate").
	Param string `json:"param,omitempty"`
	// EventID echoes the client's event that caused it.
	EventID string `json:"event_id,omitempty"`
	// Fatal problems are followed by a close.
	Fatal        bool `json:"fatal"`
	RetryAfterMS int  `json:"retry_after_ms,omitempty"`
}
