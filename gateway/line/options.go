package line

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"kalami/session"
	"kalami/session/learn"
)

// Socket is one WebSocket of the native protocol. Read has one caller at a time, and so
// have the writes; the others may be called by anybody at any time.
type Socket interface {
	// Read is that of [session.Conn].
	Read(in *session.Input) error
	// WriteText sends one event, which is encoded.
	WriteText(data []byte) error
	// WriteAudio sends one frame of the tutor's audio.
	WriteAudio(f session.Frame) error
	// Negotiated tells which formats hold from here on. Called before the event that
	// tells the client, and for a socket that takes over before anything is read from it.
	Negotiated(c session.Config)
	// Interrupt makes a Read that waits, and every later one, return an *[session.End],
	// and leaves the socket fit to be closed with a code. It does not block.
	Interrupt()
	// Close and Abort are those of [session.Conn].
	Close(e *session.End)
	Abort()
}

// Options are what a line starts from.
type Options struct {
	SessionID      string
	ConversationID string
	Epoch          int64
	// Next is the number of the first event that is written on this line; 0 means 1.
	Next uint64
	// Replay are the events before Next, in order and without a hole up to it, as another
	// node has left them; their bytes are not changed. Nil for a new session.
	Replay []learn.LiveEvent
	// Input is the first frame of the microphone that is new here. The zero value: all are.
	Input learn.InputMark
	// Config is the session's, when it has been told to a client before.
	Config session.Config
	// Offer makes a further resume token and stores it; the client is known to have the
	// one before. It is called in a goroutine of its own, one at a time, about every
	// OfferEvery while there is a socket; its context ends with the line, and after ten
	// seconds. What it returns is told to the client as session.resumption_update. An
	// error is logged, and it is asked again after OfferEvery. Nil: tokens are not renewed.
	Offer func(ctx context.Context) (session.Resume, error)
	// Extend lets the tokens that there are be good for a further while. It is called in
	// the place of Offer while the client is not known to have the newest: one that never
	// acknowledges anything keeps what it has. Nil: their time ends.
	Extend func(ctx context.Context) error
	// OfferEvery is how often tokens are renewed; 0 means 30 s.
	OfferEvery time.Duration
	// Changed is told that [Line.Changes] has something new. It is called once between
	// two calls of Changes, from within the session's writes, and must not block or call
	// the line. Nil: nothing is kept for a mirror.
	Changed func(*Line)
	// WriteTimeout is how long one write may be blocked; 0 means 5 s.
	WriteTimeout time.Duration
	// Log may be nil.
	Log *slog.Logger
}

// Return is a client that has come back and may: its token is good.
type Return struct {
	// LastSeq is the last event that the client has seen.
	LastSeq uint64
	// Playback is what it has played and buffered; nil for nothing.
	Playback *session.PlaybackState
	// Resume is the token that takes the place of the one it came with.
	Resume session.Resume
	// Cold: the session starts anew from what was handed over. Response is then how the
	// response under way goes on, or nil; otherwise the line knows it.
	Cold     bool
	Response *session.ResumedResponse
	// Restart is said in the place of session.resumed when what the client has missed
	// cannot be proven; LastSeq is then not looked at, and nothing is replayed. Its Resume
	// and Input are filled in by the line, and so is its Session when that has no ID.
	Restart *session.Restarted
}

// The errors of [Line.Attach]. The line and its socket, if it has one, are as they were.
var (
	// ErrClosed: the line is over.
	ErrClosed = errors.New("line: closed")
	// ErrFuture: the client says that it has seen events which were never written.
	ErrFuture = errors.New("line: last_seq is from the future")
	// ErrHole: events after the last one that the client has seen are not kept any more.
	ErrHole = errors.New("line: events are missing")
)
