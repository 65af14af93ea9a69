package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/gateway/mailer"
	"kalami/gateway/token"
	"kalami/session/learn"
)

// postalHouse is a house with an outbox.
func postalHouse(t *testing.T, change ...func(*Options)) (*house, *mailer.Outbox) {
	box := &mailer.Outbox{}
	return newHouse(t, append([]func(*Options){func(o *Options) {
		o.Mailer, o.Outbox, o.PublicURL = box, box, "https://kalami.example"
	}}, change...)...), box
}

// deliver sends what is waiting, and returns.
func (h *house) deliver() {
	h.Helper()
	ctx, cancel := context.WithCancel(h.Context())
	cancel()
	h.server.DeliverMail(ctx)
}

// mailed is the token in the latest mail, which must be to this address.
func mailed(t *testing.T, box *mailer.Outbox, to, purpose string) string {
	t.Helper()
	all := box.Kept()
	if len(all) == 0 || all[0].To != to {
		t.Fatalf("no mail to %s: %+v", to, all)
	}
	link := regexp.MustCompile(`    https://kalami\.example/#` + purpose + `=(\S+)\n`).FindStringSubmatch(all[0].Text)
	if link == nil || !token.IsMailToken(link[1]) {
		t.Fatalf("no link to %s in %q", purpose, all[0].Text)
	}
	return link[1]
}

func (h *house) forgot(email string) reply {
	h.Helper()
	return h.do("POST", "/auth/password/forgot", map[string]string{"email": email}, "X-Request-ID", "same")
}

func (h *house) reset(raw, password string) reply {
	h.Helper()
	return h.do("POST", "/auth/password/reset", map[string]string{"token": raw, "new_password": password})
}

// Ana has forgotten her password: a mail brings a token that works once, for ten
// minutes, ends all sessions, and proves her address.
func TestForgottenPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, box := postalHouse(t)
		_, id := h.account("Ana@example.org")
		held := h.signIn("ana@example.org")
		h.forgot("ANA@example.org").want(http.StatusAccepted).
			same(`{"detail":"If there is an account with this address, a mail with a link is on its way to it"}`)
		h.deliver()
		raw := mailed(t, box, "Ana@example.org", "reset")
		if m := h.store.mailed[0]; m.Hash != token.Hash(raw) || m.UserID != id || time.Until(m.ExpiresAt) > 10*time.Minute {
			t.Errorf("stored %+v", m)
		}
		h.reset(raw, "short").invalid("new_password")
		h.reset(raw, "ana@EXAMPLE.org").invalid("new_password")
		if r := h.reset(raw, "a better one").want(http.StatusNoContent); len(r.body) != 0 {
			t.Errorf("body %q", r.body)
		}
		h.reset(raw, "another one").refusal(http.StatusBadRequest, "invalid_token")
		h.dead(held.refresh)
		h.as(held.access, "GET", "/auth/me", nil).want(http.StatusUnauthorized)
		login := func(password string) reply {
			return h.do("POST", "/auth/login", url.Values{"username": {"ana@example.org"}, "password": {password}})
		}
		login("good enough").want(http.StatusUnauthorized)
		if m := login("a better one").want(http.StatusOK).json(); m["user"].(map[string]any)["email_verified"] != true {
			t.Errorf("who got the mail reads the mailbox: %v", m)
		}

		h.forgot("ana@example.org").want(http.StatusAccepted)
		h.deliver()
		late := mailed(t, box, "Ana@example.org", "reset")
		time.Sleep(10 * time.Minute)
		h.reset(late, "a better one").refusal(http.StatusBadRequest, "invalid_token")
	})
}

