package simulate

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	multiPath  = "/v1/text-to-speech/simulated-en/multi-stream-input?output_format=pcm_16000&sync_alignment=true"
	singlePath = "/v1/text-to-speech/simulated-en/stream-input?output_format=pcm_16000&sync_alignment=true"
)

// The documented life of stream-input: a space, text, an empty text, then the
// final and close 1000.
func TestStreamInput(t *testing.T) {
	_, base := elevenServer(t, Options{})
	c := openRaw(t, base, singlePath)
	c.send(`{"text":" ","voice_settings":{"stability":0.5},"generation_config":{"chunk_length_schedule":[120,160,250,290]}}`)
	c.send(`{"text":"Good evening, ","try_trigger_generation":true}`)
	c.send(`{"text":"and welcome! ","flush":true}`)
	c.send(`{"text":" "}`)
	c.send(`{"text":"How can I help you? "}`)
	c.send(`{"text":""}`)
	got := c.collect(0)
	if got.closed != 1000 || !slices.Equal(got.finals, []string{""}) {
		t.Fatalf("closed with %d %q, finals %q", got.closed, got.reason, got.finals)
	}
	if text := got.text[""]; strings.TrimSpace(text) != "Good evening, and welcome! How can I help you?" {
		t.Errorf("aligned %q", text)
	}
	if n := len(got.pcm[""]); n < 2*16000 {
		t.Errorf("%d bytes", n)
	}
}

// Two contexts speak on one socket; closing one lets what was flushed be said,
// drops the rest, and ends with its final; close_socket ends the other.
func TestMultiStreamInput(t *testing.T) {
	_, base := elevenServer(t, Options{})
	c := openRaw(t, base, multiPath)
	for _, m := range []string{
		`{"text":" ","context_id":"a","voice_settings":{"speed":1.1}}`,
		`{"text":"Of course. ","context_id":"a","flush":true}`,
		`{"text":"Never spoken. ","context_id":"a"}`,
		`{"text":" ","context_id":"b"}`,
		`{"text":"Which one would you like? ","context_id":"b"}`,
		`{"text":"","context_id":"b"}`,
		`{"context_id":"a","close_context":true}`,
		`{"context_id":"nobody","close_context":true}`,
		`{"close_socket":true}`,
	} {
		c.send(m)
	}
	got := c.collect(0)
	slices.Sort(got.finals)
	if got.closed != 1000 || !slices.Equal(got.finals, []string{"a", "b"}) {
		t.Fatalf("closed with %d %q, finals %q", got.closed, got.reason, got.finals)
	}
	if got.text["a"] != "Of course. " || got.text["b"] != "Which one would you like? " {
		t.Errorf("aligned %q", got.text)
	}
}

// A closed context counts until its final has been sent, so that a sixth within
// that time ends the socket with an error and close 1008.
func TestSixthContext(t *testing.T) {
	_, base := elevenServer(t, Options{Latency: Latency{TTSRealTime: 1}})
	c := openRaw(t, base, multiPath)
	for _, id := range []string{"1", "2", "3", "4", "5", "6"} {
		c.send(`{"text":" ","context_id":"` + id + `"}`)
		c.send(`{"text":"We have fish, chicken, or soup. ","context_id":"` + id + `","flush":true}`)
		c.send(`{"context_id":"` + id + `","close_context":true}`)
	}
	got := c.collect(0)
	if got.closed != 1008 || got.failed.Error != "max_active_conversations" || got.failed.Code != 1008 || !strings.HasPrefix(got.reason, "Maximum simultaneous contexts") {
		t.Errorf("closed with %d %q after %+v", got.closed, got.reason, got.failed)
	}
}

