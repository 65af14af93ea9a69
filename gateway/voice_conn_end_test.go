package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
)

// What cannot be read on from: the read says why, and the close tells the client.
func TestConnEnds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		send   func(p *phone)
		end    session.EndReason
		code   websocket.StatusCode
		reason string
	}{
		{"invalid UTF-8", func(p *phone) { p.text("{\"type\":\"\xff\"}") }, session.EndBadUTF8, 1007, "invalid_utf8"},
		{"an oversized event", func(p *phone) { p.text(strings.Repeat(" ", wire.MaxTextBytes+1)) }, session.EndTooBig, 1009, "message_too_large"},
		{"an oversized frame", func(p *phone) { p.mic(0, wire.MaxAudioBytes+2) }, session.EndTooBig, 1009, "message_too_large"},
		{"a frame of a megabyte", func(p *phone) { go p.ws.Write(context.Background(), websocket.MessageBinary, make([]byte, 1<<20)) },
			session.EndTooBig, 1009, "message_too_large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, p := dialPair(t, FlowLimits{}, nil)
			tt.send(p)
			end := endOfRead(t, c)
			if end.Reason != tt.end {
				t.Fatalf("ended by %v, want %s", end, tt.end)
			}
			done := make(chan struct{})
			go func() { defer close(done); c.Close(end) }()
			p.closed(tt.code, tt.reason)
			<-done
		})
	}
}

// How the client's own leaving looks to the session.
func TestConnClientLeaves(t *testing.T) {
	for _, tt := range []struct {
		name  string
		leave func(p *phone)
		want  session.EndReason
	}{
		{"says goodbye", func(p *phone) { go p.ws.Close(1000, "done") }, session.EndNormal},
		{"closes the page", func(p *phone) { go p.ws.Close(1001, "") }, session.EndGone},
		{"with a code of its own", func(p *phone) { go p.ws.Close(4000, "whatever") }, session.EndGone},
		{"without a word", func(p *phone) { p.ws.CloseNow() }, session.EndGone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, p := dialPair(t, FlowLimits{}, nil)
			tt.leave(p)
			end := endOfRead(t, c)
			if end.Reason != tt.want {
				t.Errorf("%v, want %s", end, tt.want)
			}
			c.Close(end) // must not hang or panic
			if err := c.WriteEvent(session.Head{}, session.Ping{}); err == nil {
				t.Error("wrote after the end")
			}
		})
	}
}

// A client that sends audio far too fast loses the surplus, is told once, and is ended.
func TestConnAudioFlood(t *testing.T) {
	c, p := dialPair(t, FlowLimits{AudioBurst: 1, Sustained: 50 * time.Millisecond}, nil)
	go func() {
		frame := append(wire.AppendHeader(nil, wire.Mic, &session.Frame{Stream: 1}), make([]byte, 3200)...)
		for p.ws.Write(context.Background(), websocket.MessageBinary, frame) == nil {
		}
	}()
	var frames, told int
	for {
		var in session.Input
		err := c.Read(&in)
		if end, ok := errors.AsType[*session.End](err); ok {
			t.Fatalf("ended by %v before the client is told", end)
		}
		if fatal(t, in, err) {
			if c.over.Reason != session.EndRateLimited {
				t.Errorf("ended by %v", c.over)
			}
			c.Abort()
			if again := c.Read(&in); again != c.over {
				t.Errorf("after the end: %v", again)
			}
			break
		}
		switch in.Control.(type) {
		case nil:
			frames++
		case session.InputDropped:
			told++
		default:
			t.Fatalf("%+v", in)
		}
	}
	if frames < 10 || told != 1 {
		t.Errorf("%d frames passed and told %d times, want at least 10 and 1", frames, told)
	}
}