// A known and an unknown address are answered alike, down to the bytes, and until the
// mail is written the store is asked for neither.
func TestForgotTellsNothing(t *testing.T) {
	h, box := postalHouse(t)
	h.account("known@example.org")
	h.store.fail(errors.New("nobody may look anything up"))
	var first reply
	for i, email := range []string{"known@example.org", "unknown@example.org"} {
		for _, route := range []string{"/auth/password/forgot", "/auth/email/resend"} {
			r := h.do("POST", route, map[string]string{"email": email}, "X-Request-ID", "same").want(http.StatusAccepted)
			if i == 0 && route == "/auth/password/forgot" {
				first = r
			}
			if route == "/auth/password/forgot" && string(r.body) != string(first.body) {
				t.Errorf("%s is answered %s, a known account %s", email, r.body, first.body)
			}
		}
	}
	h.store.fail(nil)
	h.log.Reset()
	h.deliver()
	if got := box.Kept(); len(got) != 2 || got[0].To != "known@example.org" || got[1].To != "known@example.org" {
		t.Errorf("sent %+v", got)
	}
	if h.log.Len() != 0 {
		t.Errorf("the log tells who is unknown: %s", h.log)
	}
}

func TestMailIsNotSetUp(t *testing.T) {
	h := newHouse(t)
	for route, body := range map[string]map[string]string{
		"/auth/password/forgot": {"email": "ana@example.org"},
		"/auth/email/resend":    {"email": "ana@example.org"},
		"/auth/password/reset":  {"token": token.NewMailToken(), "new_password": "good enough"},
		"/auth/email/verify":    {"token": token.NewMailToken()},
	} {
		r := h.do("POST", route, body)
		e := r.refusal(http.StatusServiceUnavailable, "mail_not_configured")
		if e.Detail != "This server cannot send mail: it has not been set up" || r.header.Get("Retry-After") != "" {
			t.Errorf("%s: %q, Retry-After %q", route, e.Detail, r.header.Get("Retry-After"))
		}
	}
	h.do("GET", "/debug/outbox", nil).want(http.StatusNotFound)
	if _, err := New(func() Options { o := h.options; o.Mailer = &mailer.Outbox{}; return o }()); err == nil {
		t.Error("a mailer without a public URL was accepted")
	}
}

func TestPasswordChange(t *testing.T) {
	h := newHouse(t)
	h.account("ana@example.org")
	held, other := h.signIn("ana@example.org"), h.signIn("ana@example.org")
	change := func(current, chosen string) reply {
		h.Helper()
		return h.as(held.access, "POST", "/auth/password/change", map[string]string{"current_password": current, "new_password": chosen})
	}
	if e := change("wrong one", "a better one").refusal(http.StatusForbidden, "wrong_password"); e.Detail != "The password is wrong" {
		t.Errorf("detail %q", e.Detail)
	}
	change("good enough", "ana@example.org").invalid("new_password")
	h.as(other.access, "GET", "/auth/me", nil).want(http.StatusOK)
	r := change("good enough", "a better one")
	fresh := r.tokens()
	r.same(`{"access_token":"` + fresh.access + `","token_type":"bearer","expires_in":1800,
		"refresh_token":"` + fresh.refresh + `","refresh_expires_in":2592000,"user":{"id":"user-001","email":"ana@example.org",
		"email_verified":false,"native_language":"en","name":"","guest":false,"timezone":"UTC","ui_locale":null,"created_at":"2026-01-02T02:04:05Z"}}`)
	for _, old := range []signedIn{held, other} {
		h.as(old.access, "GET", "/auth/me", nil).want(http.StatusUnauthorized)
		h.dead(old.refresh)
	}
	h.as(fresh.access, "GET", "/auth/me", nil).want(http.StatusOK)
	h.renew(fresh.refresh).want(http.StatusOK)
	h.do("POST", "/auth/login", url.Values{"username": {"ana@example.org"}, "password": {"a better one"}}).want(http.StatusOK)

	guest := h.do("POST", "/auth/guest", nil).tokens()
	h.as(guest.access, "POST", "/auth/password/change", map[string]string{"current_password": "x", "new_password": "good enough"}).
		refusal(http.StatusForbidden, "wrong_password")
}

