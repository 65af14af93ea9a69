package gateway

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	swagger "github.com/swaggest/swgui/v5/static"
)

//go:embed description/pages description/redoc/redoc.standalone.js.gz
var documentationFiles embed.FS

// documentationPage is a file of the pages at /docs and /redoc.
type documentationPage struct {
	at      string // below / and /api
	from    fs.FS
	file    string // gzip-compressed when it ends in .gz
	content []byte
	mime    string
	etag    string
	policy  string // what a page may do, else empty
	// plain is the content of a compressed file, inflated once and kept: who asks for it
	// is nobody known, and a HEAD would cost megabytes of work and not a byte to send.
	plain func() (plainFile, error)
}

// plainFile is a file of the documentation as clients without gzip get it.
type plainFile struct {
	content []byte
	etag    string
}

// The policies of the two pages: their own files, their own server, and what their
// libraries cannot do without. Swagger UI carries its icons in its style sheet. Redoc adds
// an empty style element, which has the hash of nothing, and fills it by script; the other
// hash is of the style of its scroll bars. Its search runs in a worker made of a string.
const (
	docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	redocPolicy = "default-src 'none'; script-src 'self'; style-src 'self' " +
		"'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='; " +
		"img-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// documentationPages are all files of both pages.
func documentationPages() []documentationPage {
	ours := func(at, file, policy string) documentationPage {
		return documentationPage{at: at, from: documentationFiles, file: path.Join("description", file), policy: policy}
	}
	return []documentationPage{
		ours("/docs", "pages/docs.html", docsPolicy),
		ours("/docs/docs.css", "pages/docs.css", ""),
		ours("/docs/docs.js", "pages/docs.js", ""),
		{at: "/docs/swagger-ui.css", from: swagger.FS, file: "swagger-ui.css.gz"},
		{at: "/docs/swagger-ui-bundle.js", from: swagger.FS, file: "swagger-ui-bundle.js.gz"},
		{at: "/docs/favicon-32x32.png", from: swagger.FS, file: "favicon-32x32.png"},
		ours("/redoc", "pages/redoc.html", redocPolicy),
		ours("/redoc/redoc.css", "pages/redoc.css", ""),
		ours("/redoc/redoc.js", "pages/redoc.js", ""),
		ours("/redoc/redoc.standalone.js", "redoc/redoc.standalone.js.gz", ""),
	}
}

// registerDocumentation serves the pages at /x and at /api/x.
func (s *Server) registerDocumentation() error {
	for _, p := range documentationPages() {
		if err := p.load(); err != nil {
			return err
		}
		for _, prefix := range []string{"", "/api"} {
			s.echo.GET(prefix+p.at, p.serve)
			s.echo.HEAD(prefix+p.at, p.serve)
		}
	}
	return nil
}

// load reads the file, which stays compressed.
func (p *documentationPage) load() (err error) {
	if p.content, err = fs.ReadFile(p.from, p.file); err != nil {
		return fmt.Errorf("gateway: read the documentation's files: %w", err)
	}
	p.mime, p.etag = mimeType(path.Ext(strings.TrimSuffix(p.file, ".gz"))), etagOf(p.content)
	p.plain = sync.OnceValues(func() (plainFile, error) {
		content, err := inflate(p.content)
		return plainFile{content, etagOf(content)}, err
	})
	return nil
}

// serve answers with the file, compressed as it is kept for clients that take it so.
func (p documentationPage) serve(c echo.Context) error {
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, p.mime)
	h.Set(echo.HeaderCacheControl, "no-cache")
	if p.policy != "" {
		h.Set(echo.HeaderContentSecurityPolicy, p.policy)
	}
	content, etag := p.content, p.etag
	if strings.HasSuffix(p.file, ".gz") {
		h.Add(echo.HeaderVary, echo.HeaderAcceptEncoding)
		if acceptsGzip(c.Request().Header) {
			h.Set(echo.HeaderContentEncoding, "gzip")
		} else {
			plain, err := p.plain()
			if err != nil {
				return err
			}
			content, etag = plain.content, plain.etag
		}
	}
	h.Set(headerETag, etag)
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(content))
	return nil
}

// inflate decompresses one of our own files, whose size is known to be sane.
func inflate(compressed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, fmt.Errorf("gateway: decompress a file of the documentation: %w", err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("gateway: decompress a file of the documentation: %w", err)
	}
	return plain, nil
}
