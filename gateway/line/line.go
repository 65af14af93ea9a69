package line

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"kalami/session"
)

const (
	defaultWriteTimeout = 5 * time.Second
	defaultOfferEvery   = 30 * time.Second
)

// Line is what one session talks to; see the package documentation. It implements
// [session.Line]: Read has one caller at a time, and WriteEvent and WriteAudio together
// have one; everything else may be called by anybody at any time.
type Line struct {
	// Static after New.
	opts   Options
	log    *slog.Logger
	wake   chan struct{} // tells the reader that link or over has changed; one notice is enough
	ctx    context.Context
	cancel context.CancelFunc // ends offers
	tasks  sync.WaitGroup     // offers, and sockets being closed; added to under mu while the line is open

	// Owned by the reader.
	current *link // the socket that is read; nil for none
	away    bool  // the session knows that there is none

	mu       sync.Mutex   // guards what follows; never held while a socket is written to
	over     *session.End // not nil when the line is closed
	link     *link        // nil while there is no socket
	lost     *session.End // how the last socket ended
	config   session.Config
	scratch  []byte
	started  time.Time // the session's, as the heads of its events have it
	events   replayLog
	frames   frameLog
	mic      micOrder
	response response
	respoken session.ResumedResponse // the one that is spoken again, if there is one
	ack      session.InputPos        // of the microphone, as told last
	offers   offers
	mirror   mirror
	quiet    quiet
}

var _ session.Line = (*Line)(nil)

// New returns a line without a socket: [Line.Open] or [Line.Attach] gives it the first.
// Whoever runs a session on it closes it, as every [session.Conn].
func New(o Options) *Line {
	o.Next = max(1, o.Next)
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = defaultWriteTimeout
	}
	if o.OfferEvery <= 0 {
		o.OfferEvery = defaultOfferEvery
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l := &Line{opts: o, log: o.Log, wake: make(chan struct{}, 1), config: o.Config, started: time.Now(),
		events: newReplayLog(o.Next, o.Replay, o.Changed != nil), mic: micOrder{next: o.Input}, ack: lastAck(o.Replay)}
	l.mirror.next = o.Next
	l.offers.at = l.started
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// Open gives the line of a new session its first socket. [ErrClosed] when it is over.
func (l *Line) Open(sock Socket) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over != nil {
		return ErrClosed
	}
	l.link = newLink(l, sock, l.opts.Next)
	l.link.first = true
	l.poke()
	return nil
}

// Attach gives the line the socket of a client that has come back, and closes the one that
// it has, if any, as superseded. It writes the answer, the events and the frames that the
// client has missed, and blocks meanwhile; what happens now follows. When it returns an
// error, sock is still the caller's: [ErrClosed], [ErrFuture], [ErrHole]. A socket that
// breaks meanwhile is no error: its client comes again.
func (l *Line) Attach(sock Socket, r Return) error {
	l.mu.Lock()
	if err := l.covers(r); err != nil {
		l.mu.Unlock()
		return err
	}
	k, hello, err := l.answer(sock, r)
	if err != nil {
		l.mu.Unlock()
		return err
	}
	if old := l.link; old != nil {
		l.unlink(old, &session.End{Reason: session.EndSuperseded, Code: session.Superseded})
	}
	l.link = k
	l.loud()
	k.mu.Lock() // before anybody else can write to it
	defer k.mu.Unlock()
	last := l.frames.last() // a later one is written by whoever has it
	l.poke()
	l.mu.Unlock()
	sock.Negotiated(l.negotiated())
	k.replay(hello, last)
	return nil
}

// Covers says whether a client that has seen the event lastSeq can be told all that
// followed: nil, or one of the errors of [Line.Attach].
func (l *Line) Covers(lastSeq uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.covers(Return{LastSeq: lastSeq})
}

func (l *Line) covers(r Return) error {
	switch {
	case l.over != nil:
		return ErrClosed
	case r.Restart != nil:
		return nil
	}
	return l.events.covers(r.LastSeq)
}

// Attached says whether there is a socket.
func (l *Line) Attached() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.link != nil
}

// Drop implements [session.Line].
func (l *Line) Drop(e *session.End) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.link != nil {
		l.unlink(l.link, e)
	}
}

// Close implements [session.Conn]: it ends the line, with the close code of e on its
// socket, and waits for all that it has begun.
func (l *Line) Close(e *session.End) {
	if k := l.end(e); k != nil {
		k.sock.Close(e)
	}
	l.tasks.Wait()
}

// Abort implements [session.Conn].
func (l *Line) Abort() {
	if k := l.end(&session.End{Reason: session.EndGone}); k != nil {
		k.sock.Abort()
	}
}

// end marks the line as over and returns the socket that is still to be closed.
func (l *Line) end(e *session.End) *link {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.link
	l.link = nil
	if l.over == nil {
		l.over = e
		l.loud()
		l.cancel()
	}
	if k != nil {
		k.guard.Stop()
	}
	l.frames.drop(func(*frame) bool { return true })
	l.poke()
	return k
}

// unlink takes the socket k from the line, which mu guards, and sees to it that it is
// closed for e: by the reader, if one waits in it, so that the close has it for itself.
func (l *Line) unlink(k *link, e *session.End) {
	l.link, l.lost, k.cause = nil, e, e
	if k.read {
		k.sock.Interrupt()
	} else {
		l.part(k)
	}
	l.poke()
}

// lose is unlink for whoever finds a socket broken; once it is lost it does nothing.
func (l *Line) lose(k *link, e *session.End) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.link == k {
		l.unlink(k, e)
	}
}

// part closes a socket that is the line's no more, in the background; mu is held.
func (l *Line) part(k *link) {
	if l.over != nil { // nobody would wait for it
		k.sock.Abort()
		return
	}
	l.tasks.Go(func() { k.sock.Close(k.cause) })
}

// poke wakes the reader.
func (l *Line) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// negotiated is the configuration that the client knows.
func (l *Line) negotiated() session.Config {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.config
}
