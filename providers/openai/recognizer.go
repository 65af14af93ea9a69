package openai

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kalami/providers"
)

const (
	// segmentQueue is how many segments wait to be recognised; then Send waits.
	segmentQueue = 8
	// heardQueue is how many events wait for the consumer; then nothing is recognised.
	heardQueue = 16
	// takeMost is how much audio the segmenter hears at once.
	takeMost = 100 * time.Millisecond
	// shortestMS is the least that engines take; there is no word in less.
	shortestMS = 100
)

// errOver is the cause when audio is sent to a stream that has ended.
var errOver = errors.New("the stream has ended")

// Recognizer hears live speech through a [Transcriber], by segments: it cuts the audio
// where nobody speaks and has each stretch of voice recognised when it is over. It is the
// last resort when no vendor of live recognition can be had, or the only one where a
// Whisper server is all there is. What it cannot do:
//
//   - There are no hypotheses while somebody speaks: a segment has a start and an end,
//     and its words come with the end, half a second of quiet and a request after them.
//   - Its ear is for energy, not for speech: it takes a noise that is louder than the
//     room for a voice, and whether that has words is up to the engine.
//   - Opening a stream asks nobody, so what is wrong with a key ends the stream at the
//     first segment.
//
// Safe for concurrent use.
type Recognizer struct {
	transcriber *Transcriber
}

var _ providers.Recognizer = (*Recognizer)(nil)

// NewRecognizer returns a recogniser through t, whose closing stays up to who made it.
func NewRecognizer(t *Transcriber) *Recognizer { return &Recognizer{transcriber: t} }

// Name implements [providers.Recognizer].
func (r *Recognizer) Name() string { return Vendor }

// Timed says whether words come with their times; the gpt models do not tell them.
func (r *Recognizer) Timed() bool { return !isGPT(r.transcriber.opt.Model) }

// Listen implements [providers.Recognizer]. It makes no request. Hints and Keyterms are
// not used.
func (r *Recognizer) Listen(ctx context.Context, opt providers.ListenOptions) (providers.RecognitionStream, error) {
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case opt.Encoding != "" && opt.Encoding != providers.PCM16:
		return nil, failure(opListen, nil, providers.Invalid, fmt.Sprintf("encoding %s is not taken", opt.Encoding), nil)
	case opt.SampleRate < 8000 || opt.SampleRate > 48000:
		return nil, failure(opListen, nil, providers.Invalid, fmt.Sprintf("sample rate %d is not within 8000 and 48000 Hz", opt.SampleRate), nil)
	}
	h := &hearing{transcriber: r.transcriber, language: opt.Language, cutter: newSegmenter(opt.SampleRate),
		piece: 2 * opt.SampleRate * int(takeMost) / int(time.Second), segments: make(chan segment, segmentQueue),
		events: make(chan providers.Heard, heardQueue), done: make(chan struct{})}
	h.ctx, h.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go h.run()
	return h, nil
}

const opListen = "listen"

// hearing implements [providers.RecognitionStream]. Who sends cuts the audio; one
// goroutine (run) has the segments recognised, one after the other, so that ends come in
// order.
type hearing struct {
	transcriber *Transcriber
	language    string
	ctx         context.Context // ends with Close
	cancel      context.CancelFunc
	segments    chan segment // closed by Drain
	events      chan providers.Heard
	done        chan struct{} // closed by run: err is set, events is closed
	err         error

	// owned by the goroutine that sends
	cutter  *segmenter
	piece   int // bytes
	drained sync.Once
}

// Send implements [providers.RecognitionStream].
func (h *hearing) Send(ctx context.Context, audio []byte) error {
	var err error
	for len(audio) > 0 && err == nil {
		n := min(h.piece, len(audio))
		h.cutter.take(audio[:n], func(s segment) { err = h.pass(ctx, s) })
		audio = audio[n:]
	}
	if err != nil {
		return err
	}
	return h.over()
}

// pass hands a segment to run.
func (h *hearing) pass(ctx context.Context, s segment) error {
	if err := h.over(); err != nil {
		return err
	}
	select {
	case h.segments <- s:
		return nil
	case <-h.done:
		return h.over()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// over says why nothing is heard any more, or nil.
func (h *hearing) over() error {
	select {
	case <-h.done:
	default:
		return nil
	}
	if h.err != nil {
		return h.err
	}
	return failure(opListen, nil, providers.Unavailable, "", errOver)
}

// Flush implements [providers.RecognitionStream]: no frames are joined.
func (h *hearing) Flush(context.Context) error { return h.over() }

// Finalize implements [providers.RecognitionStream]: the segment under way is cut here.
func (h *hearing) Finalize(ctx context.Context) error {
	err := h.over()
	h.cutter.cut(func(s segment) { err = h.pass(ctx, s) })
	return err
}

// KeepAlive implements [providers.RecognitionStream]: there is nothing to keep.
func (h *hearing) KeepAlive(context.Context) error { return h.over() }

// Events implements [providers.RecognitionStream].
func (h *hearing) Events() <-chan providers.Heard { return h.events }

// Err implements [providers.RecognitionStream].
func (h *hearing) Err() error {
	select {
	case <-h.done:
		return h.err
	default:
		return nil
	}
}

// Drain implements [providers.RecognitionStream].
func (h *hearing) Drain(ctx context.Context) error {
	defer h.Close()
	if err := h.Finalize(ctx); err != nil {
		return err
	}
	h.drained.Do(func() { close(h.segments) })
	select {
	case <-h.done:
		return h.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close implements [providers.RecognitionStream].
func (h *hearing) Close() error {
	h.cancel()
	<-h.done
	return nil
}

// run has segments recognised until there are no more, one fails or the stream is closed.
func (h *hearing) run() {
	defer func() {
		close(h.events)
		close(h.done)
		h.cancel()
	}()
	for n := 0; ; {
		select {
		case s, ok := <-h.segments:
			if !ok {
				return
			}
			e := providers.Heard{Kind: providers.HeardStart, Segment: n, StartMS: s.startMS, EndMS: s.startMS}
			if s.audio != nil {
				var err error
				if e, err = h.recognise(s, n); err != nil {
					if h.ctx.Err() == nil {
						h.err = err
					}
					return
				}
				n++
			}
			select {
			case h.events <- e:
			case <-h.ctx.Done():
				return
			}
		case <-h.ctx.Done():
			return
		}
	}
}

// recognise makes the end of a segment.
func (h *hearing) recognise(s segment, n int) (providers.Heard, error) {
	if s.endMS-s.startMS < shortestMS {
		return providers.Heard{Kind: providers.HeardEnd, Segment: n, StartMS: s.startMS, EndMS: s.endMS}, nil
	}
	t, err := h.transcriber.Transcribe(h.ctx, providers.Recording{Audio: s.audio, Format: providers.WAV, Language: h.language})
	if err != nil {
		return providers.Heard{}, err
	}
	e := providers.Heard{Kind: providers.HeardEnd, Segment: n, Text: t.Text, StartMS: s.startMS, EndMS: s.endMS,
		Confidence: t.Confidence, Language: t.Language}
	at := s.startMS
	for _, w := range t.Words { // engines let words overlap, and end after the audio
		w.StartMS = min(max(s.startMS+w.StartMS, at), s.endMS)
		w.EndMS = min(max(s.startMS+w.EndMS, w.StartMS), s.endMS)
		at = w.EndMS
		e.Words = append(e.Words, w)
	}
	if len(e.Words) > 0 {
		e.EndMS = at
	}
	return e, nil
}
