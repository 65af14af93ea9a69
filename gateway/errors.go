package gateway

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session"
	"kalami/session/learn"
)

// errorBody is the one shape of every error answer.
type errorBody struct {
	Detail    string             `json:"detail" doc:"A sentence for people" example:"email: is required"`
	Code      string             `json:"code" doc:"For programs: what kind of failure it is, or a closer name" example:"invalid"`
	RequestID string             `json:"request_id" doc:"What the server's log calls this request" example:"JX3QZ5TLB6W2ARFMD4YKHC7VUE"`
	Errors    []learn.FieldError `json:"errors,omitempty" doc:"The fields to correct"`
}

// statusClientGone is what the log shows when the client did not wait for its answer.
const statusClientGone = 499

// statusOf is the one place where a kind becomes an HTTP status. A route that must
// answer otherwise for the original's clients wraps its error in an [apiError].
func statusOf(k learn.Kind) int {
	switch k {
	case learn.Invalid:
		return http.StatusUnprocessableEntity
	case learn.Unauthorised:
		return http.StatusUnauthorized
	case learn.Forbidden:
		return http.StatusForbidden
	case learn.NotFound:
		return http.StatusNotFound
	case learn.Conflict:
		return http.StatusConflict
	case learn.TooMany:
		return http.StatusTooManyRequests
	case learn.Unavailable:
		return http.StatusServiceUnavailable
	case learn.Internal:
	}
	return http.StatusInternalServerError
}

// retryAfterOf is how long a client should wait by default; 0 says nothing about it.
func retryAfterOf(k learn.Kind) time.Duration {
	switch k {
	case learn.TooMany:
		return time.Second
	case learn.Unavailable:
		return 5 * time.Second
	default:
		return 0
	}
}

// apiError gives an error what the table of kinds does not: zero fields mean the kind's own.
type apiError struct {
	err        error
	status     int
	code       string
	retryAfter time.Duration
}

func (e *apiError) Error() string { return e.err.Error() }
func (e *apiError) Unwrap() error { return e.err }

// answer is an error, ready to be sent.
type answer struct {
	status     int
	retryAfter time.Duration
	body       errorBody
}

// describe turns any error into its answer. What is not meant for people stays out of it.
func describe(err error) answer {
	if he, ok := errors.AsType[*echo.HTTPError](err); ok {
		return statusAnswer(he.Code)
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		a := statusAnswer(http.StatusRequestEntityTooLarge)
		a.body.Detail = "The request's body must not be larger than " + bytesText(tooLarge.Limit)
		return a
	}
	kind := learn.KindOf(err)
	switch {
	case kind != learn.Internal:
	case errors.Is(err, context.DeadlineExceeded): // ours, even where it cancelled something
		kind = learn.Unavailable
	case errors.Is(err, context.Canceled):
		return answer{status: statusClientGone, body: errorBody{Detail: "Client closed the request", Code: "client_gone"}}
	}
	a := answer{status: statusOf(kind), retryAfter: retryAfterOf(kind)}
	a.body = errorBody{Detail: http.StatusText(a.status), Code: kind.String()}
	if le, ok := errors.AsType[*learn.Error](err); ok && kind != learn.Internal {
		a.body.Errors = le.Fields
		if le.Msg != "" {
			a.body.Detail = le.Msg
		}
	}
	if ae, ok := errors.AsType[*apiError](err); ok {
		if ae.status != 0 {
			a.status = ae.status
		}
		if ae.code != "" {
			a.body.Code = ae.code
		}
		if ae.retryAfter != 0 {
			a.retryAfter = ae.retryAfter
		}
	}
	return a
}

// statusAnswer describes what the router itself refuses: unknown paths, wrong methods,
// bodies that are too large.
func statusAnswer(status int) answer {
	text := http.StatusText(status)
	return answer{status: status, body: errorBody{
		Detail: text,
		Code:   strings.ReplaceAll(strings.ToLower(text), " ", "_"),
	}}
}

// renderError is the only writer of error answers.
func (s *Server) renderError(err error, c echo.Context) {
	if c.Response().Committed {
		return // the answer has begun, or the connection was handed over
	}
	a := describe(err)
	a.body.RequestID = requestID(c)
	h := c.Response().Header()
	h.Set(echo.HeaderCacheControl, "no-store")
	if a.status == http.StatusUnauthorized {
		h.Set(echo.HeaderWWWAuthenticate, "Bearer")
	}
	if a.retryAfter > 0 {
		h.Set(echo.HeaderRetryAfter, strconv.Itoa(wholeSeconds(a.retryAfter)))
	}
	if c.Request().Method == http.MethodHead {
		err = c.NoContent(a.status)
	} else {
		err = c.JSON(a.status, a.body)
	}
	if err != nil {
		s.log.Debug("the client did not take its error answer", "request_id", requestID(c), "err", err)
	}
}

// What is answered when no conversation may begin, where tickets are sold and where
// sockets are opened alike.

func errDraining() error {
	return &apiError{code: string(session.Draining), retryAfter: time.Second,
		err: learn.Errorf(learn.Unavailable, "gateway.admit", "This server is shutting down, try again shortly")}
}

func errTooManySessions(most int) error {
	return &apiError{code: string(session.TooManySessions), retryAfter: 10 * time.Second,
		err: learn.Errorf(learn.TooMany, "gateway.admit", "You already have %d conversations open", most)}
}

// isTooManySessions tells one of the caps on sessions from other things of which there are
// too many.
func isTooManySessions(err error) bool {
	a, ok := errors.AsType[*apiError](err)
	return ok && a.code == string(session.TooManySessions)
}

func errTenantFull(most int) error {
	return &apiError{code: string(session.TooManySessions), retryAfter: 30 * time.Second,
		err: learn.Errorf(learn.TooMany, "gateway.admit", "Your school already has %d conversations open, try again shortly", most)}
}

func errNoPlace() error {
	return &apiError{code: "overloaded", retryAfter: 30 * time.Second,
		err: learn.Errorf(learn.Unavailable, "gateway.admit", "All places are taken at the moment, try again shortly")}
}
