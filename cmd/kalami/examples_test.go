package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"

	"kalami/providers/simulate"
)

// The examples of the API's description, sent to the server as they stand there in an
// order in which somebody might: each gets the success that is described, of the shape that
// is described. An operation without a scene fails.
func TestExamplesOfTheDescription(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.Latency{}, "DEBUG=true", "KALAMI_RATE_LIMITS=false")
	s := newStory(t, h)
	for _, scene := range scenes() {
		t.Run(scene.id, func(t *testing.T) { s.play(t, scene) })
		if t.Failed() {
			return // what follows needs what came before
		}
	}
	for id := range s.operations {
		if !s.played[id] {
			t.Errorf("operation %s has no scene", id)
		}
	}
}

// scene is a call of one operation with its example. Names begin with $ and stand for
// what earlier scenes kept.
type scene struct {
	id    string
	of    string            // the name that stands in the path
	mend  map[string]string // fields, by dotted paths, whose example stands for something of one's own
	query string
	media string                       // the one type of body to send; otherwise all, one after another
	keep  map[string]string            // names for what stands in the answer's fields, or in those of its first member
	mail  string                       // name for the token of the mail that this sent
	given func(t *testing.T, s *story) // makes what no call makes
}

func scenes() []scene {
	session := func(id string) scene { return scene{id: id, of: "$session"} }
	signIn := map[string]string{"$access": "access_token", "$refresh": "refresh_token"}
	return []scene{
		{id: "getRoot"}, {id: "getHealth"}, {id: "getLiveness"}, {id: "getReadiness"}, {id: "getStartup"}, {id: "listLanguages"},
		{id: "getOpenAPI"}, {id: "getOpenAPI30"}, {id: "getAsyncAPI"},
		{id: "enterAsGuest"},
		{id: "register"},
		{id: "login", keep: signIn},
		{id: "getMe"}, {id: "updateMe"},
		{id: "createProfile", keep: map[string]string{"$profile": "id"}},
		{id: "listProfiles"}, {id: "getProfile", of: "$profile"}, {id: "updateProfile", of: "$profile"},
		{id: "listScenarios", keep: map[string]string{"$scenario": "id"}}, {id: "getScenario", of: "$scenario"},
		{id: "startSession", mend: map[string]string{"profile_id": "$profile"}, keep: map[string]string{"$session": "id"}},
		{id: "createTicket", mend: map[string]string{"profile_id": "$profile"}},
		{id: "updateMe", mend: map[string]string{"native_language": "en"}}, // which mistakes are explained in here
		{id: "sendText", of: "$session", keep: map[string]string{"$message": "user_message_id"}},
		session("getHint"), session("translate"), session("repeat"),
		{id: "listCorrections", of: "$session", keep: map[string]string{"$correction": "id"}},
		{id: "judgeCorrection", of: "$correction"}, {id: "editMessage", of: "$message"},
		{id: "sendAudio", of: "$session", mend: map[string]string{"audio_base64": "$clip"}},
		{id: "listSessions"}, session("getSession"), session("listMessages"), session("getSummary"), {id: "getStatistics"},
		{id: "getProgressOverview"}, {id: "getProgressTimeline"}, {id: "getProgressVocabulary"}, {id: "getProgressFluency"}, {id: "getProgressErrors"}, {id: "getProgressStreak"},
		{id: "addCard", mend: map[string]string{"profile_id": "$profile"}, keep: map[string]string{"$card": "id"}},
		{id: "addCards", mend: map[string]string{"profile_id": "$profile"}},
		{id: "addCardFromMessage", mend: map[string]string{"message_id": "$message"}},
		{id: "listCards"}, {id: "getCard", of: "$card"}, {id: "updateCard", of: "$card"}, {id: "listDueCards"},
		{id: "addReviews", mend: map[string]string{"reviews.0.card_id": "$card", "reviews.0.id": "a-review"}},
		{id: "undoReview", of: "a-review"}, {id: "getReviewForecast"}, {id: "getReviewStatistics"},
		{id: "deleteCard", of: "$card"}, {id: "restoreCard", of: "$card"},
		{id: "importCards", query: "profile_id=$profile&format=anki_txt"}, {id: "exportCards", query: "format=anki_txt"},
		{id: "listMemories", given: func(t *testing.T, s *story) {
			memories, estimate := learned(t, s.house, anasAddress, s.names["$profile"], "Likes tea.")
			s.names["$memory"], s.names["$estimate"] = memories[0], estimate
		}},
		{id: "getMemory", of: "$memory"}, {id: "updateMemory", of: "$memory"}, {id: "forgetMemory", of: "$memory"}, {id: "forgetMemories"},
		{id: "getLevel", of: "$profile"}, {id: "decideLevel", of: "$profile", mend: map[string]string{"estimate_id": "$estimate"}},
		session("endSession"), session("deleteSession"),
		{id: "sync"}, {id: "bootstrap", query: "limit=100"},
		{id: "transcribe", mend: map[string]string{"audio_base64": "$clip"}},
		{id: "decideConsent"}, {id: "listConsents"},
		{id: "assess", mend: map[string]string{"audio_base64": "$clip"}, keep: map[string]string{"$assessment": "id"}},
		{id: "listAssessments"}, {id: "getAssessment", of: "$assessment"},
		{id: "listProblemSounds", query: "language=es"}, {id: "listDrills", query: "language=es"},
		{id: "synthesize"}, {id: "synthesizeStream"}, {id: "listVoices"},
		{id: "speak", query: "text=Hola"}, {id: "testSpeak", query: "text=Hola"},
		{id: "deleteProfile", of: "$profile"},
		{id: "resendVerification", mail: "$verify"},
		{id: "verifyEmail", mend: map[string]string{"token": "$verify"}},
		{id: "forgotPassword", mail: "$reset"},
		{id: "listOutbox"}, {id: "showOutbox"},
		{id: "resetPassword", mend: map[string]string{"token": "$reset"}},
		{id: "login", media: "application/x-www-form-urlencoded", mend: map[string]string{"password": "a better longer one"}, keep: signIn},
		{id: "changePassword", mend: map[string]string{"current_password": "a better longer one", "new_password": "a good long one"}, keep: signIn},
		{id: "refresh", mend: map[string]string{"refresh_token": "$refresh"}, keep: signIn},
		{id: "logout", mend: map[string]string{"refresh_token": "$refresh"}},
		{id: "logoutEverywhere"},
		{id: "login", media: "application/x-www-form-urlencoded", keep: signIn},
		{id: "deleteMe"},
	}
}

