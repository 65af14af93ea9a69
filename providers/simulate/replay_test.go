package simulate_test

import (
	"bytes"
	"flag"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"kalami/providers"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

// cassette reads one from its lines, without the header.
func cassette(t *testing.T, lines ...string) *simulate.Cassette {
	t.Helper()
	c, err := simulate.ReadCassette(strings.NewReader(`{"kalami_cassette":1}` + "\n" + strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A socket on which the vendor answers two messages a second later, and closes.
var socketLines = []string{
	`{"t":1000,"conn":1,"vendor":"deepgram","dir":"up","kind":"open","method":"GET","path":"/v1/listen"}`,
	`{"t":1200,"conn":1,"vendor":"deepgram","dir":"down","kind":"response","status":101,"headers":{"dg-request-id":"r1","content-length":"9"}}`,
	`{"t":1300,"conn":1,"vendor":"deepgram","dir":"up","kind":"binary","b64":"AAAA"}`,
	`{"t":1400,"conn":1,"vendor":"deepgram","dir":"up","kind":"text","data":"{\"type\":\"KeepAlive\"}"}`,
	`{"t":1500,"conn":1,"vendor":"deepgram","dir":"up","kind":"binary","b64":"AAAA"}`,
	`{"t":3000,"conn":1,"vendor":"deepgram","dir":"down","kind":"text","data":"heard"}`,
	`{"t":3000,"conn":1,"vendor":"deepgram","dir":"down","kind":"binary","b64":"/w=="}`,
	`{"t":4000,"conn":1,"vendor":"deepgram","dir":"down","kind":"close","status":1011,"data":"idle"}`,
}

// An answer in two pieces.
var requestLines = []string{
	`{"t":5000,"conn":2,"vendor":"anthropic","dir":"up","kind":"request","method":"POST","path":"/v1/messages","data":"{}"}`,
	`{"t":5400,"conn":2,"vendor":"anthropic","dir":"down","kind":"response","status":200,"headers":{"content-type":"text/event-stream"}}`,
	`{"t":5500,"conn":2,"vendor":"anthropic","dir":"down","kind":"chunk","data":"uno "}`,
	`{"t":7000,"conn":2,"vendor":"anthropic","dir":"down","kind":"chunk","data":"dos"}`,
	`{"t":7500,"conn":2,"vendor":"anthropic","dir":"down","kind":"close"}`,
}

// inMemory serves a cassette inside a bubble of virtual time.
func inMemory(t *testing.T, c *simulate.Cassette, speed float64) *http.Client {
	p := simulate.NewReplay(c, simulate.ReplayOptions{Speed: speed})
	client := providertest.Serve(t, p)
	t.Cleanup(p.Close)
	return client
}

// Answers take the time that they took, divided by the speed.
func TestReplayKeepsTime(t *testing.T) {
	for _, tt := range []struct {
		speed                       float64
		heads, first, second, whole time.Duration
	}{
		{1, 400 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second, 2500 * time.Millisecond},
		{5, 80 * time.Millisecond, 100 * time.Millisecond, 400 * time.Millisecond, 500 * time.Millisecond},
		{0, 0, 0, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := inMemory(t, cassette(t, requestLines...), tt.speed)
			start := time.Now()
			res, err := client.Post("http://vendor/v1/messages", "application/json", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if took := time.Since(start); took != tt.heads || res.Header.Get("Content-Type") != "text/event-stream" {
				t.Errorf("speed %v: answered after %v with %v", tt.speed, took, res.Header)
			}
			b := make([]byte, 64)
			for _, want := range []struct {
				at   time.Duration
				text string
			}{{tt.first, "uno "}, {tt.second, "dos"}} {
				n, err := res.Body.Read(b)
				if took := time.Since(start); err != nil || took != want.at || tt.speed > 0 && string(b[:n]) != want.text {
					t.Errorf("speed %v: read %q, %v after %v; want %q after %v", tt.speed, b[:n], err, took, want.text, want.at)
				}
				if tt.speed == 0 {
					break // both at once, in one piece or two
				}
			}
			rest, err := io.ReadAll(res.Body)
			if took := time.Since(start); err != nil || took != tt.whole || tt.speed > 0 && len(rest) > 0 {
				t.Errorf("speed %v: ended with %q, %v after %v; want %v", tt.speed, rest, err, took, tt.whole)
			}
		})
	}
}

// However fast, a vendor does not answer what it was not asked; and a message that
// only keeps the socket alive asks nothing.
func TestReplayWaitsForTheClient(t *testing.T) {
	for _, speed := range []float64{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			client := inMemory(t, cassette(t, socketLines...), speed)
			c, res, err := websocket.Dial(t.Context(), "http://vendor/v1/listen", &websocket.DialOptions{HTTPClient: client})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			if res.Header.Get("Dg-Request-Id") != "r1" || res.Header.Get("Content-Length") != "" {
				t.Errorf("headers %v", res.Header)
			}
			type message struct {
				kind websocket.MessageType
				text string
				err  error
			}
			got := make(chan message, 4)
			go func() {
				defer close(got)
				for {
					kind, b, err := c.Read(t.Context())
					got <- message{kind, string(b), err}
					if err != nil {
						return
					}
				}
			}()
			say := func(kind websocket.MessageType, text string) {
				if err := c.Write(t.Context(), kind, []byte(text)); err != nil {
					t.Error(err)
				}
			}
			say(websocket.MessageBinary, "one")
			say(websocket.MessageText, `{"type":"KeepAlive"}`)
			say(websocket.MessageText, `{ "type": "KeepAlive" }`)
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := len(got); n != 0 {
				t.Fatalf("speed %v: %d messages before the second question", speed, n)
			}
			say(websocket.MessageBinary, "two")
			if m := <-got; m.err != nil || m.kind != websocket.MessageText || m.text != "heard" {
				t.Errorf("speed %v: got %+v", speed, m)
			}
			if m := <-got; m.err != nil || m.kind != websocket.MessageBinary || m.text != "\xff" {
				t.Errorf("speed %v: got %+v", speed, m)
			}
			if m := <-got; websocket.CloseStatus(m.err) != 1011 || !strings.Contains(m.err.Error(), "idle") {
				t.Errorf("speed %v: ended with %v", speed, m.err)
			}
		})
	}
}

// Requests of one kind are answered in their recorded order; what is not on the
// cassette gets 404 with what is.
func TestReplayMatches(t *testing.T) {
	request := func(conn, path, body string) []string {
		return []string{
			`{"t":1,"conn":` + conn + `,"vendor":"openai","dir":"up","kind":"request","method":"POST","path":"` + path + `"}`,
			`{"t":1,"conn":` + conn + `,"vendor":"openai","dir":"down","kind":"response","status":200}`,
			`{"t":1,"conn":` + conn + `,"vendor":"openai","dir":"down","kind":"chunk","data":"` + body + `"}`,
			`{"t":1,"conn":` + conn + `,"vendor":"openai","dir":"down","kind":"close"}`,
		}
	}
	_, base := play(t, cassette(t, slices.Concat(
		request("1", "/v1/chat/completions", "first"), request("2", "/v1/audio/speech", "sound"), request("3", "/v1/chat/completions", "second"))...), simulate.ReplayOptions{})
	for _, tt := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"POST", "/v1/chat/completions", 200, "first"},
		{"GET", "/v1/audio/speech", 404, "no further GET /v1/audio/speech (openai); expected: POST /v1/audio/speech (openai), POST /v1/chat/completions (openai)"},
		{"POST", "/v1/chat/completions", 200, "second"},
		{"POST", "/v1/chat/completions", 404, "expected: POST /v1/audio/speech (openai)"},
		{"POST", "/v1/audio/speech", 200, "sound"},
		{"POST", "/v1/audio/speech", 404, "everything on it has been asked for"},
		{"POST", "/elsewhere", 404, "no further POST /elsewhere"},
	} {
		if status, body := send(t, tt.method, base+tt.path, nil); status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s %s: %d %q, want %d %q", tt.method, tt.path, status, body, tt.status, tt.want)
		}
	}
	if _, res, err := dial(t, base+"/v1/listen", nil); err == nil || res == nil || res.StatusCode != 404 {
		t.Errorf("a socket that is not there: %v, %v", res, err)
	}
}

