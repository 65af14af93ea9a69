package mailer

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// sendTimeout bounds the sending of one mail.
const sendTimeout = 20 * time.Second

// SMTPOptions say how to reach a mail server.
type SMTPOptions struct {
	// URL is smtp://user:password@host:port?tls=…, see [CheckURL].
	URL string
	// From is the sender, "no-reply@example.org" or "Kalami <no-reply@example.org>".
	From string
	// TLS says which servers are trusted; nil means those that the system trusts. Its
	// ServerName is set from the URL.
	TLS *tls.Config
}

// SMTP hands mails to a mail server, on a connection for each: they are few. Any number
// of goroutines may use it.
type SMTP struct {
	// Static after NewSMTP.
	server server
	from   *netmail.Address
	domain string
	tls    *tls.Config
}

// NewSMTP checks the options; it connects to nothing. Errors do not repeat the URL.
func NewSMTP(o SMTPOptions) (*SMTP, error) {
	server, err := parseURL(o.URL)
	if err != nil {
		return nil, fmt.Errorf("mailer: the mail server's URL %w", err)
	}
	from, err := netmail.ParseAddress(o.From)
	if err != nil {
		return nil, errors.New("mailer: the sender is not an e-mail address")
	}
	trust := o.TLS
	if trust == nil {
		trust = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	trust = trust.Clone()
	trust.ServerName = server.host
	s := &SMTP{server: server, from: from, domain: from.Address[strings.LastIndexByte(from.Address, '@')+1:], tls: trust}
	if _, err := mail.NewClient(server.host, s.settings()...); err != nil {
		return nil, fmt.Errorf("mailer: %w", err)
	}
	return s, nil
}

// settings are the library's for one mail.
func (s *SMTP) settings() []mail.Option {
	all := []mail.Option{mail.WithPort(s.server.port), mail.WithTimeout(sendTimeout), mail.WithHELO(s.domain), mail.WithTLSConfig(s.tls)}
	if s.server.implicit {
		all = append(all, mail.WithSSL())
	} else {
		all = append(all, mail.WithTLSPolicy(s.server.policy))
	}
	if s.server.user == "" {
		return all
	}
	all = append(all, mail.WithUsername(s.server.user), mail.WithPassword(s.server.password))
	if s.server.implicit {
		// The library does not know that a connection which it was given is encrypted,
		// and would not say a password there.
		return append(all, mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1,
			mail.SMTPAuthPlainNoEnc, mail.SMTPAuthLoginNoEnc))
	}
	// Without encryption this chooses only methods that do not show the password.
	return append(all, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover))
}

// Send hands a mail to the server and returns when the server has taken it, when ctx
// ends, or after twenty seconds. Errors carry the server's code and not its words, which
// repeat the address.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(s.from)
	if err := msg.To(m.To); err != nil {
		return errors.New("mailer: the recipient is not an e-mail address")
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageIDWithValue(rand.Text() + "@" + s.domain)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no out-of-office answers
	msg.SetBodyString(mail.TypeTextPlain, m.Text)

	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	var line line
	defer line.hangUp()
	dial := func(dialing context.Context, network, addr string) (net.Conn, error) {
		if err := line.dial(dialing, ctx, network, addr); err != nil || !s.server.implicit {
			return line.conn, err
		}
		secure := tls.Client(line.conn, s.tls)
		return secure, secure.HandshakeContext(dialing)
	}
	client, err := mail.NewClient(s.server.host, append(s.settings(), mail.WithDialContextFunc(dial))...)
	if err != nil {
		return fmt.Errorf("mailer: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return discreet(err)
	}
	return nil
}

// line is the connection of one mail. The library leaves a connection open on which
// greeting, encryption or signing in has failed, and does not end one with its context;
// hence it is made and ended here.
type line struct {
	conn   net.Conn // nil before dial
	forget func() bool
}

// dial connects within the time of dialing; sending ends the connection, until hangUp.
func (l *line) dial(dialing, sending context.Context, network, addr string) error {
	conn, err := new(net.Dialer).DialContext(dialing, network, addr)
	if err != nil {
		return err
	}
	l.conn, l.forget = conn, context.AfterFunc(sending, func() { _ = conn.Close() })
	return nil
}

// hangUp closes the connection if there is one.
func (l *line) hangUp() {
	if l.conn != nil {
		l.forget()
		_ = l.conn.Close() // closed already when all went well
	}
}

// discreet is what may be logged of a failure.
func discreet(err error) error {
	if e, ok := errors.AsType[*mail.SendError](err); ok {
		return fmt.Errorf("mailer: the mail server refused: code %d, %s", e.ErrorCode(), e.Reason)
	}
	if e, ok := errors.AsType[*textproto.Error](err); ok {
		return fmt.Errorf("mailer: the mail server refused the connection: code %d", e.Code)
	}
	return fmt.Errorf("mailer: %w", err)
}

// server is a mail server's URL, read.
type server struct {
	host           string
	port           int
	user, password string
	implicit       bool // TLS from the first byte
	policy         mail.TLSPolicy
}

// CheckURL says what is wrong with the URL of a mail server, in words that follow its
// name and do not repeat it; nil when it can be used:
//
//	smtp://user:password@host:587    encrypted by STARTTLS, or not at all used
//	smtps://user:password@host:465   encrypted from the beginning
//	smtp://host:25?tls=opportunistic encrypted where the server offers it
//	smtp://127.0.0.1:1025?tls=none   for a server on the same machine
//
// User and password may be left out, and so may the port when it is the one above.
func CheckURL(s string) error {
	_, err := parseURL(s)
	return err
}

func parseURL(s string) (server, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return server{}, errors.New("is not a URL; special characters in a password must be percent-encoded (%40 for @)")
	case u.Scheme != "smtp" && u.Scheme != "smtps":
		return server{}, errors.New("must start with smtp:// or smtps://")
	case u.Hostname() == "":
		return server{}, errors.New("must name a host")
	case strings.Trim(u.Path, "/") != "" || u.Fragment != "":
		return server{}, errors.New("must end after the host and port, but for ?tls=…")
	}
	out := server{host: u.Hostname(), port: 587, implicit: u.Scheme == "smtps", policy: mail.TLSMandatory, user: u.User.Username()}
	out.password, _ = u.User.Password()
	if out.implicit {
		out.port = 465
	}
	if p := u.Port(); p != "" {
		if out.port, err = strconv.Atoi(p); err != nil || out.port < 1 || out.port > 65535 {
			return server{}, errors.New("must have a port between 1 and 65535")
		}
	}
	if (out.user == "") != (out.password == "") {
		return server{}, errors.New("must have both a user and a password, or neither")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(q) > 1 || len(q) == 1 && len(q["tls"]) != 1 {
		return server{}, errors.New("may have one parameter, tls")
	}
	switch mode := q.Get("tls"); {
	case mode == "" || mode == "required":
	case mode == "opportunistic" && !out.implicit:
		out.policy = mail.TLSOpportunistic
	case mode == "none" && !out.implicit:
		out.policy = mail.NoTLS
	default:
		return server{}, errors.New("must have tls=required, opportunistic or none; smtps:// is always encrypted")
	}
	return out, nil
}
