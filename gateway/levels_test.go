package gateway

import (
	"net/http"
	"strings"
	"testing"

	"kalami/session/learn"
)

// A learner sees what their conversations say of their level, and decides.
func TestLevel(t *testing.T) {
	h := newHouse(t)
	ana, _ := h.account("ana@example.org")
	bo, _ := h.account("bo@example.org")
	u, err := h.store.UserByEmail(t.Context(), "ana@example.org")
	if err != nil {
		t.Fatal(err)
	}
	h.levels.userID, h.levels.standing = u.ID, learn.LevelStanding{ProfileID: "p", Level: learn.A2, Sessions: 1, Words: 42}
	h.as(ana, "GET", "/users/profiles/p/level", nil).want(http.StatusOK).same(`{"profile_id":"p","cefr_level":"A2","estimate":null,
		"words":42,"words_needed":300,"sessions":1,"sessions_needed":3}`)
	h.as(ana, "POST", "/users/profiles/p/level/decision", `{"estimate_id":"e","decision":"accept"}`).refusal(http.StatusNotFound, "not_found")

	h.levels.standing.Sessions, h.levels.standing.Words = 3, 412
	h.levels.standing.Estimate = &learn.LevelEstimate{ID: "e", ProfileID: "p", Version: 1, Level: learn.B1, Low: learn.A2, High: learn.B1,
		Status: learn.EstimateSuggested, CreatedAt: made(), Basis: learn.LevelBasis{Sessions: 3, Turns: 51, Words: 412, GoalsMet: 2,
			Measures: []learn.LevelMeasure{{Name: learn.MeasureTurnLength, Value: 8.078, Points: learn.B1}},
			Coverage: map[learn.Level]float64{learn.A2: 0.87, learn.A1: 0.5}}}
	const standing = `{"profile_id":"p","cefr_level":"A2","estimate":{"id":"e","level":"B1","low":"A2","high":"B1","status":"suggested","method_version":1,
		"evidence":{"sessions":3,"turns":51,"words":412,"goals_met":2,"measures":[{"name":"words_per_turn","value":8.078,"points_to":"B1"}],
			"coverage":[{"level":"A1","share":0.5},{"level":"A2","share":0.87}]},
		"decided_at":null,"created_at":"2026-03-04T04:06:07Z"},"words":412,"words_needed":300,"sessions":3,"sessions_needed":3}`
	h.as(ana, "GET", "/api/users/profiles/p/level", nil).want(http.StatusOK).same(standing)
	for body, fields := range map[string][]string{
		`{}`: {"estimate_id", "decision"}, `{"estimate_id":"e","decision":"maybe"}`: {"decision"}, `{"estimate_id":7,"decision":"accept"}`: {"estimate_id"},
	} {
		h.as(ana, "POST", "/users/profiles/p/level/decision", body).invalid(fields...)
	}
	accept := `{"estimate_id":"e","decision":"accept"}`
	for _, path := range []string{"/users/profiles/p/level/decision", "/users/profiles/a%00b/level/decision"} {
		h.as(bo, "POST", path, accept).refusal(http.StatusNotFound, "not_found")
	}
	h.as(bo, "GET", "/users/profiles/p/level", nil).refusal(http.StatusNotFound, "not_found")
	accepted := strings.NewReplacer(`"cefr_level":"A2"`, `"cefr_level":"B1"`, `"suggested"`, `"accepted"`, `"decided_at":null`, `"decided_at":"2026-03-04T04:06:07Z"`).Replace(standing)
	for range 2 {
		h.as(ana, "POST", "/users/profiles/p/level/decision", accept).want(http.StatusOK).same(accepted)
	}
	h.as(ana, "POST", "/users/profiles/p/level/decision", `{"estimate_id":"e","decision":"reject"}`).refusal(http.StatusConflict, "conflict")
}
