package simulate_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"kalami/providers"
	"kalami/providers/anthropic"
	"kalami/providers/deepgram"
	"kalami/providers/elevenlabs"
	"kalami/providers/openai"
	"kalami/providers/simulate"
)

// canary is the key that our clients present; it must not be found on any cassette.
const canary = "sk-canary-0123456789abcdef"

// studio is a recorder between clients and the simulators, over loopback.
type studio struct {
	url      string // clients' base URL, without OpenAI's version
	sim      *simulate.Server
	recorder *simulate.Recorder
	cassette *simulate.CassetteWriter
	path     string
	servers  []*httptest.Server
}

func newStudio(t *testing.T) *studio {
	t.Helper()
	s := &studio{path: filepath.Join(t.TempDir(), "talk.cassette")}
	s.sim = simulate.New(simulate.Options{Key: canary, Engine: "none"})
	vendors := httptest.NewServer(s.sim)
	var err error
	if s.cassette, err = simulate.CreateCassette(s.path); err != nil {
		t.Fatal(err)
	}
	s.recorder, err = simulate.NewRecorder(simulate.RecorderOptions{Cassette: s.cassette, Upstreams: map[simulate.Vendor]string{
		simulate.Deepgram: vendors.URL, simulate.ElevenLabs: vendors.URL, simulate.Anthropic: vendors.URL, simulate.OpenAI: vendors.URL + "/v1",
	}})
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(s.recorder)
	s.url, s.servers = front.URL, []*httptest.Server{front, vendors}
	t.Cleanup(func() { s.stop(t) })
	return s
}

// stop ends the recording. It may be called again.
func (s *studio) stop(t *testing.T) {
	t.Helper()
	s.recorder.Close()
	s.sim.Close()
	for _, h := range s.servers {
		h.Close()
	}
	if err := s.cassette.Close(); err != nil {
		t.Error(err)
	}
}

// tape stops the recording and returns what is on it, as bytes and read.
func (s *studio) tape(t *testing.T) ([]byte, *simulate.Cassette) {
	t.Helper()
	s.stop(t)
	raw, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := simulate.OpenCassette(s.path)
	if err != nil {
		t.Fatal(err)
	}
	return raw, c
}

// play serves a cassette over loopback.
func play(t *testing.T, c *simulate.Cassette, opt simulate.ReplayOptions) (*simulate.Replay, string) {
	t.Helper()
	p := simulate.NewReplay(c, opt)
	h := httptest.NewServer(p)
	t.Cleanup(func() {
		p.Close()
		h.Close()
	})
	return p, h.URL
}

// lines are what is said in a conversation; short ones make a small cassette.
type lines struct {
	audio       []byte // the learner's
	rate        int
	prompt, say string
	recorded    []byte // an audio file
}

// outcome is what our clients make of the vendors' traffic.
type outcome struct {
	Nova, Flux              []providers.Heard
	Claude, GPT             providers.Delta // of the last delta
	ClaudeText, GPTText     string
	Eleven, ElevenHTTP, TTS speech
	Whisper                 providers.Transcript
}

// speech is what was spoken.
type speech struct {
	Bytes int
	Text  string // as the marks have it
}

// converse runs every one of our clients against base.
func converse(t *testing.T, base, key string, l lines) outcome {
	t.Helper()
	own := &http.Client{Transport: providers.NewTransport()}
	defer own.CloseIdleConnections()
	var o outcome
	o.Nova = hear(t, deepgram.Nova, base, key, l)
	o.Flux = hear(t, deepgram.Flux, base, key, l)

	claude, err := anthropic.New(anthropic.Options{Key: key, BaseURL: base, Transport: own.Transport})
	gpt, err2 := openai.NewTutor(openai.TutorOptions{Endpoint: openai.Endpoint{Key: key, BaseURL: base + "/v1", Transport: own.Transport}})
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	o.ClaudeText, o.Claude = ask(t, claude, l.prompt)
	o.GPTText, o.GPT = ask(t, gpt, l.prompt)

	socket, err := elevenlabs.New(elevenlabs.Options{Key: key, BaseURL: base, HTTPClient: own})
	plain, err2 := elevenlabs.New(elevenlabs.Options{Key: key, BaseURL: base, HTTPClient: own, HTTPOnly: true})
	tts, err3 := openai.NewVoice(openai.VoiceOptions{Endpoint: openai.Endpoint{Key: key, BaseURL: base + "/v1", Transport: own.Transport}})
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	o.Eleven, o.ElevenHTTP, o.TTS = speak(t, socket, l.say), speak(t, plain, l.say), speak(t, tts, l.say)

	whisper, err := openai.NewTranscriber(openai.TranscriberOptions{Endpoint: openai.Endpoint{Key: key, BaseURL: base + "/v1", Transport: own.Transport}})
	if err != nil {
		t.Fatal(err)
	}
	if o.Whisper, err = whisper.Transcribe(t.Context(), providers.Recording{Audio: l.recorded, Format: providers.WAV, Language: "en"}); err != nil {
		t.Fatal(err)
	}
	return o
}