// Of two changes at once, one is told that it came second.
func TestPasswordChangesTwiceAtOnce(t *testing.T) {
	h := newHouse(t)
	_, id := h.account("ana@example.org")
	held := h.signIn("ana@example.org")
	racing := endsSessions{plainPasswords: h.passwords, end: func() { _ = h.store.EndSessions(t.Context(), id) }}
	slow := newHouse(t, func(o *Options) { o.Users, o.RefreshTokens, o.Passwords = h.store, h.store, racing })
	slow.as(held.access, "POST", "/auth/password/change", map[string]string{"current_password": "good enough", "new_password": "a better one"}).
		refusal(http.StatusConflict, "conflict")
	if got := h.store.users[id].HashedPassword; got != "v2:good enough" {
		t.Errorf("the password is %q", got)
	}
}

// Bad input at every route that takes a body, by what is at fault.
func TestAccountRoutesRefuse(t *testing.T) {
	h, _ := postalHouse(t)
	held := func() signedIn { h.account("ana@example.org"); return h.signIn("ana@example.org") }()
	long, common := strings.Repeat("x", 129), "password1"
	for route, cases := range map[string]map[string][]string{
		"POST /auth/password/change": {
			``: {"body"}, `{}`: {"current_password", "new_password"}, `null`: {"current_password", "new_password"}, `{"current_password":1}`: {"current_password"},
			`{"current_password":"x","new_password":"` + long + `"}`: {"new_password"}, `{"current_password":"x","new_password":"` + common + `"}`: {"new_password"},
			`{"current_password":"good enough","new_password":"short"}`: {"new_password"}, `[]`: {"body"}, `{`: {"body"},
		},
		"POST /auth/password/forgot": {
			``: {"body"}, `{}`: {"email"}, `{"email":null}`: {"email"}, `{"email":7}`: {"email"}, `{"email":"ana"}`: {"email"}, `{"email":"a@b.example\r\nBcc: c@d.example"}`: {"email"},
			`{"email":"` + long + `@` + long + `.example"}`: {"email"}, `7`: {"body"},
		},
		"POST /auth/email/resend": {``: {"body"}, `{}`: {"email"}, `{"email":[]}`: {"email"}, `{"email":"@"}`: {"email"}},
		"POST /auth/password/reset": {
			``: {"body"}, `{}`: {"token", "new_password"}, `{"token":"","new_password":""}`: {"token", "new_password"}, `{"token":{}}`: {"token"},
			`{"token":"x","new_password":"` + long + `"}`: {"new_password"}, `{"token":"x","new_password":7}`: {"new_password"},
		},
		"POST /auth/email/verify": {``: {"body"}, `{}`: {"token"}, `{"token":null}`: {"token"}, `{"token":true}`: {"token"}},
		"PATCH /auth/me": {
			``: {"body"}, `[]`: {"body"}, `{"email":"b@c.example"}`: {"email"}, `{"title":"x"}`: {"title"}, `{"id":"x","guest":true}`: {"guest", "id"},
			`{"name":7}`: {"name"}, `{"name":"a\u0000b"}`: {"name"}, `{"name":"` + long + `"}`: {"name"},
			`{"native_language":null}`: {"native_language"}, `{"native_language":""}`: {"native_language"}, `{"native_language":"english"}`: {"native_language"},
			`{"timezone":""}`: {"timezone"}, `{"timezone":"Local"}`: {"timezone"}, `{"timezone":"Mars/Olympus"}`: {"timezone"}, `{"timezone":"../etc/passwd"}`: {"timezone"},
			`{"timezone":"+02:00"}`: {"timezone"}, `{"timezone":3}`: {"timezone"}, `{"timezone":"` + long + `"}`: {"timezone"},
			`{"ui_locale":""}`: {"ui_locale"}, `{"ui_locale":"e"}`: {"ui_locale"}, `{"ui_locale":"en-"}`: {"ui_locale"}, `{"ui_locale":"en US"}`: {"ui_locale"},
			`{"ui_locale":"12"}`: {"ui_locale"}, `{"ui_locale":"en-abcdefghi"}`: {"ui_locale"}, `{"name":"x","timezone":"x","ui_locale":"x"}`: {"timezone", "ui_locale"},
		},
		"DELETE /auth/me": {``: {"password"}, `{}`: {"password"}, `{"password":""}`: {"password"}, `{"password":[]}`: {"password"}, `{`: {"body"}},
	} {
		method, path, _ := strings.Cut(route, " ")
		for body, fields := range cases {
			t.Run(route+body[:min(len(body), 40)], func(t *testing.T) {
				h := *h
				h.T = t
				h.as(held.access, method, path, body, "Content-Type", "application/json").invalid(fields...)
			})
		}
		h.as(held.access, method, path, url.Values{"x": {"y"}}).refusal(http.StatusUnsupportedMediaType, "unsupported_media_type")
		h.as(held.access, method, path, `{"x":"`+strings.Repeat("x", maxBody)+`"}`).refusal(http.StatusRequestEntityTooLarge, "request_entity_too_large")
	}
	for name, raw := range map[string]string{
		"unknown": token.NewMailToken(), "a refresh token": token.NewRefresh(), "NUL": "km_\x00", "huge": strings.Repeat("k", 100_000),
	} {
		for _, r := range []reply{h.reset(raw, "good enough"), h.do("POST", "/auth/email/verify", map[string]string{"token": raw})} {
			if e := r.refusal(http.StatusBadRequest, "invalid_token"); e.Detail != "This link is not valid any more; ask for a new one" || len(e.Errors) != 0 {
				t.Errorf("%s: %+v", name, e)
			}
		}
	}
	h.as(held.access, "GET", "/auth/me", nil).want(http.StatusOK) // untouched by all that
	h.store.fail(learn.Errorf(learn.Unavailable, "memory", "The database does not answer"))
	h.reset(token.NewMailToken(), "good enough").refusal(http.StatusBadRequest, "invalid_token")
}

