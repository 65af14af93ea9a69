package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
)

// tally is a limiter whose time stands still: each key has its burst and no more.
type tally struct {
	mu   sync.Mutex
	seen map[string]int
	down error
}

func (t *tally) Allow(_ context.Context, key string, r Rate) (Verdict, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.down != nil {
		return Verdict{}, t.down
	}
	if t.seen == nil {
		t.seen = map[string]int{}
	}
	t.seen[key]++
	v := Verdict{Allowed: t.seen[key] <= r.Burst, ResetAfter: 61500 * time.Millisecond}
	if v.Remaining = max(0, r.Burst-t.seen[key]); !v.Allowed {
		v.RetryAfter = 2300 * time.Millisecond
	}
	return v, nil
}

// limitedHouse builds a house with small rates.
func limitedHouse(t *testing.T) (*house, *tally) {
	l := &tally{}
	few := func(n int) Rate { return Rate{Count: n, Per: time.Minute, Burst: n} }
	return newHouse(t, func(o *Options) {
		o.Limiter, o.TrustedProxies = l, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} // httptest's client
		o.Rates = Rates{Joins: few(3), Logins: few(9), LoginsHere: few(2), LoginsAnywhere: few(4), Handshakes: few(2)}
		o.AccountRates = AccountRates{Refreshes: few(3), Letters: few(6), LettersTo: few(2), MailTokens: few(3), PasswordChecks: few(2)}
	}), l
}

// tooFast checks a refusal that says how long to wait.
func (r reply) tooFast() {
	r.Helper()
	e := r.refusal(http.StatusTooManyRequests, "rate_limited")
	if r.header.Get("Retry-After") != "3" || !strings.HasSuffix(e.Detail, "try again in 3 seconds") {
		r.Errorf("Retry-After %q with %q", r.header.Get("Retry-After"), e.Detail)
	}
}

// Guests and accounts come out of one share of their address; neither invalid requests
// nor invented X-Forwarded-For entries change the count, another address has its own.
func TestJoinsAreBounded(t *testing.T) {
	h, _ := limitedHouse(t)
	from := func(forwarded string) (string, string) { return "X-Forwarded-For", forwarded }
	guest := func(forwarded string) reply {
		k, v := from(forwarded)
		return h.do("POST", "/auth/guest", `{}`, k, v)
	}
	for range 5 {
		h.do("POST", "/auth/guest", `{"name":7}`, "X-Forwarded-For", "198.51.100.1").invalid("name")
	}
	guest("198.51.100.1").want(http.StatusOK)
	guest("10.9.8.7, 198.51.100.1").want(http.StatusOK)
	h.do("POST", "/auth/register", `{"email":"ana@example.org","password":"good enough"}`, "X-Forwarded-For", "198.51.100.1").
		want(http.StatusCreated)
	hashed := h.passwords.hashed
	for i := range 5 {
		guest(fmt.Sprintf("10.0.0.%d, 198.51.100.1", i)).tooFast()
	}
	h.do("POST", "/auth/register", `{"email":"bo@example.org","password":"good enough"}`, "X-Forwarded-For", "198.51.100.1").tooFast()
	if h.passwords.hashed != hashed {
		t.Error("a refused sign-up was hashed")
	}
	guest("198.51.100.2").want(http.StatusOK)

	for i := range 4 { // one customer's IPv6 network
		r := guest(fmt.Sprintf("2001:db8:1:2:%x::1", i))
		if want := http.StatusOK; i < 3 {
			r.want(want)
		} else {
			r.tooFast()
		}
	}
	guest("2001:db8:1:3::1").want(http.StatusOK)
}