// Each thing that a client must not do is answered with an error and close 1008.
func TestSocketRefusals(t *testing.T) {
	tests := []struct{ name, path, send, code string }{
		{"settings later", multiPath, `{"text":"x","context_id":"a"}|{"text":"y","context_id":"a","voice_settings":{"speed":1}}`, "invalid_input_message"},
		{"settings later, single", singlePath, `{"text":" "}|{"text":"y","voice_settings":{}}`, "invalid_input_message"},
		{"no space first", singlePath, `{"text":"Hola"}`, "invalid_input_message"},
		{"not JSON", multiPath, `hello`, "invalid_input_message"},
		{"a list", multiPath, `[{"text":"x"}]`, "invalid_input_message"},
		{"wrong type", multiPath, `{"text":17}`, "invalid_input_message"},
		{"schedule", multiPath, `{"text":" ","generation_config":{"chunk_length_schedule":[10]}}`, "invalid_input_message"},
		{"speed", multiPath, `{"text":" ","voice_settings":{"speed":3}}`, "invalid_input_message"},
		{"idle", multiPath + "&inactivity_timeout=1", `{"text":" ","context_id":"a"}`, "input_timeout_exceeded"},
		{"too much", multiPath, `{"text":"` + strings.Repeat("a", 30000) + `"}|{"text":"` + strings.Repeat("a", 30000) + `"}`, "max_character_limit_exceeded"},
	}
	_, base := elevenServer(t, Options{})
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			c := openRaw(t, base, tc.path)
			for _, m := range strings.Split(tc.send, "|") {
				c.send(m)
			}
			if got := c.collect(0); got.closed != 1008 || got.failed.Error != tc.code || got.failed.Message == "" {
				t.Errorf("closed with %d %q after %+v", got.closed, got.reason, got.failed)
			}
		})
	}
}

// The key may come as a header or in the first message.
func TestSocketKey(t *testing.T) {
	_, base := elevenServer(t, Options{Key: "right"})
	if _, resp := dialRaw(t, base, multiPath, "wrong"); resp == nil || resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("request-id") == "" {
		t.Errorf("a wrong header: %v", resp)
	}
	for _, tc := range []struct{ first, want string }{
		{`{"text":" ","xi_api_key":"wrong"}`, "invalid_api_key"}, {`{"text":" "}`, "invalid_api_key"},
		{`{"text":" ","xi_api_key":"right"}`, ""}, {`{"text":" ","authorization":"Bearer right"}`, ""},
	} {
		c := openRaw(t, base, multiPath)
		c.send(tc.first)
		if tc.want == "" {
			c.send(`{"close_socket":true}`)
		}
		if got := c.collect(0); got.failed.Error != tc.want {
			t.Errorf("%s: %+v", tc.first, got.failed)
		}
	}
}

// What cannot be served is refused before the socket opens, in words that help.
func TestSocketQuery(t *testing.T) {
	_, base := elevenServer(t, Options{})
	for _, tc := range []struct {
		path   string
		status int
		text   string
	}{
		{"/v1/text-to-speech/v/multi-stream-input", 422, "pcm_8000"},
		{"/v1/text-to-speech/v/multi-stream-input?output_format=mp3_44100_128", 422, "no encoder"},
		{multiPath + "&model_id=eleven_v3", 403, "no WebSocket"},
		{multiPath + "&model_id=eleven_multilingual_v2&language_code=es", 400, "language_code"},
		{multiPath + "&inactivity_timeout=181", 422, "180"},
		{multiPath + "&auto_mode=perhaps", 422, "auto_mode"},
		{"/v1/text-to-speech/a%2Fb/multi-stream-input?output_format=pcm_16000", 404, "voice_not_found"},
	} {
		_, resp := dialRaw(t, base, tc.path, "")
		if resp == nil {
			t.Errorf("%s was accepted", tc.path)
			continue
		}
		b, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != tc.status || !strings.Contains(string(b), tc.text) || !json.Valid(b) {
			t.Errorf("%s: %d %s", tc.path, resp.StatusCode, b)
		}
	}
}

