package gateway

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"kalami/gateway/token"
	"kalami/session/learn"
)

// EmailVerification says what is made of addresses that nobody has verified.
type EmailVerification string

// The three ways.
const (
	VerifyOff      EmailVerification = "off"      // nothing; no mail goes out by itself
	VerifyOptional EmailVerification = "optional" // a mail goes out, and nothing depends on it
	VerifyRequired EmailVerification = "required" // a mail goes out, and nobody signs in before
)

// verificationRoutes registers proving that a mailbox is one's own.
func (s *Server) verificationRoutes() {
	s.handle(operation{
		method: http.MethodPost, path: "/auth/email/verify", id: "verifyEmail", tag: "accounts", class: unpaced,
		summary: "Verify an e-mail address with a mailed token",
		about:   "A token is good once, for ten minutes.",
		takes:   []content{{shape: mailTokenRequest{}}},
		gives:   []success{{status: http.StatusOK, bodies: []content{{shape: userJSON{}}}}},
		fails:   []failure{{http.StatusBadRequest, "The token is unknown, used or too old (`invalid_token`)."}, mailMissing()},
	}, s.verifyEmail)
	s.handle(operation{
		method: http.MethodPost, path: "/auth/email/resend", id: "resendVerification", tag: "accounts", class: unpaced,
		summary: "Have the link for verifying an address mailed again",
		about:   "The answer is the same, after the same work, whether the address has an account or not.",
		takes:   []content{{shape: emailRequest{}}},
		gives:   []success{{status: http.StatusAccepted, bodies: []content{{shape: acceptedJSON{}}}}},
		fails:   []failure{mailMissing()},
	}, s.resendVerification)
}

// mailTokenRequest is the body of POST /auth/email/verify.
type mailTokenRequest struct {
	Token *string `json:"token" required:"true" doc:"Out of the mail." example:"km_AAAAAAAAAAAAAAAAAAAAAA"`
}

// verifyEmail answers POST /auth/email/verify.
func (s *Server) verifyEmail(c echo.Context) error {
	var in mailTokenRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	var f faults
	raw := f.required("token", in.Token)
	if err := f.err("gateway.verifyEmail"); err != nil {
		return err
	}
	if err := s.allowMailToken(c); err != nil {
		return err
	}
	ctx := c.Request().Context()
	if _, err := s.mailTokenUser(ctx, learn.MailVerify, raw); err != nil {
		return err
	}
	u, err := s.opts.MailTokens.VerifyEmail(ctx, token.Hash(raw))
	if err != nil {
		return badMailToken(err)
	}
	c.Set(keyUserID, u.ID)
	return c.JSON(http.StatusOK, showUser(u))
}

// resendVerification answers POST /auth/email/resend.
func (s *Server) resendVerification(c echo.Context) error {
	return s.takeLetter(c, learn.MailVerify, "If there is an account with this address that is not verified, a mail with a link is on its way to it")
}

// mailTokenUser says whose a mailed token is, without using it. Errors are those of
// badMailToken; errNoMail where none can have been mailed.
func (s *Server) mailTokenUser(ctx context.Context, purpose learn.MailPurpose, raw string) (learn.User, error) {
	if s.opts.Mailer == nil {
		return learn.User{}, errNoMail()
	}
	if !token.IsMailToken(raw) {
		return learn.User{}, badMailToken(learn.Errorf(learn.NotFound, "gateway.mailTokenUser", "not of the form"))
	}
	u, err := s.opts.MailTokens.MailTokenUser(ctx, purpose, token.Hash(raw))
	if err != nil {
		return learn.User{}, badMailToken(err)
	}
	return u, nil
}

// badMailToken answers 400 for a token that is not good; other errors stay what they are.
func badMailToken(err error) error {
	if learn.KindOf(err) != learn.NotFound {
		return err
	}
	return &apiError{status: http.StatusBadRequest, code: "invalid_token", err: &learn.Error{
		Kind: learn.Invalid, Msg: "This link is not valid any more; ask for a new one", Op: "gateway.mailToken", Err: err}}
}
