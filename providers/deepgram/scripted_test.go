package deepgram_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"kalami/providers"
	"kalami/providers/deepgram"
	"kalami/providers/providertest"
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
