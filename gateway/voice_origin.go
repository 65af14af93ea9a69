package gateway

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// originAllowed says whether the page that a socket request comes from may open one.
// A request without an Origin comes from no browser and is not judged here.
//
// Allowed are the origins of the list, each exactly as a browser writes it, and the
// request's own host and port; over TLS, only a page that came over TLS is the same site.
func originAllowed(r *http.Request, allowed []string, secure bool) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	if len(values) > 1 {
		return false
	}
	origin, ok := canonicalOrigin(values[0])
	if !ok {
		return false
	}
	if slices.Contains(allowed, origin) {
		return true
	}
	scheme, host, _ := strings.Cut(origin, "://")
	if secure && scheme != "https" {
		return false
	}
	return host == withoutUsualPort(scheme, asciiLower(r.Host))
}

// canonicalOrigin brings an Origin header into the one form that browsers use, or
// refuses it. International names come as their ASCII form; anything else that is not
// ASCII is a trick: Unicode has letters that fold to ASCII ones.
func canonicalOrigin(s string) (string, bool) {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f {
			return "", false
		}
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return "", false
	}
	_, rest, _ := strings.Cut(s, "://")
	if rest != u.Host { // a path, a user, a query, a fragment
		return "", false
	}
	return u.Scheme + "://" + withoutUsualPort(u.Scheme, asciiLower(u.Host)), true
}

func withoutUsualPort(scheme, host string) string {
	if scheme == "https" {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}

// asciiLower is strings.ToLower for ASCII letters only.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}
