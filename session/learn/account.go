package learn

import "time"

// RefreshToken begins a family: what one sign-in on one device grows into, as each of
// its tokens is replaced by the next. Secrets are known by their hash alone.
type RefreshToken struct {
	TenantID, UserID string
	// TokenVersion is the user's when they signed in. A family ends when it rises.
	TokenVersion int
	// DeviceID is what the client calls its device; may be empty.
	DeviceID string
	Hash     string
	// ExpiresAt is when it ends unless it is replaced before.
	ExpiresAt time.Time
}

// Rotation asks to replace a refresh token.
type Rotation struct {
	TenantID string
	// Hash is that of the token shown, NextHash that of the one to replace it.
	Hash, NextHash string
	// Lifetime is how long the new one is good.
	Lifetime time.Duration
}

// Rotated says what became of a [Rotation].
type Rotated struct {
	Outcome RotationOutcome
	// User is whose family it is; empty when Refused.
	User User
	// NextHash and ExpiresAt are of the token that replaces the one shown. The hash
	// differs from the one that was asked for when it was stored with another.
	NextHash  string
	ExpiresAt time.Time
}

// RotationOutcome is what became of a refresh token that was shown.
type RotationOutcome uint8

const (
	// Refused: it is unknown, or has ended, or its family has.
	Refused RotationOutcome = iota
	// Replaced: it was good, and is used now.
	Replaced
	// Repeated: it was used a moment ago; it is answered with the same successor again.
	Repeated
	// Reused: it was used before, so that two hold it, one of whom has stolen it. Its
	// family is over now.
	Reused
)

// ReplayWindow is for how long a used refresh token is answered with its successor: a
// phone that did not get the answer asks again.
const ReplayWindow = 10 * time.Second

// MailPurpose is what a mailed token is good for.
type MailPurpose string

// The two purposes.
const (
	MailReset  MailPurpose = "reset"  // choosing a new password
	MailVerify MailPurpose = "verify" // proving that the mailbox is one's own
)

// MailToken is a token that was mailed to a user and may be used once.
type MailToken struct {
	UserID  string
	Purpose MailPurpose
	// Email is where it was sent; the token is good for as long as that is the user's.
	Email     string
	Hash      string
	ExpiresAt time.Time
}
