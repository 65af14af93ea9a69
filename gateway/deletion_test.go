package gateway

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"kalami/gateway/mailer"
	"kalami/session/learn"
)

// Ana tells who and where she is.
func TestMe(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	const begin = `{"id":"user-001","email":"ana@example.org","email_verified":false,"guest":false,"created_at":"2026-01-02T02:04:05Z",`
	h.as(access, "GET", "/auth/me", nil).want(http.StatusOK).same(begin + `"name":"","native_language":"en","timezone":"UTC","ui_locale":null}`)
	for _, step := range []struct{ change, after string }{
		{`{"name":" Ana ","native_language":"ca-ES","timezone":"Europe/Madrid","ui_locale":"es_ES"}`,
			`"name":"Ana","native_language":"ca","timezone":"Europe/Madrid","ui_locale":"es-ES"}`},
		{`{}`, `"name":"Ana","native_language":"ca","timezone":"Europe/Madrid","ui_locale":"es-ES"}`},
		{`{"timezone":"Asia/Tokyo"}`, `"name":"Ana","native_language":"ca","timezone":"Asia/Tokyo","ui_locale":"es-ES"}`},
		{`{"name":null,"timezone":null,"ui_locale":null}`, `"name":"","native_language":"ca","timezone":"UTC","ui_locale":null}`},
	} {
		h.as(access, "PATCH", "/auth/me", step.change).want(http.StatusOK).same(begin + step.after)
		h.as(access, "GET", "/api/auth/me", nil).want(http.StatusOK).same(begin + step.after)
	}
	guest := h.do("POST", "/auth/guest", nil).tokens()
	h.as(guest.access, "PATCH", "/auth/me", `{"name":"Bo"}`).want(http.StatusOK).same(
		`{"id":"user-003","email":null,"email_verified":false,"guest":true,"created_at":"2026-01-02T02:04:05Z",
		"name":"Bo","native_language":"en","timezone":"UTC","ui_locale":null}`)
}

// Who leaves needs the password, and is gone: tokens, account and all. A guest has no
// password to show.
func TestDeletion(t *testing.T) {
	h := newHouse(t)
	h.account("ana@example.org")
	held := h.signIn("ana@example.org")
	h.as(held.access, "DELETE", "/auth/me", map[string]string{"password": "wrong one"}).refusal(http.StatusForbidden, "wrong_password")
	h.as(held.access, "GET", "/auth/me", nil).want(http.StatusOK)
	if r := h.as(held.access, "DELETE", "/auth/me", map[string]string{"password": "good enough"}).want(http.StatusNoContent); len(r.body) != 0 {
		t.Errorf("body %q", r.body)
	}
	h.as(held.access, "GET", "/auth/me", nil).refusal(http.StatusUnauthorized, "unauthorized")
	h.as(held.access, "DELETE", "/auth/me", map[string]string{"password": "good enough"}).refusal(http.StatusUnauthorized, "unauthorized")
	h.dead(held.refresh)
	h.do("POST", "/auth/login", url.Values{"username": {"ana@example.org"}, "password": {"good enough"}}).refusal(http.StatusUnauthorized, "unauthorized")
	h.account("ana@example.org") // the address is free

	guest := h.do("POST", "/auth/guest", nil).tokens()
	h.as(guest.access, "DELETE", "/auth/me", nil).want(http.StatusNoContent)
	h.dead(guest.refresh)
}

