package gateway

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"kalami/web/webtest"
)

// Both pages show the API in a real browser, with their own files alone and within their
// own policy; what is tried there reaches the server. One is opened below /, the other
// below /api: their files are the same at both, which the next test sees.
func TestDocumentationPages(t *testing.T) {
	server := httptest.NewServer(newHouse(t).server)
	t.Cleanup(server.Close)
	t.Run("docs", func(t *testing.T) {
		tb := webtest.Open(t, webtest.Browser{}, server.URL)
		tb.Visit("/api/docs")
		tb.WaitFor("the operations", `document.querySelector("#operations-profiles-createProfile, [id$=createProfile]")`)
		tb.Screenshot("1-operations")
		tb.Click(`.authorize.unlocked`)
		tb.WaitFor("both ways to authorise", `document.querySelectorAll(".auth-container").length === 2`)
		tb.Screenshot("2-authorise")
		tb.Click(`.close-modal`)
		tb.Click(`#operations-operations-listLanguages .opblock-summary-control`)
		tb.Click(`#operations-operations-listLanguages .execute`)
		tb.WaitFor("the server's answer", `document.querySelector("#operations-operations-listLanguages .live-responses-table")?.innerText.includes("own_name")`)
		tb.Screenshot("3-answer")
		tb.CheckClean()
	})
	t.Run("redoc", func(t *testing.T) {
		tb := webtest.Open(t, webtest.Browser{}, server.URL)
		tb.Visit("/redoc")
		tb.WaitFor("the operations", `document.body.innerText.includes("Begin to learn a language")`)
		tb.WaitFor("its looks", `getComputedStyle(document.querySelector(".menu-content")).position === "sticky"`)
		tb.Screenshot("1-read")
		tb.CheckClean()
	})
}

// The files are as compressed as a client likes them, are kept by it until they change,
// and only pages may do anything.
func TestDocumentationFiles(t *testing.T) {
	h := newHouse(t)
	for _, p := range documentationPages() {
		plain := h.do("GET", p.at, nil).want(http.StatusOK)
		if len(plain.body) == 0 || plain.header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %d bytes, encoding %q", p.at, len(plain.body), plain.header.Get("Content-Encoding"))
		}
		if got := plain.header.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || strings.Contains(got, "unsafe") {
			t.Errorf("%s: policy %q", p.at, got)
		}
		packed := h.do("GET", "/api"+p.at, nil, "Accept-Encoding", "br, gzip").want(http.StatusOK)
		if packed.header.Get("Content-Encoding") == "gzip" {
			if inflated, err := inflate(packed.body); err != nil || string(inflated) != string(plain.body) {
				t.Errorf("%s differs when it is compressed (%v)", p.at, err)
			}
			if packed.header.Get("ETag") == plain.header.Get("ETag") {
				t.Errorf("%s: both encodings have one ETag", p.at)
			}
		}
		h.do("GET", p.at, nil, "If-None-Match", plain.header.Get("ETag")).want(http.StatusNotModified)
		if r := h.do("HEAD", p.at, nil).want(http.StatusOK); len(r.body) != 0 {
			t.Errorf("HEAD %s has a body", p.at)
		}
	}
}

// Asking for a file again costs little, also for who takes no gzip and does not even want
// the body.
func TestDocumentationIsInflatedOnce(t *testing.T) {
	h := newHouse(t)
	const times = 20
	ask := func() {
		for _, p := range documentationPages() {
			h.do("HEAD", p.at, nil).want(http.StatusOK)
		}
	}
	ask()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		ask()
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / times; each > 1<<20 {
		t.Errorf("asking for every file again took %d bytes of memory", each)
	}
}
