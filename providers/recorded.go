package providers

import (
	"context"
	"io"
	"time"
)

// AudioFormat is the container of a recording or clip, by the extension that people
// and vendors use for it.
type AudioFormat string

// The formats that learners' clients record in, and that vendors make clips in.
const (
	WAV  AudioFormat = "wav"
	MP3  AudioFormat = "mp3"
	WebM AudioFormat = "webm" // Opus in Matroska, what browsers record
	M4A  AudioFormat = "m4a"  // AAC in MP4, what phones record
	Ogg  AudioFormat = "ogg"  // Opus or Vorbis
)

// MaxRecording is the largest recording that every vendor takes, in bytes.
const MaxRecording = 25 << 20

// Recording is one whole utterance, recorded before it is sent.
type Recording struct {
	// Audio is the file as it was recorded; it is not changed and not kept.
	Audio  []byte
	Format AudioFormat
	// Language is the BCP-47 tag that is known beforehand; empty has it detected.
	Language string
	// Verbatim asks for what was said as it was said, without formatting and with sounds of
	// hesitation, as far as the vendor can; for measuring, not for reading.
	Verbatim bool
}

// Transcript is what was heard in a recording.
type Transcript struct {
	// Text is empty when nothing was said.
	Text string
	// Language is a BCP-47 primary subtag: detected, else given, else empty.
	Language string
	// Confidence in 0..1; 0 when the vendor gives none.
	Confidence float64
	// Duration of the whole recording; 0 when the vendor does not tell.
	Duration time.Duration
	// Words with their times, where the vendor gives them.
	Words []Word
	// Model and RequestID name the model that heard it and the call.
	Model, RequestID string
	// Vendor heard it; may be empty when that is whom one asked.
	Vendor string
	// Fillers says that sounds of hesitation are among the words.
	Fillers bool
}

// A Transcriber turns recordings into text. Safe for concurrent use.
type Transcriber interface {
	// Name is the vendor's name for logs and metrics, such as "deepgram".
	Name() string
	// Transcribe blocks until the vendor has answered, its own timeout has passed, or
	// ctx ended, whose cause it then returns; other errors are *Error. A recording
	// that is empty, too large or not readable is [Invalid].
	Transcribe(ctx context.Context, r Recording) (Transcript, error)
}

// Style is a manner of speaking.
type Style string

// The styles that the original's API knows. Slow lowers the pace as well.
const (
	Neutral     Style = "neutral"
	Friendly    Style = "friendly"
	Encouraging Style = "encouraging"
	Slow        Style = "slow"
)

// Script is a text to be spoken as one clip.
type Script struct {
	Text string
	// Language is the BCP-47 tag of the text; empty lets the vendor guess.
	Language string
	// VoiceID is the vendor's name of the voice; empty means the implementation's
	// default for Language.
	VoiceID string
	// Style is empty for neutral.
	Style Style
	// Speed is the pace, 1.0 normal, 0 the same; implementations clamp it to what
	// their vendor allows. It changes the pace and nothing else.
	Speed float64
}

// A Synthesizer makes whole clips in MP3. Safe for concurrent use.
type Synthesizer interface {
	// Name is the vendor's name for logs and metrics, such as "elevenlabs".
	Name() string
	// Synthesize asks for a clip. It returns when the first bytes are there, so that
	// a failure before them can still be answered by another vendor; the rest comes
	// through the clip's reader as the vendor makes it. ctx bounds the whole of it.
	// Errors, of Synthesize and of Read: *Error, or the context's cause.
	Synthesize(ctx context.Context, s Script) (Clip, error)
	// Signature names everything that shapes the sound of s here: vendor, model, the
	// voice that is really used, style, speed and format, but not the text. Two
	// scripts of one text and one signature sound alike; a cache may use it as key.
	Signature(s Script) string
	// Voices lists the voices on offer. It may ask the vendor.
	Voices(ctx context.Context) ([]VoiceInfo, error)
}

// Clip is speech that is arriving. Whoever got it closes it; closing early ends the
// vendor's call.
type Clip struct {
	io.ReadCloser
	// Vendor made it.
	Vendor string
}

// VoiceInfo is one voice on offer.
type VoiceInfo struct {
	ID, Name string
	// Language is a BCP-47 primary subtag, Gender male, female or neutral; each is
	// empty when the vendor does not say.
	Language, Gender string
	// Labels are the vendor's own notes; never nil.
	Labels map[string]string
	// Vendor offers it.
	Vendor string
}
