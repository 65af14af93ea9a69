package gateway

import (
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"kalami/session"
	"kalami/session/learn"
	"kalami/session/learn/pronounce"
)

const (
	// assessTimeout bounds an assessment behind its upload; the assessment itself takes ten
	// seconds at most.
	assessTimeout = 15 * time.Second
	// maxReference is the longest text to read, in characters; maxReadingTime the longest
	// recording of one.
	maxReference   = 1000
	maxReadingTime = 2 * time.Minute
	// observedFor is how far back one looks for what is hard to understand.
	observedFor = 90 * 24 * time.Hour
	// maxDrills is how many sentences there are to practise.
	maxDrills = 10
)

// pronunciationRoutes registers how learners speak.
func (s *Server) pronunciationRoutes() {
	missing := failure{http.StatusNotFound, "The caller has no such assessment."}
	formExample := map[string]any{"audio": "(the file)", "language": "es-MX", "reference_text": "Quiero un café con leche."}
	language := parameter{name: "language", about: "One of GET /languages.", shape: "", required: true}
	s.handleLearner(operation{
		method: http.MethodPost, path: "/pronunciation/assess", id: "assess", tag: "pronunciation", class: speaking,
		summary: "Assess how a text was read, or how the caller speaks",
		about: "With `reference_text` the words of the recording are compared with it; without, fluency is measured. A recogniser " +
			"understands the words and is not told what they should be: how surely it did is `recognition`, which says nothing about " +
			"sounds. `accuracy`, `phonemes` and `overall_score` are null unless an assessor of sounds has judged the recording, for " +
			"which one has to be set up, the caller to agree (POST /me/consents) and, in a school, the school. The recording is not kept.",
		takes:   []content{{mediaType: echo.MIMEMultipartForm, shape: assessForm{}, example: formExample}, {shape: assessRequest{}}},
		gives:   []success{{status: http.StatusOK, bodies: []content{{shape: assessmentJSON{}}}}},
		fails:   []failure{{http.StatusNotFound, "The caller has no such session."}, noVendor("hear")},
		timeout: assessTimeout, maxBody: maxRecordingBody,
	}, s.assess)
	s.handleLearner(operation{
		method: http.MethodGet, path: "/pronunciation/assessments", id: "listAssessments", tag: "pronunciation", class: reading,
		summary: "Assessments of the caller, newest first, without their words", about: pollable,
		query: append(pageParameters(defaultSessions, maxSessions), parameter{name: "language", about: "Only those in one of GET /languages.", shape: ""}),
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: []assessmentItemJSON{}}}}, unchanged()},
	}, s.listAssessments)
	s.handleLearner(operation{
		method: http.MethodGet, path: "/pronunciation/assessments/:id", id: "getAssessment", tag: "pronunciation", class: reading,
		summary: "One assessment", about: pollable,
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: assessmentJSON{}}}}, unchanged()}, fails: []failure{missing},
	}, s.getAssessment)
	s.handleLearner(operation{
		method: http.MethodGet, path: "/pronunciation/problem-sounds", id: "listProblemSounds", tag: "pronunciation", class: reading,
		summary: "What is often hard to understand",
		about: "Words that a recogniser understood with doubt in two different sessions, or on two days of exercises, within the last 90 " +
			"days; and sounds that an assessor found off, where one has judged them. What has most evidence comes first.",
		query: []parameter{language},
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: problemSoundsJSON{}}}}},
	}, s.listProblemSounds)
	s.handleLearner(operation{
		method: http.MethodGet, path: "/pronunciation/drills", id: "listDrills", tag: "pronunciation", class: reading,
		summary: "Sentences to practise on",
		about: "For words that were hard to understand: the shortest sentences in which they stand, of those that the tutor has said to " +
			"the caller or the caller has read; the word alone where there is none.",
		query: []parameter{language},
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: []learn.Drill{}}}}},
	}, s.listDrills)
}

