package wire

import (
	"encoding/json"
	"fmt"
)

// AppendOriginal appends ev to dst as one message {"type": …, "payload": {…}}, which is
// to be sent as a text frame: the app reads every frame as JSON. The result has no
// newline. A clip of more than [MaxOriginalClip] bytes is an error; on an error dst is
// returned as it was.
func AppendOriginal(dst []byte, ev OriginalEvent) ([]byte, error) {
	if a, ok := ev.(OriginalAnswerAudio); ok && len(a.Audio) > MaxOriginalClip {
		return dst, fmt.Errorf("wire: a clip of %d bytes, at most %d are allowed", len(a.Audio), MaxOriginalClip)
	}
	if r, ok := ev.(OriginalResponse); ok && r.Corrections == nil {
		r.Corrections = []OriginalCorrection{}
		ev = r
	}
	w := appender{appendString(append(dst, `{"type":`...), ev.OriginalType())}
	w.b = append(w.b, `,"payload":`...)
	enc := json.NewEncoder(&w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(ev); err != nil {
		return dst, fmt.Errorf("wire: encode %T: %w", ev, err)
	}
	return append(w.b[:len(w.b)-1], '}'), nil // Encode ends with a newline
}
