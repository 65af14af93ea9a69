package learn

// Place is one session's share in how many its user and its tenant may have at once, over
// all nodes.
type Place struct {
	// ID is what the place is for: taking a place again with it is taking it once. A
	// conversation's sessions, of which one goes on after another, have the conversation's.
	ID string
	// Holder is whose the place is. It becomes that of whoever takes it next, and who held
	// it before neither renews nor leaves it any more.
	Holder           string
	UserID, TenantID string
}

// PlaceLimits are how many places there may be; 0 is without limit.
type PlaceLimits struct{ User, Tenant int }

// Admission says what became of taking a place.
type Admission uint8

// The admissions.
const (
	// Admitted: the place is taken, for as long as it is renewed.
	Admitted Admission = iota + 1
	// UserFull and TenantFull: there are as many as there may be, and none was taken.
	UserFull
	TenantFull
)
