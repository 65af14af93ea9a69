package main

import (
	"cmp"
	"context"
	"sync"

	"kalami/gateway"
	"kalami/gateway/mailer"
)

// addMail completes the options with where mails go: to the mail server, in debug mode
// without one to a page for this machine, else nowhere.
func (a *app) addMail(o *gateway.Options) error {
	m := a.cfg.Mail
	o.VerifyEmail = gateway.EmailVerification(m.Verify)
	o.PublicURL = cmp.Or(string(m.PublicURL), a.url())
	switch {
	case m.SMTP.URL != "":
		server, err := mailer.NewSMTP(mailer.SMTPOptions{URL: m.SMTP.URL.Reveal(), From: string(m.From)})
		if err != nil {
			return err
		}
		o.Mailer = server
	case a.cfg.Server.Debug:
		box := &mailer.Outbox{}
		o.Mailer, o.Outbox = box, box
		a.log.Warn("mail is not set up; what would be sent is shown to this machine alone", "at", a.url()+"/debug/outbox")
	}
	return nil
}

// startBackground starts what the gateway does beside answering. stop ends it, after
// the last request, and waits for it.
func (a *app) startBackground() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { a.gateway.DeliverMail(ctx) })
	all.Go(func() {
		if err := a.gateway.FollowNodes(ctx); err != nil {
			a.log.Error("other nodes are not heard", "err", err)
		}
	})
	all.Go(func() { a.gateway.KeepSessions(ctx) })
	all.Go(func() { a.analyses.Run(ctx) })
	if a.history != nil {
		all.Go(func() { a.countBusy(ctx) })
	}
	return func() {
		cancel()
		all.Wait()
	}
}
