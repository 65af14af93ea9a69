package gateway

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
)

// lesson is a host that does what a session does with its connection and nothing else:
// it says session.created, answers what could not be decoded, and ends when asked to.
type lesson struct {
	// started gets the parameters of every conversation, inputs all that clients send.
	started chan session.Params
	inputs  chan session.Input
	// sentence is how long it finishes its sentence before a restart.
	sentence time.Duration
}

func newLesson() *lesson {
	return &lesson{started: make(chan session.Params, 16), inputs: make(chan session.Input, 1024)}
}

func (l *lesson) Run(ctx context.Context, conn session.Conn, p session.Params) *session.End {
	l.started <- p
	var seq uint64
	say := func(ev session.Event) {
		seq++
		_ = conn.WriteEvent(session.Head{Seq: seq, EventID: "evt"}, ev)
	}
	say(session.Created{Session: p.Config, Resume: p.Resume})
	inputs, ended := make(chan session.Input), make(chan *session.End, 1)
	over := make(chan struct{})
	go func() {
		for {
			var in session.Input
			if err := conn.Read(&in); err != nil {
				end, _ := errors.AsType[*session.End](err)
				ended <- end
				return
			}
			select {
			case inputs <- in:
			case <-over:
				ended <- nil
				return
			}
		}
	}()
	end := l.serve(ctx, say, inputs, ended)
	close(over)
	conn.Close(end)
	return end
}

func (l *lesson) serve(ctx context.Context, say func(session.Event), inputs chan session.Input, ended chan *session.End) *session.End {
	for {
		select {
		case in := <-inputs:
			select {
			case l.inputs <- in:
			default: // nobody looks
			}
			switch c := in.Control.(type) {
			case session.Rejected:
				c.Problem.EventID = in.EventID
				say(session.Failure{Error: c.Problem})
				if c.Problem.Fatal {
					return &session.End{Reason: map[session.Code]session.EndReason{
						session.RateLimited: session.EndRateLimited, session.MessageTooLarge: session.EndTooBig,
						session.InvalidJSON: session.EndBadUTF8,
					}[c.Problem.Code], Code: c.Problem.Code}
				}
			case session.InputDropped:
				say(session.Warning{Code: session.WarnInputOverrun})
			case session.EndSession:
				say(session.Ended{Reason: "normal"})
				return &session.End{Reason: session.EndNormal}
			}
		case end := <-ended:
			return end
		case <-ctx.Done():
			time.Sleep(l.sentence)
			end, _ := errors.AsType[*session.End](context.Cause(ctx))
			return end
		}
	}
}

// sharedLog is a log that may be read while it is written.
type sharedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *sharedLog) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *sharedLog) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// socketHouse is a house whose server listens.
type socketHouse struct {
	*house
	http    *httptest.Server
	log     *sharedLog
	sockets *voiceSockets
	// access and profile are those of one learner, ana.
	access, user, profile string
}

func newSocketHouse(t *testing.T, host Host, change ...func(*Options)) *socketHouse {
	t.Helper()
	h := &socketHouse{log: &sharedLog{}}
	h.house = newHouse(t, append(change, func(o *Options) {
		o.Host = host
		o.Log = slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})...)
	h.sockets = h.server.voice.(*voiceSockets)
	h.http = httptest.NewServer(h.server)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := h.server.DrainSessions(ctx); err != nil {
			t.Errorf("sessions left over: %v", err)
		}
		h.http.Close()
	})
	h.access, h.user = h.account("ana@example.org")
	h.profile = h.profileOf(h.access, "es")
	return h
}

// ticket buys a ticket through the API; header comes in pairs.
func (h *socketHouse) ticket(body map[string]any, header ...string) string {
	h.Helper()
	if body == nil {
		body = map[string]any{}
	}
	body["profile_id"] = h.profile
	return h.as(h.access, "POST", "/v1/voice/tickets", body, header...).want(http.StatusCreated).json()["ticket"].(string)
}

// handshake is what a client sends to open a socket.
type handshake struct {
	path, query string
	protocols   []string
	header      http.Header
}

// withTicket is the handshake of a page.
func withTicket(ticket string) handshake {
	return handshake{protocols: []string{wire.Subprotocol, wire.TokenPrefix + ticket}}
}

// withBearer is the handshake of a native client.
func (h *socketHouse) withBearer(access, query string) handshake {
	return handshake{query: query, protocols: []string{wire.Subprotocol}, header: http.Header{"Authorization": {"Bearer " + access}}}
}

func (h *socketHouse) dial(hs handshake) (*phone, *http.Response, error) {
	h.Helper()
	if hs.path == "" {
		hs.path = voicePath
	}
	ws, resp, err := websocket.Dial(h.Context(), h.http.URL+hs.path+"?"+hs.query, &websocket.DialOptions{
		HTTPClient: h.http.Client(), HTTPHeader: hs.header, Subprotocols: hs.protocols,
	})
	if err != nil {
		return nil, resp, err
	}
	h.Cleanup(func() { _ = ws.CloseNow() })
	return &phone{h.T, ws}, resp, nil
}

// open dials and reads session.created.
func (h *socketHouse) open(hs handshake) (*phone, session.Created) {
	h.Helper()
	p, _, err := h.dial(hs)
	if err != nil {
		h.Fatalf("dial: %v", err)
	}
	if got := p.ws.Subprotocol(); got != wire.Subprotocol {
		h.Errorf("subprotocol %q was selected", got)
	}
	_, ev := p.event()
	c, ok := ev.(session.Created)
	if !ok {
		h.Fatalf("first event %+v, want session.created", ev)
	}
	return p, c
}

// told dials, and expects one fatal error and then a close.
func (h *socketHouse) told(hs handshake, problem session.Code, code websocket.StatusCode) session.Problem {
	h.Helper()
	p, _, err := h.dial(hs)
	if err != nil {
		h.Fatalf("dial: %v", err)
	}
	got := p.problem()
	if got.Code != problem || !got.Fatal || got.Message == "" {
		h.Errorf("told %+v, want a fatal %s", got, problem)
	}
	p.closed(code, string(problem))
	return got
}

// settle waits until no seat is taken.
func (h *socketHouse) settle() {
	h.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		h.sockets.live.mu.Lock()
		n := len(h.sockets.live.seats)
		h.sockets.live.mu.Unlock()
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			h.Fatalf("%d seats still taken", n)
		}
	}
}
