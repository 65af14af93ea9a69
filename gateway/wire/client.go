package wire

import (
	"encoding/json"
	"fmt"

	"kalami/session"
)

// EncodeControl is the client's side of [DecodeControl]: it encodes c as one JSON
// event. eventID may be empty; a server echoes it in errors. Controls that exist
// only inside the server ([session.AuthRenewed], [session.Rejected],
// [session.InputDropped]) are errors; see [EncodeAuthUpdate] for the first.
func EncodeControl(eventID string, c session.Control) ([]byte, error) {
	name, fields := clientEvent(c)
	if name == "" {
		return nil, fmt.Errorf("wire: %T is not a client's event", c)
	}
	return encodeClient(name, eventID, fields)
}

// EncodeAuthUpdate encodes auth.update with a fresh access token.
func EncodeAuthUpdate(eventID, accessToken string) ([]byte, error) {
	return encodeClient(typeAuthUpdate, eventID, authUpdateFields{AccessToken: &accessToken})
}

func encodeClient(name, eventID string, fields any) ([]byte, error) {
	out := appendString([]byte(`{"type":`), name)
	if eventID != "" {
		out = appendString(append(out, `,"event_id":`...), eventID)
	}
	return appendFields(out, fields)
}

// clientEvent returns a control's name and what its fields encode from; the name
// is empty for what no client can say.
func clientEvent(c session.Control) (name string, fields any) {
	switch c := c.(type) {
	case session.UpdateSession:
		return typeSessionUpdate, encodedUpdate{encodePatch(c.Session)}
	case session.ResumeSession:
		return typeSessionResume, c
	case session.EndSession:
		return typeSessionEnd, c
	case session.CommitInput:
		return typeInputCommit, c
	case session.ClearInput:
		return typeInputClear, c
	case session.DeviceState:
		return typeInputState, c
	case session.CreateItem:
		return typeItemCreate, encodeItem(c)
	case session.CreateResponse:
		return typeResponseCreate, encodeResponse(c)
	case session.CancelResponse:
		return typeResponseCancel, c
	case session.PlaybackStarted:
		return typePlaybackStarted, c
	case session.PlaybackPosition:
		return typePlaybackPosition, c
	case session.PlaybackMark:
		return typePlaybackMark, c
	case session.PlaybackStopped:
		return typePlaybackStopped, c
	case session.PlaybackCleared:
		return typePlaybackCleared, c
	case session.AckEvents:
		return typeAck, c
	case session.Pong:
		return typePong, c
	case session.HoldTurn:
		return typeTutorHold, c
	case session.SetTutor:
		return typeTutorSet, encodedSetTutor(c)
	case session.AskHint:
		return typeTutorHint, c
	case session.Translate:
		return typeTutorTranslate, c
	case session.Repeat:
		return typeTutorRepeat, c
	case session.EditTranscript:
		return typeTranscriptEdit, c
	case session.AnswerReview:
		return typeReviewAnswer, c
	}
	return "", nil
}

// The encoded forms differ from the session's types where an absent field must
// stay absent.
type (
	encodedUpdate struct {
		Session encodedPatch `json:"session"`
	}
	encodedPatch struct {
		Duplex *string       `json:"duplex,omitempty"`
		Audio  *encodedAudio `json:"audio,omitempty"`
	}
	encodedAudio struct {
		Input  *encodedInput  `json:"input,omitempty"`
		Output *encodedOutput `json:"output,omitempty"`
	}
	encodedInput struct {
		Format        *session.Format `json:"format,omitempty"`
		TurnDetection json.RawMessage `json:"turn_detection,omitempty"`
	}
	encodedOutput struct {
		Format *session.Format `json:"format,omitempty"`
		Speed  *float64        `json:"speed,omitempty"`
	}
	encodedSetTutor struct {
		PatienceMS     *int     `json:"patience_ms,omitempty"`
		SpeechRate     *float64 `json:"speech_rate,omitempty"`
		CorrectionMode *string  `json:"correction_mode,omitempty"`
	}
)

func encodePatch(p session.ConfigPatch) encodedPatch {
	e := encodedPatch{Duplex: p.Duplex}
	if p.Audio == nil {
		return e
	}
	e.Audio = &encodedAudio{}
	if in := p.Audio.Input; in != nil {
		e.Audio.Input = &encodedInput{Format: in.Format, TurnDetection: encodeTurnDetection(in.TurnDetection)}
	}
	if out := p.Audio.Output; out != nil {
		e.Audio.Output = &encodedOutput{Format: out.Format, Speed: out.Speed}
	}
	return e
}

// encodeTurnDetection keeps the three states apart: absent, null and an object.
func encodeTurnDetection(p *session.TurnDetectionPatch) json.RawMessage {
	if p == nil {
		return nil
	}
	if p.Off {
		return json.RawMessage("null")
	}
	type object struct {
		Type              *string `json:"type,omitempty"`
		PatienceMS        *int    `json:"patience_ms,omitempty"`
		InterruptResponse *bool   `json:"interrupt_response,omitempty"`
	}
	raw, _ := json.Marshal(object{p.Type, p.PatienceMS, p.InterruptResponse}) // strings, ints and bools always encode
	return raw
}

func encodeItem(c session.CreateItem) any {
	type item struct {
		ID      string                `json:"id,omitempty"`
		Role    string                `json:"role"`
		Content []session.ItemContent `json:"content"`
	}
	return struct {
		Item item `json:"item"`
	}{item{c.ID, roleUser, []session.ItemContent{{Type: contentInputText, Text: c.Text}}}}
}

func encodeResponse(c session.CreateResponse) any {
	type response struct {
		Instructions string `json:"instructions,omitempty"`
	}
	return struct {
		Response response `json:"response"`
	}{response{c.Instructions}}
}

// RawEvent is a server's event of a type that this client does not know; it is
// to be ignored, or shown as it came.
type RawEvent struct {
	Type string
	// Data is the whole event, a copy.
	Data json.RawMessage
}

// EventType implements [session.Event].
func (e RawEvent) EventType() string { return e.Type }

// DecodeEvent is the client's side of [AppendEvent]. An unknown type gives a
// [RawEvent] without an error.
func DecodeEvent(data []byte) (session.Head, session.Event, error) {
	var head struct {
		Type string `json:"type"`
		session.Head
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return session.Head{}, nil, fmt.Errorf("wire: decode event: %w", err)
	}
	if head.Type == "" {
		return session.Head{}, nil, fmt.Errorf("wire: decode event: no type")
	}
	ev, err := decodeEvent(head.Type, data)
	if err != nil {
		return session.Head{}, nil, fmt.Errorf("wire: decode %q: %w", head.Type, err)
	}
	return head.Head, ev, nil
}
