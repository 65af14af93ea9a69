package gateway

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kalami/session/learn"
)

// Fault 1 of the original: one profile alone lacked the computed fields. It goes out whole
// wherever it does, under every name that some client knows.
func TestFault01ProfileShape(t *testing.T) {
	h := newHouse(t)
	access, user := h.account("ana@example.org")
	id := h.profileOf(access, "ja")
	p := h.store.profiles[id]
	p.TotalSpeaking, p.Conversations, p.StreakDays, p.Mastered = 90*time.Second+900*time.Millisecond, 3, 4, 5
	p.CreatedAt = time.Date(2026, 1, 1, 1, 0, 0, 0, time.FixedZone("", 9*3600))
	p.UpdatedAt = p.CreatedAt
	h.store.profiles[id] = p
	want := map[string]any{
		"id": id, "target_language": "ja", "cefr_level": "B1",
		"total_practice_time": 90.0, "total_speaking_time_seconds": 90.0,
		"conversation_count": 3.0, "current_streak": 4.0, "streak_days": 4.0, "vocabulary_mastered": 5.0,
		"auto_cards": false, "correction_mode": nil, "patience_ms": nil, "speech_rate": nil, "voice_id": nil,
		"created_at": "2025-12-31T16:00:00Z", "updated_at": "2025-12-31T16:00:00Z",
	}
	got := h.as(access, "GET", "/users/profiles/"+id, nil).want(http.StatusOK).json()
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	same(t, h.as(access, "GET", "/users/profiles", nil).want(http.StatusOK).objects(), []map[string]any{want})
	same(t, h.as(access, "PATCH", "/api/users/profiles/"+id, `{}`).want(http.StatusOK).json(), want)
	want["cefr_level"] = "C1"
	same(t, h.as(access, "PATCH", "/users/profiles/"+id, `{"cefr_level":"C1"}`).want(http.StatusOK).json(), want)
	if p.UserID != user || p.TenantID != learn.PersonalTenant {
		t.Errorf("stored for %s in %s", p.UserID, p.TenantID)
	}
}

func TestCreateProfile(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	for body, want := range map[string][2]string{
		`{"target_language":"es"}`:                         {"es", "A1"},
		`{"target_language":"FR-ca","cefr_level":"b2"}`:    {"fr", "B2"},
		`{"target_language":"de","cefr_level":"C1","x":1}`: {"de", "C1"},
	} {
		m := h.as(access, "POST", "/users/profiles", body).want(http.StatusCreated).json()
		if m["target_language"] != want[0] || m["cefr_level"] != want[1] {
			t.Errorf("%s made %v", body, m)
		}
	}
	e := h.as(access, "POST", "/users/profiles", `{"target_language":"es-MX"}`).refusal(http.StatusBadRequest, "profile_exists")
	if e.Detail != "Profile for es already exists" {
		t.Errorf("detail %q", e.Detail)
	}
	for body, fields := range map[string][]string{
		``:                          {"body"},
		`{}`:                        {"target_language"},
		`{"target_language":7}`:     {"target_language"},
		`{"target_language":"tlh"}`: {"target_language"},
		`{"target_language":"it","cefr_level":"D1"}`:     {"cefr_level"},
		`{"target_language":"it","cefr_level":1}`:        {"cefr_level"},
		`{"target_language":"","cefr_level":""}`:         {"target_language", "cefr_level"},
		`{"target_language":"it","patience_ms":1}`:       {"patience_ms"},
		`{"target_language":"it","speech_rate":"slow"}`:  {"speech_rate"},
		`{"target_language":"it","correction_mode":"?"}`: {"correction_mode"},
	} {
		h.as(access, "POST", "/users/profiles", body).invalid(fields...)
	}
	var list []map[string]any
	if err := json.Unmarshal(h.as(access, "GET", "/users/profiles", nil).want(http.StatusOK).body, &list); err != nil {
		t.Fatal(err)
	}
	ids := make([]string, len(list))
	for i, p := range list {
		ids[i] = p["id"].(string)
	}
	if len(ids) != 3 || !slices.IsSorted(ids) {
		t.Errorf("the list is %v, want three, oldest first", ids)
	}
}

