package simulate_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"kalami/providers"
	"kalami/providers/anthropic"
	"kalami/providers/simulate"
)

// recorded stands a recorder before a vendor of the test's own. done stops it and
// returns the cassette.
func recorded(t *testing.T, vendor http.HandlerFunc) (base string, rec *simulate.Recorder, done func() (raw []byte, c *simulate.Cassette)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cassette")
	w, err := simulate.CreateCassette(path)
	if err != nil {
		t.Fatal(err)
	}
	far := httptest.NewServer(vendor)
	rec, err = simulate.NewRecorder(simulate.RecorderOptions{Cassette: w, Upstreams: map[simulate.Vendor]string{
		simulate.Deepgram: far.URL, simulate.Anthropic: far.URL + "/behind/a/proxy/"}})
	if err != nil {
		t.Fatal(err)
	}
	near := httptest.NewServer(rec)
	done = func() ([]byte, *simulate.Cassette) {
		t.Helper()
		rec.Close()
		near.Close()
		far.Close()
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := simulate.ReadCassette(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		return raw, c
	}
	t.Cleanup(func() {
		rec.Close()
		near.Close()
		far.Close()
	})
	return near.URL, rec, done
}

// dial opens a socket and closes the idle connections of a refused one.
func dial(t *testing.T, url string, opt *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	transport := providers.NewTransport()
	t.Cleanup(transport.CloseIdleConnections)
	if opt == nil {
		opt = &websocket.DialOptions{}
	}
	opt.HTTPClient = &http.Client{Transport: transport}
	return websocket.Dial(t.Context(), url, opt)
}

// last is the final event of a cassette, which must be a close.
func last(t *testing.T, c *simulate.Cassette) simulate.CassetteEvent {
	t.Helper()
	e := c.Events[len(c.Events)-1]
	if e.Kind != simulate.KindClose {
		t.Fatalf("the cassette ends with %+v", e)
	}
	return e
}

// accept takes a socket as a vendor does.
func accept(t *testing.T, w http.ResponseWriter, r *http.Request) *websocket.Conn {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"token"}})
	if err != nil {
		t.Error(err)
		panic(http.ErrAbortHandler)
	}
	return c
}

// How a vendor ends a socket is what the client sees, through the recorder and from
// the replay.
func TestVendorsCloseIsPassedOn(t *testing.T) {
	for name, tt := range map[string]struct {
		end    func(c *websocket.Conn)
		code   websocket.StatusCode // as the client sees it; -1 when there is none
		status int                  // on the cassette
		reason string
	}{
		"normal":    {func(c *websocket.Conn) { _ = c.Close(1000, "") }, 1000, 1000, ""},
		"error":     {func(c *websocket.Conn) { _ = c.Close(1011, "NET-0001") }, 1011, 1011, "NET-0001"},
		"own code":  {func(c *websocket.Conn) { _ = c.Close(4008, "quota") }, 4008, 4008, "quota"},
		"no status": {func(c *websocket.Conn) { _ = c.Close(websocket.StatusNoStatusRcvd, "") }, 1005, 1005, ""},
		"cut":       {func(c *websocket.Conn) { _ = c.CloseNow() }, -1, 1006, ""},
	} {
		t.Run(name, func(t *testing.T) {
			base, _, done := recorded(t, func(w http.ResponseWriter, r *http.Request) {
				c := accept(t, w, r)
				_, b, _ := c.Read(context.Background())
				_ = c.Write(context.Background(), websocket.MessageText, append(b, "!"...))
				tt.end(c)
			})
			talk := func(base string) {
				t.Helper()
				c, _, err := dial(t, base+"/v1/listen", nil)
				if err != nil {
					t.Fatal(err)
				}
				defer c.CloseNow()
				if err := c.Write(t.Context(), websocket.MessageText, []byte("hola")); err != nil {
					t.Fatal(err)
				}
				if _, b, err := c.Read(t.Context()); err != nil || string(b) != "hola!" {
					t.Fatalf("read %q, %v", b, err)
				}
				_, _, err = c.Read(t.Context())
				ce, _ := errors.AsType[websocket.CloseError](err)
				if code := websocket.CloseStatus(err); code != tt.code || ce.Reason != tt.reason {
					t.Errorf("closed with %d %q, want %d %q", code, ce.Reason, tt.code, tt.reason)
				}
			}
			talk(base)
			_, c := done()
			if e := last(t, c); e.Dir != simulate.Down || e.Status != tt.status || e.Data != tt.reason {
				t.Errorf("noted %+v", e)
			}
			_, again := play(t, c, simulate.ReplayOptions{})
			talk(again)
		})
	}
}

// How a client ends a socket is what the vendor sees.
func TestClientsCloseIsPassedOn(t *testing.T) {
	for name, tt := range map[string]struct {
		end    func(c *websocket.Conn) error
		code   websocket.StatusCode
		status int
	}{
		"closed": {func(c *websocket.Conn) error { return c.Close(4000, "bye") }, 4000, 4000},
		"cut":    {func(c *websocket.Conn) error { return c.CloseNow() }, -1, 1006},
	} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan error, 1)
			base, _, done := recorded(t, func(w http.ResponseWriter, r *http.Request) {
				_, _, err := accept(t, w, r).Read(context.Background())
				seen <- err
			})
			c, _, err := dial(t, base+"/v1/listen", nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.end(c); err != nil {
				t.Fatal(err)
			}
			if code := websocket.CloseStatus(<-seen); code != tt.code {
				t.Errorf("the vendor saw %d, want %d", code, tt.code)
			}
			_, tape := done()
			if e := last(t, tape); e.Dir != simulate.Up || e.Status != tt.status {
				t.Errorf("noted %+v", e)
			}
		})
	}
}

