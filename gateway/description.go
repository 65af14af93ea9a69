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

	"kalami/gateway/asyncapi"
	"kalami/session"
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
		{"/asyncapi.json", "getAsyncAPI", "The sockets as an AsyncAPI 3.0 document",
			"The voice socket and the original's, with every event that either side may send.", &s.asyncAPI},
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
	if s.openAPI30, err = olderDocument(api); err != nil {
		return err
	}
	s.asyncAPI, err = newDocument(asyncapi.New(asyncapi.Options{Name: s.opts.Name, Version: s.opts.Version, Closes: closes()}))
	return err
}

// closes is the table of close codes for people who write clients.
func closes() (rows []asyncapi.Close) {
	then := map[clientAction]string{
		actionStop:      "stop, and tell the learner",
		actionResume:    "come back with the resume token",
		actionNewTicket: "buy a new ticket and go on",
	}
	for _, reason := range session.EndReasons() {
		if row, ok := closeCodeOf(reason); ok && row.code != 0 {
			rows = append(rows, asyncapi.Close{Code: int(row.code), Name: row.name, Then: then[row.client]})
		}
	}
	return rows
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
