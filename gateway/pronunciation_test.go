package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"kalami/session"
	"kalami/session/learn"
	"kalami/session/learn/pronounce"
)

// fakePronunciation assesses as it is told to, and has one assessment and what was hard to
// understand.
type fakePronunciation struct {
	asked    []session.AssessRequest
	answer   learn.Assessment
	err      error
	observed []learn.Observation
	tutor    []string
	wanted   string
}

func (f *fakePronunciation) Assess(_ context.Context, r session.AssessRequest) (learn.Assessment, error) {
	f.asked = append(f.asked, r)
	return f.answer, f.err
}

func (f *fakePronunciation) ListAssessments(_ context.Context, tenantID, userID, language string, limit, offset int) ([]learn.Assessment, error) {
	f.wanted = fmt.Sprintf("%s %q %d %d", tenantID, language, limit, offset)
	a := f.answer
	a.Words, a.Caveat = nil, ""
	return []learn.Assessment{a}, f.err
}

func (f *fakePronunciation) Assessment(_ context.Context, _, _, id string) (learn.Assessment, error) {
	if id != f.answer.ID {
		return learn.Assessment{}, learn.Errorf(learn.NotFound, "fake", "none")
	}
	a := f.answer
	a.Caveat = ""
	return a, f.err
}

func (f *fakePronunciation) Observations(_ context.Context, _, _, language string, _ float64, _ time.Time) ([]learn.Observation, error) {
	f.wanted = language
	return f.observed, f.err
}

func (f *fakePronunciation) DrillTexts(context.Context, string, string, string) (tutor, exercises []string, err error) {
	return f.tutor, nil, f.err
}

// fakeConsents remembers decisions.
type fakeConsents struct{ kept []learn.Consent }

func (f *fakeConsents) Decide(_ context.Context, c learn.Consent) (learn.Consent, error) {
	c.ID, c.At = fmt.Sprintf("consent-%d", len(f.kept)), time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600))
	f.kept = append([]learn.Consent{c}, f.kept...)
	return c, nil
}

func (f *fakeConsents) ListConsents(_ context.Context, _, _ string, limit, offset int) ([]learn.Consent, error) {
	return f.kept[min(offset, len(f.kept)):min(offset+limit, len(f.kept))], nil
}

// assessmentExample is an assessment as it is kept.
func assessmentExample() learn.Assessment {
	a := pronounce.Assess("Un café", pronounce.Sample{Language: "es", Duration: time.Second, Words: []learn.SpokenWord{
		{Text: "café", StartMS: 100, EndMS: 500, Confidence: 0.9}}})
	a.ID, a.Provider, a.CreatedAt = "assessment-1", "deepgram-basic", time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600))
	return a
}

// The parts of the JSON of assessmentExample: what an item of a list has too, and the words.
const (
	exampleItem = `"id":"assessment-1","session_id":null,"message_id":null,"mode":"scripted","language":"es","reference_text":"Un café",
		"provider":"deepgram-basic","basis":"asr_recognition","capabilities":["completeness","word_status","recognition","fluency"],"overall_score":null,
		"scores":{"accuracy":null,"completeness":50,"fluency":null,"prosody":null,"recognition":90},
		"fluency":{"duration_ms":1000,"voiced_ms":400,"unit":"word","units":1,"words_per_minute":60,"articulation_wpm":150,
			"pauses":{"count":0,"mean_ms":0,"longest_ms":0,"in_phrase":0},"fillers":null,"repeats":0,"mean_length_of_run":1},
		"problem_areas":[{"kind":"word","value":"un","evidence":1}],
		"suggestions":[{"text":"You left out: un. Read the sentence again.","language":"en"}],
		"caveat":"Based on how clearly a recogniser understood you, not on the sounds themselves.","created_at":"2026-03-04T04:06:07Z"`
	exampleWords = `"words":[{"index":null,"ref_index":0,"word":"un","heard":null,"status":"omission","recognition":null,"accuracy":null,
			"start_ms":null,"end_ms":null,"pause_before_ms":null,"phonemes":null},
		{"index":0,"ref_index":1,"word":"café","heard":"café","status":"match","recognition":90,"accuracy":null,
			"start_ms":100,"end_ms":500,"pause_before_ms":100,"phonemes":null}]`
)