// exampleOperation is what the description says of one operation's bodies.
type exampleOperation struct {
	method, path string
	OperationID  string
	Security     []map[string][]string
	RequestBody  struct {
		Content map[string]struct{ Example any }
	}
	Responses map[string]any
}

// success is the status of the first success that is described.
func (op exampleOperation) success() int {
	status, err := strconv.Atoi(slices.Min(slices.Collect(maps.Keys(op.Responses))))
	if err != nil {
		return 0
	}
	return status
}

// story is what happened so far.
type story struct {
	house      *house
	url        string
	client     *http.Client
	operations map[string]exampleOperation
	validator  validator.Validator
	names      map[string]string
	played     map[string]bool
}

func newStory(t *testing.T, h *house) *story {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	s := &story{
		house: h, url: h.url(), client: &http.Client{Transport: transport},
		operations: map[string]exampleOperation{}, played: map[string]bool{},
		names: map[string]string{"$clip": base64Clip()},
	}
	described := s.send(t, exampleOperation{method: http.MethodGet, path: "/openapi.json"}, scene{}, "", nil).body
	doc, err := libopenapi.NewDocument(described)
	if err != nil {
		t.Fatal(err)
	}
	var errs []error
	if s.validator, errs = validator.NewValidator(doc, config.WithFormatAssertions()); len(errs) > 0 {
		t.Fatal(errs)
	}
	var read struct {
		Paths map[string]map[string]exampleOperation
	}
	if err := json.Unmarshal(described, &read); err != nil {
		t.Fatal(err)
	}
	for path, item := range read.Paths {
		for method, op := range item {
			op.method, op.path = strings.ToUpper(method), path
			s.operations[op.OperationID] = op
		}
	}
	return s
}

// named replaces a name by what it stands for.
func (s *story) named(t *testing.T, value string) string {
	t.Helper()
	if !strings.HasPrefix(value, "$") {
		return value
	}
	got, ok := s.names[value]
	if !ok {
		t.Fatalf("nothing is called %s yet", value)
	}
	return got
}

