package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"kalami/session/learn"
)

// objects reads the answer's array.
func (r reply) objects() []map[string]any {
	r.Helper()
	var all []map[string]any
	if err := json.Unmarshal(r.body, &all); err != nil || all == nil {
		r.Fatalf("not a JSON array of objects: %q", r.body)
	}
	return all
}

// same compares a whole answer.
func same(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// started is what a session answers that was just started.
func started(id, profileID, userID string) map[string]any {
	return map[string]any{
		"id": id, "topic": "General conversation", "started_at": "2026-03-04T04:06:07Z", "ended_at": nil,
		"duration_seconds": 0.0, "words_spoken": 0.0, "corrections_made": 0.0, "corrections_disputed": 0.0,
		"profile_id": profileID, "user_id": userID, "target_language": "es", "difficulty_level": "B1",
		"message_count": 0.0, "accuracy_score": nil,
		"status": "active", "end_reason": nil, "mode": "turn", "client_key": nil, "scenario_id": nil, "goals": []any{}, "turns": 0.0,
		"speaking_seconds": 0.0, "tutor_speaking_seconds": 0.0, "last_activity_at": "2026-03-04T04:06:07Z",
	}
}

func TestStartSession(t *testing.T) {
	h := newHouse(t)
	access, user := h.account("ana@example.org")
	profile := h.profileOf(access, "es")
	start := func(fields string) map[string]any {
		t.Helper()
		return h.as(access, "POST", "/conversations/sessions", `{"profile_id":"`+profile+`"`+fields+`}`).want(http.StatusCreated).json()
	}
	m := start("")
	same(t, m, started(m["id"].(string), profile, user))
	for fields, want := range map[string]map[string]any{
		`,"topic":null,"difficulty_level":null,"mode":null,"client_key":null`: {"topic": "General conversation", "mode": "turn"},
		`,"topic":"  ","extra":[]`:              {"topic": "General conversation"},
		`,"topic":" Pedir un café "`:            {"topic": "Pedir un café"},
		`,"difficulty_level":"c2"`:              {"difficulty_level": "C2"},
		`,"difficulty_level":"Intermediate"`:    {"difficulty_level": "B1"},
		`,"difficulty_level":"beginner"`:        {"difficulty_level": "A1"},
		`,"difficulty_level":"advanced"`:        {"difficulty_level": "C1"},
		`,"mode":"live","client_key":"a.b-c_d"`: {"mode": "live", "client_key": "a.b-c_d"},
	} {
		got := start(fields)
		want["id"], want["profile_id"] = got["id"], profile
		whole := started(got["id"].(string), profile, user)
		for k, v := range want {
			whole[k] = v
		}
		same(t, got, whole)
	}
	for body, fields := range map[string][]string{
		``:                                  {"body"},
		`[]`:                                {"body"},
		`{`:                                 {"body"},
		`{}`:                                {"profile_id"},
		`{"profile_id":null}`:               {"profile_id"},
		`{"profile_id":7}`:                  {"profile_id"},
		`{"profile_id":"p","topic":7}`:      {"topic"},
		`{"profile_id":"p","topic":"a\nb"}`: {"topic"},
		`{"profile_id":"p","topic":"` + strings.Repeat("é", 201) + `"}`:     {"topic"},
		`{"profile_id":"p","difficulty_level":"D1","mode":"mime"}`:          {"difficulty_level", "mode"},
		`{"profile_id":"p","difficulty_level":3}`:                           {"difficulty_level"},
		`{"profile_id":"p","mode":""}`:                                      {"mode"},
		`{"profile_id":"p","client_key":""}`:                                {"client_key"},
		`{"profile_id":"p","client_key":"a b"}`:                             {"client_key"},
		`{"profile_id":"p","client_key":"` + strings.Repeat("k", 65) + `"}`: {"client_key"},
	} {
		h.as(access, "POST", "/conversations/sessions", body).invalid(fields...)
	}
	boAccess, _ := h.account("bo@example.org")
	for _, id := range []string{h.profileOf(boAccess, "es"), "nobody", "../x", "not a uuid", strings.Repeat("x", 65)} {
		body, _ := json.Marshal(map[string]string{"profile_id": id})
		if e := h.as(access, "POST", "/conversations/sessions", string(body)).refusal(http.StatusNotFound, "not_found"); e.Detail != "Learning profile not found" {
			t.Errorf("%q: detail %q", id, e.Detail)
		}
	}
}

// The same key gives the same session, as it is by then.
func TestStartSessionRepeated(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	body := `{"profile_id":"` + h.profileOf(access, "es") + `","client_key":"k-1"}`
	first := h.as(access, "POST", "/conversations/sessions", body).want(http.StatusCreated).json()
	same(t, h.as(access, "POST", "/api/conversations/sessions", body).want(http.StatusCreated).json(), first)
	ended := h.as(access, "POST", "/conversations/sessions/"+first["id"].(string)+"/end", nil).want(http.StatusOK).json()
	same(t, h.as(access, "POST", "/conversations/sessions", body).want(http.StatusCreated).json(), ended)
	if n := len(h.as(access, "GET", "/conversations/sessions", nil).want(http.StatusOK).objects()); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
}

func TestListSessions(t *testing.T) {
	h := newHouse(t)
	access, user := h.account("ana@example.org")
	spanish, french := h.profileOf(access, "es"), h.profileOf(access, "fr")
	if r := h.as(access, "GET", "/conversations/sessions", nil).want(http.StatusOK); strings.TrimSpace(string(r.body)) != "[]" {
		t.Errorf("no sessions are %s, want []", r.body)
	}
	ids := make([]string, 25) // newest first
	for i := range ids {
		profile := []string{spanish, french}[i/20]
		m := h.as(access, "POST", "/conversations/sessions", `{"profile_id":"`+profile+`"}`).want(http.StatusCreated).json()
		ids[len(ids)-1-i] = m["id"].(string)
	}
	for query, want := range map[string][]string{
		"":                                    ids[:20],
		"?limit=3":                            ids[:3],
		"?limit=3&offset=2":                   ids[2:5],
		"?limit=100":                          ids,
		"?offset=24":                          ids[24:],
		"?offset=100000":                      {},
		"?profile_id=" + french:               ids[:5],
		"?profile_id=" + spanish + "&limit=2": ids[5:7],
		"?profile_id=":                        ids[:20],
		"?profile_id=nobody":                  {},
		"?profile_id=a%00b":                   {},
	} {
		got := []string{}
		for _, m := range h.as(access, "GET", "/conversations/sessions"+query, nil).want(http.StatusOK).objects() {
			got = append(got, m["id"].(string))
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
	oldest := h.as(access, "GET", "/conversations/sessions?offset=24", nil).objects()[0]
	same(t, oldest, started(ids[24], spanish, user))
	for query, fields := range map[string][]string{
		"?limit=0": {"limit"}, "?limit=101": {"limit"}, "?limit=-1&offset=-1": {"limit", "offset"},
		"?limit=all": {"limit"}, "?offset=100001": {"offset"}, "?limit=1.5": {"limit"},
		"?profile_id=a&profile_id=b": {"profile_id"},
	} {
		h.as(access, "GET", "/conversations/sessions"+query, nil).invalid(fields...)
	}
}

// Fault 2 of the original: deleting a profile that has sessions broke a foreign key.
func TestFault02DeletedProfileWithSessions(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	profile := h.profileOf(access, "es")
	id := h.as(access, "POST", "/conversations/sessions", `{"profile_id":"`+profile+`"}`).want(http.StatusCreated).json()["id"].(string)
	h.as(access, "DELETE", "/users/profiles/"+profile, nil).want(http.StatusNoContent)
	same(t, h.as(access, "GET", "/conversations/sessions", nil).want(http.StatusOK).objects(), []map[string]any{})
	h.as(access, "GET", "/conversations/sessions/"+id, nil).want(http.StatusOK)
	if e := h.as(access, "POST", "/conversations/sessions", `{"profile_id":"`+profile+`"}`).refusal(http.StatusNotFound, "not_found"); e.Detail != "Learning profile not found" {
		t.Errorf("detail %q", e.Detail)
	}
	h.as(access, "DELETE", "/conversations/sessions/"+id, nil).want(http.StatusNoContent)
}

// held makes a session of Ana in which three things were said.
func (h *house) held(access string) (id string) {
	h.Helper()
	id = h.as(access, "POST", "/conversations/sessions", `{"profile_id":"`+h.profileOf(access, "es")+`"}`).
		want(http.StatusCreated).json()["id"].(string)
	c := h.store.conversations[id]
	c.NextSeq, c.Corrections, c.LastActivityAt = 4, 1, c.StartedAt.Add(90*time.Second)
	c.Totals = learn.Totals{Learner: 2500 * time.Millisecond, Tutor: 3250 * time.Millisecond, Turns: 1, Words: 5, BargeIns: 1}
	h.store.conversations[id] = c
	at := time.Date(2026, 3, 4, 6, 7, 8, 123456000, time.FixedZone("", 3600))
	h.store.messages[id] = []learn.Message{
		{ID: "m-1", ConversationID: id, Seq: 1, Speaker: learn.SpeakerTutor, Content: "¿Qué hiciste ayer?", Heard: "¿Qué hiciste ayer?", Source: "voice", CreatedAt: at},
		{ID: "m-2", ConversationID: id, Seq: 2, Speaker: learn.SpeakerLearner, Content: "Ayer yo fue 🎬 al cine.", Heard: "Ayer yo fue 🎬 al cine.", Source: "text", CreatedAt: at.Add(time.Second)},
		{ID: "m-3", ConversationID: id, Seq: 3, Speaker: learn.SpeakerTutor, Content: "¡Qué bien! ¿Con quién?", Heard: "¡Qué bien!", Interrupted: true, Source: "voice", CreatedAt: at.Add(2 * time.Second)},
	}
	h.store.corrections["m-2"] = []learn.Correction{{
		ID: "c-1", Original: "yo fue", Corrected: "yo fui", Start: 5, End: 11, Category: learn.VerbForm,
		Severity: "major", Explanation: "First person: fui.", ExplanationLanguage: "en", Confidence: 0.9,
	}}
	return id
}

// Fault 3 of the original: speaking time was the clock's, and ending twice added it twice.
func TestFault03EndSessionTwice(t *testing.T) {
	h := newHouse(t)
	access, user := h.account("ana@example.org")
	id := h.held(access)
	want := started(id, h.store.conversations[id].ProfileID, user)
	for k, v := range map[string]any{
		"duration_seconds": 90.0, "words_spoken": 5.0, "corrections_made": 1.0, "message_count": 3.0, "turns": 1.0,
		"speaking_seconds": 2.5, "tutor_speaking_seconds": 3.25, "last_activity_at": "2026-03-04T04:07:37Z",
	} {
		want[k] = v
	}
	same(t, h.as(access, "GET", "/conversations/sessions/"+id, nil).want(http.StatusOK).json(), want)
	for k, v := range map[string]any{
		"duration_seconds": 150.0, "ended_at": "2026-03-04T04:08:37Z", "last_activity_at": "2026-03-04T04:08:37Z",
		"status": "ended", "end_reason": "normal",
	} {
		want[k] = v
	}
	for range 2 {
		same(t, h.as(access, "POST", "/conversations/sessions/"+id+"/end", nil).want(http.StatusOK).json(), want)
	}
	same(t, h.as(access, "GET", "/conversations/sessions/"+id, nil).want(http.StatusOK).json(), want)
}

// Faults 7 and 13 of the original: corrections hung on the tutor's message, and times had
// no zone.
func TestFault07And13Messages(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	id := h.held(access)
	message := func(msgID, role, content, heard, at, source string, seq float64, interrupted bool, corrections ...any) map[string]any {
		if corrections == nil {
			corrections = []any{}
		}
		return map[string]any{
			"id": msgID, "role": role, "content": content, "created_at": at,
			"content_text": content, "timestamp": at, "session_id": id, "audio_url": nil,
			"grammar_corrections": corrections, "pronunciation_feedback": nil,
			"seq": seq, "heard_text": heard, "interrupted": interrupted, "source": source, "original_text": nil,
		}
	}
	want := []map[string]any{
		message("m-1", "assistant", "¿Qué hiciste ayer?", "¿Qué hiciste ayer?", "2026-03-04T05:07:08.123456Z", "voice", 1, false),
		message("m-2", "user", "Ayer yo fue 🎬 al cine.", "Ayer yo fue 🎬 al cine.", "2026-03-04T05:07:09.123456Z", "text", 2, false,
			map[string]any{"original": "yo fue", "corrected": "yo fui", "explanation": "First person: fui.",
				"category": "verb_form", "start": 5.0, "end": 11.0}),
		message("m-3", "assistant", "¡Qué bien! ¿Con quién?", "¡Qué bien!", "2026-03-04T05:07:10.123456Z", "voice", 3, true),
	}
	path := "/conversations/sessions/" + id + "/messages"
	for query, part := range map[string][]map[string]any{
		"": want, "?limit=2": want[:2], "?after_seq=2": want[2:], "?after_seq=1&limit=1": want[1:2], "?after_seq=3": {},
	} {
		same(t, h.as(access, "GET", path+query, nil).want(http.StatusOK).objects(), part)
	}
	for query, fields := range map[string][]string{
		"?limit=0": {"limit"}, "?limit=1001": {"limit"}, "?after_seq=-1": {"after_seq"}, "?after_seq=x&limit=y": {"after_seq", "limit"},
		"?after_seq=99999999999999999999": {"after_seq"},
	} {
		h.as(access, "GET", path+query, nil).invalid(fields...)
	}
}

func TestDeleteSession(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	path := "/conversations/sessions/" + h.held(access)
	if r := h.as(access, "DELETE", path, nil).want(http.StatusNoContent); len(r.body) != 0 {
		t.Errorf("204 with a body: %s", r.body)
	}
	h.as(access, "DELETE", path, nil).refusal(http.StatusNotFound, "not_found")
	h.as(access, "GET", path+"/messages", nil).refusal(http.StatusNotFound, "not_found")
}

// What belongs to somebody else, or to the same person elsewhere, does not exist; nor does
// what cannot be an id.
func TestSessionsOfOthers(t *testing.T) {
	h := newHouse(t)
	ana, anaID := h.account("ana@example.org")
	bo, _ := h.account("bo@example.org")
	id := h.held(ana)
	school, _, err := h.options.Tokens.Issue(anaID, "a-school", 0, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	routes := [][2]string{{"GET", ""}, {"GET", "/messages"}, {"POST", "/end"}, {"DELETE", ""}}
	refused := func(who, access, id string) {
		for _, r := range routes {
			target := "/conversations/sessions/" + id + r[1]
			if e := h.as(access, r[0], target, nil).refusal(http.StatusNotFound, "not_found"); e.Detail != "Session not found" {
				t.Errorf("%s %s, %s: detail %q", r[0], target, who, e.Detail)
			}
		}
	}
	refused("another user", bo, id)
	refused("the same user at school", school, id)
	for _, odd := range []string{"nobody", "a%00b", "%2e%2e", strings.Repeat("a", 65), "%F0%9F%A6%9C", "a%2Fb", "not-a-uuid"} {
		refused("an odd id", ana, odd)
	}
	for _, access := range []string{bo, school} {
		for _, query := range []string{"", "?profile_id=" + h.store.conversations[id].ProfileID} {
			same(t, h.as(access, "GET", "/conversations/sessions"+query, nil).want(http.StatusOK).objects(), []map[string]any{})
		}
	}
	for _, r := range append(routes, [2]string{"PUT", ""}) {
		status, code := http.StatusUnauthorized, "unauthorized"
		if r[0] == "PUT" {
			status, code = http.StatusMethodNotAllowed, "method_not_allowed"
		}
		h.do(r[0], "/conversations/sessions/"+id+r[1], nil).refusal(status, code)
	}
	if c := h.store.conversations[id]; c.EndedAt != nil || len(h.store.messages[id]) != 3 {
		t.Errorf("somebody changed %+v", c)
	}
}

// A store that does not answer is 503, and never a 500 or an empty list.
func TestSessionsWithoutStore(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	id := h.held(access)
	down := newMemory()
	down.fail(&learn.Error{Kind: learn.Unavailable, Msg: "The database does not answer right now", Err: errors.New("connection refused")})
	h.server.opts.Conversations, h.server.opts.History, h.server.opts.Profiles = down, down, down
	for _, r := range [][3]string{
		{"GET", "/conversations/sessions"}, {"GET", "/conversations/sessions/" + id}, {"GET", "/conversations/sessions/" + id + "/messages"},
		{"POST", "/conversations/sessions/" + id + "/end"}, {"DELETE", "/conversations/sessions/" + id},
		{"POST", "/conversations/sessions", `{"profile_id":"p"}`}, {"GET", "/users/stats"}, {"GET", "/users/profiles"},
	} {
		var body any
		if r[2] != "" {
			body = r[2]
		}
		if e := h.as(access, r[0], r[1], body).refusal(http.StatusServiceUnavailable, "unavailable"); strings.Contains(fmt.Sprint(e), "refused") {
			t.Errorf("%s %s tells %+v", r[0], r[1], e)
		}
	}
}
