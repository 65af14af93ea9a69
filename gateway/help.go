package gateway

import (
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"kalami/session"
	"kalami/session/learn"
)

// helpTimeout bounds a hint or a translation, and repeatTimeout a clip: the first are given
// six seconds by whoever asks a model.
const (
	helpTimeout   = 15 * time.Second
	repeatTimeout = 45 * time.Second
)

// helpRoutes registers help on demand. A live session gives the same by tutor.hint,
// tutor.translate and tutor.repeat.
func (s *Server) helpRoutes() {
	const one = "/conversations/sessions/:id"
	missing := failure{http.StatusNotFound, "The caller has no such session, or its profile was deleted."}
	away := failure{http.StatusServiceUnavailable, "Nobody can answer now."}
	s.handleLearner(operation{
		method: http.MethodPost, path: one + "/hint", id: "getHint", tag: "conversations", class: speaking,
		summary: "Ask what one could say next",
		about: "An idea for an answer to what the tutor said last: up to B1 in the learner's own language, above in the one that is " +
			"learned. When no model answers within six seconds, it is the beginning of an answer that fits nearly every question. " +
			"Nothing is stored.",
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: hintJSON{}}}}}, timeout: helpTimeout,
		fails: []failure{{http.StatusBadRequest, "The session has ended."}, missing, away},
	}, s.giveHint)
	s.handleLearner(operation{
		method: http.MethodPost, path: one + "/translate", id: "translate", tag: "conversations", class: speaking,
		summary: "Translate a message or a text into the learner's own language",
		about: "Either `message_id`, of the session, or `text`. Of a reply that was interrupted what was heard is translated. The same " +
			"comes at once for an hour. Sessions that have ended are answered, too.",
		takes: []content{{shape: translateRequest{}, example: map[string]any{"text": "¿Qué le gustaría comer?"}}},
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: translationJSON{}}}}}, timeout: helpTimeout,
		fails: []failure{{http.StatusNotFound, "The caller has no such session or message, or its profile was deleted."}, away},
	}, s.translate)
	s.handleLearner(operation{
		method: http.MethodPost, path: one + "/repeat", id: "repeat", tag: "conversations", class: speaking,
		summary: "Hear again what the tutor said last, slowly",
		about: "The whole of it, also when it was interrupted, as a clip at three quarters of the learner's pace. A live session is not " +
			"disturbed; there, tutor.repeat has the tutor itself say it again.",
		takes: []content{{shape: repeatRequest{}}}, bodyOptional: true,
		gives: []success{{status: http.StatusOK, about: "The clip.", bodies: []content{{mediaType: mp3MediaType}}}}, timeout: repeatTimeout,
		fails: []failure{{http.StatusNotFound, "The caller has no such session, its profile was deleted, or the tutor has said nothing in it."}, noVendor("speak")},
	}, s.repeat)
}

// hintJSON is what one could say next.
type hintJSON struct {
	Text     string `json:"text" doc:"A sentence or two, to be shown" example:"Say what you would like to drink: “Quisiera…”"`
	Language string `json:"language" doc:"Of the text" example:"en"`
}

// translateRequest is the body of POST /conversations/sessions/{id}/translate.
type translateRequest struct {
	MessageID optional[string] `json:"message_id" doc:"A message of the session; either this or text" example:"0197b0f3-2b3c-7d4e-8f5a-6b7c8d9e0f1a"`
	Text      optional[string] `json:"text" doc:"Any text; either this or message_id" minLength:"1" maxLength:"1000" example:"¿Qué le gustaría comer?"`
}

// translationJSON is a text in the learner's own language.
type translationJSON struct {
	Source    string  `json:"source" doc:"What was translated" example:"¿Qué le gustaría comer?"`
	Text      string  `json:"text" example:"What would you like to eat?"`
	Language  string  `json:"language" doc:"Of text: the learner's own" example:"en"`
	MessageID *string `json:"message_id" doc:"As it was asked for, or null"`
}

