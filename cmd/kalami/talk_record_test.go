package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"kalami/gateway/learner"
	"kalami/providers/simulate"
)

// spokenWAV puts a fixture's first sentence into a file.
func spokenWAV(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "learner.wav")
	if err := os.WriteFile(path, learner.Recording{PCM: recording(t, "en-01-clean"), Rate: 16000}.WAV(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A recorded conversation leaves a cassette that another server can talk with, and
// no key on it: neither the vendors' nor the server's own.
func TestTalkRecords(t *testing.T) {
	t.Parallel()
	const key = "a-vendors-secret-key"
	vendors := simulate.New(simulate.Options{Key: key})
	server := httptest.NewServer(vendors)
	defer server.Close()
	defer vendors.Close()
	wav, dir := spokenWAV(t, t.TempDir()), t.TempDir()
	path := filepath.Join(dir, "talk.cassette")
	environ := []string{"KALAMI_GUESTS=false", "KALAMI_DATA_DIR=" + dir, "SECRET_KEY=" + strings.Repeat("own-secret", 4), "KALAMI_SHUTDOWN_GRACE=1s",
		"DEEPGRAM_API_KEY=" + key, "DEEPGRAM_BASE_URL=" + server.URL, "ELEVENLABS_API_KEY=" + key, "ELEVENLABS_BASE_URL=" + server.URL,
		"KALAMI_LLM_API_KEY=" + key, "KALAMI_LLM_BASE_URL=" + server.URL + "/v1", "OPENAI_API_KEY=" + key, "OPENAI_BASE_URL=http://127.0.0.1:9/v1"}
	args := []string{"talk", wav, "--record", path, "--level", "B2", "--turns", "1"}
	got := runHere(t.Context(), environ, args...)
	if got.code != exitOK || !strings.Contains(got.stdout, "you:   ") || !strings.Contains(got.stdout, "hears: deepgram, thinks: openai, speaks: elevenlabs") {
		t.Fatalf("code %d\n%s\n%s", got.code, got.stdout, got.stderr)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strconv.Itoa(bytes.Count(raw, []byte("\n"))); !strings.Contains(got.stdout, "Cassette: "+path+" ("+n+" lines;") {
		t.Errorf("%s lines, but it says:\n%s", n, got.stdout)
	}
	for _, secret := range []string{key, "own-secret", "kt_", server.URL} {
		if bytes.Contains(raw, []byte(secret)) {
			t.Errorf("%q stands on the cassette", secret)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("it left %v, %v behind; want the cassette alone", entries, err)
	}

	c, err := simulate.OpenCassette(path)
	if err != nil {
		t.Fatal(err)
	}
	asked := map[simulate.Vendor]int{}
	for _, e := range c.Events {
		if e.Kind == simulate.KindOpen || e.Kind == simulate.KindRequest {
			asked[e.Vendor]++
		}
	}
	if asked[simulate.Deepgram] == 0 || asked[simulate.ElevenLabs] == 0 || asked[simulate.OpenAI] == 0 {
		t.Errorf("asked on the cassette: %v", asked)
	}

	again := runHere(t.Context(), environ, args...)
	if again.code != exitFailed || !strings.Contains(again.stderr, "kalami: --record: cassette: open "+path+": file exists") {
		t.Errorf("a second time: %+v", again)
	}
}

// With nothing configured, the traffic with the simulators is recorded; and the
// cassette plays the vendors' part for a server that has keys.
func TestTalkRecordsTheDemoAndReplays(t *testing.T) {
	t.Parallel()
	wav, dir := spokenWAV(t, t.TempDir()), t.TempDir()
	talk := func(environ []string, cassette string) outcome {
		return runHere(t.Context(), environ, "talk", wav, "--level", "B2", "--turns", "1", "--record", filepath.Join(dir, cassette))
	}
	got := talk(nil, "demo.cassette")
	heard := lineOf(got.stdout, "you: ")
	said := lineOf(got.stdout, "tutor: ")
	if got.code != exitOK || heard == "" || said == "" || !strings.Contains(got.stdout, "hears: demo, thinks: demo, speaks: demo") {
		t.Fatalf("code %d\n%s\n%s", got.code, got.stdout, got.stderr)
	}
	c, err := simulate.OpenCassette(filepath.Join(dir, "demo.cassette"))
	if err != nil {
		t.Fatal(err)
	}
	p := simulate.NewReplay(c, simulate.ReplayOptions{Speed: 1})
	server := httptest.NewServer(p)
	defer server.Close()
	defer p.Close()
	again := talk([]string{"DEEPGRAM_API_KEY=k", "DEEPGRAM_BASE_URL=" + server.URL, "ELEVENLABS_API_KEY=k", "ELEVENLABS_BASE_URL=" + server.URL,
		"ANTHROPIC_API_KEY=k", "ANTHROPIC_BASE_URL=" + server.URL}, "again.cassette")
	if h, s := lineOf(again.stdout, "you: "), lineOf(again.stdout, "tutor: "); again.code != exitOK || h != heard || s != said {
		t.Errorf("code %d; the replay heard %q and said %q, want %q and %q\n%s\n%s", again.code, h, s, heard, said, again.stdout, again.stderr)
	}
}

// lineOf is the first line of out with that beginning.
func lineOf(out, beginning string) string {
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, beginning) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// Nothing is left in the way of a next attempt when the server could not be opened.
func TestTalkRecordThatCannotBegin(t *testing.T) {
	wav := spokenWAV(t, t.TempDir())
	got := runKalami(t, nil, "talk", wav, "--record", "no/such/folder/x")
	if got.code != exitFailed || !strings.Contains(got.stderr, "--record: cassette: open no/such/folder/x") {
		t.Errorf("%+v", got)
	}
	got = runHere(t.Context(), []string{"PORT=x"}, "talk", wav, "--record", "x")
	if got.code != exitUsage || !strings.Contains(got.stderr, "PORT") {
		t.Errorf("%+v", got)
	}
	if _, err := os.Stat("x"); err == nil {
		t.Error("an empty cassette was left")
	}
}
