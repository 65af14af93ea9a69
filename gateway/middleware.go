package gateway

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"kalami/session/learn"
)

// Names of what a request carries through the middleware.
const (
	keyRequestID = "request_id"
	keyUserID    = "user_id"
)

// withRequestID takes the client's or proxy's X-Request-ID when it is sane, else makes
// one, and repeats it in the answer.
func (s *Server) withRequestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(echo.HeaderXRequestID)
		if !saneID(id) {
			id = rand.Text()
		}
		c.Set(keyRequestID, id)
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		return next(c)
	}
}

func requestID(c echo.Context) string {
	id, _ := c.Get(keyRequestID).(string)
	return id
}

// saneID says whether an id from outside may be looked up and logged: 1 to 64 letters,
// digits, '-', '_' and '.'.
func saneID(id string) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	for _, b := range []byte(id) {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '-', b == '_', b == '.':
		default:
			return false
		}
	}
	return true
}

// logged answers errors and writes one line per request: no query strings, which may
// hold credentials, and no bodies, which hold what learners say. It is where errors are
// logged; nobody below it does.
func (s *Server) logged(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		err := next(c)
		if err != nil {
			s.renderError(err, c)
		}
		r, w := c.Request(), c.Response()
		attrs := []slog.Attr{
			slog.String("request_id", requestID(c)),
			slog.String("method", r.Method),
			slog.String("path", r.URL.Path),
			slog.Int("status", w.Status),
			slog.Int64("bytes", w.Size),
			slog.Duration("took", time.Since(start)),
			slog.String("ip", c.RealIP()),
		}
		if id, ok := c.Get(keyUserID).(string); ok {
			attrs = append(attrs, slog.String("user_id", id))
		}
		if err != nil {
			attrs = append(attrs, slog.Any("err", err))
		}
		s.log.LogAttrs(context.WithoutCancel(r.Context()), levelOf(c.Path(), w.Status), "http request", attrs...)
		return nil
	}
}

// levelOf keeps probes, which come every few seconds, out of an ordinary log.
func levelOf(route string, status int) slog.Level {
	switch {
	case status == http.StatusInternalServerError:
		return slog.LevelError
	case status > http.StatusInternalServerError:
		return slog.LevelWarn
	}
	switch route {
	case "/livez", "/readyz", "/startupz", "/health", "/api/livez", "/api/readyz", "/api/startupz", "/api/health":
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// recovered turns a handler's panic into a 500 of this request alone.
func (s *Server) recovered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler: //nolint:errorlint // net/http compares it with == as well
				panic(v)
			default:
				err = &learn.Error{Kind: learn.Internal, Op: "gateway", Err: fmt.Errorf("panic: %v\n%s", v, debug.Stack())}
			}
		}()
		return next(c)
	}
}

// withSecurityHeaders sets what holds for every answer; pages loosen the policy for
// themselves.
func (s *Server) withSecurityHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set(echo.HeaderXContentTypeOptions, "nosniff")
		h.Set(echo.HeaderReferrerPolicy, "no-referrer")
		h.Set(echo.HeaderXFrameOptions, "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set(echo.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
		h.Set(echo.HeaderCacheControl, "no-store")
		if s.proxies.secure(c.Request()) {
			h.Set(echo.HeaderStrictTransportSecurity, "max-age=31536000")
		}
		return next(c)
	}
}

// crossOrigin lets pages of the given origins call the API. Credentials are bearer
// tokens that such a page must hold itself; cookies are never used.
func crossOrigin(origins []string) echo.MiddlewareFunc {
	return middleware.CORSWithConfig(middleware.CORSConfig{
		AllowOrigins:  origins,
		AllowMethods:  []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodDelete},
		AllowHeaders:  []string{echo.HeaderAuthorization, echo.HeaderContentType, echo.HeaderXRequestID, "If-None-Match", echo.HeaderIfModifiedSince},
		ExposeHeaders: []string{echo.HeaderXRequestID, echo.HeaderRetryAfter, headerETag, headerRateLimit, headerRateRemaining, headerRateReset},
		MaxAge:        600, // seconds that a browser remembers the answer to a preflight
	})
}

// checkOrigin accepts an origin exactly as browsers write it, so that a comparison of
// strings decides: scheme, host, a port that is not the scheme's own, and nothing else.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" ||
		u.Scheme+"://"+u.Host != origin {
		return fmt.Errorf("allowed origin %q is not of the form https://host or http://host:port", origin)
	}
	for _, r := range u.Host {
		if r == '*' || r == '?' || r >= 0x80 || (r >= 'A' && r <= 'Z') {
			return fmt.Errorf("allowed origin %q: write the host in lower-case ASCII, without wildcards", origin)
		}
	}
	if p := u.Port(); (u.Scheme == "https" && p == "443") || (u.Scheme == "http" && p == "80") {
		return fmt.Errorf("allowed origin %q: browsers leave the usual port out", origin)
	}
	return nil
}
