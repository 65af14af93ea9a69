package gateway

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"kalami/gateway/metrics"
	"kalami/gateway/token"
	"kalami/session"
	"kalami/session/learn"
)

// recentMessages is how much of a continued conversation the tutor remembers word for word.
const recentMessages = 40

// entry is a learner who may talk: the credential has been checked, and the session is
// not begun yet.
type entry struct {
	user    learn.User
	profile learn.Profile
	tenant  learn.TenantSettings
	ticket  Ticket
	// conversation is the one that the ticket names, or the id of the one that will begin.
	conversation string
	// validUntil is when the access token ends; zero for a ticket, which is checked once.
	validUntil time.Time
}

// entryOfBearer checks an access token. What a ticket would have bound stands in the
// query, where nothing secret may: profile_id, and conversation_id, topic or scenario_id if wanted.
func (v *voiceSockets) entryOfBearer(ctx context.Context, accessToken string, query url.Values) (entry, error) {
	const op = "gateway.voice"
	who, err := v.server.identify(ctx, accessToken)
	if err != nil {
		return entry{}, err
	}
	in := ticketRequest{
		ProfileID:      queryValue(query, "profile_id"),
		ConversationID: queryValue(query, "conversation_id"),
		Topic:          queryValue(query, "topic"),
		ScenarioID:     queryValue(query, "scenario_id"),
	}
	t := Ticket{UserID: who.user.ID, TenantID: who.tenantID, TokenVersion: who.user.TokenVersion}
	if err := in.check(&t); err != nil {
		return entry{}, err
	}
	if !saneID(t.ProfileID) {
		return entry{}, learn.Errorf(learn.NotFound, op, "Profile not found")
	}
	p, err := v.server.opts.Profiles.Profile(ctx, t.TenantID, t.UserID, t.ProfileID)
	if err != nil {
		return entry{}, err
	}
	if t, err = v.server.bindConversation(ctx, t, who.user); err != nil {
		return entry{}, err
	}
	t.Session = v.server.sessionConfig(t, p, who.user, in.Session)
	return v.complete(ctx, entry{user: who.user, profile: p, ticket: t, validUntil: who.expiresAt})
}

func queryValue(q url.Values, name string) *string {
	if !q.Has(name) {
		return nil
	}
	s := q.Get(name)
	return &s
}

// entryOfTicket uses a ticket up. A ticket that was asked for by a page is good for
// pages of the same origin only; one that was not is bound to none, so that a back end
// may fetch tickets for its pages.
func (v *voiceSockets) entryOfTicket(ctx context.Context, secret, origin string) (entry, error) {
	const op = "gateway.voice"
	refused := learn.Errorf(learn.Unauthorised, op, "Ticket is invalid or expired")
	t, err := v.server.redeemTicket(ctx, secret)
	if err != nil {
		return entry{}, err
	}
	if t.Origin != "" && !strings.EqualFold(t.Origin, origin) {
		return entry{}, refused
	}
	u, err := v.server.opts.Users.UserByID(ctx, t.UserID)
	switch {
	case learn.KindOf(err) == learn.NotFound && err != nil:
		return entry{}, refused
	case err != nil:
		return entry{}, err
	case u.TokenVersion != t.TokenVersion: // the user's sessions were ended since
		return entry{}, refused
	}
	p, err := v.server.opts.Profiles.Profile(ctx, t.TenantID, t.UserID, t.ProfileID)
	if err != nil {
		return entry{}, err
	}
	return v.complete(ctx, entry{user: u, profile: p, ticket: t})
}

// complete adds what the tenant has set and which conversation it will be.
func (v *voiceSockets) complete(ctx context.Context, in entry) (_ entry, err error) {
	if in.tenant, err = v.server.opts.Tenants.TenantSettings(ctx, in.ticket.TenantID); err != nil {
		return entry{}, err
	}
	if in.conversation = in.ticket.ConversationID; in.conversation != "" {
		return in, nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return entry{}, fmt.Errorf("gateway: name a conversation: %w", err)
	}
	in.conversation = id.String()
	return in, nil
}

// begin starts the conversation or takes it over, and returns what the session starts from
// and the tokens with which its client can come back; nil when it cannot.
func (v *voiceSockets) begin(ctx context.Context, in entry) (session.Params, *resumeTokens, error) {
	t := in.ticket
	if err := v.stillSignedIn(ctx, in); err != nil {
		return session.Params{}, nil, err
	}
	c, history, err := v.conversation(ctx, in)
	if err != nil {
		return session.Params{}, nil, err
	}
	var tokens *resumeTokens
	resume := session.Resume{Token: token.NewResume(c.ID)} // without a window: it is good for nothing
	if v.server.opts.Resumptions != nil {
		tokens = v.server.newResumeTokens(c, in.user.TokenVersion)
		if resume, err = tokens.offer(ctx); err != nil {
			return session.Params{}, nil, err
		}
	}
	cfg := t.Session
	cfg.ID = "vs_" + rand.Text()
	cfg.ConversationID = c.ID
	return session.Params{
		Config:       cfg,
		Conversation: c,
		Profile:      in.profile,
		Tenant:       in.tenant,
		User:         in.user,
		History:      history,
		Resume:       resume,
		ValidUntil:   in.validUntil,
		Survives:     v.server.opts.Nodes != nil,
	}, tokens, nil
}

// stillSignedIn looks again, now that the seat is taken: sessions that were ended after
// the credential was checked and before there was a seat to end would go on.
func (v *voiceSockets) stillSignedIn(ctx context.Context, in entry) error {
	u, err := v.server.opts.Users.UserByID(ctx, in.user.ID)
	if err == nil && u.TokenVersion == in.user.TokenVersion {
		return nil
	}
	if err != nil && learn.KindOf(err) != learn.NotFound {
		return err
	}
	return &learn.Error{Kind: learn.Unauthorised, Msg: "Could not validate credentials", Op: "gateway.voice", Err: err}
}

func (v *voiceSockets) conversation(ctx context.Context, in entry) (learn.Conversation, []learn.Message, error) {
	t, store := in.ticket, v.server.opts.Conversations
	if t.ConversationID == "" {
		scene, err := v.server.chosenScene(in.user, t.ScenarioID) // another node may have sold the ticket
		if err != nil {
			return learn.Conversation{}, nil, err
		}
		c, err := store.StartConversation(ctx, learn.Conversation{
			ID: in.conversation, TenantID: t.TenantID, UserID: t.UserID, ProfileID: t.ProfileID,
			Topic: t.Topic, Scene: scene, Mode: "live", Level: in.profile.Level, StartedAt: time.Now().UTC(),
		})
		return c, nil, err
	}
	c, err := store.TakeOver(ctx, t.TenantID, t.UserID, t.ConversationID)
	if err != nil {
		return c, nil, err
	}
	v.server.announceTakeover(ctx, c)
	v.server.countTakeover(metrics.TakeoverContinue)
	history, err := store.RecentMessages(ctx, t.TenantID, c.ID, recentMessages)
	return c, history, err
}
