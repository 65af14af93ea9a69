package learn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// The bounds of what a client may say of a review.
const (
	ReviewIDMost       = 64        // bytes
	ReviewDurationMost = time.Hour // of one review
	ReviewEvidenceMost = 2 << 10   // bytes
)

// Valid says whether m is one of the modes.
func (m ReviewMode) Valid() bool {
	switch m {
	case ReviewSelf, ReviewTyped, ReviewSpoken, ReviewInConversation:
		return true
	}
	return false
}

// Check says what is wrong with what a client says of a review; none for one that may be kept.
func (r Review) Check() []FieldError {
	var f []FieldError
	add := func(field, format string, args ...any) {
		f = append(f, FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if r.ID == "" || len(r.ID) > ReviewIDMost {
		add("id", "must have 1 to %d letters", ReviewIDMost)
	}
	if r.CardID == "" {
		add("card_id", "is required")
	}
	if !r.Rating.Valid() {
		add("rating", "must be 1, 2, 3 or 4")
	}
	if !r.Mode.Valid() {
		add("mode", "must be one of self, typed, spoken, in_conversation")
	}
	if r.Duration < 0 || r.Duration > ReviewDurationMost {
		add("duration_ms", "must be between 0 and %d", ReviewDurationMost.Milliseconds())
	}
	if len(r.DeviceID) > ReviewIDMost {
		add("device_id", "must have at most %d letters", ReviewIDMost)
	}
	var object map[string]json.RawMessage
	switch {
	case len(r.Evidence) == 0:
	case len(r.Evidence) > ReviewEvidenceMost:
		add("evidence", "must have at most %d bytes", ReviewEvidenceMost)
	case json.Unmarshal(r.Evidence, &object) != nil || object == nil:
		add("evidence", "must be an object")
	case bytes.Contains(r.Evidence, []byte(`\u0000`)): // no database keeps it
		add("evidence", "must not contain control characters")
	}
	return f
}
