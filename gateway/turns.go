package gateway

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"kalami/session"
	"kalami/session/learn"
)

const (
	// turnTimeout bounds a turn behind its upload: a transcript, a reply and a clip from
	// vendors that are slow, or fail and are followed by others.
	turnTimeout = 90 * time.Second
	// maxTurnText is the longest text of a turn, in characters.
	maxTurnText = 4000
)

// turnRoutes registers turns that are sent whole.
func (s *Server) turnRoutes() {
	const about = "The answer comes from the same tutor as in a live conversation, and knows what was said there. " +
		"Both messages are stored when it comes; corrections belong to the learner's message. Turns of one session are " +
		"answered one after another. A live conversation of the same session ends: the session belongs to who spoke last.\n\n" +
		"`analysed` is false when the learner's language could not be looked at this time; when the voice failed, " +
		"`audio_error` says so and `assistant_audio_base64` is null: the turn stands without it."
	gives := []success{{status: http.StatusOK, bodies: []content{{shape: turnJSON{}}}}}
	fails := []failure{
		{http.StatusBadRequest, "The session has ended."},
		{http.StatusNotFound, "The caller has no such session, or its profile was deleted."},
		{http.StatusConflict, "The session went on elsewhere while this turn was being answered. What the learner said is stored."},
		{http.StatusServiceUnavailable, "No vendor answers now. What the learner said may be stored; send the next turn as usual."},
	}
	s.handleLearner(operation{
		method: http.MethodPost, path: "/conversations/sessions/:id/text", id: "sendText", tag: "conversations", class: speaking,
		summary: "Say something in writing and get the tutor's answer", about: about,
		takes: []content{{shape: textRequest{}}}, gives: gives, fails: fails, timeout: turnTimeout,
	}, s.sendText)
	s.handleLearner(operation{
		method: http.MethodPost, path: "/conversations/sessions/:id/audio", id: "sendAudio", tag: "conversations", class: speaking,
		summary: "Say something in a recording and get the tutor's answer",
		about: about + "\n\nA recording without words is no turn: the answer has the code `not_heard`, an empty `user_text` " +
			"and the tutor's wish to hear it again, nothing is stored and nothing is spoken.",
		takes: takesRecording(), gives: gives, fails: fails, timeout: turnTimeout, maxBody: maxRecordingBody,
	}, s.sendAudio)
}

// turnJSON is a turn as the API shows it: the original's five fields, the names that its
// app expects for them, and ours.
type turnJSON struct {
	UserText      string           `json:"user_text" doc:"What the learner said" example:"Yo soy muy cansado."`
	AssistantText string           `json:"assistant_text" doc:"The tutor's answer" example:"Vaya, está usted muy cansado. ¿Qué le gustaría comer?"`
	Audio         *string          `json:"assistant_audio_base64" doc:"The answer as one whole clip, in base64; null when none was asked for or the voice failed" example:"//uQxAAAAAAAAAAAAAAAAAAAAAAA"`
	Corrections   []correctionJSON `json:"corrections" doc:"Mistakes in user_text, at most three"`
	Vocabulary    []string         `json:"vocabulary_introduced" doc:"Words of the answer that are probably new" example:"[\"comer\"]"`

	Transcription         string             `json:"transcription" doc:"The same as user_text" example:"Yo soy muy cansado."`
	ResponseText          string             `json:"response_text" doc:"The same as assistant_text" example:"Vaya, está usted muy cansado. ¿Qué le gustaría comer?"`
	ResponseAudioURL      *string            `json:"response_audio_url" doc:"Always null: sound is not kept"`
	GrammarCorrections    []correctionJSON   `json:"grammar_corrections" doc:"The same as corrections"`
	PronunciationFeedback *pronunciationJSON `json:"pronunciation_feedback" doc:"Always null until an assessor of sounds is connected: a recogniser cannot tell"`

	AudioFormat        string        `json:"audio_format" doc:"Of assistant_audio_base64" enum:"mp3" example:"mp3"`
	SessionID          string        `json:"session_id" example:"0197b0f2-7c1e-7b6a-9a54-3f1d2f0c8e11"`
	UserMessageID      *string       `json:"user_message_id" doc:"null when there was no turn" example:"0197b0f3-2b3c-7d4e-8f5a-6b7c8d9e0f1a"`
	AssistantMessageID *string       `json:"assistant_message_id" doc:"null when there was no turn" example:"0197b0f3-2f6e-7a1b-9c3d-5e7f9a1b3c5d"`
	NewWords           []newWordJSON `json:"new_words" doc:"More of vocabulary_introduced"`
	Analysed           bool          `json:"analysed" doc:"Whether mistakes and words were looked for" example:"true"`
	Code               *string       `json:"code" doc:"not_heard when there were no words in the recording, else null" enum:"not_heard"`
	AudioError         *string       `json:"audio_error" doc:"voice_unavailable when the answer could not be spoken, else null" enum:"voice_unavailable"`
}

// newWordJSON is a word that the tutor introduced.
type newWordJSON struct {
	Word        string  `json:"word" doc:"As it stands in the answer" example:"comer"`
	Lemma       string  `json:"lemma" doc:"As it stands in a dictionary" example:"comer"`
	PartOf      *string `json:"part_of_speech" example:"verb"`
	Translation string  `json:"translation" doc:"Into the learner's own language" example:"to eat"`
	Level       *string `json:"cefr_level" enum:"A1,A2,B1,B2,C1,C2" example:"A1"`
	Example     string  `json:"example" doc:"The tutor's sentence" example:"¿Qué le gustaría comer?"`
}

