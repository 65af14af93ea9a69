package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/gateway/line"
	"kalami/session"
	"kalami/session/learn"
)

const (
	// helloWait is how long a returning client may take to say session.resume.
	helloWait = 5 * time.Second
	// lookupWait bounds what is looked up before a conversation can begin.
	lookupWait = 5 * time.Second
	// renewWait bounds the check of a fresh access token, during which the client is
	// not read.
	renewWait = 2 * time.Second
)

// voiceSockets is the voice endpoint, GET /v1/voice: it decides who may talk, upgrades,
// and hands the connection to the session host. The handler returns right after the
// upgrade; the conversation runs in a goroutine of the registry, with its context.
type voiceSockets struct {
	// Static after newVoice.
	server *Server
	live   *registry
	flow   FlowLimits
	hello  time.Duration
	// takeovers are the conversations that are being taken over.
	takeovers chan struct{}
}

var _ voiceEndpoint = (*voiceSockets)(nil)

// newVoice returns the voice endpoint of s, whose options are complete.
func newVoice(s *Server) *voiceSockets {
	return &voiceSockets{
		server: s,
		live:   s.live,
		hello:  helloWait,

		takeovers: make(chan struct{}, takeoversPerCore*runtime.GOMAXPROCS(0)),
	}
}

// register implements voiceEndpoint.
func (v *voiceSockets) register(e *echo.Echo) {
	for _, prefix := range []string{"", "/api"} {
		e.GET(prefix+voicePath, v.connect)
	}
}

// ActiveSessions implements voiceEndpoint.
func (v *voiceSockets) ActiveSessions(userID, butConversation string) int {
	return v.live.active(userID, butConversation)
}

// TotalSessions implements voiceEndpoint.
func (v *voiceSockets) TotalSessions() int { return v.live.total() }

// Full implements [voiceEndpoint].
func (v *voiceSockets) Full() bool { return v.live.full() }

// connect answers GET /v1/voice. What only load or a broken client can cause is refused
// before the upgrade, by a status; what the user of a browser must be told is explained
// after it, by an error event and a close code, since a page cannot see the status of a
// refused upgrade.
func (v *voiceSockets) connect(c echo.Context) error {
	r := c.Request()
	if err := v.server.admit("", ""); err != nil {
		return err
	}
	if !wantsUpgrade(r) {
		c.Response().Header().Set(echo.HeaderUpgrade, "websocket")
		return statusError(http.StatusUpgradeRequired, "upgrade_required", "This address speaks WebSocket only")
	}
	if !originAllowed(r, v.server.opts.AllowedOrigins, v.server.proxies.secure(r)) {
		return learn.Errorf(learn.Forbidden, "gateway.voice", "This site may not open a voice socket here")
	}
	cred, err := readCredential(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookupWait)
	defer cancel()
	switch cred.kind {
	case credentialBearer:
		return v.connectBearer(ctx, c, cred)
	case credentialResume:
		return v.connectResume(c, cred.secret)
	default:
		return v.connectTicket(ctx, c, cred)
	}
}

// connectBearer begins with an access token: its client is no browser page and sees statuses.
func (v *voiceSockets) connectBearer(ctx context.Context, c echo.Context, cred credential) error {
	in, err := v.entryOfBearer(ctx, cred.secret, c.QueryParams())
	if err != nil {
		return v.server.refuseStranger(c, err)
	}
	c.Set(keyUserID, in.user.ID)
	if err := v.server.allowHandshake(c, in.user.ID); err != nil {
		return err
	}
	s, err := v.admitted(ctx, in)
	if err != nil {
		return err
	}
	return v.seated(c, s, in)
}

// connectTicket begins with a single-use ticket; refusals are explained after the upgrade.
func (v *voiceSockets) connectTicket(ctx context.Context, c echo.Context, cred credential) error {
	in, err := v.entryOfTicket(ctx, cred.secret, c.Request().Header.Get(echo.HeaderOrigin))
	if err == nil {
		c.Set(keyUserID, in.user.ID)
		var s *seat
		if s, err = v.admitted(ctx, in); err == nil {
			return v.seated(c, s, in)
		}
	}
	if learn.KindOf(err) == learn.Unavailable {
		return err
	}
	no := refusalOf(err)
	v.server.log.Info("voice socket refused", "request_id", requestID(c), "code", string(no.problem.Code), "err", err)
	return v.connectStranger(c, nil, func(_ context.Context, conn *voiceConn) { no.tell(conn) })
}

// admitted lets a learner in: it takes a seat of this node, and its place over all nodes.
// Errors are those of registry.take.
func (v *voiceSockets) admitted(ctx context.Context, in entry) (*seat, error) {
	t, places := in.ticket, v.server.places
	s, err := v.live.takeFor(t.UserID, t.ConversationID)
	if err != nil {
		return nil, err
	}
	p := learn.Place{ID: in.conversation, UserID: t.UserID, TenantID: t.TenantID}
	if err := places.take(ctx, s, p, places.limits(t.TenantID, in.tenant)); err != nil {
		s.leave()
		return nil, err
	}
	return s, nil
}

// seated upgrades a request whose learner is known, and begins to talk.
func (v *voiceSockets) seated(c echo.Context, s *seat, in entry) error {
	return v.open(c, s, v.renewerOf(s, in.user.ID), func(ctx context.Context, conn *voiceConn) { v.talk(ctx, s, conn, in) })
}