// Whatever ends a user's sessions ends the open conversations too, all of theirs and
// nobody else's.
func TestSocketsEndWithTheSessions(t *testing.T) {
	for name, end := range map[string]func(h *socketHouse, box *mailer.Outbox, stolen string){
		"logout everywhere": func(h *socketHouse, _ *mailer.Outbox, _ string) {
			h.as(h.access, "POST", "/auth/logout-all", nil).want(http.StatusNoContent)
		},
		"another password": func(h *socketHouse, _ *mailer.Outbox, _ string) {
			h.as(h.access, "POST", "/auth/password/change", map[string]string{"current_password": "good enough", "new_password": "a better one"}).want(http.StatusOK)
		},
		"a reset": func(h *socketHouse, box *mailer.Outbox, _ string) {
			h.forgot("ana@example.org").want(http.StatusAccepted)
			h.deliver()
			h.reset(mailed(h.T, box, "ana@example.org", "reset"), "a better one").want(http.StatusNoContent)
		},
		"deletion": func(h *socketHouse, _ *mailer.Outbox, _ string) {
			h.as(h.access, "DELETE", "/auth/me", map[string]string{"password": "good enough"}).want(http.StatusNoContent)
		},
		"a stolen refresh token": func(h *socketHouse, _ *mailer.Outbox, stolen string) {
			h.store.mu.Lock()
			for _, t := range h.store.refresh {
				if t.next != nil {
					t.usedAt = t.usedAt.Add(-2 * learn.ReplayWindow)
				}
			}
			h.store.mu.Unlock()
			h.dead(stolen)
		},
		"on another node": func(h *socketHouse, _ *mailer.Outbox, _ string) {
			if err := h.options.Nodes.Publish(h.Context(), topicSessionsEnded, h.user); err != nil {
				h.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			box, nodes := &mailer.Outbox{}, &loopedNodes{heard: make(chan string)}
			h := newSocketHouse(t, newLesson(), func(o *Options) {
				o.Mailer, o.PublicURL, o.Nodes = box, "https://kalami.example", nodes
			})
			ctx, leave := context.WithCancel(t.Context())
			var following sync.WaitGroup
			following.Go(func() {
				if err := h.server.FollowNodes(ctx); err != nil {
					t.Error(err)
				}
			})
			defer following.Wait()
			defer leave()
			stolen := h.signIn("ana@example.org").refresh
			h.renew(stolen).want(http.StatusOK)
			one, _ := h.open(withTicket(h.ticket(nil)))
			two, _ := h.open(h.withBearer(h.access, "profile_id="+h.profile))
			bo, _ := h.account("bo@example.org")
			profile := h.profileOf(bo, "es")
			other, _ := h.open(h.withBearer(bo, "profile_id="+profile))
			end(h, box, stolen)
			one.closed(4401, "unauthorized")
			two.closed(4401, "unauthorized")
			other.text(`{"type":"session.end"}`)
			other.closed(1000, "normal")
			h.settle()
		})
	}
}

// loopedNodes connects the server with itself, as if by another node.
type loopedNodes struct{ heard chan string }

func (w *loopedNodes) Publish(ctx context.Context, topic, payload string) error {
	select {
	case w.heard <- topic + " " + payload:
	case <-ctx.Done():
	}
	return nil
}

func (w *loopedNodes) Subscribe(ctx context.Context, topic string, take func(string)) error {
	for {
		select {
		case notice := <-w.heard:
			if len(notice) > len(topic) && notice[:len(topic)] == topic {
				take(notice[len(topic)+1:])
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// Sessions that are ended after a socket's credential was checked and before it has a
// seat end it all the same.
func TestSocketRacesLogoutAll(t *testing.T) {
	h := newSocketHouse(t, newLesson())
	in := entry{user: h.store.users[h.user], ticket: Ticket{UserID: h.user}}
	if err := h.sockets.stillSignedIn(t.Context(), in); err != nil {
		t.Errorf("before: %v", err)
	}
	h.as(h.access, "POST", "/auth/logout-all", nil).want(http.StatusNoContent)
	if _, _, err := h.sockets.begin(t.Context(), in); learn.KindOf(err) != learn.Unauthorised || err == nil {
		t.Errorf("afterwards: %v, want Unauthorised", err)
	}
	if n := len(h.store.conversations); n != 0 {
		t.Errorf("%d conversations were begun", n)
	}
}
