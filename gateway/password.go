package gateway

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"kalami/gateway/token"
	"kalami/session/learn"
)

// Passwords hashes and verifies passwords, as [*token.Hasher] does and documents.
type Passwords interface {
	Hash(ctx context.Context, password string) (string, error)
	// Verify takes the same time for an empty phc, which is never right.
	Verify(ctx context.Context, phc, password string) (bool, error)
	NeedsRehash(phc string) bool
}

var _ Passwords = (*token.Hasher)(nil)

// passwordRoutes registers choosing another password, with the old one or without it.
func (s *Server) passwordRoutes() {
	s.handleLearner(operation{
		method: http.MethodPost, path: "/auth/password/change", id: "changePassword", tag: "accounts", class: unpaced,
		summary: "Choose another password",
		about:   "Ends every sign-in of the caller, and open conversations; the answer has tokens for a new one.",
		takes:   []content{{shape: passwordChangeRequest{}}},
		gives:   []success{{status: http.StatusOK, bodies: []content{{shape: tokenJSON{}}}}},
		fails: []failure{{http.StatusForbidden, "The present password is wrong (`wrong_password`)."},
			{http.StatusConflict, "It was changed somewhere else at the same time."}},
	}, s.changePassword)
	s.handle(operation{
		method: http.MethodPost, path: "/auth/password/forgot", id: "forgotPassword", tag: "accounts", class: unpaced,
		summary: "Have a link for a new password mailed",
		about:   "The answer is the same, after the same work, whether the address has an account or not.",
		takes:   []content{{shape: emailRequest{}}},
		gives:   []success{{status: http.StatusAccepted, bodies: []content{{shape: acceptedJSON{}}}}},
		fails:   []failure{mailMissing()},
	}, s.forgotPassword)
	s.handle(operation{
		method: http.MethodPost, path: "/auth/password/reset", id: "resetPassword", tag: "accounts", class: unpaced,
		summary: "Choose a new password with a mailed token",
		about:   "A token is good once, for ten minutes. Every sign-in of the account ends; sign in with the new password.",
		takes:   []content{{shape: passwordResetRequest{}}},
		gives:   []success{{status: http.StatusNoContent}},
		fails:   []failure{{http.StatusBadRequest, "The token is unknown, used or too old (`invalid_token`)."}, mailMissing()},
	}, s.resetPassword)
}

// passwordChangeRequest is the body of POST /auth/password/change.
type passwordChangeRequest struct {
	Current *string `json:"current_password" required:"true" example:"a good long one"`
	New     *string `json:"new_password" required:"true" doc:"8 to 128 characters, and not one of the most common ones." example:"a better longer one"`
}

// emailRequest is the body of what is asked for by address.
type emailRequest struct {
	Email *string `json:"email" required:"true" format:"email" example:"ana@example.org"`
}

// passwordResetRequest is the body of POST /auth/password/reset.
type passwordResetRequest struct {
	Token *string `json:"token" required:"true" doc:"Out of the mail." example:"km_AAAAAAAAAAAAAAAAAAAAAA"`
	New   *string `json:"new_password" required:"true" doc:"8 to 128 characters, and not one of the most common ones." example:"a better longer one"`
}

// acceptedJSON answers what will be done if it can be.
type acceptedJSON struct {
	Detail string `json:"detail" doc:"A sentence for people."`
}

// changePassword answers POST /auth/password/change.
func (s *Server) changePassword(c echo.Context, who caller) error {
	const op = "gateway.changePassword"
	var in passwordChangeRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	var f faults
	current := f.required("current_password", in.Current)
	chosen := f.newPassword("new_password", in.New, who.user.Email)
	if err := f.err(op); err != nil {
		return err
	}
	if err := s.confirmPassword(c, who.user, current); err != nil {
		return err
	}
	ctx := c.Request().Context()
	hash, err := s.opts.Passwords.Hash(ctx, chosen)
	if err != nil {
		return err
	}
	u, err := s.opts.Users.ChangePassword(ctx, who.user.ID, who.user.TokenVersion, hash)
	if err != nil {
		return err
	}
	s.endSockets(ctx, u.ID)
	return s.signIn(c, u, "")
}

// confirmPassword makes sure that who holds a user's access token knows the password
// too. A guest has none, and none is right.
func (s *Server) confirmPassword(c echo.Context, u learn.User, password string) error {
	if err := s.allowPasswordCheck(c, u.ID); err != nil {
		return err
	}
	right, err := s.opts.Passwords.Verify(c.Request().Context(), u.HashedPassword, password)
	if err != nil {
		return err
	}
	if !right {
		// Not a 401, after which clients would think that their token has ended.
		return &apiError{code: "wrong_password", err: learn.Errorf(learn.Forbidden, "gateway.confirmPassword", "The password is wrong")}
	}
	return nil
}

// forgotPassword answers POST /auth/password/forgot. It looks nothing up: that is left
// to who sends the mail, so that time tells nothing.
func (s *Server) forgotPassword(c echo.Context) error {
	return s.takeLetter(c, learn.MailReset, "If there is an account with this address, a mail with a link is on its way to it")
}

// resetPassword answers POST /auth/password/reset. The token is looked at first and
// used last, together with the change, so that no failure between uses it up.
func (s *Server) resetPassword(c echo.Context) error {
	const op = "gateway.resetPassword"
	var in passwordResetRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	var f faults
	raw := f.required("token", in.Token)
	f.newPassword("new_password", in.New, "")
	if err := f.err(op); err != nil {
		return err
	}
	if err := s.allowMailToken(c); err != nil {
		return err
	}
	ctx, hash := c.Request().Context(), token.Hash(raw)
	u, err := s.mailTokenUser(ctx, learn.MailReset, raw)
	if err != nil {
		return err
	}
	chosen := f.newPassword("new_password", in.New, u.Email)
	if err := f.err(op); err != nil {
		return err
	}
	passwordHash, err := s.opts.Passwords.Hash(ctx, chosen)
	if err != nil {
		return err
	}
	if u, err = s.opts.MailTokens.ResetPassword(ctx, hash, passwordHash); err != nil {
		return badMailToken(err)
	}
	c.Set(keyUserID, u.ID)
	s.endSockets(ctx, u.ID)
	return c.NoContent(http.StatusNoContent)
}
