package learner

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// pauseBefore is the wait before an attempt to come back, of which the first is 0: by
// the protocol 0, 100, 250, 500, 1000, 2000 and then 5000 ms, each drawn anew from 0 to
// that, so that a crowd does not come back in step.
func pauseBefore(attempt int) time.Duration {
	waits := [...]time.Duration{0, 100, 250, 500, 1000, 2000, 5000}
	most := waits[min(attempt, len(waits)-1)] * time.Millisecond
	return time.Duration(rand.Float64() * float64(most))
}

// remedy is what a client does when it has lost its socket.
type remedy uint8

const (
	// stop: it is over; the learner is told.
	stop remedy = iota
	// resume: come back with the resume token.
	resume
	// renew: continue the conversation in a new session, with a new ticket.
	renew
	// renewOnce: the same, but not twice in a row.
	renewOnce
)

// The close codes that a client needs to know beside their ranges.
const (
	codeMaxDuration  = 4202
	codeUnauthorised = 4401
	codeSuperseded   = 4409
)

// remedyFor says what helps against the end of a socket, by the protocol's table. Codes
// that are not in it count by their range.
func remedyFor(err error) remedy {
	if refused, ok := errors.AsType[*StatusError](err); ok {
		if refused.Status == http.StatusTooManyRequests || refused.Status >= http.StatusInternalServerError {
			return resume
		}
		return stop
	}
	switch code := websocket.CloseStatus(err); {
	case code == -1: // the network's fault
		return resume
	case code == websocket.StatusGoingAway, code == websocket.StatusInternalError, code == websocket.StatusServiceRestart,
		code >= 4100 && code < 4200:
		return resume
	case code == codeMaxDuration: // whether to go on is the learner's to say
		return stop
	case code == websocket.StatusTryAgainLater, code >= 4200 && code < 4300:
		return renew
	case code == codeUnauthorised:
		return renewOnce
	}
	return stop
}

// hinted is the wait that a refusal asks for. Who returns to a session waits a second at
// the most: it was one node that refused, and behind the same address there are others.
func hinted(err error, how remedy) time.Duration {
	refused, ok := errors.AsType[*StatusError](err)
	switch {
	case !ok:
		return 0
	case how == resume:
		return min(refused.RetryAfter, time.Duration(rand.Float64()*float64(time.Second)))
	}
	return refused.RetryAfter
}
