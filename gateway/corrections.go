package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

const (
	defaultCorrections, maxCorrections = 100, 500
	// topicEdited carries a [learn.TranscriptEdit] that is stored, as JSON.
	topicEdited = "transcript_edited"
)

// correctionRoutes registers what learners say of what was understood and corrected.
func (s *Server) correctionRoutes() {
	s.handleLearner(operation{
		method: http.MethodGet, path: "/conversations/sessions/:id/corrections", id: "listCorrections", tag: "conversations", class: reading,
		summary: "What was corrected in a session, in the order of what was said",
		about:   "Without what the caller has hidden, and what was not shown because it may have been misheard. " + pollable,
		query:   pageParameters(defaultCorrections, maxCorrections),
		gives:   []success{{status: http.StatusOK, bodies: []content{{shape: []keptCorrectionJSON{}}}}, unchanged()},
		fails:   []failure{{http.StatusNotFound, "The caller has no such session."}},
	}, s.listCorrections)
	s.handleLearner(operation{
		method: http.MethodPatch, path: "/corrections/:id", id: "judgeCorrection", tag: "conversations", class: writing,
		summary: "Dispute, confirm or hide a correction",
		about: "From `shown` it may become any of the three, and from each of them any other: people change their minds. It does not " +
			"become `shown` again. What is hidden is listed no more. The first dispute of a correction is counted in its session as " +
			"`corrections_disputed`, and stays counted.",
		takes: []content{{shape: judgementRequest{}}},
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: keptCorrectionJSON{}}}}},
		fails: []failure{{http.StatusNotFound, "The caller was shown no such correction."}},
	}, s.judgeCorrection)
	s.handleLearner(operation{
		method: http.MethodPatch, path: "/conversations/messages/:id", id: "editMessage", tag: "conversations", class: writing,
		summary: "Say that a message was misunderstood, and what it said",
		about: "Of the caller's own messages only. What was understood first is kept as `original_text`; corrections of it are gone, and " +
			"the message is analysed again, which takes a while. A tutor that is live in the session knows from its next answer on; the " +
			"session goes on. In a live session tutor.transcript.edit does the same.",
		takes: []content{{shape: editRequest{}}},
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: messageJSON{}}}}},
		fails: []failure{{http.StatusNotFound, "The caller has said no such message."}},
	}, s.editMessage)
}

// keptCorrectionJSON is a correction with what the learner says of it.
type keptCorrectionJSON struct {
	ID          string    `json:"id" example:"0197b0f3-4d5e-7f60-8a1b-2c3d4e5f6071"`
	SessionID   string    `json:"session_id" example:"0197b0f2-7c1e-7b6a-9a54-3f1d2f0c8e11"`
	MessageID   string    `json:"message_id" example:"0197b0f3-2b3c-7d4e-8f5a-6b7c8d9e0f1a"`
	Original    string    `json:"original" doc:"As it stands in the message" example:"yo fue"`
	Corrected   string    `json:"corrected" example:"yo fui"`
	Start       int       `json:"start" doc:"Where original begins in the message, in Unicode code points" example:"5"`
	End         int       `json:"end" doc:"Where it ends; the first code point behind it" example:"11"`
	Category    string    `json:"category" doc:"What kind of mistake it is" example:"verb_form"`
	Severity    string    `json:"severity" doc:"How much it matters" enum:"minor,major,blocking" example:"major"`
	Explanation string    `json:"explanation" example:"The first person of ir in the past is fui."`
	Language    string    `json:"explanation_language" doc:"Of explanation" example:"en"`
	Status      string    `json:"status" enum:"shown,disputed,confirmed,hidden" example:"shown"`
	CreatedAt   time.Time `json:"created_at" example:"2026-03-04T05:07:12Z"`
}

func showKept(k learn.KeptCorrection) keptCorrectionJSON {
	return keptCorrectionJSON{ID: k.ID, SessionID: k.ConversationID, MessageID: k.MessageID, Original: k.Original, Corrected: k.Corrected,
		Start: k.Start, End: k.End, Category: string(k.Category), Severity: string(k.Severity), Explanation: k.Explanation,
		Language: k.ExplanationLanguage, Status: string(k.Status), CreatedAt: k.CreatedAt.UTC()}
}

// judgementRequest is the body of PATCH /corrections/{id}.
type judgementRequest struct {
	Status optional[string] `json:"status" required:"true" enum:"disputed,confirmed,hidden" example:"disputed"`
}

