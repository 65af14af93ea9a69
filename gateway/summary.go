package gateway

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

// summaryRoutes registers the report on a session.
func (s *Server) summaryRoutes() {
	s.handleLearner(operation{
		method: http.MethodGet, path: "/conversations/sessions/:id/summary", id: "getSummary", tag: "conversations", class: reading,
		summary: "What came of a session",
		about: "Counted from what is stored by now, at any time; what a language model has to say about it follows within a minute of the end, " +
			"and `status` tells whether it is there. Corrections are named by their ids. A recogniser puts some mistakes right by itself, so that " +
			"there were at least as many as are listed. " + pollable,
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: summaryJSON{}}}}, unchanged()}, fails: []failure{{http.StatusNotFound, "The caller has no such session."}},
	}, s.getSummary)
}

// summaryJSON is the report on a session as the API shows it.
type summaryJSON struct {
	SessionID string  `json:"session_id" example:"0197b0f2-7c1e-7b6a-9a54-3f1d2f0c8e11"`
	Status    string  `json:"status" enum:"complete,pending,partial" doc:"pending: more is to come; partial: what is told is missing for good" example:"complete"`
	Language  *string `json:"language" doc:"Of went_well and next_step; null while there are none" example:"en"`

	WentWell []string `json:"went_well" doc:"At most three sentences"`
	NextStep *string  `json:"next_step" doc:"What to practise next, or null" example:"Practise the past tense of ir."`

	Corrections []string         `json:"corrections" doc:"The ids of the mistakes that may be shown, in the order of the session"`
	Repaired    int              `json:"repaired" doc:"Mistakes that were said rightly within three turns" example:"1"`
	Prompted    int              `json:"prompted" doc:"The same, after the tutor had said the right form" example:"1"`
	NewWords    []newWordJSON    `json:"new_words" doc:"Words that the tutor introduced"`
	L1Words     []l1WordJSON     `json:"l1_words" doc:"Words that the learner said in another language"`
	Suggestions []suggestionJSON `json:"suggestions" doc:"Cards that could be kept, at most five"`
	Goals       []goalJSON       `json:"goals" doc:"Those of the session's scenario, in its order; none for free talk"`
	GoalsMet    []goalMetJSON    `json:"goals_met" doc:"Those of them that were reached"`

	Turns                int          `json:"turns" doc:"The learner's" example:"12"`
	WordsSpoken          int          `json:"words_spoken" doc:"The learner's" example:"118"`
	SpeakingSeconds      float64      `json:"speaking_seconds" doc:"The learner's own voice" example:"142.5"`
	TutorSpeakingSeconds float64      `json:"tutor_speaking_seconds" doc:"What was heard of the tutor" example:"201.25"`
	LearnerShare         float64      `json:"learner_share" doc:"Of the time in which somebody spoke, 0 to 1" example:"0.41"`
	WordsPerMinute       float64      `json:"words_per_minute" doc:"While the learner spoke; 0 without a voice" example:"49.7"`
	LevelEvidence        evidenceJSON `json:"level_evidence" doc:"What the session says about the learner's level; one alone decides nothing"`
	TurnsWaiting         int          `json:"turns_waiting" doc:"Turns that are still to be analysed" example:"0"`
}

type l1WordJSON struct {
	Text   string `json:"text" doc:"What was said" example:"beach"`
	Target string `json:"target" doc:"In the language that is learned" example:"playa"`
}

// suggestionJSON is a card that could be kept.
type suggestionJSON struct {
	Kind         string  `json:"kind" doc:"What it asks for" enum:"recognise,produce,speak,fix" example:"fix"`
	Front        string  `json:"front" doc:"What is asked" example:"Ayer yo fue al mercado."`
	Back         string  `json:"back" doc:"The answer" example:"Ayer yo fui al mercado."`
	Origin       string  `json:"origin" doc:"Where it came from" enum:"manual,import,correction,message,l1_word" example:"correction"`
	MessageID    string  `json:"message_id" example:"0197b0f3-2b3c-7d4e-8f5a-6b7c8d9e0f1a"`
	CorrectionID *string `json:"correction_id" doc:"null when it does not come from one"`
}

