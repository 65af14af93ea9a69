package providers

import "context"

// SpeakOptions describe how a learner's tutor sounds. They cannot change while a
// [VoiceStream] is open.
type SpeakOptions struct {
	// Language is the BCP-47 tag of the text.
	Language string
	// VoiceID is the vendor's name of the voice; empty means the implementation's
	// default for Language.
	VoiceID string
	// SampleRate in hertz of the PCM16 mono that is wanted: 16000 or 24000.
	SampleRate int
	// Speed is the pace, 1.0 normal; implementations clamp it to what their vendor allows.
	Speed float64
}

// A Voice opens speaking streams. Safe for concurrent use.
type Voice interface {
	// Name is the vendor's name for logs and metrics, such as "elevenlabs".
	Name() string
	// Open readies a stream for one learner (a warm socket where the vendor has
	// one). It blocks until the vendor accepted, refused (*Error), or ctx ended.
	// ctx bounds the opening alone.
	Open(ctx context.Context, opt SpeakOptions) (VoiceStream, error)
}

// A VoiceStream is a learner's line to a voice, warm across replies.
type VoiceStream interface {
	// Say begins one reply. At most one utterance is in use at a time; the one
	// before may still be closing at the vendor.
	Say(ctx context.Context) (Utterance, error)
	// Alive says whether the next Say can be expected to work without opening
	// the stream again (the vendor has not closed it). It never blocks.
	Alive() bool
	// Close frees the stream at once, with any utterance, and waits for its goroutines.
	Close() error
}

// An Utterance is one reply being spoken. One goroutine writes text while
// another takes audio.
type Utterance interface {
	// Write adds text, a clause that ends in white space or punctuation. flush
	// asks for its audio now rather than when the vendor has gathered enough.
	// It blocks while the vendor does not take more.
	Write(ctx context.Context, text string, flush bool) error
	// End says that no text follows. Audio goes on until Next returns io.EOF.
	End(ctx context.Context) error
	// Next returns the next audio in order. It blocks until there is some, the
	// utterance is complete (io.EOF), the vendor failed (*Error), or ctx ended.
	Next(ctx context.Context) (Chunk, error)
	// Cancel stops speaking at once and discards what is left; Next then returns
	// [ErrCancelled]. It does not wait for the vendor. Safe to call twice and after the end.
	Cancel()
}

// Chunk is a piece of speech.
type Chunk struct {
	// PCM is 16-bit little-endian mono at the stream's rate; the receiver owns it.
	PCM []byte
	// Marks say where in the utterance characters are spoken, for the characters
	// that this chunk adds; empty when the vendor gives no alignment.
	Marks []CharMark
	// Spoken is how many bytes of what was written have been spoken whole with this
	// chunk, from a vendor that gives no alignment: it then ends a flushed piece, and
	// may carry no PCM. 0 says nothing.
	Spoken int
	// Vendor is who spoke it, where a choice of vendors stands between, and Fallback says
	// that it is not the preferred one; else empty.
	Vendor   string
	Fallback bool
}

// CharMark places one character of the written text in the utterance's audio.
type CharMark struct {
	// Char is the character as the vendor spoke it (its text may be normalised).
	Char string
	// StartMS and EndMS count from the utterance's first sample.
	StartMS, EndMS int
}
