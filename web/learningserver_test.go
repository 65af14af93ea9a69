package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
)

// study plays the server's side of learning: cards that are due, the log of reviews, and the
// report on a lesson.
type study struct {
	t *testing.T

	mu       sync.Mutex
	cards    []fields
	reviews  []fields // in the order in which they came
	undone   []string
	kept     []fields // cards that were kept from the report
	disputed []string
	words    []fields // all cards, newest first
	gone     fields   // the card that was deleted last
	goals    []fields // of the lesson that is over
	memories []fields
	decided  []fields // what was said of the level
	started  []fields // conversations
	readings []string // recordings to assess
	agreed   []string // consents
	asked    int      // times that the report was asked for
	away     bool     // nothing is answered
}

// card is one that is due, with what each rating would do.
func card(id, kind, front, back string) fields {
	previews := make([]fields, 4)
	for i, seconds := range []int{60, 360, 86400 * 4, 86400 * 45} {
		previews[i] = fields{"rating": i + 1, "interval_seconds": seconds}
	}
	return fields{
		"card": fields{"id": id, "profile_id": "p1", "kind": kind, "front": front, "back": back, "context": "", "language": "es"}, "previews": previews,
	}
}

// routes are what the pages of learning ask for.
func (s *study) routes(mux *http.ServeMux) {
	s.vocabulary(mux)
	s.playable(mux)
	s.remembered(mux)
	s.conversations(mux)
	s.assessed(mux)
	mux.HandleFunc("GET /reviews/due", s.answer(func(*http.Request, fields) (int, any) {
		return http.StatusOK, fields{"due": len(s.cards), "new": 0, "cards": s.cards}
	}))
	mux.HandleFunc("POST /reviews", s.answer(func(_ *http.Request, in fields) (int, any) {
		var cards []fields
		for _, r := range in["reviews"].([]any) {
			review := fields(r.(map[string]any))
			known := slices.ContainsFunc(s.reviews, func(f fields) bool { return f["id"] == review["id"] })
			if !known {
				s.reviews = append(s.reviews, review)
			}
			for _, c := range s.cards {
				if c["card"].(fields)["id"] == review["card_id"] {
					cards = append(cards, c["card"].(fields))
				}
			}
		}
		return http.StatusOK, fields{"results": []any{}, "cards": cards}
	}))
	mux.HandleFunc("POST /reviews/{id}/undo", s.answer(func(r *http.Request, _ fields) (int, any) {
		s.undone = append(s.undone, r.PathValue("id"))
		return http.StatusOK, fields{"id": r.PathValue("id")}
	}))
	mux.HandleFunc("GET /conversations/sessions/{id}/summary", s.answer(s.summary))
	mux.HandleFunc("GET /conversations/sessions/{id}/corrections", s.answer(func(*http.Request, fields) (int, any) {
		return http.StatusOK, []fields{{"id": "k1", "message_id": "m1", "original": "yo fue", "corrected": "yo fui",
			"explanation": "The first person of ir in the past is fui.", "explanation_language": "en", "status": "shown"}}
	}))
	mux.HandleFunc("PATCH /corrections/{id}", s.answer(func(r *http.Request, in fields) (int, any) {
		s.disputed = append(s.disputed, fmt.Sprint(r.PathValue("id"), " ", in["status"]))
		return http.StatusOK, fields{}
	}))
	mux.HandleFunc("POST /vocabulary/from-message", s.answer(func(_ *http.Request, in fields) (int, any) {
		s.kept = append(s.kept, in)
		return http.StatusCreated, fields{}
	}))
	mux.HandleFunc("GET /speech/speak", func(w http.ResponseWriter, _ *http.Request) {
		clip, err := os.ReadFile(microphoneFile(s.t))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "audio/wav")
		_, _ = w.Write(clip) // a page that has gone needs no answer
	})
}

// summary tells its counted part at once, and the rest when it is asked for the second time.
func (s *study) summary(*http.Request, fields) (int, any) {
	s.asked++
	out := fields{"status": "pending", "went_well": []string{}, "next_step": nil, "language": nil, "learner_share": 0.52, "goals": append([]fields{}, s.goals...),
		"suggestions": []fields{{"kind": "produce", "front": "beach", "back": "la playa", "origin": "l1_word", "message_id": "m1", "correction_id": nil}}}
	if s.asked > 1 {
		out["status"], out["language"] = "complete", "en"
		out["went_well"], out["next_step"] = []string{"You asked for a table without help."}, "Practise the past tense of ir."
	}
	return http.StatusOK, out
}

// answer makes a handler of f, which gets the request's JSON and is called one at a time.
func (s *study) answer(f func(r *http.Request, in fields) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in fields
		if r.Method != http.MethodGet && r.ContentLength > 0 {
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
				refuse(w, http.StatusUnprocessableEntity, "not JSON")
				return
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.away {
			refuse(w, http.StatusServiceUnavailable, "away")
			return
		}
		status, body := f(r, in)
		answer(w, status, body)
	}
}

// rated are the ratings that have come, by card, in their order.
func (s *study) rated() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []string{} // not null
	for _, r := range s.reviews {
		all = append(all, fmt.Sprint(r["card_id"], " ", r["rating"], " ", r["mode"]))
	}
	return all
}
