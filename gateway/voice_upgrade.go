package gateway

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
)

// writeBuffer holds a frame of 100 ms of the tutor's audio at 24 kHz with both its
// headers, so that it goes out in one write. net/http's own has 4 KiB.
const writeBuffer = 5 << 10

// upgradeWriter remembers the connection that an upgrade takes over. Its deadlines are
// how a close is bounded: the library's own limits cannot be set.
type upgradeWriter struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack implements [http.Hijacker].
func (w *upgradeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.conn = conn
	return conn, bufio.NewReadWriter(rw.Reader, bufio.NewWriterSize(conn, writeBuffer)), nil
}

// upgrade makes a voice socket of a request whose origin has been judged. ping says, for
// each ping frame and in the reader's goroutine, whether it is answered. On an error the
// answer to the request has been written.
func upgrade(w http.ResponseWriter, r *http.Request, ping func() bool) (*websocket.Conn, net.Conn, error) {
	uw := &upgradeWriter{ResponseWriter: w}
	ws, err := websocket.Accept(uw, r, &websocket.AcceptOptions{
		Subprotocols:       []string{wire.Subprotocol},
		InsecureSkipVerify: true, // originAllowed is stricter, and has been asked
		CompressionMode:    websocket.CompressionDisabled,
		OnPingReceived:     func(context.Context, []byte) bool { return ping() },
	})
	if err != nil {
		return nil, nil, err
	}
	// A guard only: voiceConn stops reading before the library would, so that the close
	// reason is ours.
	ws.SetReadLimit(wire.MaxTextBytes)
	return ws, uw.conn, nil
}

// wantsUpgrade says whether r asks for a WebSocket at all.
func wantsUpgrade(r *http.Request) bool {
	return hasToken(r.Header, "Connection", "upgrade") && hasToken(r.Header, "Upgrade", "websocket")
}

func hasToken(h http.Header, key, token string) bool {
	for _, t := range headerTokens(h, key) {
		if asciiLower(t) == token {
			return true
		}
	}
	return false
}

// headerTokens splits a header's comma-separated values.
func headerTokens(h http.Header, key string) []string {
	var tokens []string
	for _, v := range h.Values(key) {
		for t := range strings.SplitSeq(v, ",") {
			if t = strings.TrimSpace(t); t != "" {
				tokens = append(tokens, t)
			}
		}
	}
	return tokens
}
