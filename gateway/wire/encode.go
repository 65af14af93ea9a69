package wire

import (
	"encoding/json"
	"fmt"
	"strconv"

	"kalami/session"
)

// AppendEvent appends ev as one JSON object to dst: type, seq, event_id and ts
// from the head, then the event's own fields. The result has no newline.
//
// An event that would be longer than [MaxTextBytes] is an error, except that a
// final transcript first loses its word times, which a client can do without.
// On an error dst is returned as it was.
func AppendEvent(dst []byte, h session.Head, ev session.Event) ([]byte, error) {
	out, err := appendEvent(dst, h, ev)
	if err == nil && len(out)-len(dst) > MaxTextBytes {
		t, ok := ev.(session.TranscriptCompleted)
		if !ok || len(t.Words) == 0 {
			return dst, fmt.Errorf("wire: %s has %d bytes, at most %d are allowed",
				ev.EventType(), len(out)-len(dst), MaxTextBytes)
		}
		t.Words = nil
		return AppendEvent(dst, h, t)
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

func appendEvent(dst []byte, h session.Head, ev session.Event) ([]byte, error) {
	out := append(dst, `{"type":`...)
	out = appendString(out, ev.EventType())
	out = append(out, `,"seq":`...)
	out = strconv.AppendUint(out, h.Seq, 10)
	out = append(out, `,"event_id":`...)
	out = appendString(out, h.EventID)
	out = append(out, `,"ts":`...)
	out = strconv.AppendInt(out, h.TS, 10)
	return appendFields(out, ev)
}

// appendFields completes the object begun in dst with the fields of v, which
// must encode as an object.
func appendFields(dst []byte, v any) ([]byte, error) {
	w := appender{dst}
	enc := json.NewEncoder(&w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return dst, fmt.Errorf("wire: encode %T: %w", v, err)
	}
	start, end := len(dst), len(w.b)-1 // Encode ends with a newline
	if w.b[start] != '{' {
		return dst, fmt.Errorf("wire: encode %T: not an object", v)
	}
	if end-start == len("{}") {
		return append(w.b[:start], '}'), nil
	}
	w.b[start] = ','
	return w.b[:end], nil
}

// appender is an io.Writer that appends to a slice.
type appender struct{ b []byte }

// Write implements io.Writer; it never fails.
func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

// appendString appends s as a JSON string. Identifiers, which need no escaping,
// take the short way.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always encodes
			return append(dst, quoted...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
