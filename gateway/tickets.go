package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/gateway/token"
	"kalami/session"
	"kalami/session/learn"
)

const (
	// ticketTTL is how long a ticket waits for its socket: a page asks for one right
	// before it connects.
	ticketTTL = 60 * time.Second
	// ticketKept is how long the store remembers a ticket, so that a page that slept over
	// its minute is told so. Longer ago, an expired ticket is as unknown as a forged one.
	ticketKept = 5 * ticketTTL
)

const (
	maxTopic     = 200
	defaultTopic = "General conversation"
	// voicePath is the voice socket's route.
	voicePath = "/v1/voice"
)

// Ticket is what a single-use ticket stands for: everything that opening a voice
// socket needs, checked when the ticket was asked for. It is kept as JSON under the
// ticket's hash and never leaves the server.
type Ticket struct {
	UserID   string `json:"user_id"`
	TenantID string `json:"tenant_id"`
	// TokenVersion is the user's when the ticket was made: a user whose sessions
	// were ended since then may not open another with it.
	TokenVersion int    `json:"token_version"`
	ProfileID    string `json:"profile_id"`
	// ConversationID is empty when the socket is to begin a new conversation.
	ConversationID string `json:"conversation_id,omitempty"`
	Topic          string `json:"topic,omitempty"`
	// ScenarioID is what the conversation plays; empty for free talk.
	ScenarioID string `json:"scenario_id,omitempty"`
	// Origin is the Origin header of the ticket's request, and the socket must come from
	// the same. Empty outside browsers: a ticket that a back end fetched binds no page,
	// since which page it is for only that back end knows.
	Origin string `json:"origin,omitempty"`
	// DeviceID is the client's own name for its device; may be empty.
	DeviceID string `json:"device_id,omitempty"`
	// Session is the configuration that the socket starts with. ID and, in a new
	// conversation, ConversationID are still empty; a PatienceMS or Speed of zero
	// means the level's default.
	Session session.Config `json:"session"`
	// TokenExpiresAt is when the access token ends with which the ticket was bought.
	TokenExpiresAt time.Time `json:"token_expires_at"`
	// ExpiresAt is when the ticket itself ends.
	ExpiresAt time.Time `json:"expires_at"`
}

// errTicket is the cause of every refused ticket.
var errTicket = errors.New("unknown, used or expired ticket")

// redeemTicket uses a ticket up: of any number of callers with the same secret exactly
// one gets it. Errors: Unauthorised, with the code ticket_expired when the ticket's time
// is over and it was not used (told once, and for [ticketKept] only), with none when the
// secret is not a ticket, unknown or used; Unavailable when the store does not answer.
func (s *Server) redeemTicket(ctx context.Context, secret string) (Ticket, error) {
	const op = "gateway.redeemTicket"
	refused := &learn.Error{Kind: learn.Unauthorised, Msg: "Ticket is invalid or expired", Op: op, Err: errTicket}
	if !token.IsTicket(secret) {
		return Ticket{}, refused
	}
	value, ok, err := s.takeTicket(ctx, ticketKey(secret))
	if err != nil {
		return Ticket{}, &learn.Error{Kind: learn.Unavailable, Msg: "Tickets cannot be checked just now", Op: op, Err: err}
	}
	if !ok {
		return Ticket{}, refused
	}
	var t Ticket
	if err := json.Unmarshal(value, &t); err != nil {
		return Ticket{}, &learn.Error{Kind: learn.Internal, Op: op, Err: err}
	}
	// The store forgets by its own clock; this one decides.
	if !time.Now().Before(t.ExpiresAt) {
		return Ticket{}, &apiError{code: string(session.TicketExpired),
			err: &learn.Error{Kind: learn.Unauthorised, Msg: "Ticket has expired, ask for a new one", Op: op, Err: errTicket}}
	}
	return t, nil
}

