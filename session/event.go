package session

// Event is something the tutor's side tells the learner's client. The events are
// Kalami's one internal model; their JSON fields are those of the native protocol
// `kalami.v1`, and other dialects are mapped from them in package gateway/wire.
//
// Every event travels with a [Head]. Events without fields of their own are empty structs.
type Event interface {
	// EventType is the protocol's name of the event, such as "response.created".
	EventType() string
}

// Head is what every event carries beside its own fields.
type Head struct {
	// Seq counts a session's events from 1, without holes, across reconnects.
	Seq uint64 `json:"seq" doc:"Counts a session's events from 1, without holes, across reconnects" minimum:"1" example:"1"`
	// EventID is unique within the session ("evt_…").
	EventID string `json:"event_id" doc:"Unique within the session" example:"evt_1"`
	// TS is milliseconds since the session's start by the server's clock.
	TS int64 `json:"ts" doc:"Milliseconds since the session's start by the server's clock" example:"0"`
}

// Format is an audio format: "audio/pcm" at a rate in hertz.
type Format struct {
	Type string `json:"type" required:"true" enum:"audio/pcm"`
	Rate int    `json:"rate" required:"true" doc:"Samples per second" example:"16000"`
}

// Protocol, Resume, Limits and Heartbeat are parts of [Created].
type Protocol struct {
	Version  string   `json:"version"`
	Features []string `json:"features"`
}

// Resume offers the token with which this session can be taken up again.
type Resume struct {
	Token    string `json:"token"`
	WindowMS int    `json:"window_ms" doc:"How long the session can be taken up again"`
	WarmMS   int    `json:"warm_ms" doc:"How long its providers stay connected after a break"`
}

// Limits tell the client what the server will accept.
type Limits struct {
	MaxTextBytes  int `json:"max_text_bytes"`
	MaxAudioBytes int `json:"max_audio_bytes"`
	MaxDurationMS int `json:"max_duration_ms"`
	IdleTimeoutMS int `json:"idle_timeout_ms"`
	MaxAheadMS    int `json:"max_ahead_ms" doc:"How far the tutor's audio runs ahead of what is played"`
}

// Heartbeat tells how often the server pings, and for how long a client waits for any byte
// before it takes the connection for lost.
type Heartbeat struct {
	IntervalMS int `json:"interval_ms"`
	TimeoutMS  int `json:"timeout_ms"`
}

// Item is one entry of the conversation's history.
type Item struct {
	ID      string        `json:"id"`
	Role    string        `json:"role" enum:"user,assistant"`
	Status  string        `json:"status,omitempty"`
	Content []ItemContent `json:"content,omitempty"`
}

// ItemContent is the text of an item.
type ItemContent struct {
	Type string `json:"type" enum:"input_text,input_audio,output_audio"`
	Text string `json:"text,omitempty"`
}

// ResponseInfo names a response and how it stands.
type ResponseInfo struct {
	ID     string `json:"id"`
	ItemID string `json:"item_id,omitempty"`
	Status string `json:"status" enum:"in_progress,completed,cancelled,failed"`
	// Repeats is set in [ResponseCreated] alone.
	Repeats string `json:"repeats,omitempty" doc:"The item that is said again: this response is no entry of the history"`
	// Details says why a response did not complete.
	Details *StatusDetails `json:"status_details,omitempty"`
	Usage   *Usage         `json:"usage,omitempty"`
}

// StatusDetails is the reason of a response that did not complete.
type StatusDetails struct {
	Reason string `json:"reason"` // turn_detected, client_cancelled, error, session_ended
}

// Usage is what a response or session consumed.
type Usage struct {
	InputTokens  int `json:"input_tokens"`
	OutputTokens int `json:"output_tokens"`
	Characters   int `json:"characters"`
}

// HeardWord is a recognised word with its place in the learner's stream.
type HeardWord struct {
	Word       string  `json:"word"`
	StartMS    int     `json:"start_ms"`
	EndMS      int     `json:"end_ms"`
	Confidence float64 `json:"confidence,omitempty"`
	Language   string  `json:"language,omitempty"`
}

// Latency is a turn's time by stage in milliseconds; a stage that was not passed is 0.
type Latency struct {
	EndpointMS   int `json:"endpoint_ms" doc:"End of the learner's speech to the end of the turn being decided"`
	STTFinalMS   int `json:"stt_final_ms" doc:"End of the learner's speech to the final transcript"`
	LLMFirstMS   int `json:"llm_ttft_ms" doc:"Asking the language model to its first token"`
	ClauseMS     int `json:"clause_ms" doc:"First token to the first clause handed to the voice"`
	TTSFirstMS   int `json:"tts_ttfb_ms" doc:"First clause to the voice's first audio"`
	EgressMS     int `json:"egress_ms" doc:"The voice's first audio, or the turn's end when a draft was ready before it, to the first frame written"`
	FirstAudioMS int `json:"first_audio_ms" doc:"End of the learner's speech to the first frame written"`
	BufferMS     int `json:"client_buffer_ms" doc:"First frame written to the first sample heard: the way and the player's buffer"`
	HeardMS      int `json:"heard_ms" doc:"End of the learner's speech to the first sample heard, as the server works it out"`
	ClientMS     int `json:"client_ms" doc:"The same as the client measured it on its own clock; 0 when it did not say"`
	DraftMS      int `json:"draft_ms" doc:"How much of the answer's making was done before the turn ended; 0 without a draft"`
}

