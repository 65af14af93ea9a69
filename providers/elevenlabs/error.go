package elevenlabs

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"kalami/providers"
)

// maxDetail bounds what is kept of a vendor's explanation.
const maxDetail = 200

// refusedError is the cause in an *Error for an HTTP answer that was no success.
type refusedError struct {
	status    int
	explained bool // in the vendor's way
}

// Error implements error.
func (e *refusedError) Error() string { return fmt.Sprintf("HTTP status %d", e.status) }

// errClosed is why a stream that was closed by its owner does nothing more.
var errClosed = errors.New("the stream was closed")

func invalid(op, detail string) error {
	return &providers.Error{Kind: providers.Invalid, Vendor: vendor, Op: op, Detail: detail}
}

// refusal makes an error of an HTTP answer, whose body it reads and closes.
func refusal(op string, resp *http.Response, body []byte) *providers.Error {
	code, text := explain(body)
	e := &providers.Error{
		Kind: classify(resp.StatusCode, code, text), Vendor: vendor, Op: op, RequestID: requestID(resp.Header),
		Detail: shorten(strings.TrimPrefix(code+": "+text, ": ")), Err: &refusedError{resp.StatusCode, code != ""},
	}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
		e.RetryAfter = time.Duration(n) * time.Second
	}
	return e
}

// requestID is the vendor's name for a call.
func requestID(h http.Header) string {
	return shorten(cmp.Or(h.Get("request-id"), h.Get("x-request-id"), h.Get("x-trace-id")))
}

// explain reads an error body, whose detail is an object (newer: with a code;
// older: with a status), a list (validation), or plain text.
func explain(body []byte) (code, text string) {
	var outer struct {
		Detail json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(body, &outer) != nil || len(outer.Detail) == 0 {
		return "", ""
	}
	switch outer.Detail[0] {
	case '{':
		var d struct{ Code, Status, Message string }
		if json.Unmarshal(outer.Detail, &d) == nil {
			return cmp.Or(d.Code, d.Status), d.Message
		}
	case '[':
		var list []struct {
			Loc []any
			Msg string
		}
		if json.Unmarshal(outer.Detail, &list) == nil && len(list) > 0 {
			where := make([]string, len(list[0].Loc))
			for i, l := range list[0].Loc {
				where[i] = fmt.Sprint(l)
			}
			return strings.Join(where, "."), list[0].Msg
		}
	case '"':
		_ = json.Unmarshal(outer.Detail, &text)
	}
	return "", text
}

// classify decides the kind from the vendor's code, else its words, else the
// status (0 on a socket). The code comes first since a used-up quota has the
// status of a wrong key.
func classify(status int, code, text string) providers.Kind {
	switch code {
	case "quota_exceeded", "insufficient_quota", "payment_required":
		return providers.Quota
	case "max_active_conversations", "rate_limit_exceeded", "concurrent_limit_exceeded", "too_many_concurrent_requests", "system_busy":
		return providers.Overloaded
	case "detected_unusual_activity", "invalid_api_key", "invalid_authorization", "needs_authorization", "missing_permissions", "only_for_creator+":
		return providers.Denied
	case "voice_not_found", "invalid_input_message", "invalid_parameters", "max_character_limit_exceeded", "unsupported_model", "unsupported_language", "model_not_found":
		return providers.Invalid
	case "input_timeout_exceeded":
		return providers.Unavailable
	}
	if status == http.StatusTooManyRequests {
		return providers.Overloaded
	}
	text = strings.ToLower(text)
	for _, w := range []struct {
		word string
		kind providers.Kind
	}{
		{"quota", providers.Quota}, {"unusual activity", providers.Denied}, {"api key", providers.Denied},
		{"maximum simultaneous contexts", providers.Overloaded}, {"concurrent", providers.Overloaded},
		{"voice settings", providers.Invalid}, {"voice_settings", providers.Invalid},
	} {
		if strings.Contains(text, w.word) {
			return w.kind
		}
	}
	if status == 0 {
		return providers.Unavailable
	}
	return providers.KindOfStatus(status)
}

// closeError says why a socket could not be read or written any more.
func closeError(op, request string, err error) *providers.Error {
	e := &providers.Error{Kind: providers.Unavailable, Vendor: vendor, Op: op, RequestID: request, Err: err}
	if ce, ok := errors.AsType[websocket.CloseError](err); ok {
		e.Kind = classify(0, "", ce.Reason)
		e.Detail, e.Err = shorten(fmt.Sprintf("closed with %d: %s", ce.Code, ce.Reason)), nil
	}
	return e
}

// requestError says why a request got no answer: ctx's cause when that is it.
func requestError(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err // the address says nothing new
	}
	return &providers.Error{Kind: providers.Unavailable, Vendor: vendor, Op: op, Err: err}
}

// shorten makes a vendor's text fit for a log line.
func shorten(s string) string {
	b := []byte(s)
	if len(b) > maxDetail {
		b = b[:maxDetail]
	}
	return string(bytes.ToValidUTF8(bytes.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, b), nil))
}