// Guessing at one account is slow from one address, and bounded from many; an account
// that does not exist is no different, and the right password buys no further guess.
func TestLoginsAreBounded(t *testing.T) {
	h, l := limitedHouse(t)
	h.do("POST", "/auth/register", `{"email":"ana@example.org","password":"good enough"}`).want(http.StatusCreated)
	try := func(email, from string) reply {
		return h.do("POST", "/auth/login", url.Values{"username": {email}, "password": {"wrong"}}, "X-Forwarded-For", from)
	}
	for _, email := range []string{"ana@example.org", "nobody@example.org"} {
		try(email, "198.51.100.1").refusal(http.StatusUnauthorized, "unauthorized")
		try(strings.ToUpper(email), "198.51.100.1").refusal(http.StatusUnauthorized, "unauthorized")
		try(email, "198.51.100.1").tooFast()
		try(email, "198.51.100.2").want(http.StatusUnauthorized)
		try(email, "198.51.100.3").want(http.StatusUnauthorized)
		try(email, "198.51.100.4").tooFast()
	}
	for range 3 {
		try("not an address", "198.51.100.1").want(http.StatusUnauthorized)
	}
	try("not an address", "198.51.100.1").tooFast() // ten from there by now
	for key := range l.seen {
		if strings.Contains(key, "example.org") {
			t.Errorf("the limiter knows an address: %s", key)
		}
	}
}

// One account's sockets are bounded together, by ticket and by token.
func TestHandshakesAreBounded(t *testing.T) {
	few := Rate{Count: 2, Per: time.Minute, Burst: 2}
	h := newSocketHouse(t, newLesson(), func(o *Options) { o.Limiter, o.Rates.Handshakes = &tally{}, few })
	p, _ := h.open(withTicket(h.ticket(nil)))
	p.text(`{"type":"session.end"}`)
	p.closed(1000, "normal")
	h.settle()
	bearer := handshake{query: "profile_id=" + h.profile, protocols: []string{wire.Subprotocol},
		header: http.Header{"Authorization": {"Bearer " + h.access}}}
	p, _ = h.open(bearer)
	defer p.ws.Close(websocket.StatusNormalClosure, "")
	_, resp, err := h.dial(bearer)
	if err == nil || resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "3" {
		t.Errorf("a third socket: %v", err)
	}
	h.as(h.access, "POST", "/v1/voice/tickets", map[string]string{"profile_id": h.profile}).tooFast()
	other, _ := h.account("bo@example.org")
	h.as(other, "POST", "/v1/voice/tickets", map[string]string{"profile_id": h.profileOf(other, "es")}).want(http.StatusCreated)
}

// Without a limiter, with one that does not answer, and with a rate that is off,
// everybody is let in. With the defaults, so are two hundred who come at once.
func TestRatesThatRefuseNobody(t *testing.T) {
	off := Rate{Count: -1}
	for name, change := range map[string]func(*Options){
		"no limiter":     func(*Options) {},
		"a limiter away": func(o *Options) { o.Limiter = &tally{down: errors.New("redis is away")} },
		"off":            func(o *Options) { o.Limiter, o.Rates.Joins = &tally{}, off },
		"the defaults":   func(o *Options) { o.Limiter = &tally{} },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, change)
			for range 200 {
				h.do("POST", "/auth/guest", `{}`).want(http.StatusOK)
			}
		})
	}
}

func TestAddressKey(t *testing.T) {
	for ip, want := range map[string]string{
		"198.51.100.1":          "198.51.100.1",
		"::ffff:198.51.100.1":   "198.51.100.1",
		"2001:db8:1:2:3:4:5:6":  "2001:db8:1:2::/64",
		"fe80::1%eth0":          "fe80::/64",
		"":                      "unknown",
		"198.51.100.1, 1.2.3.4": "unknown",
	} {
		if got := addressKey(ip); got != want {
			t.Errorf("addressKey(%q) = %q, want %q", ip, got, want)
		}
	}
	if keys := []string{addressKey("::1"), addressKey("127.0.0.1")}; slices.Contains(keys, "unknown") {
		t.Errorf("loopback counts as %v", keys)
	}
}
