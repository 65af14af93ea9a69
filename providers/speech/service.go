package speech

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"kalami/providers"
)

// A Transcriber is a vendor that hears, under its name in the API: "whisper" or "deepgram".
type Transcriber struct {
	Name string
	providers.Transcriber
}

// A Synthesizer is a vendor that speaks, under its name in the API: "elevenlabs" or "openai".
type Synthesizer struct {
	Name string
	providers.Synthesizer
}

// Options say what a [Service] is made of.
type Options struct {
	// Transcribers and Synthesizers in the order in which they are asked; at least
	// one each. They are closed by who made them.
	Transcribers []Transcriber
	Synthesizers []Synthesizer
	// NoTranscribeFallback and NoSynthesizeFallback ask one vendor alone: the named
	// one, else the first.
	NoTranscribeFallback, NoSynthesizeFallback bool
	// Clips remembers short clips; nil remembers none.
	Clips Clips
	// Log receives hand-overs and faults of the store, never text; nil discards.
	Log *slog.Logger
}

// Service hears recordings and makes clips; see the package's page. Safe for
// concurrent use. Close it.
type Service struct {
	// Static after New.
	opt Options
	// ctx ends with Close, and with it every clip that is shared.
	ctx  context.Context
	stop context.CancelCauseFunc

	work sync.WaitGroup // clips that are being received

	mu      sync.Mutex
	closed  bool
	flights map[string]*flight // by key of the clip
}

// errClosed is why a closed service does nothing more.
var errClosed = errors.New("the service is closed")

// New checks the options. It asks no vendor.
func New(opt Options) (*Service, error) {
	if len(opt.Transcribers) == 0 || len(opt.Synthesizers) == 0 {
		return nil, errors.New("speech: at least one vendor must hear and one speak")
	}
	opt.Transcribers, opt.Synthesizers = slices.Clone(opt.Transcribers), slices.Clone(opt.Synthesizers)
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{opt: opt, flights: map[string]*flight{}}
	s.ctx, s.stop = context.WithCancelCause(context.Background())
	return s, nil
}

// Close ends the clips that are still arriving and waits for them. Later requests are
// refused as Unavailable.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop(refusal("speak", providers.Unavailable, errClosed))
	s.work.Wait()
	return nil
}

// refusal is an error of this package's own.
func refusal(op string, kind providers.Kind, cause error) *providers.Error {
	return &providers.Error{Kind: kind, Vendor: "speech", Op: op, Err: cause}
}

// Transcribe hears a recording: by the named vendor first, by the usual one when
// provider is empty. Errors: Invalid for a recording that cannot be heard, else the first
// vendor's error when none helped; ctx's cause when it ended.
func (s *Service) Transcribe(ctx context.Context, provider string, r providers.Recording) (providers.Transcript, error) {
	const op = "transcribe"
	order, err := inOrder(s.opt.Transcribers, func(t Transcriber) string { return t.Name }, provider, s.opt.NoTranscribeFallback)
	if err != nil {
		return providers.Transcript{}, refusal(op, providers.Unavailable, err)
	}
	var failed error
	for _, t := range order {
		heard, err := t.Transcribe(ctx, r)
		if err == nil || !s.handsOver(ctx, err) {
			return heard, err
		}
		s.opt.Log.Warn("a vendor could not hear a recording", "vendor", t.Name, "err", err)
		failed = cmp.Or(failed, err)
	}
	return providers.Transcript{}, failed
}

// inOrder puts the vendor of that name first; without hand-over it is the only one. A
// name that nobody has is a vendor that is away.
func inOrder[T any](all []T, name func(T) string, first string, alone bool) ([]T, error) {
	at := 0
	if first != "" {
		at = slices.IndexFunc(all, func(v T) bool { return name(v) == first })
	}
	switch {
	case at < 0 && alone:
		return nil, fmt.Errorf("%q is not configured", first)
	case at < 0:
		return all, nil
	case alone:
		return all[at : at+1], nil
	}
	return slices.Concat(all[at:at+1], all[:at], all[at+1:]), nil
}

// handsOver says whether another vendor may do better.
func (s *Service) handsOver(ctx context.Context, err error) bool {
	return ctx.Err() == nil && providers.KindOf(err) != providers.Invalid
}

// Voices lists the voices of the named vendor, or of the usual one, and says whose
// they are. There is no hand-over: Unavailable when that vendor is not configured.
func (s *Service) Voices(ctx context.Context, provider string) (string, []providers.VoiceInfo, error) {
	order, err := inOrder(s.opt.Synthesizers, func(v Synthesizer) string { return v.Name }, provider, true)
	if err != nil {
		return "", nil, refusal("voices", providers.Unavailable, err)
	}
	voices, err := order[0].Voices(ctx)
	return order[0].Name, voices, err
}

// Transcriber is the service as one vendor: the usual one, with hand-over. It lives
// as long as the service.
func (s *Service) Transcriber() providers.Transcriber { return ears{s} }

// Synthesizer is the service as one vendor: the usual one, with hand-over, and without
// the memory of clips. It lives as long as the service.
func (s *Service) Synthesizer() providers.Synthesizer { return mouth{s} }

// ears implements providers.Transcriber.
type ears struct{ service *Service }

func (e ears) Name() string { return e.service.opt.Transcribers[0].Transcriber.Name() }

func (e ears) Transcribe(ctx context.Context, r providers.Recording) (providers.Transcript, error) {
	return e.service.Transcribe(ctx, "", r)
}

// mouth implements providers.Synthesizer.
type mouth struct{ service *Service }

func (m mouth) usual() providers.Synthesizer { return m.service.opt.Synthesizers[0].Synthesizer }

func (m mouth) Name() string { return m.usual().Name() }

func (m mouth) Synthesize(ctx context.Context, script providers.Script) (providers.Clip, error) {
	return m.service.speak(ctx, "", script, func(ctx context.Context, v Synthesizer, script providers.Script) (providers.Clip, error) {
		return v.Synthesize(ctx, script)
	})
}

func (m mouth) Signature(script providers.Script) string { return m.usual().Signature(script) }

func (m mouth) Voices(ctx context.Context) ([]providers.VoiceInfo, error) {
	return m.usual().Voices(ctx)
}
