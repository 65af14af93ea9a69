package gateway

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"kalami/gateway/token"
	"kalami/session"
)

// house is a server with everything around it.
type house struct {
	*testing.T
	server    *Server
	store     *memory
	cards     *fakeCards
	memories  *fakeMemories
	levels    *fakeLevels
	passwords *plainPasswords
	log       *bytes.Buffer
	options   Options
}

// newHouse builds a server on fakes; change adapts its options.
func newHouse(t *testing.T, change ...func(*Options)) *house {
	t.Helper()
	tokens, err := token.NewIssuer(token.Config{Key: []byte("a key for tests, 32 bytes or more")})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{T: t, store: newMemory(), cards: &fakeCards{}, memories: &fakeMemories{}, levels: &fakeLevels{}, passwords: &plainPasswords{prefix: "v2:"}, log: &bytes.Buffer{}}
	h.options = Options{
		Sync:  h.store,
		Users: h.store, RefreshTokens: h.store, MailTokens: h.store, Profiles: h.store, Tenants: h.store, Conversations: h.store, History: h.store, Progress: h.store, Reports: h.store, Once: h.store, Database: h.store,
		Host: noHost{}, Turns: &fakeTurns{}, Help: &fakeHelp{}, Corrections: h.store, Speech: &fakeSpeech{}, Tokens: tokens, Passwords: h.passwords,
		Cards: h.cards, Reviews: h.cards, Scenarios: fewScenarios(),
		Packages: h.cards.pack,
		Memories: h.memories, Levels: h.levels,
		Pronunciation: &fakePronunciation{}, Assessments: &fakePronunciation{}, Consents: &fakeConsents{},
		Log:     slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Version: "v0.0.0-test",
		Parts:   session.Parts{STT: "deepgram", LLM: "demo", TTS: "elevenlabs"},
	}
	for _, c := range change {
		c(&h.options)
	}
	if h.server, err = New(h.options); err != nil {
		t.Fatal(err)
	}
	return h
}

// reply is an answer, read.
type reply struct {
	*house
	code   int
	header http.Header
	body   []byte
}

// do sends a request; body may be nil, a string, url.Values (a form) or anything that
// becomes JSON. Headers come in pairs.
func (h *house) do(method, target string, body any, header ...string) reply {
	h.Helper()
	var r io.Reader
	contentType := ""
	switch b := body.(type) {
	case nil:
	case url.Values:
		r, contentType = strings.NewReader(b.Encode()), echo.MIMEApplicationForm
	case string:
		r, contentType = strings.NewReader(b), echo.MIMEApplicationJSON
	default:
		data, err := json.Marshal(b)
		if err != nil {
			h.Fatal(err)
		}
		r, contentType = bytes.NewReader(data), echo.MIMEApplicationJSON
	}
	req := httptest.NewRequestWithContext(h.Context(), method, target, r)
	if contentType != "" {
		req.Header.Set(echo.HeaderContentType, contentType)
	}
	for pair := range slices.Chunk(header, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, req)
	return reply{house: h, code: w.Code, header: w.Header(), body: w.Body.Bytes()}
}

// as is do with an access token.
func (h *house) as(accessToken, method, target string, body any, header ...string) reply {
	h.Helper()
	return h.do(method, target, body, append(header, echo.HeaderAuthorization, "Bearer "+accessToken)...)
}

// want fails the test unless the answer has this status.
func (r reply) want(status int) reply {
	r.Helper()
	if r.code != status {
		r.Fatalf("status %d, want %d: %s", r.code, status, r.body)
	}
	return r
}

// json reads the answer's object.
func (r reply) json() map[string]any {
	r.Helper()
	var m map[string]any
	if err := json.Unmarshal(r.body, &m); err != nil {
		r.Fatalf("not a JSON object: %q", r.body)
	}
	return m
}

// refusal checks that the answer is an error of the one shape, and returns it.
func (r reply) refusal(status int, code string) errorBody {
	r.Helper()
	r.want(status)
	var e errorBody
	dec := json.NewDecoder(bytes.NewReader(r.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		r.Fatalf("not of the error shape: %s", r.body)
	}
	if e.Detail == "" || e.Code != code || e.RequestID != r.header.Get(echo.HeaderXRequestID) || e.RequestID == "" {
		r.Errorf("error %+v, want code %q, a detail and the request's id %q", e, code, r.header.Get(echo.HeaderXRequestID))
	}
	if got := r.header.Get(echo.HeaderWWWAuthenticate); (status == http.StatusUnauthorized) != (got == "Bearer") {
		r.Errorf("WWW-Authenticate %q with status %d", got, status)
	}
	return e
}

// invalid checks a 422 that names exactly these fields.
func (r reply) invalid(fields ...string) {
	r.Helper()
	e := r.refusal(http.StatusUnprocessableEntity, "invalid")
	got := make([]string, len(e.Errors))
	for i, fe := range e.Errors {
		got[i] = fe.Field
		if fe.Message == "" || !strings.Contains(e.Detail, fe.Field) {
			r.Errorf("field %q has message %q, and the detail is %q", fe.Field, fe.Message, e.Detail)
		}
	}
	slices.Sort(got)
	slices.Sort(fields)
	if !slices.Equal(got, fields) {
		r.Errorf("fields at fault %q, want %q: %s", got, fields, r.body)
	}
}

// logged reads the log's one line.
func (h *house) logged() map[string]any {
	h.Helper()
	var line map[string]any
	if err := json.Unmarshal(h.log.Bytes(), &line); err != nil {
		h.Fatalf("not one line of JSON: %s", h.log)
	}
	return line
}

// account registers somebody and signs in.
func (h *house) account(email string) (accessToken, userID string) {
	h.Helper()
	h.do("POST", "/auth/register", map[string]string{"email": email, "password": "good enough"}).want(http.StatusCreated)
	m := h.do("POST", "/auth/login", url.Values{"username": {email}, "password": {"good enough"}}).want(http.StatusOK).json()
	return m["access_token"].(string), m["user"].(map[string]any)["id"].(string)
}

// profileOf makes a profile through the API and returns its id.
func (h *house) profileOf(accessToken, language string) string {
	h.Helper()
	return h.as(accessToken, "POST", "/users/profiles", map[string]string{"target_language": language, "cefr_level": "B1"}).
		want(http.StatusCreated).json()["id"].(string)
}

// same compares the whole answer with JSON, whatever its spacing and order.
func (r reply) same(want string) {
	r.Helper()
	var g, w any
	if err := json.Unmarshal(r.body, &g); err != nil {
		r.Fatalf("not JSON: %q", r.body)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		r.Fatalf("the test's own JSON: %v", err)
	}
	if !reflect.DeepEqual(g, w) {
		r.Errorf("answered %s\nwant %s", r.body, want)
	}
}
