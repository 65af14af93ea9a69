package gateway

import (
	"context"

	"kalami/session/learn"
)

// Reports tells what came of conversations. Implemented by package store.
type Reports interface {
	// Summary returns the report on a conversation of the user's, counted by now; pending says
	// that the told part is still to come. NotFound when the conversation is not theirs.
	Summary(ctx context.Context, tenantID, userID, id string) (s learn.Summary, pending bool, err error)
}
