package deepgram_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"kalami/providers"
	"kalami/providers/deepgram"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

// english16k is what most tests listen to.
var english16k = providers.ListenOptions{Language: "en", SampleRate: 16000}

// scripted is a server that a test writes itself. It records what clients send.
type scripted struct {
	mu       sync.Mutex
	requests []*http.Request
	frames   [][]byte // binary messages
	texts    []string
}

// serve accepts sockets, sends messages, and obeys CloseStream with ending.
func (s *scripted) serve(messages []string, ending func(*websocket.Conn)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		w.Header().Set("dg-request-id", "req-1")
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for _, m := range messages {
			_ = c.Write(context.Background(), websocket.MessageText, []byte(m))
		}
		for {
			kind, b, err := c.Read(context.Background())
			if err != nil {
				return
			}
			s.mu.Lock()
			if kind == websocket.MessageBinary {
				s.frames = append(s.frames, b)
			} else {
				s.texts = append(s.texts, string(b))
			}
			s.mu.Unlock()
			if strings.Contains(string(b), "CloseStream") {
				ending(c)
				return
			}
		}
	})
}

const metadata = `{"type":"Metadata","request_id":"req-1","duration":0,"channels":1}`

// inOrder ends a stream of Nova as the service does.
func inOrder(c *websocket.Conn) {
	_ = c.Write(context.Background(), websocket.MessageText, []byte(metadata))
	_ = c.Close(websocket.StatusNormalClosure, "")
}

// scriptedClient is a client of a scripted server, in memory.
func scriptedClient(t *testing.T, h http.Handler, change func(*deepgram.Options)) *deepgram.Client {
	t.Helper()
	o := deepgram.Options{Key: testKey, BaseURL: "http://deepgram.test/base/", HTTPClient: providertest.Serve(t, h)}
	if change != nil {
		change(&o)
	}
	client, err := deepgram.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func open(t *testing.T, c *deepgram.Client, opt providers.ListenOptions) providers.RecognitionStream {
	t.Helper()
	s, err := c.Listen(t.Context(), opt)
	if err != nil {
		t.Fatalf("Listen: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]deepgram.Options{
		"base URL":        {BaseURL: "deepgram.test"},
		"dial timeout":    {DialTimeout: -1},
		"write timeout":   {WriteTimeout: -1},
		"endpointing":     {EndpointingMS: -1},
		"utterance end":   {UtteranceEndMS: 500},
		"end threshold":   {EndThreshold: 0.95},
		"eager threshold": {EagerThreshold: 0.8, EndThreshold: 0.7},
	} {
		if _, err := deepgram.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	client, err := deepgram.New(deepgram.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []providers.ListenOptions{{SampleRate: 16000}, {Language: "en"}, {Language: "en", SampleRate: 96000}} {
		if _, err := client.Listen(t.Context(), o); providers.KindOf(err) != providers.Invalid {
			t.Errorf("%+v: %v, want invalid", o, err)
		}
	}
}

func TestHandshakeParameters(t *testing.T) {
	several := providers.ListenOptions{Language: "es-419", Hints: []string{"en", "el"}, SampleRate: 24000, Keyterms: []string{"mesa", "reservar"}}
	for _, test := range []struct {
		name   string
		opt    providers.ListenOptions
		change func(*deepgram.Options)
		path   string
		want   url.Values // these and no other values of these parameters; nil is absent
	}{
		{
			name: "flux for one of its languages", opt: providers.ListenOptions{Language: "es", SampleRate: 16000}, path: "/base/v2/listen",
			want: url.Values{
				"model": {"flux-general-multi"}, "language_hint": {"es"}, "encoding": {"linear16"}, "sample_rate": {"16000"},
				"eager_eot_threshold": {"0.4"}, "eot_threshold": {"0.7"}, "keyterm": nil, "language": nil, "interim_results": nil,
			},
		},
		{
			name: "flux for English alone", opt: english16k, path: "/base/v2/listen",
			change: func(o *deepgram.Options) { o.EagerThreshold = -1 },
			want:   url.Values{"model": {"flux-general-en"}, "language_hint": nil, "eager_eot_threshold": nil},
		},
		{
			name: "flux drops hints that it would refuse", opt: several, path: "/base/v2/listen",
			want: url.Values{"model": {"flux-general-multi"}, "language_hint": {"es", "en"}, "keyterm": {"mesa", "reservar"}, "sample_rate": {"24000"}},
		},
		{
			name: "nova for a language that flux lacks", opt: providers.ListenOptions{Language: "pl", SampleRate: 16000}, path: "/base/v1/listen",
			want: url.Values{
				"model": {"nova-3"}, "language": {"pl"}, "endpointing": {"300"}, "interim_results": {"true"}, "vad_events": {"true"},
				"utterance_end_ms": {"1000"}, "smart_format": {"true"}, "encoding": {"linear16"}, "sample_rate": {"16000"}, "language_hint": nil, "keyterm": nil,
			},
		},
		{
			name: "nova with several languages", opt: several, change: on(deepgram.Nova), path: "/base/v1/listen",
			want: url.Values{"language": {"multi"}, "language_hint": {"es-419", "en", "el"}, "endpointing": {"100"}, "keyterm": {"mesa", "reservar"}},
		},
		{
			name: "an older nova knows no key terms", opt: several, path: "/base/v1/listen",
			change: func(o *deepgram.Options) { on(deepgram.Nova)(o); o.NovaModel, o.EndpointingMS = "nova-2", 500 },
			want:   url.Values{"model": {"nova-2"}, "keyterm": nil, "endpointing": {"500"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var server scripted
				_ = open(t, scriptedClient(t, server.serve(nil, inOrder), test.change), test.opt).Close()
				r := server.requests[0]
				if r.URL.Path != test.path || r.Header.Get("Authorization") != "Token "+testKey {
					t.Errorf("path %q, authorization %q", r.URL.Path, r.Header.Get("Authorization"))
				}
				got := r.URL.Query()
				for name, want := range test.want {
					if !slices.Equal(got[name], want) {
						t.Errorf("%s is %q, want %q", name, got[name], want)
					}
				}
			})
		})
	}
}

// Short frames are joined to 80 ms; what waits is flushed by Finalize and Drain;
// an empty binary message, which ends streams, is never sent.
func TestFramesAreJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var server scripted
		s := open(t, scriptedClient(t, server.serve(nil, inOrder), on(deepgram.Nova)), english16k)
		audio := make([]byte, 0, 9*640)
		for i := range cap(audio) {
			audio = append(audio, byte(i*7))
		}
		step := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		for i := range 5 { // 100 ms
			step(s.Send(t.Context(), audio[i*640:(i+1)*640]))
		}
		step(s.Finalize(t.Context()))
		step(s.Send(t.Context(), nil))
		step(s.Send(t.Context(), audio[5*640:5*640+1])) // half a sample
		step(s.KeepAlive(t.Context()))
		step(s.Send(t.Context(), audio[5*640+1:]))
		step(s.Drain(t.Context()))
		var sizes []int
		for _, f := range server.frames {
			sizes = append(sizes, len(f))
		}
		if want := []int{2560, 640, 1, 2559}; !slices.Equal(sizes, want) {
			t.Errorf("messages of %v bytes, want %v", sizes, want)
		}
		if !bytes.Equal(bytes.Join(server.frames, nil), audio) {
			t.Error("the audio did not arrive as it was sent")
		}
		var kinds []string
		for _, text := range server.texts {
			var m struct{ Type string }
			if err := json.Unmarshal([]byte(text), &m); err != nil {
				t.Error(err)
			}
			kinds = append(kinds, m.Type)
		}
		if want := []string{"Finalize", "KeepAlive", "CloseStream"}; !slices.Equal(kinds, want) {
			t.Errorf("text messages %q, want %q", kinds, want)
		}
	})
}

