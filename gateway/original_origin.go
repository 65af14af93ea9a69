package gateway

import (
	"net/http"
	"strings"
)

// originalOriginAllowed is originAllowed for the original's socket. Its clients are
// programs, and some of those name an origin that is no page's: an empty one, or one of
// their own scheme, such as "capacitor://localhost" and "file://". Those are let in;
// pages of the Web, and those that hide which they are ("null"), are judged as ever.
//
// It is a second bolt. What opens the socket is the token, which no browser sends by
// itself, so that a foreign page would have to have it already.
func originalOriginAllowed(r *http.Request, allowed []string, secure bool) bool {
	if values := r.Header.Values("Origin"); len(values) == 1 {
		scheme, _, found := strings.Cut(values[0], "://")
		switch scheme = asciiLower(scheme); {
		case values[0] == "":
			return true
		case found && isScheme(scheme) && scheme != "http" && scheme != "https":
			return true
		}
	}
	return originAllowed(r, allowed, secure)
}

// isScheme says whether s has the form of a scheme in lower case.
func isScheme(s string) bool {
	for i, b := range []byte(s) {
		letter := b >= 'a' && b <= 'z'
		if !letter && (i == 0 || (b < '0' || b > '9') && b != '+' && b != '-' && b != '.') {
			return false
		}
	}
	return s != ""
}
