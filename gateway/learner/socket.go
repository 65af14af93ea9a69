package learner

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
)

// maxMessage is the largest message that a client reads, in bytes.
const maxMessage = 1 << 20

// transport carries the messages of one voice socket: a WebSocket, or a test's script.
// One goroutine reads and one writes at a time; Close and Abort unblock both.
type transport interface {
	// Read blocks until a message came. The data is valid until the next Read. A close
	// frame of the server's ends it with a [websocket.CloseError].
	Read() (kind websocket.MessageType, data []byte, err error)
	Write(kind websocket.MessageType, data []byte) error
	// Close closes normally, waiting for the server's answer for a few seconds at the most.
	Close() error
	// Abort drops the connection without a word.
	Abort()
}

// dialer opens a socket at a URL with a ticket or a resume token. Errors: *StatusError
// when the server refused the upgrade.
type dialer func(ctx context.Context, url, credential string) (transport, error)

// webSocket is the transport of the real world.
type webSocket struct {
	conn *websocket.Conn
	buf  []byte // owned by the reader
}

// dialWebSocket is a [dialer].
func dialWebSocket(ctx context.Context, url, credential string) (transport, error) {
	conn, res, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		Subprotocols:    []string{wire.Subprotocol, wire.TokenPrefix + credential},
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		if res != nil && res.StatusCode >= http.StatusMultipleChoices {
			refused := &StatusError{Status: res.StatusCode, Detail: err.Error()}
			refused.RetryAfter = retryAfter(res)
			return nil, refused
		}
		return nil, err
	}
	conn.SetReadLimit(maxMessage)
	return &webSocket{conn: conn, buf: make([]byte, 0, 64<<10)}, nil
}

// retryAfter is the wait that an answer asks for, 0 for none.
func retryAfter(res *http.Response) time.Duration {
	wait, err := time.ParseDuration(res.Header.Get("Retry-After") + "s")
	if err != nil {
		return 0
	}
	return max(0, wait)
}

func (w *webSocket) Read() (websocket.MessageType, []byte, error) {
	kind, r, err := w.conn.Reader(context.Background())
	if err != nil {
		return 0, nil, err
	}
	w.buf, err = readInto(w.buf[:0], r)
	return kind, w.buf, err
}

func (w *webSocket) Write(kind websocket.MessageType, data []byte) error {
	return w.conn.Write(context.Background(), kind, data)
}

func (w *webSocket) Close() error { return w.conn.Close(websocket.StatusNormalClosure, "") }
func (w *webSocket) Abort()       { _ = w.conn.CloseNow() }

// readInto is io.ReadAll into a buffer that is used again.
func readInto(buf []byte, r io.Reader) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF { // itself: a connection that breaks off wraps it
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}
