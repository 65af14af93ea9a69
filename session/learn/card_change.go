package learn

import "time"

// CardOutcome says what became of a card that was to be added.
type CardOutcome string

// The outcomes. Repeated: its id is there already, and nothing was changed. Merged: the
// learner has a card of that kind and key, whose id is in the answer and which the client
// uses from then on. Deleted: its id is that of a card that was deleted, which wins.
const (
	CardCreated  CardOutcome = "created"
	CardRepeated CardOutcome = "repeated"
	CardMerged   CardOutcome = "merged"
	CardDeleted  CardOutcome = "deleted"
)

// AddedCard is the answer to a card that was to be added.
type AddedCard struct {
	// Asked is the id under which it was to be added; Card.ID differs when it was merged.
	Asked   string
	Outcome CardOutcome
	Card    Card // as it is now
}

// CardPatch changes a card; nil fields stay. Each field is a register of its own: the
// write with the latest At wins, however late it arrives, and what loses is kept.
type CardPatch struct {
	TenantID, UserID, ID string
	Front, Back, Context *string
	Tags                 *[]string
	Level                *Level // empty: not known
	Suspended            *bool
	// At is when the learner made the change, corrected by their device's clock; zero and
	// the future mean now.
	At time.Time
	// Device is who made it, and need not be told; may be empty.
	Device string
}

// CardFilter says which cards to list. Zero fields do not filter.
type CardFilter struct {
	ProfileID string
	Kind      CardKind
	State     CardState
	Origin    CardOrigin
	Level     Level
	Tag       string
	Text      string // part of front or back, by [Fold]
	// Due, Suspended and Leech ask for those that are, or are not.
	Due, Suspended, Leech *bool
}
