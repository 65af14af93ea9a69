package openai

import (
	"context"
	"errors"
	"io"
	"strings"
	"unicode"

	"kalami/providers"
)

// Bounds of an utterance.
const (
	// clausesAhead is how many clauses are requested or waiting at once: the one
	// being said and the next. Write blocks while there are more.
	clausesAhead = 2
	// chunksAhead is how many pieces of a clause's audio wait to be taken; then
	// its request is read no further.
	chunksAhead = 8
	// maxClause is how much text is gathered without a flush, in bytes; the API
	// takes 4096 characters.
	maxClause = 2000
	// readSize is the most audio that a chunk holds before resampling: 200 ms.
	readSize = 2 * spokenRate / 5
)

// errEnded is the cause of what Write and End return after End.
var errEnded = errors.New("the utterance has ended")

// afterEnd is the error itself.
func afterEnd() error { return failure("speak", nil, providers.Invalid, "", errEnded) }

// utterance is one reply being spoken.
type utterance struct {
	stream *voiceStream
	ctx    context.Context // ends with Cancel, Close, a failure, or the end of the audio
	cancel context.CancelCauseFunc

	// clauses in the order of the text: filled by the writer, closed by End. A
	// slot is held for each from its request until its audio has been taken, so
	// that sending never blocks.
	clauses chan *clause
	slots   chan struct{}

	// Owned by the writing goroutine.
	text    strings.Builder
	written int // bytes, before text
	ended   bool

	// Owned by the goroutine that calls Next.
	current *clause
	over    error // what Next returns from now on
}

// clause is a piece of text being spoken by one request.
type clause struct {
	text  string
	to    int         // where it ends in the utterance's text, in bytes
	audio chan []byte // closed at the end
	err   error       // set before audio is closed
}

// Write implements providers.Utterance.
func (u *utterance) Write(ctx context.Context, text string, flush bool) error {
	if u.ended {
		return afterEnd()
	}
	u.text.WriteString(text)
	if !flush && u.text.Len() < maxClause {
		return u.broken(ctx)
	}
	return u.flush(ctx)
}

// End implements providers.Utterance.
func (u *utterance) End(ctx context.Context) error {
	if u.ended {
		return afterEnd()
	}
	if err := u.flush(ctx); err != nil {
		return err
	}
	u.ended = true
	close(u.clauses)
	return nil
}

// broken says why no more text is taken, or nil.
func (u *utterance) broken(ctx context.Context) error {
	if u.ctx.Err() != nil {
		return context.Cause(u.ctx)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// flush starts the request for the text gathered so far. Text without a letter or
// a digit has no sound and is dropped.
func (u *utterance) flush(ctx context.Context) error {
	if err := u.broken(ctx); err != nil {
		return err
	}
	text := strings.TrimSpace(u.text.String())
	if !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		u.flushed()
		return nil
	}
	select {
	case u.slots <- struct{}{}:
	case <-u.ctx.Done():
		return context.Cause(u.ctx)
	case <-ctx.Done():
		return context.Cause(ctx) // the text is kept for another try
	}
	c := &clause{text: text, to: u.flushed(), audio: make(chan []byte, chunksAhead)}
	if !u.stream.start(func() { u.fetch(c) }) {
		return providers.ErrCancelled
	}
	u.clauses <- c
	return nil
}

// flushed begins the next clause, and returns where it begins in the utterance's text.
func (u *utterance) flushed() int {
	u.written += u.text.Len()
	u.text.Reset()
	return u.written
}

// Next implements providers.Utterance. Behind each clause stands a chunk without audio
// that says so.
func (u *utterance) Next(ctx context.Context) (providers.Chunk, error) {
	for u.over == nil {
		if u.ctx.Err() != nil {
			u.over = context.Cause(u.ctx)
			break
		}
		if u.current == nil {
			select {
			case c, ok := <-u.clauses:
				if !ok {
					u.finish(io.EOF)
				}
				u.current = c
			case <-u.ctx.Done():
			case <-ctx.Done():
				return providers.Chunk{}, context.Cause(ctx)
			}
			continue
		}
		select {
		case pcm, ok := <-u.current.audio:
			if ok {
				return providers.Chunk{PCM: pcm}, nil
			}
			c := u.current
			u.current = nil
			<-u.slots
			if c.err == nil {
				return providers.Chunk{Spoken: c.to}, nil
			}
			u.finish(c.err)
		case <-u.ctx.Done():
		case <-ctx.Done():
			return providers.Chunk{}, context.Cause(ctx)
		}
	}
	return providers.Chunk{}, u.over
}

// finish makes err what Next returns and frees what is under way, unless the
// utterance was cancelled before.
func (u *utterance) finish(err error) {
	u.cancel(err)
	u.over = context.Cause(u.ctx)
}

// Cancel implements providers.Utterance.
func (u *utterance) Cancel() { u.cancel(providers.ErrCancelled) }

// fetch requests a clause's audio and passes it on.
func (u *utterance) fetch(c *clause) {
	defer close(c.audio)
	opt := &u.stream.voice.opt
	call, dog := providers.Watch(u.ctx, opt.FirstAudioTimeout, "no first audio")
	defer dog.Stop()
	raw, err := u.stream.request(call, c.text)
	if err == nil {
		defer raw.Body.Close()
		p := &pcmReader{src: raw.Body, rate: u.stream.opt.SampleRate}
		if err = checkPCM(raw.Header.Get("Content-Type")); err == nil {
			err = u.pass(c, p, dog)
		}
	}
	switch late := dog.Expired(); {
	case err == nil:
	case u.ctx.Err() != nil:
		c.err = context.Cause(u.ctx)
	case late != nil:
		c.err = failure("speak", raw, providers.Unavailable, "", late)
	case errors.Is(err, errNotPCM):
		c.err = failure("speak", raw, providers.Invalid, "", err)
	case errors.Is(err, errNoAudio):
		c.err = failure("speak", raw, providers.Unavailable, "", err)
	default:
		c.err = classify("speak", raw, err)
	}
}

// pass hands on a clause's audio until it ends.
func (u *utterance) pass(c *clause, p *pcmReader, dog *providers.Watchdog) error {
	for n := 0; ; n++ {
		pcm, err := p.next()
		if errors.Is(err, io.EOF) {
			if n == 0 {
				return errNoAudio
			}
			return nil
		}
		if err != nil {
			return err
		}
		dog.Pause()
		select {
		case c.audio <- pcm:
		case <-u.ctx.Done():
			return context.Cause(u.ctx)
		}
		dog.Resume(u.stream.voice.opt.StallTimeout, "no further audio")
	}
}
