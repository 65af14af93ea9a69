package speech

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"kalami/providers"
)

// vendor hears and speaks as it is told to, and counts.
type vendor struct {
	name string
	err  error
	// clip makes what Synthesize returns; nil speaks its own name and the voice's.
	clip  func(ctx context.Context, s providers.Script) (providers.Clip, error)
	asked []providers.Script
	heard int
}

func (v *vendor) Name() string { return v.name }

func (v *vendor) Transcribe(context.Context, providers.Recording) (providers.Transcript, error) {
	v.heard++
	return providers.Transcript{Text: v.name}, v.err
}

func (v *vendor) Synthesize(ctx context.Context, s providers.Script) (providers.Clip, error) {
	v.asked = append(v.asked, s)
	if v.clip != nil {
		return v.clip(ctx, s)
	}
	return providers.Clip{ReadCloser: io.NopCloser(strings.NewReader(v.name + " " + s.VoiceID)), Vendor: v.name}, v.err
}

func (v *vendor) Signature(s providers.Script) string { return v.name + " " + s.VoiceID }

func (v *vendor) Voices(context.Context) ([]providers.VoiceInfo, error) {
	return []providers.VoiceInfo{{ID: v.name}}, v.err
}

// newService makes a service of two vendors for each direction.
func newService(t *testing.T, change func(*Options)) (s *Service, first, second *vendor) {
	t.Helper()
	first, second = &vendor{name: "first"}, &vendor{name: "second"}
	opt := Options{
		Transcribers: []Transcriber{{"whisper", first}, {"deepgram", second}},
		Synthesizers: []Synthesizer{{"elevenlabs", first}, {"openai", second}},
	}
	if change != nil {
		change(&opt)
	}
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s, first, second
}

func down(kind providers.Kind) error { return &providers.Error{Kind: kind, Vendor: "first", Op: "x"} }

// The named vendor is asked first, another one when it fails or is not there, and nobody
// else when the request itself is at fault, hand-over is off, or time is up.
func TestOrderAndHandOver(t *testing.T) {
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("hung up"))
	alone := func(o *Options) { o.NoTranscribeFallback, o.NoSynthesizeFallback = true, true }
	for name, tc := range map[string]struct {
		change   func(*Options)
		ctx      context.Context
		provider [2]string // of hearing and of speaking
		err      error     // of the first vendor
		want     string    // who answers; "" for an error
	}{
		"the usual one":               {want: "first"},
		"the other one":               {provider: [2]string{"deepgram", "openai"}, want: "second"},
		"by name":                     {provider: [2]string{"whisper", "elevenlabs"}, want: "first"},
		"away":                        {err: down(providers.Unavailable), want: "second"},
		"overloaded":                  {err: down(providers.Overloaded), want: "second"},
		"wrong key":                   {err: down(providers.Denied), want: "second"},
		"no money":                    {err: down(providers.Quota), want: "second"},
		"not configured":              {provider: [2]string{"acme", "acme"}, want: "first"},
		"bad request":                 {err: down(providers.Invalid)},
		"away, without hand-over":     {change: alone, err: down(providers.Unavailable)},
		"not there without hand-over": {change: alone, provider: [2]string{"acme", "acme"}},
		"too late":                    {ctx: ended, err: down(providers.Unavailable)},
	} {
		t.Run(name, func(t *testing.T) {
			s, first, _ := newService(t, tc.change)
			first.err = tc.err
			ctx := tc.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			heard, err := s.Transcribe(ctx, tc.provider[0], providers.Recording{})
			if heard.Text != tc.want && err == nil || (err != nil) != (tc.want == "") {
				t.Errorf("%q was heard, %v; want %q", heard.Text, err, tc.want)
			}
			clip, err := s.Synthesize(ctx, tc.provider[1], providers.Script{Text: "Hola."})
			if clip.Vendor != tc.want && err == nil || (err != nil) != (tc.want == "") {
				t.Errorf("%q spoke, %v; want %q", clip.Vendor, err, tc.want)
			}
			if tc.err != nil && tc.want == "" && !errors.Is(err, tc.err) {
				t.Errorf("the error is %v, want the first vendor's", err)
			}
		})
	}
}

// When both are away, the error is that of the one who was asked first.
func TestNobodyHelps(t *testing.T) {
	s, first, second := newService(t, nil)
	first.err, second.err = down(providers.Quota), down(providers.Unavailable)
	if _, err := s.Transcribe(t.Context(), "", providers.Recording{}); err != first.err {
		t.Errorf("%v, want %v", err, first.err)
	}
	if _, err := s.Transcribe(t.Context(), "deepgram", providers.Recording{}); err != second.err {
		t.Errorf("%v, want %v", err, second.err)
	}
}

