package gateway

import (
	"context"
	"time"

	"kalami/gateway/mailer"
	"kalami/gateway/metrics"
	"kalami/providers"
	"kalami/session"
	"kalami/session/learn"
)

// Users keeps people. Implemented by package store.
type Users interface {
	// CreateUser stores a new user and its membership of the personal tenant. It
	// fills in ID and CreatedAt when they are empty. Errors: Conflict when the
	// e-mail is taken (compared without case).
	CreateUser(ctx context.Context, u learn.User) (learn.User, error)
	// UserByEmail and UserByID answer NotFound for an unknown user.
	UserByEmail(ctx context.Context, email string) (learn.User, error)
	UserByID(ctx context.Context, id string) (learn.User, error)
	// UpdateUser stores the name, the languages and the time zone of u.
	UpdateUser(ctx context.Context, u learn.User) (learn.User, error)
	// Rehash stores another hash of the same password (when parameters rise), unless
	// the password has changed since old was read.
	Rehash(ctx context.Context, userID, old, hash string) error
	// ChangePassword stores the hash of a new password and ends all of the user's
	// sessions. Conflict when they were ended since version was read.
	ChangePassword(ctx context.Context, userID string, version int, hash string) (learn.User, error)
	// EndSessions ends all of a user's sessions.
	EndSessions(ctx context.Context, userID string) error
	// EraseUser deletes a user and every row that is theirs; NotFound for an unknown one.
	EraseUser(ctx context.Context, userID string) error
}

// RefreshTokens keeps families of refresh tokens, by their hashes. Implemented by
// package store.
type RefreshTokens interface {
	// StartFamily stores the first token of a sign-in; NotFound for an unknown user.
	StartFamily(ctx context.Context, t learn.RefreshToken) error
	// Rotate replaces a token by the next of its family, and says in the outcome when
	// it did not.
	Rotate(ctx context.Context, r learn.Rotation) (learn.Rotated, error)
	// EndFamily revokes a token's family and returns whose it is; empty when there was
	// nothing to end.
	EndFamily(ctx context.Context, tenantID, hash string) (userID string, err error)
}

// MailTokens keeps tokens that were mailed, by their hashes. Implemented by package
// store. A token that is unknown, used or over is NotFound.
type MailTokens interface {
	// PutMailToken stores a token that is about to be mailed.
	PutMailToken(ctx context.Context, t learn.MailToken) error
	// MailTokenUser says whose a token is, without using it.
	MailTokenUser(ctx context.Context, purpose learn.MailPurpose, hash string) (learn.User, error)
	// VerifyEmail uses a token up and notes that its user can read the mailbox.
	VerifyEmail(ctx context.Context, hash string) (learn.User, error)
	// ResetPassword uses a token up, stores the hash of a new password, and ends all of
	// the user's sessions, all or nothing.
	ResetPassword(ctx context.Context, hash, passwordHash string) (learn.User, error)
}

// Mailer takes mails to where they go. Implemented by package gateway/mailer.
type Mailer interface {
	// Send returns when the mail has been taken over, or cannot be.
	Send(ctx context.Context, m mailer.Message) error
}

// Outbox shows mails that were kept instead of sent. Implemented by *mailer.Outbox.
type Outbox interface {
	// Kept returns them, the latest first.
	Kept() []mailer.Kept
}

// Nodes carries short notices to all nodes. Implemented by package store/live. A notice
// may be lost: what it is about stands in the database.
type Nodes interface {
	Publish(ctx context.Context, topic, payload string) error
	// Subscribe calls take with every notice on a topic, this node's too, one after
	// another. It blocks until ctx ends, and returns nil then.
	Subscribe(ctx context.Context, topic string, take func(payload string)) error
}

// Profiles keeps the languages that users learn. Every call is bound to a tenant
// and user; what belongs to others is NotFound.
type Profiles interface {
	// CreateProfile stores p, filling in ID and times. Conflict when the user
	// already learns that language.
	CreateProfile(ctx context.Context, p learn.Profile) (learn.Profile, error)
	// ListProfiles returns all of the user's profiles, oldest first.
	ListProfiles(ctx context.Context, tenantID, userID string) ([]learn.Profile, error)
	Profile(ctx context.Context, tenantID, userID, id string) (learn.Profile, error)
	// UpdateProfile stores the level and settings of p (not the counters).
	UpdateProfile(ctx context.Context, p learn.Profile) (learn.Profile, error)
	// DeleteProfile hides the profile; its conversations stay until erasure.
	DeleteProfile(ctx context.Context, tenantID, userID, id string) error
}

// Tenants keeps schools, and the built-in tenant of everybody without one.
// Implemented by package store.
type Tenants interface {
	// TenantSettings returns what a tenant has set for its lessons; NotFound for an
	// unknown one.
	TenantSettings(ctx context.Context, tenantID string) (learn.TenantSettings, error)
}

