package providers_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"kalami/providers"
)

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "0.5": 500 * time.Millisecond, "-3": 0, "soon": 0, "NaN": 0, "+Inf": time.Hour,
		"999999": time.Hour, "1e300": time.Hour, "Mon, 02 Jan 2006 15:04:05 GMT": 0,
	} {
		if got := providers.RetryAfter(http.Header{"Retry-After": {value}}); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	date := time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)
	if got := providers.RetryAfter(http.Header{"Retry-After": {date}}); got <= 0 || got > time.Minute {
		t.Errorf("a date a minute ahead: %v", got)
	}
}

func TestCheckBaseURL(t *testing.T) {
	for _, ok := range []string{"https://api.example.com", "http://localhost:11434/v1"} {
		if err := providers.CheckBaseURL(ok); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	for _, bad := range []string{"", "localhost:80", "/v1", "ftp://x", "http://", "http://me:secret@%zz"} {
		if err := providers.CheckBaseURL(bad); err == nil || !strings.HasPrefix(err.Error(), "base URL:") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestStatusDetailTakesCodesOnly(t *testing.T) {
	got := providers.StatusDetail(429, "rate_limit_error", "Sorry, you said: hola", "", strings.Repeat("x", 65), "messages[0].role")
	if want := "HTTP 429 rate_limit_error messages[0].role"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := providers.StatusDetail(200, "overloaded_error"); got != "overloaded_error" {
		t.Errorf("inside a 200: %q", got)
	}
}

func TestNetworkCause(t *testing.T) {
	cause := errors.New("connection refused")
	if got := providers.NetworkCause(&url.Error{Op: "Post", URL: "http://x", Err: cause}); got != cause {
		t.Errorf("got %v", got)
	}
	if got := providers.NetworkCause(cause); got != cause {
		t.Errorf("got %v", got)
	}
}
