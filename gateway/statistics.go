package gateway

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

// statisticsRoutes registers what a learner has done so far.
func (s *Server) statisticsRoutes() {
	s.handleLearner(operation{
		method: http.MethodGet, path: "/users/stats", id: "getStatistics", tag: "statistics", class: reading,
		summary: "What the caller has done so far, over all languages",
		about: "*Speaking time* is the learner's own voice: neither pauses nor the tutor. *Mastered* are cards in review " +
			"with a stability of 21 days or more, and those used rightly and unprompted on three different days. The " +
			"*streak* counts consecutive days, by the learner's own time zone, on which something was said or typed in any " +
			"language; it lives until a whole day was missed. Sessions that are still open count with what was said in " +
			"them so far; deleted profiles do not count, except for the streak. " + pollable,
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: statisticsJSON{}}}}, unchanged()},
	}, s.getStatistics)
}

// statisticsJSON answers GET /users/stats, under the names of the original's server and of
// its app.
type statisticsJSON struct {
	TotalSessions           int      `json:"total_sessions" example:"12"`
	TotalSpeakingMinutes    float64  `json:"total_speaking_minutes" doc:"To a tenth" example:"94.5"`
	TotalVocabularyMastered int      `json:"total_vocabulary_mastered" example:"38"`
	LanguagesLearning       []string `json:"languages_learning" doc:"Of the profiles, oldest first" example:"[\"es\",\"ja\"]"`
	CurrentStreak           int      `json:"current_streak" doc:"Days" example:"5"`

	TotalConversations int `json:"total_conversations" doc:"The same as total_sessions" example:"12"`
	TotalPracticeTime  int `json:"total_practice_time" doc:"Speaking time in seconds" example:"5670"`
	LongestStreak      int `json:"longest_streak" doc:"Days" example:"9"`
}

// getStatistics answers GET /users/stats.
func (s *Server) getStatistics(c echo.Context, who caller) error {
	all, err := s.opts.History.Statistics(c.Request().Context(), who.tenantID, who.user.ID)
	if err != nil {
		return err
	}
	return conditionalJSON(c, showStatistics(all))
}

func showStatistics(all learn.Statistics) statisticsJSON {
	const tenth = time.Minute / 10
	return statisticsJSON{
		TotalSessions:           all.Conversations,
		TotalSpeakingMinutes:    float64(all.Speaking/tenth) / 10,
		TotalVocabularyMastered: all.Mastered,
		LanguagesLearning:       append([]string{}, all.Languages...), // [] and never null
		CurrentStreak:           all.Streak,
		TotalConversations:      all.Conversations,
		TotalPracticeTime:       int(all.Speaking / time.Second),
		LongestStreak:           all.Longest,
	}
}
