package gateway

import (
	"net/http"
	"testing"
	"time"

	"kalami/session/learn"
)

// The report on a session is there at any time; it says whether more is to come.
func TestSummary(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	id := h.held(access)
	path := "/conversations/sessions/" + id + "/summary"
	empty := map[string]any{
		"session_id": id, "status": "pending", "language": nil, "went_well": []any{}, "next_step": nil, "corrections": []any{},
		"repaired": 0.0, "prompted": 0.0, "new_words": []any{}, "l1_words": []any{}, "suggestions": []any{}, "goals": []any{}, "goals_met": []any{},
		"turns": 1.0, "words_spoken": 6.0, "speaking_seconds": 2.0, "tutor_speaking_seconds": 3.0, "learner_share": 0.4, "words_per_minute": 180.0,
		"level_evidence": map[string]any{"words": 6.0, "unique_words": 6.0, "words_per_turn": 6.0, "minor_errors": 0.0, "major_errors": 0.0,
			"blocking_errors": 0.0, "errors_per_100_words": 0.0, "l1_share": 0.0, "comprehension": 0.0, "goals_met": 0.0},
		"turns_waiting": 0.0,
	}
	said := learn.Lesson{Conversation: learn.Conversation{ID: id, Language: "es"}, NativeLanguage: "en", Said: []learn.Message{
		{ID: "m-1", Speaker: learn.SpeakerTutor, Content: "¿Qué tal?", Heard: "¿Qué tal?", Audio: 3 * time.Second},
		{ID: "m-2", Speaker: learn.SpeakerLearner, Source: "voice", Content: "Yo fue to the beach ayer.", Audio: 2 * time.Second},
	}}
	h.store.reports = map[string]learn.Summary{id: said.Counted()}
	h.store.unreported = true
	same(t, h.as(access, "GET", path, nil).want(http.StatusOK).json(), empty)
	h.store.unreported = false
	empty["status"] = "partial"
	same(t, h.as(access, "GET", path, nil).want(http.StatusOK).json(), empty)

	said.Corrections = map[string][]learn.Correction{"m-2": {{ID: "c-1", Original: "fue", Corrected: "fui", Start: 3, End: 6, Severity: learn.Major, Repair: learn.Repaired}}}
	said.Analyses = map[string]learn.TurnAnalysis{"m-2": {
		L1Words:       []learn.L1Word{{Text: "beach", Target: "playa"}},
		NewWords:      []learn.NewWord{{Lemma: "tal", Surface: "tal", Translation: "such", Level: learn.A1, Example: "¿Qué tal?"}},
		Comprehension: learn.UnderstoodPart,
	}}
	said.Conversation.Scene = &learn.Scene{
		Scenario: learn.Scenario{ID: "a-trip", Goals: []learn.ScenarioGoal{
			{ID: "price", Text: learn.Texts{"en": "ask the price", "es": "preguntar el precio"}}, {ID: "past", Text: learn.Texts{"en": "say what you did", "es": "decir qué hiciste"}}}},
		Met: []learn.GoalMet{{ID: "past", MessageID: "m-2", Quote: "ayer", At: time.Date(2026, 3, 4, 6, 8, 10, 0, time.FixedZone("", 3600))}},
	}
	full := said.Counted()
	full.Told = learn.ToldSummary{Language: "en", WentWell: []string{"You said where you went."}, NextStep: "Practise ir."}
	h.store.reports[id] = full
	want := empty
	want["status"], want["language"], want["went_well"], want["next_step"] = "complete", "en", []any{"You said where you went."}, "Practise ir."
	want["corrections"], want["repaired"] = []any{"c-1"}, 1.0
	want["new_words"] = []any{map[string]any{"word": "tal", "lemma": "tal", "part_of_speech": nil, "translation": "such", "cefr_level": "A1", "example": "¿Qué tal?"}}
	want["l1_words"] = []any{map[string]any{"text": "beach", "target": "playa"}}
	want["suggestions"] = []any{
		map[string]any{"kind": "speak", "front": "beach", "back": "playa", "origin": "l1_word", "message_id": "m-2", "correction_id": nil},
		map[string]any{"kind": "fix", "front": "Yo fue to the beach ayer.", "back": "Yo fui to the beach ayer.", "origin": "correction", "message_id": "m-2", "correction_id": "c-1"},
	}
	want["goals"] = []any{
		map[string]any{"id": "price", "text": map[string]any{"en": "ask the price", "es": "preguntar el precio"}, "met": false, "quote": nil, "message_id": nil, "met_at": nil},
		map[string]any{"id": "past", "text": map[string]any{"en": "say what you did", "es": "decir qué hiciste"}, "met": true, "quote": "ayer",
			"message_id": "m-2", "met_at": "2026-03-04T05:08:10Z"},
	}
	want["goals_met"] = []any{map[string]any{"id": "past", "quote": "ayer"}}
	e := want["level_evidence"].(map[string]any)
	e["major_errors"], e["errors_per_100_words"], e["l1_share"], e["comprehension"], e["goals_met"] = 1.0, 100.0/6, 1.0/6, 0.5, 1.0
	same(t, h.as(access, "GET", path, nil).want(http.StatusOK).json(), want)

	other, _ := h.account("eve@example.org")
	for _, at := range []string{path, "/conversations/sessions/x/summary", "/conversations/sessions/" + id + "x/summary"} {
		h.as(other, "GET", at, nil).want(http.StatusNotFound)
	}
}
