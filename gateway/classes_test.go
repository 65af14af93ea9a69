package gateway

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
)

// pacedHouse has a route of each class for learners and one that is open, and rates of
// one to four calls, so that each answer tells which rate it was counted by.
func pacedHouse(t *testing.T, change ...func(*Options)) *house {
	few := func(n int) Rate { return Rate{Count: n, Per: time.Minute, Burst: n} }
	h := newHouse(t, append([]func(*Options){func(o *Options) {
		o.Limiter = &tally{}
		o.Rates = Rates{Reading: few(4), Writing: few(3), Speaking: few(2), GuestSpeaking: few(1), Open: few(5), Strangers: few(6)}
	}}, change...)...)
	answer := func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }
	for name, class := range map[string]rateClass{"unpaced": unpaced, "static": describes, "read": reading, "write": writing, "speak": speaking} {
		h.server.handleLearner(operation{method: http.MethodPost, path: "/test/" + name, class: class},
			func(c echo.Context, _ caller) error { return answer(c) })
	}
	h.server.handle(operation{method: http.MethodPost, path: "/test/open", class: writing}, answer)
	return h
}

// rate returns the three headers, space-separated; "" when there is none.
func (r reply) rate() string {
	return strings.TrimSpace(strings.Join([]string{
		r.header.Get("RateLimit-Limit"), r.header.Get("RateLimit-Remaining"), r.header.Get("RateLimit-Reset")}, " "))
}

// Each class has its own share of each account, every answer tells how much is left,
// and what is refused is not done.
func TestClassesOfCalls(t *testing.T) {
	h := pacedHouse(t)
	ana, _ := h.account("ana@example.org")
	bo, _ := h.account("bo@example.org")
	for path, want := range map[string][]string{
		"/test/read": {"4 3 62", "4 2 62", "4 1 62", "4 0 62"}, "/api/test/write": {"3 2 62", "3 1 62", "3 0 62"}, "/test/speak": {"2 1 62", "2 0 62"},
	} {
		for _, access := range []string{ana, bo} {
			for _, rate := range want {
				if r := h.as(access, "POST", path, nil).want(http.StatusNoContent); r.rate() != rate {
					t.Errorf("%s: %q, want %q", path, r.rate(), rate)
				}
			}
			r := h.as(access, "POST", path, nil)
			r.tooFast()
			if last := want[len(want)-1]; r.rate() != last {
				t.Errorf("%s refused: %q, want %q", path, r.rate(), last)
			}
		}
	}
	for _, path := range []string{"/test/unpaced", "/test/static", "/livez", "/languages"} {
		method := http.MethodPost
		if !strings.HasPrefix(path, "/test") {
			method = http.MethodGet
		}
		for range 10 {
			if r := h.as(ana, method, path, nil); r.code >= http.StatusBadRequest || r.rate() != "" {
				t.Errorf("%s: %d, %q", path, r.code, r.rate())
			}
		}
	}
}

// A guest's speech costs as much as anybody's and is worth less.
func TestGuestsSpeakLess(t *testing.T) {
	h := pacedHouse(t)
	guest := h.do("POST", "/auth/guest", `{}`).want(http.StatusOK).json()["access_token"].(string)
	if r := h.as(guest, "POST", "/test/speak", nil).want(http.StatusNoContent); r.rate() != "1 0 62" {
		t.Error(r.rate())
	}
	h.as(guest, "POST", "/test/speak", nil).tooFast()
	h.as(guest, "POST", "/test/write", nil).want(http.StatusNoContent)
}

// Open routes count by address, and so do calls with tokens that were never good;
// whoever has a good one is not held up by them, nor by an old one of their own.
func TestBadTokensAreBounded(t *testing.T) {
	h := pacedHouse(t)
	ana, _ := h.account("ana@example.org")
	for range 5 {
		h.do("POST", "/test/open", nil).want(http.StatusNoContent)
	}
	h.do("POST", "/test/open", nil).tooFast()

	expired, _, err := h.options.Tokens.Issue("u1", "t1", 0, time.Now().Add(-2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if r := h.as(expired, "POST", "/test/read", nil); r.rate() != "" {
			t.Errorf("an expired token counts: %q", r.rate())
		} else {
			r.refusal(http.StatusUnauthorized, "unauthorized")
		}
	}
	for i := range 3 {
		h.do("POST", "/test/read", nil).refusal(http.StatusUnauthorized, "unauthorized")
		r := h.as("x.y.z", "GET", "/auth/me", nil)
		r.refusal(http.StatusUnauthorized, "unauthorized")
		if want := "6 " + string(rune('4'-2*i)) + " 62"; r.rate() != want {
			t.Errorf("%q, want %q", r.rate(), want)
		}
	}
	h.as("x.y.z", "GET", "/auth/me", nil).tooFast()
	h.do("POST", "/test/read", nil).tooFast()
	h.as(ana, "GET", "/auth/me", nil).want(http.StatusOK)
}

// Where two rates hold, the headers tell of the one that ends first.
func TestTightestRateIsTold(t *testing.T) {
	h, _ := limitedHouse(t) // nine sign-ins of an address, two here and four anywhere of an account
	r := h.do("POST", "/auth/login", "username=ana@example.org&password=x", echo.HeaderContentType, echo.MIMEApplicationForm)
	if r.want(http.StatusUnauthorized).rate() != "2 1 62" {
		t.Error(r.rate())
	}
}

// No account has more than four calls to vendors under way, whatever their pace; another
// account is not concerned, and a call that ended makes room.
func TestSpeakingAtOnce(t *testing.T) {
	h := newHouse(t)
	begun, end := make(chan struct{}), make(chan struct{})
	h.server.handleLearner(operation{method: http.MethodPost, path: "/test/slow", class: speaking},
		func(c echo.Context, _ caller) error {
			begun <- struct{}{}
			<-end
			return c.NoContent(http.StatusNoContent)
		})
	ana, _ := h.account("ana@example.org")
	bo, _ := h.account("bo@example.org")
	var calls sync.WaitGroup
	call := func(access string) {
		calls.Go(func() {
			if r := h.as(access, "POST", "/test/slow", nil); r.code != http.StatusNoContent {
				t.Errorf("answered %d: %s", r.code, r.body)
			}
		})
		<-begun
	}
	for range maxSpeaking {
		call(ana)
	}
	r := h.as(ana, "POST", "/test/slow", nil)
	if r.refusal(http.StatusTooManyRequests, "too_many_at_once"); r.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
	}
	call(bo)
	end <- struct{}{}
	for range maxSpeaking {
		end <- struct{}{}
	}
	calls.Wait()
	call(ana)
	end <- struct{}{}
	calls.Wait()
	if left := len(h.server.speaking.calls); left != 0 {
		t.Errorf("%d accounts are still counted", left)
	}
}
