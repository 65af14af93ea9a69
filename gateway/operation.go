package gateway

import (
	"cmp"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// operation is a route and all that its callers may know of it: what the server
// enforces and what the API's description says come from the same value, so they
// cannot differ.
type operation struct {
	method, path string // in Echo's form, /users/profiles/:id; served at /api as well
	id           string // unique, in camelCase: what generated clients call it
	tag          string // the group that it is shown in
	summary      string // a line
	about        string // paragraphs in Markdown; may be empty
	class        rateClass
	// query are the query parameters; those of the path follow from it.
	query []parameter
	// takes are the bodies that it accepts, by media type, the usual one first; none
	// for a route without body.
	takes        []content
	bodyOptional bool
	// gives are the successful answers.
	gives []success
	// fails are statuses of errors beside 401, 422, 429 and 500, which follow from the rest.
	fails []failure
	// timeout bounds the handler and maxBody what it takes; 0 means the server's usual.
	timeout time.Duration
	maxBody int64

	open bool // may be called without an access token; set by handle
}

// parameter is one query parameter.
type parameter struct {
	name, about string
	shape       any   // a value of the parameter's type, which is its default
	enum        []any // the values that it may have; nil for any
	min, max    *int  // of a number
	required    bool
}

// content is a body: one media type and the shape of what it carries.
type content struct {
	mediaType string // application/json when empty
	// shape is a value of the Go type that is encoded or decoded; nil for plain bytes.
	shape any
	// example is sent and compared by a test; nil makes one of the shape's tags.
	example any
}

// success is a successful answer.
type success struct {
	status int
	about  string
	bodies []content // none for an empty one
}

// failure is an error that callers should know of.
type failure struct {
	status int
	about  string // when it comes; a sentence
}

// rateClass says what a route costs, and so how often it may be called: see [Rates].
type rateClass uint8

// The classes, cheapest first.
const (
	unpaced   rateClass = iota // probes, and what has bounds of its own
	describes                  // static documents: nothing is done for them
	reading                    // a few rows
	writing                    // a few rows, durably
	speaking                   // a vendor's work: transcripts, clips, turns of a tutor
)

// handle registers an operation that anybody may call. It is paced by the caller's address.
func (s *Server) handle(op operation, h echo.HandlerFunc) {
	op.open, op.maxBody = true, cmp.Or(op.maxBody, maxOpenBody)
	s.serveOperation(op, func(c echo.Context) error {
		if err := s.paceOpen(c, op.class); err != nil {
			return err
		}
		if err := checkMediaType(op, c.Request()); err != nil {
			return err
		}
		return h(c)
	})
}

// handleLearner registers an operation for callers with a valid access token; others
// get 401. It is paced by the caller's account.
func (s *Server) handleLearner(op operation, h func(c echo.Context, who caller) error) {
	s.serveOperation(op, s.authenticated(func(c echo.Context, who caller) error {
		if err := s.paceLearner(c, op.class, who.user); err != nil {
			return err
		}
		if err := checkMediaType(op, c.Request()); err != nil {
			return err
		}
		if op.class != speaking {
			return h(c, who)
		}
		if !s.speaking.take(who.user.ID) {
			return errSpeakingAlready()
		}
		defer s.speaking.leave(who.user.ID)
		return h(c, who)
	}))
}

// serveOperation adds the operation at /x and at /api/x, with the limits of everything that
// is not a socket. A GET route answers HEAD too.
func (s *Server) serveOperation(op operation, h echo.HandlerFunc) {
	s.operations = append(s.operations, op)
	h = s.limited(op, h)
	if mayCompress(op) {
		h = s.compressed(h)
	}
	for _, prefix := range []string{"", "/api"} {
		s.echo.Add(op.method, prefix+op.path, h)
		if op.method == http.MethodGet {
			s.echo.Add(http.MethodHead, prefix+op.path, h)
		}
	}
}
