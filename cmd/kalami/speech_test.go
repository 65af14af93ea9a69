package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"kalami/deploy/bench/worderror"
	recordings "kalami/providers/recording"
	"kalami/providers/simulate"
)

// speaker is somebody who uses the routes of speech.
type speaker struct {
	*testing.T
	h     *house
	token string
}

// newSpeaker signs a guest in.
func newSpeaker(t *testing.T, h *house) *speaker {
	t.Helper()
	s := &speaker{T: t, h: h}
	var in struct {
		Token string `json:"access_token"`
	}
	s.read(s.ask("POST", "/auth/guest", "application/json", `{}`), &in)
	s.token = in.Token
	return s
}

// ask sends a request; its answer, a success, is unread.
func (s *speaker) ask(method, path, contentType, body string) *http.Response {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.h.url()+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode >= 300 {
		b, _ := io.ReadAll(resp.Body)
		s.Fatalf("%s %s: %s: %s", method, path, resp.Status, b)
	}
	return resp
}

// read decodes an answer.
func (s *speaker) read(resp *http.Response, into any) {
	s.Helper()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		s.Fatal(err)
	}
}

// transcribe sends a file of package recording and returns what was heard.
func (s *speaker) transcribe(file, query string) (text, language string, seconds float64) {
	s.Helper()
	audio, err := os.ReadFile("../../providers/recording/testdata/" + file)
	if err != nil {
		s.Fatal(err)
	}
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("audio", file)
	if err != nil {
		s.Fatal(err)
	}
	_, _ = part.Write(audio)
	if err := form.Close(); err != nil {
		s.Fatal(err)
	}
	var out struct {
		Text, Language string
		Seconds        float64 `json:"duration_seconds"`
	}
	s.read(s.ask("POST", "/speech/transcribe"+query, form.FormDataContentType(), b.String()), &out)
	return out.Text, out.Language, out.Seconds
}

// clip has a text spoken and returns it with its length.
func (s *speaker) clip(query, body string) (mp3 []byte, length time.Duration) {
	s.Helper()
	var out struct {
		Audio   string  `json:"audio_base64"`
		Seconds float64 `json:"duration_seconds"`
	}
	s.read(s.ask("POST", "/speech/synthesize"+query, "application/json", body), &out)
	mp3, err := base64.StdEncoding.DecodeString(out.Audio)
	if err != nil {
		s.Fatal(err)
	}
	info, err := recordings.Inspect(mp3)
	if err != nil || math.Abs(info.Duration.Seconds()-out.Seconds) > 0.001 {
		s.Fatalf("the clip of %v s is %+v, %v", out.Seconds, info, err)
	}
	return mp3, info.Duration
}

// The first bytes of a streamed clip are with the listener while the vendor has not made
// its last: the vendor makes the rest only after they were read.
func TestClipBeginsBeforeItsEndIsMade(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.Latency{})
	s := newSpeaker(t, h)
	for provider, vendor := range map[string]simulate.Vendor{"elevenlabs": simulate.ElevenLabs, "openai": simulate.OpenAI} {
		h.vendors.Inject(simulate.Fault{Vendor: vendor, Kind: simulate.FaultHold, After: 2})
		resp := s.ask("POST", "/speech/synthesize/stream?provider="+provider, "application/json", `{"text":"Good evening, and welcome! How can I help you?"}`)
		first := make([]byte, 512)
		if _, err := io.ReadFull(resp.Body, first); err != nil {
			t.Fatalf("%s: the first bytes: %v", provider, err)
		}
		h.vendors.ClearFaults()
		rest, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatalf("%s: the rest: %v", provider, err)
		}
		if info, err := recordings.Inspect(append(first, rest...)); err != nil || info.Duration < 2*time.Second || resp.Header.Get("Content-Type") != "audio/mpeg" {
			t.Errorf("%s: a clip of %v in %s, %v", provider, info.Duration, resp.Header.Get("Content-Type"), err)
		}
	}
}

