package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/token"
	"kalami/gateway/wire"
	"kalami/session"
	"kalami/session/learn"
)

// A page: buy a ticket, connect with it, talk, end the lesson.
func TestVoiceByTicket(t *testing.T) {
	l := newLesson()
	h := newSocketHouse(t, l)
	h.store.tenant.Drafts.Enabled = new(false)
	ticket := h.ticket(map[string]any{"topic": "la playa", "session": map[string]any{"duplex": "half"}}, "Origin", h.http.URL)
	hs := withTicket(ticket)
	hs.header = http.Header{"Origin": {h.http.URL}}
	p, created := h.open(hs)
	got := <-l.started
	c := got.Conversation
	if got.User.ID != h.user || got.Profile.ID != h.profile || !got.ValidUntil.IsZero() {
		t.Errorf("user %q, profile %q, valid until %v", got.User.ID, got.Profile.ID, got.ValidUntil)
	}
	if c.UserID != h.user || c.ProfileID != h.profile || c.TenantID != learn.PersonalTenant || c.Topic != "la playa" || c.Mode != "live" || c.Level != learn.B1 || c.Epoch != 1 {
		t.Errorf("conversation %+v", c)
	}
	if !got.Tenant.Drafts.Off() {
		t.Error("the school's settings were not read")
	}
	cfg := got.Config
	if !strings.HasPrefix(cfg.ID, "vs_") || cfg.ConversationID != c.ID || cfg.Duplex != "half" || cfg.Language != "es" || created.Session.ID != cfg.ID {
		t.Errorf("config %+v", cfg)
	}
	if !token.IsResume(got.Resume.Token) || got.Resume.WindowMS != 0 || created.Resume != got.Resume {
		t.Errorf("resume %+v", got.Resume)
	}
	if h.sockets.ActiveSessions(h.user, "") != 1 || h.sockets.TotalSessions() != 1 {
		t.Errorf("%d of %d sessions counted", h.sockets.ActiveSessions(h.user, ""), h.sockets.TotalSessions())
	}
	p.mic(1, 640)
	if in := <-l.inputs; in.Control != nil || in.Frame.Seq != 1 {
		t.Errorf("mic frame %+v", in)
	}
	p.text(`{"type":"session.end"}`)
	if _, ev := p.event(); ev.EventType() != "session.ended" {
		t.Errorf("event %+v", ev)
	}
	p.closed(1000, "normal")
	h.settle()
	if h.sockets.ActiveSessions(h.user, "") != 0 {
		t.Error("the seat was not given back")
	}
}

// A native client: the access token in the header, what to talk about in the query.
func TestVoiceByBearer(t *testing.T) {
	l := newLesson()
	h := newSocketHouse(t, l)
	hs := h.withBearer(h.access, "profile_id="+h.profile+"&topic=el+mar")
	hs.path = "/api" + voicePath
	p, _ := h.open(hs)
	first := <-l.started
	if left := time.Until(first.ValidUntil); left < 29*time.Minute || left > 31*time.Minute {
		t.Errorf("valid for %v, want the token's half hour", left)
	}
	if first.Conversation.Topic != "el mar" {
		t.Errorf("topic %q", first.Conversation.Topic)
	}
	p.text(`{"type":"auth.update","access_token":"` + h.access + `"}`)
	if in := <-l.inputs; in.Control != (session.AuthRenewed{Until: first.ValidUntil}) {
		t.Errorf("renewed: %+v, want until %v", in, first.ValidUntil)
	}
	other, _ := h.account("ben@example.org")
	p.text(`{"type":"auth.update","access_token":"` + other + `"}`)
	if got := p.problem(); got.Param != "access_token" || got.Type != session.AuthenticationError {
		t.Errorf("another user's token: %+v", got)
	}

	// The same conversation from another device: the new one goes on, the old one stops.
	_, again := h.open(h.withBearer(h.access, "profile_id="+h.profile+"&conversation_id="+first.Conversation.ID))
	second := <-l.started
	if second.Conversation.ID != first.Conversation.ID || second.Conversation.Epoch != 2 || again.Session.ConversationID != first.Conversation.ID {
		t.Errorf("taken over as %+v", second.Conversation)
	}
	p.closed(4409, "superseded")
}

