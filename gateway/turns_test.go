package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	le "encoding/binary"
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/providers"
	"kalami/session"
	"kalami/session/learn"
)

// fakeTurns answers every turn alike and keeps what it was asked.
type fakeTurns struct {
	mu     sync.Mutex
	asked  []session.TurnRequest
	result session.TurnResult
	err    error
}

func (f *fakeTurns) Take(_ context.Context, r session.TurnRequest) (session.TurnResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r)
	return f.result, f.err
}

// turnsHouse is a house with a learner who has a session.
type turnsHouse struct {
	*house
	turns       *fakeTurns
	token, path string
	session     learn.Conversation
}

func newTurnsHouse(t *testing.T) *turnsHouse {
	t.Helper()
	turns := &fakeTurns{}
	h := &turnsHouse{house: newHouse(t, func(o *Options) { o.Turns = turns }), turns: turns}
	var userID string
	h.token, userID = h.account("ana@example.org")
	c, err := h.store.StartConversation(t.Context(), learn.Conversation{
		TenantID: learn.PersonalTenant, UserID: userID, ProfileID: h.profileOf(h.token, "es"), Mode: "turn"})
	if err != nil {
		t.Fatal(err)
	}
	h.session, h.path = c, "/conversations/sessions/"+c.ID
	turns.result.Conversation = c
	return h
}

// say posts to a route of the session.
func (h *turnsHouse) say(route string, body any, header ...string) reply {
	h.Helper()
	return h.as(h.token, "POST", h.path+route, body, header...)
}

// wavOf is a recording of so many milliseconds, 16 kHz.
func wavOf(ms int) []byte {
	data := make([]byte, ms*32)
	b := []byte("RIFF____WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80>\x00\x00\x00}\x00\x00\x02\x00\x10\x00data____")
	le.LittleEndian.PutUint32(b[4:], uint32(36+len(data)))
	le.LittleEndian.PutUint32(b[40:], uint32(len(data)))
	return append(b, data...)
}