func showNewWords(words []learn.NewWord) []newWordJSON {
	out := make([]newWordJSON, len(words)) // [] and never null
	for i, w := range words {
		out[i] = newWordJSON{Word: w.Surface, Lemma: w.Lemma, PartOf: orNull(w.PartOf), Translation: w.Translation,
			Level: orNull(string(w.Level)), Example: w.Example}
	}
	return out
}

// showTurn makes the answer of a turn in a conversation of this language.
func showTurn(r session.TurnResult, language string) turnJSON {
	out := turnJSON{
		UserText: r.Learner.Content, AssistantText: r.Tutor.Content, Corrections: showCorrections(r.Corrections),
		Vocabulary: make([]string, len(r.NewWords)), NewWords: showNewWords(r.NewWords),
		AudioFormat: "mp3", SessionID: r.Conversation.ID, UserMessageID: orNull(r.Learner.ID), AssistantMessageID: orNull(r.Tutor.ID),
		Analysed: r.Analysed,
	}
	for i, w := range r.NewWords {
		out.Vocabulary[i] = w.Surface
	}
	switch {
	case r.Unheard:
		out.Code, out.AssistantText = new("not_heard"), learn.Apology(language)
	case r.VoiceErr != nil:
		out.AudioError = new("voice_unavailable")
	case r.Clip != nil:
		out.Audio = new(base64.StdEncoding.EncodeToString(r.Clip))
	}
	out.Transcription, out.ResponseText, out.GrammarCorrections = out.UserText, out.AssistantText, out.Corrections
	return out
}

// textRequest is the body of a typed turn.
type textRequest struct {
	Text  optional[string] `json:"text" required:"true" minLength:"1" maxLength:"4000" example:"Yo soy muy cansado porque trabajo mucho."`
	Speak optional[bool]   `json:"generate_audio" doc:"Whether the answer is to be spoken, too; true by default" example:"false"`
}

// sendText answers POST /conversations/sessions/{id}/text.
func (s *Server) sendText(c echo.Context, who caller) error {
	const what = "text"
	var in textRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	text := strings.TrimSpace(in.Text.value)
	var f faults
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		f.add("text", "is required and must not be empty")
	case n > maxTurnText:
		f.add("text", "must have at most %d characters", maxTurnText)
	case strings.ContainsRune(text, 0):
		f.add("text", "must not contain control characters")
	}
	if err := f.err("gateway.sendText"); err != nil {
		return err
	}
	r, err := s.turnRequest(c, who)
	if err != nil {
		return err
	}
	r.Text, r.Speak = text, !in.Speak.set || in.Speak.null || in.Speak.value
	return s.takeTurn(c, r, what)
}

// sendAudio answers POST /conversations/sessions/{id}/audio. The session is looked up
// before megabytes are read for one that is not there.
func (s *Server) sendAudio(c echo.Context, who caller) error {
	const what = "audio"
	r, err := s.turnRequest(c, who)
	if err != nil {
		return err
	}
	sent, err := readUpload(c)
	if err != nil {
		return err
	}
	heard, info, err := sent.recording(r.Profile.TargetLanguage)
	if err != nil {
		return processing(what, err)
	}
	r.Recording, r.RecordingMS, r.Speak = &heard, int(info.Duration.Milliseconds()), true
	return s.takeTurn(c, r, what)
}

// turnRequest begins a turn of the session in the path, if it can have one.
func (s *Server) turnRequest(c echo.Context, who caller) (session.TurnRequest, error) {
	const op = "gateway.turnRequest"
	id, ctx := c.Param("id"), c.Request().Context()
	if !saneID(id) {
		return session.TurnRequest{}, learn.Errorf(learn.NotFound, op, "Session not found")
	}
	held, err := s.opts.Conversations.Conversation(ctx, who.tenantID, who.user.ID, id)
	if err != nil {
		return session.TurnRequest{}, renamed(err, learn.NotFound, op, "Session not found")
	}
	if held.EndedAt != nil {
		return session.TurnRequest{}, errSessionEnded(nil)
	}
	p, err := s.opts.Profiles.Profile(ctx, who.tenantID, who.user.ID, held.ProfileID)
	if err != nil {
		return session.TurnRequest{}, renamed(err, learn.NotFound, op, "Learning profile not found")
	}
	return session.TurnRequest{User: who.user, Profile: p, ConversationID: id}, nil
}

// takeTurn has the turn made and answers it; what it was sent as stands in messages.
func (s *Server) takeTurn(c echo.Context, r session.TurnRequest, what string) error {
	result, err := s.opts.Turns.Take(c.Request().Context(), r)
	if err != nil {
		return turnError(what, err)
	}
	return c.JSON(http.StatusOK, showTurn(result, r.Profile.TargetLanguage))
}

// turnError gives a failed turn the status and text that the original's clients know.
func turnError(what string, err error) error {
	switch kind := learn.KindOf(err); {
	case errors.Is(err, session.ErrEnded):
		return errSessionEnded(err)
	case kind == learn.Invalid || kind == learn.Unavailable:
		return processing(what, err)
	}
	return renamed(err, learn.NotFound, "gateway.takeTurn", "Session not found")
}

// errSessionEnded is the original's answer to a turn that comes too late.
func errSessionEnded(cause error) error {
	return &apiError{status: http.StatusBadRequest, code: "session_ended",
		err: &learn.Error{Kind: learn.Conflict, Msg: "Session has ended", Op: "gateway.turn", Err: cause}}
}

// processing gives an error the original's beginning, "Error processing audio: …". The
// original answered 500; here the kind's own status says whose fault it is.
func processing(what string, err error) error {
	e, ok := errors.AsType[*learn.Error](err)
	if !ok {
		return err
	}
	return &learn.Error{Kind: e.Kind, Msg: "Error processing " + what + ": " + e.Msg, Fields: e.Fields, Op: "gateway.turn", Err: err}
}
