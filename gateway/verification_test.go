package gateway

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kalami/gateway/mailer"
)

// With required verification, the right password opens nothing before the link was; a
// wrong one is told nothing about it.
func TestVerificationRequired(t *testing.T) {
	h, box := postalHouse(t, func(o *Options) { o.VerifyEmail = VerifyRequired })
	h.do("POST", "/auth/register", map[string]string{"email": "ana@example.org", "password": "good enough", "name": "Win https://evil.example"}).
		want(http.StatusCreated).same(`{"id":"user-001","email":"ana@example.org","email_verified":false,"native_language":"en",
		"name":"Win https://evil.example","guest":false,"timezone":"UTC","ui_locale":null,"created_at":"2026-01-02T02:04:05Z"}`)
	login := func(password string) reply {
		return h.do("POST", "/auth/login", url.Values{"username": {"ana@example.org"}, "password": {password}})
	}
	login("wrong one").refusal(http.StatusUnauthorized, "unauthorized")
	if e := login("good enough").refusal(http.StatusForbidden, "email_not_verified"); !strings.Contains(e.Detail, "Verify your e-mail") {
		t.Errorf("detail %q", e.Detail)
	}
	h.deliver()
	first := mailed(t, box, "ana@example.org", "verify")
	if text := box.Kept()[0].Text; strings.Contains(text, "evil") {
		t.Errorf("a stranger wrote into the mail: %q", text)
	}
	h.do("POST", "/auth/email/resend", map[string]string{"email": "ana@example.org"}).want(http.StatusAccepted).
		same(`{"detail":"If there is an account with this address that is not verified, a mail with a link is on its way to it"}`)
	h.deliver()
	second := mailed(t, box, "ana@example.org", "verify")
	if first == second {
		t.Error("a token was mailed twice")
	}
	verify := func(raw string) reply {
		return h.do("POST", "/auth/email/verify", map[string]string{"token": raw})
	}
	h.reset(second, "a better one").refusal(http.StatusBadRequest, "invalid_token") // for this it was not sent
	verify(second).want(http.StatusOK).same(`{"id":"user-001","email":"ana@example.org","email_verified":true,"native_language":"en",
		"name":"Win https://evil.example","guest":false,"timezone":"UTC","ui_locale":null,"created_at":"2026-01-02T02:04:05Z"}`)
	verify(second).refusal(http.StatusBadRequest, "invalid_token")
	verify(first).refusal(http.StatusBadRequest, "invalid_token")
	login("good enough").want(http.StatusOK)

	h.do("POST", "/auth/email/resend", map[string]string{"email": "ana@example.org"}).want(http.StatusAccepted)
	h.deliver()
	if n := len(box.Kept()); n != 2 {
		t.Errorf("%d mails, want none to a verified address", n)
	}
	guest := h.do("POST", "/auth/guest", nil).tokens() // has no address
	h.as(guest.access, "GET", "/auth/me", nil).want(http.StatusOK)
}

func TestVerificationOptionalAndOff(t *testing.T) {
	for mode, mails := range map[EmailVerification]int{VerifyOptional: 1, VerifyOff: 0} {
		h, box := postalHouse(t, func(o *Options) { o.VerifyEmail = mode })
		h.account("ana@example.org") // signs in
		h.deliver()
		if n := len(box.Kept()); n != mails {
			t.Errorf("%s: %d mails, want %d", mode, n, mails)
		}
	}
}

// stuckMailer takes no mail until it is released.
type stuckMailer struct {
	mailer.Outbox
	began, release chan struct{}
	once           sync.Once
}

func (m *stuckMailer) Send(ctx context.Context, msg mailer.Message) error {
	m.once.Do(func() { close(m.began) })
	<-m.release
	return m.Outbox.Send(ctx, msg)
}

// A mail server that hangs holds up no answer; when the queue is full, the next are
// refused, known or not; what was taken is sent, also while the server stops.
func TestMailQueueIsBounded(t *testing.T) {
	stuck := &stuckMailer{began: make(chan struct{}), release: make(chan struct{})}
	h := newHouse(t, func(o *Options) { o.Mailer, o.PublicURL = stuck, "https://kalami.example" })
	h.account("ana@example.org")
	ctx, stop := context.WithCancel(t.Context())
	var worker sync.WaitGroup
	worker.Go(func() { h.server.DeliverMail(ctx) })
	h.forgot("ana@example.org").want(http.StatusAccepted)
	<-stuck.began
	for range waitingLetters {
		h.forgot("ana@example.org").want(http.StatusAccepted)
	}
	for _, email := range []string{"ana@example.org", "nobody@example.org"} {
		r := h.forgot(email)
		r.refusal(http.StatusServiceUnavailable, "unavailable")
		if r.header.Get("Retry-After") == "" {
			t.Error("nobody says when to come again")
		}
	}
	stop()
	close(stuck.release)
	worker.Wait()
	if n := len(stuck.Kept()); n != 50 { // as many as an outbox keeps
		t.Errorf("%d mails were sent", n)
	}
	if n := len(h.server.letters); n != 0 {
		t.Errorf("%d letters are left", n)
	}
}

// hangingMailer sends nothing for as long as it may.
type hangingMailer struct{ began chan struct{} }

