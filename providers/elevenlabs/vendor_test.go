package elevenlabs_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"kalami/providers"
	"kalami/providers/elevenlabs"
)

// pipeListener is a listener in memory, so that a server and its client can live
// in a synctest bubble.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Dial is a DialContext for an http.Transport.
func (l *pipeListener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// vendorMessage is what a client sends, as the vendor reads it.
type vendorMessage struct {
	Text         *string         `json:"text"`
	Context      string          `json:"context_id"`
	Flush        bool            `json:"flush"`
	CloseContext bool            `json:"close_context"`
	Settings     json.RawMessage `json:"voice_settings"`
}

// vendor is the other end of one socket, played by the test itself, so that what
// the client is held against is not the simulator alone.
type vendor struct {
	t    *testing.T
	conn *websocket.Conn
	got  chan vendorMessage // closed when the client has gone
}

// send sends text as it stands.
func (v *vendor) send(text string) {
	v.t.Helper()
	if err := v.conn.Write(context.Background(), websocket.MessageText, []byte(text)); err != nil {
		v.t.Errorf("the client takes no messages: %v", err)
	}
}

// next is the client's next message.
func (v *vendor) next() vendorMessage {
	v.t.Helper()
	m, ok := <-v.got
	if !ok {
		v.t.Fatal("the client has gone")
	}
	return m
}

// audio is base64 of n milliseconds at 24 kHz.
func audio(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, 48*n)) }

// converse opens a stream whose vendor is played by the test. To be called in a
// synctest bubble; what it starts ends with the test's function.
func converse(t *testing.T, opt elevenlabs.Options, play func(st providers.VoiceStream, v *vendor)) {
	t.Helper()
	l := newPipeListener()
	accepted := make(chan *vendor, 1)
	var reading sync.WaitGroup
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("request-id", "req-1")
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Errorf("accept: %v", err)
			return
		}
		v := &vendor{t: t, conn: conn, got: make(chan vendorMessage, 64)}
		reading.Go(func() {
			defer close(v.got)
			for {
				_, b, err := conn.Read(context.Background())
				if err != nil {
					return
				}
				var m vendorMessage
				if err := json.Unmarshal(b, &m); err != nil {
					t.Errorf("the client sent %q: %v", b, err)
				}
				v.got <- m
			}
		})
		accepted <- v
	})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = srv.Serve(l) })
	transport := &http.Transport{DialContext: l.Dial}
	opt.BaseURL, opt.Key, opt.HTTPClient = "http://vendor.test", "k", &http.Client{Transport: transport}
	c := newClient(t, opt)
	st, err := c.Open(t.Context(), providers.SpeakOptions{Language: "es-MX", SampleRate: 24000, Speed: 3})
	if err != nil {
		t.Fatal(err)
	}
	v := <-accepted
	play(st, v)
	if err := st.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	_ = v.conn.CloseNow()
	_ = srv.Close()
	transport.CloseIdleConnections()
	serving.Wait()
	reading.Wait()
}
