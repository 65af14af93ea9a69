package gateway

import (
	"compress/gzip"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// compressFrom is the length from which an answer is compressed: below it, a packet is
// a packet.
const compressFrom = 1 << 10

// gzipWriters are idle ones: each holds some hundred KiB of tables.
type gzipWriters struct{ idle sync.Pool }

func (g *gzipWriters) get(w http.ResponseWriter) *gzip.Writer {
	if z, ok := g.idle.Get().(*gzip.Writer); ok {
		z.Reset(w)
		return z
	}
	// The fastest level: most of the gain, and the processor belongs to the lessons.
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return gzip.NewWriter(w) // the level is one of the package's own
	}
	return z
}

// mayCompress says whether an operation's answers may be compressed. Those that carry
// tokens may not: their length would tell a listener on the line how well what he had
// put into the request fits the secret (BREACH).
func mayCompress(op operation) bool {
	return !strings.HasPrefix(op.path, "/auth/") && !strings.HasSuffix(op.path, "/tickets")
}

// compressed sends text and JSON of some length as gzip to clients that take it. Sound,
// short answers and what is flushed as it comes go out as they are.
func (s *Server) compressed(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		res := c.Response()
		vary(res.Header(), echo.HeaderAcceptEncoding)
		if c.Request().Method == http.MethodHead || !acceptsGzip(c.Request().Header) {
			return next(c)
		}
		w := &compressWriter{ResponseWriter: res.Writer, writers: &s.gzips}
		res.Writer = w
		defer func() {
			res.Writer = w.ResponseWriter // an error is answered without it
			w.end()
		}()
		return next(c)
	}
}

// compressWriter decides with an answer's first bytes whether to compress it, and holds
// its status back until then.
type compressWriter struct {
	http.ResponseWriter
	writers *gzipWriters
	status  int          // as the handler said; 0 until then
	begun   bool         // the header is out
	z       *gzip.Writer // nil when the answer goes out as it is
}

// WriteHeader implements [http.ResponseWriter].
func (w *compressWriter) WriteHeader(status int) {
	if status < http.StatusOK { // informational, more will come
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.status = status
	if status == http.StatusNoContent || status == http.StatusNotModified {
		w.begin(0)
	}
}

// Write implements [io.Writer].
func (w *compressWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.begin(len(p))
	if w.z != nil {
		return w.z.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// begin sends the header once. first is the length of the first bytes: answers are
// written in one piece, or tell their length, or are streams.
func (w *compressWriter) begin(first int) {
	if w.begun {
		return
	}
	w.begun = true
	h := w.Header()
	if n, err := strconv.Atoi(h.Get(echo.HeaderContentLength)); err == nil {
		first = n
	}
	if first >= compressFrom && w.status != http.StatusPartialContent && h.Get(echo.HeaderContentEncoding) == "" &&
		compressible(h.Get(echo.HeaderContentType)) {
		h.Del(echo.HeaderContentLength)
		h.Del("Accept-Ranges")
		h.Set(echo.HeaderContentEncoding, "gzip")
		if tag := h.Get(headerETag); tag != "" && !strings.HasPrefix(tag, "W/") {
			h.Set(headerETag, "W/"+tag) // the same content, other bytes
		}
		w.z = w.writers.get(w.ResponseWriter)
	}
	w.ResponseWriter.WriteHeader(w.status)
}

// FlushError sends what was written so far. What is flushed before it is long is not
// compressed.
func (w *compressWriter) FlushError() error {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.begin(0)
	if w.z != nil {
		if err := w.z.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets [http.ResponseController] reach the connection.
func (w *compressWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// end completes an answer that has begun; of one that has not, nothing is sent.
func (w *compressWriter) end() {
	if w.status == 0 {
		return
	}
	w.begin(0)
	if w.z != nil {
		_ = w.z.Close() // fails when the client is gone, which its next read tells it
		w.writers.idle.Put(w.z)
		w.z = nil
	}
}

const headerETag = "ETag"

// compressible holds for the types of text; sound and pictures are compressed already.
func compressible(contentType string) bool {
	mt, _, _ := strings.Cut(contentType, ";")
	switch mt = strings.TrimSpace(mt); mt {
	case echo.MIMEApplicationJSON, "application/manifest+json", "application/problem+json", "application/yaml", "image/svg+xml":
		return true
	}
	return strings.HasPrefix(mt, "text/")
}

// vary tells caches that the answer depends on a header of the request.
func vary(h http.Header, name string) {
	if !slices.Contains(h.Values(echo.HeaderVary), name) {
		h.Add(echo.HeaderVary, name)
	}
}

// acceptsGzip reads Accept-Encoding. A weight of 0 means "not that one".
func acceptsGzip(h http.Header) bool {
	others := false
	for part := range strings.SplitSeq(strings.Join(h.Values(echo.HeaderAcceptEncoding), ","), ",") {
		coding, params, _ := strings.Cut(part, ";")
		name, weight, _ := strings.Cut(strings.ReplaceAll(params, " ", ""), "=")
		wanted := !strings.EqualFold(name, "q") || strings.Trim(weight, "0.") != ""
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip":
			return wanted
		case "*":
			others = wanted
		}
	}
	return others
}