// Frames of packed formats must stay whole.
func TestPackedFormatsAreNotJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var server scripted
		opt := english16k
		opt.Encoding = "opus"
		s := open(t, scriptedClient(t, server.serve(nil, inOrder), on(deepgram.Nova)), opt)
		for _, f := range []string{"one", "two"} {
			if err := s.Send(t.Context(), []byte(f)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(server.frames) != 2 || string(server.frames[0]) != "one" {
			t.Errorf("frames %q", server.frames)
		}
	})
}

// How a stream ends decides whether it was heard to its end.
func TestEndings(t *testing.T) {
	const interim = `{"type":"Results","start":0,"duration":1,"channel":{"alternatives":[{"transcript":"hola"}]}}`
	const update = `{"type":"TurnInfo","event":"Update","transcript":"hola"}`
	closing := func(code websocket.StatusCode, reason string) func(*websocket.Conn) {
		return func(c *websocket.Conn) { _ = c.Close(code, reason) }
	}
	cut := func(c *websocket.Conn) { _ = c.CloseNow() }
	for _, test := range []struct {
		name     string
		endpoint deepgram.Endpoint
		message  string
		ending   func(*websocket.Conn)
		kind     providers.Kind // 0: in order, and what was said is final
	}{
		{"nova: metadata and close", deepgram.Nova, interim, inOrder, 0},
		{"nova: metadata and a cut", deepgram.Nova, interim, func(c *websocket.Conn) {
			_ = c.Write(context.Background(), websocket.MessageText, []byte(metadata))
			_ = c.CloseNow()
		}, 0},
		{"nova: a close without metadata", deepgram.Nova, interim, closing(websocket.StatusNormalClosure, ""), providers.Unavailable},
		{"nova: cut", deepgram.Nova, interim, cut, providers.Unavailable},
		{"nova: DATA-0000 by 1008", deepgram.Nova, interim, closing(websocket.StatusPolicyViolation, "DATA-0000"), providers.Invalid},
		{"nova: DATA-0000 by 1002", deepgram.Nova, interim, closing(websocket.StatusProtocolError, "DATA-0000"), providers.Invalid},
		{"nova: 1011", deepgram.Nova, interim, closing(websocket.StatusInternalError, "NET-0000"), providers.Unavailable},
		{"nova: 1013", deepgram.Nova, interim, closing(websocket.StatusTryAgainLater, ""), providers.Overloaded},
		{"flux: a close without a code", deepgram.Flux, update, closing(websocket.StatusNoStatusRcvd, ""), 0},
		{"flux: a close with 1000", deepgram.Flux, update, closing(websocket.StatusNormalClosure, ""), 0},
		{"flux: cut", deepgram.Flux, update, cut, providers.Unavailable},
		{"flux: 1011", deepgram.Flux, update, closing(websocket.StatusInternalError, ""), providers.Unavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var server scripted
				s := open(t, scriptedClient(t, server.serve([]string{test.message}, test.ending), on(test.endpoint)), english16k)
				err := s.Drain(t.Context())
				if providers.KindOf(err) != test.kind || providers.KindOf(s.Err()) != test.kind {
					t.Errorf("Drain: %v, Err: %v; want kind %v", err, s.Err(), test.kind)
				}
				if e, ok := errors.AsType[*providers.Error](err); ok && e.RequestID != "req-1" {
					t.Errorf("request id %q", e.RequestID)
				}
				ended := false
				for h := range s.Events() {
					ended = h.Kind == providers.HeardEnd && h.Text == "hola"
				}
				if ended != (test.kind == 0) {
					t.Errorf("the last event ends the segment: %v", ended)
				}
			})
		})
	}
}

