package session

import (
	"bytes"
	"context"
	"io"
	"iter"
	"strings"
	"sync"
	"time"

	"kalami/providers"
)

// fakeRecognizer hears what the test says.
type fakeRecognizer struct {
	mu      sync.Mutex
	streams []*fakeHearing
	refuse  int // how many openings fail
	drops   bool
	opened  int
}

func (r *fakeRecognizer) Name() string { return "fake" }

func (r *fakeRecognizer) Listen(_ context.Context, opt providers.ListenOptions) (providers.RecognitionStream, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opened++
	if r.opened <= r.refuse {
		return nil, &providers.Error{Kind: providers.Unavailable, Vendor: "fake", Op: "listen"}
	}
	h := &fakeHearing{events: make(chan providers.Heard, 64), opt: opt}
	if r.drops {
		close(h.events)
	}
	r.streams = append(r.streams, h)
	return h, nil
}

// last is the stream opened last.
func (r *fakeRecognizer) last() *fakeHearing {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.streams) == 0 {
		return nil
	}
	return r.streams[len(r.streams)-1]
}

type fakeHearing struct {
	events    chan providers.Heard
	opt       providers.ListenOptions
	mu        sync.Mutex
	samples   int
	loud      int // samples of the frames that are not silence
	finalized int
	kept      int
	flushed   []int // at how many samples
	closed    bool
}

func (h *fakeHearing) Send(_ context.Context, pcm []byte) error {
	h.mu.Lock()
	h.samples += len(pcm) / 2
	if bytes.ContainsFunc(pcm, func(r rune) bool { return r != 0 }) {
		h.loud += len(pcm) / 2
	}
	h.mu.Unlock()
	return nil
}
func (h *fakeHearing) Finalize(context.Context) error {
	h.mu.Lock()
	h.finalized++
	h.mu.Unlock()
	return nil
}
func (h *fakeHearing) Flush(context.Context) error {
	h.mu.Lock()
	h.flushed = append(h.flushed, h.samples)
	h.mu.Unlock()
	return nil
}
func (h *fakeHearing) KeepAlive(context.Context) error {
	h.mu.Lock()
	h.kept++
	h.mu.Unlock()
	return nil
}
func (h *fakeHearing) Events() <-chan providers.Heard { return h.events }
func (h *fakeHearing) Err() error {
	return &providers.Error{Kind: providers.Unavailable, Vendor: "fake", Op: "listen"}
}
func (h *fakeHearing) Drain(context.Context) error { return h.Close() }
func (h *fakeHearing) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	return nil
}

// fakeTokens is what the fake tutor counts for any reply.
const fakeTokens = 7

// fakeTutor answers with the next of its replies, word by word, 20 ms a word.
type fakeTutor struct {
	mu      sync.Mutex
	replies []string
	prompts []providers.Prompt
	fail    error
	panics  bool
	breaks  bool // the stream stops without its end
}

func (t *fakeTutor) Name() string { return "fake" }

func (t *fakeTutor) Reply(ctx context.Context, p providers.Prompt) iter.Seq2[providers.Delta, error] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.panics {
		panic("a tutor that panics")
	}
	t.prompts = append(t.prompts, p)
	text, fail := "Good.", t.fail
	if len(t.replies) > 0 {
		text, t.replies = t.replies[0], t.replies[1:]
	}
	return func(yield func(providers.Delta, error) bool) {
		if fail != nil {
			yield(providers.Delta{}, fail)
			return
		}
		for word := range strings.SplitAfterSeq(text, " ") {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				yield(providers.Delta{}, context.Cause(ctx))
				return
			}
			if !yield(providers.Delta{Text: word}, nil) {
				return
			}
		}
		if t.breaks {
			return
		}
		yield(providers.Delta{Done: true, Model: "fake/1", Usage: providers.Usage{OutputTokens: fakeTokens}}, nil)
	}
}

func (t *fakeTutor) prompt(i int) providers.Prompt {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.prompts[i]
}

// fakeVoice speaks 50 ms a character, at once, in chunks of one written clause.
type fakeVoice struct {
	mu     sync.Mutex
	refuse int
	opened int
	breaks int // chunks after which the utterance breaks off; 0 never
	panics bool
	late   bool      // nothing is spoken before End
	early  bool      // the audio ends after the first piece
	plain  bool      // there are no marks
	speeds []float64 // as lines were opened
}

const fakeCharMS = 50

func (v *fakeVoice) Name() string { return "fake" }
func (v *fakeVoice) Open(_ context.Context, opt providers.SpeakOptions) (providers.VoiceStream, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.opened++
	v.speeds = append(v.speeds, opt.Speed)
	if v.opened <= v.refuse {
		return nil, &providers.Error{Kind: providers.Unavailable, Vendor: "fake", Op: "open"}
	}
	return &fakeLine{opt: opt, fakeManner: fakeManner{v.breaks, v.panics, v.late, v.early, v.plain}}, nil
}

type fakeLine struct {
	opt providers.SpeakOptions
	fakeManner
}

// fakeManner is how a voice misbehaves.
type fakeManner struct {
	breaks                     int
	panics, late, early, plain bool
}

func (l *fakeLine) Say(context.Context) (providers.Utterance, error) {
	return &fakeUtterance{rate: l.opt.SampleRate, fakeManner: l.fakeManner, chunks: make(chan providers.Chunk, 256), stop: make(chan struct{})}, nil
}
func (l *fakeLine) Alive() bool  { return true }
func (l *fakeLine) Close() error { return nil }

type fakeUtterance struct {
	fakeManner
	rate        int
	held        []providers.Chunk
	atMS, given int
	samples     int
	chunks      chan providers.Chunk
	once        sync.Once
	stop        chan struct{}
}

func (u *fakeUtterance) Write(_ context.Context, text string, _ bool) error {
	var c providers.Chunk
	for _, r := range text {
		c.Marks = append(c.Marks, providers.CharMark{Char: string(r), StartMS: u.atMS, EndMS: u.atMS + fakeCharMS})
		u.atMS += fakeCharMS
		for range u.rate * fakeCharMS / 1000 { // no two samples near each other are the same
			u.samples++
			c.PCM = append(c.PCM, byte(u.samples), byte(u.samples>>8))
		}
	}
	if u.plain {
		c.Marks = nil
	}
	if u.late {
		u.held = append(u.held, c)
		return nil
	}
	u.chunks <- c
	return nil
}
func (u *fakeUtterance) End(context.Context) error {
	for _, c := range u.held {
		u.chunks <- c
	}
	close(u.chunks)
	return nil
}
func (u *fakeUtterance) Next(ctx context.Context) (providers.Chunk, error) {
	if u.panics {
		panic("a voice that panics")
	}
	if u.early && u.given == 1 {
		return providers.Chunk{}, io.EOF
	}
	if u.breaks > 0 && u.given == u.breaks {
		return providers.Chunk{}, &providers.Error{Kind: providers.Unavailable, Vendor: "fake", Op: "speak"}
	}
	select {
	case c, ok := <-u.chunks:
		if !ok {
			return providers.Chunk{}, io.EOF
		}
		u.given++
		return c, nil
	case <-u.stop:
		return providers.Chunk{}, providers.ErrCancelled
	case <-ctx.Done():
		return providers.Chunk{}, context.Cause(ctx)
	}
}
func (u *fakeUtterance) Cancel() { u.once.Do(func() { close(u.stop) }) }
