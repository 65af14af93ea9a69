package gateway

import (
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

const (
	defaultSessions, maxSessions = 20, 100
	// maxMessages is also the default, since the original gave all that there were.
	maxMessages = 1000
)

// conversationRoutes registers the conversations that were held, which the API calls
// sessions.
func (s *Server) conversationRoutes() {
	const sessions, one = "/conversations/sessions", "/conversations/sessions/:id"
	shown := []content{{shape: conversationJSON{}}}
	missing := failure{http.StatusNotFound, "The caller has no such session."}
	s.handleLearner(operation{
		method: http.MethodPost, path: sessions, id: "startSession", tag: "conversations", class: writing,
		summary: "Start a session",
		about: "A session is one conversation under a profile, by whole turns or live. With a `client_key` of one's own " +
			"starting is repeat-safe: the same key gives the same session, as it is by then.",
		takes: []content{{shape: startRequest{}}},
		gives: []success{{status: http.StatusCreated, bodies: shown}},
		fails: []failure{{http.StatusNotFound, "The caller has no such profile."}},
	}, s.startSession)
	s.handleLearner(operation{
		method: http.MethodGet, path: sessions, id: "listSessions", tag: "conversations", class: reading,
		summary: "The caller's sessions, newest first",
		about:   "Sessions of deleted profiles are left out; each can still be read and deleted by its id. " + pollable,
		query: append(pageParameters(defaultSessions, maxSessions),
			parameter{name: "profile_id", about: "Only those of this profile.", shape: ""}),
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: []conversationJSON{}}}}, unchanged()},
	}, s.listSessions)
	s.handleLearner(operation{
		method: http.MethodGet, path: one, id: "getSession", tag: "conversations", class: reading,
		summary: "One session", about: "Its totals are those of the messages so far, until it has ended. " + pollable,
		gives: []success{{status: http.StatusOK, bodies: shown}, unchanged()}, fails: []failure{missing},
	}, s.getSession)
	s.handleLearner(operation{
		method: http.MethodPost, path: one + "/end", id: "endSession", tag: "conversations", class: writing,
		summary: "End a session",
		about: "Ending it again changes nothing. Somebody who is live in it is told by the next thing that is said. " +
			"What the learner spoke, by voice and not by the clock, is added to the profile once.",
		gives: []success{{status: http.StatusOK, bodies: shown}}, fails: []failure{missing},
	}, s.endSession)
	s.handleLearner(operation{
		method: http.MethodGet, path: one + "/messages", id: "listMessages", tag: "conversations", class: reading,
		summary: "What was said in a session, oldest first",
		about: "All of it, up to 1,000 messages. If there are as many as `limit` allows there may be more: ask again with " +
			"`after_seq` as the last message's `seq`, until fewer come. " + pollable,
		query: []parameter{
			{name: "after_seq", about: "Only messages with a higher number.", shape: 0, min: new(0), max: new(math.MaxInt32)},
			{name: "limit", about: "How many at most.", shape: maxMessages, min: new(1), max: new(maxMessages)},
		},
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: []messageJSON{}}}}, unchanged()}, fails: []failure{missing},
	}, s.listMessages)
	s.handleLearner(operation{
		method: http.MethodDelete, path: one, id: "deleteSession", tag: "conversations", class: writing,
		summary: "Delete a session",
		about: "Its messages and their corrections are gone for good. What was practised stays counted, and cards that " +
			"were made from it stay. Somebody who is live in it is told by the next thing that is said.",
		gives: []success{{status: http.StatusNoContent}}, fails: []failure{missing},
	}, s.deleteSession)
}

// startRequest is the body of POST /conversations/sessions.
type startRequest struct {
	ProfileID       string           `json:"profile_id" required:"true" doc:"One of the caller's profiles" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d10"`
	Topic           optional[string] `json:"topic" doc:"By default the scenario's title, or \"General conversation\"" maxLength:"200" example:"Ordering in a café"`
	ScenarioID      optional[string] `json:"scenario_id" doc:"What is to be played, see /scenarios; free talk by default" example:"order-in-a-cafe"`
	DifficultyLevel optional[string] `json:"difficulty_level" doc:"A CEFR level, or beginner (A1), intermediate (B1), advanced (C1); the profile's level by default" example:"A2"`
	Mode            optional[string] `json:"mode" doc:"What it is for; turn by default" enum:"live,turn,text,review" example:"turn"`
	ClientKey       optional[string] `json:"client_key" doc:"Makes the request repeat-safe; 1 to 64 letters, digits, '-', '_' or '.', unique for the caller" example:"5f0c1c1e-0a57-4f0e-9c62-6f7c1b9f3f7a"`
}

