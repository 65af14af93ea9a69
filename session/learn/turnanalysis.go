package learn

import "time"

// TurnAnalysis is what was found out about one turn, off the spoken path.
type TurnAnalysis struct {
	TenantID       string
	UserID         string
	ProfileID      string
	ConversationID string
	// MessageID is the learner's message; what was found is stored once for it.
	MessageID string
	// Message is what was looked at: what was found is of no use for a message that reads
	// otherwise by now.
	Message     string
	Language    string // of the words
	Corrections []Correction
	NewWords    []NewWord
	// L1Words are those that the learner said in another language than the one learned, for
	// want of the right ones.
	L1Words []L1Word
	// UsedDueWords are those of the plan's due words that the learner used rightly.
	UsedDueWords []UsedWord
	// Goals says of goals of the plan whether the learner reached them in this turn.
	Goals []GoalProgress
	// Understood: the message made sense as an answer.
	Understood bool
	// Comprehension is whether the learner had understood the tutor; empty when it is not
	// known.
	Comprehension Comprehension
	// WantsToLead: the learner wants to choose what is talked about.
	WantsToLead bool
	Provider    string        // "anthropic/claude-…"
	Took        time.Duration // to make it
}

// L1Word is a word or phrase that a learner said in their own language.
type L1Word struct {
	Text   string `json:"text"`   // as it stands in the message
	Target string `json:"target"` // in what is learned
}

// UsedWord is a due word that a learner used rightly.
type UsedWord struct {
	ID      string `json:"id"`      // of the card
	Surface string `json:"surface"` // as it stands in the message
	// Prompted: the tutor had just said it, or it stood in a hint or a translation.
	Prompted bool `json:"prompted"`
}

// GoalProgress says whether a goal was reached in a turn.
type GoalProgress struct {
	ID  string `json:"id"`
	Met bool   `json:"met"`
	// Quote is the proof, as it stands in the message; empty unless Met.
	Quote string `json:"quote,omitempty"`
}

// Comprehension is how far a learner has understood the tutor.
type Comprehension string

// The degrees of comprehension.
const (
	UnderstoodAll  Comprehension = "ok"
	UnderstoodPart Comprehension = "partial"
	UnderstoodNone Comprehension = "lost"
)
