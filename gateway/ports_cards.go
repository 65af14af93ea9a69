package gateway

import (
	"context"
	"io"
	"time"

	"kalami/session/learn"
	"kalami/session/learn/deck"
)

// Cards keeps what learners want to remember. Implemented by package store. Every call is
// bound to a tenant and user; what belongs to others is NotFound.
type Cards interface {
	// AddCards stores new cards, all or none, and says of each what became of it.
	AddCards(ctx context.Context, tenantID, userID, device string, cards []learn.Card) ([]learn.AddedCard, error)
	Card(ctx context.Context, tenantID, userID, id string) (learn.Card, error)
	// ListCards returns a page of those that the filter lets through, newest first.
	ListCards(ctx context.Context, tenantID, userID string, f learn.CardFilter, limit, offset int) ([]learn.Card, error)
	// PatchCard changes fields. Conflict when another card has the new answer.
	PatchCard(ctx context.Context, p learn.CardPatch) (learn.Card, error)
	DeleteCard(ctx context.Context, tenantID, userID, id, device string) error
	// RestoreCard brings a deleted card back. Conflict when its word has another card by now.
	RestoreCard(ctx context.Context, tenantID, userID, id, device string) (learn.Card, error)
	// CardsAfter returns cards behind one, in the order of their ids.
	CardsAfter(ctx context.Context, tenantID, userID, profileID, afterID string, limit int) ([]learn.Card, error)
	// CardSource returns a message with what is known of its words.
	CardSource(ctx context.Context, tenantID, userID, messageID string) (learn.CardSource, error)
}

// Reviews keeps the log of reviews and what follows from it. Implemented by package store.
// Every call is bound to a tenant and user.
type Reviews interface {
	// AppendReviews adds to the log, says of each review what became of it, and returns the
	// cards as they are then.
	AppendReviews(ctx context.Context, tenantID, userID string, reviews []learn.Review) ([]learn.ReviewResult, []learn.Card, error)
	// UndoReview takes a review back, and again without effect; NotFound without it.
	UndoReview(ctx context.Context, tenantID, userID, id, device string) (learn.Review, learn.Card, error)
	// DueCards, Forecast and ReviewStatistics are about one profile, or all when it is empty.
	DueCards(ctx context.Context, tenantID, userID, profileID string, limit int) (learn.DueQueue, error)
	Forecast(ctx context.Context, tenantID, userID, profileID string, days int) ([]learn.DayLoad, error)
	ReviewStatistics(ctx context.Context, tenantID, userID, profileID string, days int) (learn.ReviewStats, error)
	// ReviewLog returns reviews after one, the oldest first.
	ReviewLog(ctx context.Context, tenantID, userID, profileID string, after time.Time, afterID string, limit int) ([]learn.Review, error)
}

// PackageWriter writes cards with their reviews as a package for Anki; at is when. Implemented
// by package store/apkg. It writes nothing before the package is whole, and is Invalid for
// more than a package may hold.
type PackageWriter func(ctx context.Context, w io.Writer, cards deck.Cards, reviews deck.Reviews, at time.Time) error