func (m hangingMailer) Send(ctx context.Context, _ mailer.Message) error {
	m.began <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

// A mail server that hangs holds a stopping node up for what was under way and five
// seconds more, however many letters are waiting.
func TestMailEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging := hangingMailer{began: make(chan struct{}, waitingLetters)}
		h := newHouse(t, func(o *Options) { o.Mailer, o.PublicURL = hanging, "https://kalami.example" })
		h.account("ana@example.org")
		for range 3 {
			h.forgot("ana@example.org").want(http.StatusAccepted)
		}
		ctx, stop := context.WithCancel(t.Context())
		var worker sync.WaitGroup
		worker.Go(func() { h.server.DeliverMail(ctx) })
		<-hanging.began
		began := time.Now()
		stop()
		worker.Wait()
		if took := time.Since(began); took != letterTimeout+lastLetters {
			t.Errorf("it took %v", took)
		}
		if n := len(hanging.began); n != 1 {
			t.Errorf("%d more letters were begun, want the second alone", n)
		}
		if log := h.log.String(); !strings.Contains(log, "mails are left unsent") || !strings.Contains(log, `"count":1`) {
			t.Errorf("the log does not tell of the letter that is left: %s", log)
		}
	})
}

// brokenMailer fails.
type brokenMailer struct{}

func (brokenMailer) Send(context.Context, mailer.Message) error {
	return errors.New("mailer: code 554")
}

// A mail that cannot be sent is told to the log, without the address, and ends nothing.
func TestMailFails(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Mailer, o.PublicURL = brokenMailer{}, "https://kalami.example" })
	_, id := h.account("ana@example.org")
	h.forgot("ana@example.org").want(http.StatusAccepted)
	h.log.Reset()
	h.deliver()
	if line := h.logged(); line["msg"] != "mail not sent" || line["user_id"] != id || line["err"] != "mailer: code 554" || line["purpose"] != "reset" {
		t.Errorf("the log: %v", line)
	}
	h.forgot("ana@example.org").want(http.StatusAccepted)
	h.store.fail(errors.New("disk"))
	h.log.Reset()
	h.deliver()
	if line := h.logged(); line["err"] != "disk" || strings.Contains(h.log.String(), "example.org") {
		t.Errorf("the log: %v", line)
	}
}

// The outbox is for callers on this machine, by a name of this machine, without a proxy
// between, and what stands in a mail is text there.
func TestOutbox(t *testing.T) {
	h, box := postalHouse(t, func(o *Options) { o.Name = "<script>alert(1)</script>" })
	h.account("o'hara@example.org")
	h.forgot("o'hara@example.org").want(http.StatusAccepted)
	h.deliver()
	get := func(path, remote, host string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		r.RemoteAddr, r.Host = remote, host
		for i := 0; i < len(header); i += 2 {
			if header[i] == "HTTP" {
				r.Proto = header[i] + "/" + header[i+1]
				r.ProtoMajor, r.ProtoMinor, _ = http.ParseHTTPVersion(r.Proto)
				continue
			}
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.server.ServeHTTP(w, r)
		return w
	}
	for _, from := range [][2]string{{"127.0.0.1:4000", "localhost:8000"}, {"[::1]:4000", "[::1]:8000"}, {"127.0.0.1:4000", "127.0.0.1"}} {
		page := get("/debug/outbox", from[0], from[1])
		body := page.Body.String()
		if page.Code != http.StatusOK || strings.Contains(body, "<script") || !strings.Contains(body, "o&#39;hara@example.org") ||
			!strings.Contains(body, "&lt;script&gt;") || !strings.Contains(body, mailed(t, box, "o'hara@example.org", "reset")) ||
			!strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") || !strings.Contains(page.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("the page: %d %v %s", page.Code, page.Header(), body)
		}
		list := get("/api/debug/outbox.json", from[0], from[1])
		if got := list.Body.Bytes(); list.Code != http.StatusOK || !bytes.Contains(got, []byte(`"to":"o'hara@example.org"`)) || bytes.Contains(got, []byte("<script")) {
			t.Errorf("the list: %d %s", list.Code, got)
		}
	}
	for name, c := range map[string][]string{
		"another machine":     {"192.0.2.1:4000", "localhost"},
		"a foreign name":      {"127.0.0.1:4000", "evil.example"},
		"a name that ends so": {"127.0.0.1:4000", "localhost.evil.example"},
		"a proxy":             {"127.0.0.1:4000", "localhost", "X-Forwarded-For", "192.0.2.1"},
		"a proxy's own word":  {"127.0.0.1:4000", "localhost", "X-Forwarded-For", "127.0.0.1"},
		"a modern proxy":      {"127.0.0.1:4000", "localhost", "Forwarded", "for=192.0.2.1"},
		"another proxy":       {"127.0.0.1:4000", "localhost", "X-Real-Ip", "192.0.2.1"},
		"a proxy by a port":   {"127.0.0.1:4000", "localhost", "X-Forwarded-Port", "443"},
		"a cloud's proxy":     {"127.0.0.1:4000", "localhost", "CF-Connecting-IP", "192.0.2.1"},
		"nginx as it comes":   {"127.0.0.1:4000", "localhost:8000", "HTTP", "1.0"},
		"no address":          {"@", "localhost"},
	} {
		for _, path := range []string{"/debug/outbox", "/debug/outbox.json"} {
			if w := get(path, c[0], c[1], c[2:]...); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "hara") {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
		}
	}
}
