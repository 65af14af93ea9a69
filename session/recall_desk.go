package session

import (
	"context"
	"time"

	"kalami/session/learn"
)

// Recalls is what a review by voice reads and writes. Package store implements it.
type Recalls interface {
	// DueCards returns what there is to review in a profile, at most limit cards.
	DueCards(ctx context.Context, tenantID, userID, profileID string, limit int) (learn.DueQueue, error)
	// AppendReviews adds to the log; to send one again changes nothing. It returns the cards
	// as they are then.
	AppendReviews(ctx context.Context, tenantID, userID string, reviews []learn.Review) ([]learn.ReviewResult, []learn.Card, error)
	// UndoReview takes a review back, and again without effect; NotFound without it.
	UndoReview(ctx context.Context, tenantID, userID, id, device string) (learn.Review, learn.Card, error)
}

const (
	// recallQueue is how many orders of CONDUCTOR wait for the desk; when it is full, which
	// takes a database that is away for as many answers, a further one is refused.
	recallQueue = 16
	// recallCards is how many due cards are read at a time.
	recallCards = 30
	// recallTries is how often a review is tried to be stored, and recallPause what lies between.
	recallTries = 4
	recallPause = time.Second
)

// recallOrder is what CONDUCTOR wants of the store: a review to be kept, in the place of
// another one perhaps, or what is due, when there is none.
type recallOrder struct {
	review  *learn.Review
	instead string // a review that is taken back before; empty for none
	result  ReviewResult
}

// recalled answers an order.
type recalled struct {
	order recallOrder
	due   []learn.DueCard
	card  learn.Card // as it is after the review
	err   error
}

// recallDesk is the stage that reads and writes for a review by voice. It does what it has
// been told to the end, also when the session is over: what was answered is not lost.
type recallDesk struct {
	store        Recalls
	conversation learn.Conversation
	lanes        *lanes
}

// recalls says whether a session is a review by voice.
func (h *Host) recalls(p Params) bool { return h.Recalls != nil && p.Conversation.Mode == "review" }

// recalling is the stage that serves one; in any other session it has nothing to do.
func (h *Host) recalling(p Params, l *lanes) func(context.Context) error {
	return func(ctx context.Context) error {
		if !h.recalls(p) {
			return nil
		}
		return (&recallDesk{store: h.Recalls, conversation: p.Conversation, lanes: l}).run(ctx)
	}
}

// run takes orders until CONDUCTOR closes their lane.
func (d *recallDesk) run(ctx context.Context) error {
	for o := range d.lanes.recall {
		r := recalled{order: o}
		r.err = contained(func() error { return d.do(context.WithoutCancel(ctx), ctx.Done(), &r) })
		select {
		case d.lanes.recalled <- r: // there is room for the answers to all that wait
		case <-ctx.Done(): // nobody asks any more
		}
	}
	return nil
}

// do answers one order.
func (d *recallDesk) do(ctx context.Context, over <-chan struct{}, r *recalled) error {
	c := d.conversation
	if r.order.review == nil {
		ctx, cancel := context.WithTimeout(ctx, commitTimeout)
		defer cancel()
		q, err := d.store.DueCards(ctx, c.TenantID, c.UserID, c.ProfileID, recallCards)
		r.due = q.Cards
		return err
	}
	return d.persist(ctx, over, func(ctx context.Context) error {
		if id := r.order.instead; id != "" {
			if _, _, err := d.store.UndoReview(ctx, c.TenantID, c.UserID, id, ""); err != nil && learn.KindOf(err) != learn.NotFound {
				return err
			}
		}
		results, cards, err := d.store.AppendReviews(ctx, c.TenantID, c.UserID, []learn.Review{*r.order.review})
		switch {
		case err != nil:
			return err
		case len(results) != 1 || results[0].Outcome == learn.ReviewRejected:
			return learn.Errorf(learn.NotFound, "session.recall", "the card is gone")
		case len(cards) == 1:
			r.card = cards[0]
		}
		return nil
	})
}

// persist does something until it succeeds, a few times: the store may be away for a moment.
// When the session is over it is tried once more.
func (d *recallDesk) persist(ctx context.Context, over <-chan struct{}, do func(context.Context) error) (err error) {
	for try := 0; try < recallTries; try++ {
		if try > 0 {
			pause := time.NewTimer(recallPause)
			select {
			case <-pause.C:
			case <-over:
				pause.Stop()
				over, try = nil, recallTries-1
			}
		}
		err = func() error {
			ctx, cancel := context.WithTimeout(ctx, commitTimeout)
			defer cancel()
			return do(ctx)
		}()
		if kind := learn.KindOf(err); err == nil || kind == learn.NotFound || kind == learn.Invalid {
			return err
		}
	}
	return err
}
