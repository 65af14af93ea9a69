package gateway

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
)

// phone is a client's end of a voice socket.
type phone struct {
	*testing.T
	ws *websocket.Conn
}

// dialPair connects a phone with a voiceConn over loopback TCP.
func dialPair(t *testing.T, limits FlowLimits, renew func(string) (time.Time, error)) (*voiceConn, *phone) {
	t.Helper()
	conns := make(chan *voiceConn, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var c *voiceConn
		ws, raw, err := upgrade(w, r, func() bool { return c.ping() })
		if err != nil {
			t.Error(err)
			return
		}
		c = newVoiceConn(ws, raw, limits, renew)
		conns <- c
	}))
	t.Cleanup(srv.Close)
	ws, _, err := websocket.Dial(t.Context(), srv.URL, &websocket.DialOptions{
		HTTPClient: srv.Client(), Subprotocols: []string{wire.Subprotocol},
		CompressionMode: websocket.CompressionContextTakeover,
	})
	if err != nil {
		t.Fatal(err)
	}
	c := <-conns
	t.Cleanup(func() {
		c.Abort()
		_ = ws.CloseNow()
	})
	return c, &phone{t, ws}
}

func (p *phone) text(s string) {
	p.Helper()
	if err := p.ws.Write(p.Context(), websocket.MessageText, []byte(s)); err != nil {
		p.Fatalf("send: %v", err)
	}
}

func (p *phone) binary(data []byte) {
	p.Helper()
	if err := p.ws.Write(p.Context(), websocket.MessageBinary, data); err != nil {
		p.Fatalf("send: %v", err)
	}
}

// mic sends one frame of silence with its payload's length.
func (p *phone) mic(seq uint32, payload int) {
	p.Helper()
	f := session.Frame{Stream: 1, Seq: seq}
	p.binary(append(wire.AppendHeader(nil, wire.Mic, &f), make([]byte, payload)...))
}

// event reads the next event, passing over audio.
func (p *phone) event() (session.Head, session.Event) {
	p.Helper()
	for {
		kind, data, err := p.ws.Read(p.Context())
		if err != nil {
			p.Fatalf("receive: %v", err)
		}
		if kind != websocket.MessageText {
			continue
		}
		h, ev, err := wire.DecodeEvent(data)
		if err != nil {
			p.Fatal(err)
		}
		return h, ev
	}
}

// problem reads the next event, which must be an error.
func (p *phone) problem() session.Problem {
	p.Helper()
	_, ev := p.event()
	f, ok := ev.(session.Failure)
	if !ok {
		p.Fatalf("got %T, want an error event", ev)
	}
	return f.Error
}

// closed reads until the server closes, and checks how it does.
func (p *phone) closed(code websocket.StatusCode, reason string) {
	p.Helper()
	for {
		_, _, err := p.ws.Read(p.Context())
		if err == nil {
			continue
		}
		end, ok := errors.AsType[websocket.CloseError](err)
		if !ok || end.Code != code || end.Reason != reason {
			p.Errorf("closed by %v, want %d %q", err, code, reason)
		}
		return
	}
}

// next reads one input of the server's side, with its audio copied.
func next(t *testing.T, c *voiceConn) session.Input {
	t.Helper()
	var in session.Input
	if err := c.Read(&in); err != nil {
		t.Fatalf("read: %v", err)
	}
	in.Frame.Audio = bytes.Clone(in.Frame.Audio)
	return in
}

// endOfRead reads the end of a connection, told or not.
func endOfRead(t *testing.T, c *voiceConn) *session.End {
	t.Helper()
	var in session.Input
	err := c.Read(&in)
	if fatal(t, in, err) {
		return c.over
	}
	end, ok := errors.AsType[*session.End](err)
	if !ok {
		t.Fatalf("read gave %v and %+v, want an end", err, in)
	}
	return end
}

// fatal says whether a read ended with a problem that the client is to be told.
func fatal(t *testing.T, in session.Input, err error) bool {
	t.Helper()
	r, ok := in.Control.(session.Rejected)
	if err != nil || !ok || !r.Problem.Fatal {
		return false
	}
	if r.Problem.Code == "" || r.Problem.Message == "" {
		t.Errorf("a fatal problem without words: %+v", r.Problem)
	}
	return true
}

