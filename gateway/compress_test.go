package gateway

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
)

// unzipped returns the answer's content, whatever its coding.
func (r reply) unzipped() string {
	r.Helper()
	if r.header.Get(echo.HeaderContentEncoding) == "" {
		return string(r.body)
	}
	z, err := gzip.NewReader(bytes.NewReader(r.body))
	if err != nil {
		r.Fatal(err)
	}
	content, err := io.ReadAll(z)
	if err != nil {
		r.Fatal(err)
	}
	return string(content)
}

// What is worth compressing is, for those who take it, and nothing else changes.
func TestCompression(t *testing.T) {
	h := newHouse(t)
	long := strings.Repeat("hola, ", 1000)
	blob := func(contentType, content string) echo.HandlerFunc {
		return func(c echo.Context) error { return c.Blob(http.StatusCreated, contentType, []byte(content)) }
	}
	for path, answer := range map[string]echo.HandlerFunc{
		"/test/json":  func(c echo.Context) error { return c.JSON(http.StatusCreated, long) },
		"/test/text":  blob("text/plain; charset=utf-8", long),
		"/test/short": blob("text/plain", long[:compressFrom-1]),
		"/test/audio": blob("audio/mpeg", long),
		"/auth/token": blob("application/json", long),
		"/test/done":  func(c echo.Context) error { return c.NoContent(http.StatusNoContent) },
		"/test/same":  func(c echo.Context) error { return c.NoContent(http.StatusNotModified) },
		"/test/coded": func(c echo.Context) error {
			c.Response().Header().Set(echo.HeaderContentEncoding, "br")
			return c.Blob(http.StatusCreated, "text/plain", []byte(long))
		},
		"/test/error": func(echo.Context) error { return echo.NewHTTPError(http.StatusTeapot) },
		"/test/panic": func(c echo.Context) error {
			c.Response().WriteHeader(http.StatusCreated)
			panic(http.ErrAbortHandler)
		},
	} {
		h.server.handle(operation{method: http.MethodGet, path: path}, answer)
	}
	const gz = "gzip"
	for _, c := range []struct {
		path, accept, coding string
		status               int
	}{
		{"/test/json", "gzip", gz, 201}, {"/api/test/json", "br, GZIP;q=0.5", gz, 201}, {"/test/text", "*", gz, 201},
		{"/test/json", "", "", 201}, {"/test/json", "br", "", 201}, {"/test/json", "gzip;q=0, *", "", 201}, {"/test/json", "*; q=0.0", "", 201},
		{"/test/short", "gzip", "", 201}, {"/test/audio", "gzip", "", 201}, {"/auth/token", "gzip", "", 201},
		{"/test/coded", "gzip", "br", 201},
	} {
		r := h.do("GET", c.path, nil, echo.HeaderAcceptEncoding, c.accept).want(c.status)
		plain := h.do("GET", c.path, nil).want(c.status)
		if got := r.header.Get(echo.HeaderContentEncoding); got != c.coding {
			t.Errorf("%s to %q: coding %q, want %q", c.path, c.accept, got, c.coding)
			continue
		}
		if c.coding == gz && (r.unzipped() != string(plain.body) || len(r.body) > len(plain.body)/10) {
			t.Errorf("%s: %d bytes of %d are %.40q", c.path, len(r.body), len(plain.body), r.unzipped())
		}
		if c.coding != gz && !bytes.Equal(r.body, plain.body) {
			t.Errorf("%s to %q was changed", c.path, c.accept)
		}
		if got := r.header.Get(echo.HeaderVary) == echo.HeaderAcceptEncoding; got == strings.HasPrefix(c.path, "/auth/") {
			t.Errorf("%s: Vary %q", c.path, r.header.Values(echo.HeaderVary))
		}
	}
	for path, status := range map[string]int{"/test/done": 204, "/test/same": 304} {
		if r := h.do("GET", path, nil, echo.HeaderAcceptEncoding, gz).want(status); len(r.body) > 0 || r.header.Get(echo.HeaderContentEncoding) != "" {
			t.Errorf("%s: %q, coding %q", path, r.body, r.header.Get(echo.HeaderContentEncoding))
		}
	}
	if r := h.do("HEAD", "/test/json", nil, echo.HeaderAcceptEncoding, gz).want(201); r.header.Get(echo.HeaderContentEncoding) != "" {
		t.Error("an answer without body has a coding")
	}
	h.do("GET", "/test/error", nil, echo.HeaderAcceptEncoding, gz).refusal(http.StatusTeapot, "i'm_a_teapot")
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler { //nolint:errorlint // as net/http does
				t.Error("the panic did not come through")
			}
		}()
		h.do("GET", "/test/panic", nil, echo.HeaderAcceptEncoding, gz)
	}()
}

