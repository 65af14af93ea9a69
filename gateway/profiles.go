package gateway

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

// The ranges of what a learner may set, for profiles and for single sessions.
const (
	minPatienceMS, maxPatienceMS = 800, 4000
	minSpeed, maxSpeed           = 0.5, 1.5
)

func (s *Server) profileRoutes() {
	one := success{status: http.StatusOK, bodies: []content{{shape: profileJSON{}}}}
	missing := failure{http.StatusNotFound, "The caller has no such profile."}
	s.handleLearner(operation{
		method: http.MethodGet, path: "/users/profiles", id: "listProfiles", tag: "profiles", class: reading,
		summary: "The languages that the caller learns, oldest first", about: pollable,
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: []profileJSON{}}}}, unchanged()},
	}, s.listProfiles)
	s.handleLearner(operation{
		method: http.MethodPost, path: "/users/profiles", id: "createProfile", tag: "profiles", class: writing,
		summary: "Begin to learn a language", about: "A region in the language (`es-MX`) is dropped. " + nullResets,
		takes: []content{{shape: profileRequest{}}},
		gives: []success{{status: http.StatusCreated, bodies: []content{{shape: profileJSON{}}}}},
		fails: []failure{{http.StatusBadRequest, "The caller learns that language already."}},
	}, s.createProfile)
	s.handleLearner(operation{
		method: http.MethodGet, path: "/users/profiles/:id", id: "getProfile", tag: "profiles", class: reading,
		summary: "One profile", about: pollable, gives: []success{one, unchanged()}, fails: []failure{missing},
	}, s.getProfile)
	s.handleLearner(operation{
		method: http.MethodPatch, path: "/users/profiles/:id", id: "updateProfile", tag: "profiles", class: writing,
		summary: "Change level or settings",
		about: "Fields that are left out stay. Fields that cannot be changed, the language among them, are refused with " +
			"422 and named, and then nothing is changed. " + nullResets,
		takes: []content{{shape: profilePatch{}}}, gives: []success{one},
		fails: []failure{{http.StatusBadRequest, "There is no such level."}, missing},
	}, s.patchProfile)
	s.handleLearner(operation{
		method: http.MethodDelete, path: "/users/profiles/:id", id: "deleteProfile", tag: "profiles", class: writing,
		summary: "Stop learning a language",
		about: "The profile's sessions are no longer listed and cannot be continued; each can still be read and deleted " +
			"by its id. The language can be begun anew, from zero.",
		gives: []success{{status: http.StatusNoContent}}, fails: []failure{missing},
	}, s.deleteProfile)
}

// nullResets is what the description of a profile's settings says about null.
const nullResets = "A setting that is null follows the level's default."

// profileJSON is a profile as the API shows it. The counters go out under the names of
// the present and of an older client.
type profileJSON struct {
	ID                 string    `json:"id" doc:"UUID" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d10"`
	TargetLanguage     string    `json:"target_language" example:"es"`
	Level              string    `json:"cefr_level" enum:"A1,A2,B1,B2,C1,C2" example:"A2"`
	TotalPracticeTime  int       `json:"total_practice_time" doc:"Seconds in which the learner's own voice was heard, those of open sessions with them" example:"5670"`
	TotalSpeakingTime  int       `json:"total_speaking_time_seconds" doc:"The same as total_practice_time" example:"5670"`
	ConversationCount  int       `json:"conversation_count" example:"12"`
	CurrentStreak      int       `json:"current_streak" doc:"Consecutive days, by the learner's time zone, with this language, as it stands today" example:"5"`
	StreakDays         int       `json:"streak_days" doc:"The same as current_streak" example:"5"`
	VocabularyMastered int       `json:"vocabulary_mastered" example:"38"`
	CorrectionMode     *string   `json:"correction_mode" doc:"null: the level's default" enum:"flow,balanced,strict,elicit,silent" example:"balanced"`
	PatienceMS         *int      `json:"patience_ms" doc:"How long a pause may be; null: the level's default" example:"1800"`
	SpeechRate         *float64  `json:"speech_rate" doc:"How fast the tutor speaks; null: the level's default" example:"0.8"`
	VoiceID            *string   `json:"voice_id" doc:"The tutor's voice; null: the language's default"`
	AutoCards          bool      `json:"auto_cards" doc:"Whether cards come by themselves of what learners say wrongly or in their own language: at most five a session, and no more a day than new cards are asked" example:"false"`
	CreatedAt          time.Time `json:"created_at" example:"2026-03-01T08:30:00Z"`
	UpdatedAt          time.Time `json:"updated_at" example:"2026-03-04T05:16:37Z"`
}

