package gateway

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/labstack/echo/v4"
)

// The socket's URL is made of the Host header, so that has to be one.
func TestTicketNeedsAHost(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	body := `{"profile_id":"` + h.profileOf(access, "es") + `"}`
	for host, status := range map[string]int{
		"kalami.example:8443": http.StatusCreated, "[::1]:8000": http.StatusCreated,
		"": http.StatusBadRequest, "a;b": http.StatusBadRequest, "a,b": http.StatusBadRequest, "a/b@c": http.StatusBadRequest,
	} {
		r := newRequest(t, body)
		r.Host = host
		r.Header.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
		r.Header.Set(echo.HeaderAuthorization, "Bearer "+access)
		w := httptest.NewRecorder()
		h.server.ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("Host %q: %d, want %d", host, w.Code, status)
		}
	}
}

func TestTicketAdmission(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.MaxSessionsPerUser, o.MaxSessions = 2, 5 })
	access, _ := h.account("ana@example.org")
	body := map[string]string{"profile_id": h.profileOf(access, "es")}
	ask := func() reply { return h.as(access, "POST", "/v1/voice/tickets", body) }

	h.server.voice = busyVoice{mine: 1, all: 4}
	ask().want(http.StatusCreated)

	h.server.voice = busyVoice{mine: 2, all: 4}
	if r := ask(); r.refusal(http.StatusTooManyRequests, "too_many_sessions").Detail == "" || r.header.Get(echo.HeaderRetryAfter) != "10" {
		t.Errorf("Retry-After %q", r.header.Get(echo.HeaderRetryAfter))
	}
	h.server.voice = busyVoice{mine: 0, all: 5}
	if r := ask(); r.refusal(http.StatusServiceUnavailable, "overloaded").Detail == "" || r.header.Get(echo.HeaderRetryAfter) != "30" {
		t.Errorf("Retry-After %q", r.header.Get(echo.HeaderRetryAfter))
	}
	h.server.voice = busyVoice{}
	h.server.Drain()
	if r := ask(); r.refusal(http.StatusServiceUnavailable, "draining").Detail == "" || r.header.Get(echo.HeaderRetryAfter) != "1" {
		t.Errorf("Retry-After %q", r.header.Get(echo.HeaderRetryAfter))
	}
}

// A node beyond its memory takes no new conversations and is not ready; the one under way
// goes on, and when there is room again others are let in.
func TestNodeWithoutRoom(t *testing.T) {
	var over atomic.Bool
	h := newSocketHouse(t, newLesson(), func(o *Options) { o.Overloaded = over.Load })
	bought := h.ticket(nil)
	p, _ := h.open(withTicket(h.ticket(nil)))
	over.Store(true)
	h.do("GET", "/readyz", nil).refusal(http.StatusServiceUnavailable, "unavailable")
	h.do("GET", "/livez", nil).want(http.StatusOK)
	r := h.as(h.access, "POST", "/v1/voice/tickets", map[string]any{"profile_id": h.profile})
	if r.refusal(http.StatusServiceUnavailable, "overloaded"); r.header.Get(echo.HeaderRetryAfter) != "30" {
		t.Errorf("Retry-After is %q", r.header.Get(echo.HeaderRetryAfter))
	}
	for name, hs := range map[string]handshake{"an access token": h.withBearer(h.access, "profile_id="+h.profile), "a ticket": withTicket(bought)} {
		if _, resp, err := h.dial(hs); err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a socket with %s: %v, %v", name, resp, err)
		}
	}
	p.text(`{"type":"session.end"}`)
	p.closed(1000, "normal")
	over.Store(false)
	h.do("GET", "/readyz", nil).want(http.StatusOK)
	h.ticket(nil)
}
