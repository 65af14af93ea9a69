package providers

import "context"

// Encoding names how samples are packed on a recognition stream.
type Encoding string

// PCM16 is little-endian signed 16-bit mono, what every vendor takes.
const PCM16 Encoding = "linear16"

// ListenOptions describe one recognition stream. They cannot change while it is open.
type ListenOptions struct {
	// Language is the BCP-47 tag of what the learner is learning, such as "es".
	Language string
	// Hints are languages that may be mixed in (the learner's own); non-empty asks
	// for code-switching recognition where the vendor has it.
	Hints []string
	// SampleRate in hertz of the audio that Send will carry.
	SampleRate int
	// Encoding of that audio; empty means [PCM16].
	Encoding Encoding
	// Keyterms are words to expect (names, due vocabulary); never set while assessing pronunciation.
	Keyterms []string
}

// A Recognizer opens live recognition streams. Safe for concurrent use.
type Recognizer interface {
	// Name is the vendor's name for logs and metrics, such as "deepgram".
	Name() string
	// Listen opens one stream. It blocks until the vendor has accepted it, the
	// vendor has refused it (*Error with the vendor's request id), or ctx ends.
	// ctx bounds the opening alone, not the stream's life: whoever opened the
	// stream ends it by Drain or Close.
	Listen(ctx context.Context, opt ListenOptions) (RecognitionStream, error)
}

// A RecognitionStream carries one learner's audio to a vendor and words back.
//
// Send, Flush, Finalize, KeepAlive and Drain are called from one goroutine at a time;
// Close may be called from any, at any time, more than once.
type RecognitionStream interface {
	// Send passes audio on. It blocks at most as long as ctx and the write
	// deadline of the client allow. Empty audio is ignored (vendors read it as
	// the end). The implementation may join short frames; audio is kept no
	// longer than Send's return. After a Send that ctx ended, every later one fails:
	// audio is missing, and nothing may be heard as if it had followed.
	Send(ctx context.Context, audio []byte) error
	// Flush passes on frames that Send has kept to join them. It is for the moment in
	// which the learner falls silent: until the vendor has the last of the speech it
	// cannot tell that it has ended. Vendors whose frames are not joined do nothing.
	Flush(ctx context.Context) error
	// Finalize asks for what has been heard so far to be made final now, and
	// flushes joined frames. It does not wait for the answer. Vendors without
	// such a message just flush.
	Finalize(ctx context.Context) error
	// KeepAlive tells the vendor that silence is meant. To be called every 3-5 s
	// while no audio is sent.
	KeepAlive(ctx context.Context) error
	// Events delivers what was heard, in order. The channel is bounded; when it
	// is full the reader waits, which slows the vendor. It is closed when the
	// stream has ended, after the last event; Err then tells why.
	Events() <-chan Heard
	// Err is nil while the stream lives and after an orderly Drain or Close;
	// otherwise an *Error. Valid once Events is closed.
	Err() error
	// Drain says that no audio follows and waits until the vendor has delivered
	// everything (which the consumer of Events must go on receiving) or ctx
	// ends; then it closes.
	Drain(ctx context.Context) error
	// Close frees the stream at once and waits for its goroutines. Undelivered events are lost.
	Close() error
}

// A Survivor is a stream that outlives the vendors behind it: it keeps what is said and
// not yet understood, and says it again to the next one.
type Survivor interface {
	RecognitionStream
	// Renew gives up the vendor that listens now, whose fault is why: one that says
	// nothing though somebody speaks. It does not wait and may be called from any
	// goroutine; without a vendor it does nothing.
	Renew(why error)
	// Absent delivers an error when nobody has been listening for so long that the
	// speaker should know, and nil when somebody listens again. Between the two nothing
	// is lost yet. It holds the newest of them and is never closed.
	Absent() <-chan error
}

// HeardKind says what a [Heard] event means.
type HeardKind uint8

// The five turn events. A vendor's "end" is where it noticed a pause, not the end
// of the learner's turn: that is decided by the turn clock in package session.
const (
	// HeardStart: speech began. Text may be empty.
	HeardStart HeardKind = iota + 1
	// HeardUpdate: Text is the whole current hypothesis of the segment and replaces the former one.
	HeardUpdate
	// HeardEagerEnd: the vendor thinks that the segment may be over; Text is not empty.
	HeardEagerEnd
	// HeardResumed: the segment goes on after all; only after HeardEagerEnd.
	HeardResumed
	// HeardEnd: the segment is over and Text is final, possibly empty (noise).
	HeardEnd
)

// String returns the event's name in lower case.
func (k HeardKind) String() string {
	switch k {
	case HeardStart:
		return "start"
	case HeardUpdate:
		return "update"
	case HeardEagerEnd:
		return "eager_end"
	case HeardResumed:
		return "resumed"
	case HeardEnd:
		return "end"
	}
	return "unknown"
}

// Heard is one event of a recognition stream.
type Heard struct {
	Kind HeardKind
	// Segment numbers the stretches between vendor ends on this stream, from 0.
	Segment int
	// Text is the whole segment as understood now (see the kinds).
	Text string
	// Words are Text's words with their times, where the vendor gives them.
	Words []Word
	// Final is how many of Words, from the first, will not change any more though the
	// segment goes on: audio up to there need not be kept. 0 from vendors that do not
	// tell; of an end all words are final, whatever it says.
	Final int
	// StartMS and EndMS are the segment's place in the stream's audio. EndMS is
	// the end of the last word when words have times, else of the audio looked at.
	StartMS, EndMS int
	// Confidence of the segment in 0..1; 0 when the vendor gives none.
	Confidence float64
	// Language that the vendor detected, empty when it does not say.
	Language string
}
