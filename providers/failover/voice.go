package failover

import (
	"context"
	"sync"
	"time"

	"kalami/providers"
)

const (
	// slowVoice is the default of [Options.Slow] for an utterance's first sample.
	slowVoice = 1500 * time.Millisecond
	// openTimeout bounds the opening of a vendor's stream while others could be opened.
	openTimeout = 2 * time.Second
)

// Voice speaks through an ordered list of voices. Safe for concurrent use. Close it.
//
// An utterance whose vendor fails goes on with the next one, from the first word that was
// not handed out whole: audio of a word whose end is not there yet is held back, which
// costs nothing while the vendor is ahead of the learner. A vendor without an alignment
// says where the pieces that it was given end ([providers.Chunk.Spoken]), and is held back
// by pieces; the first piece of an utterance, and one for which the learner would have to
// wait in silence, are handed out as they come, and begin again if their vendor fails in
// the middle. Times and marks count on the utterance's clock, whoever speaks; marks of
// pieces without an alignment are spread evenly when another vendor gives some.
// [providers.Chunk.Vendor] says who speaks. The only vendor goes on with its own
// utterance, once.
//
// A vendor fails by its error, by an end before the end of the text, by silence for
// [Options.Stall] while it owes audio, and by audio of another length than its alignment
// says (a wrong sample rate). The failure is returned when nobody is left.
type Voice struct {
	voices []providers.Voice
	rota   *rota
}

var _ providers.Voice = (*Voice)(nil)

// NewVoice returns a voice over one or more, the preferred first. Closing the voices is
// up to who made them. [providers.SpeakOptions.VoiceID] is the preferred one's; the others
// speak with their voice for the language.
func NewVoice(opt Options, preferred providers.Voice, others ...providers.Voice) *Voice {
	v := &Voice{voices: append([]providers.Voice{preferred}, others...)}
	var names []string
	for _, one := range v.voices {
		names = append(names, one.Name())
	}
	v.rota = newRota(opt.completed(slowVoice), Speech, v.probe, names...)
	return v
}

// Name implements providers.Voice. Who really speaks is in [providers.Chunk.Vendor].
func (v *Voice) Name() string { return "failover" }

// Close ends the probes under way and waits for them. Streams are closed by who opened them.
func (v *Voice) Close() { v.rota.close() }

// Open implements providers.Voice: it opens the stream of the vendor that is to be asked
// first and can be opened. The others' are opened when they are needed.
func (v *Voice) Open(ctx context.Context, opt providers.SpeakOptions) (providers.VoiceStream, error) {
	l := &voiceLine{voice: v, opt: opt, streams: make([]providers.VoiceStream, len(v.voices))}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	order := v.rota.outlook()
	var failed error
	for _, i := range order {
		c, err := v.rota.begin(ctx, i, ForTurn)
		if err == nil {
			if _, err = l.stream(ctx, i, len(order) > 1); err == nil {
				c.forget()
				return l, nil
			}
			c.settle(err)
		}
		if failed = err; ctx.Err() != nil {
			break
		}
	}
	l.cancel(providers.ErrCancelled)
	return nil, failed
}

// probe has a voice say a word of our own.
func (v *Voice) probe(ctx context.Context, i int) error {
	stream, err := v.voices[i].Open(ctx, providers.SpeakOptions{Language: "en", SampleRate: 24000})
	if err != nil {
		return err
	}
	defer stream.Close()
	u, err := stream.Say(ctx)
	if err != nil {
		return err
	}
	defer u.Cancel()
	if err := u.Write(ctx, "Yes. ", true); err != nil {
		return err
	}
	if err := u.End(ctx); err != nil {
		return err
	}
	for heard := 0; ; {
		c, err := u.Next(ctx)
		if heard += len(c.PCM); err != nil {
			return ended(err, heard, v.voices[i].Name())
		}
	}
}

// voiceLine is one learner's streams to the vendors. The preferred one's is warm; another's
// stays open once it was needed.
type voiceLine struct {
	voice  *Voice
	opt    providers.SpeakOptions
	ctx    context.Context // of what feeds the vendors
	cancel context.CancelCauseFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	streams []providers.VoiceStream // by vendor; nil where none is open
	closed  bool
}

// stream returns a vendor's stream, opened if it is not alive.
func (l *voiceLine) stream(ctx context.Context, i int, hurry bool) (providers.VoiceStream, error) {
	l.mu.Lock()
	s, closed := l.streams[i], l.closed
	l.mu.Unlock()
	if closed {
		return nil, providers.ErrCancelled
	}
	if s != nil && s.Alive() {
		return s, nil
	}
	if s != nil {
		s.Close()
	}
	opt := l.opt
	if i > 0 {
		opt.VoiceID = ""
	}
	octx, cancel := ctx, context.CancelFunc(func() {})
	if hurry {
		octx, cancel = context.WithTimeout(ctx, openTimeout)
	}
	defer cancel()
	s, err := l.voice.voices[i].Open(octx, opt)
	if err != nil && octx.Err() != nil && ctx.Err() == nil {
		err = &providers.Error{Kind: providers.Unavailable, Vendor: l.voice.voices[i].Name(), Op: "open", Err: err}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams[i] = nil
	if err != nil {
		return nil, err
	}
	if l.closed {
		s.Close()
		return nil, providers.ErrCancelled
	}
	l.streams[i] = s
	return s, nil
}

// Alive implements providers.VoiceStream. A choice of several is alive until it is closed:
// Say opens what it needs.
func (l *voiceLine) Alive() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.streams) == 1 {
		return !l.closed && l.streams[0] != nil && l.streams[0].Alive()
	}
	return !l.closed
}

// Close implements providers.VoiceStream.
func (l *voiceLine) Close() error {
	l.mu.Lock()
	l.closed = true
	streams := l.streams
	l.mu.Unlock()
	l.cancel(providers.ErrCancelled)
	for _, s := range streams {
		if s != nil {
			s.Close()
		}
	}
	l.work.Wait()
	return nil
}

// Say implements providers.VoiceStream.
func (l *voiceLine) Say(ctx context.Context) (providers.Utterance, error) {
	l.voice.rota.budget.earn()
	u := &utterance{line: l, changed: make(chan struct{})}
	u.ctx, u.cancel = context.WithCancelCause(l.ctx)
	if err := u.begin(ctx, nil); err != nil {
		u.cancel(err)
		return nil, err
	}
	return u, nil
}
