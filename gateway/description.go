package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// document is a description of the API, encoded once.
type document struct {
	body []byte
	etag string
}

// newDocument encodes v as JSON.
func newDocument(v any) (document, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return document{}, fmt.Errorf("gateway: encode a description: %w", err)
	}
	return document{body: body, etag: etagOf(body)}, nil
}

// etagOf is a strong validator of content that never changes while the process runs.
func etagOf(content []byte) string {
	sum := sha256.Sum256(content)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// descriptionRoutes registers what describes the API. The documents themselves are built
// when all routes are known: see describe.
func (s *Server) descriptionRoutes() {
	for _, d := range []struct {
		path, id, summary, about string
		doc                      *document
	}{
		{"/openapi.json", "getOpenAPI", "This API as an OpenAPI 3.1 document",
			"It is made of the same values that register the routes. What reads it best for people is at /docs and /redoc.",
			&s.openAPI},
		{"/openapi-3.0.json", "getOpenAPI30", "This API as an OpenAPI 3.0.3 document", "For tools that do not read OpenAPI 3.1 yet.", &s.openAPI30},
	} {
		s.handle(operation{
			method: http.MethodGet, path: d.path, id: d.id, tag: tagDescriptions, class: describes,
			summary: d.summary, about: d.about,
			gives: []success{{status: http.StatusOK, bodies: []content{{shape: map[string]any{}}}}},
		}, func(c echo.Context) error { return serveDocument(c, *d.doc) })
	}
}

// describe builds the documents of everything that is registered. Called once, by New.
func (s *Server) describe() (err error) {
	api := newDescriber(s.operations).document(s.opts.Name, s.opts.Version)
	if s.openAPI, err = newDocument(api); err != nil {
		return err
	}
	s.openAPI30, err = olderDocument(api)
	return err
}

// serveDocument answers with a document, or with 304 to who has it. Any site may read it:
// it holds nothing that is not public.
func serveDocument(c echo.Context, d document) error {
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	h.Set(echo.HeaderCacheControl, "no-cache")
	h.Set(headerETag, d.etag)
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(d.body))
	return nil
}
