package gateway

import (
	"net/http"
	"testing"
	"time"

	"kalami/session/learn"
)

func TestStatistics(t *testing.T) {
	h := newHouse(t)
	access, user := h.account("ana@example.org")
	same(t, h.as(access, "GET", "/users/stats", nil).want(http.StatusOK).json(), map[string]any{
		"total_sessions": 0.0, "total_speaking_minutes": 0.0, "total_vocabulary_mastered": 0.0,
		"languages_learning": []any{}, "current_streak": 0.0,
		"total_conversations": 0.0, "total_practice_time": 0.0, "longest_streak": 0.0,
	})
	h.store.statistics[learn.PersonalTenant+"/"+user] = learn.Statistics{
		Conversations: 12, Speaking: 94*time.Minute + 35*time.Second + 999*time.Millisecond, Mastered: 38,
		Languages: []string{"es", "ja"}, Streak: 5, Longest: 9,
	}
	for _, path := range []string{"/users/stats", "/api/users/stats"} {
		same(t, h.as(access, "GET", path, nil).want(http.StatusOK).json(), map[string]any{
			"total_sessions": 12.0, "total_speaking_minutes": 94.5, "total_vocabulary_mastered": 38.0,
			"languages_learning": []any{"es", "ja"}, "current_streak": 5.0,
			"total_conversations": 12.0, "total_practice_time": 5675.0, "longest_streak": 9.0,
		})
	}
	school, _, err := h.options.Tokens.Issue(user, "a-school", 0, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if m := h.as(school, "GET", "/users/stats", nil).want(http.StatusOK).json(); m["total_sessions"] != 0.0 {
		t.Errorf("the school sees %v", m)
	}
	h.do("GET", "/users/stats", nil).refusal(http.StatusUnauthorized, "unauthorized")
}
