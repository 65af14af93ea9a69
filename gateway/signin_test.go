package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/gateway/token"
	"kalami/session/learn"
)

// signedIn is what somebody holds who has signed in.
type signedIn struct{ access, refresh string }

// tokens reads an answer with tokens.
func (r reply) tokens() signedIn {
	r.Helper()
	m := r.want(http.StatusOK).json()
	return signedIn{m["access_token"].(string), m["refresh_token"].(string)}
}

// signIn signs in with the password of [house.account].
func (h *house) signIn(email string) signedIn {
	h.Helper()
	return h.do("POST", "/auth/login", url.Values{"username": {email}, "password": {"good enough"}}).tokens()
}

// renew shows a refresh token.
func (h *house) renew(refresh string) reply {
	h.Helper()
	return h.do("POST", "/auth/refresh", map[string]string{"refresh_token": refresh})
}

// dead checks that a refresh token is refused as every other is.
func (h *house) dead(refresh string) {
	h.Helper()
	e := h.renew(refresh).refusal(http.StatusUnauthorized, "invalid_refresh_token")
	if e.Detail != "Sign in again: this refresh token is not valid any more" {
		h.Errorf("detail %q", e.Detail)
	}
}

// The whole answer of everything that signs in.
func TestTokenAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.account("ana@example.org")
		ana := `{"id":"user-001","email":"ana@example.org","email_verified":false,"native_language":"en","name":"",
			"guest":false,"timezone":"UTC","ui_locale":null,"created_at":"2026-01-02T02:04:05Z"}`
		login := h.do("POST", "/auth/login", url.Values{"username": {"ana@example.org"}, "password": {"good enough"}, "device_id": {"phone-1"}})
		held := login.tokens()
		login.same(`{"access_token":"` + held.access + `","token_type":"bearer","expires_in":1800,
			"refresh_token":"` + held.refresh + `","refresh_expires_in":2592000,"user":` + ana + `}`)
		if got := h.store.refresh[len(h.store.refresh)-1]; got.DeviceID != "phone-1" || got.UserID != "user-001" ||
			got.TenantID != learn.PersonalTenant || got.Hash != token.Hash(held.refresh) {
			t.Errorf("stored %+v", got.RefreshToken)
		}
		time.Sleep(time.Hour)
		again := h.renew(held.refresh)
		next := again.tokens()
		again.same(`{"access_token":"` + next.access + `","token_type":"bearer","expires_in":1800,
			"refresh_token":"` + next.refresh + `","refresh_expires_in":2592000,"user":` + ana + `}`)
		if next == held || !token.IsRefresh(next.refresh) {
			t.Errorf("renewed to %+v", next)
		}
		h.as(next.access, "GET", "/auth/me", nil).want(http.StatusOK).same(ana)
		h.as(held.access, "GET", "/auth/me", nil).refusal(http.StatusUnauthorized, "unauthorized") // an hour old

		guest := h.do("POST", "/auth/guest", `{"name":"Bo"}`)
		bo := guest.tokens()
		guest.same(`{"access_token":"` + bo.access + `","token_type":"bearer","expires_in":1800,
			"refresh_token":"` + bo.refresh + `","refresh_expires_in":2592000,"user":{"id":"user-004","email":null,"email_verified":false,
			"native_language":"en","name":"Bo","guest":true,"timezone":"UTC","ui_locale":null,"created_at":"2026-01-02T02:04:05Z"}}`)
		h.renew(bo.refresh).want(http.StatusOK)
	})
}

// A phone whose answer was lost asks again and gets the same token; who comes later
// with a used one ends the family, and no other.
func TestRefreshReplayAndReuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.account("ana@example.org")
		phone, tablet := h.signIn("ana@example.org"), h.signIn("ana@example.org")
		second := h.renew(phone.refresh).tokens()
		time.Sleep(learn.ReplayWindow)
		if again := h.renew(phone.refresh).tokens(); again.refresh != second.refresh {
			t.Errorf("asked again: %q, want %q", again.refresh, second.refresh)
		}
		h.renew(second.refresh).want(http.StatusOK)
		time.Sleep(time.Second)
		h.log.Reset()
		h.dead(phone.refresh) // a thief's copy
		if !strings.Contains(h.log.String(), "its family is revoked") || strings.Contains(h.log.String(), phone.refresh) {
			t.Errorf("the log: %s", h.log)
		}
		h.dead(second.refresh)
		h.dead(token.NewRefresh())
		h.renew(tablet.refresh).want(http.StatusOK)
	})
}

// A node with a new key is asked again for what one with the old key made.
func TestReplayAcrossKeys(t *testing.T) {
	h := newHouse(t)
	h.account("ana@example.org")
	held := h.signIn("ana@example.org")
	next := h.renew(held.refresh).tokens()
	old := []byte("a key for tests, 32 bytes or more")
	for name, c := range map[string]struct {
		previous []byte
		status   int
	}{"that knows the old one": {old, http.StatusOK}, "that does not": {nil, http.StatusUnauthorized}} {
		issuer, err := token.NewIssuer(token.Config{Key: []byte("another key for tests, 32 bytes or more"), Previous: c.previous})
		if err != nil {
			t.Fatal(err)
		}
		other := newHouse(t, func(o *Options) { o.Tokens, o.Users, o.RefreshTokens = issuer, h.store, h.store })
		r := other.renew(held.refresh).want(c.status)
		if c.status == http.StatusOK && r.tokens().refresh != next.refresh {
			t.Errorf("a node %s makes another token", name)
		}
	}
}

