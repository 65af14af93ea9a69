package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
)

const (
	// closeWait bounds a close: the frame's write and the client's answer.
	closeWait = 2 * time.Second
	// The read buffer begins small, since most frames are, and is given back when an
	// event made it larger than any mic frame needs.
	firstReadBuffer = 2 << 10
	keptReadBuffer  = 32 << 10
	// maxUnknownTypes is how many unknown event types one client is told about.
	maxUnknownTypes = 32
)

// errOversized ends reading a message at its limit.
var errOversized = errors.New("message is larger than allowed")

// voiceConn is the native dialect on one WebSocket: the [session.Conn] of package
// session. It enforces what needs no knowledge of the conversation: sizes, UTF-8, the
// header, the shape of events and the rates.
//
// Reads and writes have a context that never ends: ending the context of a pending call
// would destroy the connection and lose the close code. Close and Abort unblock them.
type voiceConn struct {
	// Static after newVoiceConn.
	ws  *websocket.Conn
	raw net.Conn // beneath ws; for deadlines and for cutting it off
	// renew verifies the token of auth.update and says how long it is good.
	renew func(accessToken string) (time.Time, error)

	// Owned by the reader.
	in               []byte
	audio, events    meter
	answers, replies meter
	unknown          map[string]struct{}
	pinged           bool // to death: too many pings for too long

	// Owned by the writer.
	out []byte

	// micRate is the negotiated rate in hertz, 0 for what is not PCM: written with the
	// events that tell the client, read with each frame.
	micRate atomic.Int64
}

var _ session.Conn = (*voiceConn)(nil)

func newVoiceConn(ws *websocket.Conn, raw net.Conn, limits FlowLimits, renew func(string) (time.Time, error)) *voiceConn {
	limits = limits.withDefaults()
	c := &voiceConn{
		ws: ws, raw: raw, renew: renew,
		in:      make([]byte, firstReadBuffer),
		audio:   newMeter(limits.AudioRate, limits.AudioBurst, limits.Sustained),
		events:  newMeter(limits.EventRate, limits.EventBurst, limits.Sustained),
		answers: newMeter(limits.AnswerRate, limits.AnswerBurst, limits.Sustained),
		replies: newMeter(limits.ReplyRate, limits.ReplyBurst, limits.Sustained),
	}
	c.micRate.Store(16_000)
	return c
}

// Read implements [session.Conn]. A frame's audio aliases the connection's buffer.
func (c *voiceConn) Read(in *session.Input) error {
	for {
		kind, data, err := c.receive()
		if err != nil && c.pinged {
			return flooded("pings")
		}
		if err != nil {
			return readEnd(err)
		}
		*in = session.Input{}
		var deliver bool
		var end *session.End
		if kind == websocket.MessageBinary {
			deliver, end = c.frame(data, in)
		} else {
			deliver, end = c.event(data, in)
		}
		if end != nil {
			return end
		}
		if deliver {
			return nil
		}
	}
}

// receive reads one whole message into the connection's own buffer.
func (c *voiceConn) receive() (websocket.MessageType, []byte, error) {
	if len(c.in) > keptReadBuffer {
		c.in = make([]byte, firstReadBuffer)
	}
	kind, r, err := c.ws.Reader(context.Background())
	if err != nil {
		return 0, nil, err
	}
	limit := wire.MaxTextBytes
	if kind == websocket.MessageBinary {
		limit = wire.HeaderBytes + wire.MaxAudioBytes
	}
	for n := 0; ; {
		if n == len(c.in) {
			grown := make([]byte, min(2*len(c.in), wire.MaxTextBytes+1))
			copy(grown, c.in)
			c.in = grown
		}
		m, err := r.Read(c.in[n:])
		n += m
		switch {
		case n > limit:
			return 0, nil, errOversized
		case errors.Is(err, io.EOF):
			return kind, c.in[:n], nil
		case err != nil:
			return 0, nil, err
		}
	}
}

