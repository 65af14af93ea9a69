package gateway

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/gateway/token"
	"kalami/session"
	"kalami/session/learn"
)

// Rate is how often something may happen: Count times in each Per, evenly, of which
// Burst may come at once.
type Rate struct {
	Count int
	Per   time.Duration
	Burst int
}

// Rates bound what costs this server work or money and is open to anybody, or to one
// account again and again. A zero field means its default; a negative Count, no bound.
//
// Callers who have not signed in are bound by their address, which for IPv6 is the /64
// network that one customer has. A school sits behind one address, so these bursts let
// some hundred learners begin at once. Loopback is an address like any other: to exempt
// it would switch the bounds off behind a proxy on the same machine. Behind proxies,
// set [Options.TrustedProxies], or all their clients share one address.
type Rates struct {
	// Joins are new accounts and guests of one address: 30 a minute, 300 at once.
	Joins Rate
	// Logins are sign-ins tried from one address: 60 a minute, 300 at once.
	Logins Rate
	// LoginsHere are sign-ins to one account tried from one address: 10 a minute, 10 at once.
	LoginsHere Rate
	// LoginsAnywhere are sign-ins to one account tried from everywhere: 60 a minute, 60 at
	// once. It is wide so that strangers can hardly keep the owner out, and
	// nobody is ever locked out for longer than the pace itself.
	LoginsAnywhere Rate
	// Handshakes are the voice sockets that one account opens, with a ticket (counted
	// when it is sold) or an access token: 10 a minute, 10 at once.
	Handshakes Rate
	// Reading, Writing and Speaking are the calls of one account, by what they cost: 600
	// a minute and 120 at once, 240 and 60, 30 and 20. A phone that polls needs a tenth.
	Reading, Writing, Speaking Rate
	// GuestSpeaking is Speaking of somebody who has not signed up, for whom vendors are
	// paid all the same: 10 a minute, 10 at once.
	GuestSpeaking Rate
	// Open are calls that need no account, of one address: 600 a minute, 300 at once.
	// Those that have rates of their own above are not among them.
	Open Rate
	// Strangers are calls without a valid token of one address, where one is needed: 120
	// a minute, 300 at once. Tokens that have only expired are not counted.
	Strangers Rate
}

func (r Rates) withDefaults() Rates {
	aMinute := func(count, burst int) Rate { return Rate{Count: count, Per: time.Minute, Burst: burst} }
	return Rates{
		Joins:          cmp.Or(r.Joins, aMinute(30, 300)),
		Logins:         cmp.Or(r.Logins, aMinute(60, 300)),
		LoginsHere:     cmp.Or(r.LoginsHere, aMinute(10, 10)),
		LoginsAnywhere: cmp.Or(r.LoginsAnywhere, aMinute(60, 60)),
		Handshakes:     cmp.Or(r.Handshakes, aMinute(10, 10)),
		Reading:        cmp.Or(r.Reading, aMinute(600, 120)),
		Writing:        cmp.Or(r.Writing, aMinute(240, 60)),
		Speaking:       cmp.Or(r.Speaking, aMinute(30, 20)),
		GuestSpeaking:  cmp.Or(r.GuestSpeaking, aMinute(10, 10)),
		Open:           cmp.Or(r.Open, aMinute(600, 300)),
		Strangers:      cmp.Or(r.Strangers, aMinute(120, 300)),
	}
}

// allow counts one event under key, or refuses it with the time to wait; what is the
// refusal's beginning. The answer's headers tell either way how much is left. A limiter
// that does not answer refuses nobody: learners are let in while live state is away.
func (s *Server) allow(c echo.Context, key string, r Rate, what string) error {
	v, err := s.count(c.Request().Context(), requestID(c), key, r, what)
	if v != nil {
		tellRate(c.Response().Header(), r, *v)
	}
	return err
}

// count is allow for what is no request of its own; id names it in the log. The verdict
// is nil when there is none.
func (s *Server) count(ctx context.Context, id, key string, r Rate, what string) (*Verdict, error) {
	if s.opts.Limiter == nil || r.Count < 0 {
		return nil, nil
	}
	v, err := s.opts.Limiter.Allow(ctx, key, r)
	if err != nil {
		s.log.Warn("a rate could not be checked", "request_id", id, "err", err)
		return nil, nil
	}
	if v.Allowed {
		return &v, nil
	}
	wait := max(v.RetryAfter, time.Second)
	return &v, &apiError{code: string(session.RateLimited), retryAfter: wait,
		err: learn.Errorf(learn.TooMany, "gateway.allow", "%s, try again in %d seconds", what, wholeSeconds(wait))}
}

