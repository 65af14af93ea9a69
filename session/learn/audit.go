package learn

import "time"

// AuditEvent is something that somebody may have to answer for. It names people and
// things by their ids alone.
type AuditEvent struct {
	TenantID string
	// ActorID is the user who did it, and ActorRole as what; empty for somebody unknown.
	ActorID, ActorRole string
	Action             AuditAction
	// ObjectType and ObjectID say what it was done to.
	ObjectType, ObjectID string
	IP                   string    // from where; empty when that is not known
	At                   time.Time // zero means now
}

// AuditAction is what was done.
type AuditAction string

// The actions.
const (
	// AuditResumeRefused: somebody showed a resume token of a conversation that was used
	// before, or never was one.
	AuditResumeRefused AuditAction = "conversation.resume_refused"
)