// ticketKey is where a ticket is kept: by its hash, so that a dump of the store opens nothing.
func ticketKey(secret string) string { return "ticket:" + token.Hash(secret) }

// ticketRequest is the body of POST /v1/voice/tickets.
type ticketRequest struct {
	ProfileID      *string        `json:"profile_id" required:"true" doc:"One of the caller's profiles" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d10"`
	ConversationID *string        `json:"conversation_id" doc:"A session of that profile to go on with; a new one begins when it is left out"`
	Topic          *string        `json:"topic" doc:"What a new session is about; by default its scenario's title, or \"General conversation\"" maxLength:"200" example:"Ordering in a café"`
	ScenarioID     *string        `json:"scenario_id" doc:"What a new session is to play, see /scenarios; free talk by default. With conversation_id, that session's own" example:"order-in-a-cafe"`
	DeviceID       *string        `json:"device_id" doc:"What the client calls its device; 1 to 64 letters, digits, '-', '_' or '.'" example:"phone-1"`
	Session        sessionRequest `json:"session" doc:"What the session starts with; the profile's and the protocol's values for what is left out"`
}

// ticketJSON answers it.
type ticketJSON struct {
	Ticket    string         `json:"ticket" doc:"Good once, as the subprotocol kalami.token.… of the socket" example:"kt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`
	ExpiresAt time.Time      `json:"expires_at" doc:"A minute from now"`
	URL       string         `json:"url" doc:"The voice socket's address, as this client reaches it" example:"wss://kalami.example/v1/voice"`
	Session   session.Config `json:"session" doc:"What the session will start with; its ids come with session.created"`
}

func (s *Server) ticketRoutes() {
	s.handleLearner(operation{
		method: http.MethodPost, path: "/v1/voice/tickets", id: "createTicket", tag: "conversations", class: unpaced,
		summary: "Buy a single-use ticket for the voice socket",
		about: "To be called right before connecting: it is good for a minute, once, and from the page's own origin. Everything " +
			"about the conversation is checked and bound here, because a refused socket reaches a page without a reason. " +
			"The socket itself is described at `/asyncapi.json`.",
		takes: []content{{shape: ticketRequest{}}},
		gives: []success{{status: http.StatusCreated, bodies: []content{{shape: ticketJSON{}}}}},
		fails: []failure{{http.StatusNotFound, "The caller has no such profile or conversation."}, {http.StatusServiceUnavailable, "This node takes no new conversations now."}},
	}, s.createTicket)
}

// createTicket answers POST /v1/voice/tickets. What a browser must be told about a
// refusal is told here: a refused upgrade reaches a page without status or reason.
func (s *Server) createTicket(c echo.Context, who caller) error {
	const op = "gateway.createTicket"
	if !saneHost(c.Request().Host) { // the answer names it in a URL
		return statusError(http.StatusBadRequest, string(session.BadRequest), "The Host header is missing or not valid")
	}
	var in ticketRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	t := Ticket{
		UserID: who.user.ID, TenantID: who.tenantID, TokenVersion: who.user.TokenVersion,
		Origin: c.Request().Header.Get(echo.HeaderOrigin), TokenExpiresAt: who.expiresAt,
	}
	if err := in.check(&t); err != nil {
		return err
	}
	if err := s.admit(who.user.ID, t.ConversationID); err != nil {
		return err
	}
	profile, err := s.profile(c, who, t.ProfileID)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if t, err = s.bindConversation(ctx, t, who.user); err != nil {
		return err
	}
	if err := s.lookForPlace(ctx, t); err != nil {
		return err
	}
	if err := s.allowHandshake(c, who.user.ID); err != nil {
		return err
	}
	t.Session = s.sessionConfig(t, profile, who.user, in.Session)
	t.ExpiresAt = time.Now().Add(ticketTTL).UTC().Truncate(time.Millisecond)
	secret, err := s.storeTicket(ctx, t)
	if err != nil {
		return &learn.Error{Kind: learn.Unavailable, Msg: "Talking is not possible just now, try again shortly", Op: op, Err: err}
	}
	return c.JSON(http.StatusCreated, ticketJSON{
		Ticket: secret, ExpiresAt: t.ExpiresAt, Session: t.Session,
		URL: s.proxies.socketURL(c.Request(), voicePath),
	})
}

