package learn

// TranscriptEdit is a learner's word that a message of theirs was misunderstood: what it
// says is Text. The text that was understood is kept beside it.
type TranscriptEdit struct {
	TenantID       string
	ConversationID string
	// UtteranceID is the message's.
	UtteranceID string
	Text        string
}
