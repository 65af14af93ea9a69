package gateway

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"kalami/session/learn"
)

// textJSON is a text as the API shows it.
func textJSON(en, es string) map[string]any { return map[string]any{"en": en, "es": es} }

// cafeJSON is the café of fewScenarios.
func cafeJSON() map[string]any {
	goal := func(id string) any { return map[string]any{"id": id, "text": textJSON("do "+id, "hacer "+id)} }
	return map[string]any{
		"id": "cafe", "version": 2.0, "topic": "everyday", "title": textJSON("A café", "Un café"), "level_min": "A1", "level_max": "A2", "audience": "all",
		"situation": textJSON("You are in a café.", "Estás en un café."), "tutor_role": textJSON("the waiter", "el camarero"), "learner_role": textJSON("a guest", "un cliente"),
		"goals": []any{goal("drink"), goal("price"), goal("thanks")}, "languages": []any{"de", "es"},
		"words": map[string]any{"es": []any{"el té", "pagar"}, "de": []any{"der Tee", "bezahlen"}},
	}
}

// Scenarios are listed by language, level and topic, and show what learners are told of them.
func TestListScenarios(t *testing.T) {
	h := newHouse(t)
	access, user := h.account("ana@example.org")
	list := func(query string) []map[string]any {
		t.Helper()
		return h.as(access, "GET", "/scenarios"+query, nil).want(http.StatusOK).objects()
	}
	all := list("")
	if len(all) != 2 {
		t.Fatalf("%d scenarios", len(all))
	}
	same(t, all[0], cafeJSON())
	german := cafeJSON()
	german["words"] = map[string]any{"de": []any{"der Tee", "bezahlen"}}
	same(t, list("?language=de-AT"), []map[string]any{german})
	for query, want := range map[string]string{
		"?level=a2": "cafe", "?level=B1": "more-pay", "?level=C2": "", "?topic=work": "more-pay", "?topic=talk": "", "?language=es": "cafe more-pay", "?language=ja": "",
		"?limit=1": "cafe", "?limit=1&offset=1": "more-pay", "?offset=2": "", "?offset=100000": "", "?language=&level=&topic=": "cafe more-pay",
	} {
		ids := []string{}
		for _, m := range list(query) {
			ids = append(ids, m["id"].(string))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if r := h.as(access, "GET", "/scenarios?topic=talk", nil); strings.TrimSpace(string(r.body)) != "[]" {
		t.Errorf("none are %s", r.body)
	}
	for query, fields := range map[string][]string{
		"?language=tlh": {"language"}, "?level=D1": {"level"}, "?topic=space": {"topic"}, "?limit=0": {"limit"}, "?limit=101&offset=-1": {"limit", "offset"},
		"?level=A1&level=A2": {"level"},
	} {
		h.as(access, "GET", "/scenarios"+query, nil).invalid(fields...)
	}
	h.age(user, learn.AgeChild)
	if young := list(""); len(young) != 1 || young[0]["id"] != "cafe" {
		t.Errorf("a child is shown %v", young)
	}
}

// age makes somebody as old as that.
func (h *house) age(userID string, age learn.AgeBand) {
	u := h.store.users[userID]
	u.Age = age
	h.store.users[userID] = u
}

func TestGetScenario(t *testing.T) {
	h := newHouse(t)
	access, user := h.account("ana@example.org")
	same(t, h.as(access, "GET", "/api/scenarios/cafe", nil).want(http.StatusOK).json(), cafeJSON())
	h.as(access, "GET", "/scenarios/more-pay", nil).want(http.StatusOK)
	h.age(user, learn.AgeTeen)
	for _, id := range []string{"more-pay", "nothing", "CAFE", "cafe%00", "..%2fcafe"} {
		if e := h.as(access, "GET", "/scenarios/"+id, nil).refusal(http.StatusNotFound, "not_found"); e.Detail != "Scenario not found" {
			t.Errorf("%s: %q", id, e.Detail)
		}
	}
	h.do("GET", "/scenarios/cafe", nil).want(http.StatusUnauthorized)
}

// goalsJSON are the café's goals, none of them reached.
func goalsJSON() []any {
	var out []any
	for _, id := range []string{"drink", "price", "thanks"} {
		out = append(out, map[string]any{"id": id, "text": textJSON("do "+id, "hacer "+id), "met": false, "quote": nil, "message_id": nil, "met_at": nil})
	}
	return out
}

// A session keeps the scenario that it began with, is about it unless something else was
// asked for, and shows how far the learner is.
func TestSessionPlaysScenario(t *testing.T) {
	h := newHouse(t)
	access, user := h.account("ana@example.org")
	profile := h.profileOf(access, "es")
	start := func(fields string) map[string]any {
		t.Helper()
		return h.as(access, "POST", "/conversations/sessions", `{"profile_id":"`+profile+`"`+fields+`}`).want(http.StatusCreated).json()
	}
	got := start(`,"scenario_id":"cafe"`)
	id := got["id"].(string)
	want := started(id, profile, user)
	want["topic"], want["scenario_id"], want["goals"] = "A café", "cafe", goalsJSON()
	same(t, got, want)
	same(t, h.as(access, "GET", "/conversations/sessions/"+id, nil).want(http.StatusOK).json(), want)

	c := h.store.conversations[id]
	c.Scene.Met = []learn.GoalMet{{ID: "price", MessageID: "m-2", Quote: "¿cuánto cuesta?", At: time.Date(2026, 3, 4, 6, 8, 10, 0, time.FixedZone("", 3600))}}
	want["goals"].([]any)[1] = map[string]any{"id": "price", "text": textJSON("do price", "hacer price"), "met": true, "quote": "¿cuánto cuesta?",
		"message_id": "m-2", "met_at": "2026-03-04T05:08:10Z"}
	same(t, h.as(access, "GET", "/conversations/sessions/"+id, nil).want(http.StatusOK).json(), want)
	same(t, h.as(access, "GET", "/conversations/sessions", nil).want(http.StatusOK).objects(), []map[string]any{want})

	for fields, topic := range map[string]string{`,"scenario_id":"cafe","topic":"Tea"`: "Tea", `,"scenario_id":null`: "General conversation", `,"scenario_id":""`: "General conversation"} {
		if got := start(fields); got["topic"] != topic {
			t.Errorf("%s is about %v", fields, got["topic"])
		}
	}
	u := h.store.users[user]
	u.UILocale = "es-MX"
	h.store.users[user] = u
	if got := start(`,"scenario_id":"cafe"`); got["topic"] != "Un café" {
		t.Errorf("in Spanish it is about %v", got["topic"])
	}
	h.age(user, learn.AgeChild)
	for _, id := range []string{`"nothing"`, `"more-pay"`, `"` + strings.Repeat("x", 5000) + `"`, `7`, `{}`} {
		h.as(access, "POST", "/conversations/sessions", `{"profile_id":"`+profile+`","scenario_id":`+id+`}`).invalid("scenario_id")
	}
}

// A ticket binds the scenario of the conversation that begins, or is that of the one that it
// goes on with.
func TestTicketBindsScenario(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	profile := h.profileOf(access, "es")
	buy := func(fields string) Ticket {
		t.Helper()
		var bought ticketJSON
		r := h.as(access, "POST", "/v1/voice/tickets", `{"profile_id":"`+profile+`"`+fields+`}`).want(http.StatusCreated)
		if err := json.Unmarshal(r.body, &bought); err != nil {
			t.Fatal(err)
		}
		ticket, err := h.server.redeemTicket(t.Context(), bought.Ticket)
		if err != nil {
			t.Fatal(err)
		}
		if ticket.ScenarioID != bought.Session.ScenarioID || ticket.Topic != bought.Session.Topic {
			t.Errorf("bought %+v, got %+v", bought.Session, ticket)
		}
		return ticket
	}
	session := func(fields string) string {
		return h.as(access, "POST", "/conversations/sessions", `{"profile_id":"`+profile+`"`+fields+`}`).want(http.StatusCreated).json()["id"].(string)
	}
	playing, free := session(`,"scenario_id":"cafe","topic":"Tea"`), session("")
	for fields, want := range map[string][2]string{
		``:                                     {"", "General conversation"},
		`,"scenario_id":"cafe"`:                {"cafe", "A café"},
		`,"conversation_id":"` + free + `"`:    {"", "General conversation"},
		`,"conversation_id":"` + playing + `"`: {"cafe", "Tea"},
		`,"scenario_id":"cafe","conversation_id":"` + playing + `"`: {"cafe", "Tea"},
	} {
		if got := buy(fields); got.ScenarioID != want[0] || got.Topic != want[1] {
			t.Errorf("%s: %q, %q", fields, got.ScenarioID, got.Topic)
		}
	}
	for _, fields := range []string{`,"scenario_id":"nothing"`, `,"scenario_id":"more-pay","conversation_id":"` + playing + `"`, `,"scenario_id":"cafe","conversation_id":"` + free + `"`} {
		h.as(access, "POST", "/v1/voice/tickets", `{"profile_id":"`+profile+`"`+fields+`}`).invalid("scenario_id")
	}
}