// pronunciationHouse is a server with a fake, and a learner's token.
func pronunciationHouse(t *testing.T) (*house, string, *fakePronunciation) {
	f := &fakePronunciation{answer: assessmentExample()}
	h := newHouse(t, func(o *Options) { o.Pronunciation, o.Assessments = f, f })
	access, _ := h.account("ana@example.org")
	return h, access, f
}

// A recording is assessed however it is sent, with a text and without; the whole answer.
func TestAssess(t *testing.T) {
	h, access, f := pronunciationHouse(t)
	audio := recorded(t, "speech.wav")
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("audio", "x.m4a")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(audio)
	for name, value := range map[string]string{"language": "es_MX", "reference_text": " Un café\n"} {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	encoded := base64.StdEncoding.EncodeToString(audio)
	h.as(access, "POST", "/api/pronunciation/assess", form.String(), "Content-Type", w.FormDataContentType()).want(http.StatusOK).
		same(`{` + exampleItem + `,` + exampleWords + `,"pronunciation_feedback":null}`)
	h.as(access, "POST", "/pronunciation/assess", map[string]any{"audio_base64": encoded, "language": "fr", "reference_text": nil}).want(http.StatusOK)
	if len(f.asked) != 2 {
		t.Fatalf("%d assessed", len(f.asked))
	}
	if r := f.asked[0]; r.Language != "es-MX" || r.Reference != "Un café" || r.Duration < 3*time.Second || len(r.Recording.Audio) != len(audio) || r.ConversationID != "" {
		t.Errorf("asked for %q %q, %v", r.Language, r.Reference, r.Duration)
	}
	if r := f.asked[1]; r.Language != "fr" || r.Reference != "" {
		t.Errorf("asked for %q %q", r.Language, r.Reference)
	}
	for field, body := range map[string]map[string]any{
		"language":       {"audio_base64": encoded},
		"reference_text": {"audio_base64": encoded, "language": "es", "reference_text": strings.Repeat("x", 1001)},
		"audio_base64":   {"audio_base64": "", "language": "es"},
	} {
		h.as(access, "POST", "/pronunciation/assess", body).invalid(field)
	}
	h.as(access, "POST", "/pronunciation/assess", map[string]any{"audio_base64": encoded, "language": "tlh"}).invalid("language")
	h.as(access, "POST", "/pronunciation/assess", map[string]any{"audio_base64": encoded, "language": "es", "reference_text": "…"}).invalid("reference_text")
	h.as(access, "POST", "/pronunciation/assess", map[string]any{"audio_base64": encoded, "language": "es", "session_id": "nobody's"}).refusal(http.StatusNotFound, "not_found")
	if len(f.asked) != 2 {
		t.Error("something was assessed that was wrong")
	}
	f.err = learn.Errorf(learn.Unavailable, "fake", "away")
	h.as(access, "POST", "/pronunciation/assess", map[string]any{"audio_base64": encoded, "language": "es"}).refusal(http.StatusServiceUnavailable, "unavailable")
}

// An older client's form is sent only when an assessor has judged the sounds: a total that
// stands on recognition, which there never should be, is not passed on.
func TestOlderFeedback(t *testing.T) {
	a := assessmentExample()
	a.Overall = new(50.0)
	if got := showAssessment(a, "en"); got.PronunciationFeedback != nil {
		t.Errorf("%+v", got.PronunciationFeedback)
	}
	pronounce.Judge(&a, pronounce.Judgement{Provider: "azure", Overall: new(61.0), Words: []pronounce.JudgedWord{
		{Word: "café", Phonemes: []learn.Phoneme{{Symbol: "f", Accuracy: new(12.0)}}}}}, "en")
	got := showAssessment(a, "en").PronunciationFeedback
	if got == nil || got.OverallScore != 61 || len(got.ProblematicPhonemes) != 1 || got.ProblematicPhonemes[0] != "f" || len(got.Suggestions) != 2 {
		t.Errorf("%+v", got)
	}
}

// What was assessed is listed without words and read with them.
func TestAssessments(t *testing.T) {
	h, access, f := pronunciationHouse(t)
	h.as(access, "GET", "/pronunciation/assessments?language=es-MX&limit=7&offset=2", nil).want(http.StatusOK).same(`[{` + exampleItem + `}]`)
	if want := `personal "es" 7 2`; f.wanted != want {
		t.Errorf("wanted %s, want %s", f.wanted, want)
	}
	h.as(access, "GET", "/pronunciation/assessments?limit=0", nil).invalid("limit")
	h.as(access, "GET", "/pronunciation/assessments?language=tlh", nil).invalid("language")
	h.as(access, "GET", "/pronunciation/assessments/assessment-1", nil).want(http.StatusOK).
		same(`{` + exampleItem + `,` + exampleWords + `,"pronunciation_feedback":null}`)
	h.as(access, "GET", "/pronunciation/assessments/assessment-2", nil).refusal(http.StatusNotFound, "not_found")
}

// What was hard to understand twice is listed, and there are sentences for it.
func TestProblemSounds(t *testing.T) {
	h, access, f := pronunciationHouse(t)
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for i, sitting := range []string{"a", "b"} {
		f.observed = append(f.observed, learn.Observation{Kind: learn.ProblemWord, Value: "leche", Language: "es", Sitting: sitting, Score: 40 + float64(i), At: at})
	}
	f.observed = append(f.observed, learn.Observation{Kind: learn.ProblemWord, Value: "pan", Language: "es", Sitting: "a", Score: 1, At: at})
	f.tutor = []string{"¿Toma leche fría? Sí."}
	h.as(access, "GET", "/pronunciation/problem-sounds?language=es", nil).want(http.StatusOK).same(`{"items":[{"kind":"word","value":"leche","language":"es",
		"sittings":2,"evidence":2,"recognition":40.5,"accuracy":null,"basis":"asr_recognition","last_at":"2026-03-04T05:06:07Z"}],
		"caveat":"Based on how clearly a recogniser understood you, not on the sounds themselves."}`)
	h.as(access, "GET", "/pronunciation/drills?language=es", nil).want(http.StatusOK).same(`[
		{"text":"¿Toma leche fría?","language":"es","targets":["leche"],"source":"tutor"},
		{"text":"pan","language":"es","targets":["pan"],"source":"word"}]`)
	for _, route := range []string{"problem-sounds", "drills"} {
		h.as(access, "GET", "/pronunciation/"+route, nil).invalid("language")
	}
}

// A decision is added, and the newest comes first.
func TestConsents(t *testing.T) {
	f := &fakeConsents{}
	h := newHouse(t, func(o *Options) { o.Consents = f })
	access, _ := h.account("ana@example.org")
	h.as(access, "GET", "/me/consents", nil).want(http.StatusOK).same(`[]`)
	for i, granted := range []bool{true, false} {
		r := h.as(access, "POST", "/me/consents", map[string]any{"purpose": "pronunciation_provider", "granted": granted, "text_version": " 2026-03 "})
		r.want(http.StatusCreated).same(fmt.Sprintf(`{"id":"consent-%d","purpose":"pronunciation_provider","granted":%v,"granted_by":%q,
			"method":"app","text_version":"2026-03","at":"2026-03-04T04:06:07Z"}`, i, granted, f.kept[0].UserID))
	}
	h.as(access, "GET", "/me/consents?limit=1", nil).want(http.StatusOK).same(fmt.Sprintf(`[{"id":"consent-1","purpose":"pronunciation_provider","granted":false,
		"granted_by":%q,"method":"app","text_version":"2026-03","at":"2026-03-04T04:06:07Z"}]`, f.kept[0].UserID))
	right := map[string]any{"purpose": "pronunciation_provider", "granted": true, "text_version": "1"}
	for field, value := range map[string]any{"purpose": "guardian_core", "granted": nil, "text_version": " "} {
		body := map[string]any{}
		for k, v := range right {
			body[k] = v
		}
		body[field] = value
		h.as(access, "POST", "/me/consents", body).invalid(field)
	}
	if len(f.kept) != 2 {
		t.Error("a wrong decision was kept")
	}
}
