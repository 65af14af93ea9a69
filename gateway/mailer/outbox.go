package mailer

import (
	"context"
	"slices"
	"sync"
	"time"
)

// keptMessages is how many mails an [Outbox] holds; the oldest goes for the next.
const keptMessages = 50

// Outbox keeps mails instead of sending them. Any number of goroutines may use it; the
// zero value is empty.
type Outbox struct {
	mu   sync.Mutex // guards kept
	kept []Kept     // oldest first
}

// Kept is a mail that was not sent anywhere.
type Kept struct {
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
}

// Send keeps a mail. It does not block and never fails.
func (o *Outbox) Send(_ context.Context, m Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.kept) == keptMessages {
		o.kept = slices.Delete(o.kept, 0, 1)
	}
	o.kept = append(o.kept, Kept{To: m.To, Subject: m.Subject, Text: m.Text, At: time.Now().UTC()})
	return nil
}

// Kept returns the mails, the latest first; never nil.
func (o *Outbox) Kept() []Kept {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := append([]Kept{}, o.kept...)
	slices.Reverse(all)
	return all
}
