package gateway

import (
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

// levelRoutes registers the estimate of a learner's level, and what they say of it.
func (s *Server) levelRoutes() {
	standing := success{status: http.StatusOK, bodies: []content{{shape: levelJSON{}}}}
	s.handleLearner(operation{
		method: http.MethodGet, path: "/users/profiles/:id/level", id: "getLevel", tag: "profiles", class: reading,
		summary: "What conversations say of the level",
		about: fmt.Sprintf("A range with what it rests on, estimated anew when a conversation has ended and was summed up, from the latest %d of the last "+
			"180 days: %d of the learner's words in %d conversations at least. It is a suggestion. The profile's level stays until "+
			"somebody changes it. Recognisers put some mistakes right by themselves, and the scales are set by judgement: read it as "+
			"a range. %s", learn.LevelWindow, learn.LevelWords, learn.LevelSessions, pollable),
		gives: []success{standing, unchanged()}, fails: []failure{{http.StatusNotFound, "The caller has no such profile."}},
	}, s.getLevel)
	s.handleLearner(operation{
		method: http.MethodPost, path: "/users/profiles/:id/level/decision", id: "decideLevel", tag: "profiles", class: writing,
		summary: "Accept or decline the estimate",
		about: "Accepted, the profile's level is what the estimate says, as by PATCH. Declined, it stays, and the same level is not " +
			"suggested again for 30 days. The same decision again changes nothing.",
		takes: []content{{shape: levelDecision{}}}, gives: []success{standing},
		fails: []failure{{http.StatusNotFound, "The caller has no such profile, or the profile no such estimate (any more: another one may have taken its place)."},
			{http.StatusConflict, "It was decided otherwise."}},
	}, s.decideLevel)
}

// levelJSON is what is known of the level of a profile.
type levelJSON struct {
	ProfileID      string        `json:"profile_id" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d10"`
	Level          string        `json:"cefr_level" doc:"The profile's own" enum:"A1,A2,B1,B2,C1,C2" example:"A2"`
	Estimate       *estimateJSON `json:"estimate" doc:"The one that waits for a decision, else the last that was decided; null before there was one"`
	Words          int           `json:"words" doc:"The learner's, in the conversations that count" example:"412"`
	WordsNeeded    int           `json:"words_needed" doc:"So many make an estimate possible" example:"300"`
	Sessions       int           `json:"sessions" doc:"Conversations that count: most turns were analysed" example:"4"`
	SessionsNeeded int           `json:"sessions_needed" doc:"So many make an estimate possible" example:"3"`
}

// estimateJSON is an estimate as the API shows it.
type estimateJSON struct {
	ID            string            `json:"id" doc:"UUID" example:"0197b0f7-1c2d-7e3f-8a4b-5c6d7e8f9a0b"`
	Level         string            `json:"level" doc:"The likeliest" enum:"A1,A2,B1,B2,C1,C2" example:"B1"`
	Low           string            `json:"low" doc:"The lower end of the range" enum:"A1,A2,B1,B2,C1,C2" example:"A2"`
	High          string            `json:"high" doc:"The upper end" enum:"A1,A2,B1,B2,C1,C2" example:"B1"`
	Status        string            `json:"status" enum:"suggested,accepted,rejected" example:"suggested"`
	MethodVersion int               `json:"method_version" doc:"Estimates of different methods do not compare" example:"1"`
	Evidence      levelEvidenceJSON `json:"evidence" doc:"What it rests on"`
	DecidedAt     *time.Time        `json:"decided_at" doc:"null: it waits for a decision"`
	CreatedAt     time.Time         `json:"created_at" example:"2026-03-04T05:16:37Z"`
}

// levelEvidenceJSON is what an estimate rests on.
type levelEvidenceJSON struct {
	Sessions int                `json:"sessions" doc:"Conversations that count" example:"4"`
	Turns    int                `json:"turns" doc:"The learner's" example:"51"`
	Words    int                `json:"words" doc:"The learner's" example:"412"`
	GoalsMet int                `json:"goals_met" doc:"Goals of scenarios; they do not count for the estimate" example:"3"`
	Measures []levelMeasureJSON `json:"measures" doc:"Those of which there is enough"`
	Coverage []coverageJSON     `json:"coverage" doc:"Which share of the learner's different words each level and those below it cover, of those whose level is known; empty where those are too few"`
}

type levelMeasureJSON struct {
	Name     string  `json:"name" doc:"Articulation rate is in words a minute without pauses; pauses are those within turns; errors count by how much they hinder, 1, 2 or 4; comprehension is the level that was followed, 1 for A1 to 6 for C2" enum:"words_per_turn,articulation_rate,pauses_per_100_words,weighted_errors_per_100_words,l1_share,comprehension,share_of_words_from_b1" example:"words_per_turn"`
	Value    float64 `json:"value" doc:"In the unit that the name says" example:"8.078"`
	PointsTo string  `json:"points_to" doc:"The level that it would be by this alone" enum:"A1,A2,B1,B2,C1,C2" example:"B1"`
}

type coverageJSON struct {
	Level string  `json:"level" enum:"A1,A2,B1,B2,C1,C2" example:"A2"`
	Share float64 `json:"share" doc:"0 to 1" example:"0.87"`
}

// levelDecision is the body of POST /users/profiles/{id}/level/decision.
type levelDecision struct {
	EstimateID string `json:"estimate_id" required:"true" doc:"The one that was shown" example:"0197b0f7-1c2d-7e3f-8a4b-5c6d7e8f9a0b"`
	Decision   string `json:"decision" required:"true" doc:"accept makes it the profile's level, reject leaves that as it is" enum:"accept,reject" example:"accept"`
}

func showLevel(s learn.LevelStanding) levelJSON {
	out := levelJSON{ProfileID: s.ProfileID, Level: string(s.Level), Words: s.Words, WordsNeeded: learn.LevelWords,
		Sessions: s.Sessions, SessionsNeeded: learn.LevelSessions}
	e := s.Estimate
	if e == nil {
		return out
	}
	b := levelEvidenceJSON{Sessions: e.Basis.Sessions, Turns: e.Basis.Turns, Words: e.Basis.Words, GoalsMet: e.Basis.GoalsMet,
		Measures: []levelMeasureJSON{}, Coverage: []coverageJSON{}}
	for _, m := range e.Basis.Measures {
		b.Measures = append(b.Measures, levelMeasureJSON{Name: m.Name, Value: m.Value, PointsTo: string(m.Points)})
	}
	for _, l := range learn.Levels() {
		if share, ok := e.Basis.Coverage[l]; ok {
			b.Coverage = append(b.Coverage, coverageJSON{Level: string(l), Share: share})
		}
	}
	out.Estimate = &estimateJSON{ID: e.ID, Level: string(e.Level), Low: string(e.Low), High: string(e.High), Status: string(e.Status),
		MethodVersion: e.Version, Evidence: b, DecidedAt: timeOrNull(e.DecidedAt), CreatedAt: e.CreatedAt.UTC()}
	return out
}

// getLevel answers GET /users/profiles/{id}/level.
func (s *Server) getLevel(c echo.Context, who caller) error {
	const op = "gateway.getLevel"
	id := c.Param("id")
	if !saneID(id) {
		return learn.Errorf(learn.NotFound, op, "Profile not found")
	}
	standing, err := s.opts.Levels.LevelStanding(c.Request().Context(), who.tenantID, who.user.ID, id)
	if err != nil {
		return renamed(err, learn.NotFound, op, "Profile not found")
	}
	return conditionalJSON(c, showLevel(standing))
}

// decideLevel answers POST /users/profiles/{id}/level/decision.
func (s *Server) decideLevel(c echo.Context, who caller) error {
	const op = "gateway.decideLevel"
	var in levelDecision
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	to := map[string]learn.EstimateStatus{"accept": learn.EstimateAccepted, "reject": learn.EstimateRejected}[in.Decision]
	var f faults
	if in.EstimateID == "" {
		f.add("estimate_id", "is required")
	}
	if to == "" {
		f.add("decision", "must be one of accept, reject")
	}
	if err := f.err(op); err != nil {
		return err
	}
	id := c.Param("id")
	if !saneID(id) || !saneID(in.EstimateID) {
		return learn.Errorf(learn.NotFound, op, "Estimate not found")
	}
	standing, err := s.opts.Levels.DecideLevel(c.Request().Context(), who.tenantID, who.user.ID, id, in.EstimateID, to)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, showLevel(standing))
}
