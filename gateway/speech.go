package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/providers"
	"kalami/session/learn"
)

// The vendors of recorded speech, as the API names them; the first is the usual one.
const (
	whisper    = "whisper"
	deepgram   = "deepgram"
	elevenLabs = "elevenlabs"
	openAI     = "openai"
)

// Bounds of the routes of recorded speech.
const (
	// transcribeTimeout bounds a transcript behind its upload: two vendors, each slow.
	transcribeTimeout = 45 * time.Second
	// clipTimeout bounds a clip that is answered whole, streamTimeout one that a client
	// plays while it comes.
	clipTimeout   = 60 * time.Second
	streamTimeout = 5 * time.Minute
)

// speechRoutes registers recorded speech and clips.
func (s *Server) speechRoutes() {
	s.handleLearner(operation{
		method: http.MethodPost, path: "/speech/transcribe", id: "transcribe", tag: "speech", class: speaking,
		summary: "Turn a recording into text",
		about: "The recording is told by its content, whatever its name says. A recording in which nothing is said has an " +
			"empty text. Nothing is kept.",
		query: []parameter{
			{name: "language", about: "The language that is spoken, a BCP 47 tag; detected when left out.", shape: ""},
			providerParameter("The vendor to ask first; another answers when it cannot.", whisper, deepgram),
		},
		takes:   takesRecording(),
		gives:   []success{{status: http.StatusOK, bodies: []content{{shape: transcriptJSON{}}}}},
		fails:   []failure{badProvider(), noVendor("hear")},
		timeout: transcribeTimeout, maxBody: maxRecordingBody,
	}, s.transcribe)
	s.clipRoutes()
	s.handleLearner(operation{
		method: http.MethodGet, path: "/speech/voices", id: "listVoices", tag: "speech", class: reading,
		summary: "The voices that clips can be spoken in",
		about:   "A voice id is good for the vendor that has it. Lists are up to five minutes old.",
		query:   []parameter{providerParameter("Whose voices.", elevenLabs, openAI)},
		gives:   []success{{status: http.StatusOK, bodies: []content{{shape: voicesJSON{}}}}},
		fails:   []failure{badProvider(), noVendor("list the voices of")},
	}, s.voices)
}

// providerParameter describes the choice of a vendor.
func providerParameter(about string, names ...any) parameter {
	return parameter{name: "provider", about: about, shape: "", enum: names}
}

func badProvider() failure {
	return failure{http.StatusBadRequest, "There is no such provider."}
}

func noVendor(what string) failure {
	return failure{http.StatusServiceUnavailable, "No vendor can " + what + " it now."}
}

// provider reads the vendor's name; "" is the usual one. An unknown one is answered as
// the original did.
func provider(q *query, names ...string) (string, error) {
	name, ok := q.get("provider")
	if !ok || slices.Contains(names, name) {
		return name, nil
	}
	message := fmt.Sprintf("Invalid provider. Use '%s'.", strings.Join(names, "' or '"))
	return "", &apiError{status: http.StatusBadRequest, code: "invalid_provider", err: &learn.Error{
		Kind: learn.Invalid, Msg: message, Op: "gateway.provider",
		Fields: []learn.FieldError{{Field: "provider", Message: "must be " + strings.Join(names, " or ")}},
	}}
}

// spokenLanguage checks a language tag, which may be left out.
func (f *faults) spokenLanguage(field, value string) string {
	if value = strings.TrimSpace(value); value == "" {
		return ""
	}
	return f.locale(field, value)
}

// transcriptJSON is what was heard in a recording.
type transcriptJSON struct {
	Text       string   `json:"text" doc:"Empty when nothing was said" example:"Quisiera un café con leche."`
	Language   *string  `json:"language" doc:"What was heard, or given; null when neither is known" example:"es"`
	Confidence *float64 `json:"confidence" doc:"The recogniser's own figure; null when it gives none" minimum:"0" maximum:"1" example:"0.97"`
	Duration   float64  `json:"duration_seconds" doc:"Of the recording" example:"2.16"`
}

