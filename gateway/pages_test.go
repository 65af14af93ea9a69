package gateway

import (
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/labstack/echo/v4"
)

const htmlAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

func somePages() fs.FS {
	return fstest.MapFS{
		"index.html":               {Data: []byte("<!doctype html><script type=module src=app.js></script>")},
		"app.js":                   {Data: []byte("import './views/talk.js'")},
		"views/talk.js":            {Data: []byte("export {}")},
		"assets/mark.svg":          {Data: []byte("<svg/>")},
		"style/base.css":           {Data: []byte("body{}")},
		"site.webmanifest":         {Data: []byte("{}")},
		"web.go":                   {Data: []byte("package web")},
		".hidden/secret.js":        {Data: []byte("no")},
		"views/.DS_Store":          {Data: []byte("no")},
		"LICENSE":                  {Data: []byte("MIT")},
		"media/hello.wav":          {Data: []byte("RIFF0123456789")},
		"media/deeper/worklet.mjs": {Data: []byte("export {}")},
	}
}

func TestRoot(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Pages = somePages() })
	for accept, page := range map[string]bool{
		htmlAccept: true, "text/html": true, "TEXT/HTML;q=0.1": true, "application/xhtml+xml": true,
		"": false, "*/*": false, "application/json": false, "text/html;q=0": false, "text/html;q=0.000, */*": false, "text/htmlx": false, ";;;": false,
	} {
		r := h.do("GET", "/", nil, echo.HeaderAccept, accept).want(http.StatusOK)
		if got := strings.HasPrefix(string(r.body), "<!doctype"); got != page {
			t.Errorf("Accept %q: %s", accept, r.body)
		}
		if vary := r.header.Values(echo.HeaderVary); !slices.Contains(vary, "Accept") || !slices.Contains(vary, "Accept-Encoding") {
			t.Errorf("Vary: %q", vary)
		}
		if m := map[bool]string{true: "no-cache", false: "no-store"}; r.header.Get("Cache-Control") != m[page] {
			t.Errorf("Accept %q: Cache-Control %q", accept, r.header.Get("Cache-Control"))
		}
	}
	for _, path := range []string{"/", "/api/"} {
		h.do("GET", path, nil).want(http.StatusOK).same(`{"name":"Kalami","status":"running","version":"v0.0.0-test"}`)
	}
	if m := newHouse(t).do("GET", "/", nil, echo.HeaderAccept, htmlAccept).want(http.StatusOK).json(); m["name"] != "Kalami" {
		t.Errorf("without pages: %v", m)
	}
}

func TestPages(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Pages = somePages() })
	for path, mime := range map[string]string{
		"/index.html": "text/html; charset=utf-8", "/app.js": "text/javascript; charset=utf-8",
		"/views/talk.js": "text/javascript; charset=utf-8", "/media/deeper/worklet.mjs": "text/javascript; charset=utf-8",
		"/style/base.css": "text/css; charset=utf-8", "/assets/mark.svg": "image/svg+xml",
		"/site.webmanifest": "application/manifest+json", "/LICENSE": "text/plain; charset=utf-8", "/media/hello.wav": "audio/wav",
	} {
		r := h.do("GET", path, nil).want(http.StatusOK)
		want, err := fs.ReadFile(somePages(), path[1:])
		if err != nil {
			t.Fatal(err)
		}
		if string(r.body) != string(want) || r.header.Get("Content-Type") != mime || r.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %q, %v", path, r.body, r.header)
		}
		etag := r.header.Get("ETag")
		if again := h.do("GET", path, nil, "If-None-Match", etag).want(http.StatusNotModified); etag == "" || len(again.body) != 0 {
			t.Errorf("%s: ETag %q", path, etag)
		}
		if head := h.do("HEAD", path, nil).want(http.StatusOK); len(head.body) != 0 || head.header.Get("ETag") != etag {
			t.Errorf("HEAD %s: %q", path, head.body)
		}
	}
	if r := h.do("GET", "/media/hello.wav", nil, "Range", "bytes=4-6").want(http.StatusPartialContent); string(r.body) != "012" {
		t.Errorf("range: %q", r.body)
	}
	for _, path := range []string{
		"/web.go", "/.hidden/secret.js", "/views/.DS_Store", "/views", "/views/", "/nothing.js",
		"/../server.go", "/views/../app.js", "/%2e%2e/server.go", "/app.js%00", "/APP.JS",
	} {
		h.do("GET", path, nil).refusal(http.StatusNotFound, "not_found")
	}
	h.do("POST", "/app.js", "{}").refusal(http.StatusMethodNotAllowed, "method_not_allowed")
}

// The page may load its own parts, use the microphone and open its own socket.
func TestPagePolicy(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Pages = somePages() })
	policy := func(target string) string {
		t.Helper()
		r := h.do("GET", target, nil, echo.HeaderAccept, htmlAccept).want(http.StatusOK)
		if p := r.header.Get("Permissions-Policy"); !strings.Contains(p, "microphone=(self)") || !strings.Contains(p, "camera=()") {
			t.Errorf("Permissions-Policy %q", p)
		}
		return r.header.Get("Content-Security-Policy")
	}
	plain := policy("http://localhost:8000/")
	for _, directive := range []string{
		"default-src 'none'", "script-src 'self'", "worker-src 'self'", "style-src 'self'",
		"connect-src 'self' ws://localhost:8000", "frame-ancestors 'none'", "base-uri 'none'",
	} {
		if !strings.Contains(plain+";", directive+";") {
			t.Errorf("%q is not in %q", directive, plain)
		}
	}
	if strings.Contains(plain, "unsafe") || strings.Contains(plain, "*") || strings.Contains(plain, "https:") {
		t.Errorf("too wide: %q", plain)
	}
	if tls := policy("https://kalami.example/index.html"); !strings.Contains(tls, "connect-src 'self' wss://kalami.example;") {
		t.Errorf("over TLS: %q", tls)
	}

	// A Host header cannot write directives of its own.
	req := newRequest(t, "")
	req.Host = "x;script-src*"
	if p := h.server.pagePolicy(req); strings.Contains(p, "x;") || !strings.Contains(p, "connect-src 'self';") {
		t.Errorf("injected: %q", p)
	}
}

func TestLoadPagesRefuses(t *testing.T) {
	if _, err := loadPages(fstest.MapFS{"a.exe": {Data: []byte("MZ")}}); err == nil || !strings.Contains(err.Error(), "a.exe") {
		t.Errorf("an unknown type: %v", err)
	}
	if _, err := loadPages(fstest.MapFS{"a.js": {Mode: fs.ModeSymlink, Data: []byte("nowhere")}}); err == nil {
		t.Error("an unreadable file was no error")
	}
}