// renewerOf verifies fresh access tokens of a user for as long as they have the seat.
func (v *voiceSockets) renewerOf(s *seat, userID string) func(string) (time.Time, error) {
	return func(accessToken string) (time.Time, error) { return v.renew(s.ctx, userID, accessToken) }
}

// connectStranger upgrades a request whose learner is not known, for as long as it takes to
// tell the client what it should do instead, or to find out whose session it comes back to.
// sit, if not nil, is given the seat before tell runs.
func (v *voiceSockets) connectStranger(c echo.Context, sit func(*seat), tell func(ctx context.Context, conn *voiceConn)) error {
	s, err := v.live.take("")
	if err != nil {
		return err
	}
	if sit != nil {
		sit(s)
	}
	renew := func(string) (time.Time, error) { return time.Time{}, errors.New("gateway: no session to renew") }
	return v.open(c, s, renew, tell)
}

// open upgrades and runs talk in the seat's own goroutine.
func (v *voiceSockets) open(c echo.Context, s *seat, renew func(string) (time.Time, error),
	talk func(ctx context.Context, conn *voiceConn)) error {
	var conn *voiceConn // nobody reads before it is there
	ws, raw, err := upgrade(c.Response(), c.Request(), func() bool { return conn.ping() })
	if err != nil {
		s.leave()
		if c.Response().Committed {
			v.server.log.Info("voice socket not upgraded", "request_id", requestID(c), "err", err)
			return nil
		}
		return fmt.Errorf("gateway: upgrade: %w", err)
	}
	conn = newVoiceConn(ws, raw, v.flow, renew)
	id, log := requestID(c), v.server.log // the context of Echo is reused after the handler
	s.hold(conn, func(ctx context.Context) {
		defer func() {
			if p := recover(); p != nil {
				log.Error("voice socket failed", "request_id", id, "err", fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
				conn.Close(&session.End{Reason: session.EndInternal, Code: session.InternalError})
			}
		}()
		talk(ctx, conn)
	})
	return nil
}

// talk begins the conversation and holds it to its end.
func (v *voiceSockets) talk(ctx context.Context, s *seat, conn *voiceConn, in entry) {
	lookup, cancel := context.WithTimeout(ctx, lookupWait)
	defer cancel()
	p, tokens, err := v.begin(lookup, in)
	cancel()
	if err != nil {
		if end, ended := errors.AsType[*session.End](context.Cause(ctx)); ended {
			conn.Close(end) // the node drains
			return
		}
		no := refusalOf(err)
		v.server.log.Warn("conversation not begun", "user", in.user.ID, "code", string(no.problem.Code), "err", err)
		no.tell(conn)
		return
	}
	p.Edits, p.Cards = s.edits, s.cards
	if tokens == nil {
		s.claim(p.Conversation.ID, p.Conversation.Epoch)
		v.run(ctx, conn, p)
		return
	}
	p.Moves = s.moves
	l := line.New(v.lineOptions(p, tokens))
	s.carry(l, tokens)
	s.claim(p.Conversation.ID, p.Conversation.Epoch)
	if l.Open(conn) != nil { // cut off meanwhile
		conn.Abort()
		return
	}
	v.run(ctx, l, p)
}

// lineOptions are those of the line that a session goes over.
func (v *voiceSockets) lineOptions(p session.Params, tokens *resumeTokens) line.Options {
	return line.Options{
		SessionID: p.Config.ID, ConversationID: p.Conversation.ID, Epoch: p.Conversation.Epoch, Config: p.Config,
		Offer: tokens.offer, Extend: tokens.extend, Changed: v.server.mirror.notify(), Log: v.server.log,
	}
}

// run holds the session to its end, of which the host tells the client and the log.
func (v *voiceSockets) run(ctx context.Context, conn session.Conn, p session.Params) {
	end := v.server.opts.Host.Run(ctx, conn, p)
	if mirror := v.server.opts.Mirror; mirror != nil && end != nil && closesConversation(end.Reason) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mirrorWait)
		defer cancel()
		if err := mirror.ForgetLive(ctx, p.Conversation.ID, p.Conversation.Epoch); err != nil {
			v.server.log.Debug("an ended session is still in the mirror", "conversation", p.Conversation.ID, "err", err)
		}
	}
}

// closesConversation says whether nobody goes on with a session that ended so.
func closesConversation(r session.EndReason) bool {
	switch r {
	case session.EndNormal, session.EndIdle, session.EndMaxDuration, session.EndQuota, session.EndForbidden:
		return true
	}
	return false
}

// renew says how long a fresh access token of the same user is good.
func (v *voiceSockets) renew(ctx context.Context, userID, accessToken string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, renewWait)
	defer cancel()
	who, err := v.server.identify(ctx, accessToken)
	if err != nil {
		return time.Time{}, err
	}
	if who.user.ID != userID {
		return time.Time{}, learn.Errorf(learn.Unauthorised, "gateway.voice", "The access token is another user's")
	}
	return who.expiresAt, nil
}

// endUser implements voiceEndpoint.
func (v *voiceSockets) endUser(userID string) { v.live.endUser(userID) }

// drain implements voiceEndpoint.
func (v *voiceSockets) drain(ctx context.Context) error { return v.live.drain(ctx) }

// Load is how full this node is of conversations, from 0 to 1. It does not block, and is
// safe to call from any goroutine.
func (s *Server) Load() float64 { return s.live.load() }