// assessForm is the form that carries a recording to assess.
type assessForm struct {
	Audio     []byte  `json:"audio" required:"true" doc:"The recording: WAV, MP3, WebM, M4A or Ogg, told by its content; at most 25 MiB and two minutes. Its file name and type do not matter."`
	Language  string  `json:"language" required:"true" doc:"What is spoken: one of GET /languages, with a region if one is meant"`
	Reference *string `json:"reference_text,omitempty" doc:"What was to be read; left out for free speech" maxLength:"1000"`
	SessionID *string `json:"session_id,omitempty" doc:"The session that it belongs to"`
}

// assessRequest is the JSON that carries one.
type assessRequest struct {
	Audio     base64Audio `json:"audio_base64" required:"true" example:"UklGRiQAAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQAAAAA="`
	Format    *string     `json:"format" doc:"What the client believes it to be; the content decides" enum:"wav,mp3,webm,m4a,ogg" example:"m4a"`
	Language  *string     `json:"language" required:"true" doc:"What is spoken: one of GET /languages, with a region if one is meant" example:"es-MX"`
	Reference *string     `json:"reference_text" doc:"What was to be read; null for free speech" maxLength:"1000" example:"Quiero un café con leche."`
	SessionID *string     `json:"session_id" doc:"The session that it belongs to, or null"`
}

// readAssess reads the JSON form.
func readAssess(c echo.Context) (upload, error) {
	var in assessRequest
	if err := decodeJSON(c, &in); err != nil {
		return upload{}, err
	}
	u, err := recordingRequest{Audio: in.Audio, Format: in.Format, Language: in.Language}.upload()
	for name, value := range map[string]*string{"reference_text": in.Reference, "session_id": in.SessionID} {
		if value != nil {
			u.values[name] = *value
		}
	}
	return u, err
}

// assessmentJSON is an assessment, and what the original's app shows of it.
type assessmentJSON struct {
	learn.Assessment

	PronunciationFeedback *pronunciationJSON `json:"pronunciation_feedback" doc:"For older clients; null unless overall_score is real"`
}

// showAssessment completes what was read back.
func showAssessment(a learn.Assessment, native string) assessmentJSON {
	a.Caveat = pronounce.Caveat(a.Basis, native)
	a.CreatedAt = a.CreatedAt.UTC()
	out := assessmentJSON{Assessment: a}
	if a.Overall == nil || a.Basis != learn.AcousticBasis {
		return out
	}
	out.PronunciationFeedback = &pronunciationJSON{OverallScore: *a.Overall, ProblematicPhonemes: []string{}, Suggestions: []string{}}
	for _, p := range a.ProblemAreas {
		if p.Kind == learn.ProblemSound {
			out.PronunciationFeedback.ProblematicPhonemes = append(out.PronunciationFeedback.ProblematicPhonemes, p.Value)
		}
	}
	for _, suggestion := range a.Suggestions {
		out.PronunciationFeedback.Suggestions = append(out.PronunciationFeedback.Suggestions, suggestion.Text)
	}
	return out
}