// check returns what was asked for, or names every field at fault.
func (in startRequest) check() (learn.Conversation, error) {
	c := learn.Conversation{ProfileID: in.ProfileID, Mode: "turn"}
	var f faults
	if in.ProfileID == "" {
		f.add("profile_id", "is required")
	}
	if c.Topic = f.text("topic", in.Topic.value, maxTopic); c.Topic == "" {
		c.Topic = defaultTopic
	}
	if in.DifficultyLevel.value != "" {
		level, ok := parseDifficulty(in.DifficultyLevel.value)
		if !ok {
			f.add("difficulty_level", "must be one of A1, A2, B1, B2, C1, C2, beginner, intermediate, advanced")
		}
		c.Level = level
	}
	if modes := []string{"live", "turn", "text", "review"}; in.Mode.set && !in.Mode.null {
		if c.Mode = in.Mode.value; !slices.Contains(modes, c.Mode) {
			f.add("mode", "must be one of %s", strings.Join(modes, ", "))
		}
	}
	if in.ClientKey.set && !in.ClientKey.null {
		if c.ClientKey = in.ClientKey.value; !saneID(c.ClientKey) {
			f.add("client_key", "must be 1 to 64 letters, digits, '-', '_' or '.'")
		}
	}
	return c, f.err("gateway.startSession")
}

// parseDifficulty reads a CEFR level, or one of the words that stand for three of them.
func parseDifficulty(s string) (learn.Level, bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "beginner":
		return learn.A1, true
	case "intermediate":
		return learn.B1, true
	case "advanced":
		return learn.C1, true
	}
	return learn.ParseLevel(s)
}

// startSession answers POST /conversations/sessions.
func (s *Server) startSession(c echo.Context, who caller) error {
	const op = "gateway.startSession"
	var in startRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	wanted, err := in.check()
	if err != nil {
		return err
	}
	if !saneID(wanted.ProfileID) {
		return learn.Errorf(learn.NotFound, op, "Learning profile not found")
	}
	wanted.TenantID, wanted.UserID = who.tenantID, who.user.ID
	if wanted.Scene, err = s.chosenScene(who.user, in.ScenarioID.value); err != nil {
		return err
	}
	wanted.Topic = topicOf(wanted.Topic, wanted.Scene, who.user)
	started, err := s.opts.Conversations.StartConversation(c.Request().Context(), wanted)
	if err != nil {
		return renamed(err, learn.NotFound, op, "Learning profile not found")
	}
	return c.JSON(http.StatusCreated, showConversation(started))
}

// listSessions answers GET /conversations/sessions.
func (s *Server) listSessions(c echo.Context, who caller) error {
	q := readQuery(c)
	page := q.page(defaultSessions, maxSessions)
	profileID, _ := q.get("profile_id")
	if err := q.err("gateway.listSessions"); err != nil {
		return err
	}
	if profileID != "" && !saneID(profileID) {
		return conditionalJSON(c, showConversations(nil))
	}
	found, err := s.opts.History.ListConversations(c.Request().Context(), who.tenantID, who.user.ID, profileID, page.limit, page.offset)
	if err != nil {
		return err
	}
	return conditionalJSON(c, showConversations(found))
}

// getSession answers GET /conversations/sessions/{id}.
func (s *Server) getSession(c echo.Context, who caller) error {
	id, err := sessionID(c)
	if err != nil {
		return err
	}
	found, err := s.opts.Conversations.Conversation(c.Request().Context(), who.tenantID, who.user.ID, id)
	if err != nil {
		return noSession(err)
	}
	return conditionalJSON(c, showConversation(found))
}

// endSession answers POST /conversations/sessions/{id}/end.
func (s *Server) endSession(c echo.Context, who caller) error {
	id, err := sessionID(c)
	if err != nil {
		return err
	}
	ended, err := s.opts.Conversations.FinishConversation(c.Request().Context(), who.tenantID, who.user.ID, id)
	if err != nil {
		return noSession(err)
	}
	return c.JSON(http.StatusOK, showConversation(ended))
}

// listMessages answers GET /conversations/sessions/{id}/messages.
func (s *Server) listMessages(c echo.Context, who caller) error {
	q := readQuery(c)
	after := q.integer("after_seq", 0, 0, math.MaxInt32)
	limit := q.integer("limit", maxMessages, 1, maxMessages)
	if err := q.err("gateway.listMessages"); err != nil {
		return err
	}
	id, err := sessionID(c)
	if err != nil {
		return err
	}
	said, corrections, err := s.opts.History.Transcript(c.Request().Context(), who.tenantID, who.user.ID, id, after, limit)
	if err != nil {
		return noSession(err)
	}
	out := make([]messageJSON, len(said)) // [] and never null
	for i, m := range said {
		out[i] = showMessage(m, corrections[m.ID])
	}
	return conditionalJSON(c, out)
}

// deleteSession answers DELETE /conversations/sessions/{id}.
func (s *Server) deleteSession(c echo.Context, who caller) error {
	id, err := sessionID(c)
	if err != nil {
		return err
	}
	if err := s.opts.History.DeleteConversation(c.Request().Context(), who.tenantID, who.user.ID, id); err != nil {
		return noSession(err)
	}
	return c.NoContent(http.StatusNoContent)
}

// sessionID is the id in the path; one that cannot be any session's is of none.
func sessionID(c echo.Context) (string, error) {
	id := c.Param("id")
	if !saneID(id) {
		return "", learn.Errorf(learn.NotFound, "gateway.sessionID", "Session not found")
	}
	return id, nil
}

// noSession gives NotFound the message that the API promises for sessions.
func noSession(err error) error {
	return renamed(err, learn.NotFound, "gateway.session", "Session not found")
}