// Where the recording stops, the replay waits for its client, or for Close.
func TestReplayCloseEndsEverything(t *testing.T) {
	c := cassette(t, slices.Concat(socketLines[:2], requestLines[:3])...)
	p, base := play(t, c, simulate.ReplayOptions{})
	s, _, err := dial(t, base+"/v1/listen", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.CloseNow()
	r, err := http.NewRequestWithContext(t.Context(), "POST", base+"/v1/messages", nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := providers.NewTransport()
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	said := make([]byte, len("uno "))
	if _, err := io.ReadFull(res.Body, said); err != nil || string(said) != "uno " {
		t.Fatalf("what was recorded: %q, %v", said, err)
	}
	p.Close()
	if b, err := io.ReadAll(res.Body); err == nil || len(b) != 0 {
		t.Errorf("an answer that broke off reads as whole: %q, %v", b, err)
	}
	if _, _, err := s.Read(t.Context()); err == nil {
		t.Error("the socket is still open")
	}
	if status, body := send(t, "POST", base+"/v1/messages", nil); status != 404 || !strings.Contains(body, "the replay is closed") {
		t.Errorf("closed: %d %q", status, body)
	}
}

var rerecord = flag.Bool("record", false, "make testdata/conversation.cassette anew from the simulators")

// shortLines make a cassette that is small enough to be kept with the code.
func shortLines(t *testing.T) lines {
	_, samples := recordedLine(t)
	const rate = 8000
	audio := make([]byte, 0, 3*rate)
	for i := 0; i+4 <= 2*16000; i += 4 { // one second, every other sample
		audio = append(audio, samples[i], samples[i+1])
	}
	audio = append(audio, make([]byte, rate)...) // half a second of silence
	return lines{audio: audio, rate: rate, prompt: "A table for two, please.", say: "I see. ", recorded: samples[:64]}
}

// The cassette that is kept with the code plays each vendor's part for its client:
// a change of the clients or of the format that no longer understands what was
// recorded fails here.
func TestKeptCassette(t *testing.T) {
	const path = "testdata/conversation.cassette"
	if *rerecord {
		s := newStudio(t)
		converse(t, s.url, canary, shortLines(t))
		raw, _ := s.tape(t)
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte(canary)) {
		t.Error("the key stands on the cassette")
	}
	c, err := simulate.ReadCassette(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	p, base := play(t, c, simulate.ReplayOptions{})
	o := converse(t, base, "any-key", shortLines(t))
	const reply = "I see. Can you tell me a little more about that?"
	for what, got := range map[string][2]string{
		"Nova":      {o.Nova[len(o.Nova)-1].Text, "I would like to"},
		"Flux":      {o.Flux[len(o.Flux)-1].Text, "I would like to"},
		"Claude":    {o.ClaudeText, reply},
		"its model": {o.Claude.Model, "claude-haiku-5-5"},
		"GPT":       {o.GPTText, reply},
		"its id":    {o.GPT.RequestID[:4], "req_"},
		"alignment": {o.Eleven.Text, "I see. "},
		"over HTTP": {o.ElevenHTTP.Text, "I see. "},
		"Whisper":   {o.Whisper.Text, "I would like to book a table for two people at eight o'clock."},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %q, want %q", what, got[0], got[1])
		}
	}
	const spoken = 25182 // bytes
	if o.Eleven.Bytes != spoken || o.ElevenHTTP.Bytes != spoken || o.TTS.Bytes != spoken {
		t.Errorf("spoken: %d, %d and %d bytes, want %d each", o.Eleven.Bytes, o.ElevenHTTP.Bytes, o.TTS.Bytes, spoken)
	}
	if left := p.Left(); len(left) > 0 {
		t.Errorf("not asked for: %q", left)
	}
}