// hear sends the learner's audio and returns everything that was understood.
func hear(t *testing.T, e deepgram.Endpoint, base, key string, l lines) (all []providers.Heard) {
	t.Helper()
	ears, err := deepgram.New(deepgram.Options{Key: key, BaseURL: base, Endpoint: func(string) deepgram.Endpoint { return e }})
	if err != nil {
		t.Fatal(err)
	}
	s, err := ears.Listen(t.Context(), providers.ListenOptions{Language: "en", SampleRate: l.rate})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for h := range s.Events() {
			all = append(all, h)
		}
	}()
	if err := errors.Join(s.Send(t.Context(), l.audio), s.Drain(t.Context())); err != nil {
		t.Fatal(err)
	}
	<-done
	return all
}

// ask returns a reply's words and its last delta.
func ask(t *testing.T, tutor providers.Tutor, prompt string) (text string, last providers.Delta) {
	t.Helper()
	p := providers.Prompt{System: "Be kind.", Lines: []providers.Line{{Role: providers.RoleLearner, Text: prompt}}}
	for d, err := range tutor.Reply(t.Context(), p) {
		if err != nil {
			t.Fatal(err)
		}
		text, last = text+d.Text, d
	}
	return text, last
}

// speak says a line and returns how much sound it made.
func speak(t *testing.T, v providers.Voice, line string) (out speech) {
	t.Helper()
	s, err := v.Open(t.Context(), providers.SpeakOptions{Language: "en", SampleRate: 16000})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	u, err := s.Say(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(u.Write(t.Context(), line, true), u.End(t.Context())); err != nil {
		t.Fatal(err)
	}
	for {
		c, err := u.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out.Bytes += len(c.PCM)
		for _, m := range c.Marks {
			out.Text += m.Char
		}
	}
}

// recordedLine reads a WAV and its samples behind the plain header of 44 bytes.
func recordedLine(t *testing.T) (file, samples []byte) {
	t.Helper()
	file, err := os.ReadFile("testdata/en-01-clean.wav")
	if err != nil {
		t.Fatal(err)
	}
	return file, file[44:]
}

// A conversation through the recorder, played back to the same clients, is the same
// conversation; and the key that they presented is nowhere on the cassette.
func TestReplayIsTheConversation(t *testing.T) {
	s := newStudio(t)
	file, samples := recordedLine(t)
	l := lines{audio: samples, rate: 16000, prompt: "A table for two, please.", say: "Of course. How can I help you? ", recorded: file}
	live := converse(t, s.url, canary, l)
	if !strings.Contains(live.Nova[len(live.Nova)-1].Text, "table") || live.ClaudeText == "" || live.GPTText == "" ||
		live.Eleven.Bytes == 0 || live.ElevenHTTP.Bytes == 0 || live.TTS.Bytes == 0 || live.Whisper.Text == "" {
		t.Fatalf("nothing worth recording: %+v", live)
	}

	raw, c := s.tape(t)
	if bytes.Contains(raw, []byte(canary)) {
		t.Error("the key stands on the cassette")
	}
	if n := bytes.Count(raw, []byte("\n")); n != s.cassette.Lines() || n != len(c.Events)+1 {
		t.Errorf("%d lines in the file, %d counted, %d events read", n, s.cassette.Lines(), len(c.Events))
	}
	if info, err := os.Stat(s.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}

	p, base := play(t, c, simulate.ReplayOptions{})
	if again := converse(t, base, "another-key", l); !reflect.DeepEqual(again, live) {
		t.Errorf("replayed:\n%+v\nrecorded:\n%+v", again, live)
	}
	if left := p.Left(); len(left) > 0 {
		t.Errorf("not asked for: %q", left)
	}
}
