package wire

import (
	"encoding/json"
	"fmt"

	"kalami/session"
)

// The names of the client's events.
const (
	typeSessionUpdate    = "session.update"
	typeSessionResume    = "session.resume"
	typeSessionEnd       = "session.end"
	typeInputCommit      = "input_audio_buffer.commit"
	typeInputClear       = "input_audio_buffer.clear"
	typeInputState       = "input_audio.state"
	typeItemCreate       = "conversation.item.create"
	typeResponseCreate   = "response.create"
	typeResponseCancel   = "response.cancel"
	typePlaybackStarted  = "output_audio_buffer.started"
	typePlaybackPosition = "output_audio_buffer.position"
	typePlaybackMark     = "output_audio_buffer.mark"
	typePlaybackStopped  = "output_audio_buffer.stopped"
	typePlaybackCleared  = "output_audio_buffer.cleared"
	typeAck              = "ack"
	typePong             = "pong"
	typeAuthUpdate       = "auth.update"
	typeTutorHold        = "tutor.hold"
	typeTutorSet         = "tutor.set"
	typeTutorHint        = "tutor.hint"
	typeTutorTranslate   = "tutor.translate"
	typeTutorRepeat      = "tutor.repeat"
	typeTranscriptEdit   = "tutor.transcript.edit"
	typeReviewAnswer     = "tutor.review.answer"
)

// Message is one decoded event of a client.
type Message struct {
	// Type is the event's name, also when it is unknown.
	Type string
	// EventID is the client's own name for the event; may be empty.
	EventID string
	// Control is what the session gets; nil for auth.update.
	Control session.Control
	// AccessToken is set for auth.update alone. Whoever reads the connection
	// verifies it and hands the session a [session.AuthRenewed] or a
	// [session.Rejected]; the token itself goes no further.
	AccessToken string
}

// DecodeControl decodes one JSON event of a client, which the caller has found to
// be valid UTF-8 of at most [MaxTextBytes]. The result does not alias data.
//
// What cannot be accepted gives a non-fatal problem: invalid_json, unknown_event
// (once per type is enough to answer), config_locked, or invalid_event with Param
// naming the field, dotted. Type and EventID are set as far as they could be read.
// Unknown fields are ignored.
func DecodeControl(data []byte) (Message, *session.Problem) {
	var m Message
	if !json.Valid(data) {
		return m, &session.Problem{
			Type: session.InvalidRequest, Code: session.InvalidJSON,
			Message: "A text frame must hold one JSON object.",
		}
	}
	c := &check{}
	if depth(data) > MaxDepth {
		c.fail("", "The event nests deeper than %d levels.", MaxDepth)
		return m, c.problem
	}
	head := decodeFields[struct {
		Type    *string `json:"type"`
		EventID *string `json:"event_id"`
	}](c, data)
	m.EventID = c.text("event_id", head.EventID, MaxNameBytes)
	m.Type = c.name("type", head.Type)
	if c.problem == nil {
		m.Control, m.AccessToken = c.decode(m.Type, data)
	}
	if c.problem != nil {
		m.Control, m.AccessToken = nil, ""
		c.problem.EventID = m.EventID
	}
	return m, c.problem
}

// decode decodes the event called name; the string is the token of auth.update.
func (c *check) decode(name string, data []byte) (session.Control, string) {
	switch name {
	case typeSessionUpdate:
		return c.sessionUpdate(data), ""
	case typeSessionResume:
		return c.sessionResume(data), ""
	case typeSessionEnd:
		return c.sessionEnd(data), ""
	case typeInputCommit:
		return session.CommitInput{}, ""
	case typeInputClear:
		return session.ClearInput{}, ""
	case typeInputState:
		return c.inputState(data), ""
	case typeItemCreate:
		return c.itemCreate(data), ""
	case typeResponseCreate:
		return c.responseCreate(data), ""
	case typeResponseCancel:
		return c.responseCancel(data), ""
	case typePlaybackStarted, typePlaybackPosition, typePlaybackMark, typePlaybackStopped, typePlaybackCleared:
		return c.playback(name, data), ""
	case typeAck:
		return c.ack(data), ""
	case typePong:
		return c.pong(data), ""
	case typeAuthUpdate:
		return nil, c.authUpdate(data)
	case typeTutorHold:
		return c.tutorHold(data), ""
	case typeTutorSet:
		return c.tutorSet(data), ""
	case typeTutorHint:
		return session.AskHint{}, ""
	case typeTutorTranslate:
		return c.tutorTranslate(data), ""
	case typeTutorRepeat:
		return c.tutorRepeat(data), ""
	case typeTranscriptEdit:
		return c.transcriptEdit(data), ""
	case typeReviewAnswer:
		return c.reviewAnswer(data), ""
	}
	c.problem = &session.Problem{
		Type: session.InvalidRequest, Code: session.UnknownEvent, Param: "type",
		Message: fmt.Sprintf("This server does not know the event %q.", name),
	}
	return nil, ""
}

// depth returns how deep the valid JSON in data nests; a lone scalar is 0.
func depth(data []byte) int {
	level, deepest, quoted := 0, 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++ // whatever is escaped does not end the string
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}
