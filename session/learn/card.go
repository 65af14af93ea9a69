package learn

import "time"

// CardKind says what a card asks for.
type CardKind string

// The kinds: to understand a word, to find it, to say it, and to say what was wrong before.
const (
	CardRecognise CardKind = "recognise"
	CardProduce   CardKind = "produce"
	CardSpeak     CardKind = "speak"
	CardFix       CardKind = "fix"
)

// Valid says whether k is one of the kinds.
func (k CardKind) Valid() bool {
	return k == CardRecognise || k == CardProduce || k == CardSpeak || k == CardFix
}

// CardState is where a card is on its way into memory.
type CardState string

// The states, as the scheduler knows them. Relearning is after a lapse.
const (
	CardNew        CardState = "new"
	CardLearning   CardState = "learning"
	CardReview     CardState = "review"
	CardRelearning CardState = "relearning"
)

// CardOrigin says where a card came from.
type CardOrigin string

// The origins. FromL1 is a word that the learner said in their own language.
const (
	FromHand       CardOrigin = "manual"
	FromImport     CardOrigin = "import"
	FromCorrection CardOrigin = "correction"
	FromMessage    CardOrigin = "message"
	FromL1         CardOrigin = "l1_word"
)

// Card is what a learner keeps to remember: "user_vocabulary" in the database. Front and
// Back are plain text. Memory is derived from the log of reviews and from nothing else.
type Card struct {
	ID        string // made by the client or by us
	TenantID  string
	UserID    string
	ProfileID string
	Language  string // of what is learned; read, never written
	Kind      CardKind
	// Front is the question: a word, a situation, or a sentence in the learner's own
	// language; Back the answer in what is learned.
	Front, Back string
	// Context is where it came from: the sentence around it.
	Context string
	// Key is what tells cards of a profile and kind apart: the folded Back (see [CardKey]).
	Key    string
	Tags   []string
	Origin CardOrigin
	Level  Level // of the word; empty when it is not known
	// MessageID and CorrectionID are where it came from in a conversation; may be empty.
	MessageID    string
	CorrectionID string
	Memory       Memory
	// Leech: it was forgotten so often that it should be changed instead of repeated.
	Leech       bool
	SuspendedAt time.Time // zero: it is not
	// Encountered counts how often it was heard or read in talk since, UsedCorrectly how
	// often the learner used it rightly unprompted, LastUsedAt when the last time was.
	Encountered, UsedCorrectly int
	LastUsedAt                 time.Time
	CreatedAt, UpdatedAt       time.Time
	DeletedAt                  time.Time // zero: it is not
}

// Memory is how well a card is remembered, as the scheduler says.
type Memory struct {
	State CardState
	// Stability is the time, in days, after which nine of ten are still known; Difficulty is 1 to 10. Both are 0 for a new card.
	Stability, Difficulty float64
	DueAt                 time.Time // zero for a new card: at once
	LastReviewedAt        time.Time // zero for a new card
	Reps, Lapses          int
	ScheduledDays         int
}