// The same for events, and for frames that are not audio at all.
func TestConnEventFlood(t *testing.T) {
	for name, junk := range map[string]struct {
		kind websocket.MessageType
		data string
	}{
		"events": {websocket.MessageText, `{"type":"ack","seq":1}`},
		"junk":   {websocket.MessageBinary, "junk"},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := dialPair(t, FlowLimits{Sustained: 50 * time.Millisecond}, nil)
			go func() {
				for p.ws.Write(context.Background(), junk.kind, []byte(junk.data)) == nil {
				}
			}()
			told := 0
			for {
				var in session.Input
				err := c.Read(&in)
				if err != nil {
					t.Fatalf("ended by %v before the client is told", err)
				}
				if fatal(t, in, err) {
					if c.over.Reason != session.EndRateLimited {
						t.Errorf("ended by %v", c.over)
					}
					c.Abort()
					break
				}
				if r, ok := in.Control.(session.Rejected); ok && r.Problem.Code == session.RateLimited {
					told++
				}
			}
			if told != 1 {
				t.Errorf("told %d times, want once", told)
			}
		})
	}
}

// Pings are answered as they come, no faster than events may, and a flood of them ends
// the client like any other.
func TestConnPingFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		c := upgraded(t, server, FlowLimits{})
		received := make(chan []byte, 1)
		go func() {
			data, _ := io.ReadAll(client)
			received <- data
		}()
		read := make(chan *session.End, 1)
		go func() {
			end := endOfRead(t, c)
			go c.Close(end)
			read <- end
		}()
		start := time.Now()
		pings := bytes.Repeat([]byte{0x89, 0x80, 0, 0, 0, 0}, 100)
		for {
			if _, err := client.Write(pings); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		if end := <-read; end.Reason != session.EndRateLimited {
			t.Errorf("ended by %v", end)
		}
		answered := bytes.Count(<-received, []byte{0x8a, 0})
		if most := 200 + 50*int(time.Since(start).Seconds()+1); answered < 200 || answered > most {
			t.Errorf("%d pings were answered in %v, want 200 to %d", answered, time.Since(start), most)
		}
	})
}

// A client that takes everything and answers nothing holds a close up for two seconds;
// the library alone would wait for five and five.
func TestConnCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		c := upgraded(t, server, FlowLimits{})
		go io.Copy(io.Discard, client)
		read := make(chan error, 1)
		go func() {
			var in session.Input
			read <- c.Read(&in)
		}()
		synctest.Wait()
		start := time.Now()
		c.Close(&session.End{Reason: session.EndIdle})
		if d := time.Since(start); d != closeWait {
			t.Errorf("the close took %v, want %v", d, closeWait)
		}
		if err := <-read; err == nil {
			t.Error("the reader was not unblocked")
		}
	})
}

// One that does not even read is no different.
func TestConnCloseOnADeadClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _ := net.Pipe()
		c := upgraded(t, server, FlowLimits{})
		start := time.Now()
		c.Close(&session.End{Reason: session.EndIdle})
		if d := time.Since(start); d != closeWait {
			t.Errorf("the close took %v, want %v", d, closeWait)
		}
	})
}

// An abort unblocks everybody, also when a close is under way.
func TestConnAbortUnblocks(t *testing.T) {
	c, _ := dialPair(t, FlowLimits{}, nil)
	written, read := make(chan error, 1), make(chan error, 1)
	go func() {
		var in session.Input
		read <- c.Read(&in)
	}()
	go func() {
		f := session.Frame{Audio: make([]byte, wire.MaxTutorAudioBytes)}
		for {
			if err := c.WriteAudio(f); err != nil {
				written <- err
				return
			}
		}
	}()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Close(&session.End{Reason: session.EndSlowConsumer})
	}()
	c.Abort()
	c.Abort()
	<-done
	for name, ch := range map[string]chan error{"write": written, "read": read} {
		if end, ok := errors.AsType[*session.End](<-ch); !ok || end.Reason != session.EndGone {
			t.Errorf("%s ended by %v, want gone", name, end)
		}
	}
}

// Broken framing is the client's fault, a broken line is nobody's.
func TestReadEnd(t *testing.T) {
	for _, err := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, &net.OpError{Op: "read", Err: errors.New("reset")}} {
		if end := new(voiceConn).readEnd(err); end.Reason != session.EndGone {
			t.Errorf("%v: %s, want gone", err, end.Reason)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		c := upgraded(t, server, FlowLimits{})
		go io.Copy(io.Discard, client)
		go client.Write([]byte{0x82 | 0x20, 0x80, 0, 0, 0, 0}) // a reserved bit
		if end := endOfRead(t, c); end.Reason != session.EndProtocolError {
			t.Errorf("a reserved bit: %v", end)
		}
		c.Abort()
	})
}