// Places counts how many sessions users and tenants have over all nodes. Implemented by
// package store/live. A place that is not renewed is free after ten seconds.
type Places interface {
	// TakePlace takes a place if there is one, or takes over the one of that ID. An admission
	// is no error; Unavailable when nothing can be said.
	TakePlace(ctx context.Context, p learn.Place, limits learn.PlaceLimits) (learn.Admission, error)
	// LookForPlace says what TakePlace would, and takes nothing.
	LookForPlace(ctx context.Context, p learn.Place, limits learn.PlaceLimits) (learn.Admission, error)
	// RenewPlaces keeps places, and takes those again that were lost; not those that
	// somebody else holds now.
	RenewPlaces(ctx context.Context, places []learn.Place) error
	// LeavePlace gives a place back, unless somebody else holds it now.
	LeavePlace(ctx context.Context, p learn.Place) error
	// Degraded says whether it is known not to answer.
	Degraded() bool
}

// Conversations keeps sessions of talking.
type Conversations interface {
	// StartConversation stores a new conversation at epoch 1. One that has the ClientKey
	// of an earlier one of the user is not stored: the earlier one is returned, as it
	// now is. NotFound when the profile is not the user's.
	StartConversation(ctx context.Context, c learn.Conversation) (learn.Conversation, error)
	Conversation(ctx context.Context, tenantID, userID, id string) (learn.Conversation, error)
	// TakeOver raises the conversation's epoch by one conditional update and
	// returns it with its next message number. Conflict when it has ended.
	TakeOver(ctx context.Context, tenantID, userID, id string) (learn.Conversation, error)
	// RecentMessages returns the last n messages, oldest first.
	RecentMessages(ctx context.Context, tenantID, conversationID string, n int) ([]learn.Message, error)
	// FinishConversation ends the conversation whoever holds it: it raises the epoch, so
	// that a live session notices at its next write, keeps the totals of the messages
	// that are stored, and adds them to the profile once. It returns the conversation as
	// it then is; one that has ended already, unchanged.
	FinishConversation(ctx context.Context, tenantID, userID, id string) (learn.Conversation, error)
}

// Resumptions keeps with which tokens live conversations can be taken up again, and who
// owns them. Implemented by package store.
type Resumptions interface {
	// OfferResume stores a further token. Conflict with [learn.ErrFenced] in the chain
	// when the epoch is not the conversation's.
	OfferResume(ctx context.Context, o learn.ResumeOffer) error
	// Resume takes a conversation up by a token, in one statement when it is granted. An
	// outcome is no error. The conversation is that of ResumeGranted; of ResumeForeign it
	// has the ID, TenantID and UserID alone, for the audit.
	Resume(ctx context.Context, r learn.Resumption) (learn.Conversation, learn.ResumeOutcome, error)
	// Background returns what a session needs to go on, with the last n messages. NotFound
	// when the learner, the profile or the tenant is gone.
	Background(ctx context.Context, c learn.Conversation, n int) (learn.Background, error)
	// Epochs returns the epochs of those of the conversations that are active.
	Epochs(ctx context.Context, ids []string) (map[string]int64, error)
	// AbandonConversations ends up to limit conversations whose tokens ended before a time,
	// and returns how many. Nodes may do it at once: each is ended by one of them.
	AbandonConversations(ctx context.Context, before time.Time, limit int) (int, error)
}

// Outages tells when live state is away. Implemented by package store/live.
type Outages interface {
	// Watch calls take with whether it is, at once and after each change, one after another.
	// It blocks until ctx ends.
	Watch(ctx context.Context, take func(degraded bool))
}

// SignIns tells whose sessions were ended. Implemented by package store.
type SignIns interface {
	// TokenVersions returns those of the users that there are, in one statement.
	TokenVersions(ctx context.Context, userIDs []string) (map[string]int, error)
}

// Audit keeps, for ever, what somebody may have to answer for. Implemented by package
// store.
type Audit interface {
	// RecordAudit adds an event. Nothing changes or removes it.
	RecordAudit(ctx context.Context, e learn.AuditEvent) error
}

// Mirror keeps live conversations where other nodes find them. Implemented by package
// store/live. What it holds may be lost at any time, and nothing that a learner was told is
// kept depends on it.
type Mirror interface {
	// KeepLive stores what changed in conversations of this node, all at once. The answer
	// counts even beside an error.
	KeepLive(ctx context.Context, node string, changes []learn.LiveChange) (learn.LiveAnswer, error)
	// RenewLive says that a node is alive and has these conversations. Its answer is of
	// the same kind.
	RenewLive(ctx context.Context, node string, leases []learn.LiveLease) (learn.LiveAnswer, error)
	// Live returns what is known of one; ok is false for nothing.
	Live(ctx context.Context, conversationID string) (state learn.LiveState, ok bool, err error)
	// ForgetLive removes one that has ended, unless its epoch has risen.
	ForgetLive(ctx context.Context, conversationID string, epoch int64) error
	// Degraded says whether it is known not to answer.
	Degraded() bool
}