// editRequest is the body of PATCH /conversations/messages/{id}.
type editRequest struct {
	Text optional[string] `json:"text" required:"true" doc:"What was said" minLength:"1" maxLength:"4000" example:"Ayer yo fui al mercado."`
}

// listCorrections answers GET /conversations/sessions/{id}/corrections.
func (s *Server) listCorrections(c echo.Context, who caller) error {
	q := readQuery(c)
	page := q.page(defaultCorrections, maxCorrections)
	if err := q.err("gateway.listCorrections"); err != nil {
		return err
	}
	id, err := sessionID(c)
	if err != nil {
		return err
	}
	found, err := s.opts.Corrections.Corrections(c.Request().Context(), who.tenantID, who.user.ID, id, page.limit, page.offset)
	if err != nil {
		return noSession(err)
	}
	out := make([]keptCorrectionJSON, len(found)) // [] and never null
	for i, k := range found {
		out[i] = showKept(k)
	}
	return conditionalJSON(c, out)
}

// judgeCorrection answers PATCH /corrections/{id}.
func (s *Server) judgeCorrection(c echo.Context, who caller) error {
	const op, missing = "gateway.judgeCorrection", "Correction not found"
	var in judgementRequest
	if err := decodePatch(c, &in); err != nil {
		return err
	}
	to := learn.CorrectionStatus(in.Status.value)
	if !to.Judgement() {
		var f faults
		f.add("status", "must be one of disputed, confirmed, hidden")
		return f.err(op)
	}
	id := c.Param("id")
	if !saneID(id) {
		return learn.Errorf(learn.NotFound, op, missing)
	}
	kept, err := s.opts.Corrections.JudgeCorrection(c.Request().Context(), who.tenantID, who.user.ID, id, to)
	if err != nil {
		return renamed(err, learn.NotFound, op, missing)
	}
	return c.JSON(http.StatusOK, showKept(kept))
}

// editMessage answers PATCH /conversations/messages/{id}.
func (s *Server) editMessage(c echo.Context, who caller) error {
	const op, missing = "gateway.editMessage", "Message not found"
	var in editRequest
	if err := decodePatch(c, &in); err != nil {
		return err
	}
	var f faults
	text := f.messageText("text", in.Text.value)
	if err := f.err(op); err != nil {
		return err
	}
	id := c.Param("id")
	if !saneID(id) {
		return learn.Errorf(learn.NotFound, op, missing)
	}
	m, err := s.opts.Corrections.CorrectTranscript(c.Request().Context(), who.tenantID, who.user.ID, id, text)
	if err != nil {
		return renamed(err, learn.NotFound, op, missing)
	}
	s.tellEdited(c.Request().Context(), m)
	return c.JSON(http.StatusOK, showMessage(m, nil))
}

// tellEdited tells the session that is live in the conversation of a message, on whichever
// node, that it reads otherwise now. A notice may be lost: then the tutor learns of it when
// the conversation is taken up the next time.
func (s *Server) tellEdited(ctx context.Context, m learn.Message) {
	edit := learn.TranscriptEdit{TenantID: m.TenantID, ConversationID: m.ConversationID, UtteranceID: m.UtteranceID, Text: m.Content}
	if s.live.edited(edit) || s.opts.Nodes == nil {
		return
	}
	payload, err := json.Marshal(edit)
	if err == nil {
		err = s.opts.Nodes.Publish(context.WithoutCancel(ctx), topicEdited, string(payload))
	}
	if err != nil {
		s.log.Warn("other nodes were not told of an edit", "conversation", m.ConversationID, "err", err)
	}
}

// heedEdited takes a notice of another node.
func (s *Server) heedEdited(payload string) {
	var edit learn.TranscriptEdit
	if json.Unmarshal([]byte(payload), &edit) == nil {
		s.live.edited(edit)
	}
}

// editsWaiting is how many edits wait for a session; those that come to a full queue are
// not told to it.
const editsWaiting = 8

// edited passes an edit on to the session that its conversation goes on in on this node, and
// says whether there is one. It does not block.
func (r *registry) edited(e learn.TranscriptEdit) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.talks[e.ConversationID]
	if s == nil {
		return false
	}
	select {
	case s.edits <- e:
	default:
	}
	return true
}
