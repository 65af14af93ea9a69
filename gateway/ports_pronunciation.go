package gateway

import (
	"context"
	"time"

	"kalami/session"
	"kalami/session/learn"
)

// Pronunciation assesses recordings. Implemented by *session.Pronunciation.
type Pronunciation interface {
	// Assess assesses a recording and keeps the result. Errors: Invalid for a recording that
	// cannot be heard, NotFound when the conversation is not the user's, Unavailable when
	// nobody answers in time.
	Assess(ctx context.Context, r session.AssessRequest) (learn.Assessment, error)
}

// Assessments reads assessments back. Implemented by package store. Every call is bound to a
// tenant and user.
type Assessments interface {
	// ListAssessments returns a page of them without their words, newest first; an empty
	// language means all.
	ListAssessments(ctx context.Context, tenantID, userID, language string, limit, offset int) ([]learn.Assessment, error)
	// Assessment returns one with its words and without its caveat; NotFound when it is not
	// the user's.
	Assessment(ctx context.Context, tenantID, userID, id string) (learn.Assessment, error)
	// Observations returns what was hard to understand since a time: words and sounds whose
	// score was below one.
	Observations(ctx context.Context, tenantID, userID, language string, below float64, since time.Time) ([]learn.Observation, error)
	// DrillTexts returns what the user's tutors said and what the user read, newest first.
	DrillTexts(ctx context.Context, tenantID, userID, language string) (tutor, exercises []string, err error)
}

// Consents keeps what users have agreed to. Implemented by package store.
type Consents interface {
	// Decide adds a decision; Forbidden when it is one that a guardian has to make.
	Decide(ctx context.Context, c learn.Consent) (learn.Consent, error)
	// ListConsents returns a page of a user's decisions, newest first.
	ListConsents(ctx context.Context, tenantID, userID string, limit, offset int) ([]learn.Consent, error)
}
