package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/gateway/token"
	"kalami/session/learn"
)

// signInRoutes registers signing a learner in, keeping one signed in, and letting one out.
func (s *Server) signInRoutes() {
	tokens := []success{{status: http.StatusOK, bodies: []content{{shape: tokenJSON{}}}}}
	s.handle(operation{
		method: http.MethodPost, path: "/auth/login", id: "login", tag: "accounts", class: unpaced,
		summary: "Sign in",
		about:   "A form, as OAuth 2 has it: `username` is the e-mail address.",
		takes:   []content{{mediaType: echo.MIMEApplicationForm, shape: loginRequest{}}, {mediaType: echo.MIMEMultipartForm, shape: loginRequest{}}},
		gives:   tokens,
		fails: []failure{{http.StatusUnauthorized, "Address or password is wrong."},
			{http.StatusForbidden, "Both are right, and the address must be verified first (`email_not_verified`)."}},
	}, s.login)
	s.handle(operation{
		method: http.MethodPost, path: "/auth/refresh", id: "refresh", tag: "accounts", class: unpaced,
		summary: "Get new tokens for a refresh token",
		about: "A refresh token is good once; the answer carries the next one. When the answer was lost, the same token may be " +
			"sent again within ten seconds and is answered with the same next one. A used token that comes later was " +
			"stolen from somebody: then all that came of that sign-in ends, for both of them.",
		takes: []content{{shape: refreshRequest{}}}, gives: tokens,
		fails: []failure{{http.StatusUnauthorized, "The refresh token is unknown, used, or has ended: sign in again."}},
	}, s.refresh)
	s.handle(operation{
		method: http.MethodPost, path: "/auth/logout", id: "logout", tag: "accounts", class: unpaced,
		summary: "Sign out here",
		about: "Ends what came of one sign-in. The answer is the same whether there was anything to end. The access token " +
			"is good until it ends; throw it away.",
		takes: []content{{shape: refreshRequest{}}}, gives: []success{{status: http.StatusNoContent}},
	}, s.logout)
	s.handleLearner(operation{
		method: http.MethodPost, path: "/auth/logout-all", id: "logoutEverywhere", tag: "accounts", class: writing,
		summary: "Sign out everywhere",
		about:   "Ends every sign-in of the caller at once: access tokens, refresh tokens, tickets and open conversations.",
		gives:   []success{{status: http.StatusNoContent}},
	}, s.logoutAll)
}

// loginRequest is the form of POST /auth/login.
type loginRequest struct {
	Username string `json:"username" required:"true" doc:"The e-mail address." example:"ana@example.org"`
	Password string `json:"password" required:"true" example:"a good long one"`
	DeviceID string `json:"device_id,omitempty" doc:"What the client calls its device." example:"phone-1"`
}

// refreshRequest is the body of POST /auth/refresh and /auth/logout.
type refreshRequest struct {
	RefreshToken *string `json:"refresh_token" required:"true" example:"kf_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`
}

// tokenJSON answers whoever has signed in.
type tokenJSON struct {
	AccessToken      string   `json:"access_token" doc:"A JWT, for the Authorization header."`
	TokenType        string   `json:"token_type" enum:"bearer"`
	ExpiresIn        int      `json:"expires_in" doc:"Of the access token, in seconds." example:"1800"`
	RefreshToken     string   `json:"refresh_token" doc:"Good once, for new tokens." example:"kf_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`
	RefreshExpiresIn int      `json:"refresh_expires_in" doc:"Of the refresh token, in seconds." example:"2592000"`
	User             userJSON `json:"user"`
}