// A refused handshake reaches the client with its status, headers and whole body.
func TestRefusalIsPassedOn(t *testing.T) {
	body := `{"err_msg":"` + strings.Repeat("slow down ", 300) + `"}` // longer than the library shows
	base, _, done := recorded(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.Header().Set("Dg-Request-Id", "req-1")
		w.Header().Set("Set-Cookie", "account=private")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, body)
	})
	ask := func(base string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/listen", nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} {
			r.Header.Set(name, v)
		}
		transport := providers.NewTransport()
		defer transport.CloseIdleConnections()
		res, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		got, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 429 || res.Header.Get("Retry-After") != "7" || res.Header.Get("Dg-Request-Id") != "req-1" || string(got) != body {
			t.Errorf("%v, %d, %v, %d bytes", err, res.StatusCode, res.Header, len(got))
		}
	}
	ask(base)
	raw, c := done()
	if bytes.Contains(raw, []byte("private")) {
		t.Error("a header that is not on the list stands on the cassette")
	}
	_, again := play(t, c, simulate.ReplayOptions{})
	ask(again)
}

// A vendor gets the client's credentials wherever they are; the cassette does not.
func TestCredentialsGoOnAndAreNotKept(t *testing.T) {
	const key = "secret-key-0123456789"
	got := make(chan string, 1)
	base, _, done := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		h := r.Header
		w.Header().Set("Dg-Error", "who is "+key)
		c := accept(t, w, r)
		_, b, _ := c.Read(context.Background())
		got <- strings.Join([]string{h.Get("Authorization"), h.Get("Xi-Api-Key"), h.Get("Cookie"), h.Get("Sec-Websocket-Protocol"), r.URL.RawQuery, string(b)}, " | ")
		_ = c.Close(1008, "bad key "+key)
	})
	c, res, err := dial(t, base+"/v1/listen?authorization="+key+"&model=nova-3", &websocket.DialOptions{
		Subprotocols: []string{"token", key + "-protocol"},
		HTTPHeader:   http.Header{"Authorization": {"Token " + key}, "Xi-Api-Key": {key}, "Cookie": {"session=" + key}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if c.Subprotocol() != "token" || res.Header.Get("Dg-Error") != "who is "+key {
		t.Errorf("answered with subprotocol %q, headers %v", c.Subprotocol(), res.Header)
	}
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`{"text":" ","xi_api_key":"another-secret"}`)); err != nil {
		t.Fatal(err)
	}
	want := "Token " + key + " | " + key + " | session=" + key + " | token," + key + "-protocol | authorization=" + key + `&model=nova-3 | {"text":" ","xi_api_key":"another-secret"}`
	if seen := <-got; seen != want {
		t.Errorf("the vendor got %s\nwant %s", seen, want)
	}
	if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != 1008 || !strings.Contains(err.Error(), key) {
		t.Errorf("the client saw %v", err)
	}
	raw, tape := done()
	for _, secret := range []string{key, "another-secret"} {
		if bytes.Contains(raw, []byte(secret)) {
			t.Errorf("%q stands on the cassette:\n%s", secret, raw)
		}
	}
	if e := tape.Events[0]; e.Query != "model=nova-3" {
		t.Errorf("query %q", e.Query)
	}
	if e := last(t, tape); e.Data != "bad key [removed]" {
		t.Errorf("close reason %q", e.Data)
	}
}

// Vendors count silence by pings, so a client's reach them.
func TestPingsArePassedOn(t *testing.T) {
	pinged := make(chan struct{}, 1)
	base, _, _ := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{OnPingReceived: func(context.Context, []byte) bool {
			pinged <- struct{}{}
			return true
		}})
		if err == nil {
			_, _, _ = c.Read(context.Background())
		}
	})
	c, _, err := dial(t, base+"/v2/listen", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	ctx := c.CloseRead(t.Context())
	if err := c.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	<-pinged
}

// An answer that breaks off, or that its client leaves, does so on the cassette and
// in the replay.
func TestBrokenAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		fault simulate.Fault
		leave bool
		dir   simulate.Direction
	}{
		"cut by the vendor":  {simulate.Fault{Vendor: simulate.Anthropic, Kind: simulate.FaultCut, After: 5}, false, simulate.Down},
		"left by the client": {simulate.Fault{Vendor: simulate.Anthropic, Kind: simulate.FaultStall, After: 5}, true, simulate.Up},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStudio(t)
			s.sim.Inject(tt.fault)
			reply := func(base string) (text string, err error) {
				t.Helper()
				transport := providers.NewTransport()
				defer transport.CloseIdleConnections()
				claude, err := anthropic.New(anthropic.Options{Key: canary, BaseURL: base, Transport: transport})
				if err != nil {
					t.Fatal(err)
				}
				p := providers.Prompt{Lines: []providers.Line{{Role: providers.RoleLearner, Text: "A table for two."}}}
				for d, err := range claude.Reply(t.Context(), p) {
					if text += d.Text; err != nil || tt.leave && strings.Count(text, " ") > 0 {
						return text, err
					}
				}
				return text, nil
			}
			live, err := reply(s.url)
			if (err == nil) != tt.leave || live == "" {
				t.Fatalf("%q, %v", live, err)
			}
			_, c := s.tape(t)
			if e := last(t, c); e.Dir != tt.dir || e.Status != 1006 {
				t.Errorf("noted %+v", e)
			}
			_, base := play(t, c, simulate.ReplayOptions{})
			again, err2 := reply(base)
			if again != live || providers.KindOf(err2) != providers.KindOf(err) {
				t.Errorf("replayed %q, %v; recorded %q, %v", again, err2, live, err)
			}
		})
	}
}
