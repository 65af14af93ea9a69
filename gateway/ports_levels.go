package gateway

import (
	"context"

	"kalami/session/learn"
)

// Levels keeps estimates of learners' levels and what they say of them. Implemented by
// package store. Every call is bound to a tenant and user; what belongs to others is NotFound.
type Levels interface {
	// LevelStanding is what is known of the level of a profile.
	LevelStanding(ctx context.Context, tenantID, userID, profileID string) (learn.LevelStanding, error)
	// DecideLevel takes the learner's decision on an estimate, and changes the profile's
	// level when it is accepted. Conflict when it was decided otherwise.
	DecideLevel(ctx context.Context, tenantID, userID, profileID, estimateID string, to learn.EstimateStatus) (learn.LevelStanding, error)
}
