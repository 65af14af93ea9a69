package gateway

import (
	"context"
	"encoding/json"
	"fmt"

	"kalami/gateway/token"
)

// storeTicket keeps t for its short life under a fresh secret's hash: in live state, or in
// the database while that does not answer. The database gets a secret of its own, since an
// error of live state does not say that the first was not kept.
func (s *Server) storeTicket(ctx context.Context, t Ticket) (secret string, err error) {
	value, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("gateway: encode a ticket: %w", err)
	}
	secret = token.NewTicket()
	err = s.opts.Once.PutOnce(ctx, ticketKey(secret), value, ticketKept)
	if err != nil && s.opts.Secrets != nil {
		secret = token.NewTicket()
		err = s.opts.Secrets.PutOnce(ctx, ticketKey(secret), value, ticketKept)
	}
	if err != nil {
		return "", fmt.Errorf("gateway: keep a ticket: %w", err)
	}
	return secret, nil
}

// takeTicket uses up what is kept under a key, in either store. What live state gives out is
// noted in the database, so that a Redis which comes back from a copy of yesterday, or with
// another master, does not open a second socket with it. A ticket that live state has lost,
// or does not hand out just now, is unknown.
func (s *Server) takeTicket(ctx context.Context, key string) (value []byte, ok bool, err error) {
	value, ok, err = s.opts.Once.TakeOnce(ctx, key)
	switch {
	case s.opts.Secrets == nil:
		return value, ok, err
	case err == nil && ok:
		ok, err = s.opts.Secrets.SpendOnce(ctx, key, ticketKept)
		return value, ok, err
	default:
		return s.opts.Secrets.TakeOnce(ctx, key)
	}
}
