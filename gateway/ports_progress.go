package gateway

import (
	"context"

	"kalami/session/learn"
)

// Progress tells what learners have done, by their local days. Implemented by package
// store. What belongs to others is NotFound. The range of a query is filled in by the
// learner's own today.
type Progress interface {
	// Activity returns the days of a range, and the streak as it stands today.
	Activity(ctx context.Context, q learn.ProgressQuery) (learn.Activity, error)
	// VocabularyProgress returns what has become of the cards, with the reviews of a range.
	VocabularyProgress(ctx context.Context, q learn.ProgressQuery) (learn.VocabularyProgress, error)
	// ErrorProgress returns which mistakes were made in a range, by category.
	ErrorProgress(ctx context.Context, q learn.ProgressQuery) (learn.ErrorProgress, error)
}
