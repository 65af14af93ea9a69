package providers

import (
	"context"
	"time"
)

// Reading is a text that was read aloud.
type Reading struct {
	// Recording is what was recorded. Its Language is the language of the text, with a region
	// where the learner has one in mind.
	Recording
	// Duration of the recording; 0 when it is not known.
	Duration time.Duration
	// Text is what was to be read.
	Text string
}

// Judgement is how a text was read, by its sounds. Scores are 0 to 100; nil where the
// vendor gives none.
type Judgement struct {
	Overall, Accuracy, Completeness, Fluency, Prosody *float64
	// Words in the order of the text, with those that were added where they were heard.
	Words []JudgedWord
	// Model and RequestID name what judged and the call; either may be empty.
	Model, RequestID string
}

// JudgedWord is one word of a reading.
type JudgedWord struct {
	Text string
	// Accuracy is nil for a word that was left out.
	Accuracy *float64
	// Omitted, Added and Mispronounced are what the vendor says of it; at most one is true.
	Omitted, Added, Mispronounced bool
	Phonemes                      []JudgedPhoneme
}

// JudgedPhoneme is one sound of a word.
type JudgedPhoneme struct {
	// Symbol names the sound in Alphabet: "ipa", "sapi", "arpabet", or "vendor" for one that
	// has no name of its own.
	Symbol, Alphabet string
	Accuracy         *float64
	// HeardAs is the sound that it was most like, in the same alphabet; empty when the
	// vendor does not say.
	HeardAs string
}

// An Assessor judges pronunciation by the sounds. It gets a learner's voice and what was to
// be read, so whoever calls it has made sure that the learner agrees. Safe for concurrent
// use.
type Assessor interface {
	// Name is the vendor's name, such as "azure".
	Name() string
	// Judges says whether it can judge such a reading: its language, format and length. It
	// makes no request.
	Judges(r Reading) bool
	// Assess blocks until the vendor has answered, its own timeout has passed, or ctx ended,
	// whose cause it then returns; other errors are *Error. A recording in which nothing is
	// heard is [Invalid], as is a reading that it does not judge.
	Assess(ctx context.Context, r Reading) (Judgement, error)
}
