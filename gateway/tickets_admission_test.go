package gateway

import (
	"net/http"
	"net/http/httptest"
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
	if r := ask(); r.refusal(http.StatusServiceUnavailable, "draining").Detail == "" || r.header.Get(echo.HeaderRetryAfter) != "5" {
		t.Errorf("Retry-After %q", r.header.Get(echo.HeaderRetryAfter))
	}
}
