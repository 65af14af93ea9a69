package gateway

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/token"
	"kalami/gateway/wire"
	"kalami/session"
	"kalami/session/learn"
)

// Refused by a status, before anything is opened.
func TestVoiceHandshakeRefused(t *testing.T) {
	h := newSocketHouse(t, newLesson(), func(o *Options) { o.AllowedOrigins = []string{"https://app.example"} })
	query := "profile_id=" + h.profile
	protocols := []string{wire.Subprotocol}
	good := http.Header{"Authorization": {"Bearer " + h.access}}
	with := func(base http.Header, name, value string) http.Header {
		out := base.Clone()
		if out == nil {
			out = http.Header{}
		}
		out.Set(name, value)
		return out
	}
	for _, tt := range []struct {
		name   string
		hs     handshake
		status int
		code   string
	}{
		{"no subprotocol", handshake{query: query, header: good}, 400, "bad_request"},
		{"another subprotocol", handshake{query: query, header: good, protocols: []string{"kalami.v2", "chat"}}, 400, "bad_request"},
		{"only a token", handshake{protocols: []string{wire.TokenPrefix + token.NewTicket()}}, 400, "bad_request"},
		{"two credentials", handshake{protocols: []string{wire.Subprotocol, wire.TokenPrefix + "a", wire.TokenPrefix + "b"}}, 400, "bad_request"},
		{"no credential, no origin", handshake{query: query, protocols: protocols}, 401, "unauthorized"},
		{"no credential, own page", handshake{protocols: protocols, header: http.Header{"Origin": {h.http.URL}}}, 401, "unauthorized"},
		{"credential in the query", handshake{query: query + "&token=" + h.access + "&access_token=" + h.access, protocols: protocols}, 401, "unauthorized"},
		{"a password", handshake{query: query, protocols: protocols, header: http.Header{"Authorization": {"Basic YTpi"}}}, 401, "unauthorized"},
		{"a forged token", handshake{query: query, protocols: protocols, header: http.Header{"Authorization": {"Bearer " + h.access + "x"}}}, 401, "unauthorized"},
		{"a ticket as a bearer", handshake{query: query, protocols: protocols, header: http.Header{"Authorization": {"Bearer " + h.ticket(nil)}}}, 401, "unauthorized"},
		{"a foreign page", handshake{query: query, protocols: protocols, header: with(good, "Origin", "https://evil.example")}, 403, "forbidden"},
		{"a foreign page with a ticket", handshake{protocols: withTicket(h.ticket(nil)).protocols, header: http.Header{"Origin": {"https://app.example.evil"}}}, 403, "forbidden"},
		{"a page from nowhere", handshake{query: query, protocols: protocols, header: with(good, "Origin", "null")}, 403, "forbidden"},
		{"no profile", handshake{protocols: protocols, header: good}, 422, "invalid"},
		{"another's profile", handshake{query: "profile_id=profile-999", protocols: protocols, header: good}, 404, "not_found"},
		{"a profile that is no id", handshake{query: "profile_id=%27%20or%201", protocols: protocols, header: good}, 404, "not_found"},
		{"an unknown conversation", handshake{query: query + "&conversation_id=nope", protocols: protocols, header: good}, 404, "not_found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, resp, err := h.dial(tt.hs)
			if err == nil {
				p.ws.CloseNow()
				t.Fatal("was let in")
			}
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != tt.status || !strings.Contains(string(body), `"code":"`+tt.code+`"`) || !strings.Contains(string(body), `"detail":"`) {
				t.Errorf("status %d %s, want %d with code %s", resp.StatusCode, body, tt.status, tt.code)
			}
		})
	}
	// Everything is right but the WebSocket handshake itself.
	h.as(h.access, "GET", voicePath+"?"+query, nil, "Connection", "Upgrade", "Upgrade", "websocket",
		"Sec-WebSocket-Version", "12", "Sec-WebSocket-Protocol", wire.Subprotocol).want(http.StatusBadRequest)
	if n := len(h.sockets.live.seats); n != 0 {
		t.Errorf("%d seats are taken by nobody", n)
	}
	h.do("GET", voicePath, nil).refusal(http.StatusUpgradeRequired, "upgrade_required")
}

