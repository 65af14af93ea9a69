package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener without a network: each dial is an in-memory connection.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{accept: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.accept <- server
	return client
}

// Clients that keep a connection busy with nothing lose it: one that never finishes its
// header, one that never finishes its body, one that asks and then says no more.
func TestSlowClientsAreCutOff(t *testing.T) {
	for name, c := range map[string]struct {
		sent   string
		answer string // how the answer begins, "" for none
		after  time.Duration
	}{
		"half a header": {"GET /livez HTTP/1.1\r\nHost: x\r\nX-", "", headerTimeout},
		"half a body": {"POST /auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
			"HTTP/1.1 408 ", readTimeout},
		"an answered request": {"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", idleTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, l := newHouse(t), newPipes()
				served := make(chan error, 1)
				go func() { served <- h.server.Serve(l) }()
				conn := l.dial()
				start := time.Now()
				if _, err := io.WriteString(conn, c.sent); err != nil {
					t.Fatal(err)
				}
				answer, err := io.ReadAll(conn) // until the server closes
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took != c.after {
					t.Errorf("cut off after %v, want %v", took, c.after)
				}
				if !strings.HasPrefix(string(answer), c.answer) {
					t.Errorf("answered %q", answer)
				}
				if err := h.server.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestHeaderLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, l := newHouse(t), newPipes()
		served := make(chan error, 1)
		go func() { served <- h.server.Serve(l) }()
		conn := l.dial()
		go func() {
			// net/http allows 4 KiB beyond the limit; the server stops reading on the way.
			_, _ = io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: x\r\nX-Big: "+strings.Repeat("x", maxHeaderBytes+8<<10)+"\r\n\r\n")
		}()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("status %d", res.StatusCode)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if err := h.server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}