func showProfile(p learn.Profile) profileJSON {
	seconds := int(p.TotalSpeaking / time.Second)
	return profileJSON{
		ID: p.ID, TargetLanguage: p.TargetLanguage, Level: string(p.Level),
		TotalPracticeTime: seconds, TotalSpeakingTime: seconds,
		ConversationCount: p.Conversations,
		CurrentStreak:     p.StreakDays, StreakDays: p.StreakDays,
		VocabularyMastered: p.Mastered,
		CorrectionMode:     orNull(string(p.CorrectionMode)), PatienceMS: orNull(p.PatienceMS),
		SpeechRate: orNull(p.SpeechRate), VoiceID: orNull(p.VoiceID), AutoCards: p.AutoCards,
		CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(),
	}
}

// orNull is nil for a zero value, which stands for "the default".
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// listProfiles answers GET /users/profiles.
func (s *Server) listProfiles(c echo.Context, who caller) error {
	ps, err := s.opts.Profiles.ListProfiles(c.Request().Context(), who.tenantID, who.user.ID)
	if err != nil {
		return err
	}
	out := make([]profileJSON, 0, len(ps)) // [] and never null
	for _, p := range ps {
		out = append(out, showProfile(p))
	}
	return conditionalJSON(c, out)
}

// createProfile answers POST /users/profiles.
func (s *Server) createProfile(c echo.Context, who caller) error {
	const op = "gateway.createProfile"
	var in profileRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	p := learn.Profile{TenantID: who.tenantID, UserID: who.user.ID, Level: learn.A1}
	var f faults
	if !in.TargetLanguage.set || in.TargetLanguage.null {
		f.add("target_language", "is required")
	} else if l, ok := learn.LanguageByCode(in.TargetLanguage.value); ok {
		p.TargetLanguage = l.Code
	} else {
		f.add("target_language", "must be one of %s", languageCodes())
	}
	if in.Level.set && !in.Level.null {
		level, ok := learn.ParseLevel(in.Level.value)
		if !ok {
			f.add("cefr_level", "must be one of A1, A2, B1, B2, C1, C2")
		}
		p.Level = level
	}
	in.patch().apply(&p, &f)
	if err := f.err(op); err != nil {
		return err
	}
	created, err := s.opts.Profiles.CreateProfile(c.Request().Context(), p)
	if learn.KindOf(err) == learn.Conflict {
		return &apiError{status: http.StatusBadRequest, code: "profile_exists", err: &learn.Error{
			Kind: learn.Conflict, Msg: "Profile for " + p.TargetLanguage + " already exists", Op: op, Err: err}}
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, showProfile(created))
}

// getProfile answers GET /users/profiles/{id}.
func (s *Server) getProfile(c echo.Context, who caller) error {
	p, err := s.profile(c, who, c.Param("id"))
	if err != nil {
		return err
	}
	return conditionalJSON(c, showProfile(p))
}

// patchProfile answers PATCH /users/profiles/{id}. Fields that are absent stay; a
// setting that is null goes back to the level's default.
func (s *Server) patchProfile(c echo.Context, who caller) error {
	const op = "gateway.patchProfile"
	var in profilePatch
	if err := decodePatch(c, &in); err != nil {
		return err
	}
	p, err := s.profile(c, who, c.Param("id"))
	if err != nil {
		return err
	}
	if in.Level.set {
		level, ok := learn.ParseLevel(in.Level.value)
		if !ok {
			return &apiError{status: http.StatusBadRequest, err: &learn.Error{
				Kind: learn.Invalid, Msg: "Invalid CEFR level", Op: op,
				Fields: []learn.FieldError{{Field: "cefr_level", Message: "must be one of A1, A2, B1, B2, C1, C2"}}}}
		}
		p.Level = level
	}
	var f faults
	in.apply(&p, &f)
	if err := f.err(op); err != nil {
		return err
	}
	if p, err = s.opts.Profiles.UpdateProfile(c.Request().Context(), p); err != nil {
		return renamed(err, learn.NotFound, op, "Profile not found")
	}
	return c.JSON(http.StatusOK, showProfile(p))
}

// deleteProfile answers DELETE /users/profiles/{id}.
func (s *Server) deleteProfile(c echo.Context, who caller) error {
	const op = "gateway.deleteProfile"
	id := c.Param("id")
	if !saneID(id) {
		return learn.Errorf(learn.NotFound, op, "Profile not found")
	}
	if err := s.opts.Profiles.DeleteProfile(c.Request().Context(), who.tenantID, who.user.ID, id); err != nil {
		return renamed(err, learn.NotFound, op, "Profile not found")
	}
	return c.NoContent(http.StatusNoContent)
}

