package gateway

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
)

// uploadHouse takes bodies of any type of up to most bytes at /test/upload, where answer
// says what becomes of them, and has room for twice as much; three quarters of it for long ones.
func uploadHouse(t *testing.T, most int64, answer echo.HandlerFunc) *house {
	h := newHouse(t, func(o *Options) { o.BodyMemory = 2 * most })
	h.server.handle(operation{method: http.MethodPost, path: "/test/upload", maxBody: most, timeout: 20 * time.Second}, answer)
	return h
}

// counted answers with the number of bytes that came.
func counted(c echo.Context) error {
	n, err := io.Copy(io.Discard, c.Request().Body)
	if err != nil {
		return errors.New("a handler that makes something else of it")
	}
	return c.String(http.StatusOK, fmt.Sprint(n))
}

// unsized hides a body's length, as chunked requests do.
type unsized struct{ io.Reader }

func (h *house) upload(body io.Reader) reply {
	r := httptest.NewRequestWithContext(h.Context(), http.MethodPost, "/test/upload", body)
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	return reply{house: h, code: w.Code, header: w.Header(), body: w.Body.Bytes()}
}

// A body that is too long is refused before it is read when it says so, else as soon as
// it is; the answer names the limit.
func TestTooLongBodies(t *testing.T) {
	h := uploadHouse(t, 4<<20, counted)
	if r := h.upload(strings.NewReader(strings.Repeat("x", 4<<20))).want(http.StatusOK); string(r.body) != "4194304" {
		t.Errorf("read %s", r.body)
	}
	for name, body := range map[string]io.Reader{
		"told":   strings.NewReader(strings.Repeat("x", 4<<20+1)),
		"untold": unsized{strings.NewReader(strings.Repeat("x", 4<<20-1) + "xx")},
	} {
		e := h.upload(body).refusal(http.StatusRequestEntityTooLarge, "request_entity_too_large")
		if e.Detail != "The request's body must not be larger than 4 MiB" {
			t.Errorf("%s: %q", name, e.Detail)
		}
	}
	if held := h.server.bodies.held.Load(); held != 0 {
		t.Errorf("%d bytes are still counted", held)
	}
}

// Uploads that come while others hold the memory are asked to come again: at once when
// they tell their length, else when there is no room for more. Others are not disturbed.
func TestUploadsTogether(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	h := uploadHouse(t, 4<<20, func(c echo.Context) error {
		_, err := io.Copy(io.Discard, c.Request().Body)
		begun <- struct{}{}
		<-end
		if err != nil {
			return err
		}
		return c.NoContent(http.StatusOK)
	})
	answers := make(chan reply)
	upload := func(body io.Reader) {
		go func() { answers <- h.upload(body) }()
	}
	megabyte := strings.Repeat("x", 1<<20)
	upload(strings.NewReader(strings.Repeat(megabyte, 3)))
	<-begun
	upload(unsized{strings.NewReader(strings.Repeat(megabyte, 2))}) // may become 4 MiB, of which there are 3 left
	<-begun
	upload(strings.NewReader(megabyte)) // a short one
	<-begun
	for range 3 {
		end <- struct{}{}
	}
	codes := map[int]int{}
	for range 3 {
		r := <-answers
		if codes[r.code]++; r.code == http.StatusServiceUnavailable {
			if r.refusal(http.StatusServiceUnavailable, "overloaded"); r.header.Get("Retry-After") != "2" {
				t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
			}
		}
	}
	if codes[http.StatusOK] != 2 || codes[http.StatusServiceUnavailable] != 1 {
		t.Errorf("answered %v, want the first and the short one taken", codes)
	}
	if held := h.server.bodies.held.Load(); held != 0 {
		t.Errorf("%d bytes are still counted", held)
	}
}