// A compressed answer has other bytes than the plain one: its tag becomes weak, its
// length and ranges go; a part of it stays a part.
func TestCompressedTags(t *testing.T) {
	h := newHouse(t)
	content := strings.NewReader(strings.Repeat("x", 4096))
	h.server.handle(operation{method: http.MethodGet, path: "/test/file"}, func(c echo.Context) error {
		c.Response().Header().Set(headerETag, `"v1"`)
		c.Response().Header().Set(echo.HeaderContentType, "text/plain")
		http.ServeContent(c.Response(), c.Request(), "", time.Time{}, content)
		return nil
	})
	ask := func(header ...string) reply {
		return h.do("GET", "/test/file", nil, append(header, echo.HeaderAcceptEncoding, "gzip")...)
	}
	r := ask().want(http.StatusOK)
	if h := r.header; h.Get(headerETag) != `W/"v1"` || h.Get("Content-Length") != "" || h.Get("Accept-Ranges") != "" || len(r.unzipped()) != 4096 {
		t.Errorf("%v", r.header)
	}
	ask("If-None-Match", `W/"v1"`).want(http.StatusNotModified)
	ask("If-None-Match", `"v1"`).want(http.StatusNotModified)
	if r := ask("Range", "bytes=0-2047").want(http.StatusPartialContent); r.header.Get(echo.HeaderContentEncoding) != "" || len(r.body) != 2048 {
		t.Errorf("a part of %d bytes: %v", len(r.body), r.header)
	}
}

// A stream leaves as it is made, be it sound or text that turned out to be long.
func TestCompressionLetsStreamsThrough(t *testing.T) {
	h := newHouse(t)
	step := make(chan struct{})
	for path, parts := range map[string][]string{
		"/test/stream": {"a", strings.Repeat("b", 4096)},
		"/test/long":   {strings.Repeat("a", 4096), "b"},
	} {
		h.server.handle(operation{method: http.MethodGet, path: path}, func(c echo.Context) error {
			c.Response().Header().Set(echo.HeaderContentType, "text/plain")
			for _, part := range parts {
				if _, err := io.WriteString(c.Response(), part); err != nil {
					return err
				}
				c.Response().Flush()
				<-step
			}
			return nil
		})
	}
	server := httptest.NewServer(h.server)
	defer server.Close()
	for path, want := range map[string]struct{ first, rest int }{"/test/stream": {1, 4096}, "/test/long": {4096, 1}} {
		res, err := server.Client().Get(server.URL + path) //nolint:noctx // the client unzips
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, want.first)
		if _, err := io.ReadFull(res.Body, first); err != nil {
			t.Fatal(err)
		}
		step <- struct{}{}
		step <- struct{}{}
		rest, err := io.ReadAll(res.Body)
		if err != nil || len(rest) != want.rest || res.Uncompressed != (path == "/test/long") {
			t.Errorf("%s: %d and %d bytes, unzipped %v: %v", path, len(first), len(rest), res.Uncompressed, err)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
	}
}

// BenchmarkCompress is a list of a hundred messages.
func BenchmarkCompress(b *testing.B) {
	var writers gzipWriters
	content := []byte(strings.Repeat(`{"id":"0197","role":"assistant","content":"¿Qué tal fue tu fin de semana?","created_at":"2026-11-23T07:00:00Z"},`, 100))
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		z := writers.get(httptest.NewRecorder())
		if _, err := z.Write(content); err != nil {
			b.Fatal(err)
		}
		if err := z.Close(); err != nil {
			b.Fatal(err)
		}
		writers.idle.Put(z)
	}
}