// Headers of rates, as the first drafts of the IETF's RateLimit fields name them and
// most clients know them. Reset is in seconds from now.
const (
	headerRateLimit     = "RateLimit-Limit"
	headerRateRemaining = "RateLimit-Remaining"
	headerRateReset     = "RateLimit-Reset"
)

// tellRate writes how much of a rate is left. Where several hold for one request, the
// answer tells of the one that is used up first.
func tellRate(h http.Header, r Rate, v Verdict) {
	if told := h.Get(headerRateRemaining); told != "" {
		if n, err := strconv.Atoi(told); err == nil && n <= v.Remaining && v.Allowed {
			return
		}
	}
	h.Set(headerRateLimit, strconv.Itoa(max(r.Burst, 1)))
	h.Set(headerRateRemaining, strconv.Itoa(v.Remaining))
	h.Set(headerRateReset, strconv.Itoa(wholeSeconds(v.ResetAfter)))
}

// wholeSeconds rounds up: who comes a little late is let in.
func wholeSeconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// allowJoin counts a new account of the request's address.
func (s *Server) allowJoin(c echo.Context) error {
	return s.allow(c, "join:"+addressKey(c.RealIP()), s.opts.Rates.Joins, "Too many people sign up from your network")
}

// allowLogin counts a sign-in to email, which is empty when no account can have it. The
// same bounds hold whether there is such an account or not.
func (s *Server) allowLogin(c echo.Context, email string) error {
	const what = "Too many attempts to sign in"
	from := addressKey(c.RealIP())
	if err := s.allow(c, "login:"+from, s.opts.Rates.Logins, what); err != nil || email == "" {
		return err
	}
	account := token.Hash(strings.ToLower(email)) // live state holds no addresses
	if err := s.allow(c, "login:"+account+":"+from, s.opts.Rates.LoginsHere, what); err != nil {
		return err
	}
	return s.allow(c, "login:"+account, s.opts.Rates.LoginsAnywhere, what)
}

// allowHandshake counts a voice socket of a user.
func (s *Server) allowHandshake(c echo.Context, userID string) error {
	return s.allow(c, "handshake:"+userID, s.opts.Rates.Handshakes, "You begin conversations too fast")
}

// paceLearner counts a call of an account by the route's class.
func (s *Server) paceLearner(c echo.Context, class rateClass, u learn.User) error {
	rates := s.opts.Rates
	switch class {
	case reading:
		return s.allow(c, "reading:"+u.ID, rates.Reading, "You ask too often")
	case writing:
		return s.allow(c, "writing:"+u.ID, rates.Writing, "You change things too often")
	case speaking:
		key, rate, what := s.speakingRate(u)
		return s.allow(c, key, rate, what)
	case unpaced, describes:
	}
	return nil
}

// speakingRate is how often an account may make vendors work, by whatever route.
func (s *Server) speakingRate(u learn.User) (key string, r Rate, what string) {
	r = s.opts.Rates.Speaking
	if u.Guest {
		r = s.opts.Rates.GuestSpeaking
	}
	return "speaking:" + u.ID, r, "You speak faster than the tutor can listen"
}

// paceOpen counts a call of somebody unknown.
func (s *Server) paceOpen(c echo.Context, class rateClass) error {
	if class == unpaced || class == describes {
		return nil
	}
	return s.allow(c, "open:"+addressKey(c.RealIP()), s.opts.Rates.Open, "Too many requests from your network")
}

// refuseStranger passes on why a caller is not known, or says that there were too many
// such calls from this address. Somebody whose token was good once is no stranger.
func (s *Server) refuseStranger(c echo.Context, err error) error {
	if learn.KindOf(err) != learn.Unauthorised || errors.Is(err, token.ErrExpired) {
		return err
	}
	return cmp.Or(s.allow(c, "stranger:"+addressKey(c.RealIP()), s.opts.Rates.Strangers,
		"Too many requests without a valid token from your network"), err)
}

// addressKey is what an address counts as: itself, or for IPv6 its /64 network.
func addressKey(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return "unknown"
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		return netip.PrefixFrom(addr, 64).Masked().String()
	}
	return addr.String()
}
