package gateway

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// indexPage is the page that / answers browsers with.
const indexPage = "index.html"

// pages are the files of the demo page by their path, read once so that an answer
// needs no disk and its ETag no hashing.
type pages map[string]page

type page struct {
	content []byte
	mime    string
	etag    string
	zipped  []byte // the content as gzip; nil when that is no shorter by a tenth
}

// loadPages reads every file of fsys but hidden ones and Go sources. It refuses a file
// whose type it does not know: a browser would not run it, since sniffing is off.
func loadPages(fsys fs.FS) (pages, error) {
	all := pages{}
	if fsys == nil {
		return all, nil
	}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(path.Base(name), ".") && name != "."
		switch {
		case d.IsDir() && hidden:
			return fs.SkipDir
		case d.IsDir() || hidden || path.Ext(name) == ".go":
			return nil
		}
		mt := mimeType(path.Ext(name))
		if mt == "" {
			return fmt.Errorf("%s: unknown type of file", name)
		}
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		p := page{content: content, mime: mt, etag: `"` + hex.EncodeToString(sum[:16]) + `"`}
		if p.zipped, err = zip(p); err != nil {
			return err
		}
		all[name] = p
		return nil
	})
	return all, err
}

// zip compresses a page's file, if that is worth it.
func zip(p page) ([]byte, error) {
	if !compressible(p.mime) {
		return nil, nil
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err = z.Write(p.content); err == nil {
		err = z.Close()
	}
	if err != nil || b.Len() > len(p.content)*9/10 {
		return nil, err
	}
	return b.Bytes(), nil
}

// mimeType knows the types that a page needs. It does not ask the system, whose table
// differs from machine to machine and on some calls JavaScript text/plain.
func mimeType(ext string) string {
	switch strings.ToLower(ext) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".txt", ".md":
		return "text/plain; charset=utf-8"
	case "":
		return "text/plain; charset=utf-8" // LICENSE
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".webp":
		return "image/webp"
	case ".ico":
		return "image/x-icon"
	case ".woff2":
		return "font/woff2"
	case ".wav":
		return "audio/wav"
	case ".mp3":
		return "audio/mpeg"
	case ".wasm":
		return "application/wasm"
	}
	return ""
}

// handlePage serves one file under its own path. Each file is a route of its own: a
// catch-all would answer 405 instead of 404 to a POST on an unknown path.
func (s *Server) handlePage(name string, p page) {
	h := func(c echo.Context) error { return s.servePage(c, p) }
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		s.echo.Add(method, "/"+name, h)
	}
}

// servePage answers with a file. Names carry no version, so browsers ask each time and
// are mostly told that nothing changed.
func (s *Server) servePage(c echo.Context, p page) error {
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, p.mime)
	h.Set(echo.HeaderCacheControl, "no-cache")
	vary(h, echo.HeaderAcceptEncoding)
	content, etag := p.content, p.etag
	if p.zipped != nil && acceptsGzip(c.Request().Header) && c.Request().Header.Get("Range") == "" {
		h.Set(echo.HeaderContentEncoding, "gzip")
		content, etag = p.zipped, strings.TrimSuffix(etag, `"`)+`-gzip"`
	}
	h.Set(headerETag, etag)
	if strings.HasPrefix(p.mime, "text/html") {
		h.Set(echo.HeaderContentSecurityPolicy, s.pagePolicy(c.Request()))
		h.Set("Permissions-Policy", "microphone=(self), camera=(), geolocation=(), payment=(), usb=()")
	}
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(content))
	return nil
}

// pagePolicy lets the page load its own parts and open its own socket, nothing else. The
// socket's origin is named as well as 'self', which older browsers take for http alone.
func (s *Server) pagePolicy(r *http.Request) string {
	connect := "connect-src 'self'"
	if saneHost(r.Host) {
		connect += " " + s.proxies.socketURL(r, "")
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'", // modules and audio worklets
		"worker-src 'self'",
		"style-src 'self'",
		"img-src 'self' data:",
		"font-src 'self'",
		"media-src 'self' blob:",
		"manifest-src 'self'",
		connect,
		"base-uri 'none'",
		"form-action 'self'",
		"frame-ancestors 'none'",
	}, "; ")
}

// saneHost says whether a Host header may stand in a policy: net/http lets through
// characters that would end a directive.
func saneHost(host string) bool {
	for _, b := range []byte(host) {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9',
			b == '-', b == '.', b == ':', b == '[', b == ']':
		default:
			return false
		}
	}
	return host != ""
}

func (s *Server) rootRoutes(all pages) {
	s.handle(operation{
		method: http.MethodGet, path: "/", id: "getRoot", tag: "operations", class: unpaced,
		summary: "What this server is",
		about:   "Who accepts text/html, as browsers do, gets the page that one talks on instead.",
		gives:   []success{{status: http.StatusOK, bodies: []content{{shape: rootJSON{}}}}},
	}, s.root(all))
}

// rootJSON answers GET / for everybody but browsers.
type rootJSON struct {
	Name    string `json:"name" example:"Kalami"`
	Status  string `json:"status" enum:"running"`
	Version string `json:"version" example:"v1.0.0"`
}

// root answers GET /: the page for browsers, a few words of JSON for everybody else.
func (s *Server) root(all pages) echo.HandlerFunc {
	index, ok := all[indexPage]
	return func(c echo.Context) error {
		vary(c.Response().Header(), echo.HeaderAccept)
		if ok && acceptsHTML(c.Request().Header.Values(echo.HeaderAccept)) {
			return s.servePage(c, index)
		}
		return c.JSON(http.StatusOK, rootJSON{Name: s.opts.Name, Status: "running", Version: s.opts.Version})
	}
}

// acceptsHTML says whether an Accept header names text/html, as browsers do; */* is
// what programs send.
func acceptsHTML(accept []string) bool {
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		mt, params, err := mime.ParseMediaType(part)
		if err != nil || (mt != "text/html" && mt != "application/xhtml+xml") {
			continue
		}
		if q := params["q"]; q != "" && strings.Trim(q, "0.") == "" {
			continue // q=0: not acceptable
		}
		return true
	}
	return false
}
