package wire

import (
	"bytes"
	"encoding/json"
	"math"

	"kalami/session"
)

// updateFields is session.update. The fields that the ticket has bound are named
// too, so that asking to change one is answered and not silently ignored.
type updateFields struct {
	Session *struct {
		Duplex *string `json:"duplex"`
		Audio  *struct {
			Input  *inputFields  `json:"input"`
			Output *outputFields `json:"output"`
		} `json:"audio"`
		ID             json.RawMessage `json:"id"`
		ConversationID json.RawMessage `json:"conversation_id"`
		ProfileID      json.RawMessage `json:"profile_id"`
		Language       json.RawMessage `json:"language"`
		NativeLanguage json.RawMessage `json:"native_language"`
		Level          json.RawMessage `json:"level"`
		Topic          json.RawMessage `json:"topic"`
		CorrectionMode json.RawMessage `json:"correction_mode"`
		Parts          json.RawMessage `json:"parts"`
	} `json:"session"`
}

type inputFields struct {
	Format *formatFields `json:"format"`
	// TurnDetection is nil when absent and "null" for push-to-talk.
	TurnDetection json.RawMessage `json:"turn_detection"`
}

type outputFields struct {
	Format *formatFields   `json:"format"`
	Voice  json.RawMessage `json:"voice"`
	Speed  *float64        `json:"speed"`
}

type formatFields struct {
	Type *string  `json:"type"`
	Rate *float64 `json:"rate"`
}

func (c *check) sessionUpdate(data []byte) session.Control {
	f := decodeFields[updateFields](c, data)
	c.need("session", f.Session != nil)
	if c.problem != nil {
		return nil
	}
	s := f.Session
	c.locked("session.id", s.ID)
	c.locked("session.conversation_id", s.ConversationID)
	c.locked("session.profile_id", s.ProfileID)
	c.locked("session.language", s.Language)
	c.locked("session.native_language", s.NativeLanguage)
	c.locked("session.level", s.Level)
	c.locked("session.topic", s.Topic)
	c.locked("session.correction_mode", s.CorrectionMode)
	c.locked("session.parts", s.Parts)
	patch := session.ConfigPatch{}
	if s.Duplex != nil {
		v := c.oneOf("session.duplex", s.Duplex, "full", "half")
		patch.Duplex = &v
	}
	if s.Audio != nil {
		patch.Audio = &session.AudioPatch{Input: c.inputPatch(s.Audio.Input), Output: c.outputPatch(s.Audio.Output)}
	}
	return session.UpdateSession{Session: patch}
}

// locked fails when a field that cannot be changed in a running session is present.
func (c *check) locked(param string, v json.RawMessage) {
	if v == nil || c.problem != nil {
		return
	}
	c.problem = &session.Problem{
		Type: session.InvalidRequest, Code: session.ConfigLocked, Param: param,
		Message: param + " was fixed when the session began.",
	}
}

func (c *check) inputPatch(f *inputFields) *session.InputPatch {
	if f == nil {
		return nil
	}
	return &session.InputPatch{
		Format:        c.format("session.audio.input.format", f.Format),
		TurnDetection: c.turnDetection("session.audio.input.turn_detection", f.TurnDetection),
	}
}

func (c *check) outputPatch(f *outputFields) *session.OutputPatch {
	if f == nil {
		return nil
	}
	c.locked("session.audio.output.voice", f.Voice)
	p := &session.OutputPatch{Format: c.format("session.audio.output.format", f.Format)}
	if f.Speed != nil {
		v := c.number("session.audio.output.speed", f.Speed, MinSpeed, MaxSpeed)
		p.Speed = &v
	}
	return p
}

// format reads a format's shape; whether it is supported is for the session to say.
func (c *check) format(param string, f *formatFields) *session.Format {
	if f == nil {
		return nil
	}
	return &session.Format{
		Type: c.name(param+".type", f.Type),
		Rate: int(c.whole(param+".rate", f.Rate, 0, MaxRate)),
	}
}

func (c *check) turnDetection(param string, raw json.RawMessage) *session.TurnDetectionPatch {
	if raw == nil {
		return nil
	}
	if bytes.Equal(raw, []byte("null")) {
		return &session.TurnDetectionPatch{Off: true}
	}
	f := decodeFields[struct {
		Type              *string  `json:"type"`
		PatienceMS        *float64 `json:"patience_ms"`
		InterruptResponse *bool    `json:"interrupt_response"`
	}](c, raw, param)
	var kind *string
	if f.Type != nil {
		kind = new(c.oneOf(param+".type", f.Type, session.TurnsPatient, session.TurnsEndpoint))
	}
	return &session.TurnDetectionPatch{
		Type:              kind,
		PatienceMS:        c.patience(param+".patience_ms", f.PatienceMS),
		InterruptResponse: f.InterruptResponse,
	}
}

// patience reads a learner's patience setting; nil when it is absent.
func (c *check) patience(param string, v *float64) *int {
	if v == nil {
		return nil
	}
	ms := int(c.whole(param, v, session.MinPatience.Milliseconds(), session.MaxPatience.Milliseconds()))
	return &ms
}

func (c *check) sessionResume(data []byte) session.Control {
	f := decodeFields[struct {
		SessionID *string  `json:"session_id"`
		LastSeq   *float64 `json:"last_seq"`
		Playback  *struct {
			ResponseID *string  `json:"response_id"`
			PlayedMS   *float64 `json:"played_ms"`
			BufferedMS *float64 `json:"buffered_ms"`
		} `json:"playback"`
		Input *struct {
			Stream  *float64 `json:"stream"`
			Seq     *float64 `json:"seq"`
			NextSeq *float64 `json:"next_seq"`
		} `json:"input"`
	}](c, data)
	c.need("last_seq", f.LastSeq != nil)
	r := session.ResumeSession{
		SessionID: c.name("session_id", f.SessionID),
		LastSeq:   uint64(c.whole("last_seq", f.LastSeq, 0, maxSeq)),
	}
	if p := f.Playback; p != nil {
		r.Playback = &session.PlaybackState{
			ResponseID: c.name("playback.response_id", p.ResponseID),
			PlayedMS:   c.millis("playback.played_ms", p.PlayedMS),
			BufferedMS: c.millis("playback.buffered_ms", p.BufferedMS),
		}
	}
	if in := f.Input; in != nil {
		r.Input = session.InputPos{
			Stream:  uint16(c.whole("input.stream", in.Stream, 0, math.MaxUint16)),
			Seq:     uint32(c.whole("input.seq", in.Seq, 0, math.MaxUint32)),
			NextSeq: uint32(c.whole("input.next_seq", in.NextSeq, 0, math.MaxUint32)),
		}
	}
	return r
}

func (c *check) sessionEnd(data []byte) session.Control {
	f := decodeFields[struct {
		Reason *string `json:"reason"`
	}](c, data)
	return session.EndSession{Reason: c.text("reason", f.Reason, MaxNameBytes)}
}

// authUpdateFields is auth.update.
type authUpdateFields struct {
	AccessToken *string `json:"access_token"`
}

// maxTokenBytes bounds an access token before anybody parses it.
const maxTokenBytes = 4 << 10

func (c *check) authUpdate(data []byte) string {
	f := decodeFields[authUpdateFields](c, data)
	c.need("access_token", f.AccessToken != nil && *f.AccessToken != "")
	return c.text("access_token", f.AccessToken, maxTokenBytes)
}