// Faults happen after as many messages as they say.
func TestSocketFaults(t *testing.T) {
	tests := []struct {
		fault  Fault
		closed int
		failed string
		audio  int // messages
	}{
		{Fault{Kind: FaultCut, After: 2}, 1006, "", 2},
		{Fault{Kind: FaultEnd, After: 3}, 1000, "", 3},
		{Fault{Kind: FaultClose, After: 1, Status: 1011, Message: "restart"}, 1011, "", 1},
		{Fault{Kind: FaultStreamError, After: 1, Message: "quota_exceeded: Used up."}, 1008, "quota_exceeded", 1},
		{Fault{Kind: FaultContextLimit}, 1008, "max_active_conversations", 0},
	}
	for _, tc := range tests {
		t.Run(string(tc.fault.Kind), func(t *testing.T) {
			s, base := elevenServer(t, Options{})
			tc.fault.Vendor = ElevenLabs
			s.Inject(tc.fault)
			c := openRaw(t, base, multiPath)
			c.send(`{"text":" ","context_id":"a"}`)
			c.send(`{"text":"Which one would you like? ","context_id":"a","flush":true}`)
			got := c.collect(0)
			const bytesEach = 2 * 16000 * elevenPieceMS / 1000
			if got.closed != tc.closed || got.failed.Error != tc.failed || len(got.pcm["a"]) != tc.audio*bytesEach {
				t.Errorf("closed with %d %q after %d bytes and %+v", got.closed, got.reason, len(got.pcm["a"]), got.failed)
			}
		})
	}
}

// Audio at the wrong rate is what a fault makes of it: two thirds of the samples.
func TestWrongRate(t *testing.T) {
	s, base := elevenServer(t, Options{})
	lengths := make([]int, 2)
	for i := range lengths {
		if i == 1 {
			s.Inject(Fault{Vendor: ElevenLabs, Kind: FaultWrongRate})
		}
		c := openRaw(t, base, multiPath)
		c.send(`{"text":"Of course. ","context_id":"a","flush":true}`)
		c.send(`{"close_socket":true}`)
		lengths[i] = len(c.collect(0).pcm["a"])
	}
	if got := float64(lengths[1]) / float64(lengths[0]); got < 0.65 || got > 0.68 {
		t.Errorf("%d bytes and %d", lengths[0], lengths[1])
	}
}

// Closing the simulator ends its sockets and waits for them.
func TestCloseEndsSockets(t *testing.T) {
	s, base := elevenServer(t, Options{Latency: Latency{TTSRealTime: 0.01}})
	c := openRaw(t, base, multiPath)
	c.send(`{"text":"Of course. ","context_id":"a","flush":true}`)
	if m, code, _ := c.receive(); code != 0 || m.Audio == nil {
		t.Fatalf("closed with %d", code)
	}
	done := make(chan struct{})
	go func() { s.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("Close waits for ever")
	}
	if got := c.collect(0); got.closed != 1006 {
		t.Errorf("closed with %d", got.closed)
	}
}

// FuzzElevenInput checks that no client message breaks the decoder, and that what
// it lets through is within the service's limits.
func FuzzElevenInput(f *testing.F) {
	for _, s := range []string{
		`{"text":" ","context_id":"a","voice_settings":{"stability":0.5,"speed":1.1},"generation_config":{"chunk_length_schedule":[50,500]}}`,
		`{"context_id":"a","close_context":true}`, `{"close_socket":true}`, `{"text":null,"flush":true,"voice_settings":null}`, `null`, `{"text":"\ud800"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := parseElevenInput(b)
		if err != nil {
			return
		}
		if in.Settings != nil && in.Settings.Speed != nil && (*in.Settings.Speed < 0.7 || *in.Settings.Speed > 1.2) {
			t.Errorf("speed %v was let through", *in.Settings.Speed)
		}
		ec := &elevenContext{socket: &elevenSocket{}, wake: make(chan struct{}, 1)}
		_ = ec.take(in)
		if n := lastBoundary(ec.buffer); n < 0 || n > len(ec.buffer) {
			t.Errorf("boundary %d of %d", n, len(ec.buffer))
		}
	})
}
