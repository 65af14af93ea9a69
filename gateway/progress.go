package gateway

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

// progressRoutes registers what learners see of their progress.
func (s *Server) progressRoutes() {
	const byDay = "Days are the learner's own: each thing counts on the day that it was where they were when it happened, and " +
		"stays there wherever they travel. "
	route := func(path, id, summary, about string, shape any, h func(echo.Context, caller) error) {
		s.handleLearner(operation{
			method: http.MethodGet, path: "/analytics/" + path, id: id, tag: "statistics", class: reading,
			summary: summary, about: byDay + about + pollable, query: progressParameters(),
			gives: []success{{status: http.StatusOK, bodies: []content{{shape: shape}}}, unchanged()},
			fails: []failure{{http.StatusNotFound, "The caller has no such profile."}},
		}, h)
	}
	route("overview", "getProgressOverview", "What was done in some days, and how things stand", "", overviewJSON{}, s.progressOverview)
	route("timeline", "getProgressTimeline", "Every day of a range, oldest first",
		"*Speaking* is the learner's own voice, *talking* the time that conversations took, without silences of more than two minutes. ",
		timelineJSON{}, s.progressTimeline)
	route("vocabulary", "getProgressVocabulary", "How the vocabulary has grown, and how well it is kept",
		"*Active* cards were reviewed and are not suspended. *Mastered* are those in review with a stability of 21 days or more, and "+
			"those used rightly and unprompted on three different days. *Retention* is the share of reviews of cards learned before "+
			"in which they were still known; null without any. ", vocabularyProgressJSON{}, s.progressVocabulary)
	route("fluency", "getProgressFluency", "How fast and with what pauses the learner spoke",
		"By the times of the words that a recogniser heard: nothing of it says how right they were, or how well pronounced. A pause is a "+
			"silence of at least 250 ms between two words. The rates are words a minute, with the pauses and without; null where nothing was measured. ",
		fluencyProgressJSON{}, s.progressFluency)
	route("errors", "getProgressErrors", "What was corrected and what was mended, by kind of mistake",
		"Mistakes that were shown and not disputed count on the day of what was said. *Repaired* are those that the learner said rightly "+
			"soon after. A recogniser mends some mistakes by itself, so that these are fewer than were made. ",
		errorProgressJSON{}, s.progressErrors)
	route("streak", "getProgressStreak", "The streak and its calendar",
		fmt.Sprintf("The streak counts days on which something was said or typed, in any language or under one profile. A streak of every "+
			"%d days earns a freeze day, at most %d; a day that is missed uses one up by itself and keeps the streak. It is worked out when "+
			"it is asked for. ", learn.FreezeEvery, learn.FreezesMost), streakJSON{}, s.progressStreak)
}

// progressParameters are those of every route here; see readProgress.
func progressParameters() []parameter {
	return []parameter{
		{name: "profile_id", about: "Only this profile; all of the caller's languages together when it is left out.", shape: ""},
		{name: "from", about: "The first day, as YYYY-MM-DD.", shape: ""},
		{name: "to", about: fmt.Sprintf("The last day, today by default; at most %d days in all.", learn.ProgressDaysMost), shape: ""},
		{name: "days", about: "How many days, where `from` or `to` is left out.", shape: learn.ProgressDaysUsual, min: new(1), max: new(learn.ProgressDaysMost)},
	}
}

// readProgress reads whose progress of which days is wanted.
func readProgress(c echo.Context, who caller) (learn.ProgressQuery, error) {
	const op = "gateway.progress"
	q := readQuery(c)
	in := learn.ProgressQuery{TenantID: who.tenantID, UserID: who.user.ID, From: q.day("from"), To: q.day("to"),
		Days: q.integer("days", 0, 1, learn.ProgressDaysMost)}
	profile, named := q.get("profile_id")
	if in.From != "" && in.To != "" {
		switch n := learn.DaysThrough(in.From, in.To); {
		case n == 0:
			q.add("from", "must not be after to")
		case n > learn.ProgressDaysMost:
			q.add("from", "must be at most %d days before to", learn.ProgressDaysMost-1)
		}
	}
	if err := q.err(op); err != nil {
		return in, err
	}
	if in.ProfileID = profile; named && !saneID(profile) {
		return in, learn.Errorf(learn.NotFound, op, "Profile not found")
	}
	return in, nil
}

// day returns a day of the calendar; empty when it is not there.
func (q *query) day(name string) string {
	value, ok := q.get(name)
	if !ok {
		return ""
	}
	day, ok := learn.ParseDay(value)
	if !ok {
		q.add(name, "must be a day, YYYY-MM-DD")
		return ""
	}
	return day
}

// activity reads the query of a route and the days that it asks for.
func (s *Server) activity(c echo.Context, who caller) (learn.Activity, error) {
	q, err := readProgress(c, who)
	if err != nil {
		return learn.Activity{}, err
	}
	return s.opts.Progress.Activity(c.Request().Context(), q)
}

// vocabularyProgress reads the query of a route and what has become of the cards in its days.
func (s *Server) vocabularyProgress(c echo.Context, who caller) (learn.VocabularyProgress, error) {
	q, err := readProgress(c, who)
	if err != nil {
		return learn.VocabularyProgress{}, err
	}
	return s.opts.Progress.VocabularyProgress(c.Request().Context(), q)
}

// progressOverview answers GET /analytics/overview.
func (s *Server) progressOverview(c echo.Context, who caller) error {
	v, err := s.vocabularyProgress(c, who)
	if err != nil {
		return err
	}
	return conditionalJSON(c, showOverview(v))
}

// progressTimeline answers GET /analytics/timeline.
func (s *Server) progressTimeline(c echo.Context, who caller) error {
	a, err := s.activity(c, who)
	if err != nil {
		return err
	}
	return conditionalJSON(c, showTimeline(a))
}

// progressVocabulary answers GET /analytics/vocabulary.
func (s *Server) progressVocabulary(c echo.Context, who caller) error {
	v, err := s.vocabularyProgress(c, who)
	if err != nil {
		return err
	}
	return conditionalJSON(c, showVocabularyProgress(v))
}

// progressFluency answers GET /analytics/fluency.
func (s *Server) progressFluency(c echo.Context, who caller) error {
	a, err := s.activity(c, who)
	if err != nil {
		return err
	}
	return conditionalJSON(c, showFluencyProgress(a))
}

// progressErrors answers GET /analytics/errors.
func (s *Server) progressErrors(c echo.Context, who caller) error {
	q, err := readProgress(c, who)
	if err != nil {
		return err
	}
	e, err := s.opts.Progress.ErrorProgress(c.Request().Context(), q)
	if err != nil {
		return err
	}
	return conditionalJSON(c, showErrorProgress(e))
}

// progressStreak answers GET /analytics/streak.
func (s *Server) progressStreak(c echo.Context, who caller) error {
	a, err := s.activity(c, who)
	if err != nil {
		return err
	}
	return conditionalJSON(c, showStreak(a))
}
