// Package mailer takes mails to where they go: [SMTP] hands them to a mail server, an
// [Outbox] keeps the last few in memory, for trying things out where there is none.
//
// Both are synchronous. Who must not wait for a mail server, or must not show by waiting
// whether there was anything to send, puts a queue in front.
package mailer

// Message is a mail in plain text.
type Message struct {
	To      string // one address, without a name
	Subject string
	Text    string
}