// Nobody tells the vendor that silence is meant: it closes after ten seconds, and
// says so before.
func TestIdleNovaIsClosedByTheVendor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := simulated(t, simulate.Options{}, on(deepgram.Nova))
		s := open(t, client, english16k)
		begun := time.Now()
		for range s.Events() {
			t.Error("an event without audio")
		}
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("closed after %v", took)
		}
		e, ok := errors.AsType[*providers.Error](s.Err())
		if !ok || e.Kind != providers.Unavailable || !strings.Contains(e.Detail, "net0001") || e.RequestID == "" {
			t.Errorf("Err: %v, want NET-0001 with the request id", s.Err())
		}
	})
}

// A message of up to 1 MiB is read, a longer one ends the stream.
func TestReadLimit(t *testing.T) {
	for size, want := range map[int]providers.Kind{900 << 10: 0, 1100 << 10: providers.Unavailable} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var server scripted
				huge := `{"type":"X","x":"` + strings.Repeat("x", size) + `"}`
				s := open(t, scriptedClient(t, server.serve([]string{huge}, inOrder), on(deepgram.Nova)), english16k)
				if err := s.Drain(t.Context()); providers.KindOf(err) != want {
					t.Errorf("Drain: %v, want kind %v", err, want)
				}
			})
		})
	}
}

func TestRefusedHandshakes(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		header http.Header
		body   string
		kind   providers.Kind
		id     string
		detail string
	}{
		{"older body", 400, nil, `{"err_code":"INVALID_QUERY_PARAMETER","err_msg":"no such language","request_id":"b"}`, providers.Invalid, "b", "no such language"},
		{"newer body", 400, nil, `{"category":"INVALID","message":"no such model","details":"d","request_id":"c"}`, providers.Invalid, "c", "no such model"},
		{"headers come first", 403, http.Header{"Dg-Error": {"no right"}, "Dg-Request-Id": {"h"}}, `{"err_msg":"x","request_id":"b"}`, providers.Denied, "h", "no right"},
		{"no credit", 400, nil, `{"err_code":"ASR_PAYMENT_REQUIRED","err_msg":"pay"}`, providers.Quota, "", "pay"},
		{"a proxy's page", 502, nil, `<html>bad gateway</html>`, providers.Unavailable, "", "502"},
		{"a redirect is not followed", 302, http.Header{"Location": {"https://elsewhere.test/"}}, ``, providers.Unavailable, "", "302"},
		{"a learner's words are not repeated", 400, http.Header{"Dg-Error": {"keyterm Geheimnis"}}, `{"err_code":"BAD"}`, providers.Invalid, "", "BAD"},
		{"a long explanation is cut", 400, http.Header{"Dg-Error": {strings.Repeat("é", 500)}}, ``, providers.Invalid, "", "é…"},
	} {
		t.Run(test.name, func(t *testing.T) {
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, v := range test.header {
					w.Header()[name] = v
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			defer web.Close()
			client, err := deepgram.New(deepgram.Options{Key: testKey, BaseURL: web.URL})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Listen(t.Context(), providers.ListenOptions{Language: "de", SampleRate: 16000, Keyterms: []string{"Geheimnis"}})
			e, ok := errors.AsType[*providers.Error](err)
			if !ok {
				t.Fatalf("Listen: %v", err)
			}
			if e.Kind != test.kind || e.RequestID != test.id || !strings.Contains(e.Detail, test.detail) {
				t.Errorf("got %v, id %q, %q", e.Kind, e.RequestID, e.Detail)
			}
			if strings.Contains(err.Error(), "Geheimnis") || strings.Contains(err.Error(), testKey) {
				t.Errorf("the error tells too much: %v", err)
			}
		})
	}
}

func TestVendorThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mute := make(chan struct{})
		client := scriptedClient(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-mute }), nil)
		defer close(mute)
		begun := time.Now()
		if _, err := client.Listen(t.Context(), english16k); providers.KindOf(err) != providers.Unavailable || time.Since(begun) != 5*time.Second {
			t.Errorf("Listen: %v after %v, want unavailable after the dial timeout", err, time.Since(begun))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := client.Listen(ctx, english16k); !errors.Is(err, context.DeadlineExceeded) || providers.KindOf(err) != 0 {
			t.Errorf("Listen: %v, want the context's end", err)
		}
	})
}

func TestVendorThatCannotBeReached(t *testing.T) {
	client, err := deepgram.New(deepgram.Options{Key: testKey, BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Listen(t.Context(), providers.ListenOptions{Language: "en", SampleRate: 16000, Keyterms: []string{"Geheimnis"}})
	if providers.KindOf(err) != providers.Unavailable || strings.Contains(err.Error(), "Geheimnis") {
		t.Errorf("Listen: %v, want unavailable without the learner's words", err)
	}
}

// Over TLS, closing says goodbye first, which a vendor that does not read would
// hold up for five seconds.
func TestStalledTLSPeerCannotBlockClose(t *testing.T) {
	hold := make(chan struct{})
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		<-hold // reads nothing
	}))
	defer web.Close()
	defer close(hold)
	small := func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			_ = c.(*net.TCPConn).SetWriteBuffer(4 << 10)
		}
		return c, err
	}
	pool := web.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	client, err := deepgram.New(deepgram.Options{Key: testKey, BaseURL: web.URL, WriteTimeout: time.Minute, HTTPClient: &http.Client{
		Transport: &http.Transport{DialContext: small, TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, client, english16k)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for err == nil { // until the kernel's buffers are full
		err = s.Send(ctx, make([]byte, 64<<10))
	}
	begun := time.Now()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("Close took %v", took)
	}
}

// A consumer that reads nothing slows the vendor and loses nothing.
func TestSlowConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 200
		var server scripted
		var messages []string
		for i := range many {
			messages = append(messages, fmt.Sprintf(`{"type":"TurnInfo","event":"Update","transcript":"w%d"}`, i))
		}
		s := open(t, scriptedClient(t, server.serve(messages, func(c *websocket.Conn) { _ = c.Close(websocket.StatusNoStatusRcvd, "") }), nil), english16k)
		synctest.Wait() // the reader waits for us
		if n := len(s.Events()); n != cap(s.Events()) {
			t.Errorf("%d events wait, want a full channel of %d", n, cap(s.Events()))
		}
		drained := make(chan error, 1)
		go func() { drained <- s.Drain(t.Context()) }()
		var last string
		n := 0
		for h := range s.Events() {
			n, last = n+1, h.Text
		}
		if err := <-drained; err != nil {
			t.Error(err)
		}
		if n != many+2 || last != fmt.Sprintf("w%d", many-1) { // and a start and an end
			t.Errorf("%d events, the last %q", n, last)
		}
	})
}

// The server here reads without allocating, so that what is counted is ours.
func TestSendDoesNotAllocate(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for err == nil {
			var m io.Reader
			if _, m, err = c.Reader(context.Background()); err == nil {
				_, err = io.Copy(io.Discard, m)
			}
		}
	}))
	defer web.Close()
	client, err := deepgram.New(deepgram.Options{Key: testKey, BaseURL: web.URL})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, client, english16k)
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	frame := make([]byte, 640)
	if n := testing.AllocsPerRun(400, func() {
		if err := s.Send(ctx, frame); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Send allocates %v times a frame", n)
	}
}