// login answers POST /auth/login. It says the same, after the same work, whether the
// account is unknown or the password wrong.
func (s *Server) login(c echo.Context) error {
	const op = "gateway.login"
	in, err := loginForm(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	var u learn.User
	email, ok := parseEmail(in.Username)
	if err := s.allowLogin(c, email); err != nil {
		return err
	}
	if ok {
		u, err = s.opts.Users.UserByEmail(ctx, email)
		if err != nil && learn.KindOf(err) != learn.NotFound {
			return err
		}
	}
	right, err := s.opts.Passwords.Verify(ctx, u.HashedPassword, in.Password)
	if err != nil {
		return err
	}
	if !right {
		return learn.Errorf(learn.Unauthorised, op, "Invalid email or password")
	}
	if s.opts.Passwords.NeedsRehash(u.HashedPassword) {
		if err := s.rehash(ctx, u, in.Password); err != nil {
			return err
		}
	}
	if s.opts.VerifyEmail == VerifyRequired && !u.EmailVerified {
		return &apiError{code: "email_not_verified",
			err: learn.Errorf(learn.Forbidden, op, "Verify your e-mail address first: open the link that was mailed to you")}
	}
	return s.signIn(c, u, in.DeviceID)
}

// loginForm reads the fields of a form, url-encoded or multipart. Only the body
// counts: credentials in a URL would end in access logs.
func loginForm(c echo.Context) (in loginRequest, err error) {
	const op = "gateway.loginForm"
	r := c.Request()
	if strings.HasPrefix(r.Header.Get(echo.HeaderContentType), echo.MIMEMultipartForm) {
		err = r.ParseMultipartForm(maxBody)
		if r.MultipartForm != nil {
			defer func() { err = errors.Join(err, r.MultipartForm.RemoveAll()) }()
		}
	} else {
		err = r.ParseForm()
	}
	if err != nil {
		return in, readError(op, err)
	}
	var f faults
	in.Username, in.Password = strings.TrimSpace(r.PostForm.Get("username")), r.PostForm.Get("password")
	in.DeviceID = f.text("device_id", r.PostForm.Get("device_id"), maxDevice)
	if in.Username == "" {
		f.add("username", "is required, in a form-encoded body")
	}
	if in.Password == "" {
		f.add("password", "is required, in a form-encoded body")
	}
	return in, f.err(op)
}

// rehash stores the password again at today's costs. Being too busy for it just now is
// no reason to refuse a login: the next one will do it.
func (s *Server) rehash(ctx context.Context, u learn.User, password string) error {
	hash, err := s.opts.Passwords.Hash(ctx, password)
	if learn.KindOf(err) == learn.TooMany {
		return nil
	}
	if err != nil {
		return err
	}
	return s.opts.Users.Rehash(ctx, u.ID, u.HashedPassword, hash)
}

// signIn begins a family of refresh tokens and answers with its first. New tokens are
// for the personal tenant.
func (s *Server) signIn(c echo.Context, u learn.User, deviceID string) error {
	const op = "gateway.signIn"
	raw, until := token.NewRefresh(), time.Now().Add(s.opts.RefreshLifetime)
	err := s.opts.RefreshTokens.StartFamily(c.Request().Context(), learn.RefreshToken{
		TenantID: learn.PersonalTenant, UserID: u.ID, TokenVersion: u.TokenVersion,
		DeviceID: deviceID, Hash: token.Hash(raw), ExpiresAt: until,
	})
	if err != nil && learn.KindOf(err) == learn.NotFound { // erased meanwhile
		return learn.Errorf(learn.Unauthorised, op, "Invalid email or password")
	}
	if err != nil {
		return err
	}
	return s.giveTokens(c, u, raw, until)
}

// giveTokens answers with a fresh access token beside a refresh token.
func (s *Server) giveTokens(c echo.Context, u learn.User, refresh string, until time.Time) error {
	now := time.Now()
	access, _, err := s.opts.Tokens.Issue(u.ID, learn.PersonalTenant, u.TokenVersion, now)
	if err != nil {
		return err
	}
	c.Set(keyUserID, u.ID)
	return c.JSON(http.StatusOK, tokenJSON{
		AccessToken: access, TokenType: "bearer", ExpiresIn: int(s.opts.Tokens.Lifetime().Seconds()),
		RefreshToken: refresh, RefreshExpiresIn: max(0, int(until.Sub(now).Round(time.Second).Seconds())),
		User: showUser(u),
	})
}

// refreshToken reads the body of a request that shows a refresh token, and counts it.
func (s *Server) refreshToken(c echo.Context) (string, error) {
	var in refreshRequest
	if err := decodeJSON(c, &in); err != nil {
		return "", err
	}
	var f faults
	raw := f.required("refresh_token", in.RefreshToken)
	if err := f.err("gateway.refreshToken"); err != nil {
		return "", err
	}
	return raw, s.allowRefresh(c)
}

// refresh answers POST /auth/refresh.
func (s *Server) refresh(c echo.Context) error {
	refused := &apiError{code: "invalid_refresh_token",
		err: learn.Errorf(learn.Unauthorised, "gateway.refresh", "Sign in again: this refresh token is not valid any more")}
	raw, err := s.refreshToken(c)
	if err != nil {
		return err
	}
	if !token.IsRefresh(raw) {
		return refused
	}
	next := s.opts.Tokens.NextRefresh(raw)
	done, err := s.opts.RefreshTokens.Rotate(c.Request().Context(), learn.Rotation{
		TenantID: learn.PersonalTenant, Hash: token.Hash(raw), NextHash: token.Hash(next), Lifetime: s.opts.RefreshLifetime,
	})
	if err != nil {
		return err
	}
	switch done.Outcome {
	case learn.Replaced:
	case learn.Repeated: // perhaps stored by a node with the key before
		var ok bool
		if next, ok = s.opts.Tokens.RefreshWithHash(raw, done.NextHash); !ok {
			return refused
		}
	case learn.Reused: // the answer is the same, so that a thief learns nothing
		s.log.Warn("a used refresh token was shown again; its family is revoked", "request_id", requestID(c), "user_id", done.User.ID)
		s.endSockets(c.Request().Context(), done.User.ID)
		return refused
	default:
		return refused
	}
	return s.giveTokens(c, done.User, next, done.ExpiresAt)
}

// logout answers POST /auth/logout.
func (s *Server) logout(c echo.Context) error {
	raw, err := s.refreshToken(c)
	if err != nil {
		return err
	}
	if token.IsRefresh(raw) {
		userID, err := s.opts.RefreshTokens.EndFamily(c.Request().Context(), learn.PersonalTenant, token.Hash(raw))
		if err != nil {
			return err
		}
		c.Set(keyUserID, userID)
	}
	return c.NoContent(http.StatusNoContent)
}

// logoutAll answers POST /auth/logout-all.
func (s *Server) logoutAll(c echo.Context, who caller) error {
	if err := s.opts.Users.EndSessions(c.Request().Context(), who.user.ID); err != nil {
		return err
	}
	s.endSockets(c.Request().Context(), who.user.ID)
	return c.NoContent(http.StatusNoContent)
}

// endSockets ends the open conversations of a user whose sessions have been ended, on
// every node. The store knows about it already, so a node that is not told refuses the
// user's tokens all the same, and lets a conversation that is open go on.
func (s *Server) endSockets(ctx context.Context, userID string) {
	s.voice.endUser(userID)
	if s.opts.Nodes == nil {
		return
	}
	// Also when the client has gone: what is stored must be told.
	if err := s.opts.Nodes.Publish(context.WithoutCancel(ctx), topicSessionsEnded, userID); err != nil {
		s.log.Warn("other nodes were not told of ended sessions", "user_id", userID, "err", err)
	}
}

// topicSessionsEnded carries the ids of users whose sessions have been ended.
const topicSessionsEnded = "sessions-ended"

// FollowNodes ends the conversations of users whose sessions were ended on another
// node. It blocks until ctx ends, and returns nil then and without Nodes in the options.
func (s *Server) FollowNodes(ctx context.Context) error {
	if s.opts.Nodes == nil {
		return nil
	}
	return s.opts.Nodes.Subscribe(ctx, topicSessionsEnded, s.voice.endUser)
}
