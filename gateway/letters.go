package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/gateway/mailer"
	"kalami/gateway/token"
	"kalami/session/learn"
)

const (
	// waitingLetters is how many letters may wait for being written. Whoever asks for
	// one more is refused with 503, before anything was looked up.
	waitingLetters = 256
	// letterTimeout bounds writing and sending one letter.
	letterTimeout = 30 * time.Second
	// lastLetters is how long a server that stops goes on sending what is waiting.
	lastLetters = 5 * time.Second
	// mailTokenLife is how long a mailed token is good.
	mailTokenLife = 10 * time.Minute
)

// letter is a mail that was asked for. Whether there is anybody to send it to is found
// out when it is written.
type letter struct {
	purpose learn.MailPurpose
	email   string // as it was given, checked
}

func mailMissing() failure {
	return failure{http.StatusServiceUnavailable, "This server has no mail set up (`mail_not_configured`), or too many letters are waiting."}
}

// errNoMail refuses what cannot be done without mail.
func errNoMail() error {
	return &apiError{code: "mail_not_configured", retryAfter: -1, // no use in waiting
		err: learn.Errorf(learn.Unavailable, "gateway.mail", "This server cannot send mail: it has not been set up")}
}

// takeLetter answers a request for a mail: the same, after the same work, whatever the
// address is.
func (s *Server) takeLetter(c echo.Context, purpose learn.MailPurpose, detail string) error {
	var in emailRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	var f faults
	email := f.email("email", in.Email)
	if err := f.err("gateway.takeLetter"); err != nil {
		return err
	}
	if s.opts.Mailer == nil {
		return errNoMail()
	}
	if err := s.allowLetter(c, email); err != nil {
		return err
	}
	if !s.post(letter{purpose, email}) {
		return learn.Errorf(learn.Unavailable, "gateway.takeLetter", "Too many mails are waiting to be sent, try again shortly")
	}
	return c.JSON(http.StatusAccepted, acceptedJSON{Detail: detail})
}

// welcome has the link for verifying sent to a new user, where that is wanted. When too
// many letters are waiting, the user asks for it again.
func (s *Server) welcome(c echo.Context, u learn.User) {
	if s.opts.VerifyEmail == VerifyOff || s.opts.Mailer == nil {
		return
	}
	if !s.post(letter{learn.MailVerify, u.Email}) {
		s.log.Warn("too many mails are waiting; a new user gets none", "request_id", requestID(c), "user_id", u.ID)
	}
}

// post puts a letter into the queue; false when the queue is full. It does not block.
func (s *Server) post(l letter) bool {
	select {
	case s.letters <- l:
		return true
	default:
		return false
	}
}

// DeliverMail writes and sends the mails that requests ask for, one after another. It
// blocks until ctx ends; then it finishes the one under way, sends what is waiting, for at
// most five seconds, and says in the log how many letters it had to leave. One caller at
// a time.
func (s *Server) DeliverMail(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case l := <-s.letters:
			s.deliver(context.WithoutCancel(ctx), l)
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLetters)
	defer cancel()
	for {
		select {
		case l := <-s.letters:
			if last.Err() != nil {
				s.log.Warn("mails are left unsent", "count", 1+len(s.letters))
				return
			}
			s.deliver(last, l)
		default:
			return
		}
	}
}

// deliver writes and sends one letter, until ctx ends. The log learns of a failure, not of
// the address.
func (s *Server) deliver(ctx context.Context, l letter) {
	ctx, cancel := context.WithTimeout(ctx, letterTimeout)
	defer cancel()
	m, userID, err := s.write(ctx, l)
	if err == nil && userID != "" {
		err = s.opts.Mailer.Send(ctx, m)
	}
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "mail not sent", slog.String("purpose", string(l.purpose)),
			slog.String("user_id", userID), slog.Any("err", err))
	}
}

// write finds out who a letter is for, and stores the token in it. userID is empty when
// there is nobody, or the address is verified already.
func (s *Server) write(ctx context.Context, l letter) (m mailer.Message, userID string, err error) {
	u, err := s.opts.Users.UserByEmail(ctx, l.email)
	if err != nil {
		if learn.KindOf(err) == learn.NotFound {
			err = nil
		}
		return m, "", err
	}
	if l.purpose == learn.MailVerify && u.EmailVerified {
		return m, "", nil
	}
	raw := token.NewMailToken()
	err = s.opts.MailTokens.PutMailToken(ctx, learn.MailToken{
		UserID: u.ID, Purpose: l.purpose, Email: u.Email, Hash: token.Hash(raw), ExpiresAt: time.Now().Add(mailTokenLife),
	})
	return s.compose(l.purpose, u.Email, raw), u.ID, err
}

// compose writes the text of a letter. It holds nothing that a stranger chose, such as
// the account's name, since anybody can sign up with anybody's address. The token
// stands in the link's fragment, which browsers send to no server and no log sees.
func (s *Server) compose(purpose learn.MailPurpose, to, raw string) mailer.Message {
	minutes := int(mailTokenLife.Minutes())
	if purpose == learn.MailReset {
		return mailer.Message{To: to, Subject: "Choose a new password for " + s.opts.Name, Text: fmt.Sprintf(
			"Somebody, hopefully you, asked for a new password for your account at %s.\n\n"+
				"To choose one, open this link within %d minutes:\n\n    %s/#reset=%s\n\n"+
				"If it was not you, do nothing: your password stays as it is.\n", s.opts.Name, minutes, s.opts.PublicURL, raw)}
	}
	return mailer.Message{To: to, Subject: "Verify your address for " + s.opts.Name, Text: fmt.Sprintf(
		"Somebody, hopefully you, signed up at %s with this address.\n\n"+
			"To show that it is yours, open this link within %d minutes:\n\n    %s/#verify=%s\n\n"+
			"If it was not you, do nothing.\n", s.opts.Name, minutes, s.opts.PublicURL, raw)}
}