func TestConnCarriesBothDirections(t *testing.T) {
	c, p := dialPair(t, FlowLimits{}, nil)
	p.binary([]byte{0x11, 1, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0xaa, 0xbb})
	in := next(t, c)
	if f := in.Frame; in.Control != nil || f.Flags != session.FlagDiscontinuity || f.Stream != 3 || f.Seq != 4 || f.Pos != 5 || !bytes.Equal(f.Audio, []byte{0xaa, 0xbb}) {
		t.Errorf("frame %+v", in)
	}
	p.text(`{"type":"ack","seq":7,"event_id":"e1"}`)
	if in := next(t, c); in.Control != (session.AckEvents{Seq: 7}) || in.EventID != "e1" || in.Frame.Audio != nil {
		t.Errorf("control %+v", in)
	}

	head := session.Head{Seq: 1, EventID: "evt_1", TS: 20}
	if err := c.WriteEvent(head, session.NotUnderstood{ItemID: "it_1"}); err != nil {
		t.Fatal(err)
	}
	if h, ev := p.event(); h != head || ev != (session.NotUnderstood{ItemID: "it_1"}) {
		t.Errorf("event %+v %+v", h, ev)
	}
	sent := session.Frame{Flags: session.FlagEndOfStream, Stream: 2, Seq: 9, Pos: 4800, Audio: bytes.Repeat([]byte{1, 2}, 2400)}
	if err := c.WriteAudio(sent); err != nil {
		t.Fatal(err)
	}
	kind, data, err := p.ws.Read(t.Context())
	var got session.Frame
	if err != nil || kind != websocket.MessageBinary || wire.ParseHeader(data, wire.Tutor, &got) != nil {
		t.Fatalf("audio: %v %v % x", err, kind, data[:min(len(data), 16)])
	}
	if got.Flags != sent.Flags || got.Stream != 2 || got.Seq != 9 || got.Pos != 4800 || !bytes.Equal(got.Audio, sent.Audio) {
		t.Errorf("audio %+v", got)
	}
}

