package simulate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"kalami/providers"
)

const (
	// maxSocketMessage bounds one message; a longer one ends the socket with 1009.
	maxSocketMessage = 4 << 20
	// maxRefusalBody is how much of a refused handshake's body is passed on.
	maxRefusalBody = 64 << 10
	// handshakeTime bounds a vendor's handshake. Clients mostly wait for less.
	handshakeTime = 30 * time.Second
	// lastWords is how long a side that takes nothing any more may have left to say.
	lastWords = 2 * time.Second
	// pingTime bounds a vendor's answer to a ping that is passed on.
	pingTime = 30 * time.Second
)

// socket passes a WebSocket on: first the handshake, then messages both ways until
// one side closes or is gone.
func (r *Recorder) socket(w http.ResponseWriter, req *http.Request, vendor Vendor, to *url.URL) {
	t := r.cassette.tape(KindOpen, vendor, req, nil)
	r.log.Info("recording a socket", "vendor", vendor, "path", req.URL.Path, "conn", t.conn)
	up, res, body, err := r.dial(req, to)
	switch {
	case err == nil:
	case res != nil && res.StatusCode != http.StatusSwitchingProtocols:
		t.response(res.StatusCode, res.Header, body)
		copyHeader(w.Header(), res.Header)
		w.WriteHeader(res.StatusCode)
		_, _ = w.Write(body) // the client has left: nobody minds
		return
	case req.Context().Err() != nil || r.ctx.Err() != nil:
		t.end(Up, closeCut, "")
		return
	default:
		r.log.Warn("the vendor cannot be reached", "vendor", vendor, "conn", t.conn, "err", providers.NetworkCause(err))
		t.end(Down, closeCut, "unreachable")
		panic(http.ErrAbortHandler) // what the client would have seen: no answer
	}
	l := &relay{tape: t, vendor: up, pinged: make(chan struct{}, 1), over: make(chan struct{})}
	copyHeader(w.Header(), res.Header)
	l.client, err = websocket.Accept(w, req, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the vendor has judged the Origin
		Subprotocols:       []string{up.Subprotocol()},
		OnPingReceived:     l.ping,
	})
	if err != nil { // Accept has answered
		t.end(Up, closeCut, "")
		_ = up.CloseNow()
		return
	}
	t.response(http.StatusSwitchingProtocols, res.Header, nil)
	l.run(r.ctx)
}

// dial opens the vendor's socket with the client's headers. When the vendor
// refuses, the answer and its body are returned beside the error.
func (r *Recorder) dial(req *http.Request, to *url.URL) (*websocket.Conn, *http.Response, []byte, error) {
	ctx, free := r.within(req)
	defer free()
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	var subprotocols []string
	for _, list := range req.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(list, ",") {
			subprotocols = append(subprotocols, strings.TrimSpace(p))
		}
	}
	header := http.Header{}
	copyHeader(header, req.Header)
	keep := &refusalKeeper{transport: r.transport}
	conn, res, err := websocket.Dial(ctx, to.String(), &websocket.DialOptions{
		HTTPHeader: header, Subprotocols: subprotocols,
		HTTPClient: &http.Client{Transport: keep, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the key must not go wherever it points
		}},
	})
	if err == nil {
		conn.SetReadLimit(maxSocketMessage)
	}
	return conn, res, keep.body, err
}

// copyHeader copies what belongs to the message and not to the connection.
func copyHeader(to, from http.Header) {
	for name, values := range from {
		switch {
		case strings.HasPrefix(name, "Sec-Websocket-"):
		case name == "Connection", name == "Upgrade", name == "Keep-Alive", name == "Transfer-Encoding",
			name == "Content-Length", name == "Content-Encoding", name == "Accept-Encoding", name == "Te", name == "Trailer",
			strings.HasPrefix(name, "Proxy-"):
		default:
			to[name] = values
		}
	}
}

// refusalKeeper keeps the body of a refused handshake, of which the WebSocket
// library shows the first kilobyte.
type refusalKeeper struct {
	transport http.RoundTripper
	body      []byte
}

// RoundTrip implements http.RoundTripper.
func (k *refusalKeeper) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := k.transport.RoundTrip(req)
	if err != nil || res.StatusCode == http.StatusSwitchingProtocols {
		return res, err
	}
	k.body, err = io.ReadAll(io.LimitReader(res.Body, maxRefusalBody))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(k.body))
	return res, nil
}

// relay is a socket that is being passed on. One goroutine carries messages up, one
// down, one passes pings on, and one closes everything when it is over.
type relay struct {
	tape           *tape
	client, vendor *websocket.Conn
	// pinged has a ping of the client's that waits; further ones mean the same.
	pinged chan struct{}
	// over is closed once it is known which side ended the socket, and how.
	over chan struct{}
}

// run returns when both sides are closed, or cut because ctx has ended.
func (l *relay) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	l.client.SetReadLimit(maxSocketMessage)
	var beside, both sync.WaitGroup
	beside.Go(func() { l.passPings(ctx) })
	beside.Go(func() {
		<-ctx.Done()
		_ = l.client.CloseNow()
		_ = l.vendor.CloseNow()
	})
	both.Go(func() { l.carry(Down, l.vendor, l.client) })
	l.carry(Up, l.client, l.vendor)
	both.Wait()
	cancel()
	beside.Wait()
}

// carry passes messages on until from is closed or lost, and then closes to in the
// same way.
func (l *relay) carry(dir Direction, from, to *websocket.Conn) {
	for {
		// No context: one that ends would destroy the connection, and the close code with it.
		kind, b, err := from.Read(context.Background())
		if err != nil {
			l.end(dir, err, to)
			return
		}
		line := KindText
		if kind == websocket.MessageBinary {
			line = KindBinary
		}
		l.tape.message(dir, line, b) // before it can be answered
		if to.Write(context.Background(), kind, b) != nil {
			l.awaitReason(to)
			return
		}
	}
}

// awaitReason gives the one who reads from a side that takes nothing any more a
// moment to find out why: its close may have arrived already.
func (l *relay) awaitReason(side *websocket.Conn) {
	t := time.NewTimer(lastWords)
	defer t.Stop()
	select {
	case <-l.over:
	case <-t.C:
		_ = side.CloseNow()
	}
}

// end notes how a side ended, unless the other did before, and ends the other alike.
func (l *relay) end(dir Direction, err error, to *websocket.Conn) {
	closed, ok := errors.AsType[websocket.CloseError](err)
	if !ok {
		closed = websocket.CloseError{Code: closeCut}
	}
	if !l.tape.end(dir, int(closed.Code), closed.Reason) {
		return
	}
	close(l.over)
	if !ok {
		_ = to.CloseNow()
		return
	}
	_ = to.Close(closed.Code, closed.Reason) // it may be gone already
}

// ping notes a client's ping. It does not block.
func (l *relay) ping(context.Context, []byte) bool {
	select {
	case l.pinged <- struct{}{}:
	default:
	}
	return true
}

// passPings sends the vendor a ping for the client's, one at a time.
func (l *relay) passPings(ctx context.Context) {
	for {
		select {
		case <-l.pinged:
		case <-ctx.Done():
			return
		}
		waiting, cancel := context.WithTimeout(ctx, pingTime)
		_ = l.vendor.Ping(waiting) // a vendor that is gone is noticed by its reader
		cancel()
	}
}