// Meter counts what becomes of sessions, and tells which stores are away. Implemented by *metrics.Metrics; the values are
// those of package metrics.
type Meter interface {
	// Resumed counts a client that came back, by what became of it, and how long that took
	// from its word until it had all that it had missed.
	Resumed(result metrics.ResumeResult, took time.Duration)
	// TookOver counts a conversation that was taken from whoever held it before.
	TookOver(reason metrics.TakeoverReason)
	// Degraded tells whether a store is away.
	Degraded(store metrics.StoreName, away bool)
}

// History reads back what was held, and deletes it. Every call is bound to a tenant and
// user; what belongs to others is NotFound.
type History interface {
	// ListConversations returns one page of the user's conversations, newest first,
	// without those of deleted profiles. An empty profileID means all profiles; one that
	// is not the user's has none.
	ListConversations(ctx context.Context, tenantID, userID, profileID string, limit, offset int) ([]learn.Conversation, error)
	// Transcript returns the conversation's messages with numbers above afterSeq, oldest
	// first, at most limit, without their words and timings; and those corrections of
	// them that were shown, by the id of the message and in its order.
	Transcript(ctx context.Context, tenantID, userID, id string, afterSeq, limit int) ([]learn.Message, map[string][]learn.Correction, error)
	// DeleteConversation removes the conversation for good, with its messages and
	// corrections. A session that is live in it notices at its next write. What was
	// practised stays counted, and cards made from it stay.
	DeleteConversation(ctx context.Context, tenantID, userID, id string) error
	// Statistics sums up what the user has done; zero for an unknown one.
	Statistics(ctx context.Context, tenantID, userID string) (learn.Statistics, error)
}

// Turns answers turns that are sent whole. Implemented by *session.Turnwise.
type Turns interface {
	// Take makes one turn: it hears the recording or takes the text, has the tutor
	// answer, and returns when both messages are durable. Turns of one conversation
	// come one after another. Errors: NotFound and Conflict (it has ended) for the
	// conversation, Invalid for a recording that the vendors cannot read, Unavailable
	// when no vendor answers; the learner's message may be stored then.
	Take(ctx context.Context, r session.TurnRequest) (session.TurnResult, error)
}

// Speech hears recordings and makes clips. Implemented by *speech.Service in
// providers/speech. The provider argument names a vendor as the API does ("whisper",
// "deepgram"; "elevenlabs", "openai"), or is empty for the usual one; another vendor
// answers when it fails or is not configured. Errors are those of the contracts
// [providers.Transcriber] and [providers.Synthesizer].
type Speech interface {
	Transcribe(ctx context.Context, provider string, r providers.Recording) (providers.Transcript, error)
	Synthesize(ctx context.Context, provider string, s providers.Script) (providers.Clip, error)
	// Voices lists those of one vendor, which it names, and never of another.
	Voices(ctx context.Context, provider string) (name string, voices []providers.VoiceInfo, err error)
}

// Once keeps short-lived secrets that may be used a single time, by the hash of
// the secret. Implemented by package store/live.
type Once interface {
	// PutOnce stores value under key for ttl.
	PutOnce(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// TakeOnce returns the value and removes it, atomically: of any number of
	// callers exactly one gets it. ok is false when it is unknown, used or expired.
	TakeOnce(ctx context.Context, key string) (value []byte, ok bool, err error)
}

// Secrets is where single-use secrets are kept while [Once] does not answer, and who
// remembers which of Once's were used. Implemented by package store.
type Secrets interface {
	Once
	// SpendOnce notes for ttl that what Once kept under key was used; first is false when
	// that was noted before.
	SpendOnce(ctx context.Context, key string, ttl time.Duration) (first bool, err error)
	// ForgetOnce removes what was kept for its time.
	ForgetOnce(ctx context.Context) error
}

// Limiter says whether something may happen once more at a rate, and counts it if so.
// Implemented over package store/live.
type Limiter interface {
	// Allow counts an event under key, unless it comes too early. An error says nothing
	// about either.
	Allow(ctx context.Context, key string, r Rate) (Verdict, error)
}

// Verdict is what became of one event.
type Verdict struct {
	// Allowed says whether it may happen; only then it was counted.
	Allowed bool
	// RetryAfter is when the next may come, of a refused event; 0 of an allowed one.
	RetryAfter time.Duration
	// Remaining is how many more could come at once.
	Remaining int
	// ResetAfter is when the whole burst is there again if nothing comes until then.
	ResetAfter time.Duration
}

// Host holds conversations. Implemented by *session.Host.
type Host interface {
	// Run blocks for the life of the conversation's connection and closes it.
	Run(ctx context.Context, conn session.Conn, p session.Params) *session.End
}

// Pinger says whether a store answers. Implemented by store and store/live.
type Pinger interface {
	Ping(ctx context.Context) error
}