// What can be refused without ending the session: the answer names the fault, and the
// next good event is read as if nothing had been.
func TestConnRejects(t *testing.T) {
	for _, tt := range []struct {
		name  string
		send  func(p *phone)
		code  session.Code
		param string
	}{
		{"not JSON", func(p *phone) { p.text("hello") }, session.InvalidJSON, ""},
		{"wrong type", func(p *phone) { p.text(`{"type":"ack","seq":"one"}`) }, session.InvalidEvent, "seq"},
		{"10,000 characters typed at once", func(p *phone) {
			p.text(`{"type":"conversation.item.create","item":{"role":"user","content":[{"type":"input_text","text":"` + strings.Repeat("ñ", 10_000) + `"}]}}`)
		}, session.InvalidEvent, "item.content[0].text"},
		{"unknown event", func(p *phone) { p.text(`{"type":"tutor.dance"}`) }, session.UnknownEvent, "type"},
		{"short header", func(p *phone) { p.binary(make([]byte, 5)) }, session.InvalidAudioFrame, "header"},
		{"wrong version", func(p *phone) { p.binary([]byte{0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) }, session.InvalidAudioFrame, "version"},
		{"tutor's kind", func(p *phone) { p.binary([]byte{0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) }, session.InvalidAudioFrame, "kind"},
		{"empty frame", func(p *phone) { p.mic(0, 0) }, session.InvalidAudioFrame, "payload"},
		{"half a sample", func(p *phone) { p.mic(0, 641) }, session.InvalidAudioFrame, "payload"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, p := dialPair(t, FlowLimits{}, nil)
			tt.send(p)
			in := next(t, c)
			r, ok := in.Control.(session.Rejected)
			if !ok || r.Problem.Code != tt.code || r.Problem.Param != tt.param || r.Problem.Fatal || r.Problem.Message == "" {
				t.Errorf("%+v, want %s at %q", in, tt.code, tt.param)
			}
			p.mic(1, 640)
			if in := next(t, c); in.Control != nil || in.Frame.Seq != 1 {
				t.Errorf("after the refusal: %+v", in)
			}
		})
	}
}

// The largest things that are allowed are read whole, and the buffer that an event has
// made large is given back.
func TestConnReadsUpToItsLimits(t *testing.T) {
	c, p := dialPair(t, FlowLimits{}, nil)
	p.mic(1, wire.MaxAudioBytes)
	if in := next(t, c); len(in.Frame.Audio) != wire.MaxAudioBytes {
		t.Errorf("%d bytes of audio", len(in.Frame.Audio))
	}
	event := `{"type":"ack","seq":1}`
	p.text(event + strings.Repeat(" ", wire.MaxTextBytes-len(event)))
	if in := next(t, c); in.Control != (session.AckEvents{Seq: 1}) {
		t.Errorf("%+v", in)
	}
	p.mic(2, 640)
	next(t, c)
	if len(c.in) > keptReadBuffer {
		t.Errorf("the buffer still has %d bytes", len(c.in))
	}
}

// Unknown types are answered once each, and not without end.
func TestConnUnknownOncePerType(t *testing.T) {
	c, p := dialPair(t, FlowLimits{AnswerBurst: 100}, nil)
	for range 3 {
		p.text(`{"type":"tutor.dance"}`)
		p.text(`{"type":"tutor.sing"}`)
	}
	p.text(`{"type":"ack","seq":1}`)
	for _, want := range []string{"tutor.dance", "tutor.sing"} {
		r, _ := next(t, c).Control.(session.Rejected)
		if r.Problem.Code != session.UnknownEvent || !strings.Contains(r.Problem.Message, want) {
			t.Errorf("%+v, want unknown_event about %s", r, want)
		}
	}
	if in := next(t, c); in.Control != (session.AckEvents{Seq: 1}) {
		t.Errorf("then %+v, want the ack", in)
	}
	for i := range maxUnknownTypes + 10 {
		p.text(`{"type":"x` + strings.Repeat("y", i) + `"}`)
	}
	p.text(`{"type":"ack","seq":2}`)
	told := 0
	for in := next(t, c); in.Control != (session.AckEvents{Seq: 2}); in = next(t, c) {
		told++
	}
	if told != maxUnknownTypes-2 {
		t.Errorf("told about %d more types, want %d", told, maxUnknownTypes-2)
	}
}

// A burst of mistakes and wishes is answered as far as the lane to the client goes; the
// rest is dropped, which is said once, and reports of the player pass beside it.
func TestConnBoundsAnswers(t *testing.T) {
	typed := `{"type":"conversation.item.create","item":{"role":"user","content":[{"type":"input_text","text":"hola"}]}}`
	for name, tt := range map[string]struct {
		send func(p *phone)
		pass int
	}{
		"not JSON":          {func(p *phone) { p.text("x") }, 16},
		"not audio":         {func(p *phone) { p.binary([]byte("RIFF")) }, 16},
		"settings":          {func(p *phone) { p.text(`{"type":"tutor.set","patience_ms":1000}`) }, 16},
		"typed messages":    {func(p *phone) { p.text(typed) }, 4},
		"replies asked for": {func(p *phone) { p.text(`{"type":"response.create"}`) }, 4},
		"turns ended":       {func(p *phone) { p.text(`{"type":"input_audio_buffer.commit"}`) }, 4},
	} {
		t.Run(name, func(t *testing.T) {
			// Rates of nearly nothing, so that a slow machine earns no more.
			c, p := dialPair(t, FlowLimits{AnswerRate: 1e-9, ReplyRate: 1e-9}, nil)
			for range 150 {
				tt.send(p)
			}
			p.text(`{"type":"ack","seq":7}`)
			passed, told := 0, 0
			for in := next(t, c); in.Control != (session.AckEvents{Seq: 7}); in = next(t, c) {
				if r, ok := in.Control.(session.Rejected); ok && r.Problem.Code == session.RateLimited {
					told++
				} else if told > 0 {
					t.Fatalf("%+v after it was dropped", in)
				} else {
					passed++
				}
			}
			if passed != tt.pass || told != 1 {
				t.Errorf("%d passed and told %d times, want %d and once", passed, told, tt.pass)
			}
		})
	}
}

// A client that returns may send its ring again at once, and speak on; one that does not
// return gains nothing by the flag, nor does saying twice that it returns.
func TestConnLetsAReturningClientCatchUp(t *testing.T) {
	const returns = `{"type":"session.resume","session_id":"vs_1","last_seq":1,"input":{"stream":1,"next_seq":0}}`
	for name, tt := range map[string]struct {
		said []string
		pass int // seconds of audio
	}{
		"a client that returns":     {[]string{returns}, resendSeconds + 1},
		"one that says it twice":    {[]string{returns, returns}, resendSeconds + 1},
		"one that does not":         {nil, 1},
		"one that says it too late": {[]string{`{"type":"input_audio_buffer.commit"}`, returns}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := dialPair(t, FlowLimits{AudioBurst: 1, AudioRate: 1e-9}, nil)
			for _, event := range tt.said {
				p.text(event)
				next(t, c)
			}
			passed := 0
			for seq := range uint32(2 * resendSeconds) {
				f := session.Frame{Stream: 1, Seq: seq, Flags: session.FlagRetransmission}
				p.binary(append(wire.AppendHeader(nil, wire.Mic, &f), make([]byte, 32000)...))
				if in := next(t, c); in.Control != nil {
					break // it has been told that it is too fast
				}
				passed++
			}
			if passed != tt.pass {
				t.Errorf("%d s passed, want %d", passed, tt.pass)
			}
		})
	}
}