// A voice belongs to one vendor: another speaks with its own.
func TestVoiceStaysWithItsVendor(t *testing.T) {
	s, first, second := newService(t, nil)
	first.err = down(providers.Unavailable)
	for provider, want := range map[string]string{"": "", "elevenlabs": "", "openai": "vera"} {
		second.asked = nil
		clip, err := s.Synthesize(t.Context(), provider, providers.Script{Text: "Hola.", VoiceID: "vera"})
		if err != nil || clip.Vendor != "second" || second.asked[0].VoiceID != want {
			t.Errorf("asked for %q: %q spoke with %+v, %v; want the voice %q", provider, clip.Vendor, second.asked, err, want)
		}
	}
}

// As one vendor, for turns: the usual one, with hand-over, and nothing is remembered.
func TestAsOneVendor(t *testing.T) {
	store := &memory{}
	s, first, second := newService(t, func(o *Options) { o.Clips = store })
	mouth, ears := s.Synthesizer(), s.Transcriber()
	if mouth.Name() != "first" || ears.Name() != "first" || mouth.Signature(providers.Script{VoiceID: "v"}) != "first v" {
		t.Errorf("the names are %q and %q", mouth.Name(), ears.Name())
	}
	first.err = down(providers.Unavailable)
	clip, err := mouth.Synthesize(t.Context(), providers.Script{Text: "Hola."})
	if err != nil || clip.Vendor != "second" {
		t.Errorf("%q spoke, %v", clip.Vendor, err)
	}
	if heard, err := ears.Transcribe(t.Context(), providers.Recording{}); err != nil || heard.Text != "second" {
		t.Errorf("heard %+v, %v", heard, err)
	}
	if len(store.clips) != 0 || len(second.asked) != 1 {
		t.Errorf("a tutor's answer was kept: %v", store.clips)
	}
	first.err = nil
	if voices, err := mouth.Voices(t.Context()); err != nil || voices[0].ID != "first" {
		t.Errorf("voices %v, %v", voices, err)
	}
}

// Voices are those of one vendor, never another's.
func TestVoices(t *testing.T) {
	s, first, _ := newService(t, nil)
	for provider, want := range map[string]string{"": "elevenlabs first", "openai": "openai second"} {
		name, voices, err := s.Voices(t.Context(), provider)
		if err != nil || name+" "+voices[0].ID != want {
			t.Errorf("of %q: %s %v, %v", provider, name, voices, err)
		}
	}
	if _, _, err := s.Voices(t.Context(), "acme"); providers.KindOf(err) != providers.Unavailable {
		t.Errorf("of nobody: %v", err)
	}
	first.err = down(providers.Denied)
	if _, _, err := s.Voices(t.Context(), ""); err != first.err {
		t.Errorf("%v, want the vendor's own error", err)
	}
}

// memory is a store of clips.
type memory struct {
	clips map[string]string
	err   error
}

func (m *memory) Clip(_ context.Context, key string) ([]byte, bool, error) {
	mp3, ok := m.clips[key]
	return []byte(mp3), ok, m.err
}

func (m *memory) KeepClip(_ context.Context, key string, mp3 []byte) error {
	if m.clips == nil {
		m.clips = map[string]string{}
	}
	m.clips[key] = string(mp3)
	return m.err
}

// listen reads a clip to its end.
func listen(t *testing.T, s *Service, text string) (string, error) {
	t.Helper()
	clip, err := s.Synthesize(t.Context(), "", providers.Script{Text: text})
	if err != nil {
		return "", err
	}
	defer clip.Close()
	b, err := io.ReadAll(clip)
	return string(b), err
}

// A short text is paid for once, a long one each time; the store learns neither text nor
// voice, and one that is away costs nobody a clip.
func TestClipsAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		s, first, _ := newService(t, func(o *Options) { o.Clips = store })
		for range 3 {
			if got, err := listen(t, s, "Hola."); got != "first " || err != nil {
				t.Errorf("heard %q, %v", got, err)
			}
			synctest.Wait() // it is kept behind the listener's back
		}
		if len(first.asked) != 1 || len(store.clips) != 1 {
			t.Errorf("the vendor was asked %d times, %d clips are kept", len(first.asked), len(store.clips))
		}
		for key := range store.clips {
			if len(key) != 64 || strings.Contains(key, "Hola") {
				t.Errorf("the key is %q", key)
			}
		}
		long := strings.Repeat("é", MaxRepeated+1)
		_, _ = listen(t, s, long)
		_, _ = listen(t, s, long)
		if len(first.asked) != 3 || len(store.clips) != 1 {
			t.Errorf("a long text: asked %d times in all, %d clips are kept", len(first.asked), len(store.clips))
		}
		store.err = errors.New("the store is away")
		if got, err := listen(t, s, "Adiós."); got != "first " || err != nil {
			t.Errorf("without a store: %q, %v", got, err)
		}
	})
}

