package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	haguro "github.com/haguro/elevenlabs-go"

	"kalami/providers/recording"
)

// rewrite sends a foreign client's requests to the simulator: that client knows
// the vendor's address alone.
type rewrite struct {
	host string
	to   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t rewrite) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "http", t.host, t.host
	return t.to.RoundTrip(r)
}

// redirect sends whatever goes through http.DefaultTransport, which that client
// uses, to base. The test must not be parallel.
func redirect(t *testing.T, base string) {
	t.Helper()
	own := http.DefaultTransport.(*http.Transport).Clone()
	before := http.DefaultTransport
	http.DefaultTransport = rewrite{strings.TrimPrefix(base, "http://"), own}
	t.Cleanup(func() {
		http.DefaultTransport = before
		own.CloseIdleConnections()
	})
}

// foreign makes the client that others have written.
func foreign(key string) *haguro.Client {
	return haguro.NewClient(context.Background(), key, 20*time.Second)
}

// A client that others have written lists the voices and speaks, whole and
// streamed, in the format that it asks for.
func TestForeignClientSpeaks(t *testing.T) {
	_, base := elevenServer(t, Options{Key: "right"})
	redirect(t, base)
	c := foreign("right")
	voices, err := c.GetVoices()
	if err != nil || len(voices) != len(Scripts()) || voices[0].VoiceId == "" || voices[0].Labels["language"] == "" {
		t.Fatalf("voices %+v, %v", voices, err)
	}
	req := haguro.TextToSpeechRequest{
		Text: "¡Buenas tardes, bienvenido!", ModelID: "eleven_flash_v2_5",
		VoiceSettings: &haguro.VoiceSettings{Stability: 0.5, SimilarityBoost: 0.75},
	}
	whole, err := c.TextToSpeech(voices[1].VoiceId, req, haguro.OutputFormat("pcm_24000"))
	if err != nil || len(whole) < 48000 {
		t.Fatalf("%d bytes, %v", len(whole), err)
	}
	var streamed bytes.Buffer
	if err := c.TextToSpeechStream(&streamed, voices[1].VoiceId, req, haguro.OutputFormat("pcm_24000"), haguro.LatencyOptimizations(3)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(streamed.Bytes(), whole) {
		t.Errorf("streamed %d bytes, whole %d", streamed.Len(), len(whole))
	}
	var mp3 bytes.Buffer // 44.1 kHz at 128 kbit/s, which is the default
	if err := c.TextToSpeechStream(&mp3, voices[1].VoiceId, req); err != nil {
		t.Fatal(err)
	}
	info, err := recording.Inspect(mp3.Bytes())
	length := time.Duration(len(whole)/2) * time.Second / 24000
	if d := info.Duration - length; err != nil || info.Codec != "mp3" || info.SampleRate != 44100 || d < 0 || d > 150*time.Millisecond {
		t.Errorf("%d bytes of MP3 are %+v, %v; want %v", mp3.Len(), info, err, length)
	}
	half, err := c.TextToSpeech(voices[1].VoiceId, req, haguro.OutputFormat("ulaw_8000"))
	if ratio := float64(len(whole)) / float64(len(half)); err != nil || ratio < 5.9 || ratio > 6.1 {
		t.Errorf("%d bytes of µ-law, %v", len(half), err)
	}
}

// The foreign client understands the refusals: the older form of a wrong key, the
// list of a validation, and statuses that it only knows by number.
func TestForeignClientIsRefused(t *testing.T) {
	s, base := elevenServer(t, Options{Key: "right"})
	redirect(t, base)
	req := haguro.TextToSpeechRequest{Text: "Hola", ModelID: "eleven_flash_v2_5"}
	_, err := foreign("wrong").TextToSpeech("v", req, haguro.OutputFormat("pcm_16000"))
	if e, ok := errors.AsType[*haguro.APIError](err); !ok || e.Detail.Status != "invalid_api_key" || e.Detail.Message == "" {
		t.Errorf("a wrong key: %v (%T)", err, err)
	}
	c := foreign("right")
	_, err = c.TextToSpeech("v", req, haguro.OutputFormat("opus_48000_32"))
	if e, ok := errors.AsType[*haguro.ValidationError](err); !ok || !strings.Contains(e.Error(), "no encoder") {
		t.Errorf("Opus: %v (%T)", err, err)
	}
	s.Inject(Fault{Vendor: ElevenLabs, Kind: FaultStatus, Status: 401, Message: "quota_exceeded: This request exceeds your quota."})
	_, err = c.TextToSpeech("v", req, haguro.OutputFormat("pcm_16000"))
	if e, ok := errors.AsType[*haguro.APIError](err); !ok || e.Detail.Status != "quota_exceeded" {
		t.Errorf("a used-up quota: %v (%T)", err, err)
	}
	s.Inject(Fault{Vendor: ElevenLabs, Kind: FaultStatus, Status: 429, RetryAfter: 3})
	if _, err = c.TextToSpeech("v", req, haguro.OutputFormat("pcm_16000")); err == nil || !strings.Contains(err.Error(), "429") {
		t.Errorf("too many: %v", err)
	}
	s.Inject(Fault{Vendor: ElevenLabs, Kind: FaultCut, After: 1})
	var b bytes.Buffer
	if err := c.TextToSpeechStream(&b, "v", haguro.TextToSpeechRequest{Text: "Good evening, and welcome!"}, haguro.OutputFormat("pcm_16000")); err == nil || b.Len() == 0 {
		t.Errorf("cut: %d bytes, %v", b.Len(), err)
	}
}

// synthesise asks for speech and returns status, body and headers.
func synthesise(t *testing.T, url, body string) (int, []byte, http.Header) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return resp.StatusCode, b, resp.Header
}

