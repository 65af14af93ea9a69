// Package providers states what Kalami asks of the outside services that hear,
// think and speak, and nothing about who they are.
//
// Three contracts, each with several implementations:
//
//   - [Recognizer] turns a learner's live audio into words (speech to text).
//   - [Tutor] turns a conversation into the tutor's next words (a language model).
//   - [Voice] turns those words into audio as they arrive (text to speech).
//
// A vendor package (deepgram, elevenlabs, anthropic, openai) imports this package
// and no other of Kalami's. Nobody above a vendor package sees a vendor's status
// code, message name or spelling: failures arrive as [Error] with a [Kind], and
// turn events are those of Deepgram's Flux (start, update, eager end, resumed,
// end), the richest vocabulary there is; poorer vendors are adapted to it.
//
// Rules that every implementation keeps, and that package providertest checks:
//
//   - Every call that may wait takes a context and returns within 50 ms of its end.
//   - Nothing reconnects by itself. A stream that breaks says so; whoever opened
//     it decides, because time stamps restart and a turn may be half heard.
//   - No goroutine outlives Close.
//   - A stream that ends without its vendor's terminal message is an error
//     ([Unavailable]), never a short success.
package providers

// Word is one recognised word.
type Word struct {
	// Text is the word as it should be shown, with punctuation where the vendor gives it.
	Text string
	// StartMS and EndMS count milliseconds of audio since the first sample sent on the stream.
	StartMS, EndMS int
	// Confidence is the vendor's own figure in 0..1; 0 when it gives none.
	Confidence float64
	// Language is a BCP-47 primary subtag, empty when the vendor does not say.
	Language string
}

// Usage counts what a call consumed, for quotas and for honesty about cost.
type Usage struct {
	InputTokens, OutputTokens int
	// CachedInputTokens is the part of InputTokens that the vendor read from its prompt cache.
	CachedInputTokens int
	// Characters is what was sent to be spoken.
	Characters int
}
