package recording

import (
	"errors"
	"fmt"

	"kalami/providers"
)

// What can be wrong with a recording. Their texts, and that of [*Error], are sentences
// for people once the package's name is cut off; [Sentence] does that.
var (
	// ErrEmpty: there is not one byte.
	ErrEmpty = errors.New("recording: the recording is empty")
	// ErrUnknown: it is in none of the formats that we take.
	ErrUnknown = errors.New("recording: the recording is not WAV, MP3, WebM, M4A or Ogg audio")
	// ErrBroken: its format is known, but no audio can be read from it. What is
	// returned is an [*Error] that says why.
	ErrBroken = errors.New("recording: the recording cannot be read")
)

// Error is a recording in a known format that cannot be used.
type Error struct {
	// Format is the container that it begins as.
	Format providers.AudioFormat
	// Reason continues "the … recording", such as "has no audio track". It never
	// holds text out of the recording but a codec's name.
	Reason string
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("recording: the %s recording %s", title(e.Format), e.Reason)
}

// Is makes it ErrBroken.
func (e *Error) Is(target error) bool { return target == ErrBroken }

// Sentence is what to tell people about an error of this package: one sentence
// without capital letter and full stop. "" for any other error.
func Sentence(err error) string {
	const prefix = "recording: "
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Error()[len(prefix):]
	}
	for _, known := range []error{ErrEmpty, ErrUnknown, ErrBroken} {
		if errors.Is(err, known) {
			return known.Error()[len(prefix):]
		}
	}
	return ""
}

// broken makes an [*Error].
func broken(f providers.AudioFormat, reason string, a ...any) error {
	return &Error{Format: f, Reason: fmt.Sprintf(reason, a...)}
}

// title is the format's name as people write it.
func title(f providers.AudioFormat) string {
	switch f {
	case providers.WAV:
		return "WAV"
	case providers.MP3:
		return "MP3"
	case providers.WebM:
		return "WebM"
	case providers.M4A:
		return "M4A"
	case providers.Ogg:
		return "Ogg"
	}
	return string(f)
}
