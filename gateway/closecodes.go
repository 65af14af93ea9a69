package gateway

import (
	"unicode/utf8"

	"github.com/coder/websocket"

	"kalami/session"
)

// clientAction is what a client does after a close, which the code's range tells it
// even when it does not know the code.
type clientAction uint8

const (
	// actionStop: do not come back by itself; tell the learner.
	actionStop clientAction = iota
	// actionResume: come back with the resume token.
	actionResume
	// actionNewTicket: fetch a new ticket and start or continue the lesson.
	actionNewTicket
)

// closeCode is one row of the close-code table.
type closeCode struct {
	// code is the WebSocket close code; 0 means that no close frame is sent.
	code websocket.StatusCode
	// name is the close reason when the end itself names no error code.
	name   string
	client clientAction
}

// maxCloseReason is what a close frame has room for beside its code, in bytes.
const maxCloseReason = 123

// closeCodeOf is the table that says how each end of a session looks to its client.
// No other code in Kalami writes a numeric close code. ok is false for a reason that is
// not in the table, which then closes as an internal error.
//
//   - below 4000: the codes of RFC 6455, with its meanings
//   - 41xx: come back with the resume token
//   - 42xx: fetch a new ticket, then start or continue the lesson
//   - 44xx: stop and tell the learner
func closeCodeOf(r session.EndReason) (row closeCode, ok bool) {
	switch r {
	case session.EndNormal:
		return closeCode{1000, "normal", actionStop}, true
	case session.EndGone:
		return closeCode{0, "gone", actionResume}, true
	case session.EndGoingAway:
		return closeCode{1001, "going_away", actionResume}, true
	case session.EndProtocolError:
		return closeCode{1002, "protocol_error", actionStop}, true
	case session.EndWrongFrameType:
		return closeCode{1003, "wrong_frame_type", actionStop}, true
	case session.EndBadUTF8:
		return closeCode{1007, "invalid_utf8", actionStop}, true
	case session.EndPolicy:
		return closeCode{1008, "policy", actionStop}, true
	case session.EndTooBig:
		return closeCode{1009, "message_too_large", actionStop}, true
	case session.EndInternal:
		return closeCode{1011, "internal_error", actionResume}, true
	case session.EndRestart:
		return closeCode{1012, "restart", actionResume}, true
	case session.EndOverloaded:
		return closeCode{1013, "overloaded", actionNewTicket}, true

	case session.EndHeartbeatTimeout:
		return closeCode{4100, "heartbeat_timeout", actionResume}, true
	case session.EndSlowConsumer:
		return closeCode{4101, "slow_consumer", actionResume}, true
	case session.EndMoved:
		return closeCode{4102, "moved", actionResume}, true

	case session.EndResumeExpired:
		return closeCode{4200, "resume_expired", actionNewTicket}, true
	case session.EndSessionLost:
		return closeCode{4201, "session_lost", actionNewTicket}, true
	case session.EndMaxDuration:
		return closeCode{4202, "max_duration", actionNewTicket}, true

	case session.EndBadRequest:
		return closeCode{4400, "bad_request", actionStop}, true
	case session.EndUnauthorised: // a client may try one new ticket, once
		return closeCode{4401, "unauthorized", actionStop}, true
	case session.EndQuota:
		return closeCode{4402, "quota_exhausted", actionStop}, true
	case session.EndForbidden:
		return closeCode{4403, "forbidden", actionStop}, true
	case session.EndUnknownSession:
		return closeCode{4404, "unknown_session", actionStop}, true
	case session.EndIdle: // the learner taps to go on
		return closeCode{4408, "idle_timeout", actionStop}, true
	case session.EndSuperseded: // coming back would make two devices fight
		return closeCode{4409, "superseded", actionStop}, true
	case session.EndRateLimited:
		return closeCode{4429, "rate_limited", actionStop}, true
	}
	return closeCode{1011, "internal_error", actionResume}, false
}

// CloseCode returns the code with which a socket is closed for a reason; 0 when nothing is
// sent.
func CloseCode(r session.EndReason) int {
	row, _ := closeCodeOf(r)
	return int(row.code)
}

// CloseCodes returns the codes that clients are told of, those of the original's socket
// among them.
func CloseCodes() []int {
	codes := []int{4001, 4002} // see originalCloseFrame
	for _, reason := range session.EndReasons() {
		if code := CloseCode(reason); code != 0 {
			codes = append(codes, code)
		}
	}
	return codes
}

// noToken is the code of a socket that was opened without a token.
const noToken session.Code = "authentication_required"

// originalCloseFrame is closeFrame for the original's socket, whose clients know two
// codes of their own and take all others for a lost connection.
func originalCloseFrame(e *session.End) (code websocket.StatusCode, reason string, send bool) {
	switch {
	case e.Reason != session.EndUnauthorised:
		return closeFrame(e)
	case e.Code == noToken:
		return 4001, "Authentication required", true
	default: // forged, expired, or its user's sessions have been ended
		return 4002, "Invalid token", true
	}
}

// closeFrame is what e looks like on the wire; send is false when there is nobody to
// tell.
func closeFrame(e *session.End) (code websocket.StatusCode, reason string, send bool) {
	row, _ := closeCodeOf(e.Reason)
	reason = row.name
	if e.Code != "" {
		reason = string(e.Code)
	}
	for len(reason) > maxCloseReason || !utf8.ValidString(reason) {
		reason = reason[:min(len(reason)-1, maxCloseReason)]
	}
	return row.code, reason, row.code != 0
}
