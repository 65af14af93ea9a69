package wire

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// OriginalError says why a message of the original's client cannot be read. The client
// is told [OriginalInvalid], as it always was.
type OriginalError struct {
	// Field is the payload's field at fault; empty for the message as a whole.
	Field string
	Err   error
}

// Error implements error; it quotes nothing that the client sent.
func (e *OriginalError) Error() string {
	if e.Field == "" {
		return "wire: original's message: " + e.Err.Error()
	}
	return "wire: original's message: " + e.Field + " " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *OriginalError) Unwrap() error { return e.Err }

// ErrOriginalAudioSize is in the chain of the error for a recording that is larger than
// [MaxOriginalAudio].
var ErrOriginalAudioSize = errors.New("is a recording that is too large")

// OriginalIsJSON says whether a frame holds a message rather than a chunk of audio. The
// original looked at the first byte and not at the kind of the frame; no audio file
// begins with a brace.
func OriginalIsJSON(data []byte) bool { return len(data) > 0 && data[0] == '{' }

// DecodeOriginal decodes one message {"type": …, "payload": {…}} of at most
// [MaxOriginalBytes]. The result does not alias data. The payload may be missing or null
// where nothing in it is required. A type that is not known is no error, whatever its
// payload; other errors are *[OriginalError].
//
// Recordings are decoded where they stand: at its peak it needs the recording's size
// beside data, and no copy of the base64.
func DecodeOriginal(data []byte) (OriginalControl, error) {
	if !utf8.Valid(data) {
		return nil, &OriginalError{Err: errors.New("is not UTF-8")}
	}
	var m struct {
		Type    string                        `json:"type"`
		Payload originalField[originalFields] `json:"payload"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok { // its text may quote the message
			err = errors.New("is not of the form {type, payload}")
		}
		return nil, &OriginalError{Err: err}
	}
	if m.Type == "" || len(m.Type) > MaxNameBytes {
		return nil, &OriginalError{Field: "type", Err: fmt.Errorf("must have 1 to %d bytes", MaxNameBytes)}
	}
	return m.Payload.value.control(m.Type, m.Payload.wrong)
}

// originalFields are the fields of all payloads. Each is decoded on its own, so that a
// wrong one matters only to messages that have it.
type originalFields struct {
	ProfileID  originalField[string]       `json:"profileId"`
	ProfileID2 originalField[string]       `json:"profile_id"`
	SessionID  originalField[string]       `json:"session_id"`
	SessionID2 originalField[string]       `json:"sessionId"`
	Topic      originalField[string]       `json:"topic"`
	Audio      originalField[base64String] `json:"audio_base64"`
	Format     originalField[string]       `json:"format"`
	Ping       originalField[bool]         `json:"ping"`
}

// control makes the message called name; wrong is what is wrong with the payload itself.
func (p *originalFields) control(name string, wrong error) (OriginalControl, error) {
	c := &originalCheck{wrong: wrong}
	var m OriginalControl
	switch name {
	case originalStartSession:
		m = OriginalStartSession{
			ProfileID:      c.id("profileId", p.ProfileID, p.ProfileID2),
			ConversationID: c.id("session_id", p.SessionID, p.SessionID2),
			Topic:          c.line("topic", p.Topic, maxOriginalTopic),
		}
	case originalAudio:
		m = OriginalAudio{
			Audio:          p.Audio.value,
			Format:         c.line("format", p.Format, MaxNameBytes),
			ConversationID: c.id("session_id", p.SessionID, p.SessionID2),
		}
		c.check("audio_base64", p.Audio.wrong)
	case originalHeartbeat:
		c.check("ping", p.Ping.wrong)
		m = OriginalHeartbeat{Ping: p.Ping.value}
	case originalStartRecording:
		return OriginalStartRecording{}, nil
	case originalStopRecording:
		return OriginalStopRecording{}, nil
	case originalEndSession:
		return OriginalEndSession{}, nil
	case originalPing:
		return OriginalPing{}, nil
	default:
		return OriginalUnknown{Type: name}, nil
	}
	if c.wrong != nil {
		return nil, &OriginalError{Field: c.field, Err: c.wrong}
	}
	return m, nil
}

// originalCheck keeps the first thing that is wrong with a payload.
type originalCheck struct {
	field string
	wrong error
}

func (c *originalCheck) check(field string, wrong error) {
	if c.wrong == nil && wrong != nil {
		c.field, c.wrong = field, wrong
	}
}

// line reads a string of at most limit bytes.
func (c *originalCheck) line(field string, f originalField[string], limit int) string {
	c.check(field, f.wrong)
	if len(f.value) > limit {
		c.check(field, fmt.Errorf("has more than %d bytes", limit))
	}
	return f.value
}

// id reads an identifier, which clients write in either of two ways.
func (c *originalCheck) id(field string, f, other originalField[string]) string {
	return cmp.Or(c.line(field, f, MaxNameBytes), c.line(field, other, MaxNameBytes))
}

// originalField is a value that was decoded, or what is wrong with it.
type originalField[T any] struct {
	value T
	wrong error
}

// UnmarshalJSON implements [json.Unmarshaler]; null is absent, and it never fails.
func (f *originalField[T]) UnmarshalJSON(data []byte) error {
	f.wrong = json.Unmarshal(data, &f.value)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](f.wrong); ok {
		f.wrong = errors.New("is of the wrong type")
	}
	return nil
}

// base64String is a file in standard base64, with or without padding and line ends, and
// with or without the "data:…;base64," that a browser's FileReader puts in front.
type base64String []byte

// UnmarshalJSON implements [json.Unmarshaler].
func (b *base64String) UnmarshalJSON(data []byte) error {
	if len(data) < 2 || data[0] != '"' {
		if string(data) == "null" {
			return nil
		}
		return errors.New("is not a string")
	}
	text := data[1 : len(data)-1]
	if bytes.IndexByte(text, '\\') >= 0 { // some encoders write "\/"
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		text = []byte(s)
	}
	if i := bytes.IndexByte(text[:min(len(text), MaxNameBytes)], ','); i >= 0 {
		if !bytes.HasPrefix(text, []byte("data:")) || !bytes.HasSuffix(text[:i], []byte(";base64")) {
			return errors.New("is not base64")
		}
		text = text[i+1:]
	}
	text = bytes.TrimRight(text, "=\r\n")
	if base64.RawStdEncoding.DecodedLen(len(text)) > MaxOriginalAudio {
		return ErrOriginalAudioSize
	}
	audio := make([]byte, base64.RawStdEncoding.DecodedLen(len(text)))
	n, err := base64.RawStdEncoding.Decode(audio, text)
	if err != nil {
		return errors.New("is not base64") // the error has the place of the wrong byte, which nobody needs
	}
	*b = audio[:n]
	return nil
}