func TestPatchProfile(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	path := "/users/profiles/" + h.profileOf(access, "es")
	patch := func(body string) map[string]any {
		t.Helper()
		return h.as(access, "PATCH", path, body).want(http.StatusOK).json()
	}
	m := patch(`{"cefr_level":"c2","correction_mode":"strict","patience_ms":800,"speech_rate":0.5,"voice_id":" vera "}`)
	for key, want := range map[string]any{
		"cefr_level": "C2", "correction_mode": "strict", "patience_ms": 800.0, "speech_rate": 0.5, "voice_id": "vera",
	} {
		if m[key] != want {
			t.Errorf("%s = %v, want %v", key, m[key], want)
		}
	}
	if again := patch(`{"cefr_level":"A2"}`); again["cefr_level"] != "A2" || again["patience_ms"] != 800.0 || again["voice_id"] != "vera" {
		t.Errorf("absent fields did not stay: %v", again)
	}
	if same := patch(`{}`); same["cefr_level"] != "A2" {
		t.Errorf("an empty patch changed %v", same)
	}
	if reset := patch(`{"correction_mode":null,"patience_ms":null,"speech_rate":null,"voice_id":null}`); reset["correction_mode"] != nil ||
		reset["patience_ms"] != nil || reset["speech_rate"] != nil || reset["voice_id"] != nil || reset["cefr_level"] != "A2" {
		t.Errorf("null did not go back to the defaults: %v", reset)
	}
	patch(`{"patience_ms":4000,"speech_rate":1.5,"correction_mode":"silent"}`)

	for _, level := range []string{`"D1"`, `""`, `null`, `"A1 or A2"`} {
		e := h.as(access, "PATCH", path, `{"cefr_level":`+level+`}`).refusal(http.StatusBadRequest, "invalid")
		if e.Detail != "Invalid CEFR level" {
			t.Errorf("detail %q", e.Detail)
		}
	}
	for body, fields := range map[string][]string{
		`{"cefr_level":2}`:                                        {"cefr_level"},
		`{"patience_ms":799}`:                                     {"patience_ms"},
		`{"patience_ms":4001}`:                                    {"patience_ms"},
		`{"patience_ms":1000.5}`:                                  {"patience_ms"},
		`{"patience_ms":"long"}`:                                  {"patience_ms"},
		`{"speech_rate":0.49}`:                                    {"speech_rate"},
		`{"speech_rate":1.51}`:                                    {"speech_rate"},
		`{"speech_rate":1e999}`:                                   {"speech_rate"},
		`{"correction_mode":"harsh"}`:                             {"correction_mode"},
		`{"correction_mode":""}`:                                  {"correction_mode"},
		`{"correction_mode":[]}`:                                  {"correction_mode"},
		`{"voice_id":"a\u0000"}`:                                  {"voice_id"},
		`{"voice_id":"` + strings.Repeat("v", 65) + `"}`:          {"voice_id"},
		`{"voice_id":".."}`:                                       {"voice_id"},
		`{"voice_id":"../user?x=1"}`:                              {"voice_id"},
		`{"voice_id":"a%2fb"}`:                                    {"voice_id"},
		`{"patience_ms":1,"speech_rate":9,"correction_mode":"x"}`: {"patience_ms", "speech_rate", "correction_mode"},
		`{"target_language":"fr","cefr_level":"C1"}`:              {"target_language"},
		`{"cefr":"C1","total_practice_time":9,"voice_id":1}`:      {"cefr", "total_practice_time", "voice_id"},
		`{"a b":1}`:                                               {"body"},
		`[]`:                                                      {"body"},
		``:                                                        {"body"},
	} {
		h.as(access, "PATCH", path, body).invalid(fields...)
	}
	if after := patch(`{}`); after["patience_ms"] != 4000.0 || after["correction_mode"] != "silent" {
		t.Errorf("a refused patch changed %v", after)
	}
}

func TestDeleteProfile(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	path := "/users/profiles/" + h.profileOf(access, "es")
	if r := h.as(access, "DELETE", path, nil).want(http.StatusNoContent); len(r.body) != 0 {
		t.Errorf("204 with a body: %s", r.body)
	}
	h.as(access, "DELETE", path, nil).refusal(http.StatusNotFound, "not_found")
	h.profileOf(access, "es") // may be learned again
}

// What belongs to somebody else, or to the same person elsewhere, does not exist.
func TestProfilesOfOthers(t *testing.T) {
	h := newHouse(t)
	ana, anaID := h.account("ana@example.org")
	bo, _ := h.account("bo@example.org")
	id := h.profileOf(ana, "es")
	school, _, err := h.options.Tokens.Issue(anaID, "a-school", 0, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for who, access := range map[string]string{"another user": bo, "the same user at school": school} {
		for _, method := range []string{"GET", "PATCH", "DELETE"} {
			e := h.as(access, method, "/users/profiles/"+id, `{"cefr_level":"C2"}`).refusal(http.StatusNotFound, "not_found")
			if e.Detail != "Profile not found" {
				t.Errorf("%s, %s: detail %q", who, method, e.Detail)
			}
		}
		if r := h.as(access, "GET", "/users/profiles", nil).want(http.StatusOK); strings.Contains(string(r.body), id) {
			t.Errorf("%s sees %s", who, r.body)
		}
	}
	for _, odd := range []string{"nobody", "a%00b", "%2e%2e", strings.Repeat("a", 65), "%F0%9F%A6%9C", "a%2Fb"} {
		for _, method := range []string{"GET", "PATCH", "DELETE"} {
			h.as(ana, method, "/users/profiles/"+odd, `{}`).refusal(http.StatusNotFound, "not_found")
		}
	}
	if p := h.as(ana, "GET", "/users/profiles/"+id, nil).want(http.StatusOK).json(); p["cefr_level"] != "B1" {
		t.Errorf("somebody changed %v", p)
	}
}

func TestLanguages(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.DemoLanguages = []string{"es", "en"} })
	var list []map[string]any
	if err := json.Unmarshal(h.do("GET", "/languages", nil).want(http.StatusOK).body, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != len(learn.Languages) {
		t.Fatalf("%d languages, want %d", len(list), len(learn.Languages))
	}
	want := map[string]any{"code": "es", "name": "Spanish", "own_name": "Español", "demo": true}
	if !maps.Equal(list[0], want) {
		t.Errorf("first %v, want %v", list[0], want)
	}
	for _, l := range list {
		if l["demo"] != (l["code"] == "es" || l["code"] == "en") {
			t.Errorf("demo in %v", l)
		}
	}
}
