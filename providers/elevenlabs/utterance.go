package elevenlabs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"kalami/providers"
)

// utterance is one context.
type utterance struct {
	// Static.
	stream  *stream
	context string
	chunks  chan providers.Chunk // reader to Next, never closed; full: the reader waits
	gone    chan struct{}        // closed by Cancel
	over    chan struct{}        // closed when no more audio comes; err is set before
	quiet   *time.Timer          // after End: the vendor has been silent for long

	// Owned by whoever writes text.
	wrote   bool // something that can be spoken
	unsent  bool // text since the last flush
	written int  // letters

	// Owned by the stream's writer.
	opened, shut bool

	// Owned by the reader.
	clock clock

	letters    atomic.Int64 // all of written, once ended
	spoken     atomic.Int64 // letters that the alignment has shown
	ended      atomic.Bool
	audio      atomic.Bool // some has arrived
	handingOut atomic.Bool // the reader waits for Next
	askedClose atomic.Bool

	goneOnce, overOnce sync.Once
	err                error // nil for the orderly end
}

func newUtterance(s *stream, name string) *utterance {
	u := &utterance{
		stream: s, context: name, clock: clock{rate: s.manner.rate},
		chunks: make(chan providers.Chunk, chunkQueue), gone: make(chan struct{}), over: make(chan struct{}),
	}
	u.quiet = time.AfterFunc(time.Hour, u.hush)
	u.quiet.Stop()
	return u
}

// Write implements providers.Utterance.
func (u *utterance) Write(ctx context.Context, text string, flush bool) error {
	if u.ended.Load() {
		return invalid("speak", "text after the end")
	}
	text, letters := prepare(text)
	if letters == 0 && !u.wrote {
		text = "" // nothing that could be spoken, and nothing to close
	}
	if text == "" && (!flush || !u.unsent) {
		return u.state(ctx)
	}
	if err := u.enqueue(ctx, outgoing{u, text, flush}); err != nil {
		return err
	}
	u.written += letters
	u.wrote = true
	u.unsent = !flush
	return nil
}

// prepare makes text end in a space, as the vendor wants it, and counts its
// letters and digits. Mere white space becomes nothing.
func prepare(text string) (string, int) {
	letters := 0
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			letters++
		}
	}
	if strings.TrimSpace(text) == "" {
		return "", 0
	}
	if !strings.HasSuffix(text, " ") {
		text += " "
	}
	return text, letters
}

// End implements providers.Utterance.
func (u *utterance) End(ctx context.Context) error {
	if u.ended.Load() {
		return u.state(ctx)
	}
	if !u.wrote {
		u.ended.Store(true)
		u.complete(nil) // the vendor never hears of it
		u.stream.release(u)
		return u.state(ctx)
	}
	if u.unsent {
		if err := u.enqueue(ctx, outgoing{u: u, flush: true}); err != nil {
			return err
		}
	}
	u.letters.Store(int64(u.written))
	u.ended.Store(true)
	u.quiet.Reset(u.stream.client.opt.FinalWait)
	u.closeWhenSpoken()
	return nil
}

