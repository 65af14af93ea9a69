package providertest

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"

	"go.uber.org/goleak"

	"kalami/providers"
	"kalami/providers/simulate"
)

// VoiceUnderTest says how to make the voice that [Voice] examines, and what its
// vendor's way of speaking allows it to notice.
type VoiceUnderTest struct {
	// Vendor whose simulator it talks to.
	Vendor simulate.Vendor
	// New makes a voice for one test, and has it closed when the test ends.
	New func(t *testing.T, at VoiceEndpoint) providers.Voice
	// Spent is the simulator's refusal that means a used-up quota.
	Spent simulate.Fault
	// Socket says that a stream holds a connection, whose loss it notices.
	Socket bool
	// Marks says that characters are placed in the audio.
	Marks bool
	// Framed says that the vendor's messages have an end and a form of their own, so
	// that a missing terminal message and garbage between the audio are noticed.
	Framed bool
	// Restarts is how often it begins again by itself where it was broken off; the suite
	// breaks off each time.
	Restarts int
}

// VoiceEndpoint is where a voice under test must go.
type VoiceEndpoint struct {
	// BaseURL is the simulator's scheme and host, without a path.
	BaseURL string
	// Key that the simulator demands.
	Key string
}

// Voice checks that a voice keeps the contract of [providers.Voice], against its
// vendor's simulator on a loopback socket.
func Voice(t *testing.T, newFixture func() VoiceUnderTest) {
	under := newFixture()
	before := goleak.IgnoreCurrent()
	t.Run("speaks in order", func(t *testing.T) { testVoiceSpeaks(t, under) })
	t.Run("flushes", func(t *testing.T) { testVoiceFlushes(t, under) })
	t.Run("has nothing to say", func(t *testing.T) { testVoiceNothing(t, under) })
	t.Run("is cancelled", func(t *testing.T) { testVoiceCancelled(t, under) })
	t.Run("is interrupted again and again", func(t *testing.T) { testVoiceBargeIn(t, under) })
	t.Run("ignores what it does not know", func(t *testing.T) { testVoiceUnknown(t, under) })
	t.Run("breaks off", func(t *testing.T) { testVoiceBreaks(t, under) })
	t.Run("is refused", func(t *testing.T) { testVoiceRefused(t, under) })
	t.Run("stalls", func(t *testing.T) { testVoiceStalls(t, under) })
	t.Run("keeps to its contexts", func(t *testing.T) { testVoiceContexts(t, under) })
	t.Run("is closed", func(t *testing.T) { testVoiceClosed(t, under) })
	if err := goleak.Find(before); err != nil {
		t.Errorf("goroutines left over: %v", err)
	}
}

// voiceRate is what the suite asks for, in hertz.
const voiceRate = 24000

// voiceBench is a voice and the simulator that it talks to.
type voiceBench struct {
	under VoiceUnderTest
	voice providers.Voice
	sim   *simulate.Server
}

// newVoiceBench starts a simulator and a voice for one test.
func newVoiceBench(t *testing.T, under VoiceUnderTest, l simulate.Latency) *voiceBench {
	t.Helper()
	return newVoiceBenchWithKey(t, under, l, simulatorKey)
}

func newVoiceBenchWithKey(t *testing.T, under VoiceUnderTest, l simulate.Latency, key string) *voiceBench {
	t.Helper()
	b := &voiceBench{under: under, sim: simulate.New(simulate.Options{Key: simulatorKey, Latency: l, Engine: "none"})}
	web := httptest.NewServer(b.sim)
	t.Cleanup(func() {
		b.sim.Close()
		web.Close()
	})
	b.voice = under.New(t, VoiceEndpoint{BaseURL: web.URL, Key: key})
	return b
}

// inject puts a fault of the bench's vendor in.
func (b *voiceBench) inject(f simulate.Fault) {
	f.Vendor = b.under.Vendor
	b.sim.Inject(f)
}

// open opens a stream that is closed with the test.
func (b *voiceBench) open(t *testing.T) providers.VoiceStream {
	t.Helper()
	st, err := b.voice.Open(t.Context(), providers.SpeakOptions{Language: "en", SampleRate: voiceRate})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return st
}