// check writes what was asked for into t, or names every field at fault.
func (in ticketRequest) check(t *Ticket) error {
	const op = "gateway.createTicket"
	var f faults
	if in.ProfileID == nil || *in.ProfileID == "" {
		f.add("profile_id", "is required")
	} else {
		t.ProfileID = *in.ProfileID
	}
	if in.ConversationID != nil {
		t.ConversationID = *in.ConversationID
	}
	if in.Topic != nil {
		t.Topic = f.text("topic", *in.Topic, maxTopic)
	}
	if t.Topic == "" {
		t.Topic = defaultTopic
	}
	if in.ScenarioID != nil {
		t.ScenarioID = *in.ScenarioID
	}
	if in.DeviceID != nil {
		if t.DeviceID = *in.DeviceID; !saneID(t.DeviceID) {
			f.add("device_id", "must be 1 to 64 letters, digits, '-', '_' or '.'")
		}
	}
	in.Session.check(&f)
	return f.err(op)
}

// admit says whether the user may open another conversation here, or go on with the one
// named. The count may have changed when the socket comes; the registry counts again.
func (s *Server) admit(userID, conversationID string) error {
	switch {
	case s.Draining():
		return errDraining()
	case s.voice.ActiveSessions(userID, conversationID) >= s.opts.MaxSessionsPerUser:
		return errTooManySessions(s.opts.MaxSessionsPerUser)
	case s.voice.Full():
		return errNoPlace()
	}
	return nil
}

// lookForPlace says whether the user and the tenant may have another conversation over all
// nodes, as admit does for this one.
func (s *Server) lookForPlace(ctx context.Context, t Ticket) error {
	tenant, err := s.opts.Tenants.TenantSettings(ctx, t.TenantID)
	if err != nil {
		return err
	}
	p := learn.Place{ID: cmp.Or(t.ConversationID, "new"), UserID: t.UserID, TenantID: t.TenantID}
	return s.places.look(ctx, p, s.places.limits(t.TenantID, tenant))
}

// bindConversation returns t with the topic and the scenario of its conversation: of the one
// that it goes on with, which it checks, or of the one that is to begin.
func (s *Server) bindConversation(ctx context.Context, t Ticket, u learn.User) (Ticket, error) {
	const op = "gateway.createTicket"
	if t.ConversationID == "" {
		scene, err := s.chosenScene(u, t.ScenarioID)
		t.Topic = topicOf(t.Topic, scene, u)
		return t, err
	}
	unknown := learn.Errorf(learn.NotFound, op, "Session not found")
	if !saneID(t.ConversationID) {
		return t, unknown
	}
	conv, err := s.opts.Conversations.Conversation(ctx, t.TenantID, t.UserID, t.ConversationID)
	switch {
	case err != nil:
		return t, renamed(err, learn.NotFound, op, "Session not found")
	case conv.ProfileID != t.ProfileID:
		return t, unknown
	case conv.EndedAt != nil:
		return t, &apiError{code: "session_ended", err: learn.Errorf(learn.Conflict, op, "Session has ended")}
	}
	own := playedIn(conv)
	if t.ScenarioID != "" && t.ScenarioID != own {
		var f faults
		f.add("scenario_id", "must be left out or be the session's own: what a session plays does not change")
		return t, f.err(op)
	}
	t.Topic, t.ScenarioID = conv.Topic, own
	return t, nil
}

// playedIn is the id of a conversation's scenario; empty for free talk.
func playedIn(c learn.Conversation) string {
	if c.Scene == nil {
		return ""
	}
	return c.Scene.ID
}