// enqueue hands text to the stream's writer.
func (u *utterance) enqueue(ctx context.Context, m outgoing) error {
	if err := u.state(ctx); err != nil {
		return err
	}
	select {
	case u.stream.outbox <- m:
		return nil
	case <-u.gone:
		return providers.ErrCancelled
	case <-u.stream.done:
		return u.stream.reason()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// state is why nothing can be written any more, or nil.
func (u *utterance) state(ctx context.Context) error {
	switch {
	case u.cancelled():
		return providers.ErrCancelled
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	select {
	case <-u.stream.done:
		return u.stream.reason()
	default:
		return nil
	}
}

// Next implements providers.Utterance. What arrived before a failure is returned
// before it.
func (u *utterance) Next(ctx context.Context) (providers.Chunk, error) {
	if u.cancelled() {
		return providers.Chunk{}, providers.ErrCancelled
	}
	select {
	case c := <-u.chunks:
		return c, nil
	default:
	}
	select {
	case c := <-u.chunks:
		return c, nil
	case <-u.gone:
		return providers.Chunk{}, providers.ErrCancelled
	case <-ctx.Done():
		return providers.Chunk{}, context.Cause(ctx)
	case <-u.over:
	case <-u.stream.done:
	}
	select { // more may have been handed out meanwhile
	case c := <-u.chunks:
		return c, nil
	default:
		return providers.Chunk{}, u.outcome()
	}
}

// outcome is what Next returns once there is no more audio.
func (u *utterance) outcome() error {
	select {
	case <-u.over:
		if u.err != nil {
			return u.err
		}
		return io.EOF
	default:
		return u.stream.reason()
	}
}

// isOver says whether the utterance's end has been decided.
func (u *utterance) isOver() bool {
	select {
	case <-u.over:
		return true
	default:
		return false
	}
}

// Cancel implements providers.Utterance.
func (u *utterance) Cancel() {
	u.stop()
	u.askClose()
}

// stop ends Next and Write, and lets the reader drop what is left.
func (u *utterance) stop() { u.goneOnce.Do(func() { close(u.gone) }) }

func (u *utterance) cancelled() bool {
	select {
	case <-u.gone:
		return true
	default:
		return false
	}
}

// askClose has the context closed at the vendor, once.
func (u *utterance) askClose() {
	if u.askedClose.CompareAndSwap(false, true) && u.stream.isOpen(u) {
		u.stream.closeContext(u)
	}
}

// closeWhenSpoken closes the context once everything that was written has been
// spoken: until then the vendor might take closing for a cancellation.
func (u *utterance) closeWhenSpoken() {
	if u.ended.Load() && u.audio.Load() && u.spoken.Load() >= u.letters.Load() {
		u.askClose()
	}
}

// hush is called when the vendor has been silent for long after End: first the
// context is closed, then the final message is given up, and the stream with it.
func (u *utterance) hush() {
	switch {
	case u.cancelled() || u.isOver():
	case u.handingOut.Load():
		u.quiet.Reset(quietAfterAudio) // it is Next's turn, not the vendor's
	case !u.askedClose.Load():
		u.askClose()
		u.quiet.Reset(u.stream.client.opt.FinalWait)
	default:
		u.stream.fail(u.stream.failure("speak", errors.New("no final message")))
	}
}

// deliver hands out a message's audio and marks; it waits for room. The error is
// for audio that is none.
func (u *utterance) deliver(m *message) error {
	if u.cancelled() || u.isOver() {
		return nil
	}
	align := &m.align
	if len(align.chars) == 0 {
		align = &m.normal
	}
	c, letters, err := u.clock.chunk(m.audio, align)
	if err != nil {
		return err
	}
	u.spoken.Add(int64(letters))
	if len(c.PCM) > 0 {
		u.audio.Store(true)
	}
	u.closeWhenSpoken()
	if len(c.PCM) == 0 && len(c.Marks) == 0 {
		return nil
	}
	u.handingOut.Store(true)
	select {
	case u.chunks <- c:
	case <-u.gone:
	case <-u.stream.done:
	}
	u.handingOut.Store(false)
	if u.ended.Load() {
		wait := u.stream.client.opt.FinalWait
		if !u.askedClose.Load() {
			wait = min(wait, quietAfterAudio)
		}
		u.quiet.Reset(wait)
	}
	return nil
}

// final ends the utterance as the vendor's last message says.
func (u *utterance) final() {
	switch {
	case !u.ended.Load():
		u.complete(u.stream.failure("speak", errors.New("the vendor closed the context before the end of the text")))
	case u.letters.Load() > 0 && !u.audio.Load():
		u.complete(u.stream.failure("speak", errors.New("the vendor closed the context without audio")))
	default:
		if heard, all := u.spoken.Load(), u.letters.Load(); heard < all && !u.cancelled() {
			u.stream.log.Debug("elevenlabs: the alignment does not cover the text", "request_id", u.stream.requestID, "share", fmt.Sprintf("%d/%d", heard, all))
		}
		u.complete(nil)
	}
}

// complete ends Next, after what is queued, with err or io.EOF. The first call counts.
func (u *utterance) complete(err error) {
	u.overOnce.Do(func() {
		u.quiet.Stop()
		u.err = err
		close(u.over)
	})
}