// Slow is slow: the pace changes the length by as much as it says.
func TestClipSpeed(t *testing.T) {
	t.Parallel()
	s := newSpeaker(t, openHouse(t, backends()[0], simulate.Latency{}))
	for _, provider := range []string{"elevenlabs", "openai"} {
		_, normal := s.clip("?provider="+provider, `{"text":"Good evening, and welcome!"}`)
		_, slow := s.clip("?provider="+provider, `{"text":"Good evening, and welcome!","speed":0.75}`)
		if ratio := slow.Seconds() / normal.Seconds(); ratio < 1.2 || ratio > 1.45 {
			t.Errorf("%s: three quarters of the speed take %.2f times as long (%v, %v)", provider, ratio, normal, slow)
		}
	}
}

// When one vendor is away the other one hears and speaks, unless that is switched off;
// what was spoken before comes from memory.
func TestSpeechHandsOver(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.Latency{})
	s := newSpeaker(t, h)
	const known = `{"text":"Good evening, and welcome!"}`
	before, _ := s.clip("", known)
	h.vendors.Inject(simulate.Fault{Vendor: simulate.ElevenLabs, Kind: simulate.FaultStatus, Status: 503, Times: -1})
	if again, _ := s.clip("", known); !bytes.Equal(again, before) {
		t.Error("a clip that was spoken before is another now")
	}
	if _, length := s.clip("", `{"text":"How can I help you?"}`); length < time.Second/2 {
		t.Errorf("the other voice spoke for %v", length)
	}
	h.vendors.Inject(simulate.Fault{Vendor: simulate.OpenAI, Kind: simulate.FaultStatus, Status: 503, Times: -1})
	if text, language, _ := s.transcribe("speech.wav", "?language=en"); text == "" || language != "en" {
		t.Errorf("the other recogniser heard %q in %q", text, language)
	}
}

// Without a key everything is played by the simulator: each format is heard, and voices
// are listed through the package that others wrote.
func TestDemoSpeech(t *testing.T) {
	t.Parallel()
	s := newSpeaker(t, openDemo(t, backends()[0], "KALAMI_RATE_LIMITS=false"))
	for _, file := range []string{"speech.wav", "speech-cbr.mp3", "speech.webm", "speech.ogg", "speech.m4a"} {
		for _, provider := range []string{"whisper", "deepgram"} {
			if text, _, seconds := s.transcribe(file, "?language=en&provider="+provider); text == "" || seconds < 3.3 || seconds > 3.7 {
				t.Errorf("%s heard %q in %s of %v s", provider, text, file, seconds)
			}
		}
	}
	for _, provider := range []string{"elevenlabs", "openai"} {
		var list struct {
			Provider string
			Voices   []struct {
				ID string `json:"voice_id"`
			}
		}
		s.read(s.ask("GET", "/speech/voices?provider="+provider, "", ""), &list)
		if list.Provider != provider || len(list.Voices) < 4 {
			t.Errorf("%s has the voices %+v", provider, list)
			continue
		}
		if _, length := s.clip("?provider="+provider, fmt.Sprintf(`{"text":"Hola.","voice_id":%q}`, list.Voices[0].ID)); length == 0 {
			t.Errorf("%s: the voice %s is mute", provider, list.Voices[0].ID)
		}
	}
}

// Files as phones and browsers record them are heard by a real recogniser behind
// OpenAI's protocol.
func TestRealRecordings(t *testing.T) {
	engines := realEngines(t)
	s := newSpeaker(t, openHouse(t, backends()[0], simulate.Latency{}, "KALAMI_STT_BASE_URL="+engines+"/v1",
		"KALAMI_STT_TIMEOUT=60s", "KALAMI_STT_FALLBACK=false"))
	const spoken = "Wait, stop, can you say that again more slowly, please?"
	for _, file := range []string{"speech.wav", "speech-cbr.mp3", "speech-vbr.mp3", "speech.webm", "speech-live.webm", "speech.ogg", "speech.m4a", "speech-fragmented.m4a"} {
		text, _, _ := s.transcribe(file, "?language=en")
		count := worderror.Compare(spoken, text)
		t.Logf("%s: %d of %d words wrong: %q", file, count.Errors, count.Words, text)
		if count.Rate() > 0.2 {
			t.Errorf("%s was heard as %q", file, text)
		}
	}
}
