package gateway

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
)

const exampleRequestID = "JX3QZ5TLB6W2ARFMD4YKHC7VUE"

// commonHeaders are the headers of answers, to be referred to.
func commonHeaders() map[string]*huma.Header {
	whole := func(about string, example int) *huma.Header {
		return &huma.Header{Description: about, Schema: &huma.Schema{Type: huma.TypeInteger, Examples: []any{example}}}
	}
	text := func(about, example string) *huma.Header {
		return &huma.Header{Description: about, Schema: &huma.Schema{Type: huma.TypeString, Examples: []any{example}}}
	}
	return map[string]*huma.Header{
		"RequestID":          text("What the server's log calls this request.", exampleRequestID),
		"WWWAuthenticate":    text("How to authenticate.", "Bearer"),
		"RetryAfter":         whole("Seconds to wait before trying again.", 1),
		"RateLimitLimit":     whole("How many requests may come at once.", 60),
		"RateLimitRemaining": whole("How many may still come now.", 0),
		"RateLimitReset":     whole("Seconds until the full number may come again.", 1),
	}
}

func addRateHeaders(headers map[string]*huma.Header) {
	headers[headerRateLimit] = headerRef("RateLimitLimit")
	headers[headerRateRemaining] = headerRef("RateLimitRemaining")
	headers[headerRateReset] = headerRef("RateLimitReset")
}

func headerRef(name string) *huma.Header { return &huma.Header{Ref: "#/components/headers/" + name} }

// commonFailures are the failures that many operations share.
func commonFailures(failed *huma.Schema) map[string]*huma.Response {
	return map[string]*huma.Response{
		"Unauthorized":         failureResponse(failed, http.StatusUnauthorized, "The access token is missing, forged, expired or revoked."),
		"TooLarge":             failureResponse(failed, http.StatusRequestEntityTooLarge, "The body is larger than this route takes."),
		"UnsupportedMediaType": failureResponse(failed, http.StatusUnsupportedMediaType, "The body is of a type that this route does not take."),
		"Invalid":              failureResponse(failed, http.StatusUnprocessableEntity, "Something in the request is wrong: `errors` names each field."),
		"TooManyRequests":      failureResponse(failed, http.StatusTooManyRequests, "Too many requests; come again after the time that Retry-After tells."),
		"InternalError":        failureResponse(failed, http.StatusInternalServerError, "Something went wrong here; the log knows it by `request_id`."),
	}
}

// failureResponse is an answer of the one error shape.
func failureResponse(failed *huma.Schema, status int, about string) *huma.Response {
	headers := map[string]*huma.Header{"X-Request-ID": headerRef("RequestID")}
	switch status {
	case http.StatusUnauthorized:
		headers[echo.HeaderWWWAuthenticate] = headerRef("WWWAuthenticate")
	case http.StatusServiceUnavailable:
		headers[echo.HeaderRetryAfter] = headerRef("RetryAfter")
	case http.StatusTooManyRequests:
		headers[echo.HeaderRetryAfter] = headerRef("RetryAfter")
		addRateHeaders(headers)
	}
	shown := &huma.MediaType{Schema: failed}
	if status != http.StatusUnprocessableEntity { // whose example has fields, and is made of the schema's
		example := statusAnswer(status).body
		example.RequestID = exampleRequestID
		shown.Example = example
	}
	return &huma.Response{
		Description: about, Headers: headers,
		Content: map[string]*huma.MediaType{echo.MIMEApplicationJSON: shown},
	}
}