type goalMetJSON struct {
	ID    string `json:"id" doc:"The goal's" example:"ask_price"`
	Quote string `json:"quote" doc:"The learner's words that show it" example:"¿cuánto cuesta?"`
}

type evidenceJSON struct {
	Words         int     `json:"words" doc:"The learner's"`
	UniqueWords   int     `json:"unique_words" doc:"Different ones of them"`
	WordsPerTurn  float64 `json:"words_per_turn" doc:"On average"`
	MinorErrors   int     `json:"minor_errors" doc:"Understood without effort"`
	MajorErrors   int     `json:"major_errors" doc:"Understood with effort"`
	BlockErrors   int     `json:"blocking_errors" doc:"Not understood"`
	ErrorsPer100  float64 `json:"errors_per_100_words" doc:"Mistakes that may be shown"`
	L1Share       float64 `json:"l1_share" doc:"Of the words, those of another language, 0 to 1"`
	Comprehension float64 `json:"comprehension" doc:"How much of the tutor was understood, 0 to 1; 0 when nothing is known"`
	GoalsMet      int     `json:"goals_met" doc:"Goals of the scenario that were reached"`
}

// getSummary answers GET /conversations/sessions/{id}/summary.
func (s *Server) getSummary(c echo.Context, who caller) error {
	id, err := sessionID(c)
	if err != nil {
		return err
	}
	found, pending, err := s.opts.Reports.Summary(c.Request().Context(), who.tenantID, who.user.ID, id)
	if err != nil {
		return noSession(err)
	}
	return conditionalJSON(c, showSummary(id, found, pending))
}

func showSummary(id string, s learn.Summary, pending bool) summaryJSON {
	e := s.Evidence
	out := summaryJSON{
		SessionID: id, Status: "complete", WentWell: s.Told.WentWell, NextStep: orNull(s.Told.NextStep), Language: orNull(s.Told.Language),
		Corrections: s.CorrectionIDs, Repaired: s.Repaired, Prompted: s.Prompted, NewWords: showNewWords(s.NewWords),
		L1Words: []l1WordJSON{}, Suggestions: []suggestionJSON{}, Goals: showGoals(s.Goals), GoalsMet: []goalMetJSON{},
		Turns: s.Turns, WordsSpoken: s.Words, SpeakingSeconds: s.Learner.Seconds(), TutorSpeakingSeconds: s.Tutor.Seconds(),
		LearnerShare: s.LearnerShare, WordsPerMinute: s.WordsPerMinute, TurnsWaiting: s.Waiting,
		LevelEvidence: evidenceJSON{Words: e.Words, UniqueWords: e.UniqueWords, WordsPerTurn: e.WordsPerTurn, MinorErrors: e.Errors[learn.Minor],
			MajorErrors: e.Errors[learn.Major], BlockErrors: e.Errors[learn.Blocking], ErrorsPer100: e.ErrorsPer100, L1Share: e.L1Share,
			Comprehension: e.Comprehension, GoalsMet: e.GoalsMet},
	}
	switch {
	case pending || s.Waiting > 0:
		out.Status = "pending"
	case s.Told.Language == "":
		out.Status = "partial"
	}
	if out.WentWell == nil {
		out.WentWell = []string{}
	}
	for _, w := range s.L1Words {
		out.L1Words = append(out.L1Words, l1WordJSON(w))
	}
	for _, k := range s.Suggestions {
		out.Suggestions = append(out.Suggestions, suggestionJSON{Kind: string(k.Kind), Front: k.Front, Back: k.Back, Origin: string(k.Origin),
			MessageID: k.MessageID, CorrectionID: orNull(k.CorrectionID)})
	}
	for _, g := range s.Goals {
		if g.Met != nil {
			out.GoalsMet = append(out.GoalsMet, goalMetJSON{ID: g.ID, Quote: g.Met.Quote})
		}
	}
	return out
}