// repeatRequest is the body of POST /conversations/sessions/{id}/repeat.
type repeatRequest struct {
	Slow optional[bool] `json:"slow" doc:"At three quarters of the learner's pace; true by default" example:"true"`
}

// giveHint answers POST /conversations/sessions/{id}/hint.
func (s *Server) giveHint(c echo.Context, who caller) error {
	r, err := s.helpRequest(c, who)
	if err != nil {
		return err
	}
	hint, err := s.opts.Help.Hint(c.Request().Context(), r)
	if err != nil {
		return helpError(err)
	}
	return c.JSON(http.StatusOK, hintJSON{Text: hint.Text, Language: hint.Language})
}

// translate answers POST /conversations/sessions/{id}/translate.
func (s *Server) translate(c echo.Context, who caller) error {
	const op = "gateway.translate"
	var in translateRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	messageID, text := in.MessageID.value, strings.TrimSpace(in.Text.value)
	var f faults
	switch {
	case messageID == "" && text == "":
		f.add("text", "is required and must not be empty, unless there is a message_id")
	case messageID != "" && text != "":
		f.add("message_id", "must not be there beside text")
		f.add("text", "must not be there beside message_id")
	case !learn.Translatable(text):
		f.add("text", "must have at most %d characters", learn.TranslatedMost)
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }):
		f.add("text", "must not contain control characters")
	}
	if err := f.err(op); err != nil {
		return err
	}
	r, err := s.helpRequest(c, who)
	if err != nil {
		return err
	}
	if messageID != "" && !saneID(messageID) {
		return learn.Errorf(learn.NotFound, op, "Message not found")
	}
	t, err := s.opts.Help.Translate(c.Request().Context(), r, messageID, text)
	if err != nil {
		return helpError(err)
	}
	return c.JSON(http.StatusOK, translationJSON{Source: t.Source, Text: t.Text, Language: t.Language, MessageID: orNull(messageID)})
}

// repeat answers POST /conversations/sessions/{id}/repeat.
func (s *Server) repeat(c echo.Context, who caller) error {
	var in repeatRequest
	if err := decodeOptionalJSON(c, &in); err != nil {
		return err
	}
	r, err := s.helpRequest(c, who)
	if err != nil {
		return err
	}
	mp3, err := s.opts.Help.Repeat(c.Request().Context(), r, !in.Slow.set || in.Slow.null || in.Slow.value)
	if e, ok := errors.AsType[*learn.Error](err); ok {
		return e
	}
	if err != nil {
		return clipFailure("", err)
	}
	return c.Blob(http.StatusOK, mp3MediaType, mp3)
}

// helpRequest is who asks, about the session in the path.
func (s *Server) helpRequest(c echo.Context, who caller) (session.HelpRequest, error) {
	const op = "gateway.helpRequest"
	id, err := sessionID(c)
	if err != nil {
		return session.HelpRequest{}, err
	}
	held, err := s.opts.Conversations.Conversation(c.Request().Context(), who.tenantID, who.user.ID, id)
	if err != nil {
		return session.HelpRequest{}, noSession(err)
	}
	p, err := s.opts.Profiles.Profile(c.Request().Context(), who.tenantID, who.user.ID, held.ProfileID)
	if err != nil {
		return session.HelpRequest{}, renamed(err, learn.NotFound, op, "Learning profile not found")
	}
	return session.HelpRequest{User: who.user, Profile: p, ConversationID: id}, nil
}

// helpError gives a refusal of help its status.
func helpError(err error) error {
	if errors.Is(err, session.ErrEnded) {
		return errSessionEnded(err)
	}
	return err
}

// messageText checks a text that a learner gives to a message.
func (f *faults) messageText(field, text string) string {
	text = strings.TrimSpace(text)
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		f.add(field, "is required and must not be empty")
	case n > maxTurnText:
		f.add(field, "must have at most %d characters", maxTurnText)
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }):
		f.add(field, "must not contain control characters")
	}
	return text
}