// formOf is a multipart form with one file, and its content type.
func formOf(t *testing.T, field, name string, file []byte) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile(field, name)
	if err == nil {
		_, err = part.Write(file)
	}
	if err == nil {
		err = w.WriteField("language", "es")
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

// The whole answer of a turn, under the original's names, its app's and ours.
func TestTextTurn(t *testing.T) {
	h := newTurnsHouse(t)
	h.turns.result = session.TurnResult{
		Conversation: h.session,
		Learner:      learn.Message{ID: "m-1", Content: "Yo soy muy cansado."},
		Tutor:        learn.Message{ID: "m-2", Content: "Vaya. ¿Qué le gustaría comer?"},
		Corrections: []learn.Correction{{Original: "soy", Corrected: "estoy", Start: 3, End: 6, Category: learn.WordChoice,
			Severity: learn.Major, Explanation: "Feelings take estar.", Confidence: 0.9}},
		NewWords: []learn.NewWord{{Lemma: "comer", Surface: "comer", PartOf: "verb", Translation: "to eat", Level: learn.A1, Example: "¿Qué le gustaría comer?"},
			{Lemma: "vaya", Surface: "Vaya", Translation: "oh dear", Example: "Vaya."}},
		Analysed: true, Clip: []byte("ID3 mp3"),
	}
	correction := `[{"original":"soy","corrected":"estoy","explanation":"Feelings take estar.","category":"word_choice","start":3,"end":6}]`
	got := h.say("/text", `{"text":" Yo soy muy cansado. "}`).want(http.StatusOK)
	got.same(`{"user_text":"Yo soy muy cansado.","assistant_text":"Vaya. ¿Qué le gustaría comer?","assistant_audio_base64":"SUQzIG1wMw==",
		"corrections":` + correction + `,"vocabulary_introduced":["comer","Vaya"],
		"transcription":"Yo soy muy cansado.","response_text":"Vaya. ¿Qué le gustaría comer?","response_audio_url":null,
		"grammar_corrections":` + correction + `,"pronunciation_feedback":null,"audio_format":"mp3","session_id":"` + h.session.ID + `",
		"user_message_id":"m-1","assistant_message_id":"m-2","analysed":true,"code":null,"audio_error":null,
		"new_words":[{"word":"comer","lemma":"comer","part_of_speech":"verb","translation":"to eat","cefr_level":"A1","example":"¿Qué le gustaría comer?"},
			{"word":"Vaya","lemma":"vaya","part_of_speech":null,"translation":"oh dear","cefr_level":null,"example":"Vaya."}]}`)
	asked := h.turns.asked[0]
	if asked.Text != "Yo soy muy cansado." || !asked.Speak || asked.Recording != nil || asked.ConversationID != h.session.ID ||
		asked.Profile.TargetLanguage != "es" || asked.User.ID != h.session.UserID {
		t.Errorf("asked %+v", asked)
	}

	for body, speak := range map[string]bool{`{"text":"a","generate_audio":false}`: false, `{"text":"a","generate_audio":null}`: true, `{"text":"a","generate_audio":true}`: true} {
		h.as(h.token, "POST", "/api"+h.path+"/text", body).want(http.StatusOK)
		if got := h.turns.asked[len(h.turns.asked)-1].Speak; got != speak {
			t.Errorf("%s: asked to speak: %v", body, got)
		}
	}
}

// A voice that failed, an analysis that failed, and a recording without words are told
// in the answer.
func TestTurnsWithSomethingMissing(t *testing.T) {
	h := newTurnsHouse(t)
	empty := `"corrections":[],"vocabulary_introduced":[],"response_audio_url":null,"grammar_corrections":[],"pronunciation_feedback":null,
		"audio_format":"mp3","session_id":"` + h.session.ID + `","analysed":false,"new_words":[],"assistant_audio_base64":null,`
	h.turns.result = session.TurnResult{Conversation: h.session, VoiceErr: errors.New("no voice"),
		Learner: learn.Message{ID: "m-1", Content: "Hola."}, Tutor: learn.Message{ID: "m-2", Content: "Buenas."}}
	h.say("/text", `{"text":"Hola."}`).want(http.StatusOK).same(`{` + empty + `"user_text":"Hola.","assistant_text":"Buenas.",
		"transcription":"Hola.","response_text":"Buenas.","user_message_id":"m-1","assistant_message_id":"m-2","code":null,"audio_error":"voice_unavailable"}`)

	h.turns.result = session.TurnResult{Conversation: h.session, Unheard: true}
	again := learn.Apology("es")
	form, contentType := formOf(t, "audio", "a.wav", wavOf(100))
	h.say("/audio", form, echo.HeaderContentType, contentType).want(http.StatusOK).same(`{` + empty + `"user_text":"","assistant_text":"` + again + `",
		"transcription":"","response_text":"` + again + `","user_message_id":null,"assistant_message_id":null,"code":"not_heard","audio_error":null}`)
}

// A recording comes as a form or as base64 of any make; what it is and how long it
// lasts is told by its content.
func TestAudioTurn(t *testing.T) {
	h := newTurnsHouse(t)
	wav := wavOf(1500)
	std := base64.StdEncoding.EncodeToString(wav)
	form, contentType := formOf(t, "audio", "recording.m4a", wav) // the name is wrong
	for name, c := range map[string]struct {
		body   any
		header []string
	}{
		"form":            {form, []string{echo.HeaderContentType, contentType}},
		"base64":          {`{"audio_base64":"` + std + `","format":"wav"}`, nil},
		"no format":       {`{"audio_base64":"` + std + `"}`, nil},
		"a media type":    {`{"audio_base64":"` + std + `","format":"audio/webm;codecs=opus"}`, nil},
		"null format":     {`{"audio_base64":"` + std + `","format":null}`, nil},
		"a data URL":      {`{"audio_base64":"data:audio/wav;base64,` + std + `"}`, nil},
		"without padding": {`{"audio_base64":"` + strings.TrimRight(std, "=") + `"}`, nil},
		"for URLs":        {`{"audio_base64":"` + base64.URLEncoding.EncodeToString(wav) + `"}`, nil},
		"escaped slashes": {`{"audio_base64":"` + strings.ReplaceAll(std, "/", `\/`) + `"}`, nil},
	} {
		h.turns.asked = nil
		h.say("/audio", c.body, c.header...).want(http.StatusOK)
		r := h.turns.asked[0]
		if r.Recording == nil || !bytes.Equal(r.Recording.Audio, wav) || r.Recording.Format != providers.WAV ||
			r.Recording.Language != "es" || r.RecordingMS != 1500 || !r.Speak || r.Text != "" {
			t.Errorf("%s: asked %+v", name, r)
		}
	}
}

// What is wrong with a turn is said, by field, and the tutor is not asked.
func TestTurnsThatAreRefused(t *testing.T) {
	h := newTurnsHouse(t)
	empty, emptyType := formOf(t, "audio", "a.wav", nil)
	other, otherType := formOf(t, "sound", "a.wav", wavOf(100))
	noise, noiseType := formOf(t, "audio", "a.mp3", []byte(strings.Repeat("noise ", 100)))
	cut, cutType := formOf(t, "audio", "a.wav", wavOf(100)[:30])
	for name, c := range map[string]struct {
		route, body string
		header      []string
		fields      []string
	}{
		"no text":            {"/text", `{}`, nil, []string{"text"}},
		"null text":          {"/text", `{"text":null}`, nil, []string{"text"}},
		"blank text":         {"/text", `{"text":" \n "}`, nil, []string{"text"}},
		"long text":          {"/text", `{"text":"` + strings.Repeat("é", maxTurnText+1) + `"}`, nil, []string{"text"}},
		"text of a number":   {"/text", `{"text":1}`, nil, []string{"text"}},
		"nul in text":        {"/text", `{"text":"a\u0000b"}`, nil, []string{"text"}},
		"wish of a string":   {"/text", `{"text":"a","generate_audio":"yes"}`, nil, []string{"generate_audio"}},
		"no JSON":            {"/text", `text`, nil, []string{"body"}},
		"an empty file":      {"/audio", empty, []string{echo.HeaderContentType, emptyType}, []string{"audio"}},
		"another field":      {"/audio", other, []string{echo.HeaderContentType, otherType}, []string{"audio"}},
		"noise":              {"/audio", noise, []string{echo.HeaderContentType, noiseType}, []string{"audio"}},
		"half a header":      {"/audio", cut, []string{echo.HeaderContentType, cutType}, []string{"audio"}},
		"no audio in JSON":   {"/audio", `{}`, nil, []string{"audio_base64"}},
		"empty JSON audio":   {"/audio", `{"audio_base64":""}`, nil, []string{"audio_base64"}},
		"no base64":          {"/audio", `{"audio_base64":"!!!!"}`, nil, []string{"audio_base64"}},
		"audio of a number":  {"/audio", `{"audio_base64":1}`, nil, []string{"audio_base64"}},
		"unsupported format": {"/audio", `{"audio_base64":"AAAA","format":"tiff"}`, nil, []string{"format"}},
		"broken JSON":        {"/audio", `{"audio_base64":"AAAA`, nil, []string{"body"}},
	} {
		got := h.say(c.route, c.body, c.header...)
		e := got.refusal(http.StatusUnprocessableEntity, "invalid")
		var fields []string
		for _, f := range e.Errors {
			fields = append(fields, f.Field)
		}
		if !reflect.DeepEqual(fields, c.fields) {
			t.Errorf("%s: fields %q, want %q: %s", name, fields, c.fields, got.body)
		}
	}
	if len(h.turns.asked) != 0 {
		t.Errorf("%d turns were made", len(h.turns.asked))
	}
	h.say("/audio", noise, echo.HeaderContentType, noiseType, echo.HeaderXRequestID, "r-1").same(`{"detail":"Error processing audio: the recording is not WAV, MP3, WebM, M4A or Ogg audio",
		"code":"invalid","request_id":"r-1","errors":[{"field":"audio","message":"the recording is not WAV, MP3, WebM, M4A or Ogg audio"}]}`)
	h.say("/audio", other, echo.HeaderContentType, "multipart/form-data").refusal(http.StatusUnprocessableEntity, "invalid")
	h.say("/audio", other[:len(other)-40], echo.HeaderContentType, otherType).refusal(http.StatusUnprocessableEntity, "invalid")
	h.say("/text", "text=a", echo.HeaderContentType, "application/x-www-form-urlencoded").refusal(http.StatusUnsupportedMediaType, "unsupported_media_type")
}

// A recording that is larger than vendors take is refused, however it comes.
func TestTooLargeRecordings(t *testing.T) {
	h := newTurnsHouse(t)
	big := make([]byte, providers.MaxRecording+1)
	form, contentType := formOf(t, "audio", "a.wav", big)
	h.say("/audio", form, echo.HeaderContentType, contentType).refusal(http.StatusRequestEntityTooLarge, "request_entity_too_large")
	h.say("/audio", `{"audio_base64":"`+base64.StdEncoding.EncodeToString(big)+`"}`).refusal(http.StatusRequestEntityTooLarge, "request_entity_too_large")
	form, contentType = formOf(t, "audio", "a.wav", make([]byte, 40<<20))
	h.say("/audio", form, echo.HeaderContentType, contentType).refusal(http.StatusRequestEntityTooLarge, "request_entity_too_large")
	if len(h.turns.asked) != 0 {
		t.Errorf("%d turns were made", len(h.turns.asked))
	}
}

// Sessions that cannot have a turn: unknown ones, other people's, ended ones, and those
// of deleted profiles.
func TestTurnsOfSessionsThatAreNot(t *testing.T) {
	h := newTurnsHouse(t)
	form, contentType := formOf(t, "audio", "a.wav", wavOf(100))
	eve, _ := h.account("eve@example.org")
	both := func(token, path string, status int, code, detail string) {
		t.Helper()
		for _, r := range []reply{h.as(token, "POST", path+"/text", `{"text":"Hola."}`), h.as(token, "POST", path+"/audio", form, echo.HeaderContentType, contentType)} {
			if e := r.refusal(status, code); e.Detail != detail {
				t.Errorf("detail %q, want %q", e.Detail, detail)
			}
		}
	}
	both(h.token, "/conversations/sessions/none", 404, "not_found", "Session not found")
	both(h.token, "/conversations/sessions/"+strings.Repeat("x", 65), 404, "not_found", "Session not found")
	both(eve, h.path, 404, "not_found", "Session not found")
	if err := h.store.DeleteProfile(t.Context(), h.session.TenantID, h.session.UserID, h.session.ProfileID); err != nil {
		t.Fatal(err)
	}
	both(h.token, h.path, 404, "not_found", "Learning profile not found")
	now := time.Now()
	h.store.mu.Lock()
	h.session.EndedAt = &now
	h.store.conversations[h.session.ID] = h.session
	h.store.mu.Unlock()
	both(h.token, h.path, 400, "session_ended", "Session has ended")
	h.do("POST", h.path+"/text", `{"text":"Hola."}`).refusal(http.StatusUnauthorized, "unauthorized")
	if len(h.turns.asked) != 0 {
		t.Errorf("%d turns were made", len(h.turns.asked))
	}
}

// What a turn fails with becomes the original's text, and a status that says whose
// fault it is.
func TestFailedTurns(t *testing.T) {
	form, contentType := formOf(t, "audio", "a.wav", wavOf(100))
	for name, c := range map[string]struct {
		err          error
		status       int
		code, detail string
	}{
		"ended meanwhile": {&learn.Error{Kind: learn.Conflict, Msg: "x", Err: session.ErrEnded}, 400, "session_ended", "Session has ended"},
		"taken over":      {&learn.Error{Kind: learn.Conflict, Msg: "This conversation goes on elsewhere", Err: learn.ErrFenced}, 409, "conflict", "This conversation goes on elsewhere"},
		"deleted":         {learn.Errorf(learn.NotFound, "store", "row"), 404, "not_found", "Session not found"},
		"unreadable":      {learn.Errorf(learn.Invalid, "x", "the recording cannot be read"), 422, "invalid", "Error processing audio: the recording cannot be read"},
		"nobody answers":  {learn.Errorf(learn.Unavailable, "x", "nobody can listen"), 503, "unavailable", "Error processing audio: nobody can listen"},
		"too many":        {learn.Errorf(learn.TooMany, "x", "wait"), 429, "too_many_requests", "wait"},
		"our own fault":   {errors.New("boom"), 500, "internal", "Internal Server Error"},
	} {
		h := newTurnsHouse(t)
		h.turns.err = c.err
		if e := h.say("/audio", form, echo.HeaderContentType, contentType).refusal(c.status, c.code); e.Detail != c.detail {
			t.Errorf("%s: %q, want %q", name, e.Detail, c.detail)
		}
		detail := strings.Replace(c.detail, "processing audio", "processing text", 1)
		if e := h.say("/text", `{"text":"Hola."}`).refusal(c.status, c.code); e.Detail != detail {
			t.Errorf("%s: %q, want %q", name, e.Detail, detail)
		}
	}
}

// FuzzRecordingRequest: whatever stands in the JSON, it is read or named, and never
// more is decoded than was sent.
func FuzzRecordingRequest(f *testing.F) {
	f.Add([]byte(`{"audio_base64":"UklGRg==","format":"wav"}`))
	f.Add([]byte(`{"audio_base64":"data:audio/wav;base64,\/_-\u0041"}`))
	f.Add([]byte(`{"audio_base64":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var in recordingRequest
		if json.Unmarshal(body, &in) == nil && len(in.Audio.bytes) > len(body) {
			t.Errorf("%d bytes of %q", len(in.Audio.bytes), body)
		}
	})
}
