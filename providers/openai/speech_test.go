package openai_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kalami/providers"
	"kalami/providers/openai"
	"kalami/providers/simulate"
)

const key = "sk-test-0123456789"

// startSimulator serves the vendors' protocols on loopback until the test ends.
func startSimulator(t *testing.T, latency simulate.Latency) (*simulate.Server, string) {
	t.Helper()
	sim := simulate.New(simulate.Options{Key: key, Engine: "none", Latency: latency})
	web := httptest.NewServer(sim)
	t.Cleanup(func() {
		sim.Close()
		web.Close()
	})
	return sim, web.URL + "/v1"
}

// newVoice makes a voice that is closed when the test ends.
func newVoice(t *testing.T, opt openai.VoiceOptions) *openai.Voice {
	t.Helper()
	if opt.Key == "" {
		opt.Key = key
	}
	v, err := openai.NewVoice(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// open opens a stream that is closed when the test ends.
func open(t *testing.T, v *openai.Voice, opt providers.SpeakOptions) providers.VoiceStream {
	t.Helper()
	s, err := v.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// hear takes an utterance's audio to its end.
func hear(ctx context.Context, u providers.Utterance) (pcm []byte, err error) {
	for {
		c, err := u.Next(ctx)
		if err != nil {
			return pcm, err
		}
		pcm = append(pcm, c.PCM...)
	}
}

func TestVoiceSpeaksEveryClause(t *testing.T) {
	_, base := startSimulator(t, simulate.Latency{})
	v := newVoice(t, openai.VoiceOptions{Endpoint: openai.Endpoint{BaseURL: base}})
	spoken := map[int]int{}
	for _, rate := range []int{24000, 16000} {
		s := open(t, v, providers.SpeakOptions{Language: "en", SampleRate: rate})
		u, err := s.Say(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var writing sync.WaitGroup
		writing.Go(func() {
			// More clauses than may be under way: the writer must wait, not fail.
			for _, clause := range []string{"Of course. ", "We have fish, ", "chicken, ", "or soup. ", "… ", "Which one "} {
				if err := u.Write(t.Context(), clause, true); err != nil {
					t.Errorf("write %q: %v", clause, err)
				}
			}
			if err := errors.Join(u.Write(t.Context(), "would you like?", false), u.End(t.Context())); err != nil {
				t.Errorf("end: %v", err)
			}
		})
		pcm, err := hear(t.Context(), u)
		writing.Wait()
		if err != io.EOF {
			t.Fatalf("the utterance ended with %v, want io.EOF", err)
		}
		if len(pcm)%2 != 0 {
			t.Errorf("%d bytes: half a sample", len(pcm))
		}
		spoken[rate] = len(pcm) / 2 * 1000 / rate
		if loud := rms(pcm); loud < 100 {
			t.Errorf("at %d Hz the audio is nearly silent: rms %.0f", rate, loud)
		}
		if err := u.Write(t.Context(), "more", true); err == nil {
			t.Error("text was taken after the end")
		}
		u.Cancel() // harmless now
		if _, err := u.Next(t.Context()); err != io.EOF {
			t.Errorf("after the end: %v, want io.EOF again", err)
		}
	}
	if a, b := spoken[24000], spoken[16000]; a < 1500 || max(a-b, b-a) > 20 {
		t.Errorf("%d ms at 24 kHz and %d ms at 16 kHz; want the same length", a, b)
	}
}

// rms is the loudness of 16-bit audio.
func rms(pcm []byte) float64 {
	var sum float64
	for i := 0; i+1 < len(pcm); i += 2 {
		v := float64(int16(binary.LittleEndian.Uint16(pcm[i:])))
		sum += v * v
	}
	return math.Sqrt(sum / max(1, float64(len(pcm)/2)))
}

func TestVoiceChoosesByLanguageAndClampsSpeed(t *testing.T) {
	var mu sync.Mutex
	var bodies []string
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		bodies = append(bodies, string(b))
		mu.Unlock()
		_, _ = w.Write(make([]byte, 4800))
	}))
	defer engine.Close()
	v := newVoice(t, openai.VoiceOptions{
		Endpoint: openai.Endpoint{BaseURL: engine.URL}, Model: "kokoro", Voice: "nova", Voices: map[string]string{"es": "alba"}})
	for _, c := range []struct {
		opt  providers.SpeakOptions
		want []string
		not  string
	}{
		{providers.SpeakOptions{Language: "es-MX", SampleRate: 24000, Speed: 1}, []string{`"voice":"alba"`, `"model":"kokoro"`, `"response_format":"pcm"`, `"input":"Hola."`}, "speed"},
		{providers.SpeakOptions{Language: "fr", SampleRate: 24000, Speed: 9}, []string{`"voice":"nova"`, `"speed":4`}, ""},
		{providers.SpeakOptions{Language: "fr", SampleRate: 24000, Speed: 0.1, VoiceID: "own"}, []string{`"voice":"own"`, `"speed":0.25`}, ""},
	} {
		u, err := open(t, v, c.opt).Say(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(u.Write(t.Context(), " Hola. ", false), u.End(t.Context())); err != nil {
			t.Fatal(err)
		}
		if _, err := hear(t.Context(), u); err != io.EOF {
			t.Fatal(err)
		}
		body := bodies[len(bodies)-1]
		for _, w := range c.want {
			if !strings.Contains(body, w) {
				t.Errorf("%+v: request %s lacks %s", c.opt, body, w)
			}
		}
		if c.not != "" && strings.Contains(body, c.not) {
			t.Errorf("%+v: request %s has %s", c.opt, body, c.not)
		}
	}
}

func TestVoiceFails(t *testing.T) {
	cases := []struct {
		name  string
		fault simulate.Fault
		want  providers.Kind
	}{
		{"wrong key", simulate.Fault{Kind: simulate.FaultStatus, Status: 401}, providers.Denied},
		{"rate limit", simulate.Fault{Kind: simulate.FaultStatus, Status: 429, RetryAfter: 3}, providers.Overloaded},
		{"spent", simulate.Fault{Kind: simulate.FaultStatus, Status: 429, Message: "insufficient_quota"}, providers.Quota},
		{"cut at once", simulate.Fault{Kind: simulate.FaultCut}, providers.Unavailable},
		{"cut in the middle", simulate.Fault{Kind: simulate.FaultCut, After: 2}, providers.Unavailable},
		{"stalled", simulate.Fault{Kind: simulate.FaultStall, After: 2}, providers.Unavailable},
		{"a web page", simulate.Fault{Kind: simulate.FaultGarbage}, providers.Invalid},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sim, base := startSimulator(t, simulate.Latency{})
			v := newVoice(t, openai.VoiceOptions{Endpoint: openai.Endpoint{BaseURL: base}, StallTimeout: 100 * time.Millisecond})
			s := open(t, v, providers.SpeakOptions{Language: "en", SampleRate: 24000})
			c.fault.Vendor = simulate.OpenAI
			sim.Inject(c.fault)
			u, err := s.Say(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			const line = "So you have lived here for five years, how nice!"
			if err := errors.Join(u.Write(t.Context(), line, true), u.End(t.Context())); err != nil {
				t.Fatal(err)
			}
			_, err = hear(t.Context(), u)
			e, ok := errors.AsType[*providers.Error](err)
			if !ok || e.Kind != c.want || e.Op != "speak" {
				t.Fatalf("got %v, want kind %v", err, c.want)
			}
			if strings.Contains(err.Error(), "five years") {
				t.Errorf("the error quotes the text: %v", err)
			}
			if _, again := u.Next(t.Context()); again != err {
				t.Errorf("the next call says %v, want the same error", again)
			}
			// The stream is still good for the next reply.
			u, err = s.Say(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(u.Write(t.Context(), line, true), u.End(t.Context())); err != nil {
				t.Fatal(err)
			}
			if pcm, err := hear(t.Context(), u); err != io.EOF || len(pcm) == 0 {
				t.Errorf("the reply after it: %d bytes, %v", len(pcm), err)
			}
		})
	}
}

func TestVoiceWaitsForTheFirstSampleOnly(t *testing.T) {
	_, base := startSimulator(t, simulate.Latency{TTSFirstByte: simulate.Delay{P50: time.Hour}})
	v := newVoice(t, openai.VoiceOptions{Endpoint: openai.Endpoint{BaseURL: base}, FirstAudioTimeout: 50 * time.Millisecond})
	u, err := open(t, v, providers.SpeakOptions{SampleRate: 16000}).Say(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Write(t.Context(), "Hello.", true); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Next(t.Context()); providers.KindOf(err) != providers.Unavailable || !strings.Contains(err.Error(), "no first audio within 50ms") {
		t.Errorf("got %v", err)
	}
}

func TestVoiceRefusesWAV(t *testing.T) {
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = io.WriteString(w, "RIFF\x00\x00\x00\x00WAVEfmt ")
	}))
	defer engine.Close()
	v := newVoice(t, openai.VoiceOptions{Endpoint: openai.Endpoint{BaseURL: engine.URL}})
	u, err := open(t, v, providers.SpeakOptions{SampleRate: 24000}).Say(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Write(t.Context(), "Hello.", true); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Next(t.Context()); providers.KindOf(err) != providers.Invalid {
		t.Errorf("a WAV file was taken for PCM: %v", err)
	}
}

func TestVoiceStopsAtOnce(t *testing.T) {
	slow := simulate.Latency{TTSRealTime: 1}
	const line = "So you have lived here for five years, how nice! Today we have fresh fish."

	t.Run("by Cancel, whoever waits", func(t *testing.T) {
		_, base := startSimulator(t, slow)
		v := newVoice(t, openai.VoiceOptions{Endpoint: openai.Endpoint{BaseURL: base}})
		s := open(t, v, providers.SpeakOptions{SampleRate: 24000})
		u, err := s.Say(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := u.Write(t.Context(), line, true); err != nil {
				t.Fatal(err)
			}
		}
		blocked := make(chan error, 1)
		go func() { blocked <- u.Write(t.Context(), line, true) }()
		if _, err := u.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		u.Cancel()
		u.Cancel()
		if err := <-blocked; err != providers.ErrCancelled {
			t.Errorf("the waiting Write returned %v", err)
		}
		if _, err := u.Next(t.Context()); err != providers.ErrCancelled {
			t.Errorf("Next returned %v, want ErrCancelled", err)
		}
		if !s.Alive() {
			t.Error("the stream died with the utterance")
		}
	})
	t.Run("by a context", func(t *testing.T) {
		_, base := startSimulator(t, simulate.Latency{TTSFirstByte: simulate.Delay{P50: time.Hour}})
		v := newVoice(t, openai.VoiceOptions{Endpoint: openai.Endpoint{BaseURL: base}, FirstAudioTimeout: time.Hour})
		u, err := open(t, v, providers.SpeakOptions{SampleRate: 24000}).Say(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := u.Write(t.Context(), line, true); err != nil {
			t.Fatal(err)
		}
		why := errors.New("barge-in")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		if _, err := u.Next(ctx); err != why {
			t.Errorf("Next returned %v, want the context's cause", err)
		}
	})
	t.Run("by Close", func(t *testing.T) {
		_, base := startSimulator(t, slow)
		v := newVoice(t, openai.VoiceOptions{Endpoint: openai.Endpoint{BaseURL: base}})
		s := open(t, v, providers.SpeakOptions{SampleRate: 24000})
		u, err := s.Say(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := u.Write(t.Context(), line, true); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := u.Next(t.Context()); err != providers.ErrCancelled {
			t.Errorf("Next returned %v", err)
		}
		if _, err := s.Say(t.Context()); providers.KindOf(err) != providers.Unavailable || s.Alive() {
			t.Errorf("a closed stream speaks: %v", err)
		}
	})
}

func TestVoiceRefusesOtherRates(t *testing.T) {
	v := newVoice(t, openai.VoiceOptions{})
	_, err := v.Open(t.Context(), providers.SpeakOptions{SampleRate: 8000})
	if providers.KindOf(err) != providers.Invalid || !strings.Contains(err.Error(), "sample rate") {
		t.Errorf("got %v", err)
	}
}