// transcribe answers POST /speech/transcribe.
func (s *Server) transcribe(c echo.Context, _ caller) error {
	const op = "gateway.transcribe"
	q := readQuery(c)
	vendor, err := provider(q, whisper, deepgram)
	if err != nil {
		return err
	}
	language, _ := q.get("language")
	language = q.spokenLanguage("language", language)
	if err := q.err(op); err != nil {
		return err
	}
	sent, err := readUpload(c)
	if err != nil {
		return err
	}
	rec, info, err := sent.recording(cmp.Or(language, sent.language))
	if err != nil {
		return err
	}
	heard, err := s.opts.Speech.Transcribe(c.Request().Context(), vendor, rec)
	if err != nil {
		return vendorFailure(err, "The recording cannot be heard at the moment, try again shortly", sent.field, "cannot be heard: the recogniser does not take it")
	}
	return c.JSON(http.StatusOK, transcriptJSON{Text: heard.Text, Language: orNull(heard.Language),
		Confidence: orNull(heard.Confidence), Duration: seconds(info.Duration)})
}

// seconds are a duration's, to the millisecond.
func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}

// vendorFailure turns a vendor's error into one of ours: what the vendor finds wrong with
// the request is the caller's to correct, all else passes.
func vendorFailure(err error, unavailable, field, invalid string) error {
	const op = "gateway.speech"
	e, ok := errors.AsType[*providers.Error](err)
	switch {
	case !ok && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)):
		return err
	case !ok:
		return &learn.Error{Kind: learn.Internal, Op: op, Err: err}
	case e.Kind == providers.Invalid:
		return &learn.Error{Kind: learn.Invalid, Msg: field + ": " + invalid, Op: op, Err: err,
			Fields: []learn.FieldError{{Field: field, Message: invalid}}}
	}
	return &apiError{retryAfter: e.RetryAfter, err: &learn.Error{Kind: learn.Unavailable, Msg: unavailable, Op: op, Err: err}}
}

// voicesJSON are the voices of one vendor.
type voicesJSON struct {
	Provider string      `json:"provider" enum:"elevenlabs,openai" example:"elevenlabs"`
	Voices   []voiceJSON `json:"voices"`
}

// voiceJSON is one voice, under the original's names and those that its app expects.
type voiceJSON struct {
	VoiceID  string            `json:"voice_id" example:"EXAVITQu4vr4xnSDxMaL"`
	Name     string            `json:"name" example:"Sarah"`
	Labels   map[string]string `json:"labels" doc:"The vendor's own notes"`
	ID       string            `json:"id" doc:"The same as voice_id" example:"EXAVITQu4vr4xnSDxMaL"`
	Language *string           `json:"language" doc:"null when the vendor does not say; most voices speak every language" example:"en"`
	Gender   *string           `json:"gender" doc:"null when the vendor does not say" enum:"male,female,neutral" example:"female"`
	Provider string            `json:"provider" enum:"elevenlabs,openai" example:"elevenlabs"`
}

// voices answers GET /speech/voices.
func (s *Server) voices(c echo.Context, _ caller) error {
	q := readQuery(c)
	vendor, err := provider(q, elevenLabs, openAI)
	if err == nil {
		err = q.err("gateway.voices")
	}
	if err != nil {
		return err
	}
	name, all, err := s.opts.Speech.Voices(c.Request().Context(), vendor)
	if err != nil {
		return vendorFailure(err, "The voices cannot be listed at the moment, try again shortly", "provider", "does not list its voices")
	}
	out := voicesJSON{Provider: name, Voices: make([]voiceJSON, len(all))}
	for i, v := range all {
		labels := v.Labels
		if labels == nil {
			labels = map[string]string{}
		}
		out.Voices[i] = voiceJSON{VoiceID: v.ID, ID: v.ID, Name: v.Name, Labels: labels,
			Language: orNull(v.Language), Gender: orNull(v.Gender), Provider: name}
	}
	return c.JSON(http.StatusOK, out)
}
