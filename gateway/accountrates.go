package gateway

import (
	"strings"
	"time"

	"cmp"

	"github.com/labstack/echo/v4"

	"kalami/gateway/token"
)

// AccountRates bound what is done with credentials besides signing in. Zero fields and
// negative Counts are those of [Rates].
type AccountRates struct {
	// Refreshes are refresh tokens shown from one address: 120 a minute, 600 at once,
	// for a school whose phones all wake at eight.
	Refreshes Rate
	// Letters are mails asked for from one address: 10 a minute, 30 at once.
	Letters Rate
	// LettersTo are mails asked for to one address: 3 in a quarter of an hour, 3 at once.
	LettersTo Rate
	// MailTokens are mailed tokens shown from one address: 20 a minute, 60 at once.
	MailTokens Rate
	// PasswordChecks are passwords that a signed-in user confirms a change with: 5 a
	// minute, 5 at once.
	PasswordChecks Rate
}

func (r AccountRates) withDefaults() AccountRates {
	aMinute := func(count, burst int) Rate { return Rate{Count: count, Per: time.Minute, Burst: burst} }
	return AccountRates{
		Refreshes:      cmp.Or(r.Refreshes, aMinute(120, 600)),
		Letters:        cmp.Or(r.Letters, aMinute(10, 30)),
		LettersTo:      cmp.Or(r.LettersTo, Rate{Count: 3, Per: 15 * time.Minute, Burst: 3}),
		MailTokens:     cmp.Or(r.MailTokens, aMinute(20, 60)),
		PasswordChecks: cmp.Or(r.PasswordChecks, aMinute(5, 5)),
	}
}

// allowRefresh counts a refresh token shown from the request's address. They cannot be
// guessed; this keeps the database free for learners.
func (s *Server) allowRefresh(c echo.Context) error {
	return s.allow(c, "refresh:"+addressKey(c.RealIP()), s.opts.AccountRates.Refreshes, "Too many sign-ins are renewed from your network")
}

// allowLetter counts a mail to an address, whether it has an account or not.
func (s *Server) allowLetter(c echo.Context, email string) error {
	const what = "Too many mails were asked for"
	if err := s.allow(c, "letter:"+addressKey(c.RealIP()), s.opts.AccountRates.Letters, what); err != nil {
		return err
	}
	account := token.Hash(strings.ToLower(email)) // live state holds no addresses
	return s.allow(c, "letter:"+account, s.opts.AccountRates.LettersTo, what)
}

// allowMailToken counts a mailed token shown from the request's address.
func (s *Server) allowMailToken(c echo.Context) error {
	return s.allow(c, "mailtoken:"+addressKey(c.RealIP()), s.opts.AccountRates.MailTokens, "Too many links were tried from your network")
}

// allowPasswordCheck counts a password that a signed-in user confirms something with.
func (s *Server) allowPasswordCheck(c echo.Context, userID string) error {
	return s.allow(c, "password:"+userID, s.opts.AccountRates.PasswordChecks, "Too many passwords were tried")
}
