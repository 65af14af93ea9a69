package gateway

import (
	"net/http/httptest"
	"testing"
)

// The server is kalami.example; https://app.school.example and http://localhost:5173 are
// on its list. Everybody else is foreign, however alike they look.
func TestOrigins(t *testing.T) {
	allowed := []string{"https://app.school.example", "http://localhost:5173", "https://xn--espaol-zwa.example", "https://[2001:db8::7]:8443"}
	for _, tt := range []struct {
		host, origin string
		secure, want bool
	}{
		// Our own pages.
		{"kalami.example", "https://kalami.example", false, true}, // TLS ends at a proxy
		{"kalami.example", "https://kalami.example", true, true},
		{"kalami.example", "http://kalami.example", false, true},
		{"KALAMI.example", "https://kalami.EXAMPLE", true, true},
		{"kalami.example:443", "https://kalami.example", true, true},
		{"kalami.example", "https://kalami.example:443", true, true},
		{"kalami.example:80", "http://kalami.example", false, true},
		{"kalami.example:8000", "http://kalami.example:8000", false, true},
		{"localhost:8000", "http://localhost:8000", false, true},
		{"127.0.0.1:8000", "http://127.0.0.1:8000", false, true},
		{"[::1]:8000", "http://[::1]:8000", false, true},
		{"[::1]", "http://[::1]", false, true},

		// Those of the list.
		{"kalami.example", "https://app.school.example", true, true},
		{"kalami.example", "https://APP.school.example", true, true},
		{"kalami.example", "https://app.school.example:443", true, true},
		{"kalami.example", "http://localhost:5173", false, true},
		{"kalami.example", "https://xn--espaol-zwa.example", true, true},
		{"kalami.example", "https://[2001:db8::7]:8443", true, true},

		// The right name, another scheme or port.
		{"kalami.example", "http://kalami.example", true, false},
		{"kalami.example", "https://kalami.example:8443", true, false},
		{"kalami.example", "http://kalami.example:443", false, false},
		{"kalami.example", "https://kalami.example:80", true, false},
		{"kalami.example:8000", "http://kalami.example", false, false},
		{"kalami.example:8000", "http://kalami.example:80", false, false},
		{"kalami.example", "http://app.school.example", true, false},
		{"kalami.example", "https://app.school.example:444", true, false},
		{"kalami.example", "http://localhost:5174", false, false},
		{"kalami.example", "http://localhost", false, false},
		{"kalami.example", "https://localhost:5173", false, false},
		{"kalami.example", "ftp://kalami.example", false, false},
		{"kalami.example", "ws://kalami.example", false, false},
		{"kalami.example", "file://", false, false},
		{"kalami.example", "chrome-extension://kalami.example", false, false},

		// Names that look alike.
		{"kalami.example", "https://evil.example", true, false},
		{"kalami.example", "https://kalami.example.evil.example", true, false},
		{"kalami.example", "https://evilkalami.example", true, false},
		{"kalami.example", "https://sub.kalami.example", true, false},
		{"kalami.example", "https://example", true, false},
		{"kalami.example", "https://kalami.example.", true, false},
		{"kalami.example", "https://kalami-example", true, false},
		{"kalami.example", "https://app.school.example.evil.example", true, false},
		{"kalami.example", "https://xapp.school.example", true, false},
		{"kalami.example", "https://school.example", true, false},
		{"kalami.example", "https://app.school.exampl", true, false},
		{"kalami.example", "https://\u212aalami.example", true, false}, // the Kelvin sign folds to k
		{"kalami.example", "https://k\u0430lami.example", true, false}, // a Cyrillic a
		{"kalami.example", "https://español.example", true, false},     // browsers send its ASCII form
		{"[::1]:8000", "http://[::2]:8000", false, false},
		{"[::1]:8000", "http://[0:0:0:0:0:0:0:1]:8000", false, false}, // browsers shorten it
		{"[::1]:8000", "http://::1:8000", false, false},
		{"127.0.0.1:8000", "http://127.1:8000", false, false},
		{"127.0.0.1:8000", "http://localhost:8000", false, false},

		// Things that are no origin.
		{"kalami.example", "null", true, false},
		{"kalami.example", "", true, false},
		{"kalami.example", "*", true, false},
		{"kalami.example", "kalami.example", true, false},
		{"kalami.example", "//kalami.example", true, false},
		{"kalami.example", "https://", true, false},
		{"kalami.example", "https:kalami.example", true, false},
		{"kalami.example", "https://kalami.example/", true, false},
		{"kalami.example", "https://kalami.example/path", true, false},
		{"kalami.example", "https://kalami.example?x", true, false},
		{"kalami.example", "https://kalami.example#x", true, false},
		{"kalami.example", "https://kalami.example@evil.example", true, false},
		{"kalami.example", "https://evil.example@kalami.example", true, false},
		{"kalami.example", "https://kalami.example https://evil.example", true, false},
		{"kalami.example", "https://evil.example\\@kalami.example", true, false},
		{"kalami.example", "https://kalami.example%2eevil.example", true, false},
		{"kalami.example", "https://kalami.example\x00", true, false},
		{"kalami.example", " https://kalami.example", true, false},
	} {
		r := httptest.NewRequest("GET", voicePath, nil)
		r.Host = tt.host
		r.Header["Origin"] = []string{tt.origin}
		if got := originAllowed(r, allowed, tt.secure); got != tt.want {
			t.Errorf("%q at %s (TLS %v): %v, want %v", tt.origin, tt.host, tt.secure, got, tt.want)
		}
	}
}

func TestOriginHeaderCount(t *testing.T) {
	r := httptest.NewRequest("GET", voicePath, nil)
	r.Host = "kalami.example"
	if !originAllowed(r, nil, true) {
		t.Error("a request of no browser was judged by its origin")
	}
	r.Header["Origin"] = []string{"https://kalami.example", "https://kalami.example"}
	if originAllowed(r, nil, true) {
		t.Error("two origins were accepted")
	}
}

func FuzzOrigin(f *testing.F) {
	f.Add("kalami.example", "https://kalami.example")
	f.Add("[::1]:80", "http://[::1]")
	f.Add("", "http://:80")
	f.Fuzz(func(t *testing.T, host, origin string) {
		r := httptest.NewRequest("GET", voicePath, nil)
		r.Host, r.Header["Origin"] = host, []string{origin}
		if !originAllowed(r, nil, false) {
			return
		}
		canonical, ok := canonicalOrigin(origin)
		if again, ok2 := canonicalOrigin(canonical); !ok || !ok2 || again != canonical {
			t.Errorf("%q was allowed, and its canonical form is %q, then %q", origin, canonical, again)
		}
	})
}
