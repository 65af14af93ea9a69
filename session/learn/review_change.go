package learn

import "time"

// LeechLapses is after how many lapses a card is a leech.
const LeechLapses = 8

// ReviewOutcome says what became of a review that was sent.
type ReviewOutcome string

// The outcomes. Repeated: its id is in the log already, and nothing was changed.
const (
	ReviewApplied  ReviewOutcome = "applied"
	ReviewRepeated ReviewOutcome = "repeated"
	ReviewRejected ReviewOutcome = "rejected"
)

// ReviewResult is the answer to one review.
type ReviewResult struct {
	ID      string
	CardID  string
	Outcome ReviewOutcome
	// Kind and Faults say why it was rejected: NotFound when the learner has no such card,
	// Invalid for a value that cannot be.
	Kind   Kind
	Faults []FieldError
}

// DueCard is a card to be reviewed now, with what each rating would do to it.
type DueCard struct {
	Card     Card
	Previews [4]Preview // in the order of the ratings
}

// DueQueue is what there is to review.
type DueQueue struct {
	// Cards are those that are due, the longest waiting first, and after them new ones, as
	// many as the day still allows.
	Cards []DueCard
	// Due and New count all of them, also beyond the limit; IntroducedToday the new ones of
	// today that were reviewed already.
	Due, New, IntroducedToday int
}

// DayLoad is how many cards come due on one day.
type DayLoad struct {
	Day string // YYYY-MM-DD, the learner's
	Due int
}

// ReviewStats is how reviewing went.
type ReviewStats struct {
	// Reviews counts those that were not undone, Ratings by rating: index 0 is [Again].
	Reviews int
	Ratings [4]int
	// Mature are reviews of cards in review, Remembered those of them that were not [Again]:
	// their share is the retention.
	Mature, Remembered int
	Time               time.Duration // spent, where the client told
	Days               int           // on which there was a review
	// Cards counts the cards by state, the suspended ones with them.
	Cards                      map[CardState]int
	Suspended, Leeches, DueNow int
}

// CardUse is a learner's use of a card's word in a conversation, or their hearing of it.
type CardUse struct {
	CardID    string
	MessageID string // in which it was used; makes the credit repeat-safe
	At        time.Time
	// Used: the learner said it, and rightly; otherwise they only met it.
	Used bool
	// Prompted: it had been asked for, by a hint or a question for that word. Echoed: it
	// stood in what the tutor had said right before.
	Prompted, Echoed bool
}

// AsksFor says whether what the tutor has said asks for the word of a card: the card's own
// question stands in it.
func AsksFor(said, front string) bool { return saidIn(said, front) }

// Unprompted says whether the learner found the word without help.
func (u CardUse) Unprompted() bool { return u.Used && !u.Prompted && !u.Echoed }

// Credits says whether the use counts as a review of the card: only when it was unprompted
// and the card was due. Otherwise talk would lengthen intervals without testing memory.
func (u CardUse) Credits(c Card) bool {
	return u.Unprompted() && c.SuspendedAt.IsZero() && c.DeletedAt.IsZero() && !c.Memory.DueAt.After(u.At)
}