// A phone on a slow line may upload for minutes, and the handler has its time after
// that; one that brings nothing, or takes for ever, is cut off and told why.
func TestSlowUploads(t *testing.T) {
	for name, c := range map[string]struct {
		parts, each int           // so many parts of so many bytes
		pause       time.Duration // before each
		status      int
		after       time.Duration // when the answer comes
	}{
		"a slow line":          {60, 64 << 10, 2 * time.Second, http.StatusOK, 120*time.Second + 15*time.Second},
		"a trickle":            {60, 1, 2 * time.Second, http.StatusRequestTimeout, 30 * time.Second},
		"slower than the pace": {60, 16 << 10, 2 * time.Second, http.StatusRequestTimeout, 40 * time.Second},
		"for ever":             {400, 64 << 10, time.Second, http.StatusRequestTimeout, uploadTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := uploadHouse(t, 32<<20, func(c echo.Context) error {
					if _, err := io.Copy(io.Discard, c.Request().Body); err != nil {
						return err
					}
					time.Sleep(15 * time.Second) // the vendor
					return errors.Join(c.Request().Context().Err(), c.NoContent(http.StatusOK))
				})
				status, took := h.overPipes(func(conn net.Conn) {
					fmt.Fprintf(conn, "POST /test/upload HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", c.parts*c.each)
					for range c.parts {
						time.Sleep(c.pause)
						if _, err := conn.Write(make([]byte, c.each)); err != nil {
							return
						}
					}
				})
				if status != c.status || took.Round(10*time.Second) != c.after.Round(10*time.Second) {
					t.Errorf("answered %d after %v, want %d after %v", status, took, c.status, c.after)
				}
			})
		})
	}
}

// overPipes serves one connection in memory, to which send writes a request, and
// returns the answer's status and when it came.
func (h *house) overPipes(send func(net.Conn)) (status int, took time.Duration) {
	h.Helper()
	l := newPipes()
	served := make(chan error, 1)
	go func() { served <- h.server.Serve(l) }()
	conn, start := l.dial(), time.Now()
	sent := make(chan struct{})
	go func() { defer close(sent); send(conn) }()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		h.Fatal(err)
	}
	took = time.Since(start)
	if err := errors.Join(res.Body.Close(), conn.Close()); err != nil {
		h.Error(err)
	}
	<-sent
	if err := errors.Join(h.server.Shutdown(h.Context()), <-served); err != nil {
		h.Error(err)
	}
	return res.StatusCode, took
}

// What an operation does not take is refused by its type, with those that it takes.
func TestMediaTypes(t *testing.T) {
	h := newHouse(t)
	echoed := func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }
	h.server.handle(operation{method: http.MethodPost, path: "/test/both",
		takes: []content{{}, {mediaType: echo.MIMEMultipartForm}}}, echoed)
	h.server.handle(operation{method: http.MethodPost, path: "/test/none"}, echoed)
	for _, c := range []struct {
		path, contentType, coding, detail string
	}{
		{"/test/both", "application/json", "", ""},
		{"/test/both", "Application/JSON; charset=utf-8", "identity", ""},
		{"/test/both", "multipart/form-data; boundary=x", "", ""},
		{"/test/both", "", "", ""},
		{"/test/both", "text/plain", "", "Send the body as application/json or multipart/form-data"},
		{"/test/both", "application/json; charset", "", "Send the body as application/json or multipart/form-data"},
		{"/test/both", "application/json", "gzip", "Send the body without Content-Encoding"},
		{"/test/both", "application/json", "identity, br", "Send the body without Content-Encoding"},
		{"/test/none", "text/plain", "br", ""},
	} {
		r := h.do("POST", c.path, "{}", echo.HeaderContentType, c.contentType, echo.HeaderContentEncoding, c.coding)
		if c.detail == "" {
			r.want(http.StatusNoContent)
		} else if e := r.refusal(http.StatusUnsupportedMediaType, "unsupported_media_type"); e.Detail != c.detail {
			t.Errorf("%q %q: %q", c.contentType, c.coding, e.Detail)
		}
	}
}

// A body that breaks off is the client's fault, and said to be.
func TestBrokenOffBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		status, _ := h.overPipes(func(conn net.Conn) {
			_, _ = io.WriteString(conn, "POST /auth/register HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
		})
		if status != http.StatusUnprocessableEntity {
			t.Errorf("answered %d", status)
		}
	})
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{1: "1 bytes", 1500: "1500 bytes", 64 << 10: "64 KiB", 1 << 20: "1 MiB", 25 << 20: "25 MiB", 35_000_000: "33.4 MiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
