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
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"kalami/providers"
	"kalami/providers/deepgram"
	"kalami/providers/simulate"
)

// Short frames are joined to 80 ms; what waits is flushed by Flush, Finalize and Drain;
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
		step(s.Send(t.Context(), audio[5*640+1:6*640]))
		step(s.Flush(t.Context()))
		step(s.Flush(t.Context())) // nothing waits
		step(s.Send(t.Context(), audio[6*640:]))
		step(s.Drain(t.Context()))
		var sizes []int
		for _, f := range server.frames {
			sizes = append(sizes, len(f))
		}
		if want := []int{2560, 640, 1, 639, 1920}; !slices.Equal(sizes, want) {
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
