package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/coder/websocket"

	"kalami/providers"
	"kalami/session"
	"kalami/session/learn"
)

// waiterAnalyst finds that a drink was ordered whenever "un café" is said and the goal is open,
// and invents that the price was asked.
type waiterAnalyst struct{}

func (waiterAnalyst) Name() string { return "waiter" }

func (waiterAnalyst) Ask(_ context.Context, q providers.Question) (providers.Answer, error) {
	if q.Name != learn.AnalysisName {
		return providers.Answer{}, errors.New("only turns are looked at")
	}
	goals := []map[string]any{}
	for text, quote := range map[string]string{"order something to drink": "un café", "ask what it costs": "¿cuánto cuesta?"} {
		if m := regexp.MustCompile(`(g\d): ` + text).FindStringSubmatch(q.Prompt); m != nil {
			goals = append(goals, map[string]any{"id": m[1], "met": true, "quote": quote})
		}
	}
	raw, err := json.Marshal(map[string]any{"understood": true, "goals": goals})
	return providers.Answer{JSON: raw, Model: "waiter/1"}, err
}

// ask calls a route and reads its answer.
func ask(t *testing.T, h *house, token, method, path, body string, want int, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, h.url()+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer res.Body.Close()
	if res.StatusCode != want {
		t.Fatalf("%s %s: %s, want %d", method, path, res.Status, want)
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// A learner plays a scenario: a ticket binds it, the socket says so, a goal is told once with
// the learner's words, and another node that takes the session over knows all of it. What was
// reached stands in the session and in its report, whichever node is asked.
func TestScenario(t *testing.T) {
	t.Parallel()
	for _, b := range sharing(t) {
		t.Run(b.name, func(t *testing.T) { testScenario(t, b) })
	}
}

func testScenario(t *testing.T, b backend) {
	redis := miniredis.RunT(t)
	node := func() *house {
		h := &house{log: &lockedBuffer{}, ran: make(chan error, 1), prepare: func(a *app) { a.analyses.Analyst = waiterAnalyst{} }}
		h.open(t, append(b.environ(t), "PORT=0", "KALAMI_METRICS_ADDR=off", "KALAMI_DRAIN_WAIT=0s", "REDIS_URL=redis://"+redis.Addr()))
		return h
	}
	one, two := node(), node()
	var guest struct {
		Token string `json:"access_token"`
	}
	ask(t, one, "", http.MethodPost, "/auth/guest", `{"native_language":"en"}`, http.StatusOK, &guest)
	var offered []struct{ ID string }
	ask(t, two, guest.Token, http.MethodGet, "/scenarios?language=es&level=A1&topic=everyday", "", http.StatusOK, &offered)
	if len(offered) != 5 {
		t.Errorf("offered %v", offered)
	}
	var profile struct{ ID string }
	ask(t, one, guest.Token, http.MethodPost, "/users/profiles", `{"target_language":"es","cefr_level":"A1"}`, http.StatusCreated, &profile)
	var sold struct {
		Ticket  string
		Session session.Config
	}
	ask(t, one, guest.Token, http.MethodPost, "/v1/voice/tickets", `{"profile_id":"`+profile.ID+`","scenario_id":"order-in-a-cafe"}`, http.StatusCreated, &sold)
	if sold.Session.ScenarioID != "order-in-a-cafe" || sold.Session.Topic != "Order in a café" {
		t.Errorf("sold %+v", sold.Session)
	}

	s := withTicket(t, "ws"+strings.TrimPrefix(one.url(), "http")+"/v1/voice", sold.Ticket)
	created := next[session.Created](s)
	conversation := created.Session.ConversationID
	if created.Session.ScenarioID != "order-in-a-cafe" {
		t.Errorf("created %+v", created.Session)
	}
	s.say(t, "Quiero un café con leche.")
	if met := next[session.GoalMet](s); met != (session.GoalMet{GoalID: "drink", Quote: "un café"}) {
		t.Errorf("told of %+v", met)
	}
	s.say(t, "Gracias.")
	var seen uint64
	for done := false; !done; {
		var ev session.Event
		var head session.Head
		head, ev = s.event()
		seen = head.Seq
		item, stored := ev.(session.ItemDone)
		done = stored && item.Item.Role == "user"
	}
	waitMirrored(t, one, conversation, seen)

	moved := back(t, two, created.Resume.Token, created.Session.ID, seen)
	if cold := next[session.Resumed](moved); cold.Warm {
		t.Error("resumed where it was not")
	}
	moved.say(t, "Y un café para mi amiga.")
	waitAnalysed(t, two, guest.Token, conversation, 3)
	moved.send(websocket.MessageText, []byte(`{"type":"session.end"}`))
	for {
		_, ev := moved.event()
		if met, again := ev.(session.GoalMet); again {
			t.Errorf("told again of %+v", met)
		}
		if _, over := ev.(session.Ended); over {
			break
		}
	}
	for name, h := range map[string]*house{"one": one, "two": two} {
		checkGoals(t, name, h, guest.Token, conversation)
	}
}

// say has somebody type a message.
func (s *stranger) say(t *testing.T, text string) {
	t.Helper()
	data, err := json.Marshal(map[string]any{"type": "conversation.item.create",
		"item": map[string]any{"type": "message", "role": "user", "content": []any{map[string]any{"type": "input_text", "text": text}}}})
	if err != nil {
		t.Fatal(err)
	}
	s.send(websocket.MessageText, data)
}

// waitAnalysed waits until that many turns of a session are stored and analysed.
func waitAnalysed(t *testing.T, h *house, token, conversation string, turns int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		var report struct {
			Turns   int
			Waiting int `json:"turns_waiting"`
		}
		ask(t, h, token, http.MethodGet, "/conversations/sessions/"+conversation+"/summary", "", http.StatusOK, &report)
		if report.Turns == turns && report.Waiting == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v: want %d turns, none waiting", report, turns)
		}
	}
}

// checkGoals asks a node for the goals of a session in which a drink was ordered.
func checkGoals(t *testing.T, name string, h *house, token, conversation string) {
	t.Helper()
	type goal struct {
		ID        string
		Text      map[string]string
		Met       bool
		Quote     *string
		MessageID *string `json:"message_id"`
	}
	var held, report struct {
		ScenarioID string `json:"scenario_id"`
		Goals      []goal
		GoalsMet   []struct{ ID, Quote string } `json:"goals_met"`
	}
	ask(t, h, token, http.MethodGet, "/conversations/sessions/"+conversation, "", http.StatusOK, &held)
	ask(t, h, token, http.MethodGet, "/conversations/sessions/"+conversation+"/summary", "", http.StatusOK, &report)
	if held.ScenarioID != "order-in-a-cafe" || len(report.GoalsMet) != 1 || report.GoalsMet[0].Quote != "un café" {
		t.Errorf("node %s tells of %q, %v", name, held.ScenarioID, report.GoalsMet)
	}
	for where, goals := range map[string][]goal{"session": held.Goals, "report": report.Goals} {
		if len(goals) != 4 || goals[0].ID != "drink" || !goals[0].Met || *goals[0].Quote != "un café" || goals[0].MessageID == nil ||
			goals[0].Text["es"] != "pedir algo de beber" || goals[1].Met || goals[2].Met || goals[3].Met || goals[2].Quote != nil {
			t.Errorf("node %s, %s: %+v", name, where, goals)
		}
	}
}
