package gateway

import (
	"errors"
	"strconv"
	"time"

	"kalami/session"
	"kalami/session/learn"
)

// refusal is a no that is said over the socket: an error event, then a close.
type refusal struct {
	problem session.Problem
	end     session.EndReason
	// seq is the number of the error event; 0 means 1, that of the first event.
	seq uint64
}

// refusalOf is the one place where an error's kind becomes a refusal.
func refusalOf(err error) refusal {
	no := refusal{
		problem: session.Problem{Type: session.ServerError, Code: session.InternalError,
			Message: "Something went wrong on our side."},
		end: session.EndInternal,
	}
	switch learn.KindOf(err) {
	case learn.Unauthorised:
		no.problem.Type, no.problem.Code, no.end = session.AuthenticationError, session.TicketInvalid, session.EndUnauthorised
	case learn.Forbidden:
		no.problem.Type, no.problem.Code, no.end = session.PermissionError, session.Forbidden, session.EndForbidden
	case learn.Invalid:
		no.problem.Type, no.problem.Code, no.end = session.InvalidRequest, session.BadRequest, session.EndBadRequest
	case learn.NotFound, learn.Conflict: // the profile or the conversation is gone
		no.problem.Type, no.problem.Code, no.end = session.InvalidRequest, session.SessionLost, session.EndUnknownSession
	case learn.TooMany:
		no.problem.Type, no.problem.Code, no.end = session.RateLimitError, session.TooManySessions, session.EndRateLimited
	case learn.Unavailable:
		no.end = session.EndOverloaded
	case learn.Internal:
		return no
	}
	if e, ok := errors.AsType[*learn.Error](err); ok && e.Msg != "" {
		no.problem.Message = e.Msg
	}
	no.problem.RetryAfterMS = int(retryAfterOf(learn.KindOf(err)) / time.Millisecond)
	if a, ok := errors.AsType[*apiError](err); ok {
		if a.retryAfter > 0 {
			no.problem.RetryAfterMS = int(a.retryAfter / time.Millisecond)
		}
		if a.code == string(session.TicketExpired) {
			no.problem.Code = session.TicketExpired
		}
	}
	return no
}

// tell says no and closes conn, which nobody else may be using. It takes a few seconds
// at most, whatever the client does.
func (no refusal) tell(conn *voiceConn) {
	no.problem.Fatal = true
	_ = conn.raw.SetDeadline(time.Now().Add(closeWait))
	seq := max(1, no.seq)
	head := session.Head{Seq: seq, EventID: "evt_" + strconv.FormatUint(seq, 36)}
	if err := conn.WriteEvent(head, session.Failure{Error: no.problem}); err != nil {
		conn.Abort()
		return
	}
	conn.Close(&session.End{Reason: no.end, Code: no.problem.Code})
}
