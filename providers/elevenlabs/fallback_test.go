package elevenlabs_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kalami/providers"
	"kalami/providers/elevenlabs"
	"kalami/providers/simulate"
)

// A socket that is refused is replaced by HTTP, unless the refusal concerns HTTP too.
func TestFallback(t *testing.T) {
	tests := []struct {
		name          string
		fault         simulate.Fault
		model         string
		sockets, http int32
		want          providers.Kind // of Open's error
	}{
		{"socket", simulate.Fault{}, "", 1, 0, 0},
		{"no such path", simulate.Fault{Kind: simulate.FaultStatus, Status: 404}, "", 1, 1, 0},
		{"server error", simulate.Fault{Kind: simulate.FaultStatus, Status: 503}, "", 1, 1, 0},
		{"wrong key", simulate.Fault{Kind: simulate.FaultStatus, Status: 401}, "", 1, 0, providers.Denied},
		{"quota", simulate.Fault{Kind: simulate.FaultStatus, Status: 401, Message: "quota_exceeded: Used up."}, "", 1, 0, providers.Quota},
		{"too many", simulate.Fault{Kind: simulate.FaultStatus, Status: 429}, "", 1, 0, providers.Overloaded},
		{"model without a socket", simulate.Fault{}, "eleven_v3", 0, 1, 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			sim := simulate.New(simulate.Options{Engine: "none"})
			var sockets, posts atomic.Int32
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					posts.Add(1)
				} else {
					sockets.Add(1)
				}
				sim.ServeHTTP(w, r)
			}))
			defer web.Close()
			defer sim.Close()
			if tc.fault.Kind != "" {
				tc.fault.Vendor = simulate.ElevenLabs
				sim.Inject(tc.fault)
			}
			c := newClient(t, elevenlabs.Options{BaseURL: web.URL + "/", Model: tc.model})
			st, err := c.Open(t.Context(), providers.SpeakOptions{Language: "en", SampleRate: 16000})
			if providers.KindOf(err) != tc.want {
				t.Fatalf("Open: %v, want kind %v", err, tc.want)
			}
			if err == nil {
				if _, _, err := heard(t, begin(t, st, "Good evening, and welcome!")); !errors.Is(err, io.EOF) {
					t.Errorf("heard: %v", err)
				}
				if err := st.Close(); err != nil {
					t.Error(err)
				}
			}
			if sockets.Load() != tc.sockets || posts.Load() != tc.http {
				t.Errorf("%d handshakes and %d requests, want %d and %d", sockets.Load(), posts.Load(), tc.sockets, tc.http)
			}
		})
	}
}

// A vendor that drops a context which is closed too early still speaks for us.
func TestEarlyCloseLosesNothing(t *testing.T) {
	sim := simulate.New(simulate.Options{Engine: "none", Latency: simulate.BenchLatency()})
	web := httptest.NewServer(sim)
	defer web.Close()
	defer sim.Close()
	sim.Inject(simulate.Fault{Vendor: simulate.ElevenLabs, Kind: simulate.FaultEarlyClose})
	c := newClient(t, elevenlabs.Options{BaseURL: web.URL})
	st, err := c.Open(t.Context(), providers.SpeakOptions{Language: "en", SampleRate: 24000})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	const text = "Of course."
	if ms, got, err := heard(t, begin(t, st, text)); ms < 300 || strings.TrimSpace(got) != text || !errors.Is(err, io.EOF) {
		t.Errorf("heard %d ms %q, %v", ms, got, err)
	}
}

// A service without timestamps is asked for audio alone, once it is known to lack
// them; audio that is cut short is an error, and so is a page instead of audio.
func TestWithoutTimestamps(t *testing.T) {
	sim := simulate.New(simulate.Options{Engine: "none"})
	var refused atomic.Int32
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "with-timestamps") {
			refused.Add(1)
			http.NotFound(w, r)
			return
		}
		sim.ServeHTTP(w, r)
	}))
	defer web.Close()
	defer sim.Close()
	c := newClient(t, elevenlabs.Options{BaseURL: web.URL, HTTPOnly: true})
	st, err := c.Open(t.Context(), providers.SpeakOptions{Language: "en", SampleRate: 24000})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for range 2 {
		if ms, text, err := heard(t, begin(t, st, "Good evening, and welcome!")); ms < 1000 || text != "" || !errors.Is(err, io.EOF) {
			t.Errorf("heard %d ms %q, %v", ms, text, err)
		}
	}
	if refused.Load() != 1 {
		t.Errorf("asked %d times for timestamps", refused.Load())
	}
	for _, kind := range []simulate.FaultKind{simulate.FaultCut, simulate.FaultStall} {
		sim.Inject(simulate.Fault{Vendor: simulate.ElevenLabs, Kind: kind, After: 3})
		patient := newClient(t, elevenlabs.Options{BaseURL: web.URL, HTTPOnly: true, DialTimeout: 300 * time.Millisecond})
		short, err := patient.Open(t.Context(), providers.SpeakOptions{Language: "en", SampleRate: 24000})
		if err != nil {
			t.Fatal(err)
		}
		// The first request of each stream is for timestamps and meets no fault.
		ms, _, err := heard(t, begin(t, short, "Good evening, and welcome!"))
		if providers.KindOf(err) != providers.Unavailable || ms == 0 {
			t.Errorf("%s: heard %d ms, %v", kind, ms, err)
		}
		if err := short.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, tc := range []struct {
		opt  elevenlabs.Options
		want string
	}{
		{elevenlabs.Options{BaseURL: "ftp://x"}, "scheme"},
		{elevenlabs.Options{BaseURL: "https://"}, "no host"},
		{elevenlabs.Options{BaseURL: "http://a b"}, "base URL"},
		{elevenlabs.Options{Voice: "../voices"}, "voice"},
		{elevenlabs.Options{Voices: map[string]string{"es": "a/b"}}, `voice for "es"`},
	} {
		if _, err := elevenlabs.New(tc.opt); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v, want an error about %s", tc.opt, err, tc.want)
		}
	}
	c := newClient(t, elevenlabs.Options{BaseURL: "wss://example.test/prefix"})
	if c.Name() != "elevenlabs" {
		t.Error(c.Name())
	}
	if _, err := c.Open(t.Context(), providers.SpeakOptions{VoiceID: "x/../y", SampleRate: 24000}); providers.KindOf(err) != providers.Invalid {
		t.Errorf("a voice id with a path: %v", err)
	}
}
