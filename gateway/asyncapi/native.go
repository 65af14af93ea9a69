package asyncapi

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"kalami/gateway/wire"
	"kalami/session"
)

const voiceID = "voice"

// serverEvent is one event of the tutor's side.
type serverEvent struct {
	event session.Event
	about string
}

// serverEvents are all of them, in the order of the protocol.
func serverEvents() []serverEvent {
	return []serverEvent{
		{session.Created{}, "The first event: the session as it begins, and the token with which it can be taken up again."},
		{session.Updated{}, "The whole effective configuration, after session.update or tutor.set."},
		{session.Resumed{}, "The first event after a return: nothing was missed, or what was missed follows."},
		{session.Restarted{}, "The first event after a return where that cannot be proven: the conversation goes on from here."},
		{session.ResumptionUpdate{}, "A new resume token; the one before it ends when an event of the client shows that this one has arrived."},
		{session.GoAway{}, "This node asks the client to come back, to another node."},
		{session.Ended{}, "The last event before a close after which the client does not come back by itself."},
		{session.SpeechStarted{}, "The learner's voice was heard; for display only."},
		{session.SpeechStopped{}, "The learner's voice was heard no more; for display only."},
		{session.Committed{}, "The learner's turn is closed."},
		{session.TranscriptDelta{}, "What was understood so far; text replaces what was shown."},
		{session.TranscriptCompleted{}, "What the learner said in this turn."},
		{session.TranscriptFailed{}, "This turn could not be understood, for a technical reason."},
		{session.ItemAdded{}, "An entry of the conversation's history began."},
		{session.ItemDone{}, "An entry of the history is complete; a learner's is in the database now."},
		{session.InputAck{}, "Frames of the microphone up to and including this one arrived."},
		{session.ResponseCreated{}, "The tutor begins to answer; its audio comes in binary frames of this stream."},
		{session.CaptionDelta{}, "Words of the tutor, and where in the audio they begin."},
		{session.CaptionDone{}, "All words of the tutor's answer."},
		{session.Mark{}, "A sentence ends here in the stream; the client repeats the mark when it has played so far."},
		{session.AudioDone{}, "All audio of the answer was sent, which does not say that it was heard."},
		{session.ClearAudio{}, "Fall silent now, and drop every later frame of this stream and of those before it."},
		{session.Truncated{}, "What was heard of an answer that was interrupted."},
		{session.ResponseDone{}, "The answer is over, and where its time went, in milliseconds by stage."},
		{session.PauseAudio{}, "Stop playing this stream where it is and lose nothing: somebody may be speaking."},
		{session.ResumeAudio{}, "It was nothing: play on from the very sample."},
		{session.Nudge{}, "Help for a learner who does not find an answer, and time for one who asks for it in words."},
		{session.Feedback{}, "What there is to say about a message of the learner's; a further one about the same item replaces it."},
		{session.Hint{}, "What the learner could say next, after tutor.hint."},
		{session.Translation{}, "An item or a text in the learner's own language, after tutor.translate."},
		{session.CardAdded{}, "The learner has a card more."},
		{session.GoalMet{}, "A goal of the scenario is reached."},
		{session.LessonSummary{}, "What is known at once of a conversation that its learner ends."},
		{session.ReviewCard{}, "In a review by voice: this card is asked, and the learner's next words are the answer."},
		{session.ReviewResult{}, "In a review by voice: how a card was rated; it is in the database now."},
		{session.ReviewDone{}, "In a review by voice: no card is due any more."},
		{session.NotUnderstood{}, "There was speech but no words, so there is no turn."},
		{session.AuthExpiring{}, "The access token ends soon: send auth.update."},
		{session.Warning{}, "Something is not as it should be; the session goes on."},
		{session.Failure{}, "Something went wrong. When it is fatal, a close follows."},
		{session.Ping{}, "Asks for a pong that repeats ts."},
	}
}

// clientEvent is one event of a client: encoded gives an example of it.
type clientEvent struct {
	encoded func() ([]byte, error)
	payload any
	about   string
}

func control(c session.Control, payload any, about string) clientEvent {
	return clientEvent{func() ([]byte, error) { return wire.EncodeControl("e1", c) }, payload, about}
}

// same is for a control whose type is its payload.
func same(c session.Control, about string) clientEvent { return control(c, c, about) }

