package providertest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"go.uber.org/goleak"

	"kalami/providers"
	"kalami/providers/simulate"
)

// TranscriberUnderTest says how to make the transcriber that [Transcriber] examines.
type TranscriberUnderTest struct {
	// Vendor whose simulator it talks to.
	Vendor simulate.Vendor
	// New makes a transcriber for one test, and has it closed when the test ends.
	New func(t *testing.T, at VoiceEndpoint) providers.Transcriber
	// Spent is the simulator's refusal that means a used-up quota.
	Spent simulate.Fault
	// Recording is a WAV file in English, and Text what the simulator hears in it.
	Recording []byte
	Text      string
	// Words says that the vendor tells where each word is.
	Words bool
	// Bare says that it tells no language, and lengths in whole seconds.
	Bare bool
}

// Transcriber checks that a client keeps the contract of [providers.Transcriber],
// against its vendor's simulator on a loopback socket.
func Transcriber(t *testing.T, under TranscriberUnderTest) {
	before := goleak.IgnoreCurrent()
	t.Run("hears", func(t *testing.T) { testTranscriberHears(t, under) })
	t.Run("hears nothing", func(t *testing.T) { testTranscriberSilence(t, under) })
	t.Run("hears many at once", func(t *testing.T) { testTranscriberCrowd(t, under) })
	t.Run("is given what it cannot hear", func(t *testing.T) { testTranscriberInvalid(t, under) })
	t.Run("is refused", func(t *testing.T) { testTranscriberRefused(t, under) })
	t.Run("breaks off", func(t *testing.T) { testTranscriberBreaks(t, under) })
	t.Run("stalls", func(t *testing.T) { testTranscriberStalls(t, under) })
	if err := goleak.Find(before); err != nil {
		t.Errorf("goroutines left over: %v", err)
	}
}

// transcriberBench is a transcriber and the simulator that it talks to.
type transcriberBench struct {
	providers.Transcriber
	under TranscriberUnderTest
	sim   *simulate.Server
	asked atomic.Int64 // requests
}

func newTranscriberBench(t *testing.T, under TranscriberUnderTest, key string) *transcriberBench {
	t.Helper()
	b := &transcriberBench{under: under, sim: simulate.New(simulate.Options{Key: simulatorKey, Engine: "none"})}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.asked.Add(1)
		b.sim.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		b.sim.Close()
		web.Close()
	})
	b.Transcriber = under.New(t, VoiceEndpoint{BaseURL: web.URL, Key: key})
	return b
}

func (b *transcriberBench) inject(f simulate.Fault) {
	f.Vendor = b.under.Vendor
	b.sim.Inject(f)
}

// english is the recording whose text is known.
func (b *transcriberBench) english() providers.Recording {
	return providers.Recording{Audio: b.under.Recording, Format: providers.WAV, Language: "en-GB"}
}

// hear fails the test when the recording is not heard.
func (b *transcriberBench) hear(t *testing.T, r providers.Recording) providers.Transcript {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got, err := b.Transcribe(ctx, r)
	if err != nil {
		t.Fatalf("Transcribe: %v", err)
	}
	return got
}

// A transcript has the words, and all that the contract promises about them.
func testTranscriberHears(t *testing.T, under TranscriberUnderTest) {
	b := newTranscriberBench(t, under, simulatorKey)
	sent := bytes.Clone(under.Recording)
	length := time.Duration(len(sent)-44) * time.Second / 32000
	for _, language := range []string{"en-GB", "en", ""} {
		b := newTranscriberBench(t, under, simulatorKey)
		got := b.hear(t, providers.Recording{Audio: sent, Format: providers.WAV, Language: language})
		told := "en"
		if under.Bare && language == "" {
			told = ""
		}
		if got.Text != under.Text || got.Language != told {
			t.Errorf("for language %q it heard %q in %q, want %q in %q", language, got.Text, got.Language, under.Text, told)
		}
		if got.Confidence < 0 || got.Confidence > 1 || got.Model == "" || got.RequestID == "" {
			t.Errorf("confidence %v, model %q, request id %q", got.Confidence, got.Model, got.RequestID)
		}
		slack := 50 * time.Millisecond
		if under.Bare {
			slack = time.Second
		}
		if d := got.Duration - length; d < -slack || d > slack {
			t.Errorf("%v long, want %v", got.Duration, length)
		}
		checkTranscript(t, under, got)
	}
	if !bytes.Equal(sent, under.Recording) {
		t.Error("the recording was changed")
	}
	if b.Name() == "" {
		t.Error("it has no name")
	}
}

// checkTranscript fails the test unless the words rise within the recording and make the text.
func checkTranscript(t *testing.T, under TranscriberUnderTest, got providers.Transcript) {
	t.Helper()
	if under.Words != (len(got.Words) > 0) {
		t.Errorf("%d words, want some: %v", len(got.Words), under.Words)
	}
	var text []string
	last := 0
	for _, w := range got.Words {
		if w.StartMS < last || w.EndMS < w.StartMS || w.EndMS > int(got.Duration.Milliseconds()) {
			t.Errorf("%q is at %d to %d ms, after %d", w.Text, w.StartMS, w.EndMS, last)
		}
		last = w.StartMS
		text = append(text, w.Text)
	}
	if under.Words && !slices.Equal(lettersOf(strings.Join(text, " ")), lettersOf(got.Text)) {
		t.Errorf("the words are %q, the text is %q", text, got.Text)
	}
}