// profile finds one of the caller's profiles.
func (s *Server) profile(c echo.Context, who caller, id string) (learn.Profile, error) {
	const op = "gateway.profile"
	if !saneID(id) {
		return learn.Profile{}, learn.Errorf(learn.NotFound, op, "Profile not found")
	}
	p, err := s.opts.Profiles.Profile(c.Request().Context(), who.tenantID, who.user.ID, id)
	return p, renamed(err, learn.NotFound, op, "Profile not found")
}

// renamed gives an error of the given kind the message that the API promises for it;
// other errors, and nil, stay as they are.
func renamed(err error, kind learn.Kind, op, msg string) error {
	if err != nil && learn.KindOf(err) == kind {
		return &learn.Error{Kind: kind, Msg: msg, Op: op, Err: err}
	}
	return err
}

// profileRequest is the body of POST.
type profileRequest struct {
	TargetLanguage optional[string]  `json:"target_language" required:"true" doc:"One of GET /languages" example:"es"`
	Level          optional[string]  `json:"cefr_level" doc:"A1 by default" example:"A2"`
	CorrectionMode optional[string]  `json:"correction_mode" doc:"How much the tutor corrects; null: the level's default" enum:"flow,balanced,strict,elicit,silent" example:"balanced"`
	PatienceMS     optional[int]     `json:"patience_ms" doc:"How long a pause may be, in milliseconds" minimum:"800" maximum:"4000" example:"1800"`
	SpeechRate     optional[float64] `json:"speech_rate" doc:"How fast the tutor speaks" minimum:"0.5" maximum:"1.5" example:"0.8"`
	VoiceID        optional[string]  `json:"voice_id" doc:"One of GET /speech/voices" maxLength:"64"`
	AutoCards      optional[bool]    `json:"auto_cards" doc:"Whether cards come by themselves of what the learner says wrongly or in their own language; false by default" example:"false"`
}

// patch is the part of the request that may be changed later.
func (in profileRequest) patch() profilePatch {
	return profilePatch{in.Level, in.CorrectionMode, in.PatienceMS, in.SpeechRate, in.VoiceID, in.AutoCards}
}

// profilePatch is the body of PATCH: what is absent stays as it is.
type profilePatch struct {
	Level          optional[string]  `json:"cefr_level" example:"B1"`
	CorrectionMode optional[string]  `json:"correction_mode" doc:"How much the tutor corrects; null: the level's default" enum:"flow,balanced,strict,elicit,silent" example:"strict"`
	PatienceMS     optional[int]     `json:"patience_ms" doc:"How long a pause may be, in milliseconds" minimum:"800" maximum:"4000" example:"1500"`
	SpeechRate     optional[float64] `json:"speech_rate" doc:"How fast the tutor speaks" minimum:"0.5" maximum:"1.5" example:"0.9"`
	VoiceID        optional[string]  `json:"voice_id" doc:"One of GET /speech/voices" maxLength:"64"`
	AutoCards      optional[bool]    `json:"auto_cards" doc:"Whether cards come by themselves of what the learner says wrongly or in their own language; false by default" example:"false"`
}

// apply checks the settings that are set, all but the level, and writes them into p;
// null is written as zero.
func (in profilePatch) apply(p *learn.Profile, f *faults) {
	if o := in.CorrectionMode; o.set {
		p.CorrectionMode = learn.CorrectionMode(o.value)
		if !o.null && !p.CorrectionMode.Valid() {
			f.add("correction_mode", "must be one of flow, balanced, strict, elicit, silent")
		}
	}
	if o := in.PatienceMS; o.set {
		p.PatienceMS = o.value
		if !o.null {
			number(f, "patience_ms", o.value, minPatienceMS, maxPatienceMS)
		}
	}
	if o := in.SpeechRate; o.set {
		p.SpeechRate = o.value
		if !o.null {
			number(f, "speech_rate", o.value, minSpeed, maxSpeed)
		}
	}
	if o := in.VoiceID; o.set {
		p.VoiceID = f.voiceID("voice_id", o.value)
	}
	if o := in.AutoCards; o.set {
		p.AutoCards = o.value
	}
}

// languageCodes lists the languages on offer, for messages.
func languageCodes() string {
	codes := make([]string, len(learn.Languages))
	for i, l := range learn.Languages {
		codes[i] = l.Code
	}
	return strings.Join(codes, ", ")
}