// assessmentItemJSON is an assessment in a list.
type assessmentItemJSON struct {
	ID           string               `json:"id" example:"0197b0f1-4c11-7a52-9d0e-2b64c0f8a1d7"`
	SessionID    *string              `json:"session_id" doc:"null for an exercise on its own"`
	MessageID    *string              `json:"message_id" doc:"The message of a talk that it is about"`
	Mode         learn.AssessmentMode `json:"mode" doc:"scripted when there was a text to read" enum:"scripted,spontaneous" example:"scripted"`
	Language     string               `json:"language" example:"es"`
	Reference    *string              `json:"reference_text" doc:"What was to be read; null when the caller spoke freely" example:"Quiero un café con leche"`
	Provider     string               `json:"provider" example:"deepgram-basic"`
	Basis        learn.Basis          `json:"basis" doc:"What it rests on: understood words, or the sounds themselves" enum:"asr_recognition,acoustic_phoneme" example:"asr_recognition"`
	Capabilities []learn.Capability   `json:"capabilities" doc:"What this assessment can tell" enum:"completeness,word_status,recognition,fluency,accuracy,prosody,phonemes"`
	Overall      *float64             `json:"overall_score" doc:"null unless an assessor has judged the sounds"`
	Scores       learn.Scores         `json:"scores" doc:"Figures of 0 to 100; null where nobody can tell"`
	Fluency      learn.Fluency        `json:"fluency" doc:"Measured from the times of words"`
	ProblemAreas []learn.ProblemArea  `json:"problem_areas" doc:"What to work on, most evidence first"`
	Suggestions  []learn.Suggestion   `json:"suggestions" doc:"At most three sentences for the caller"`
	Caveat       string               `json:"caveat" doc:"What the figures are not, in the caller’s language" example:"Based on how clearly a recogniser understood you, not on the sounds themselves."`
	CreatedAt    time.Time            `json:"created_at" example:"2026-03-04T05:16:37Z"`
}

// problemSoundsJSON is what is often hard to understand.
type problemSoundsJSON struct {
	Items  []learn.Misheard `json:"items" doc:"What has most evidence first"`
	Caveat string           `json:"caveat" doc:"What the list is not, in the caller's language" example:"Based on how clearly a recogniser understood you, not on the sounds themselves."`
}

// assess answers POST /pronunciation/assess.
func (s *Server) assess(c echo.Context, who caller) error {
	const op = "gateway.assess"
	sent, err := readUploadWith(c, readAssess)
	if err != nil {
		return err
	}
	var f faults
	r := session.AssessRequest{TenantID: who.tenantID, User: who.user, Language: sent.language,
		Reference: f.reference(sent.values["reference_text"]), ConversationID: strings.TrimSpace(sent.values["session_id"])}
	if r.Language == "" {
		f.add("language", "is required")
	} else {
		f.offered("language", r.Language)
	}
	if err := f.err(op); err != nil {
		return err
	}
	if r.ConversationID != "" && !saneID(r.ConversationID) {
		return learn.Errorf(learn.NotFound, op, "Session not found")
	}
	rec, info, err := sent.recording(r.Language)
	if err != nil {
		return err
	}
	if info.Duration > maxReadingTime {
		return sent.fault(op, "must not last longer than 2 minutes")
	}
	if r.ConversationID != "" { // before anybody is paid to listen
		if _, err := s.opts.Conversations.Conversation(c.Request().Context(), who.tenantID, who.user.ID, r.ConversationID); err != nil {
			return renamed(err, learn.NotFound, op, "Session not found")
		}
	}
	r.Recording, r.Duration = rec, info.Duration
	a, err := s.opts.Pronunciation.Assess(c.Request().Context(), r)
	if learn.KindOf(err) == learn.Invalid && err != nil {
		return sent.fault(op, "cannot be heard: the recogniser does not take it")
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, showAssessment(a, who.user.NativeLanguage))
}

// reference checks a text to read; empty for free speech.
func (f *faults) reference(text string) string {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
	case !utf8.ValidString(text):
		f.add("reference_text", "must be valid UTF-8")
	case utf8.RuneCountInString(text) > maxReference:
		f.add("reference_text", "must have at most %d characters", maxReference)
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }):
		f.add("reference_text", "must not contain control characters")
	case !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }):
		f.add("reference_text", "must have a letter or a digit: there is nothing to read")
	}
	return text
}

// offered checks that a language is one of those on offer and returns its code.
func (f *faults) offered(field, tag string) string {
	l, ok := learn.LanguageByCode(tag)
	if !ok {
		f.add(field, "must be one of %s", languageCodes())
	}
	return l.Code
}

// wantedLanguage reads the query's language; empty when it is not there.
func (q *query) wantedLanguage(required bool) string {
	tag, ok := q.get("language")
	switch {
	case ok:
		return q.offered("language", tag)
	case required:
		q.add("language", "is required")
	}
	return ""
}

