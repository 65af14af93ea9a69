package main

import (
	"fmt"
	netmail "net/mail"
	"strings"

	"kalami/gateway"
	"kalami/gateway/mailer"
)

// MailConfig is about mails: links for new passwords and for verifying addresses.
type MailConfig struct {
	SMTP      SMTP       `env:"KALAMI_SMTP_URL" doc:"The mail server: smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465; ?tls=opportunistic or none for a relay of one's own. Empty: no mail; with DEBUG, mails are shown at /debug/outbox to this machine alone."`
	From      MailFrom   `env:"KALAMI_MAIL_FROM" doc:"The sender, such as Kalami <no-reply@example.org>. Required with KALAMI_SMTP_URL."`
	PublicURL BaseURL    `env:"KALAMI_PUBLIC_URL" doc:"Where the links in mails lead: the address at which learners open this server. Required with KALAMI_SMTP_URL."`
	Verify    VerifyMode `env:"KALAMI_VERIFY_EMAIL" envDefault:"off" doc:"What is made of unverified addresses: off; optional: a link is mailed at sign-up; required: nobody signs in before having opened it."`
}

// mailEnabled says whether mails go anywhere.
func (c *Config) mailEnabled() bool { return c.Mail.SMTP.URL != "" || c.Server.Debug }

// validateMail checks that mails can be sent where they are needed, and their links opened.
func (c *Config) validateMail(report func(name, format string, args ...any)) {
	if c.Mail.SMTP.URL != "" {
		if c.Mail.From == "" {
			report("KALAMI_MAIL_FROM", "is required with KALAMI_SMTP_URL")
		}
		if c.Mail.PublicURL == "" {
			report("KALAMI_PUBLIC_URL", "is required with KALAMI_SMTP_URL: the links in mails lead there")
		}
	}
	if c.Mail.Verify == VerifyMode(gateway.VerifyRequired) && !c.mailEnabled() {
		report("KALAMI_VERIFY_EMAIL", "is required, and nobody could sign in: set KALAMI_SMTP_URL")
	}
}

// SMTP is KALAMI_SMTP_URL, checked. The zero value means that none was given.
type SMTP struct {
	// URL holds the password.
	URL Secret
}

// UnmarshalText accepts what [mailer.CheckURL] does.
func (s *SMTP) UnmarshalText(b []byte) error {
	if err := mailer.CheckURL(string(b)); err != nil {
		return err
	}
	s.URL = Secret(b)
	return nil
}

// String returns the URL without its user and password.
func (s SMTP) String() string { return s.redacted() }

func (s SMTP) redacted() string { return redactURL(s.URL) }

// MailFrom is the sender of mails: an address, with or without a name before it.
type MailFrom string

// UnmarshalText accepts one address.
func (m *MailFrom) UnmarshalText(b []byte) error {
	if _, err := netmail.ParseAddress(string(b)); err != nil || strings.ContainsFunc(string(b), isControl) {
		return fmt.Errorf("%q is not an address such as no-reply@example.org or Kalami <no-reply@example.org>", b)
	}
	*m = MailFrom(b)
	return nil
}

// VerifyMode is what is made of addresses that nobody has verified.
type VerifyMode gateway.EmailVerification

// UnmarshalText accepts off, optional and required.
func (m *VerifyMode) UnmarshalText(b []byte) error {
	switch v := gateway.EmailVerification(strings.ToLower(string(b))); v {
	case gateway.VerifyOff, gateway.VerifyOptional, gateway.VerifyRequired:
		*m = VerifyMode(v)
		return nil
	}
	return fmt.Errorf("%q is not off, optional or required", b)
}