// Timestamps count from the start of the answer and cover the text; every rate
// has as much audio.
func TestTimestampsAndRates(t *testing.T) {
	_, base := elevenServer(t, Options{})
	const text = "Bonjour, et bienvenue !"
	for _, rate := range []string{"8000", "16000", "22050", "24000", "32000", "44100", "48000"} {
		status, b, h := synthesise(t, base+"/v1/text-to-speech/v/stream/with-timestamps?output_format=pcm_"+rate, `{"text":"`+text+`","model_id":"eleven_flash_v2_5","language_code":"fr"}`)
		if status != 200 || h.Get("request-id") == "" || h.Get("maximum-concurrent-requests") == "" {
			t.Fatalf("%s: %d %s", rate, status, b)
		}
		var got strings.Builder
		var end float64
		samples := 0
		for line := range bytes.Lines(b) {
			var m struct {
				Audio []byte `json:"audio_base64"`
				Al    struct {
					Chars  []string  `json:"characters"`
					Starts []float64 `json:"character_start_times_seconds"`
					Ends   []float64 `json:"character_end_times_seconds"`
				} `json:"alignment"`
			}
			if err := json.Unmarshal(line, &m); err != nil {
				t.Fatal(err)
			}
			samples += len(m.Audio) / 2
			for i, c := range m.Al.Chars {
				if m.Al.Starts[i] < end-0.002 || m.Al.Ends[i] < m.Al.Starts[i] {
					t.Errorf("%s: %q from %v to %v after %v", rate, c, m.Al.Starts[i], m.Al.Ends[i], end)
				}
				got.WriteString(c)
				end = m.Al.Ends[i]
			}
		}
		var hz float64
		_ = json.Unmarshal([]byte(rate), &hz)
		if seconds := float64(samples) / hz; got.String() != text || seconds < 1.2 || seconds > 3 || end > seconds+0.002 {
			t.Errorf("%s: %q, %.2f s of audio, last mark at %.2f s", rate, got.String(), seconds, end)
		}
	}
}

// Each kind of bad request has its status and form.
func TestBadSynthesis(t *testing.T) {
	_, base := elevenServer(t, Options{})
	const path = "/v1/text-to-speech/v?output_format=pcm_16000"
	for _, tc := range []struct {
		path, body string
		status     int
		text       string
	}{
		{path, `{}`, 422, `"loc":["body","text"]`},
		{path, `not json`, 422, "detail"},
		{path, `{"text":17}`, 422, "detail"},
		{path, `{"text":"x","voice_settings":{"speed":9}}`, 422, "speed"},
		{path, `{"text":"x","model_id":"eleven_multilingual_v2","language_code":"es"}`, 400, "unsupported_language"},
		{path, `{"text":"` + strings.Repeat("a", 40001) + `"}`, 400, "max_character_limit_exceeded"},
		{"/v1/text-to-speech/v?output_format=pcm_12345", `{"text":"x"}`, 422, "pcm_8000"},
		{"/v1/text-to-speech/" + strings.Repeat("v", 65) + "?output_format=pcm_16000", `{"text":"x"}`, 404, "voice_not_found"},
	} {
		status, b, _ := synthesise(t, base+tc.path, tc.body)
		if status != tc.status || !strings.Contains(string(b), tc.text) {
			t.Errorf("%s %.60s: %d %s", tc.path, tc.body, status, b)
		}
	}
	status, b, _ := synthesise(t, base+path[:len(path)-len("?output_format=pcm_16000")]+"/with-timestamps?output_format=pcm_16000", `{"text":"Of course."}`)
	var whole struct{ Audio []byte }
	if err := json.Unmarshal(bytes.Replace(b, []byte("audio_base64"), []byte("audio"), 1), &whole); status != 200 || err != nil || len(whole.Audio) < 10000 {
		t.Errorf("with timestamps: %d, %d bytes, %v", status, len(whole.Audio), err)
	}
}

// The second catalogue pages, searches and counts.
func TestVoicesPage(t *testing.T) {
	_, base := elevenServer(t, Options{})
	get := func(query string) (names []string, more bool, next string, status int) {
		resp, err := http.Get(base + "/v2/voices?" + query)
		if err != nil {
			t.Fatal(err)
		}
		defer http.DefaultClient.CloseIdleConnections()
		defer resp.Body.Close()
		var page struct {
			Voices []elevenVoice `json:"voices"`
			More   bool          `json:"has_more"`
			Total  int           `json:"total_count"`
			Next   *string       `json:"next_page_token"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&page); err != nil && resp.StatusCode == 200 {
			t.Fatal(err)
		}
		for _, v := range page.Voices {
			names = append(names, v.ID)
		}
		if page.Next != nil {
			next = *page.Next
		}
		return names, page.More, next, resp.StatusCode
	}
	var all []string
	for token, more := "", true; more; {
		var names []string
		names, more, token, _ = get("page_size=3&next_page_token=" + token)
		all = append(all, names...)
	}
	if len(all) != len(Scripts()) {
		t.Errorf("pages list %v", all)
	}
	if names, _, _, _ := get("search=ES"); len(names) != 1 || names[0] != "simulated-es" {
		t.Errorf("search finds %v", names)
	}
	if names, _, _, _ := get("voice_ids=simulated-fr"); len(names) != 1 {
		t.Errorf("ids find %v", names)
	}
	if _, _, _, status := get("page_size=101"); status != 422 {
		t.Errorf("a page of 101 is answered with %d", status)
	}
}