// frame takes one binary message. deliver is false when the session need not know.
func (c *voiceConn) frame(data []byte, in *session.Input) (deliver bool, end *session.End) {
	rate := int(c.micRate.Load())
	if err := wire.ParseHeader(data, wire.Mic, &in.Frame); err != nil {
		field := ""
		if wrong, ok := errors.AsType[*wire.FrameError](err); ok {
			field, err = wrong.Field, errors.New(wrong.Field+" "+wrong.Msg)
		}
		return c.reject(in, session.InvalidAudioFrame, field, "The audio frame is not valid: "+err.Error()+".")
	}
	if rate > 0 && len(in.Frame.Audio)%2 != 0 {
		return c.reject(in, session.InvalidAudioFrame, "payload",
			fmt.Sprintf("The audio frame is not valid: payload has %d bytes, PCM16 needs an even number.", len(in.Frame.Audio)))
	}
	switch c.audio.take(frameSeconds(len(in.Frame.Audio), rate)) {
	case flowPass:
		return true, nil
	case flowDropFirst:
		*in = session.Input{Control: session.InputDropped{}}
		return true, nil
	case flowFlood:
		return false, flooded("audio")
	}
	return false, nil
}

// event takes one text message.
func (c *voiceConn) event(data []byte, in *session.Input) (deliver bool, end *session.End) {
	if !utf8.Valid(data) {
		return false, &session.End{Reason: session.EndBadUTF8}
	}
	if pass, deliver, end := c.countEvent(in); !pass {
		return deliver, end
	}
	m, problem := wire.DecodeControl(data)
	in.EventID = m.EventID
	switch {
	case problem != nil && problem.Code == session.UnknownEvent && !c.firstUnknown(m.Type):
		return false, nil
	case !c.countAnswer(m.Control, &deliver, in):
		return deliver, nil
	case problem != nil:
		in.Control = session.Rejected{Problem: *problem}
	case m.Control == nil:
		in.Control = c.renewed(m)
	default:
		in.Control = m.Control
	}
	return true, nil
}

// countEvent takes an event's share of the rate; without pass, the other two are the
// reader's answer.
func (c *voiceConn) countEvent(in *session.Input) (pass, deliver bool, end *session.End) {
	switch c.events.take(1) {
	case flowPass:
		return true, false, nil
	case flowDropFirst:
		if c.answers.overrun() {
			return false, false, nil // it has been told that already
		}
		in.Control = tooFast(in.EventID)
		return false, true, nil
	case flowFlood:
		return false, false, flooded("events")
	}
	return false, false, nil
}

// countAnswer takes the share of an event that is answered; nil stands for a mistake.
// Without pass, deliver is the reader's answer. Dropping more is never the end of a
// client: the rate of all events is.
func (c *voiceConn) countAnswer(ctl session.Control, deliver *bool, in *session.Input) (pass bool) {
	v := flowPass
	switch ctl.(type) {
	case session.AckEvents, session.Pong, session.DeviceState, session.PlaybackStarted, session.PlaybackPosition,
		session.PlaybackMark, session.PlaybackStopped, session.PlaybackCleared, session.EndSession:
		return true // taken note of, or the last word
	case session.CreateItem, session.CreateResponse:
		v = c.replies.take(1)
	}
	if v == flowPass {
		v = c.answers.take(1)
	}
	if v == flowDropFirst {
		in.Control = tooFast(in.EventID)
		*deliver = true
	}
	return v == flowPass
}

// tooFast tells a client that what it sends is dropped from here on.
func tooFast(eventID string) session.Rejected {
	return session.Rejected{Problem: session.Problem{
		Type: session.RateLimitError, Code: session.RateLimited, EventID: eventID, RetryAfterMS: 1000,
		Message: "Events come too fast; some are dropped.",
	}}
}

// ping says whether a client's ping frame is answered. It costs an event; a flood is
// told by the end of reading, since the library reads on after a ping.
func (c *voiceConn) ping() (answer bool) {
	v := c.events.take(1)
	if v == flowFlood {
		c.pinged = true
		_ = c.raw.SetReadDeadline(time.Now())
	}
	return v == flowPass
}

// reject reports a bad audio frame. Each costs an event, so that a flood of them is one.
func (c *voiceConn) reject(in *session.Input, code session.Code, param, message string) (bool, *session.End) {
	*in = session.Input{}
	if pass, deliver, end := c.countEvent(in); !pass {
		return deliver, end
	}
	if deliver := false; !c.countAnswer(nil, &deliver, in) {
		return deliver, nil
	}
	in.Control = session.Rejected{Problem: session.Problem{
		Type: session.InvalidRequest, Code: code, Param: param, Message: message,
	}}
	return true, nil
}