// A clip that breaks off is heard so far, is not kept, and is asked for again.
func TestBrokenClipsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		s, first, _ := newService(t, func(o *Options) { o.Clips = store })
		cut := down(providers.Unavailable)
		first.clip = func(context.Context, providers.Script) (providers.Clip, error) {
			return providers.Clip{ReadCloser: io.NopCloser(io.MultiReader(strings.NewReader("half"), failing{cut})), Vendor: "first"}, nil
		}
		for n := range 2 {
			if got, err := listen(t, s, "Hola."); got != "half" || err != cut {
				t.Errorf("heard %q, %v", got, err)
			}
			synctest.Wait()
			if len(first.asked) != n+1 || len(store.clips) != 0 {
				t.Errorf("asked %d times, kept %v", len(first.asked), store.clips)
			}
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// held is a clip that arrives when the test says so.
func held(v *vendor) (send *io.PipeWriter) {
	out, in := io.Pipe()
	v.clip = func(ctx context.Context, _ providers.Script) (providers.Clip, error) {
		context.AfterFunc(ctx, func() { _ = in.CloseWithError(context.Cause(ctx)) })
		return providers.Clip{ReadCloser: out, Vendor: v.name}, nil
	}
	return in
}

// Everybody who asks for the same while it is being spoken hears one call, from its
// beginning, as it comes; who leaves disturbs nobody, and the last who leaves ends it.
func TestIdenticalRequestsShareOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, first, _ := newService(t, func(o *Options) { o.Clips = &memory{} })
		send := held(first)
		clips := make(chan providers.Clip, 3)
		ask := func() {
			clip, err := s.Synthesize(t.Context(), "", providers.Script{Text: "Hola."})
			if err != nil {
				t.Errorf("Synthesize: %v", err)
			}
			clips <- clip
		}
		go ask()
		go ask()
		_, _ = send.Write([]byte("one "))
		go ask() // late, and still from the beginning
		a, b, c := <-clips, <-clips, <-clips
		_ = a.Close()
		buf := make([]byte, 4)
		for _, clip := range []providers.Clip{b, c} {
			if _, err := io.ReadFull(clip, buf); err != nil || string(buf) != "one " {
				t.Errorf("the first part is %q, %v", buf, err)
			}
		}
		go func() {
			_, _ = send.Write([]byte("two"))
			_ = send.Close()
		}()
		for _, clip := range []providers.Clip{b, c} {
			if rest, err := io.ReadAll(clip); err != nil || string(rest) != "two" {
				t.Errorf("the rest is %q, %v", rest, err)
			}
			_ = clip.Close()
		}
		if len(first.asked) != 1 {
			t.Errorf("the vendor was asked %d times", len(first.asked))
		}
		if _, err := a.Read(buf); err != errLeft {
			t.Errorf("a closed clip reads with %v", err)
		}
	})
}

// When every listener has left, the vendor's call ends, and whoever asks next gets a new one.
func TestLastListenerEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, first, _ := newService(t, func(o *Options) { o.Clips = &memory{} })
		send := held(first)
		go func() { _, _ = send.Write([]byte("one")) }()
		clip, err := s.Synthesize(t.Context(), "", providers.Script{Text: "Hola."})
		if err != nil {
			t.Fatal(err)
		}
		_ = clip.Close()
		synctest.Wait()
		if _, err := send.Write([]byte("two")); err == nil {
			t.Error("the vendor still speaks")
		}
		first.clip = nil
		if got, err := listen(t, s, "Hola."); got != "first " || err != nil || len(first.asked) != 2 {
			t.Errorf("asked again: %q, %v", got, err)
		}
		// A listener whose own time is up leaves the same way.
		send = held(first)
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("hung up")
		go func() { synctest.Wait(); cancel(why) }()
		if _, err := s.Synthesize(ctx, "", providers.Script{Text: "Adiós."}); err != why {
			t.Errorf("%v, want the context's cause", err)
		}
		synctest.Wait()
		if _, err := send.Write([]byte("x")); err == nil {
			t.Error("the vendor still speaks")
		}
	})
}

// Close ends what is arriving and refuses what comes later.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, first, _ := newService(t, func(o *Options) { o.Clips = &memory{} })
		send := held(first)
		go func() { _, _ = send.Write([]byte("one")) }()
		clip, err := s.Synthesize(t.Context(), "", providers.Script{Text: "Hola."})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadAll(clip); providers.KindOf(err) != providers.Unavailable {
			t.Errorf("the clip ended with %v", err)
		}
		_ = clip.Close()
		if _, err := s.Synthesize(t.Context(), "", providers.Script{Text: "Hola."}); providers.KindOf(err) != providers.Unavailable {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// A service without vendors is none.
func TestNewRefuses(t *testing.T) {
	v := &vendor{}
	for _, opt := range []Options{{}, {Transcribers: []Transcriber{{"a", v}}}, {Synthesizers: []Synthesizer{{"a", v}}}} {
		if _, err := New(opt); err == nil {
			t.Errorf("%d and %d vendors are enough", len(opt.Transcribers), len(opt.Synthesizers))
		}
	}
}