// listAssessments answers GET /pronunciation/assessments.
func (s *Server) listAssessments(c echo.Context, who caller) error {
	q := readQuery(c)
	page, language := q.page(defaultSessions, maxSessions), q.wantedLanguage(false)
	if err := q.err("gateway.listAssessments"); err != nil {
		return err
	}
	all, err := s.opts.Assessments.ListAssessments(c.Request().Context(), who.tenantID, who.user.ID, language, page.limit, page.offset)
	if err != nil {
		return err
	}
	out := make([]assessmentItemJSON, len(all))
	for i, a := range all {
		out[i] = assessmentItemJSON{ID: a.ID, SessionID: a.ConversationID, MessageID: a.MessageID, Mode: a.Mode, Language: a.Language,
			Reference: a.Reference, Provider: a.Provider, Basis: a.Basis, Capabilities: a.Capabilities, Overall: a.Overall, Scores: a.Scores,
			Fluency: a.Fluency, ProblemAreas: a.ProblemAreas, Suggestions: a.Suggestions,
			Caveat: pronounce.Caveat(a.Basis, who.user.NativeLanguage), CreatedAt: a.CreatedAt.UTC()}
	}
	return conditionalJSON(c, out)
}

// getAssessment answers GET /pronunciation/assessments/{id}.
func (s *Server) getAssessment(c echo.Context, who caller) error {
	const op = "gateway.getAssessment"
	id := c.Param("id")
	if !saneID(id) {
		return learn.Errorf(learn.NotFound, op, "Assessment not found")
	}
	a, err := s.opts.Assessments.Assessment(c.Request().Context(), who.tenantID, who.user.ID, id)
	if err != nil {
		return renamed(err, learn.NotFound, op, "Assessment not found")
	}
	return conditionalJSON(c, showAssessment(a, who.user.NativeLanguage))
}

// observed reads what was hard to understand for the caller in the query's language.
func (s *Server) observed(c echo.Context, who caller) (language string, all []learn.Observation, err error) {
	q := readQuery(c)
	language = q.wantedLanguage(true)
	if err := q.err("gateway.observed"); err != nil {
		return "", nil, err
	}
	all, err = s.opts.Assessments.Observations(c.Request().Context(), who.tenantID, who.user.ID, language, pronounce.Unsure, time.Now().Add(-observedFor))
	return language, all, err
}

// listProblemSounds answers GET /pronunciation/problem-sounds.
func (s *Server) listProblemSounds(c echo.Context, who caller) error {
	_, observed, err := s.observed(c, who)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, problemSoundsJSON{Items: pronounce.OftenMisheard(observed),
		Caveat: pronounce.Caveat(learn.RecognitionBasis, who.user.NativeLanguage)})
}

// listDrills answers GET /pronunciation/drills: for what is often misheard, then for what
// was hard to understand last.
func (s *Server) listDrills(c echo.Context, who caller) error {
	language, observed, err := s.observed(c, who)
	if err != nil {
		return err
	}
	var words []string
	for _, m := range pronounce.OftenMisheard(observed) {
		if m.Kind == learn.ProblemWord {
			words = append(words, m.Value)
		}
	}
	for _, o := range observed {
		if o.Kind == learn.ProblemWord {
			words = append(words, o.Value)
		}
	}
	tutor, exercises, err := s.opts.Assessments.DrillTexts(c.Request().Context(), who.tenantID, who.user.ID, language)
	if err != nil {
		return err
	}
	var sources []pronounce.Source
	for _, text := range tutor {
		sources = append(sources, pronounce.Source{Text: text, From: "tutor"})
	}
	for _, text := range exercises {
		sources = append(sources, pronounce.Source{Text: text, From: "exercise"})
	}
	return c.JSON(http.StatusOK, pronounce.Drills(language, words, sources, maxDrills))
}
