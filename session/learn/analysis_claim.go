package learn

import "time"

// AnalysisAttempts is how often a turn is tried to be analysed after it was not analysed
// beside its reply.
const AnalysisAttempts = 5

// AnalysisClaim is a turn that somebody has taken to analyse it, for a while.
type AnalysisClaim struct {
	ID       string // of the row that waits
	TenantID string
	UserID   string
	// ProfileID and ConversationID are where the turn belongs.
	ProfileID, ConversationID string
	// Attempt counts from 1; who has a lower one than the row has lost the claim.
	Attempt  int
	Reviewed Reviewed
}

// AnalysisAgain is how long after a failed attempt the next one comes: longer each time, so
// that a model which is away for an hour does not cost a turn its analysis.
func AnalysisAgain(attempt int) time.Duration {
	return 30 * time.Second << (2 * min(max(attempt-1, 0), AnalysisAttempts))
}
