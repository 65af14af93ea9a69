package gateway

import (
	"context"
	"time"

	"kalami/session/learn"
)

// Sync keeps a learner's devices alike. Implemented by package store.
type Sync interface {
	// Sync applies what a device tells and answers with what has changed since its cursor.
	// What is wrong with a mutation stands in its result; after an error all of them may be
	// sent again.
	Sync(ctx context.Context, r learn.SyncRequest) (learn.SyncAnswer, error)
	// Bootstrap returns one page of everything that devices keep; page is empty for the
	// first. Invalid for a page that was not given out.
	Bootstrap(ctx context.Context, tenantID, userID, page string, limit int) (learn.Bootstrap, error)
	// PruneSync removes what is from before a time, of at most limit users, and returns of
	// how many. Nodes may do it at once.
	PruneSync(ctx context.Context, before time.Time, limit int) (int, error)
}
