package anthropic

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	sdk "github.com/anthropics/anthropic-sdk-go"

	"kalami/providers"
)

var (
	// errTruncated is the cause when a stream ends without its terminal event.
	errTruncated = errors.New("the stream ended without message_stop")
	// errGarbled is the cause when an event is not what the protocol says. The
	// decoder's own error is dropped, since it may quote the event.
	errGarbled = errors.New("an event could not be decoded")
)

// call is one request to Claude, for the errors that come of it.
type call struct {
	op  string         // what it was for, "reply"
	raw *http.Response // nil when no answer came
}

// requestID is the vendor's name for the call.
func (c *call) requestID() string {
	if c.raw == nil {
		return ""
	}
	return c.raw.Header.Get("request-id")
}

// error makes a failure of this call.
func (c *call) error(kind providers.Kind, detail string, cause error) *providers.Error {
	return &providers.Error{
		Kind: kind, Vendor: Vendor, Op: c.op,
		RequestID: c.requestID(), Detail: detail, Err: cause,
	}
}

// classify turns an error of the official client into ours. That error itself is
// not wrapped: its text holds the answer's whole body.
func (c *call) classify(err error) error {
	if err == nil {
		return c.error(providers.Unavailable, "", errTruncated)
	}
	if api, ok := errors.AsType[*sdk.Error](err); ok {
		return c.refused(api.StatusCode, api.RawJSON())
	}
	if c.raw != nil && c.raw.StatusCode >= 400 {
		return c.refused(c.raw.StatusCode, "")
	}
	if c.raw != nil && !isNetwork(err) {
		return c.error(providers.Unavailable, "", errGarbled)
	}
	return c.error(providers.Unavailable, "", providers.NetworkCause(err))
}

// isNetwork tells a broken connection from a broken event, for errors that came
// while an answer was read.
func isNetwork(err error) bool {
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return false
	}
	_, ok := errors.AsType[*json.UnmarshalTypeError](err)
	return !ok
}

// refused classifies an error body, which came with a status or, in the middle of
// a stream, after a 200.
func (c *call) refused(status int, body string) error {
	var b struct {
		RequestID string `json:"request_id"`
		Error     struct {
			Type    string `json:"type"`
			Message string `json:"message"`
			Details struct {
				Code string `json:"error_code"`
			} `json:"details"`
		} `json:"error"`
	}
	// A body that is no JSON (a proxy's page) leaves the status to speak.
	if json.Unmarshal([]byte(body), &b) != nil {
		b.Error.Type = ""
	}
	kind := kindOfType(b.Error.Type)
	if kind == 0 {
		kind = providers.KindOfStatus(status)
	}
	// A spent monthly cap is a 429, an empty prepaid account a 400; neither is
	// cured by waiting or by asking differently.
	if b.Error.Details.Code == "enforced_spend_limit_reached" || strings.Contains(b.Error.Message, "credit balance") {
		kind = providers.Quota
	}
	e := c.error(kind, providers.StatusDetail(status, b.Error.Type, b.Error.Details.Code), nil)
	if e.RequestID == "" {
		e.RequestID = providers.ErrorCode(b.RequestID)
	}
	if kind == providers.Overloaded && c.raw != nil {
		e.RetryAfter = providers.RetryAfter(c.raw.Header)
	}
	return e
}

// kindOfType maps an error's type to a kind; 0 for types that are not known.
func kindOfType(t string) providers.Kind {
	switch t {
	case "authentication_error", "permission_error":
		return providers.Denied
	case "billing_error":
		return providers.Quota
	case "rate_limit_error", "overloaded_error":
		return providers.Overloaded
	case "api_error", "timeout_error":
		return providers.Unavailable
	case "invalid_request_error", "not_found_error", "request_too_large":
		return providers.Invalid
	}
	return 0
}
