package gateway

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

// caller is who a request comes from, verified.
type caller struct {
	user     learn.User
	tenantID string
	// expiresAt is when the access token behind the request ends.
	expiresAt time.Time
}

// authenticated runs h for callers with a valid access token, and answers 401 to others.
func (s *Server) authenticated(h func(c echo.Context, who caller) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		raw, err := bearerToken(c.Request())
		var who caller
		if err == nil {
			who, err = s.identify(c.Request().Context(), raw)
		}
		if err != nil {
			return s.refuseStranger(c, err)
		}
		c.Set(keyUserID, who.user.ID)
		return h(c, who)
	}
}

// identify says whose access token this is. Errors: Unauthorised when the token is
// forged or expired, when its user is gone, or when the user's sessions have been
// ended since it was issued; else what the store said.
func (s *Server) identify(ctx context.Context, accessToken string) (caller, error) {
	const op = "gateway.identify"
	refused := func(err error) error {
		return &learn.Error{Kind: learn.Unauthorised, Msg: "Could not validate credentials", Op: op, Err: err}
	}
	a, err := s.opts.Tokens.Verify(accessToken, time.Now())
	if err != nil {
		return caller{}, refused(err)
	}
	u, err := s.opts.Users.UserByID(ctx, a.UserID)
	if err != nil {
		if learn.KindOf(err) == learn.NotFound {
			return caller{}, refused(err)
		}
		return caller{}, err
	}
	if u.TokenVersion != a.Version {
		return caller{}, refused(nil)
	}
	return caller{user: u, tenantID: a.TenantID, expiresAt: a.ExpiresAt}, nil
}

// bearerToken takes the access token out of the Authorization header. It is looked for
// nowhere else: what stands in a URL ends in access logs.
func bearerToken(r *http.Request) (string, error) {
	const op = "gateway.bearerToken"
	values := r.Header.Values(echo.HeaderAuthorization)
	if len(values) == 0 || values[0] == "" {
		return "", learn.Errorf(learn.Unauthorised, op, "Not authenticated")
	}
	scheme, raw, _ := strings.Cut(values[0], " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return "", learn.Errorf(learn.Unauthorised, op, "Not authenticated")
	}
	return strings.TrimLeft(raw, " "), nil
}