// clientEvents are all of them, in the order of the protocol.
func clientEvents() []clientEvent {
	half, patience, slower := "half", 3000, 0.8
	played := session.PlaybackState{ResponseID: "r_1", PlayedMS: 250, BufferedMS: 900}
	return []clientEvent{
		control(session.UpdateSession{Session: session.ConfigPatch{Duplex: &half, Audio: &session.AudioPatch{Output: &session.OutputPatch{Speed: &slower}}}},
			sessionUpdate{}, "Changes settings of the session; formats only before the first frame."),
		same(session.ResumeSession{SessionID: "vs_1", LastSeq: 15, Playback: &played, Input: session.InputPos{Stream: 1, NextSeq: 412}},
			"The first event on a socket that was opened with a resume token."),
		same(session.EndSession{Reason: "done"}, "Ends the lesson."),
		same(session.CommitInput{}, "Ends the learner's turn now; push-to-talk was released."),
		same(session.ClearInput{}, "Discards what was said since the last turn."),
		same(session.DeviceState{Route: "speaker", NativeRate: 48000, AEC: true, NS: true, AGC: true}, "Tells of the device."),
		control(session.CreateItem{ID: "it_c7", Text: "¿Cómo se dice beach?"}, itemCreate{}, "A message that the learner typed."),
		control(session.CreateResponse{Instructions: "Say it again, slower."}, responseCreate{}, "Asks the tutor to speak."),
		same(session.CancelResponse{ResponseID: "r_1"}, "Stops the tutor; without an id, whatever it is saying."),
		same(session.PlaybackStarted{ResponseID: "r_1", LatencyMS: 842.5, SpeechEndMS: 5120, BufferMS: 61}, "The first sample of the answer was played."),
		same(session.PlaybackPosition{PlaybackState: played}, "How far the player is; every 250 ms while it plays."),
		same(session.PlaybackMark{Name: "s1", ResponseID: "r_1", PlayedMS: 1183}, "The player reached a mark."),
		same(session.PlaybackStopped{ResponseID: "r_1", PlayedMS: 3050}, "The player ran dry after the end of the answer."),
		same(session.PlaybackCleared{ResponseID: "r_1", PlayedMS: 1840, DroppedMS: 1210}, "The player fell silent; played_ms is what was really heard."),
		same(session.AckEvents{Seq: 32}, "Events up to this one arrived."),
		same(session.Pong{ID: "p3", TS: 61234}, "Answers a ping."),
		{func() ([]byte, error) { return wire.EncodeAuthUpdate("e1", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln") }, authUpdate{}, "Shows a fresh access token."},
		same(session.HoldTurn{MS: 15000}, "Keeps the learner's turn open: somebody is thinking."),
		same(session.SetTutor{PatienceMS: &patience}, "Changes the tutor's manner in this conversation."),
		same(session.AskHint{}, "Asks what one could say next."),
		control(session.Translate{ItemID: "it_2"}, translate{}, "Asks for an item of the conversation, or for a text, in the learner's own language."),
		same(session.Repeat{Slow: true}, "Asks the tutor to say its last reply again."),
		same(session.EditTranscript{ItemID: "it_1", Text: "Yo fui a la plaza."}, "The learner has said something else than was understood."),
		same(session.AnswerReview{CardID: "k_2", Rating: 3}, "Answers a card of a review that is held by voice."),
	}
}

// The payloads of events that package session knows in another form.
type (
	head struct {
		Type    string `json:"type" required:"true"`
		EventID string `json:"event_id" doc:"The client's own name for this event, which comes back in an error about it" maxLength:"128"`
	}
	sessionUpdate struct {
		Session settings `json:"session" required:"true"`
	}
	settings struct {
		Duplex *string `json:"duplex" enum:"full,half"`
		Audio  *audio  `json:"audio"`
	}
	audio struct {
		Input  *input  `json:"input" doc:"The learner's direction"`
		Output *output `json:"output" doc:"The tutor's direction"`
	}
	input struct {
		Format        *session.Format `json:"format"`
		TurnDetection turnDetection   `json:"turn_detection"`
	}
	output struct {
		Format *session.Format `json:"format"`
		Speed  *float64        `json:"speed" minimum:"0.5" maximum:"1.5"`
	}
	turnDetection struct {
		Type              *string `json:"type" enum:"patient,endpoint"`
		PatienceMS        *int    `json:"patience_ms" minimum:"800" maximum:"4000"`
		InterruptResponse *bool   `json:"interrupt_response"`
	}
	itemCreate struct {
		Item item `json:"item" required:"true"`
	}
	item struct {
		ID      string    `json:"id" maxLength:"64" pattern:"^[A-Za-z0-9_-]*$" doc:"Chosen by the client, unique in the conversation. Say the message again with it when a socket was lost before conversation.item.added or .done has named it: it counts once"`
		Role    string    `json:"role" required:"true" enum:"user"`
		Content []content `json:"content" required:"true" minItems:"1" doc:"The lines of one text"`
	}
	content struct {
		Type string `json:"type" required:"true" enum:"input_text"`
		Text string `json:"text" required:"true" maxLength:"4000"`
	}
	responseCreate struct {
		Response *response `json:"response"`
	}
	response struct {
		Instructions *string `json:"instructions" maxLength:"4000" doc:"What the tutor is to do in this answer"`
	}
	translate struct {
		ItemID *string `json:"item_id" doc:"An item of this conversation; either this or text" maxLength:"128" minLength:"1"`
		Text   *string `json:"text" doc:"Any text; either this or item_id" maxLength:"1000" minLength:"1"`
	}
	authUpdate struct {
		AccessToken string `json:"access_token" required:"true"`
	}
)

// TransformSchema implements [huma.SchemaTransformer]: null is push-to-talk.
func (input) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	detection := s.Properties["turn_detection"]
	s.Properties["turn_detection"] = &huma.Schema{
		Description: "How a turn of the learner ends; null for push-to-talk",
		AnyOf:       []*huma.Schema{detection, {Type: "null"}},
	}
	return s
}

// TransformSchema implements [huma.SchemaTransformer]: there is one of the two.
func (translate) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.OneOf = []*huma.Schema{{Required: []string{"item_id"}}, {Required: []string{"text"}}}
	return s
}

// native adds the voice socket.
func (b *builder) native(closes []Close) {
	b.channel(voiceID, "/v1/voice", "The voice socket, "+wire.Subprotocol, aboutVoice+table(closes), binding{
		Method: "GET",
		Headers: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{
			"Sec-WebSocket-Protocol": {Type: huma.TypeString, Description: wire.Subprotocol + ", which the server always selects; and, from clients that cannot set " +
				"Authorization, " + wire.TokenPrefix + " followed by a ticket or a resume token.", Examples: []any{wire.Subprotocol + ", " + wire.TokenPrefix + "kt_…"}},
			"Authorization": {Type: huma.TypeString, Description: "Bearer and an access token, instead of a ticket."},
		}, Required: []string{"Sec-WebSocket-Protocol"}},
		Query: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{
			"profile_id":      {Type: huma.TypeString, Description: "With an access token: the profile to talk under."},
			"conversation_id": {Type: huma.TypeString, Description: "With an access token: the conversation to go on with."},
			"topic":           {Type: huma.TypeString, Description: "With an access token: what a new conversation is about."},
			"scenario_id":     {Type: huma.TypeString, Description: "With an access token: the scenario that a new conversation plays; free talk without one."},
		}},
	})
	eventHead := b.set.Sent(reflect.TypeFor[session.Head]())
	for _, e := range serverEvents() {
		b.message(voiceID, toClient, message{
			Name: e.event.EventType(), Summary: e.about,
			Payload: &huma.Schema{
				AllOf:      []*huma.Schema{eventHead, b.set.Sent(reflect.TypeOf(e.event))},
				Properties: map[string]*huma.Schema{"type": constant(e.event.EventType())},
				Required:   []string{"type"},
			},
		})
	}
	clientHead := b.set.Received(reflect.TypeFor[head]())
	for _, e := range clientEvents() {
		b.clientMessage(e, clientHead)
	}
	for _, f := range []struct{ direction, name, about string }{
		{toServer, "mic", "20 to 100 ms of the learner's audio"}, {toClient, "tutor", "audio of the tutor"},
	} {
		b.message(voiceID, f.direction, message{
			Name: f.name, ContentType: "application/octet-stream", Summary: "A binary frame: " + f.about + ".",
			Payload: &huma.Schema{Type: huma.TypeString, Format: "binary", Description: aboutFrames},
		})
	}
}