// The audio's rate is what the client was told it is.
func TestConnFollowsTheNegotiatedFormat(t *testing.T) {
	c, p := dialPair(t, FlowLimits{AudioBurst: 1, AudioRate: 1e-9}, nil)
	cfg := session.Config{Audio: session.AudioConfig{Input: session.InputConfig{Format: session.Format{Type: audioPCM, Rate: 48000}}}}
	if err := c.WriteEvent(session.Head{Seq: 1}, session.Created{Session: cfg}); err != nil {
		t.Fatal(err)
	}
	for i := range uint32(10) { // a second at 48 kHz, three at 16 kHz
		p.mic(i, 9600)
		if in := next(t, c); in.Control != nil {
			t.Fatalf("frame %d of a second: %+v", i, in)
		}
	}
	cfg.Audio.Input.Format = session.Format{Type: "audio/opus"}
	if err := c.WriteEvent(session.Head{Seq: 2}, session.Updated{Session: cfg}); err != nil {
		t.Fatal(err)
	}
	c.audio = newMeter(1e-9, 1, time.Second)
	p.mic(10, 121) // no samples, so nothing to be odd
	if in := next(t, c); in.Control != nil || len(in.Frame.Audio) != 121 {
		t.Errorf("a packet of another encoding: %+v", in)
	}
}

// auth.update never reaches the session as a token.
func TestConnRenewsAccess(t *testing.T) {
	until := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c, p := dialPair(t, FlowLimits{}, func(tok string) (time.Time, error) {
		if tok != "good" {
			return time.Time{}, errors.New("forged")
		}
		return until, nil
	})
	p.text(`{"type":"auth.update","access_token":"good"}`)
	if in := next(t, c); in.Control != (session.AuthRenewed{Until: until}) {
		t.Errorf("%+v", in)
	}
	p.text(`{"type":"auth.update","access_token":"bad","event_id":"e2"}`)
	r, _ := next(t, c).Control.(session.Rejected)
	if r.Problem.Type != session.AuthenticationError || r.Problem.Param != "access_token" || r.Problem.EventID != "e2" || strings.Contains(r.Problem.Message, "bad") {
		t.Errorf("%+v", r.Problem)
	}
}

func TestConnRefusesHugeAudio(t *testing.T) {
	c, _ := dialPair(t, FlowLimits{}, nil)
	if err := c.WriteAudio(session.Frame{Audio: make([]byte, wire.MaxTutorAudioBytes+1)}); err == nil {
		t.Error("sent more than the protocol allows")
	}
	if err := c.WriteEvent(session.Head{}, session.CaptionDone{Transcript: strings.Repeat("x", wire.MaxTextBytes)}); err == nil {
		t.Error("sent an event of more than the protocol allows")
	}
}
