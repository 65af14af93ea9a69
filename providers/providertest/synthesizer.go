package providertest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	gomp3 "github.com/hajimehoshi/go-mp3"
	"go.uber.org/goleak"

	"kalami/providers"
	"kalami/providers/simulate"
)

// SynthesizerUnderTest says how to make the synthesizer that [Synthesizer] examines.
type SynthesizerUnderTest struct {
	// Vendor whose simulator it talks to.
	Vendor simulate.Vendor
	// New makes a synthesizer for one test, and has it closed when the test ends.
	New func(t *testing.T, at VoiceEndpoint) providers.Synthesizer
	// Spent is the simulator's refusal that means a used-up quota.
	Spent simulate.Fault
	// Voice is one that the vendor has.
	Voice string
}

// Synthesizer checks that a client keeps the contract of [providers.Synthesizer],
// against its vendor's simulator on a loopback socket.
func Synthesizer(t *testing.T, under SynthesizerUnderTest) {
	before := goleak.IgnoreCurrent()
	t.Run("speaks", func(t *testing.T) { testSynthesizerSpeaks(t, under) })
	t.Run("begins before the end is made", func(t *testing.T) { testSynthesizerStreams(t, under) })
	t.Run("keeps the pace", func(t *testing.T) { testSynthesizerPace(t, under) })
	t.Run("signs", func(t *testing.T) { testSynthesizerSignature(t, under) })
	t.Run("is given what it cannot speak", func(t *testing.T) { testSynthesizerInvalid(t, under) })
	t.Run("is refused", func(t *testing.T) { testSynthesizerRefused(t, under) })
	t.Run("breaks off", func(t *testing.T) { testSynthesizerBreaks(t, under) })
	t.Run("stalls", func(t *testing.T) { testSynthesizerStalls(t, under) })
	t.Run("is closed early", func(t *testing.T) { testSynthesizerClosed(t, under) })
	t.Run("lists its voices", func(t *testing.T) { testSynthesizerVoices(t, under) })
	if err := goleak.Find(before); err != nil {
		t.Errorf("goroutines left over: %v", err)
	}
}

// synthesizerBench is a synthesizer and the simulator that it talks to.
type synthesizerBench struct {
	providers.Synthesizer
	under SynthesizerUnderTest
	sim   *simulate.Server
	asked chan struct{} // one for each request that has been answered to its end
}

func newSynthesizerBench(t *testing.T, under SynthesizerUnderTest) *synthesizerBench {
	t.Helper()
	return newSynthesizerBenchWithKey(t, under, simulatorKey)
}

func newSynthesizerBenchWithKey(t *testing.T, under SynthesizerUnderTest, key string) *synthesizerBench {
	t.Helper()
	b := &synthesizerBench{under: under, sim: simulate.New(simulate.Options{Key: simulatorKey, Engine: "none"}), asked: make(chan struct{}, 64)}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { b.asked <- struct{}{} }()
		b.sim.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		b.sim.Close()
		web.Close()
	})
	b.Synthesizer = under.New(t, VoiceEndpoint{BaseURL: web.URL, Key: key})
	return b
}

func (b *synthesizerBench) inject(f simulate.Fault) {
	f.Vendor = b.under.Vendor
	b.sim.Inject(f)
}

// say asks for a clip that the test closes.
func (b *synthesizerBench) say(t *testing.T, s providers.Script) providers.Clip {
	t.Helper()
	clip, err := b.Synthesize(t.Context(), s)
	if err != nil {
		t.Fatalf("Synthesize: %v", err)
	}
	t.Cleanup(func() { _ = clip.Close() })
	return clip
}

// spokenMS reads a clip to its end and returns its length, decoded, in milliseconds.
func (b *synthesizerBench) spokenMS(t *testing.T, s providers.Script) int {
	t.Helper()
	mp3, err := io.ReadAll(b.say(t, s))
	if err != nil {
		t.Fatalf("reading the clip: %v", err)
	}
	return lengthMS(t, mp3)
}

// lengthMS decodes MP3.
func lengthMS(t *testing.T, mp3 []byte) int {
	t.Helper()
	d, err := gomp3.NewDecoder(bytes.NewReader(mp3))
	if err != nil {
		t.Fatalf("%d bytes are not MP3: %v", len(mp3), err)
	}
	pcm, err := io.ReadAll(d)
	if err != nil {
		t.Fatalf("the clip cannot be decoded: %v", err)
	}
	return len(pcm) / 4 * 1000 / d.SampleRate() // two channels of 16 bits
}

// spokenText takes some three seconds.
const spokenText = firstClause + secondClause

// english is a script in it.
func english() providers.Script { return providers.Script{Text: spokenText, Language: "en"} }

