package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"kalami/web/webtest"
)

// remembered are the routes of what the tutor remembers, and of the level that it sees.
func (s *study) remembered(mux *http.ServeMux) {
	find := func(r *http.Request) int {
		return slices.IndexFunc(s.memories, func(m fields) bool { return m["id"] == r.PathValue("id") })
	}
	mux.HandleFunc("GET /memories", s.answer(func(*http.Request, fields) (int, any) {
		return http.StatusOK, append([]fields{}, s.memories...)
	}))
	mux.HandleFunc("DELETE /memories", s.answer(func(*http.Request, fields) (int, any) {
		s.memories = nil
		return http.StatusNoContent, nil
	}))
	mux.HandleFunc("PATCH /memories/{id}", s.answer(func(r *http.Request, in fields) (int, any) {
		if strings.Contains(in["text"].(string), "@") {
			return http.StatusUnprocessableEntity, fields{"detail": "text: must not hold addresses or numbers"}
		}
		m := s.memories[find(r)]
		m["text"], m["edited_at"], m["expires_at"] = in["text"], "2026-03-05T05:16:37Z", nil
		return http.StatusOK, m
	}))
	mux.HandleFunc("DELETE /memories/{id}", s.answer(func(r *http.Request, _ fields) (int, any) {
		i := find(r)
		s.memories = slices.Delete(s.memories, i, i+1)
		return http.StatusNoContent, nil
	}))
	mux.HandleFunc("GET /users/profiles/{id}/level", s.answer(func(*http.Request, fields) (int, any) { return http.StatusOK, s.standing("suggested", "A2") }))
	mux.HandleFunc("POST /users/profiles/{id}/level/decision", s.answer(func(_ *http.Request, in fields) (int, any) {
		s.decided = append(s.decided, in)
		return http.StatusOK, s.standing("accepted", "B1")
	}))
}

// standing is what is known of the learner's level.
func (s *study) standing(status, level string) fields {
	return fields{"profile_id": "p1", "cefr_level": level, "words": 412, "words_needed": 300, "sessions": 4, "sessions_needed": 3,
		"estimate": fields{"id": "e1", "level": "B1", "low": "A2", "high": "B1", "status": status, "evidence": fields{
			"sessions": 4, "turns": 51, "words": 412, "goals_met": 3, "coverage": []fields{}, "measures": []fields{
				{"name": "words_per_turn", "value": 8.078, "points_to": "B1"}, {"name": "l1_share", "value": 0.043, "points_to": "A2"},
			}}}}
}

// memory is something that the tutor remembers.
func memory(id, kind, text string, until any) fields {
	return fields{"id": id, "profile_id": "p1", "kind": kind, "text": text, "expires_at": until, "edited_at": nil, "created_at": "2026-03-04T05:16:37Z"}
}

// A learner sees what the tutor remembers of them, puts one thing right, has another one
// forgotten, and at last everything; and accepts the level that the tutor sees.
func TestMemories(t *testing.T) {
	for _, as := range []struct {
		name    string
		browser webtest.Browser
	}{
		{"desktop-dark-es", webtest.Browser{Script: asGuest + inSpanish, Dark: true}},
		{"phone-light", webtest.Browser{Script: asGuest, Width: 390, Height: 844, Mobile: true}},
	} {
		t.Run(as.name, func(t *testing.T) {
			s := newServer(t, nil)
			s.profile = map[string]string{"id": "p1", "target_language": "es", "cefr_level": "A2"}
			s.study.memories = []fields{memory("m1", "interest", "Likes markets.", nil),
				memory("m2", "plan", "Wants to go to Cádiz in June.", "2026-06-02T00:00:00Z"), memory("m3", "work_or_study", "Works as a nurse.", nil)}
			tb := webtest.Open(t, as.browser, s.http.URL)
			tb.Open()
			tb.Click(`[data-action="memories"]`)
			tb.WaitFor("what is remembered", `document.querySelectorAll("[data-memory]").length === 3`)
			tb.Click(`[data-level="p1"] summary`)
			tb.Screenshot("memories-" + as.name)
			tb.Click(`[data-action="level-accept"]`)
			tb.WaitFor("the new level", `document.querySelector('[data-level="p1"] h2').textContent.includes("B1") && !document.querySelector('[data-action="level-accept"]')`)
			tb.Focus(`[data-memory="m1"] [data-action="memory-edit"]`)
			tb.Press(kb.Enter)
			tb.Do("what must not be kept", chromedp.SetValue("[data-memory=m1] input", "Write to me@example.org"))
			tb.Press(kb.Enter)
			tb.WaitFor("why it cannot be kept", `document.querySelector('[data-memory="m1"] .form-error').textContent !== ""`)
			tb.Screenshot("private-" + as.name)
			tb.Do("what may be kept", chromedp.SetValue("[data-memory=m1] input", "Likes flea markets."))
			tb.Press(kb.Enter)
			tb.WaitFor("the change", `document.querySelector('[data-memory="m1"] .words')?.textContent === "Likes flea markets." && document.activeElement.dataset.action === "memory-edit"`)
			tb.Click(`[data-memory="m2"] [data-action="memory-forget"]`)
			tb.WaitFor("that it is forgotten", `document.querySelectorAll("[data-memory]").length === 2 && document.querySelector('[data-hook="memories-status"]').textContent !== ""`)
			s.study.set(func() {
				if len(s.study.memories) != 2 || s.study.memories[0]["text"] != "Likes flea markets." || s.study.memories[1]["id"] != "m3" {
					t.Errorf("the server has %v", s.study.memories)
				}
				if len(s.study.decided) != 1 || s.study.decided[0]["estimate_id"] != "e1" || s.study.decided[0]["decision"] != "accept" {
					t.Errorf("decided was %v", s.study.decided)
				}
			})
			tb.Click(`[data-action="forget-all"]`)
			tb.Click(`[data-action="forget-all-yes"]`)
			tb.WaitFor("nothing", `document.querySelectorAll("[data-memory]").length === 0 && !document.querySelector('[data-action="forget-all-yes"]')?.offsetParent`)
			s.study.set(func() {
				if len(s.study.memories) != 0 {
					t.Errorf("the server still has %v", s.study.memories)
				}
			})
			if wide := webtest.Eval[int](tb, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
				t.Errorf("the page is %d pixels wider than the window", wide)
			}
			tb.CheckClean()
		})
	}
}
