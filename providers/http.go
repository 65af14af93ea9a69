package providers

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// NewTransport returns an HTTP transport for calls to one vendor from many
// conversations at once: HTTP/2 where the vendor has it, else up to 256 idle
// connections kept for 90 s, so that a reply does not begin with a handshake.
// It does not ask for compression, which would hold back streamed events. Whoever
// made it calls CloseIdleConnections when done.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        512,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 3 * time.Second,
		DisableCompression:  true,
		// A connection that died silently must not swallow the next reply.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 3 * time.Second},
	}
}

// CheckBaseURL returns an error naming the field when base is not an absolute
// http or https URL.
func CheckBaseURL(base string) error {
	u, err := url.Parse(base)
	if err != nil {
		// url.Error repeats the text, which may hold a password.
		return errors.New("base URL: cannot be parsed")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("base URL: must be http://host… or https://host…")
	}
	return nil
}

// RetryAfter reads the wait that a vendor asks for, in whole seconds or as a
// date; 0 when it names none, at most an hour.
func RetryAfter(h http.Header) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	var d time.Duration
	if s, err := strconv.ParseFloat(v, 64); err == nil && s >= 0 {
		d = time.Duration(min(s, 3600) * float64(time.Second))
	} else if t, err := http.ParseTime(v); err == nil {
		d = time.Until(t)
	}
	return min(max(d, 0), time.Hour)
}

// ErrorCode returns s when it looks like a machine's code ("overloaded_error",
// "messages.0.content"), else "". Vendors' sentences are not put into errors, as
// they may quote the request and with it the learner; the request id finds them.
func ErrorCode(s string) string {
	if len(s) > 64 {
		return ""
	}
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		case r == '_', r == '-', r == '.', r == '[', r == ']':
		default:
			return ""
		}
	}
	return s
}

// StatusDetail makes an [Error]'s Detail from an HTTP status and the codes of the
// answer's body, dropping whatever is no code.
func StatusDetail(status int, codes ...string) string {
	var b strings.Builder
	if status >= 300 {
		fmt.Fprintf(&b, "HTTP %d", status)
	}
	for _, c := range codes {
		if c = ErrorCode(c); c == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(c)
	}
	return b.String()
}

// NetworkCause strips the request's address from a failed HTTP call's error; the
// error says already who failed at what.
func NetworkCause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
