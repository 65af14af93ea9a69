package gateway

import (
	"context"

	"kalami/session/learn"
)

// Memories keeps what the tutor remembers of learners. Implemented by package store. Every
// call is bound to a tenant and user; what belongs to others, was deleted or has expired is
// NotFound.
type Memories interface {
	// ListMemories returns a page of the user's, or of one profile's, newest first.
	ListMemories(ctx context.Context, tenantID, userID, profileID string, limit, offset int) ([]learn.Remembered, error)
	Memory(ctx context.Context, tenantID, userID, id string) (learn.Remembered, error)
	// EditMemory gives one another text. Invalid for what may not be kept, Conflict when
	// another one says so.
	EditMemory(ctx context.Context, tenantID, userID, id, text string) (learn.Remembered, error)
	// ForgetMemory deletes one, ForgetMemories all of the user's or of one profile.
	ForgetMemory(ctx context.Context, tenantID, userID, id string) error
	ForgetMemories(ctx context.Context, tenantID, userID, profileID string) error
}
