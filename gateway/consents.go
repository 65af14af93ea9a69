package gateway

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

// consentRoutes registers what learners agree to.
func (s *Server) consentRoutes() {
	s.handleLearner(operation{
		method: http.MethodGet, path: "/me/consents", id: "listConsents", tag: "consents", class: reading,
		summary: "What the caller has decided, newest first",
		about:   "Decisions are added and never changed: for each purpose the newest counts. Without one there is no consent.",
		query:   pageParameters(defaultSessions, maxSessions),
		gives:   []success{{status: http.StatusOK, bodies: []content{{shape: []consentJSON{}}}}},
	}, s.listConsents)
	s.handleLearner(operation{
		method: http.MethodPost, path: "/me/consents", id: "decideConsent", tag: "consents", class: writing,
		summary: "Agree to something, or take it back",
		about: "`pronunciation_provider` lets an assessor of pronunciation have recordings that the caller sends to be assessed. " +
			"Without it, and for everybody who is marked a child, no recording leaves for one.",
		takes: []content{{shape: consentRequest{}}},
		gives: []success{{status: http.StatusCreated, bodies: []content{{shape: consentJSON{}}}}},
		fails: []failure{{http.StatusForbidden, "The caller is marked a child: a guardian has to decide this."}},
	}, s.decideConsent)
}

// consentJSON is one decision.
type consentJSON struct {
	ID          string    `json:"id" example:"0197b0f1-5d2f-7c3e-9a4b-1f0e2d3c4b5a"`
	Purpose     string    `json:"purpose" doc:"What it is about" enum:"audio_storage,pronunciation_provider,model_improvement,guardian_core" example:"pronunciation_provider"`
	Granted     bool      `json:"granted" doc:"false: taken back" example:"true"`
	GrantedBy   string    `json:"granted_by" doc:"Who decided" example:"0197b0f1-0a1b-7c2d-8e3f-4a5b6c7d8e9f"`
	Method      string    `json:"method" doc:"How" example:"app"`
	TextVersion string    `json:"text_version" doc:"The text that was agreed to" example:"2026-03"`
	At          time.Time `json:"at" example:"2026-03-04T05:16:37Z"`
}

func showConsent(c learn.Consent) consentJSON {
	return consentJSON{ID: c.ID, Purpose: string(c.Purpose), Granted: c.Granted, GrantedBy: c.GrantedBy, Method: c.Method, TextVersion: c.TextVersion, At: c.At.UTC()}
}

// consentRequest is the body of a decision.
type consentRequest struct {
	Purpose     optional[string] `json:"purpose" doc:"What it is about" required:"true" enum:"pronunciation_provider" example:"pronunciation_provider"`
	Granted     optional[bool]   `json:"granted" required:"true" doc:"false takes it back" example:"true"`
	TextVersion optional[string] `json:"text_version" required:"true" doc:"Which text the caller was shown" minLength:"1" maxLength:"64" example:"2026-03"`
}

// listConsents answers GET /me/consents.
func (s *Server) listConsents(c echo.Context, who caller) error {
	q := readQuery(c)
	page := q.page(defaultSessions, maxSessions)
	if err := q.err("gateway.listConsents"); err != nil {
		return err
	}
	all, err := s.opts.Consents.ListConsents(c.Request().Context(), who.tenantID, who.user.ID, page.limit, page.offset)
	if err != nil {
		return err
	}
	out := make([]consentJSON, len(all))
	for i, one := range all {
		out[i] = showConsent(one)
	}
	return c.JSON(http.StatusOK, out)
}

// decideConsent answers POST /me/consents.
func (s *Server) decideConsent(c echo.Context, who caller) error {
	var in consentRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	var f faults
	if in.Purpose.value != string(learn.PronunciationProvider) {
		f.add("purpose", "must be pronunciation_provider")
	}
	if !in.Granted.set || in.Granted.null {
		f.add("granted", "is required")
	}
	version := f.text("text_version", in.TextVersion.value, 64)
	if version == "" {
		f.add("text_version", "is required and must not be empty")
	}
	if err := f.err("gateway.decideConsent"); err != nil {
		return err
	}
	kept, err := s.opts.Consents.Decide(c.Request().Context(), learn.Consent{TenantID: who.tenantID, UserID: who.user.ID,
		Purpose: learn.PronunciationProvider, Granted: in.Granted.value, GrantedBy: who.user.ID, Method: "app", TextVersion: version})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, showConsent(kept))
}