func TestLogout(t *testing.T) {
	h := newHouse(t)
	h.account("ana@example.org")
	phone, tablet := h.signIn("ana@example.org"), h.signIn("ana@example.org")
	next := h.renew(phone.refresh).tokens()
	for range 2 { // the same answer, whether there is anything to end
		if r := h.do("POST", "/auth/logout", map[string]string{"refresh_token": phone.refresh}).want(http.StatusNoContent); len(r.body) != 0 {
			t.Errorf("body %q", r.body)
		}
	}
	h.do("POST", "/auth/logout", map[string]string{"refresh_token": "never seen"}).want(http.StatusNoContent)
	h.dead(next.refresh)

	h.as(tablet.access, "POST", "/auth/logout-all", nil).want(http.StatusNoContent)
	for _, held := range []signedIn{phone, tablet, next} {
		h.as(held.access, "GET", "/auth/me", nil).refusal(http.StatusUnauthorized, "unauthorized")
		h.dead(held.refresh)
	}
	h.renew(h.signIn("ana@example.org").refresh).want(http.StatusOK)
}

// Whoever signs in while the sessions are ended elsewhere gets tokens that are dead.
func TestSignInRacesLogoutAll(t *testing.T) {
	h := newHouse(t)
	_, id := h.account("ana@example.org")
	late := endsSessions{plainPasswords: h.passwords, end: func() {
		if err := h.store.EndSessions(t.Context(), id); err != nil {
			t.Error(err)
		}
	}}
	slow := newHouse(t, func(o *Options) { o.Users, o.RefreshTokens, o.Passwords = h.store, h.store, late })
	held := slow.signIn("ana@example.org")
	slow.dead(held.refresh)
	slow.as(held.access, "GET", "/auth/me", nil).refusal(http.StatusUnauthorized, "unauthorized")
}

// endsSessions ends the sessions while a password is verified.
type endsSessions struct {
	*plainPasswords
	end func()
}

func (p endsSessions) Verify(ctx context.Context, phc, password string) (bool, error) {
	p.end()
	return p.plainPasswords.Verify(ctx, phc, password)
}

func TestRefreshRefuses(t *testing.T) {
	h := newHouse(t)
	for _, route := range []string{"/auth/refresh", "/auth/logout"} {
		for body, field := range map[string]string{
			``: "body", `null`: "refresh_token", `{}`: "refresh_token", `{"refresh_token":""}`: "refresh_token",
			`{"refresh_token":null}`: "refresh_token", `{"refresh_token":7}`: "refresh_token", `[]`: "body", `{"refresh_token":"x`: "body",
		} {
			h.do("POST", route, body, "Content-Type", "application/json").invalid(field)
		}
		h.do("POST", route, url.Values{"refresh_token": {"x"}}).refusal(http.StatusUnsupportedMediaType, "unsupported_media_type")
	}
	for name, raw := range map[string]string{
		"a ticket": token.NewTicket(), "a mailed token": token.NewMailToken(), "huge": strings.Repeat("k", 100_000), "NUL": "kf_\x00",
	} {
		t.Run(name, func(t *testing.T) {
			h := *h
			h.T = t
			h.dead(raw)
		})
	}
	h.do("POST", "/auth/login", url.Values{"username": {"a@b.example"}, "password": {"x"}, "device_id": {strings.Repeat("d", 65)}}).invalid("device_id")
	h.store.fail(errors.New("disk"))
	h.renew(token.NewRefresh()).refusal(http.StatusInternalServerError, "internal")
	h.do("POST", "/auth/logout", map[string]string{"refresh_token": token.NewRefresh()}).refusal(http.StatusInternalServerError, "internal")
	h.store.fail(learn.Errorf(learn.Unavailable, "memory", "The database does not answer"))
	h.renew(token.NewRefresh()).refusal(http.StatusServiceUnavailable, "unavailable")
}

func TestRefreshesAreBounded(t *testing.T) {
	h, _ := limitedHouse(t)
	for range 3 {
		h.dead(token.NewRefresh())
	}
	h.renew(token.NewRefresh()).tooFast()
	h.do("POST", "/auth/logout", map[string]string{"refresh_token": token.NewRefresh()}).tooFast()
}

// TestSignInSequences plays ten thousand random sequences of devices, a thief who has a
// copy of every token, and time, through the API, and compares every answer with a
// model. (Package storetest does the same with the real store.)
func TestSignInSequences(t *testing.T) {
	const together = 100 // in one bubble: its clock ends after some centuries
	for first := uint64(0); first < 10_000; first += together {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, func(o *Options) { o.Log = slog.New(slog.DiscardHandler) })
			h.account("ana@example.org")
			for seed := first; seed < first+together; seed++ {
				m := newSignInModel(h, seed)
				for range 4 + m.random.IntN(12) {
					if err := m.step(); err != nil {
						t.Fatalf("seed %d: %v\n%s", seed, err, strings.Join(m.story, "\n"))
					}
				}
				h.store.refresh = nil
			}
		})
	}
}
