package gateway

import (
	"context"
	"sync"
	"time"

	"kalami/gateway/token"
	"kalami/session"
	"kalami/session/learn"
)

// resumeTokens are those of one conversation, as the node knows them that owns it: the one
// that its client is known to have, and the one offered after it. The database is told
// first; what the node knows is enough for a client that returns while there is no database.
//
// A token belongs to a conversation and its user's sign-ins, not to a device: whoever shows
// it first goes on with the lesson, and the device that it was taken from finds its own
// refused, which the audit log keeps. Ending the user's sessions ends it.
type resumeTokens struct {
	// Static after newResumeTokens.
	store        Resumptions
	conversation learn.Conversation
	window, warm time.Duration

	mu sync.Mutex // guards the hashes
	// known is the client's; next was offered to it, or is being offered; empty for none.
	known, next string
}

// newResumeTokens returns the tokens of a conversation that has none yet. version is the
// token version of its user.
func (s *Server) newResumeTokens(c learn.Conversation, version int) *resumeTokens {
	c.TokenVersion = version
	return &resumeTokens{store: s.opts.Resumptions, conversation: c, window: s.opts.ResumeWindow, warm: s.opts.WarmTime}
}

// offer makes a further token and stores it. The client is known to have the one before,
// if that was offered. An error leaves the ones that are good as they were.
func (t *resumeTokens) offer(ctx context.Context) (session.Resume, error) {
	secret := token.NewResume(t.conversation.ID)
	hash := token.Hash(secret)
	t.mu.Lock()
	known := t.next
	if known == "" {
		known = t.known
	}
	t.mu.Unlock()
	if err := t.store.OfferResume(ctx, t.made(known, hash)); err != nil {
		return session.Resume{}, err
	}
	t.used(known, hash)
	return t.resume(secret), nil
}

// extend lets the tokens that are good be so for a whole window from now on.
func (t *resumeTokens) extend(ctx context.Context) error {
	t.mu.Lock()
	known, next := t.known, t.next
	t.mu.Unlock()
	if next == "" { // the client came back while the database was away, with the one that it has
		known, next = "", known
	}
	return t.store.OfferResume(ctx, t.made(known, next))
}

// made is what the database is told of tokens.
func (t *resumeTokens) made(known, next string) learn.ResumeOffer {
	return learn.ResumeOffer{
		TenantID: t.conversation.TenantID, ConversationID: t.conversation.ID, Epoch: t.conversation.Epoch,
		Hash: next, Known: known, Window: t.window, TokenVersion: t.conversation.TokenVersion,
	}
}

// used notes which two are good.
func (t *resumeTokens) used(known, next string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known, t.next = known, next
}

// good says whether a token is one of the two.
func (t *resumeTokens) good(hash string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return hash != "" && (hash == t.known || hash == t.next)
}

// resume is a token as a client is told it.
func (t *resumeTokens) resume(secret string) session.Resume {
	return session.Resume{Token: secret, WindowMS: int(t.window.Milliseconds()), WarmMS: int(t.warm.Milliseconds())}
}