// lettersOf is a text without punctuation, which not every vendor gives to words.
func lettersOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// quietWAV is two seconds of silence at 16 kHz.
func quietWAV() []byte {
	const samples = 32000
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("RIFF"), 36+2*samples)
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = le.AppendUint16(le.AppendUint16(b, 1), 1)
	b = le.AppendUint32(le.AppendUint32(b, 16000), 32000)
	b = le.AppendUint16(le.AppendUint16(b, 2), 16)
	b = le.AppendUint32(append(b, "data"...), 2*samples)
	return append(b, make([]byte, 2*samples)...)
}

// Somebody who says nothing is no failure.
func testTranscriberSilence(t *testing.T, under TranscriberUnderTest) {
	b := newTranscriberBench(t, under, simulatorKey)
	got := b.hear(t, providers.Recording{Audio: quietWAV(), Format: providers.WAV, Language: "en"})
	if got.Text != "" || len(got.Words) != 0 || got.Confidence != 0 {
		t.Errorf("in silence it heard %+v", got)
	}
}

// Calls do not get in each other's way.
func testTranscriberCrowd(t *testing.T, under TranscriberUnderTest) {
	b := newTranscriberBench(t, under, simulatorKey)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got, err := b.Transcribe(t.Context(), b.english()); err != nil || got.Text == "" {
				t.Errorf("heard %q, %v", got.Text, err)
			}
		})
	}
	all.Wait()
}

// What cannot be heard is Invalid, and is not sent when that shows beforehand.
func testTranscriberInvalid(t *testing.T, under TranscriberUnderTest) {
	b := newTranscriberBench(t, under, simulatorKey)
	for name, size := range map[string]int{"empty": 0, "too large": providers.MaxRecording + 1} {
		_, err := b.Transcribe(t.Context(), providers.Recording{Audio: make([]byte, size), Format: providers.WAV})
		if e := vendorFailure(t, err, providers.Invalid); e.Detail == "" {
			t.Errorf("%s: nothing is said about it", name)
		}
	}
	if n := b.asked.Load(); n != 0 {
		t.Errorf("%d requests were made for what cannot be heard", n)
	}
	_, err := b.Transcribe(t.Context(), providers.Recording{Audio: []byte(strings.Repeat("no recording ", 100)), Format: providers.M4A})
	vendorFailure(t, err, providers.Invalid)
}

// Each refusal has its kind and the vendor's name for the call.
func testTranscriberRefused(t *testing.T, under TranscriberUnderTest) {
	for _, tc := range []struct {
		fault simulate.Fault
		want  providers.Kind
	}{
		{simulate.Fault{Status: 401}, providers.Denied},
		{simulate.Fault{Status: 403}, providers.Denied},
		{simulate.Fault{Status: 400}, providers.Invalid},
		{simulate.Fault{Status: 429, RetryAfter: 7}, providers.Overloaded},
		{simulate.Fault{Status: 500}, providers.Unavailable},
		{under.Spent, providers.Quota},
	} {
		t.Run(fmt.Sprint(tc.fault.Status, " ", tc.want), func(t *testing.T) {
			b := newTranscriberBench(t, under, simulatorKey)
			tc.fault.Kind = simulate.FaultStatus
			b.inject(tc.fault)
			_, err := b.Transcribe(t.Context(), b.english())
			e := vendorFailure(t, err, tc.want)
			if e.RequestID == "" || e.RetryAfter != time.Duration(tc.fault.RetryAfter)*time.Second {
				t.Errorf("request id %q, retry after %v, want %d s", e.RequestID, e.RetryAfter, tc.fault.RetryAfter)
			}
			if n := b.asked.Load(); n != 1 {
				t.Errorf("%d requests, want one: nothing is retried inside", n)
			}
		})
	}
	t.Run("wrong key", func(t *testing.T) {
		b := newTranscriberBench(t, under, "sk-wrong-9876543210")
		_, err := b.Transcribe(t.Context(), b.english())
		vendorFailure(t, err, providers.Denied)
		if strings.Contains(err.Error(), "9876543210") {
			t.Error("the error shows the key")
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		b := &transcriberBench{under: under, Transcriber: under.New(t, VoiceEndpoint{BaseURL: "http://127.0.0.1:1", Key: simulatorKey})}
		_, err := b.Transcribe(t.Context(), b.english())
		vendorFailure(t, err, providers.Unavailable)
	})
}

// A broken answer is an error, never half a transcript.
func testTranscriberBreaks(t *testing.T, under TranscriberUnderTest) {
	for _, kind := range []simulate.FaultKind{simulate.FaultCut, simulate.FaultGarbage} {
		b := newTranscriberBench(t, under, simulatorKey)
		b.inject(simulate.Fault{Kind: kind})
		got, err := b.Transcribe(t.Context(), b.english())
		vendorFailure(t, err, providers.Unavailable)
		if got.Text != "" {
			t.Errorf("%s: %q beside the error", kind, got.Text)
		}
	}
}

// A vendor that falls silent holds a call up as long as its context lives.
func testTranscriberStalls(t *testing.T, under TranscriberUnderTest) {
	b := newTranscriberBench(t, under, simulatorKey)
	if _, err := b.Transcribe(ended(t), b.english()); !errors.Is(err, errMoved) {
		t.Errorf("with a context that is over: %v, want its cause", err)
	}
	b.inject(simulate.Fault{Kind: simulate.FaultStall})
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(errMoved) })
	returns(t, "Transcribe after its context's end", func() {
		if _, err := b.Transcribe(ctx, b.english()); !errors.Is(err, errMoved) {
			t.Errorf("%v, want the context's cause", err)
		}
	})
}
