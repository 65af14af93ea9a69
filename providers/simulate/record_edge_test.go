package simulate_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"kalami/providers"
	"kalami/providers/simulate"
)

// send makes a request and returns the answer's status and body; status 0 when
// there was none.
func send(t *testing.T, method, url string, body io.Reader) (status int, text string) {
	t.Helper()
	transport := providers.NewTransport()
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestNewRecorderNamesTheOption(t *testing.T) {
	w := simulate.NewCassetteWriter(nowhere{})
	for want, opt := range map[string]simulate.RecorderOptions{
		"cassette: is needed":            {},
		`upstreams: "acme" is no vendor`: {Cassette: w, Upstreams: map[simulate.Vendor]string{"acme": "http://x"}},
		"upstream of deepgram: base URL": {Cassette: w, Upstreams: map[simulate.Vendor]string{simulate.Deepgram: "x"}},
		"upstream of openai: base URL":   {Cassette: w, Upstreams: map[simulate.Vendor]string{simulate.OpenAI: "http://\x00"}},
	} {
		if _, err := simulate.NewRecorder(opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// nowhere is a file that keeps nothing.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }

// The path chooses the vendor; what stands before it in an upstream's address is
// kept, and OpenAI's version stands there already.
func TestPathsGoToTheirVendor(t *testing.T) {
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("X-Forwarded-For"))
	}))
	defer far.Close()
	rec, err := simulate.NewRecorder(simulate.RecorderOptions{Cassette: simulate.NewCassetteWriter(nowhere{}), Upstreams: map[simulate.Vendor]string{
		simulate.Deepgram: far.URL, simulate.ElevenLabs: far.URL + "/eleven/", simulate.Anthropic: far.URL + "/a/b", simulate.OpenAI: far.URL + "/openai/v1beta",
	}})
	if err != nil {
		t.Fatal(err)
	}
	near := httptest.NewServer(rec)
	defer near.Close()
	defer rec.Close()
	for path, want := range map[string]string{
		"/v1/listen?model=nova-3":               "/v1/listen?model=nova-3 ",
		"/v1/text-to-speech/a%2Fb/stream?x=1;2": "/eleven/v1/text-to-speech/a%2Fb/stream?x=1;2 ",
		"/v2/voices":                            "/eleven/v2/voices ",
		"/v1/messages":                          "/a/b/v1/messages ",
		"/v1/chat/completions":                  "/openai/v1beta/chat/completions ",
		"/v1/audio/speech":                      "/openai/v1beta/audio/speech ",
	} {
		if status, body := send(t, "POST", near.URL+path, strings.NewReader("{}")); status != 200 || body != "POST "+want {
			t.Errorf("%s went on as %d %q, want %q", path, status, body, want)
		}
	}
}

// What cannot be passed on is refused with a reason.
func TestRecorderRefuses(t *testing.T) {
	base, rec, _ := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the vendor was asked for %s", r.URL.Path)
	})
	for _, tt := range []struct {
		path   string
		body   io.Reader
		status int
		want   string
	}{
		{"/", nil, 404, "/ is no vendor's path"},
		{"/v1/messages-of-the-future", nil, 404, "no vendor's path"},
		{"/v1/voices", nil, 404, "no upstream for elevenlabs"},
		{"/v1/messages", io.LimitReader(spaces{}, 28<<20+1), 413, "longer than 29360128 bytes"},
	} {
		if status, body := send(t, "POST", base+tt.path, tt.body); status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s: %d %q, want %d %q", tt.path, status, body, tt.status, tt.want)
		}
	}
	rec.Close()
	if status, body := send(t, "POST", base+"/v1/messages", nil); status != 503 {
		t.Errorf("closed: %d %q", status, body)
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// A vendor that is not there gives no answer: not through the recorder, not from the
// replay, and the cassette says so.
func TestVendorThatIsNotThere(t *testing.T) {
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := "http://" + l.Addr().String()
	_ = l.Close()

	var file strings.Builder
	w := simulate.NewCassetteWriter(buffer{&file})
	rec, err := simulate.NewRecorder(simulate.RecorderOptions{Cassette: w, Upstreams: map[simulate.Vendor]string{simulate.Deepgram: gone, simulate.Anthropic: gone}})
	if err != nil {
		t.Fatal(err)
	}
	near := httptest.NewServer(rec)
	ask := func(base string) {
		t.Helper()
		if status, text := send(t, "POST", base+"/v1/messages", strings.NewReader("{}")); status != 0 {
			t.Errorf("answered: %d %q", status, text)
		}
		if _, res, err := dial(t, base+"/v1/listen", nil); err == nil || res != nil {
			t.Errorf("accepted: %v, %v", res, err)
		}
	}
	ask(near.URL)
	near.Close()
	rec.Close()
	c, err := simulate.ReadCassette(strings.NewReader(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range c.Events {
		if e.Kind == simulate.KindClose && (e.Dir != simulate.Down || e.Status != 1006 || e.Data != "unreachable") {
			t.Errorf("noted %+v", e)
		}
	}
	p, again := play(t, c, simulate.ReplayOptions{})
	ask(again)
	if left := p.Left(); len(left) > 0 {
		t.Errorf("not asked for: %q", left)
	}
}

// buffer is a file in memory.
type buffer struct{ *strings.Builder }

func (buffer) Close() error { return nil }

// Close ends what would never end: a vendor that says nothing, a client that reads
// nothing, an answer that does not come.
func TestRecorderCloseEndsEverything(t *testing.T) {
	asked := make(chan struct{}, 3)
	base, rec, done := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		if r.Header.Get("Upgrade") == "" {
			_, _ = io.Copy(io.Discard, r.Body) // until then a server does not notice that its client leaves
			<-r.Context().Done()
			return
		}
		c := accept(t, w, r)
		if r.URL.Path == "/v1/listen" {
			_, _, _ = c.Read(context.Background())
			return
		}
		for flood := make([]byte, 1<<20); c.Write(context.Background(), websocket.MessageBinary, flood) == nil; {
		}
	})
	silent, _, err := dial(t, base+"/v1/listen", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.CloseNow()
	deaf, _, err := dial(t, base+"/v2/listen", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.CloseNow()
	late := make(chan int, 1)
	go func() {
		status, _ := send(t, "POST", base+"/v1/messages", strings.NewReader("{}"))
		late <- status
	}()
	for range 3 {
		<-asked
	}
	rec.Close()
	if status := <-late; status != 0 {
		t.Errorf("answered with %d", status)
	}
	if _, _, err := silent.Read(t.Context()); err == nil || websocket.CloseStatus(err) != -1 {
		t.Errorf("the socket ended with %v", err)
	}
	_, c := done()
	closes := 0
	for _, e := range c.Events {
		if e.Kind == simulate.KindClose {
			closes++
		}
	}
	if closes != 3 {
		t.Errorf("%d ends on the cassette, want 3", closes)
	}
}