// A clip is MP3, whole, and ends for good.
func testSynthesizerSpeaks(t *testing.T, under SynthesizerUnderTest) {
	b := newSynthesizerBench(t, under)
	clip := b.say(t, english())
	if clip.Vendor != b.Name() || clip.Vendor == "" {
		t.Errorf("the clip is of %q, the client's name %q", clip.Vendor, b.Name())
	}
	mp3, err := io.ReadAll(clip)
	if err != nil {
		t.Fatal(err)
	}
	if ms := lengthMS(t, mp3); ms < 1000 {
		t.Errorf("%q takes only %d ms", spokenText, ms)
	}
	if n, err := clip.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the end: %d, %v", n, err)
	}
	for range 2 {
		if err := clip.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

// The first bytes are handed out while the vendor has not made the last ones.
func testSynthesizerStreams(t *testing.T, under SynthesizerUnderTest) {
	b := newSynthesizerBench(t, under)
	b.inject(simulate.Fault{Kind: simulate.FaultHold, After: 2})
	clip := b.say(t, english())
	first := make([]byte, 256)
	if _, err := io.ReadFull(clip, first); err != nil {
		t.Fatalf("the beginning: %v", err)
	}
	select {
	case <-b.asked:
		t.Fatal("the vendor has finished")
	default:
	}
	b.sim.ClearFaults()
	rest, err := io.ReadAll(clip)
	if err != nil {
		t.Fatalf("the rest: %v", err)
	}
	if ms, whole := lengthMS(t, append(first, rest...)), b.spokenMS(t, english()); ms != whole {
		t.Errorf("the clip that was held has %d ms, another %d", ms, whole)
	}
}

// The speed changes the length as it says; styles other than slow do not.
func testSynthesizerPace(t *testing.T, under SynthesizerUnderTest) {
	b := newSynthesizerBench(t, under)
	pace := func(style providers.Style, speed float64) float64 {
		s := english()
		s.Style, s.Speed = style, speed
		return float64(b.spokenMS(t, s))
	}
	normal := pace("", 0)
	for _, tc := range []struct {
		name  string
		style providers.Style
		speed float64
		want  float64 // of the normal length
	}{
		{"normal", providers.Neutral, 1, 1},
		{"slow", "", 0.75, 1 / 0.75},
		{"fast", "", 1.2, 1 / 1.2},
		{"the style slow", providers.Slow, 0, 1 / 0.8},
		{"friendly", providers.Friendly, 1, 1},
		{"encouraging", providers.Encouraging, 0, 1},
	} {
		if got := pace(tc.style, tc.speed) / normal; got < tc.want*0.93 || got > tc.want*1.07 {
			t.Errorf("%s: %.2f of the normal length, want %.2f", tc.name, got, tc.want)
		}
	}
	if pace("", 0.01) < normal || pace("", 100) > normal {
		t.Error("a speed beyond the vendor's range goes the wrong way")
	}
}

// A signature tells apart what sounds different, and knows nothing of the text.
func testSynthesizerSignature(t *testing.T, under SynthesizerUnderTest) {
	b := newSynthesizerBench(t, under)
	plain := b.Signature(english())
	if plain == "" || plain != b.Signature(providers.Script{Text: "Another.", Language: "en", Speed: 1, Style: providers.Neutral}) {
		t.Errorf("the signature %q is another for the same voice", plain)
	}
	seen := map[string]string{plain: "plain"}
	for name, change := range map[string]func(*providers.Script){
		"another voice": func(s *providers.Script) { s.VoiceID = "somebody" },
		"slower":        func(s *providers.Script) { s.Speed = 0.8 },
		"faster":        func(s *providers.Script) { s.Speed = 1.1 },
		"friendly":      func(s *providers.Script) { s.Style = providers.Friendly; s.Speed = 1.05 },
	} {
		s := english()
		change(&s)
		signature := b.Signature(s)
		if other, ok := seen[signature]; ok {
			t.Errorf("%s has the signature of %s: %s", name, other, signature)
		}
		seen[signature] = name
	}
}

// What cannot be spoken is Invalid, and no request is made.
func testSynthesizerInvalid(t *testing.T, under SynthesizerUnderTest) {
	b := newSynthesizerBench(t, under)
	for _, text := range []string{"", string(bytes.Repeat([]byte("too long "), 10_000))} {
		_, err := b.Synthesize(t.Context(), providers.Script{Text: text, Language: "en"})
		vendorFailure(t, err, providers.Invalid)
	}
	if len(b.asked) != 0 {
		t.Errorf("%d requests for what cannot be spoken", len(b.asked))
	}
}

// Closing a clip early ends the vendor's call.
func testSynthesizerClosed(t *testing.T, under SynthesizerUnderTest) {
	b := newSynthesizerBench(t, under)
	b.inject(simulate.Fault{Kind: simulate.FaultStall, After: 1})
	clip := b.say(t, english())
	returns(t, "Close", func() {
		if err := clip.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	returns(t, "the vendor", func() { <-b.asked })
}

// A vendor that falls silent holds a reader up as long as the context lives.
func testSynthesizerStalls(t *testing.T, under SynthesizerUnderTest) {
	b := newSynthesizerBench(t, under)
	if _, err := b.Synthesize(ended(t), english()); !errors.Is(err, errMoved) {
		t.Errorf("with a context that is over: %v, want its cause", err)
	}
	for after := range 2 {
		b.inject(simulate.Fault{Kind: simulate.FaultStall, After: after})
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(50*time.Millisecond, func() { cancel(errMoved) })
		returns(t, "the clip after its context's end", func() {
			clip, err := b.Synthesize(ctx, english())
			if err == nil {
				_, err = io.ReadAll(clip)
				_ = clip.Close()
			}
			if !errors.Is(err, errMoved) {
				t.Errorf("after %d pieces: %v, want the context's cause", after, err)
			}
		})
	}
}

// Every voice has a name for requests and one for people.
func testSynthesizerVoices(t *testing.T, under SynthesizerUnderTest) {
	b := newSynthesizerBench(t, under)
	voices, err := b.Voices(t.Context())
	if err != nil || len(voices) == 0 {
		t.Fatalf("%d voices, %v", len(voices), err)
	}
	seen := map[string]bool{}
	for _, v := range voices {
		if v.ID == "" || v.Name == "" || v.Labels == nil || v.Vendor != b.Name() || seen[v.ID] {
			t.Errorf("a voice is %+v", v)
		}
		seen[v.ID] = true
	}
	if !seen[under.Voice] {
		t.Errorf("%q is not among the voices %v", under.Voice, seen)
	}
	s := english()
	s.VoiceID = under.Voice
	if ms := b.spokenMS(t, s); ms < 1000 {
		t.Errorf("that voice speaks for %d ms", ms)
	}
}