// say begins an utterance.
func say(t *testing.T, st providers.VoiceStream) providers.Utterance {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	u, err := st.Say(ctx)
	if err != nil {
		t.Fatalf("Say: %v", err)
	}
	return u
}

// write hands text over, each clause flushed, and ends it.
func write(t *testing.T, u providers.Utterance, clauses ...string) {
	t.Helper()
	for _, c := range clauses {
		if err := u.Write(t.Context(), c, true); err != nil {
			t.Fatalf("Write: %v", err)
		}
	}
	if err := u.End(t.Context()); err != nil {
		t.Fatalf("End: %v", err)
	}
}

// spoken is what an utterance amounted to.
type spoken struct {
	pcm   []byte
	marks []providers.CharMark
	err   error // io.EOF for a whole one
}

// listen takes an utterance's audio until Next returns an error, which it does
// again when asked again.
func listen(t *testing.T, u providers.Utterance) spoken {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out spoken
	for {
		c, err := u.Next(ctx)
		if err != nil {
			if _, again := u.Next(ctx); !errors.Is(again, err) && ctx.Err() == nil {
				t.Errorf("Next returned %v, and then %v", err, again)
			}
			out.err = err
			return out
		}
		if len(c.PCM)%2 != 0 {
			t.Fatalf("a chunk of %d bytes divides a sample", len(c.PCM))
		}
		out.pcm = append(out.pcm, c.PCM...)
		out.marks = append(out.marks, c.Marks...)
	}
}

// ms is the audio's length.
func (s spoken) ms() int { return len(s.pcm) / 2 * 1000 / voiceRate }

// level is the audio's root mean square, of full scale.
func (s spoken) level() float64 {
	sum := 0.0
	for i := 0; i+1 < len(s.pcm); i += 2 {
		v := float64(int16(binary.LittleEndian.Uint16(s.pcm[i:]))) / 32768
		sum += v * v
	}
	return math.Sqrt(sum / float64(max(1, len(s.pcm)/2)))
}

// text is what the marks spell, without white space.
func (s spoken) text() string {
	var b strings.Builder
	for _, m := range s.marks {
		b.WriteString(m.Char)
	}
	return withoutSpace(b.String())
}

func withoutSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// checkMarks fails the test unless the marks rise, lie in the audio and spell text.
func (s spoken) checkMarks(t *testing.T, text string) {
	t.Helper()
	if got, want := s.text(), withoutSpace(text); got != want {
		t.Errorf("the marks spell %q, want %q", got, want)
	}
	last := 0
	for i, m := range s.marks {
		if m.StartMS < last || m.EndMS < m.StartMS || m.EndMS > s.ms()+1 {
			t.Errorf("mark %d (%q) at %d-%d ms after one at %d, in %d ms of audio", i, m.Char, m.StartMS, m.EndMS, last, s.ms())
			return
		}
		last = m.StartMS
	}
	if n := len(s.marks); n > 0 && s.marks[n-1].EndMS < s.ms()/2 {
		t.Errorf("the last mark ends at %d of %d ms", s.marks[n-1].EndMS, s.ms())
	}
}

// vendorFailure returns err as an *Error of a kind, or fails the test.
func vendorFailure(t *testing.T, err error, want providers.Kind) *providers.Error {
	t.Helper()
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		t.Fatalf("error %v (%T), want a *providers.Error", err, err)
	}
	if e.Kind != want {
		t.Fatalf("kind %v, want %v: %v", e.Kind, want, e)
	}
	if e.Vendor == "" || e.Op == "" {
		t.Errorf("vendor %q, op %q; want both", e.Vendor, e.Op)
	}
	return e
}

// returns runs f and fails the test when it does not return while a correct
// implementation would have returned many times over.
func returns(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s still blocks after %v", what, patience)
	}
}

// isEnd says whether err is the end of a whole utterance.
func isEnd(err error) bool { return errors.Is(err, io.EOF) }
