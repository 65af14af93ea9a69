package simulate

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// rawSocket is a WebSocket client made of nothing but RFC 6455, so that the
// simulated socket is not only held against the library that serves it.
type rawSocket struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// rawMessage is a server's message with every field by its exact name.
type rawMessage struct {
	Audio     *string       `json:"audio"`
	IsFinal   *bool         `json:"isFinal"`
	Context   string        `json:"contextId"`
	Alignment *rawAlignment `json:"alignment"`
	Normal    *rawAlignment `json:"normalizedAlignment"`
	Message   string        `json:"message"`
	Error     string        `json:"error"`
	Code      int           `json:"code"`
	Type      string        `json:"type"`
}

type rawAlignment struct {
	Chars     []string `json:"chars"`
	Starts    []int    `json:"charStartTimesMs"`
	Durations []int    `json:"charDurationsMs"`
}

// elevenServer serves a simulator on loopback.
func elevenServer(t *testing.T, opt Options) (*Server, string) {
	t.Helper()
	opt.Engine = "none"
	s := New(opt)
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		web.Close()
	})
	return s, web.URL
}

// dialRaw opens a socket; the answer is returned as it is when it is a refusal.
func dialRaw(t *testing.T, base, path, key string) (*rawSocket, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce)
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: simulator\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n",
		path, base64.StdEncoding.EncodeToString(nonce))
	if key != "" {
		fmt.Fprintf(conn, "xi-api-key: %s\r\n", key)
	}
	fmt.Fprint(conn, "\r\n")
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, resp
	}
	return &rawSocket{t, conn, in}, nil
}

// open dials and expects to be let in.
func openRaw(t *testing.T, base, path string) *rawSocket {
	t.Helper()
	c, resp := dialRaw(t, base, path, "")
	if c == nil {
		b, _ := io.ReadAll(resp.Body)
		t.Fatalf("refused with %d: %s", resp.StatusCode, b)
	}
	return c
}

// send writes one masked text frame.
func (c *rawSocket) send(text string) {
	c.t.Helper()
	b := []byte{0x81}
	switch n := len(text); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	default:
		b = append(b, 0x80|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	mask := [4]byte{0x11, 0x22, 0x33, 0x44}
	b = append(b, mask[:]...)
	for i := range len(text) {
		b = append(b, text[i]^mask[i%4])
	}
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// receive returns the next message, or the code and reason of a close (the code is
// 1005 for none), or 1006 when the connection was cut.
func (c *rawSocket) receive() (m rawMessage, closed int, reason string) {
	c.t.Helper()
	var payload []byte
	for {
		head := make([]byte, 2)
		if _, err := io.ReadFull(c.in, head); err != nil {
			return m, 1006, err.Error()
		}
		n := uint64(head[1] & 0x7f)
		switch n {
		case 126:
			var v uint16
			_ = binary.Read(c.in, binary.BigEndian, &v)
			n = uint64(v)
		case 127:
			_ = binary.Read(c.in, binary.BigEndian, &n)
		}
		part := make([]byte, n)
		if _, err := io.ReadFull(c.in, part); err != nil {
			return m, 1006, err.Error()
		}
		switch head[0] & 0x0f {
		case 8:
			if len(part) < 2 {
				return m, 1005, ""
			}
			return m, int(binary.BigEndian.Uint16(part)), string(part[2:])
		case 0, 1:
			if payload = append(payload, part...); head[0]&0x80 == 0 {
				continue
			}
			if err := json.Unmarshal(payload, &m); err != nil {
				c.t.Fatalf("received %q: %v", payload, err)
			}
			return m, 0, ""
		}
	}
}

// collected is what a socket said until it closed.
type collected struct {
	pcm    map[string][]byte // by context
	text   map[string]string
	finals []string
	failed rawMessage
	closed int
	reason string
}

// collect reads until the socket closes, or, with finals above 0, until as many
// contexts have ended.
func (c *rawSocket) collect(finals int) collected {
	c.t.Helper()
	out := collected{pcm: map[string][]byte{}, text: map[string]string{}}
	for finals == 0 || len(out.finals) < finals {
		m, code, reason := c.receive()
		switch {
		case code != 0:
			out.closed, out.reason = code, reason
			return out
		case m.Error != "":
			out.failed = m
		case m.IsFinal != nil && *m.IsFinal:
			out.finals = append(out.finals, m.Context)
		case m.Audio != nil:
			b, err := base64.StdEncoding.DecodeString(*m.Audio)
			if err != nil {
				c.t.Fatal(err)
			}
			out.pcm[m.Context] = append(out.pcm[m.Context], b...)
			if a := m.Alignment; a != nil {
				if len(a.Chars) != len(a.Starts) || len(a.Chars) != len(a.Durations) || m.Normal == nil {
					c.t.Errorf("an alignment of %d, %d and %d; normalised %v", len(a.Chars), len(a.Starts), len(a.Durations), m.Normal)
				}
				out.text[m.Context] += strings.Join(a.Chars, "")
			}
		}
	}
	return out
}
