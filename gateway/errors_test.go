package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

// Each kind has its own status; a kind that is added must be given one here.
func TestEveryKindHasAStatus(t *testing.T) {
	want := map[learn.Kind]int{
		learn.Internal: 500, learn.Invalid: 422, learn.Unauthorised: 401, learn.Forbidden: 403,
		learn.NotFound: 404, learn.Conflict: 409, learn.TooMany: 429, learn.Unavailable: 503,
	}
	for k, status := range want {
		if got := statusOf(k); got != status {
			t.Errorf("%v answers %d, want %d", k, got, status)
		}
	}
	// Kinds are counted from 0, and only known ones but Internal have a name.
	var known int
	for k := learn.Kind(1); k != 0; k++ {
		if k.String() != learn.Internal.String() {
			known++
		}
	}
	if known != len(want)-1 {
		t.Errorf("%d kinds beside Internal have a name, %d have a status", known, len(want)-1)
	}
}

func TestDescribe(t *testing.T) {
	cause := errors.New("a cause that nobody may see")
	fields := []learn.FieldError{{Field: "email", Message: "is required"}}
	for name, c := range map[string]struct {
		err        error
		status     int
		code       string
		detail     string
		retryAfter time.Duration
	}{
		"unknown error":          {cause, 500, "internal", "Internal Server Error", 0},
		"internal with a text":   {&learn.Error{Kind: learn.Internal, Msg: "shown?", Err: cause}, 500, "internal", "Internal Server Error", 0},
		"kind with a text":       {&learn.Error{Kind: learn.NotFound, Msg: "Profile not found", Err: cause}, 404, "not_found", "Profile not found", 0},
		"kind without a text":    {&learn.Error{Kind: learn.Conflict, Err: cause}, 409, "conflict", "Conflict", 0},
		"wrapped":                {fmt.Errorf("more: %w", learn.Errorf(learn.Forbidden, "op", "No")), 403, "forbidden", "No", 0},
		"fields":                 {&learn.Error{Kind: learn.Invalid, Msg: "email: is required", Fields: fields}, 422, "invalid", "email: is required", 0},
		"too many":               {learn.Errorf(learn.TooMany, "op", "Later"), 429, "too_many_requests", "Later", time.Second},
		"unavailable":            {learn.Errorf(learn.Unavailable, "op", "Later"), 503, "unavailable", "Later", 5 * time.Second},
		"own status, code, wait": {&apiError{err: learn.Errorf(learn.Conflict, "op", "Taken"), status: 400, code: "taken", retryAfter: time.Minute}, 400, "taken", "Taken", time.Minute},
		"own code alone":         {&apiError{err: learn.Errorf(learn.Conflict, "op", "Taken"), code: "taken"}, 409, "taken", "Taken", 0},
		"router":                 {echo.ErrNotFound, 404, "not_found", "Not Found", 0},
		"body too large":         {fmt.Errorf("read: %w", &http.MaxBytesError{Limit: 25 << 20}), 413, "request_entity_too_large", "The request's body must not be larger than 25 MiB", 0},
		"client went away":       {fmt.Errorf("store: %w", context.Canceled), 499, "client_gone", "Client closed the request", 0},
		"a database given up":    {fmt.Errorf("%w: %w", errSlowHandler, context.Canceled), 503, "unavailable", "Service Unavailable", 5 * time.Second},
		"handler too slow":       {fmt.Errorf("%w: %w", errSlowHandler, cause), 503, "unavailable", "Service Unavailable", 5 * time.Second},
	} {
		a := describe(c.err)
		if a.status != c.status || a.body.Code != c.code || a.body.Detail != c.detail || a.retryAfter != c.retryAfter {
			t.Errorf("%s: %+v", name, a)
		}
		if want := name == "fields"; want != (len(a.body.Errors) == 1) {
			t.Errorf("%s: errors %v", name, a.body.Errors)
		}
	}
}

// A handler that waits for ever is ended, and the answer says that it was the server's fault.
func TestSlowHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.server.echo.GET("/slow", h.server.limited(operation{}, func(c echo.Context) error {
			<-c.Request().Context().Done()
			return fmt.Errorf("the store gave up: %w", c.Request().Context().Err())
		}))
		start := time.Now()
		r := h.do("GET", "/slow", nil)
		r.refusal(http.StatusServiceUnavailable, "unavailable")
		if took := time.Since(start); took != handlerTimeout {
			t.Errorf("answered after %v, want %v", took, handlerTimeout)
		}
		if r.header.Get(echo.HeaderRetryAfter) != "5" {
			t.Errorf("Retry-After: %q", r.header.Get(echo.HeaderRetryAfter))
		}
	})
}
