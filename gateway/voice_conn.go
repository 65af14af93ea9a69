package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"kalami/gateway/line"
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
// It sends no ping frames of its own. The session's ping event goes out every ten seconds,
// which keeps proxies awake, and its liveness is that of the program behind the socket and
// not of the library, which would answer a frame for a page that hangs; the library's
// Ping also waits for its answer, which would take a goroutine for each session.
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
	again            resend
	unknown          map[string]struct{}
	pinged           bool         // too much and for too long
	over             *session.End // reading is over, and the session has been told why

	// Owned by the writer.
	out []byte

	// closing is closed by the first Close or Abort.
	closing   chan struct{}
	closeOnce sync.Once

	// micRate is the negotiated rate in hertz, 0 for what is not PCM: written with the
	// events that tell the client, read with each frame.
	micRate atomic.Int64
}

var (
	_ session.Conn = (*voiceConn)(nil)
	_ line.Socket  = (*voiceConn)(nil)
)

func newVoiceConn(ws *websocket.Conn, raw net.Conn, limits FlowLimits, renew func(string) (time.Time, error)) *voiceConn {
	limits = limits.withDefaults()
	c := &voiceConn{
		ws: ws, raw: raw, renew: renew,
		closing: make(chan struct{}),
		in:      make([]byte, firstReadBuffer),
		audio:   newMeter(limits.AudioRate, limits.AudioBurst, limits.Sustained),
		events:  newMeter(limits.EventRate, limits.EventBurst, limits.Sustained),
		answers: newMeter(limits.AnswerRate, limits.AnswerBurst, limits.Sustained),
		replies: newMeter(limits.ReplyRate, limits.ReplyBurst, limits.Sustained),
	}
	c.micRate.Store(16_000)
	return c
}

// Read implements [session.Conn]. A frame's audio aliases the connection's buffer. What
// ends the client for its own doing comes as a fatal [session.Rejected], so that the
// session can say why before it closes; the next Read waits for that.
func (c *voiceConn) Read(in *session.Input) error {
	if c.over != nil {
		<-c.closing
		return c.over
	}
	for {
		kind, data, err := c.receive()
		*in = session.Input{}
		var deliver bool
		var end *session.End
		switch {
		case err != nil:
			end = c.readEnd(err)
		case kind == websocket.MessageBinary:
			deliver, end = c.frame(data, in)
		default:
			deliver, end = c.event(data, in)
		}
		if end != nil {
			return c.ended(end, in)
		}
		if deliver {
			return nil
		}
	}
}

// ended hands the session the end of reading: as a problem when the client can still be
// told, else as an error.
func (c *voiceConn) ended(end *session.End, in *session.Input) error {
	p := session.Problem{Type: session.InvalidRequest, Fatal: true}
	switch end.Reason {
	case session.EndRateLimited:
		p.Type, p.Code, p.Message = session.RateLimitError, session.RateLimited, "Too much was sent for too long."
	case session.EndTooBig:
		p.Code, p.Message = session.MessageTooLarge, "A message is larger than the limits in session.created allow."
	case session.EndBadUTF8:
		p.Code, p.Message = session.InvalidJSON, "A text frame must be valid UTF-8."
	default:
		return end
	}
	c.over = end
	*in = session.Input{Control: session.Rejected{Problem: p}}
	return nil
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
	seconds := frameSeconds(len(in.Frame.Audio), rate)
	if c.again.take(in.Frame, seconds) {
		return true, nil
	}
	switch c.audio.take(seconds) {
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
	c.again.begin(m.Control)
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

// readEnd says why a failed read ends the connection.
func (c *voiceConn) readEnd(err error) *session.End {
	switch code := websocket.CloseStatus(err); {
	case c.pinged:
		return flooded("pings")
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
		c.Negotiated(ev.Session)
	case session.Updated:
		c.Negotiated(ev.Session)
	}
	out, err := wire.AppendEvent(c.out[:0], h, ev)
	if err != nil {
		return fmt.Errorf("gateway: write event: %w", err)
	}
	c.out = out
	return c.send(websocket.MessageText, c.out)
}

// WriteText implements [line.Socket].
func (c *voiceConn) WriteText(data []byte) error { return c.send(websocket.MessageText, data) }

// Negotiated implements [line.Socket]: it takes over the mic's format as the client is told
// it.
func (c *voiceConn) Negotiated(cfg session.Config) {
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
	return c.send(websocket.MessageBinary, c.out)
}

// send sends one message.
func (c *voiceConn) send(kind websocket.MessageType, data []byte) error {
	if err := c.ws.Write(context.Background(), kind, data); err != nil {
		return &session.End{Reason: session.EndGone, Err: err}
	}
	return nil
}

// Interrupt implements [line.Socket]. Reading is over; what is written still goes out.
func (c *voiceConn) Interrupt() { _ = c.raw.SetReadDeadline(time.Now()) }

// Close implements [session.Conn].
func (c *voiceConn) Close(e *session.End) {
	c.closeOnce.Do(func() { close(c.closing) })
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
	c.closeOnce.Do(func() { close(c.closing) })
	// First beneath the library: its CloseNow would wait for a Close under way.
	_ = c.raw.Close()
	_ = c.ws.CloseNow()
}
