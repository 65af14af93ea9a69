package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

const (
	// maxMutations bounds what a device tells at once, and maxChanges what it is told.
	maxMutations, maxChanges = 500, 500
	// syncKept is for how long changes and results are kept. A device that comes later begins
	// anew.
	syncKept = 90 * 24 * time.Hour
	// pruneLimit is how many users' changes are pruned at once.
	pruneLimit = 100
)

// syncRoutes registers what keeps a learner's devices alike.
func (s *Server) syncRoutes() {
	s.handleLearner(operation{
		method: http.MethodPost, path: "/sync", id: "sync", tag: "sync", class: writing,
		summary: "Tell what was done on a device, and learn what was done elsewhere",
		about:   aboutSync,
		takes:   []content{{shape: syncRequest{}, example: syncExample()}},
		gives:   []success{{status: http.StatusOK, bodies: []content{{shape: syncJSON{}}}}},
	}, s.sync)
	s.handleLearner(operation{
		method: http.MethodGet, path: "/sync/bootstrap", id: "bootstrap", tag: "sync", class: reading,
		summary: "Everything that a device keeps a copy of",
		about: "Page by page: ask again with `page` as the answer's `next`, until that is null. A page may be empty. When all " +
			"pages are there, go on with `POST /sync` from `cursor`, which is the same on each page: it tells of what " +
			"has changed meanwhile.",
		query: []parameter{
			{name: "page", about: "The answer before has called it `next`; left out for the first page.", shape: ""},
			{name: "limit", about: "How many things at most.", shape: maxChanges, min: new(1), max: new(maxChanges)},
		},
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: bootstrapJSON{}}}}},
	}, s.bootstrap)
}

// aboutSync is what a client has to know.
var aboutSync = fmt.Sprintf("Mutations, at most %d, are applied in their order, each once: a mutation that is sent again gets the "+
	"answer of the first time, so whoever had no answer sends the same again. One that cannot be is `rejected` with a "+
	"`code` (`invalid`, `not_found`, `conflict`) and the fields at fault, and the others are applied.\n\n"+
	"Reviews are a log: all of them count, in the order of their times, whatever the order in which they come, and a card's "+
	"memory follows from them on the server. Of the fields of cards and profiles the latest write wins, each for itself. "+
	"Deleting a card wins over changing it. A card whose word the learner has already is `merged`: `entity_id` is the id by "+
	"which it is known from then on. Times are the device's; `client_now` lets the server see by how much its clock "+
	"is wrong, and corrects more than two minutes.\n\n"+
	"The answer has what changed since `cursor`, as it is now, without what the device itself has just written, unless something "+
	"else came of it. While `has_more` is true, ask again with the new cursor. `reset` means that the server cannot go on "+
	"from that cursor (changes are kept for %d days): load everything by `GET /sync/bootstrap`, and apply to it what was not "+
	"yet answered. Of a profile that is deleted its cards go as well; reviews of a deleted card stay, since it may be restored.",
	maxMutations, syncKept/(24*time.Hour))

// sync answers POST /sync.
func (s *Server) sync(c echo.Context, who caller) error {
	var in syncEnvelope
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	r, err := in.request()
	if err != nil {
		return err
	}
	r.TenantID, r.UserID, r.Limit = who.tenantID, who.user.ID, maxChanges
	answer, err := s.opts.Sync.Sync(c.Request().Context(), r)
	if err != nil {
		return err
	}
	for _, result := range answer.Results {
		if result.Code == learn.NotFound.String() {
			s.log.Warn("a device named what its user does not have", "request_id", requestID(c), "user_id", who.user.ID,
				"device", r.DeviceID, "mutation", result.Kind, "entity_id", result.EntityID)
		}
	}
	return c.JSON(http.StatusOK, showSync(answer))
}

// syncEnvelope is a [syncRequest] whose mutations are read one by one: what is wrong with one
// of them is its own affair.
type syncEnvelope struct {
	DeviceID  string            `json:"device_id"`
	Cursor    optional[int64]   `json:"cursor"`
	ClientNow optional[string]  `json:"client_now"`
	Mutations []json.RawMessage `json:"mutations"`
}

// request checks what is not a mutation's own affair.
func (in syncEnvelope) request() (learn.SyncRequest, error) {
	r := learn.SyncRequest{DeviceID: in.DeviceID}
	var f faults
	switch {
	case in.DeviceID == "":
		f.add("device_id", "is required")
	case !saneID(in.DeviceID):
		f.add("device_id", "must be 1 to 64 letters, digits, '-', '_' or '.'")
	}
	if in.Cursor.set && !in.Cursor.null {
		if r.Cursor = &in.Cursor.value; *r.Cursor < 0 {
			f.add("cursor", "must not be negative")
		}
	}
	if in.ClientNow.set && !in.ClientNow.null {
		r.ClientNow = f.time("client_now", in.ClientNow.value)
	}
	if len(in.Mutations) > maxMutations {
		f.add("mutations", "must be at most %d", maxMutations)
		return r, f.err("gateway.sync")
	}
	for _, raw := range in.Mutations {
		r.Mutations = append(r.Mutations, readMutation(raw))
	}
	return r, f.err("gateway.sync")
}

// time reads a time with its zone.
func (f *faults) time(field, text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1970 || t.Year() > 9998 {
		f.add(field, "must be a time such as 2026-03-04T05:16:37Z")
		return time.Time{}
	}
	return t.UTC()
}

// bootstrap answers GET /sync/bootstrap.
func (s *Server) bootstrap(c echo.Context, who caller) error {
	q := readQuery(c)
	limit := q.integer("limit", maxChanges, 1, maxChanges)
	page, _ := q.get("page")
	if err := q.err("gateway.bootstrap"); err != nil {
		return err
	}
	b, err := s.opts.Sync.Bootstrap(c.Request().Context(), who.tenantID, who.user.ID, page, limit)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, bootstrapJSON{Changes: showChanges(b.Changes), Cursor: b.Cursor, Next: orNull(b.Next)})
}
