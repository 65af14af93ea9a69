package openai

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/openai/openai-go/v3/packages/ssestream"

	"kalami/providers"
)

var (
	// errTruncated is the cause when a stream ends without its finish_reason.
	errTruncated = errors.New("the stream ended without finish_reason")
	// errGarbled is the cause when an answer is not what the protocol says. The
	// decoder's own error is dropped, since it may quote the answer.
	errGarbled = errors.New("the answer could not be decoded")
)

// maxErrorBody bounds what is read of an error's body, in bytes.
const maxErrorBody = 64 << 10

// failure makes a failure of op; raw is its answer, or nil when none came.
func failure(op string, raw *http.Response, kind providers.Kind, detail string, cause error) *providers.Error {
	e := &providers.Error{Kind: kind, Vendor: Vendor, Op: op, Detail: detail, Err: cause}
	if raw != nil {
		e.RequestID = raw.Header.Get("X-Request-Id")
		if kind == providers.Overloaded {
			e.RetryAfter = providers.RetryAfter(raw.Header)
		}
	}
	return e
}

// classify turns an error of the official client into ours. raw is the answer, whose
// body is still unread when the status is an error's.
func classify(op string, raw *http.Response, err error) error {
	if in, ok := errors.AsType[*ssestream.StreamError](err); ok {
		return refused(op, raw, 0, in.Event.Data)
	}
	if raw != nil && raw.StatusCode >= 300 {
		body, readErr := io.ReadAll(io.LimitReader(raw.Body, maxErrorBody))
		if readErr != nil {
			body = nil // the status alone must do
		}
		return refused(op, raw, raw.StatusCode, body)
	}
	if isDecoding(err) {
		return failure(op, raw, providers.Unavailable, "", errGarbled)
	}
	return failure(op, raw, providers.Unavailable, "", providers.NetworkCause(err))
}

// isDecoding tells a broken answer from a broken connection.
func isDecoding(err error) bool {
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return true
	}
	_, ok := errors.AsType[*json.UnmarshalTypeError](err)
	return ok
}

// errorBody is the inside of an error answer. Imitators send a bare string, or a
// number for a code; such fields are passed over.
type errorBody struct {
	Type, Code, Param string
}

// UnmarshalJSON implements json.Unmarshaler and accepts anything.
func (e *errorBody) UnmarshalJSON(b []byte) error {
	var fields map[string]any
	if json.Unmarshal(b, &fields) != nil {
		return nil
	}
	e.Type, _ = fields["type"].(string)
	e.Code, _ = fields["code"].(string)
	e.Param, _ = fields["param"].(string)
	return nil
}

// refused classifies an error body, which came with a status or, in the middle of
// a stream, after a 200 (status 0).
func refused(op string, raw *http.Response, status int, body []byte) error {
	var b struct {
		Error errorBody `json:"error"`
	}
	// A body that is no JSON (a proxy's page) leaves the status to speak.
	_ = json.Unmarshal(body, &b)
	kind := kindOfCode(b.Error.Type, b.Error.Code)
	switch {
	case kind != 0:
	case status == 0 && b.Error.Type == "invalid_request_error":
		kind = providers.Invalid
	default:
		kind = providers.KindOfStatus(status)
	}
	return failure(op, raw, kind, providers.StatusDetail(status, b.Error.Type, b.Error.Code, b.Error.Param), nil)
}

// kindOfCode maps an error's codes to a kind where they say more than the status
// does, or there is none; 0 otherwise.
func kindOfCode(typ, code string) providers.Kind {
	switch code {
	case "insufficient_quota", "billing_hard_limit_reached":
		return providers.Quota
	case "rate_limit_exceeded":
		return providers.Overloaded
	case "invalid_api_key":
		return providers.Denied
	}
	switch typ {
	case "insufficient_quota":
		return providers.Quota
	case "requests", "tokens", "rate_limit_error":
		return providers.Overloaded
	}
	return 0
}