// play sends a scene with every type of body that its operation takes.
func (s *story) play(t *testing.T, sc scene) {
	t.Helper()
	op, ok := s.operations[sc.id]
	if !ok {
		t.Fatal("there is no such operation")
	}
	s.played[sc.id] = true
	if sc.given != nil {
		sc.given(t, s)
	}
	types := slices.Sorted(maps.Keys(op.RequestBody.Content))
	if len(types) == 0 || sc.media != "" {
		types = []string{sc.media}
	}
	for _, media := range types {
		body := op.RequestBody.Content[media].Example
		if fields, ok := body.(map[string]any); ok {
			body = maps.Clone(fields)
		}
		for field, value := range sc.mend {
			mend(body, strings.Split(field, "."), s.named(t, value))
		}
		got := s.send(t, op, sc, media, body)
		for name, field := range sc.keep {
			var answered map[string]any
			var members []map[string]any
			if json.Unmarshal(got.body, &members) == nil && len(members) > 0 {
				answered = members[0]
			} else if err := json.Unmarshal(got.body, &answered); err != nil {
				t.Fatal(err)
			}
			s.names[name], _ = answered[field].(string)
		}
	}
	if sc.mail != "" {
		s.names[sc.mail] = s.mailed(t)
	}
}

// mailed waits for the mail that was sent behind the last answer, and returns its token.
func (s *story) mailed(t *testing.T) string {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		mails := s.send(t, s.operations["listOutbox"], scene{id: "listOutbox"}, "", nil).body
		latest := regexp.MustCompile(`km_[A-Za-z0-9_-]+`).FindString(string(mails))
		if latest != "" && !slices.Contains(slices.Collect(maps.Values(s.names)), latest) {
			return latest
		}
	}
	t.Fatal("no mail came")
	return ""
}

// mend replaces what stands at a path of a JSON value, if anything does.
func mend(node any, path []string, value string) {
	step, last := path[0], len(path) == 1
	switch node := node.(type) {
	case map[string]any:
		if _, ok := node[step]; ok && last {
			node[step] = value
		} else if ok {
			mend(node[step], path[1:], value)
		}
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i < len(node) && !last {
			mend(node[i], path[1:], value)
		}
	}
}

// send makes the request and holds the answer against the description.
func (s *story) send(t *testing.T, op exampleOperation, sc scene, media string, example any) apiAnswer {
	t.Helper()
	target := s.url + strings.ReplaceAll(op.path, "{id}", s.named(t, sc.of))
	if sc.query != "" {
		target += "?" + sc.query
		for name, value := range s.names {
			target = strings.ReplaceAll(target, name, value)
		}
	}
	body, contentType := encodeExample(t, media, example)
	r, err := http.NewRequestWithContext(t.Context(), op.method, target, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if len(op.Security) > 0 {
		r.Header.Set("Authorization", "Bearer "+s.names["$access"])
	}
	res, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(res.Body)
	if err != nil || res.Body.Close() != nil {
		t.Fatal(err)
	}
	if s.validator == nil {
		return apiAnswer{res.StatusCode, res.Header, content}
	}
	if want := op.success(); res.StatusCode != want {
		t.Fatalf("%s %s as %q answered %d, described is %d: %.300s", op.method, op.path, media, res.StatusCode, want, content)
	}
	res.Body = io.NopCloser(bytes.NewReader(content))
	if ok, problems := s.validator.ValidateHttpResponse(r, res); !ok {
		for _, p := range problems {
			t.Errorf("%s: %s", p.Message, p.Reason)
			for _, detail := range p.SchemaValidationErrors {
				t.Errorf("  %s at %s", detail.Reason, detail.FieldPath)
			}
		}
		t.Logf("the answer is %.2000s", content)
	}
	return apiAnswer{res.StatusCode, res.Header, content}
}

// encodeExample writes an example as a body of this type; a form for recordings gets a file.
func encodeExample(t *testing.T, media string, example any) (body []byte, contentType string) {
	t.Helper()
	if text, ok := example.(string); ok { // a file
		return []byte(text), media
	}
	fields, _ := example.(map[string]any)
	switch media {
	case "":
		return nil, ""
	case "application/json":
		body, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return body, media
	case "application/x-www-form-urlencoded":
		form := url.Values{}
		for name, value := range fields {
			form.Set(name, value.(string))
		}
		return []byte(form.Encode()), media
	case "multipart/form-data":
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		write := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		for name, value := range fields {
			if name != "audio" { // whose example stands for a file
				write(w.WriteField(name, value.(string)))
			}
		}
		if _, password := fields["password"]; !password { // all other forms are recordings
			part, err := w.CreateFormFile("audio", "clip.wav")
			write(err)
			_, err = part.Write([]byte(sentence()))
			write(err)
		}
		write(w.Close())
		return form.Bytes(), w.FormDataContentType()
	}
	t.Fatalf("no example can be sent as %s", media)
	return nil, ""
}

// base64Clip is a recording for what takes one in JSON.
func base64Clip() string { return base64.StdEncoding.EncodeToString([]byte(sentence())) }
