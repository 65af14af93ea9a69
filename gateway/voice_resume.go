package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/gateway/metrics"
	"kalami/gateway/token"
	"kalami/session"
	"kalami/session/learn"
)

const (
	// memoryWait is how long the database may take to say that a token is good which this
	// node knows itself; then its own word is enough.
	memoryWait = 500 * time.Millisecond
	// leavingWait bounds the wait for a session of this node that is just ending, so that
	// what it still has to store is not fenced.
	leavingWait = 5 * time.Second
	// maxLastSeq is above what any session comes to. It also keeps numbers exact where they
	// are doubles.
	maxLastSeq = 1 << 48
)

// returning is a client that has come with a resume token, on a socket of its own that
// belongs to no session yet.
type returning struct {
	// Static after comeBack began.
	v            *voiceSockets
	seat         *seat
	conn         *voiceConn
	secret, hash string // the token and its hash
	conversation string // which it names
	next         string // the token that is offered in its place
	ip, request  string // where the client is, and the request's id, for audit and log
	began        time.Time
	said         session.ResumeSession
	eventID      string
}

// connectResume upgrades for a client with a resume token; whatever there is to say is
// said over the socket. It costs neither a ticket nor a share of the rate for sockets.
func (v *voiceSockets) connectResume(c echo.Context, secret string) error {
	r := &returning{v: v, secret: secret, hash: token.Hash(secret), ip: c.RealIP(), request: requestID(c)}
	r.conversation, _ = token.ParseResume(secret)
	if _, here := v.live.holder(r.conversation); !here && v.live.full() {
		return errNoPlace()
	}
	return v.connectStranger(c, func(s *seat) { r.seat = s }, r.comeBack)
}

// comeBack hears what the client has seen, and takes its session up: the one that waits on
// this node, or the conversation, wherever that was. It returns when the socket is another
// session's, when the session that it has begun is over, or when the client was refused.
func (r *returning) comeBack(ctx context.Context, conn *voiceConn) {
	r.conn = conn
	if no, ok := r.listen(ctx); !ok {
		r.counted(metrics.ResumeInvalid)
		if no != nil {
			no.tell(conn)
		}
		return
	}
	no := r.takeUp(ctx)
	if no == nil {
		return
	}
	if end, ended := errors.AsType[*session.End](context.Cause(ctx)); ended {
		conn.Close(end) // the node drains
		return
	}
	if errors.Is(no, errAway) {
		r.counted(metrics.ResumeInvalid)
		conn.Abort()
		return
	}
	r.refuse(no)
}

// takeUp goes on with the client's session, warm or cold; the error is why it cannot.
func (r *returning) takeUp(ctx context.Context) error {
	if r.v.server.opts.Resumptions == nil {
		return errOver
	}
	r.next = token.NewResume(r.conversation)
	err := r.warm(ctx)
	if errors.Is(err, errNotHere) {
		err = r.cold(ctx)
	}
	return err
}

// listen waits for session.resume. Without ok, no is what the client is told instead; nil
// when it is gone, or has been told.
func (r *returning) listen(ctx context.Context) (no *refusal, ok bool) {
	defer context.AfterFunc(ctx, r.conn.Abort)()
	var in session.Input
	_ = r.conn.raw.SetReadDeadline(time.Now().Add(r.v.hello))
	err := r.conn.Read(&in)
	if end, ended := errors.AsType[*session.End](err); ended && end.Reason != session.EndGone {
		r.conn.Close(end)
		return nil, false
	}
	_ = r.conn.raw.SetReadDeadline(time.Time{})
	no = &refusal{end: session.EndBadRequest, problem: session.Problem{Type: session.InvalidRequest, Code: session.BadRequest,
		Param: "type", EventID: in.EventID, Message: "The first event after a resume token must be session.resume."}}
	switch said := in.Control.(type) {
	case session.ResumeSession:
		if err != nil {
			return no, false
		}
		r.said, r.eventID, r.began = said, in.EventID, time.Now()
		if said.LastSeq < maxLastSeq {
			return nil, true
		}
		no.problem.Code, no.problem.Param = session.InvalidEvent, "last_seq"
		no.problem.Message = "last_seq is a number that no event has."
	case session.Rejected:
		if err == nil && said.Problem.Fatal {
			no = &refusal{problem: said.Problem, end: r.conn.over.Reason}
		}
	}
	return no, false
}

