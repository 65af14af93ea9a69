package gateway

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"kalami/gateway/wire"
	"kalami/session"
)

// endlessConn is a client that sends the same bytes for ever and swallows what it gets,
// so that only the server's side is measured.
type endlessConn struct {
	net.Conn
	data   []byte
	at     int
	writes int
}

func (c *endlessConn) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		m := copy(p[n:], c.data[c.at:])
		n += m
		c.at = (c.at + m) % len(c.data)
	}
	return n, nil
}

func (c *endlessConn) Write(p []byte) (int, error)      { c.writes++; return len(p), nil }
func (c *endlessConn) Close() error                     { return nil }
func (c *endlessConn) SetDeadline(time.Time) error      { return nil }
func (c *endlessConn) SetReadDeadline(time.Time) error  { return nil }
func (c *endlessConn) SetWriteDeadline(time.Time) error { return nil }

// hijackRecorder is a response whose connection is of the test's making.
type hijackRecorder struct {
	http.ResponseWriter
	conn net.Conn
}

func (w hijackRecorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(bufio.NewReader(bytes.NewReader(nil)), bufio.NewWriter(w.conn)), nil
}

// upgraded returns the server's end of a voice socket on a connection of the test's making.
func upgraded(tb testing.TB, raw net.Conn, limits FlowLimits) *voiceConn {
	tb.Helper()
	r := httptest.NewRequest("GET", voicePath, nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
	r.Header.Set("Sec-WebSocket-Protocol", wire.Subprotocol)
	var c *voiceConn
	ws, netConn, err := upgrade(hijackRecorder{httptest.NewRecorder(), raw}, r, func() bool { return c.ping() })
	if err != nil {
		tb.Fatal(err)
	}
	c = newVoiceConn(ws, netConn, limits, nil)
	return c
}

// endless returns a connection that reads one mic frame of 20 ms again and again.
func endless(tb testing.TB) (*voiceConn, *endlessConn) {
	tb.Helper()
	const payload = 640
	f := session.Frame{Stream: 1, Seq: 1}
	// A client's frame is masked; a mask of zero leaves the bytes as they are.
	data := []byte{0x82, 0x80 | 126, byte((wire.HeaderBytes + payload) >> 8), byte((wire.HeaderBytes + payload) & 0xff), 0, 0, 0, 0}
	data = append(wire.AppendHeader(data, wire.Mic, &f), make([]byte, payload)...)
	raw := &endlessConn{data: data}
	c := upgraded(tb, raw, FlowLimits{AudioRate: 1e9, AudioBurst: 1e9})
	tb.Cleanup(c.Abort)
	return c, raw
}

// The audio path allocates nothing in steady state, in either direction.
func TestAudioAllocatesNothing(t *testing.T) {
	c, raw := endless(t)
	var in session.Input
	if n := testing.AllocsPerRun(500, func() {
		if err := c.Read(&in); err != nil || in.Control != nil || len(in.Frame.Audio) != 640 {
			t.Fatalf("%v %+v", err, in)
		}
	}); n != 0 {
		t.Errorf("%v allocations per mic frame, want 0", n)
	}
	f := session.Frame{Stream: 1, Audio: make([]byte, 4800)}
	if err := c.WriteAudio(f); err != nil {
		t.Fatal(err)
	}
	raw.writes = 0
	const runs = 500
	if n := testing.AllocsPerRun(runs, func() {
		if err := c.WriteAudio(f); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per frame of the tutor's, want 0", n)
	}
	if raw.writes != runs+1 { // AllocsPerRun runs once more, to warm up
		t.Errorf("%d writes for %d frames of 100 ms, want one each", raw.writes, runs+1)
	}
}

func BenchmarkReadMicFrame(b *testing.B) {
	c, _ := endless(b)
	var in session.Input
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Read(&in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteTutorFrame(b *testing.B) {
	c, _ := endless(b)
	f := session.Frame{Stream: 1, Audio: make([]byte, 4800)}
	b.ReportAllocs()
	for b.Loop() {
		if err := c.WriteAudio(f); err != nil {
			b.Fatal(err)
		}
	}
}