func TestCredentialsAreBounded(t *testing.T) {
	h, _ := limitedHouse(t)
	box := &mailer.Outbox{}
	h.options.Mailer, h.options.PublicURL = box, "https://kalami.example"
	var err error
	if h.server, err = New(h.options); err != nil {
		t.Fatal(err)
	}
	forgot := func(email, from string) reply {
		return h.do("POST", "/auth/password/forgot", map[string]string{"email": email}, "X-Forwarded-For", from)
	}
	for _, email := range []string{"ana@example.org", "nobody@example.org"} { // one is as the other
		forgot(email, "198.51.100.1").want(http.StatusAccepted)
		forgot(strings.ToUpper(email), "198.51.100.2").want(http.StatusAccepted)
		forgot(email, "198.51.100.3").tooFast()
	}
	for range 2 {
		h.do("POST", "/auth/email/resend", map[string]string{"email": "other@example.org"}, "X-Forwarded-For", "198.51.100.4").want(http.StatusAccepted)
	}
	h.do("POST", "/auth/email/resend", map[string]string{"email": "other@example.org"}, "X-Forwarded-For", "198.51.100.5").tooFast()
	for i := range 3 {
		want := map[bool]int{true: http.StatusBadRequest, false: http.StatusTooManyRequests}[i < 3]
		h.do("POST", "/auth/email/verify", map[string]string{"token": "x"}).want(want)
	}
	h.reset("x", "good enough").tooFast()

	h.do("POST", "/auth/register", map[string]string{"email": "ana@example.org", "password": "good enough"}).want(http.StatusCreated)
	held := h.signIn("ana@example.org")
	for range 2 {
		h.as(held.access, "DELETE", "/auth/me", map[string]string{"password": "wrong one"}).refusal(http.StatusForbidden, "wrong_password")
	}
	h.as(held.access, "POST", "/auth/password/change", map[string]string{"current_password": "good enough", "new_password": "a better one"}).tooFast()
}
