package openai

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"kalami/providers"
)

// Defaults and limits of [Voice].
const (
	DefaultSpeechModel       = "gpt-4o-mini-tts"
	DefaultVoice             = "coral"
	DefaultFirstAudioTimeout = 5 * time.Second
	// MinSpeed and MaxSpeed are what the API allows; other speeds are clamped.
	MinSpeed, MaxSpeed = 0.25, 4.0
)

// VoiceOptions configure a [Voice]. All but the endpoint's key have defaults.
type VoiceOptions struct {
	Endpoint
	// Model's name; empty means [DefaultSpeechModel].
	Model string
	// Voice is the name of the voice where nothing else says; empty means [DefaultVoice].
	Voice string
	// Voices are the names by primary language subtag, where they differ from Voice.
	Voices map[string]string
	// FirstAudioTimeout bounds the wait for a clause's first sample; 0 means
	// [DefaultFirstAudioTimeout].
	FirstAudioTimeout time.Duration
	// StallTimeout bounds the wait for further ones; 0 means [DefaultStallTimeout].
	StallTimeout time.Duration
}

// Voice speaks through POST /audio/speech: one request for each flushed clause,
// two under way at most, so that the second clause is ready when the first has been
// said. There is no socket to keep warm (idle connections are kept) and no alignment:
// [providers.Chunk.Marks] stay empty. Safe for concurrent use.
type Voice struct {
	opt    VoiceOptions
	client client
}

var _ providers.Voice = (*Voice)(nil)

// NewVoice returns a voice, or an error naming the option that cannot be used. It
// makes no request.
func NewVoice(opt VoiceOptions) (*Voice, error) {
	c, err := opt.connect()
	if err != nil {
		return nil, err
	}
	opt.Model = cmp.Or(opt.Model, DefaultSpeechModel)
	opt.Voice = cmp.Or(opt.Voice, DefaultVoice)
	opt.Voices = maps.Clone(opt.Voices)
	opt.FirstAudioTimeout = cmp.Or(opt.FirstAudioTimeout, DefaultFirstAudioTimeout)
	opt.StallTimeout = cmp.Or(opt.StallTimeout, DefaultStallTimeout)
	if opt.FirstAudioTimeout < 0 || opt.StallTimeout < 0 {
		return nil, fmt.Errorf("openai: timeouts: must not be negative")
	}
	return &Voice{opt: opt, client: c}, nil
}

// Name implements providers.Voice.
func (v *Voice) Name() string { return Vendor }

// Close frees idle connections. Streams are closed by who opened them.
func (v *Voice) Close() { v.client.http.CloseIdleConnections() }

// Open implements providers.Voice. It makes no request, so that only a rate other
// than 16000 or 24000 is refused, as Invalid.
func (v *Voice) Open(ctx context.Context, opt providers.SpeakOptions) (providers.VoiceStream, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if opt.SampleRate != 16000 && opt.SampleRate != spokenRate {
		return nil, failure("speak", nil, providers.Invalid, "",
			fmt.Errorf("sample rate: must be 16000 or %d, is %d", spokenRate, opt.SampleRate))
	}
	s := &voiceStream{voice: v, opt: opt}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	return s, nil
}

// spokenRate is that of the API's PCM, in hertz.
const spokenRate = 24000

// errClosed is the cause of what a closed stream refuses.
var errClosed = errors.New("the stream is closed")

// voiceStream is one learner's settings, and the requests under way.
type voiceStream struct {
	// Static after Open.
	voice *Voice
	opt   providers.SpeakOptions
	// ctx ends with Close, with ErrCancelled as its cause.
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	closed bool
	// requests are the goroutines of clauses; none is added once closed.
	requests sync.WaitGroup
}

var _ providers.VoiceStream = (*voiceStream)(nil)

// Say implements providers.VoiceStream. It never blocks.
func (s *voiceStream) Say(ctx context.Context) (providers.Utterance, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if !s.Alive() {
		return nil, failure("speak", nil, providers.Unavailable, "", errClosed)
	}
	u := &utterance{stream: s, clauses: make(chan *clause, clausesAhead), slots: make(chan struct{}, clausesAhead)}
	u.ctx, u.cancel = context.WithCancelCause(s.ctx)
	return u, nil
}

// Alive implements providers.VoiceStream.
func (s *voiceStream) Alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed
}

// Close implements providers.VoiceStream.
func (s *voiceStream) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel(providers.ErrCancelled)
	s.requests.Wait()
	return nil
}

// start runs the request of a clause, which Close waits for; false when closed.
func (s *voiceStream) start(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.requests.Go(f)
	return true
}

// params lays out a request for one clause.
func (s *voiceStream) params(text string) sdk.AudioSpeechNewParams {
	o := &s.voice.opt
	name := cmp.Or(s.opt.VoiceID, o.Voices[primarySubtag(s.opt.Language)], o.Voice)
	p := sdk.AudioSpeechNewParams{
		Input:          text,
		Model:          o.Model,
		Voice:          sdk.AudioSpeechNewParamsVoiceUnion{OfString: sdk.String(name)},
		ResponseFormat: sdk.AudioSpeechNewParamsResponseFormatPCM,
	}
	if speed := s.opt.Speed; speed > 0 && speed != 1 {
		p.Speed = sdk.Float(min(max(speed, MinSpeed), MaxSpeed))
	}
	return p
}

// request asks for a clause's audio; the answer's body is unread.
func (s *voiceStream) request(ctx context.Context, text string) (*http.Response, error) {
	var raw *http.Response
	err := s.voice.client.Post(ctx, "audio/speech", s.params(text), &raw, option.WithHeader("Accept", "audio/pcm"))
	return raw, err
}
