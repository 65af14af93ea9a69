package gateway

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/labstack/echo/v4"
)

// list splits a header's comma-separated values.
func (r reply) list(header string) []string { return headerTokens(r.header, header) }

// A page of another origin that is allowed to call may send and read what the API needs;
// caches keep its answers apart from those of others.
func TestCrossOriginManners(t *testing.T) {
	const app = "https://app.example"
	h := newHouse(t, func(o *Options) { o.AllowedOrigins = []string{app}; o.Limiter = &tally{} })
	ana, _ := h.account("ana@example.org")
	for _, op := range h.server.operations {
		r := h.do("OPTIONS", strings.ReplaceAll(op.path, ":id", "x"), nil, "Origin", app,
			"Access-Control-Request-Method", op.method, "Access-Control-Request-Headers", "authorization,content-type,if-none-match")
		if r.want(http.StatusNoContent); !slices.Contains(r.list("Access-Control-Allow-Methods"), op.method) {
			t.Errorf("%s %s is not allowed: %v", op.method, op.path, r.header)
		}
		for _, name := range []string{"Authorization", "Content-Type", "If-None-Match", "If-Modified-Since", "X-Request-Id"} {
			if !slices.Contains(r.list("Access-Control-Allow-Headers"), name) {
				t.Errorf("%s may not be sent", name)
			}
		}
		if r.header.Get("Access-Control-Max-Age") != "600" || r.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("preflight: %v", r.header)
		}
	}
	for _, r := range []reply{
		h.as(ana, "GET", "/users/profiles", nil, "Origin", app).want(http.StatusOK),
		h.as("x", "GET", "/users/profiles", nil, "Origin", app).want(http.StatusUnauthorized),
		h.do("GET", "/nowhere", nil, "Origin", app).want(http.StatusNotFound),
	} {
		for _, name := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "ETag", "X-Request-Id"} {
			if !slices.Contains(r.list("Access-Control-Expose-Headers"), name) {
				t.Errorf("%s may not be read: %v", name, r.list("Access-Control-Expose-Headers"))
			}
		}
		if r.header.Get("Access-Control-Allow-Origin") != app || !slices.Contains(r.list(echo.HeaderVary), "Origin") {
			t.Errorf("%v", r.header)
		}
	}
	if r := h.do("GET", "/health", nil).want(http.StatusOK); !slices.Contains(r.list(echo.HeaderVary), "Origin") {
		t.Errorf("without Origin: %v", r.list(echo.HeaderVary))
	}
}

// What no route knows is answered in the one shape, at both prefixes; a route tells
// which methods it has, and HEAD is GET without the body.
func TestManners(t *testing.T) {
	h := newHouse(t)
	for _, prefix := range []string{"", "/api"} {
		for _, path := range []string{"/nowhere", "/users/profiles/", "/users//profiles", "/auth/me/x", "/%00", "/auth/login?x=%zz/.."} {
			if r := h.do("GET", prefix+path, nil); r.code == http.StatusNotFound {
				r.refusal(http.StatusNotFound, "not_found")
			} else {
				r.refusal(http.StatusMethodNotAllowed, "method_not_allowed")
			}
		}
		for _, method := range []string{"PUT", "TRACE", "CONNECT", "BREW"} {
			r := h.do(method, prefix+"/auth/me", nil)
			if r.refusal(http.StatusMethodNotAllowed, "method_not_allowed"); !slices.Contains(r.list("Allow"), "GET") {
				t.Errorf("%s: Allow %q", method, r.list("Allow"))
			}
		}
		r := h.do("OPTIONS", prefix+"/users/profiles", nil).want(http.StatusNoContent)
		if got := r.list("Allow"); !slices.Contains(got, "GET") || !slices.Contains(got, "POST") || slices.Contains(got, "DELETE") {
			t.Errorf("Allow %q", got)
		}
		get, head := h.do("GET", prefix+"/languages", nil).want(200), h.do("HEAD", prefix+"/languages", nil).want(200)
		if head.header.Get(echo.HeaderContentType) != get.header.Get(echo.HeaderContentType) { // net/http drops the body
			t.Errorf("HEAD: %v", head.header)
		}
	}
}

// Files of the page are kept compressed, under a tag of their own.
func TestPagesCompressed(t *testing.T) {
	script := strings.Repeat("export const x = 1;\n", 200)
	h := newHouse(t, func(o *Options) {
		o.Pages = fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}, "app.js": {Data: []byte(script)},
			"media/hello.wav": {Data: []byte(strings.Repeat("RIFF", 1000))}}
	})
	plain := h.do("GET", "/app.js", nil).want(http.StatusOK)
	zipped := h.do("GET", "/app.js", nil, echo.HeaderAcceptEncoding, "gzip").want(http.StatusOK)
	if zipped.header.Get(echo.HeaderContentEncoding) != "gzip" || zipped.unzipped() != script || string(plain.body) != script {
		t.Errorf("%d bytes of %d: %v", len(zipped.body), len(plain.body), zipped.header)
	}
	if a, b := plain.header.Get(headerETag), zipped.header.Get(headerETag); a == b || a == "" || b == "" {
		t.Errorf("tags %q and %q", a, b)
	}
	for _, r := range []reply{plain, zipped} {
		if !slices.Contains(r.list(echo.HeaderVary), echo.HeaderAcceptEncoding) {
			t.Errorf("Vary %q", r.list(echo.HeaderVary))
		}
	}
	h.do("GET", "/app.js", nil, echo.HeaderAcceptEncoding, "gzip", "If-None-Match", zipped.header.Get(headerETag)).want(http.StatusNotModified)
	h.do("GET", "/app.js", nil, echo.HeaderAcceptEncoding, "gzip", "If-None-Match", plain.header.Get(headerETag)).want(http.StatusOK)
	part := h.do("GET", "/app.js", nil, echo.HeaderAcceptEncoding, "gzip", "Range", "bytes=0-5").want(http.StatusPartialContent)
	if string(part.body) != "export" || part.header.Get(echo.HeaderContentEncoding) != "" {
		t.Errorf("a part: %q, %v", part.body, part.header)
	}
	if r := h.do("GET", "/media/hello.wav", nil, echo.HeaderAcceptEncoding, "gzip").want(200); r.header.Get(echo.HeaderContentEncoding) != "" {
		t.Error("sound was compressed")
	}
}
