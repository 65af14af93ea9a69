package gateway

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

const defaultMemories, maxMemories = 50, 200

// memoryRoutes registers what the tutor remembers of a learner, which is theirs to see, to
// change and to delete.
func (s *Server) memoryRoutes() {
	missing := failure{http.StatusNotFound, "The caller has no such memory."}
	one := success{status: http.StatusOK, bodies: []content{{shape: memoryJSON{}}}}
	ofProfile := parameter{name: "profile_id", about: "Only those of this profile.", shape: ""}
	s.handleLearner(operation{
		method: http.MethodGet, path: "/memories", id: "listMemories", tag: "memories", class: reading,
		summary: "What the tutor remembers of the caller, newest first",
		about: "Facts that the learner told of themselves, taken from conversations when these end: at most 60 for each profile. " +
			"Plans are forgotten after 90 days. " + pollable,
		query: append(pageParameters(defaultMemories, maxMemories), ofProfile),
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: []memoryJSON{}}}}, unchanged()},
	}, s.listMemories)
	s.handleLearner(operation{
		method: http.MethodDelete, path: "/memories", id: "forgetMemories", tag: "memories", class: writing,
		summary: "Forget everything", about: "Each memory as if it were deleted alone. That there are none is no error.",
		query: []parameter{ofProfile}, gives: []success{{status: http.StatusNoContent}},
	}, s.forgetMemories)
	s.handleLearner(operation{
		method: http.MethodGet, path: "/memories/:id", id: "getMemory", tag: "memories", class: reading,
		summary: "One memory", about: pollable, gives: []success{one, unchanged()}, fails: []failure{missing},
	}, s.getMemory)
	s.handleLearner(operation{
		method: http.MethodPatch, path: "/memories/:id", id: "updateMemory", tag: "memories", class: writing,
		summary: "Put a memory right",
		about: "Only its text can be changed, and it does not expire any more. Addresses and numbers, health, family, beliefs, and " +
			"instructions to the tutor are refused with 422: they are not kept, whoever writes them.",
		takes: []content{{shape: memoryPatch{}}}, gives: []success{one},
		fails: []failure{missing, {http.StatusConflict, "Another memory of the profile says so."}},
	}, s.patchMemory)
	s.handleLearner(operation{
		method: http.MethodDelete, path: "/memories/:id", id: "forgetMemory", tag: "memories", class: writing,
		summary: "Forget something",
		about: "Its text is gone. It is not remembered again from the conversation that it came from, nor in the same words. A " +
			"conversation that is going on may still know it.",
		gives: []success{{status: http.StatusNoContent}}, fails: []failure{missing},
	}, s.forgetMemory)
}

// memoryJSON is a memory as the API shows it.
type memoryJSON struct {
	ID        string     `json:"id" doc:"UUID" example:"0197b0f6-6b1c-7c2d-8e3f-4a5b6c7d8e9f"`
	ProfileID string     `json:"profile_id" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d10"`
	Kind      string     `json:"kind" doc:"What it is about" enum:"interest,plan,work_or_study,preference" example:"interest"`
	Text      string     `json:"text" doc:"In the learner's own language" example:"Likes markets."`
	MessageID *string    `json:"source_message_id" doc:"The message in which the learner said it; null when that was deleted"`
	ExpiresAt *time.Time `json:"expires_at" doc:"When it is forgotten; null: never"`
	EditedAt  *time.Time `json:"edited_at" doc:"When the learner changed it; null: never"`
	CreatedAt time.Time  `json:"created_at" example:"2026-03-04T05:16:37Z"`
}

func showMemory(m learn.Remembered) memoryJSON {
	return memoryJSON{ID: m.ID, ProfileID: m.ProfileID, Kind: m.Kind, Text: m.Text, MessageID: orNull(m.MessageID),
		ExpiresAt: timeOrNull(m.ExpiresAt), EditedAt: timeOrNull(m.EditedAt), CreatedAt: m.CreatedAt.UTC()}
}

// memoryPatch is the body of PATCH /memories/{id}.
type memoryPatch struct {
	Text string `json:"text" required:"true" maxLength:"160" example:"Likes flea markets."`
}

// listMemories answers GET /memories.
func (s *Server) listMemories(c echo.Context, who caller) error {
	q := readQuery(c)
	page := q.page(defaultMemories, maxMemories)
	profileID, _ := q.get("profile_id")
	if err := q.err("gateway.listMemories"); err != nil {
		return err
	}
	out := []memoryJSON{} // [] and never null
	if profileID != "" && !saneID(profileID) {
		return conditionalJSON(c, out)
	}
	found, err := s.opts.Memories.ListMemories(c.Request().Context(), who.tenantID, who.user.ID, profileID, page.limit, page.offset)
	if err != nil {
		return err
	}
	for _, m := range found {
		out = append(out, showMemory(m))
	}
	return conditionalJSON(c, out)
}

// getMemory answers GET /memories/{id}.
func (s *Server) getMemory(c echo.Context, who caller) error {
	id, err := memoryID(c)
	if err != nil {
		return err
	}
	m, err := s.opts.Memories.Memory(c.Request().Context(), who.tenantID, who.user.ID, id)
	if err != nil {
		return noMemory(err)
	}
	return conditionalJSON(c, showMemory(m))
}

// patchMemory answers PATCH /memories/{id}.
func (s *Server) patchMemory(c echo.Context, who caller) error {
	var in memoryPatch
	if err := decodePatch(c, &in); err != nil {
		return err
	}
	id, err := memoryID(c)
	if err != nil {
		return err
	}
	f := faults(learn.CheckFact(in.Text))
	if err := f.err("gateway.patchMemory"); err != nil {
		return err
	}
	m, err := s.opts.Memories.EditMemory(c.Request().Context(), who.tenantID, who.user.ID, id, in.Text)
	if err != nil {
		return noMemory(err)
	}
	return c.JSON(http.StatusOK, showMemory(m))
}

// forgetMemory answers DELETE /memories/{id}.
func (s *Server) forgetMemory(c echo.Context, who caller) error {
	id, err := memoryID(c)
	if err != nil {
		return err
	}
	if err := s.opts.Memories.ForgetMemory(c.Request().Context(), who.tenantID, who.user.ID, id); err != nil {
		return noMemory(err)
	}
	return c.NoContent(http.StatusNoContent)
}

// forgetMemories answers DELETE /memories.
func (s *Server) forgetMemories(c echo.Context, who caller) error {
	q := readQuery(c)
	profileID, given := q.get("profile_id")
	if _, there := q.values["profile_id"]; there && !given {
		q.add("profile_id", "must be one of the caller's profiles") // and not: all of them
	}
	if err := q.err("gateway.forgetMemories"); err != nil {
		return err
	}
	if profileID == "" || saneID(profileID) { // what cannot be any profile's id has no memories
		if err := s.opts.Memories.ForgetMemories(c.Request().Context(), who.tenantID, who.user.ID, profileID); err != nil {
			return err
		}
	}
	return c.NoContent(http.StatusNoContent)
}

// memoryID is the id in the path; one that cannot be any memory's is of none.
func memoryID(c echo.Context) (string, error) {
	id := c.Param("id")
	if !saneID(id) {
		return "", learn.Errorf(learn.NotFound, "gateway.memoryID", "Memory not found")
	}
	return id, nil
}

// noMemory gives NotFound the message that the API promises for memories.
func noMemory(err error) error {
	return renamed(err, learn.NotFound, "gateway.memory", "Memory not found")
}
