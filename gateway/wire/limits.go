package wire

import "kalami/session/learn"

// Names of the handshake.
const (
	// Subprotocol is the WebSocket subprotocol that a client must offer and that
	// the server always selects.
	Subprotocol = "kalami.v1"
	// TokenPrefix begins the second subprotocol value, which carries the
	// credential of clients that cannot set a header.
	TokenPrefix = "kalami.token."
	// Version is the protocol version told in session.created.
	Version = "1.0"
)

// Limits of the dialect. What exceeds them is refused, never cut.
const (
	// MaxTextBytes bounds one JSON event in either direction.
	MaxTextBytes = 64 << 10
	// MaxAudioBytes bounds the payload of one mic frame: a second of PCM16 at 16 kHz.
	MaxAudioBytes = 32_000
	// MaxTutorAudioBytes bounds the payload of one frame of the tutor's audio.
	MaxTutorAudioBytes = 64 << 10
	// MaxDepth is how deep a client's JSON may nest; the event itself is level 1.
	MaxDepth = 8
	// MaxTypedChars bounds what a learner may type at once, in characters.
	MaxTypedChars = 4_000
	// MaxTranslatedChars bounds what is translated at once, in characters.
	MaxTranslatedChars = learn.TranslatedMost
	// MaxNameBytes bounds identifiers, marks, reasons and event names.
	MaxNameBytes = 128
	// MaxItemIDBytes bounds the id that a client gives to an item.
	MaxItemIDBytes = 64
	// MaxMS is the largest duration or position, in milliseconds (11 days).
	MaxMS = 1_000_000_000
	// MaxRate is the highest sampling rate that may be asked for, in hertz.
	MaxRate = 384_000
	// MinSpeed and MaxSpeed bound the tutor's pace; 1 is normal.
	MinSpeed, MaxSpeed = 0.5, 1.5
	// maxSeq is the largest whole number that JavaScript can hold.
	maxSeq = 1<<53 - 1
)