// firstUnknown says whether the client is still to be told that it sent this type.
func (c *voiceConn) firstUnknown(name string) bool {
	if _, told := c.unknown[name]; told || len(c.unknown) >= maxUnknownTypes {
		return false
	}
	if c.unknown == nil {
		c.unknown = map[string]struct{}{}
	}
	c.unknown[name] = struct{}{}
	return true
}

// renewed turns auth.update into what the session is told.
func (c *voiceConn) renewed(m wire.Message) session.Control {
	until, err := c.renew(m.AccessToken)
	if err != nil {
		return session.Rejected{Problem: session.Problem{
			Type: session.AuthenticationError, Code: session.InvalidEvent, Param: "access_token",
			EventID: m.EventID, Message: "The access token could not be validated.",
		}}
	}
	return session.AuthRenewed{Until: until}
}

// flooded is the end of a client that went on sending too much.
func flooded(what string) *session.End {
	return &session.End{Reason: session.EndRateLimited, Code: session.RateLimited,
		Err: fmt.Errorf("gateway: too many %s for too long", what)}
}

// readEnd says why a failed read ends the connection.
func readEnd(err error) *session.End {
	switch code := websocket.CloseStatus(err); {
	case errors.Is(err, errOversized) || errors.Is(err, websocket.ErrMessageTooBig):
		return &session.End{Reason: session.EndTooBig, Code: session.MessageTooLarge}
	case code == websocket.StatusNormalClosure:
		return &session.End{Reason: session.EndNormal}
	case code != -1: // whatever else the client said, it has left
		return &session.End{Reason: session.EndGone, Err: err}
	}
	if _, network := errors.AsType[net.Error](err); network ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) {
		return &session.End{Reason: session.EndGone, Err: err}
	}
	return &session.End{Reason: session.EndProtocolError, Err: err}
}

// WriteEvent implements [session.Conn].
func (c *voiceConn) WriteEvent(h session.Head, ev session.Event) error {
	switch ev := ev.(type) {
	case session.Created:
		c.negotiated(ev.Session)
	case session.Updated:
		c.negotiated(ev.Session)
	}
	out, err := wire.AppendEvent(c.out[:0], h, ev)
	if err != nil {
		return fmt.Errorf("gateway: write event: %w", err)
	}
	c.out = out
	return c.write(websocket.MessageText)
}

// negotiated takes over the mic's format as the client is told it.
func (c *voiceConn) negotiated(cfg session.Config) {
	if f := cfg.Audio.Input.Format; f.Type == audioPCM {
		c.micRate.Store(int64(f.Rate))
	} else {
		c.micRate.Store(0)
	}
}

// WriteAudio implements [session.Conn].
func (c *voiceConn) WriteAudio(f session.Frame) error {
	if len(f.Audio) > wire.MaxTutorAudioBytes {
		return fmt.Errorf("gateway: write audio: %d bytes, at most %d", len(f.Audio), wire.MaxTutorAudioBytes)
	}
	c.out = append(wire.AppendHeader(c.out[:0], wire.Tutor, &f), f.Audio...)
	return c.write(websocket.MessageBinary)
}

// write sends c.out as one message.
func (c *voiceConn) write(kind websocket.MessageType) error {
	if err := c.ws.Write(context.Background(), kind, c.out); err != nil {
		return &session.End{Reason: session.EndGone, Err: err}
	}
	return nil
}

// Close implements [session.Conn].
func (c *voiceConn) Close(e *session.End) {
	code, reason, send := closeFrame(e)
	if send {
		// The deadline ends the library's write and its wait for the client's answer.
		_ = c.raw.SetDeadline(time.Now().Add(closeWait))
		_ = c.ws.Close(code, reason) // it fails when the client has left, which is no news
	}
	c.Abort()
}

// Abort implements [session.Conn].
func (c *voiceConn) Abort() {
	// First beneath the library: its CloseNow would wait for a Close under way.
	_ = c.raw.Close()
	_ = c.ws.CloseNow()
}
