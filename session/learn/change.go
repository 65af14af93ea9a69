package learn

import "time"

// Entity is a kind of thing that devices keep a copy of.
type Entity string

// The entities of the change feed.
const (
	EntityCard       Entity = "card"
	EntityReview     Entity = "review"
	EntityProfile    Entity = "profile"
	EntityMemory     Entity = "memory"
	EntityCorrection Entity = "correction"
)

// Change is one entry of a user's change feed: that an entity is different now, not how.
// The numbers of a user rise without holes in the order in which the changes were committed.
type Change struct {
	Seq     int64
	Entity  Entity
	ID      string
	Deleted bool
	// Device is the device that wrote it, and need not be told; empty when the server did.
	Device string
	At     time.Time
}