// clientMessage adds an event of a client, whose name is that of its example.
func (b *builder) clientMessage(e clientEvent, head *huma.Schema) {
	encoded, err := e.encoded()
	var shown struct {
		Type string `json:"type"`
	}
	var payload map[string]any
	if err != nil || json.Unmarshal(encoded, &shown) != nil || json.Unmarshal(encoded, &payload) != nil {
		panic(fmt.Sprintf("asyncapi: the example of %T cannot be encoded: %v", e.payload, err))
	}
	b.message(voiceID, toServer, message{
		Name: shown.Type, Summary: e.about, Examples: []example{{Payload: payload}},
		Payload: &huma.Schema{
			AllOf:      []*huma.Schema{head, b.set.Received(reflect.TypeOf(e.payload))},
			Properties: map[string]*huma.Schema{"type": constant(shown.Type)},
			Required:   []string{"type"},
		},
	})
}

const aboutVoice = "A client buys a ticket with `POST /v1/voice/tickets` right before it connects, and offers it as a subprotocol. " +
	"A text frame is one JSON event of at most 64 KiB. Unknown events and fields are ignored by both sides; the server says unknown_event once per type. " +
	"Events that a client sends wrongly are answered by an error event that names the field, and the session goes on. " +
	"How a turn goes, with its interruptions, is told step by step in the documentation of the Go package gateway/wire."

const aboutFrames = "16-bit PCM, little endian, mono, behind a header of 12 bytes, big endian: " +
	"byte 0, version 1 in the high half, in the low half 1 for the microphone or 2 for the tutor; " +
	"byte 1, flags: 1 discontinuity, 2 end of stream, 4 sent again, 8 silence; " +
	"bytes 2-3, stream; bytes 4-7, sequence number, one more per frame of a stream; " +
	"bytes 8-11, offset of the first sample in the stream."