// An allowed page of another site may come, with a ticket that it bought itself.
func TestVoiceFromAnAllowedOrigin(t *testing.T) {
	h := newSocketHouse(t, newLesson(), func(o *Options) { o.AllowedOrigins = []string{"https://app.example"} })
	page := http.Header{"Origin": {"https://app.example"}}
	own, native := withTicket(h.ticket(nil, "Origin", "https://app.example")), withTicket(h.ticket(nil))
	own.header, native.header = page, page
	h.open(own)
	h.open(native) // bought by a back end, which has no origin
}

// runHost is a host made of a function.
type runHost func(ctx context.Context, conn session.Conn, p session.Params) *session.End

func (f runHost) Run(ctx context.Context, conn session.Conn, p session.Params) *session.End {
	return f(ctx, conn, p)
}

// Every row of the close-code table, as a real client sees it.
func TestVoiceCloseCodes(t *testing.T) {
	for reason := range endReasons(t) {
		t.Run(string(reason), func(t *testing.T) {
			h := newSocketHouse(t, runHost(func(_ context.Context, conn session.Conn, _ session.Params) *session.End {
				end := &session.End{Reason: reason}
				conn.Close(end)
				return end
			}))
			p, _, err := h.dial(withTicket(h.ticket(nil)))
			if err != nil {
				t.Fatal(err)
			}
			row, _ := closeCodeOf(reason)
			if row.code != 0 {
				p.closed(row.code, row.name)
				return
			}
			_, _, err = p.ws.Read(t.Context())
			if err == nil || websocket.CloseStatus(err) != -1 {
				t.Errorf("gone was told to the client: %v", err)
			}
		})
	}
}

// What a client sends wrongly is answered, and the session goes on.
func TestVoiceSurvivesBadInput(t *testing.T) {
	h := newSocketHouse(t, newLesson())
	p, _ := h.open(withTicket(h.ticket(nil)))
	p.text(`garbage`)
	p.text(`{"type":"tutor.dance"}`)
	p.text(`{"type":"tutor.dance"}`)
	p.text(`{"type":"tutor.hold","ms":"long","event_id":"e4"}`)
	p.binary([]byte("RIFF"))
	for _, want := range []session.Problem{
		{Code: session.InvalidJSON},
		{Code: session.UnknownEvent, Param: "type"},
		{Code: session.InvalidEvent, Param: "ms", EventID: "e4"},
		{Code: session.InvalidAudioFrame, Param: "header"},
	} {
		if got := p.problem(); got.Code != want.Code || got.Param != want.Param || got.EventID != want.EventID || got.Fatal {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	p.text(`{"type":"session.end"}`)
	if _, ev := p.event(); ev.EventType() != "session.ended" {
		t.Errorf("%+v", ev)
	}
	p.closed(1000, "normal")
}

// A client that sends a hundred times what anybody can say is warned, then ended.
func TestVoiceFlood(t *testing.T) {
	h := newSocketHouse(t, newLesson())
	h.sockets.flow = FlowLimits{AudioBurst: 1, Sustained: 50 * time.Millisecond}
	p, _ := h.open(withTicket(h.ticket(nil)))
	frame := append(wire.AppendHeader(nil, wire.Mic, &session.Frame{Stream: 1}), make([]byte, 3200)...)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for p.ws.Write(context.Background(), websocket.MessageBinary, frame) == nil {
		}
	}()
	if _, ev := p.event(); ev != (session.Warning{Code: session.WarnInputOverrun}) {
		t.Errorf("%+v, want the overrun warning", ev)
	}
	if no := p.problem(); no.Code != session.RateLimited || no.Type != session.RateLimitError || !no.Fatal {
		t.Errorf("told %+v", no)
	}
	p.closed(4429, "rate_limited")
	<-sent
}

// What cannot be read is explained before the close, with a session and without one.
func TestVoiceExplainsItsEnd(t *testing.T) {
	h := newSocketHouse(t, newLesson())
	for name, hs := range map[string]func() handshake{
		"a session": func() handshake { return withTicket(h.ticket(nil)) },
		"a return":  func() handshake { return withTicket(token.NewResume("0192d5f0-6c3e-7b5a-9a0e-3f2f6f1f8c11")) },
	} {
		for what, tt := range map[string]struct {
			sent   string
			code   session.Code
			closed websocket.StatusCode
		}{
			"no text":  {"\xff", session.InvalidJSON, 1007},
			"too much": {strings.Repeat(" ", wire.MaxTextBytes+1), session.MessageTooLarge, 1009},
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				p, _, err := h.dial(hs())
				if err != nil {
					t.Fatal(err)
				}
				if name == "a session" {
					p.event() // session.created
				}
				p.text(tt.sent)
				if no := p.problem(); no.Code != tt.code || !no.Fatal || no.Message == "" {
					t.Errorf("told %+v", no)
				}
				p.closed(tt.closed, string(tt.code))
				h.settle()
			})
		}
	}
}