// ask puts the token to the database; epoch is that of a session of this node, or 0 to take
// the conversation over. A client that has left is not asked for: a node that was stopped
// for a while finds in its sockets what clients have said that have long been elsewhere, and
// would take the conversation from who has it now. What this cannot see are a client that
// vanished without its connection being closed, one that has sent a close frame and holds
// the connection still, and a stop just between the look and the statement: then its owner
// is superseded, and the client comes back once more.
func (r *returning) ask(ctx context.Context, epoch int64) (question learn.Resumption, c learn.Conversation, outcome learn.ResumeOutcome, err error) {
	if hungUp(r.conn.raw) {
		return question, c, 0, errAway
	}
	question = r.resumption(epoch)
	c, outcome, err = r.v.server.opts.Resumptions.Resume(ctx, question)
	return question, c, outcome, err
}

// resumption is the question to the database.
func (r *returning) resumption(epoch int64) learn.Resumption {
	return learn.Resumption{ConversationID: r.conversation, Hash: r.hash, Next: token.Hash(r.next),
		Epoch: epoch, Window: r.v.server.opts.ResumeWindow}
}

// counted tells the meter what became of the client.
func (r *returning) counted(result metrics.ResumeResult) {
	if m := r.v.server.opts.Meter; m != nil {
		m.Resumed(result, time.Since(r.began))
	}
}

// The reasons why a client cannot come back; others are those of a store.
var (
	errNotHere = errors.New("gateway: no such session on this node") // it may be elsewhere
	errAway    = errors.New("gateway: the client has left")          // before it could be served
	errOver    = errors.New("gateway: the conversation has ended, or the time of its token")
	errForeign = errors.New("gateway: a resume token that was used already, or never good")
	errRevoked = errors.New("gateway: the user's sessions were ended")
	errFuture  = errors.New("gateway: last_seq is from the future")
)

// notGranted is an outcome as an error. A foreign token is an event for the audit.
func (r *returning) notGranted(ctx context.Context, outcome learn.ResumeOutcome, c learn.Conversation) error {
	switch outcome {
	case learn.ResumeForeign:
		return r.foreign(ctx, c)
	case learn.ResumeRevoked:
		return errRevoked
	case learn.ResumeMoved:
		return errNotHere
	default:
		return errOver
	}
}

// foreign records who showed a token without the right. An address that does so again and
// again is only told that it does.
func (r *returning) foreign(ctx context.Context, c learn.Conversation) error {
	s := r.v.server
	if _, err := s.count(ctx, r.request, "stranger:"+addressKey(r.ip), s.opts.Rates.Strangers, "Too many wrong resume tokens from your network"); err != nil {
		return err
	}
	if s.opts.Audit != nil {
		err := s.opts.Audit.RecordAudit(ctx, learn.AuditEvent{TenantID: c.TenantID, Action: learn.AuditResumeRefused,
			ObjectType: "conversation", ObjectID: c.ID, IP: r.ip})
		if err != nil {
			s.log.Error("a refused resume token is not in the audit log", "request_id", r.request, "conversation", c.ID, "err", err)
		}
	}
	return errForeign
}

// refuse tells the client why it cannot come back, and what to do instead.
func (r *returning) refuse(err error) {
	no, result := refusalOf(err), metrics.ResumeFailed
	switch {
	case errors.Is(err, errOver):
		result, no = metrics.ResumeExpired, refusal{end: session.EndResumeExpired, problem: session.Problem{
			Type: session.AuthenticationError, Code: session.ResumeExpired,
			Message: "The session cannot be taken up again; its conversation can be continued with a new ticket."}}
	case errors.Is(err, errForeign):
		result, no = metrics.ResumeForeign, refusal{end: session.EndForbidden, problem: session.Problem{
			Type: session.PermissionError, Code: session.ResumeInvalid,
			Message: "This resume token was used already, or belongs to another session."}}
	case errors.Is(err, errRevoked):
		result, no = metrics.ResumeRevoked, refusal{end: session.EndUnauthorised, problem: session.Problem{
			Type: session.AuthenticationError, Code: session.ResumeInvalid,
			Message: "You were signed out; sign in again to go on."}}
	case errors.Is(err, errFuture):
		result, no = metrics.ResumeInvalid, refusal{end: session.EndBadRequest, problem: session.Problem{
			Type: session.InvalidRequest, Code: session.InvalidEvent, Param: "last_seq",
			Message: "last_seq is the number of an event that was never sent."}}
	case isTooManySessions(err):
		result = metrics.ResumeFull
	case learn.KindOf(err) == learn.Unavailable:
		// The token is still good: the client is to come again with it, and not with a ticket.
		no.end, no.problem.Code = session.EndInternal, session.InternalError
	}
	no.problem.EventID, no.seq = r.eventID, r.said.LastSeq
	r.counted(result)
	r.v.server.log.Info("session not resumed", "request_id", r.request, "conversation", r.conversation, "result", string(result), "err", err)
	no.tell(r.conn)
}
