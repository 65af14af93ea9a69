package learn

import "time"

// MutationKind is what a device wants to have changed.
type MutationKind string

// The mutations.
const (
	MutateReviewAdd     MutationKind = "review.add"
	MutateReviewUndo    MutationKind = "review.undo"
	MutateCardAdd       MutationKind = "card.add"
	MutateCardEdit      MutationKind = "card.edit"
	MutateCardSuspend   MutationKind = "card.suspend"
	MutateCardUnsuspend MutationKind = "card.unsuspend"
	MutateCardDelete    MutationKind = "card.delete"
	MutateCardRestore   MutationKind = "card.restore"
	MutateProfileEdit   MutationKind = "profile.edit"
)

// Entity is what the mutation changes.
func (k MutationKind) Entity() Entity {
	switch k {
	case MutateReviewAdd, MutateReviewUndo:
		return EntityReview
	case MutateProfileEdit:
		return EntityProfile
	}
	return EntityCard
}

// Mutation is one thing that was done on a device, perhaps long before it is told. It is
// applied once, whatever is sent again under its ID.
type Mutation struct {
	ID   string // made by the device; unique for its user
	Kind MutationKind
	// EntityID is the card, review or profile that it is about; of what is added, the ID
	// that the device has given it.
	EntityID string
	At       time.Time    // when it was done, by the device's clock
	Card     Card         // of [MutateCardAdd]
	Patch    CardPatch    // of [MutateCardEdit]: the fields alone
	Review   Review       // of [MutateReviewAdd]: without ID and times
	Profile  ProfilePatch // of [MutateProfileEdit]
	// Faults are what is wrong with it already as it was sent: then it is rejected.
	Faults []FieldError
}

// ProfilePatch changes settings of a profile; nil fields stay, zero values go back to the
// level's default. There is no level among them: that is changed by a decision.
type ProfilePatch struct {
	CorrectionMode *CorrectionMode
	PatienceMS     *int
	SpeechRate     *float64
	VoiceID        *string
	AutoCards      *bool
}

// MutationStatus says what became of a mutation.
type MutationStatus string

// The statuses. Merged is an added card that the learner had already, under another id.
const (
	MutationApplied  MutationStatus = "applied"
	MutationMerged   MutationStatus = "merged"
	MutationRejected MutationStatus = "rejected"
)

// MutationResult is the answer to one mutation. It is kept, and given again when the
// mutation is sent again.
type MutationResult struct {
	ID     string         `json:"id"`
	Status MutationStatus `json:"status"`
	// EntityID is by what the entity is to be called from now on: after a merge the older
	// card's id.
	EntityID string `json:"entity_id,omitempty"`
	// Code says of what kind a rejection is, as [Kind.String]; Fields what is wrong.
	Code   string       `json:"code,omitempty"`
	Fields []FieldError `json:"fields,omitempty"`
	// Kind is of what kind the mutation was.
	Kind MutationKind `json:"kind,omitempty"`
}

// SyncRequest is what a device tells and asks.
type SyncRequest struct {
	TenantID, UserID string
	DeviceID         string // made by the device
	// Cursor is up to which change the device knows everything; nil when it has nothing yet.
	Cursor *int64
	// ClientNow is what the device's clock said when it sent this; zero: not told.
	ClientNow time.Time
	Mutations []Mutation // in the order in which they were done
	Limit     int        // of changes; they may come to fewer entities
}

// SyncAnswer is what it is told.
type SyncAnswer struct {
	Results []MutationResult // one for each mutation, in their order
	// Reset: the device's cursor is none that can be gone on from, because the changes behind
	// it are no longer kept or it is none of ours. It loads everything anew then.
	Reset   bool
	Changes SyncChanges
	Cursor  int64 // the device's next one; 0 with Reset
	HasMore bool
}

// EntityRef names one thing that devices keep a copy of.
type EntityRef struct {
	Entity Entity
	ID     string
}

// SyncChanges are things as they are now. A device puts each in the place of its own.
type SyncChanges struct {
	Profiles []Profile
	Cards    []Card
	Reviews  []Review // also those that were undone
	// Deleted are things that are no more, and with a profile its cards. The reviews of a
	// deleted card stay: it may be restored.
	Deleted []EntityRef
	// Other names what has changed and is read by routes of its own.
	Other []EntityRef
}

// Bootstrap is one page of everything that a device keeps a copy of.
type Bootstrap struct {
	Changes SyncChanges
	// Cursor is what the device goes on from when it has all pages; the same on each.
	Cursor int64
	// Next asks for the next page; empty on the last.
	Next string
}