// A panic ends one conversation, with a close code, and not the process.
func TestVoicePanic(t *testing.T) {
	h := newSocketHouse(t, runHost(func(context.Context, session.Conn, session.Params) *session.End { panic("boom") }))
	p, _, err := h.dial(withTicket(h.ticket(nil)))
	if err != nil {
		t.Fatal(err)
	}
	p.closed(1011, "internal_error")
	h.settle()
	if !strings.Contains(h.log.String(), "panic: boom") {
		t.Error("the panic was not logged")
	}
}

// A deploy: conversations finish their sentence and are closed as a restart, and new
// ones go elsewhere.
func TestVoiceDrain(t *testing.T) {
	l := newLesson()
	l.sentence = 50 * time.Millisecond
	h := newSocketHouse(t, l)
	late := h.ticket(nil)
	p, _ := h.open(withTicket(h.ticket(nil)))
	drained := make(chan error, 1)
	go func() { drained <- h.server.DrainSessions(context.Background()) }()
	p.closed(1012, "draining")
	if err := <-drained; err != nil || h.sockets.TotalSessions() != 0 {
		t.Errorf("drained: %v, %d left", err, h.sockets.TotalSessions())
	}
	_, resp, err := h.dial(withTicket(late))
	if err == nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("a new one while draining: %v", resp)
	}
}

// A conversation that does not end is cut off when the grace is over.
func TestVoiceDrainCutsOff(t *testing.T) {
	stubborn := runHost(func(_ context.Context, conn session.Conn, _ session.Params) *session.End {
		_ = conn.WriteEvent(session.Head{Seq: 1}, session.Created{})
		var in session.Input
		err := conn.Read(&in) // hears nothing but the line going dead
		end, _ := errors.AsType[*session.End](err)
		return end
	})
	h := newSocketHouse(t, stubborn)
	h.open(withTicket(h.ticket(nil)))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := h.server.DrainSessions(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("drained: %v", err)
	}
	h.settle()
}

// No log line holds a credential.
func TestVoiceLogsNoSecrets(t *testing.T) {
	h := newSocketHouse(t, newLesson())
	good, forged := h.ticket(nil), token.NewTicket()
	p, created := h.open(withTicket(good))
	h.told(withTicket(forged), session.TicketInvalid, 4401)
	p.text(`{"type":"session.end"}`)
	p.closed(1000, "normal")
	h.settle()
	for name, secret := range map[string]string{"ticket": good, "forged ticket": forged, "resume": created.Resume.Token, "access": h.access} {
		if strings.Contains(h.log.String(), secret) {
			t.Errorf("the log holds the %s", name)
		}
	}
}
