package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"

	"kalami/providers"
)

// fakeSpeech answers as it is told to, and remembers what it was asked.
type fakeSpeech struct {
	// What it answers with.
	heard  providers.Transcript
	clip   func(ctx context.Context) (providers.Clip, error)
	voices []providers.VoiceInfo
	err    error

	mu    sync.Mutex
	asked []string
}

func (f *fakeSpeech) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, fmt.Sprintf(format, args...))
}

// calls returns what was asked since the last time.
func (f *fakeSpeech) calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.asked
	f.asked = nil
	return all
}

func (f *fakeSpeech) Transcribe(_ context.Context, provider string, r providers.Recording) (providers.Transcript, error) {
	f.note("hear %q %s %d bytes, %q", provider, r.Format, len(r.Audio), r.Language)
	return f.heard, f.err
}

func (f *fakeSpeech) Synthesize(ctx context.Context, provider string, s providers.Script) (providers.Clip, error) {
	f.note("speak %q %q, %q %q %q %v", provider, s.Text, s.Language, s.VoiceID, s.Style, s.Speed)
	if f.err != nil || f.clip == nil {
		return providers.Clip{}, f.err
	}
	return f.clip(ctx)
}

func (f *fakeSpeech) Voices(_ context.Context, provider string) (string, []providers.VoiceInfo, error) {
	f.note("voices %q", provider)
	if provider == "" {
		provider = elevenLabs
	}
	return provider, f.voices, f.err
}

// wholeClip is a clip that is there already.
func wholeClip(mp3 []byte) func(context.Context) (providers.Clip, error) {
	return func(context.Context) (providers.Clip, error) {
		return providers.Clip{ReadCloser: io.NopCloser(bytes.NewReader(mp3)), Vendor: "fake"}, nil
	}
}

// recorded is one of the recordings that package recording has of every format.
func recorded(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../providers/recording/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// speechHouse is a house with a fake of speech and somebody who is signed in.
func speechHouse(t *testing.T) (h *house, access string, f *fakeSpeech) {
	f = &fakeSpeech{}
	h = newHouse(t, func(o *Options) { o.Speech = f })
	access, _ = h.account("ana@example.org")
	return h, access, f
}