// Refused by an event and a close code, since a page sees no status.
func TestVoiceTicketRefused(t *testing.T) {
	h := newSocketHouse(t, newLesson())
	used := h.ticket(nil)
	p, _ := h.open(withTicket(used))
	p.text(`{"type":"session.end"}`)
	p.closed(1000, "normal")
	h.settle()

	foreign := withTicket(h.ticket(nil, "Origin", "https://other.example"))
	foreign.header = http.Header{"Origin": {h.http.URL}}
	forgotten, expired := h.ticket(nil), h.ticket(nil)
	h.store.mu.Lock()
	e := h.store.once[ticketKey(forgotten)]
	e.until = time.Now()
	h.store.once[ticketKey(forgotten)] = e
	e = h.store.once[ticketKey(expired)]
	e.value = regexp.MustCompile(`"expires_at":"[^"]*"}$`).ReplaceAll(e.value, []byte(`"expires_at":"2026-01-02T03:04:05Z"}`))
	h.store.once[ticketKey(expired)] = e
	h.store.mu.Unlock()
	for name, hs := range map[string]handshake{
		"forged":           withTicket(token.NewTicket()),
		"reused":           withTicket(used),
		"expired long ago": withTicket(forgotten),
		"not a ticket":     withTicket("letmein"),
		"empty":            withTicket(""),
		"of another page":  foreign,
		"an access token":  withTicket(h.access),
		"changed a little": withTicket(strings.ToLower(h.ticket(nil))),
	} {
		t.Run(name, func(t *testing.T) { h.told(hs, session.TicketInvalid, 4401) })
	}

	t.Run("expired", func(t *testing.T) { h.told(withTicket(expired), session.TicketExpired, 4401) })

	// A ticket is spent by a page that may not use it, too.
	h.told(withTicket(strings.TrimPrefix(foreign.protocols[1], wire.TokenPrefix)), session.TicketInvalid, 4401)

	gone := h.ticket(nil)
	conversation := func() string {
		for id := range h.store.conversations {
			return id
		}
		return ""
	}()
	ended := h.ticket(map[string]any{"conversation_id": conversation})
	h.store.mu.Lock()
	c, now := h.store.conversations[conversation], time.Now()
	c.EndedAt = &now
	h.store.conversations[conversation] = c
	h.store.mu.Unlock()
	h.told(withTicket(ended), session.SessionLost, 4404)
	if err := h.store.DeleteProfile(t.Context(), learn.PersonalTenant, h.user, h.profile); err != nil {
		t.Fatal(err)
	}
	h.told(withTicket(gone), session.SessionLost, 4404)
}

// A user whose sessions were ended cannot come in with an older ticket.
func TestVoiceTicketOfAnEndedSession(t *testing.T) {
	h := newSocketHouse(t, newLesson())
	ticket := h.ticket(nil)
	h.store.mu.Lock()
	u := h.store.users[h.user]
	u.TokenVersion++
	h.store.users[h.user] = u
	h.store.mu.Unlock()
	h.told(withTicket(ticket), session.TicketInvalid, 4401)
}

// A returning client is told to come back with a ticket; one that does not say what it
// wants is told that.
func TestVoiceResume(t *testing.T) {
	h := newSocketHouse(t, newLesson())
	resume := func() *phone {
		p, _, err := h.dial(withTicket(token.NewResume("0192d5f0-6c3e-7b5a-9a0e-3f2f6f1f8c11")))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, tt := range []struct {
		name   string
		first  func(p *phone)
		code   session.Code
		status websocket.StatusCode
	}{
		{"resumes", func(p *phone) { p.text(`{"type":"session.resume","session_id":"vs_1","last_seq":3,"event_id":"e1"}`) }, session.ResumeExpired, 4200},
		{"says something else", func(p *phone) { p.text(`{"type":"session.end","event_id":"e1"}`) }, session.BadRequest, 4400},
		{"says it wrongly", func(p *phone) { p.text(`{"type":"session.resume","event_id":"e1"}`) }, session.BadRequest, 4400},
		{"talks at once", func(p *phone) { p.mic(1, 640) }, session.BadRequest, 4400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := resume()
			tt.first(p)
			if got := p.problem(); got.Code != tt.code || !got.Fatal {
				t.Errorf("%+v", got)
			}
			p.closed(tt.status, string(tt.code))
		})
	}
	t.Run("says nothing", func(t *testing.T) {
		h.sockets.hello = 20 * time.Millisecond
		p := resume()
		if got := p.problem(); got.Code != session.BadRequest {
			t.Errorf("%+v", got)
		}
		p.closed(4400, "bad_request")
	})
}

// The caps: a status for a native client, an explanation for a page.
func TestVoiceCaps(t *testing.T) {
	h := newSocketHouse(t, newLesson(), func(o *Options) { o.MaxSessionsPerUser, o.MaxSessions = 1, 2 })
	second := h.ticket(nil)
	h.open(withTicket(h.ticket(nil)))
	if got := h.told(withTicket(second), session.TooManySessions, 4429); got.RetryAfterMS == 0 {
		t.Error("not told when to try again")
	}
	_, resp, err := h.dial(h.withBearer(h.access, "profile_id="+h.profile))
	if err == nil || resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a second one by bearer: %v", resp)
	}
	ben, _ := h.account("ben@example.org")
	profile := h.profileOf(ben, "fr")
	h.open(h.withBearer(ben, "profile_id="+profile))
	eva, _ := h.account("eva@example.org")
	_, resp, err = h.dial(h.withBearer(eva, "profile_id="+h.profileOf(eva, "fr")))
	if err == nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("one too many on this node: %v", resp)
	}
}

// A store that does not answer is no reason to send a learner for another ticket.
func TestVoiceStoreDown(t *testing.T) {
	h := newSocketHouse(t, newLesson())
	ticket := h.ticket(nil)
	h.store.fail(learn.Errorf(learn.Unavailable, "memory", "away"))
	_, resp, err := h.dial(withTicket(ticket))
	if err == nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%v", resp)
	}
	h.store.fail(nil)
}
