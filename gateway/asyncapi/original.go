package asyncapi

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"kalami/gateway/wire"
)

const originalID = "original"

// originalEvent is one event that the server sends to the original's app.
type originalEvent struct {
	event wire.OriginalEvent
	about string
}

// originalEvents are all of them.
func originalEvents() []originalEvent {
	return []originalEvent{
		{wire.OriginalConnected{}, "The first event of a connection."},
		{wire.OriginalSessionStarted{}, "Which conversation goes on from here."},
		{wire.OriginalProcessing{}, "What is being done with an utterance: transcribing, thinking or speaking."},
		{wire.OriginalTranscription{}, "What the learner was heard to say."},
		{wire.OriginalResponse{}, "The tutor's answer as text."},
		{wire.OriginalAnswerAudio{}, "The tutor's answer as one complete clip, exactly one for an utterance."},
		{wire.OriginalRecordingStarted{}, "Answers start_recording."},
		{wire.OriginalAudioReceived{}, "Answers one binary frame."},
		{wire.OriginalSessionEnded{}, "Answers end_session."},
		{wire.OriginalPong{}, "Answers a ping."},
		{wire.OriginalHeartbeatAnswer{}, "Answers a heartbeat that asks, and no other."},
		{wire.OriginalFailure{}, "Something went wrong; the connection goes on."},
	}
}

// originalControl is one message of the original's app.
type originalControl struct {
	name    string
	control wire.OriginalControl // what it is decoded to
	payload any                  // nil for none
	about   string
}

// originalControls are all of them.
func originalControls() []originalControl {
	return []originalControl{
		{"start_session", wire.OriginalStartSession{}, startSession{}, "Begins a conversation under a profile."},
		{"audio", wire.OriginalAudio{}, utterance{}, "One whole recorded utterance."},
		{"start_recording", wire.OriginalStartRecording{}, nil, "Announces chunks of a recording as binary frames."},
		{"stop_recording", wire.OriginalStopRecording{}, nil, "The recording is complete."},
		{"end_session", wire.OriginalEndSession{}, nil, "Ends the conversation."},
		{"ping", wire.OriginalPing{}, nil, "Asks for a pong."},
		{"heartbeat", wire.OriginalHeartbeat{}, heartbeat{}, "Comes every 30 seconds; answered only when it asks."},
	}
}

// The payloads of the app's messages.
type (
	startSession struct {
		ProfileID string `json:"profileId" required:"true" example:"0197f1c2-6d0e-7cc0-8b7a-3f1d2c4b5a69"`
		Topic     string `json:"topic" example:"En el café"`
		SessionID string `json:"session_id" doc:"A conversation to go on with"`
	}
	utterance struct {
		Audio     []byte `json:"audio_base64" required:"true" doc:"The file in base64, at most 25 MiB before that" example:"GkXfo59ChoEB"`
		Format    string `json:"format" doc:"The kind of file" example:"webm"`
		SessionID string `json:"session_id" doc:"The conversation that it belongs to; the present one if left out"`
	}
	heartbeat struct {
		Ping bool `json:"ping" example:"true"`
	}
)

// original adds the socket of the original.
func (b *builder) original(conversation any) {
	b.channel(originalID, "/ws", "The original's socket", aboutOriginal, binding{
		Method: "GET",
		Query: &huma.Schema{Type: huma.TypeObject, Required: []string{"token"}, Properties: map[string]*huma.Schema{
			"token": {Type: huma.TypeString, Description: "An access token."},
		}},
	})
	for _, e := range originalEvents() {
		payload := b.set.Sent(reflect.TypeOf(e.event))
		switch e.event.(type) {
		case wire.OriginalSessionStarted, wire.OriginalSessionEnded:
			if conversation != nil {
				b.set.Registry().SchemaFromRef(payload.Ref).Properties["session"] = b.set.Sent(reflect.TypeOf(conversation))
			}
		}
		b.message(originalID, toClient, message{Name: e.event.OriginalType(), Summary: e.about, Payload: envelope(e.event.OriginalType(), payload, true)})
	}
	for _, c := range originalControls() {
		var payload *huma.Schema
		if c.payload != nil {
			payload = b.set.Received(reflect.TypeOf(c.payload))
		}
		b.message(originalID, toServer, message{Name: c.name, Summary: c.about, Payload: envelope(c.name, payload, c.payload != nil)})
	}
	b.message(originalID, toServer, message{
		Name: "chunk", ContentType: "application/octet-stream", Summary: "A binary frame: a part of the recording that start_recording announced.",
		Payload: &huma.Schema{Type: huma.TypeString, Format: "binary"},
	})
}

// envelope is the form of all messages, {type, payload}.
func envelope(name string, payload *huma.Schema, needed bool) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"type": constant(name)}, Required: []string{"type"}}
	if payload != nil {
		s.Properties["payload"] = payload
	}
	if needed {
		s.Required = append(s.Required, "payload")
	}
	return s
}

const aboutOriginal = "Kept for the mobile app of the original. Every message is a text frame {type, payload}; the server never sends a binary one. " +
	"A socket without a token is closed with 4001, Authentication required; with a bad one, with 4002, Invalid token. " +
	"What cannot be read is answered by an error, and types that are not known are ignored."
