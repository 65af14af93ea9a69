package gateway

import (
	"context"
	"errors"
	"time"

	"kalami/gateway/line"
	"kalami/gateway/metrics"
	"kalami/session"
	"kalami/session/learn"
)

// warm gives the client's socket to the session that waits for it on this node, or goes on
// over an older one. errNotHere when there is none, or somebody else has the conversation.
func (r *returning) warm(ctx context.Context) error {
	h, here := r.v.live.holder(r.conversation)
	if !here {
		return errNotHere
	}
	done := h.line.Returning()
	defer done()
	resume, err := r.known(ctx, h)
	if errors.Is(err, errNotHere) {
		h.seat.cancel(&session.End{Reason: session.EndSuperseded, Code: session.Superseded})
	}
	if err != nil {
		return err
	}
	r.conn.returned()
	r.conn.renew = func(accessToken string) (time.Time, error) { return r.v.renew(h.seat.ctx, h.user, accessToken) }
	back := line.Return{LastSeq: r.said.LastSeq, Playback: r.said.Playback, Resume: resume}
	err = h.line.Attach(r.conn, back)
	if errors.Is(err, line.ErrHole) {
		back.Restart = &session.Restarted{}
		if back.Restart.Items, err = r.items(ctx, h.tokens.conversation); err == nil {
			err = h.line.Attach(r.conn, back)
		}
	}
	switch {
	case errors.Is(err, line.ErrFuture):
		return errFuture
	case errors.Is(err, line.ErrClosed):
		return r.afterwards(ctx, h)
	case err != nil:
		return err
	case back.Restart != nil:
		r.counted(metrics.ResumeRestarted)
	default:
		r.counted(metrics.ResumeWarm)
	}
	r.v.server.log.Info("session resumed", "request_id", r.request, "conversation", r.conversation, "warm", true, "restarted", back.Restart != nil)
	return nil
}

// known asks whether the token is good for a session of this node, and returns the next
// one. Without an answer of the database the node's own memory decides, and the token that
// was shown stays the one that is good.
func (r *returning) known(ctx context.Context, h holding) (session.Resume, error) {
	ask, cancel := context.WithTimeout(ctx, memoryWait)
	defer cancel()
	question, c, outcome, err := r.ask(ask, h.epoch)
	switch {
	case err == nil && outcome == learn.ResumeGranted:
		h.tokens.used(r.hash, question.Next)
		return h.tokens.resume(r.next), nil
	case err == nil:
		return session.Resume{}, r.notGranted(ctx, outcome, c)
	case learn.KindOf(err) != learn.Unavailable:
		return session.Resume{}, err
	case !h.tokens.good(r.hash):
		return session.Resume{}, r.foreign(ctx, h.tokens.conversation)
	}
	h.tokens.used(r.hash, "")
	return h.tokens.resume(r.secret), nil
}

// afterwards waits for a session that is just ending, so that it can store what it has.
func (r *returning) afterwards(ctx context.Context, h holding) error {
	late := time.NewTimer(leavingWait)
	defer late.Stop()
	select {
	case <-h.seat.left:
	case <-late.C:
	case <-ctx.Done():
	}
	// The token that was shown is still good: it is the one that the client is known to have.
	return errNotHere
}

// items returns the latest entries of a conversation's history.
func (r *returning) items(ctx context.Context, c learn.Conversation) ([]session.Item, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupWait)
	defer cancel()
	history, err := r.v.server.opts.Conversations.RecentMessages(ctx, c.TenantID, c.ID, recentMessages)
	return itemsOf(history), err
}

// itemsOf are messages as a client is shown them.
func itemsOf(history []learn.Message) []session.Item {
	items := make([]session.Item, len(history))
	for i, m := range history {
		items[i] = session.ItemOf(m)
	}
	return items
}