// The events, in the order of the protocol's table.
type (
	// Created is the first event of a session.
	Created struct {
		Session   Config    `json:"session"`
		Protocol  Protocol  `json:"protocol"`
		Resume    Resume    `json:"resume"`
		Limits    Limits    `json:"limits"`
		Heartbeat Heartbeat `json:"heartbeat"`
	}
	// Updated answers session.update and tutor.set with the whole effective configuration.
	Updated struct {
		Session Config `json:"session"`
	}
	// Resumed is the first event on a socket that takes a session up again. Its head
	// repeats the number that the client has seen last; the events after that one
	// follow, without a hole, and then what happens now.
	Resumed struct {
		SessionID    string           `json:"session_id"`
		Resume       Resume           `json:"resume"`
		Warm         bool             `json:"warm" doc:"The session never stopped; false: another node took it over, or this one again"`
		ReplayedFrom uint64           `json:"replayed_from" doc:"The number of the next event"`
		Input        InputPos         `json:"input" doc:"Send again what the microphone heard from input.next_seq on"`
		Response     *ResumedResponse `json:"response,omitempty" doc:"The response under way, if there is one"`
	}
	// Restarted is the honest alternative to [Resumed]: the conversation goes on, but
	// which events the client has missed cannot be proven. It counts on above all that
	// the client has seen and says all that holds now.
	Restarted struct {
		Session  Config           `json:"session"`
		Resume   Resume           `json:"resume"`
		Items    []Item           `json:"items" doc:"The latest entries of the history that are stored, oldest first; whatever else the client shows is void"`
		Input    InputPos         `json:"input" doc:"Send again what the microphone heard from input.next_seq on"`
		Response *ResumedResponse `json:"response,omitempty" doc:"The response under way, if there is one"`
	}
	// ResumptionUpdate rotates the resume token.
	ResumptionUpdate struct {
		Resume    Resume   `json:"resume"`
		Resumable bool     `json:"resumable"`
		Input     InputPos `json:"input"`
	}
	// GoAway announces that this node wants the client to come back elsewhere.
	GoAway struct {
		Reason     string       `json:"reason" enum:"deploy,rebalance,max_duration,maintenance"`
		TimeLeftMS int          `json:"time_left_ms"`
		Reconnect  Reconnecting `json:"reconnect"`
	}
	// Ended is the last event before a close after which the client is to stop: 1000 and 44xx.
	Ended struct {
		Reason  string  `json:"reason"`
		Summary Summary `json:"summary"`
	}
	// SpeechStarted and SpeechStopped are edges of the learner's voice, for display only.
	SpeechStarted struct {
		ItemID       string `json:"item_id"`
		AudioStartMS int64  `json:"audio_start_ms"`
	}
	SpeechStopped struct {
		ItemID     string `json:"item_id"`
		AudioEndMS int64  `json:"audio_end_ms"`
	}
	// Committed says that the learner's turn is closed.
	Committed struct {
		ItemID         string `json:"item_id"`
		PreviousItemID string `json:"previous_item_id,omitempty"`
		Reason         string `json:"reason" enum:"vad,semantic,client,timeout"`
	}
	// TranscriptDelta is a partial transcript; Text replaces what was shown.
	TranscriptDelta struct {
		ItemID    string  `json:"item_id"`
		Delta     string  `json:"delta,omitempty"`
		Text      string  `json:"text"`
		Stability float64 `json:"stability" doc:"0 may be rewritten, 1 is final" minimum:"0" maximum:"1"`
	}
	// TranscriptCompleted is the final transcript of the learner's turn.
	TranscriptCompleted struct {
		ItemID     string      `json:"item_id"`
		Transcript string      `json:"transcript"`
		Language   string      `json:"language,omitempty"`
		Words      []HeardWord `json:"words,omitempty"`
	}
	// TranscriptFailed says that this turn could not be understood for a technical reason.
	TranscriptFailed struct {
		ItemID string  `json:"item_id"`
		Error  Problem `json:"error"`
	}
	// ItemAdded and ItemDone report history. ItemDone of a learner's item is the
	// acknowledgement: it is sent only after the durable commit.
	ItemAdded struct {
		Item           Item   `json:"item"`
		PreviousItemID string `json:"previous_item_id,omitempty"`
	}
	ItemDone struct {
		Item           Item   `json:"item"`
		PreviousItemID string `json:"previous_item_id,omitempty"`
	}
	// InputAck acknowledges mic frames up to and including Input.Seq. They stand
	// in an object of their own, since the head has a seq too.
	InputAck struct {
		Input InputPos `json:"input"`
	}
	// ResponseCreated binds the binary stream number to a response.
	ResponseCreated struct {
		Response ResponseInfo `json:"response"`
		Stream   uint16       `json:"stream"`
		Audio    AudioFormat  `json:"audio"`
	}
	// CaptionDelta is caption text with the place in the audio where it starts.
	CaptionDelta struct {
		ResponseID   string `json:"response_id"`
		ItemID       string `json:"item_id"`
		Delta        string `json:"delta"`
		AudioStartMS int64  `json:"audio_start_ms"`
		Filler       bool   `json:"filler,omitempty" doc:"A clip that is heard while the answer is awaited, or in its place: no part of the transcript"`
	}
	// CaptionDone is the whole caption.
	CaptionDone struct {
		ResponseID string `json:"response_id"`
		ItemID     string `json:"item_id"`
		Transcript string `json:"transcript"`
	}
	// Mark is a sentence boundary in the stream; the client echoes it when played.
	Mark struct {
		ResponseID string `json:"response_id"`
		Name       string `json:"name"`
		AtMS       int64  `json:"at_ms"`
		Text       string `json:"text,omitempty"`
	}
	// AudioDone says that all audio was sent, not that it was heard.
	AudioDone struct {
		ResponseID string `json:"response_id"`
		ItemID     string `json:"item_id"`
		AudioMS    int64  `json:"audio_ms"`
	}
	// ClearAudio orders the client to fall silent now and to drop every later
	// frame of Stream and of streams before it.
	ClearAudio struct {
		ResponseID string `json:"response_id"`
		Stream     uint16 `json:"stream"`
		Reason     string `json:"reason"` // turn_detected, client_cancelled, error
	}
	// Truncated tells what was heard of an interrupted response.
	Truncated struct {
		ItemID     string `json:"item_id"`
		AudioEndMS int64  `json:"audio_end_ms"`
		Transcript string `json:"transcript"`
		Source     string `json:"source" enum:"client,estimate"`
	}
	// ResponseDone ends a response, with where its time went.
	ResponseDone struct {
		Response ResponseInfo `json:"response"`
		Latency  Latency      `json:"latency"`
	}
	// PauseAudio asks the client to stop playing Stream where it is, losing nothing:
	// somebody may be speaking. [ResumeAudio] or [ClearAudio] follows within 400 ms of
	// the voice's onset.
	PauseAudio struct {
		ResponseID string `json:"response_id"`
		Stream     uint16 `json:"stream"`
	}
	// ResumeAudio: it was nothing; play on from the very sample.
	ResumeAudio struct {
		ResponseID string `json:"response_id"`
		Stream     uint16 `json:"stream"`
	}
	// Nudge helps a learner who does not find an answer: a rung of the unstick ladder,
	// or [NudgeHold].
	Nudge struct {
		Kind string `json:"kind" enum:"hint,rephrase,offer,pause,hold" doc:"hint: show text, the beginning of an answer; rephrase: the tutor says it again, simpler; offer: it offers two answers; pause: the lesson waits until the learner speaks or does something; hold: the learner asked for time in words, and the turn stays open for 15 seconds or until more is said"`
		// Text is to be shown; empty when the tutor says it aloud.
		Text string `json:"text,omitempty" doc:"Of a hint, in the language that is learned"`
	}
	// NotUnderstood: there was speech but no words, so there is no turn.
	NotUnderstood struct {
		ItemID string `json:"item_id"`
	}
	// AuthExpiring asks for auth.update before the access token ends.
	AuthExpiring struct {
		ExpiresAt string `json:"expires_at" format:"date-time"`
	}
	// Warning is not fatal.
	Warning struct {
		Code    WarningCode `json:"code"`
		Message string      `json:"message"`
	}
	// Failure is the protocol's `error` event.
	Failure struct {
		Error Problem `json:"error"`
	}
	// Ping asks for a pong, which repeats the head's ts; RTTMS is the shortest of the last round trips, 0 before the first.
	Ping struct {
		ID    string `json:"id"`
		RTTMS int64  `json:"rtt_ms"`
	}
)

// Reconnecting says how to come back after [GoAway].
type Reconnecting struct {
	Resume  bool   `json:"resume"`
	AfterMS int    `json:"after_ms"`
	URL     string `json:"url,omitempty"`
}

// AudioFormat wraps a [Format], as the protocol nests it.
type AudioFormat struct {
	Format Format `json:"format"`
}

// WarningCode is the closed list of warnings.
type WarningCode string

// The warnings.
const (
	WarnUpstreamDegraded WarningCode = "upstream_degraded"
	WarnInputOverrun     WarningCode = "input_audio_overrun"
	WarnEchoSuspected    WarningCode = "echo_suspected"
	WarnFallbackVoice    WarningCode = "fallback_voice"
	WarnStorageDelayed   WarningCode = "storage_delayed"
)
