package web_test

import (
	"net/http"
	"strings"
	"testing"

	"kalami/web/webtest"
)

// scenes are what can be played.
func scenes() []fields {
	scene := func(id, topic, from, to, title, titulo, situation string, goals ...fields) fields {
		return fields{"id": id, "version": 1, "topic": topic, "title": fields{"en": title, "es": titulo}, "level_min": from, "level_max": to, "audience": "all",
			"situation": fields{"en": situation}, "tutor_role": fields{"en": "the waiter", "es": "el camarero"},
			"learner_role": fields{"en": "a guest", "es": "un cliente"}, "goals": goals, "languages": []string{"es"}, "words": fields{"es": []string{"la mesa"}}}
	}
	goal := func(id, text, texto string) fields { return fields{"id": id, "text": fields{"en": text, "es": texto}} }
	return []fields{
		scene("restaurant", "everyday", "A1", "B1", "A table for two", "Una mesa para dos", "You want to eat out tonight, and the restaurant is almost full.",
			goal("book", "Say for how many people and when", "Di para cuántas personas y a qué hora"), goal("price", "Ask what the menu costs", "Pregunta cuánto cuesta el menú"),
			goal("allergy", "Say what you must not eat", "Di qué no puedes comer")),
		scene("market", "everyday", "A1", "A2", "At the market", "En el mercado", "You need fruit and vegetables for the weekend.",
			goal("ask", "Ask for a kilo of something", "Pide un kilo de algo")),
		scene("interview", "work", "B2", "C1", "A job interview", "Una entrevista de trabajo", "A company has invited you.",
			goal("strength", "Tell of a strength of yours", "Cuenta un punto fuerte")),
	}
}

// playable are the routes of scenarios.
func (s *study) playable(mux *http.ServeMux) {
	mux.HandleFunc("GET /scenarios", s.answer(func(r *http.Request, _ fields) (int, any) {
		if r.Header.Get("Authorization") == "" {
			return http.StatusUnauthorized, fields{"detail": "Not authenticated"}
		}
		return http.StatusOK, scenes()
	}))
}

// A stranger chooses a situation, becomes a guest by that, talks in it, and sees which of its
// goals are reached, in the talk and after it.
func TestScenario(t *testing.T) {
	for _, as := range []struct {
		name, title string
		browser     webtest.Browser
	}{
		{"desktop-dark-es", "Una mesa para dos", webtest.Browser{Script: inSpanish, Dark: true}},
		{"phone-light", "A table for two", webtest.Browser{Width: 390, Height: 844, Mobile: true}},
	} {
		t.Run(as.name, func(t *testing.T) {
			s := newServer(t, func(l *line, _ int) {
				l.created()
				l.whole(reply{id: "r_1", item: "it_0", stream: 1, text: greeting, frames: 6})
				l.learner("it_1", booking)
				for range 2 { // which may be told twice
					l.send("tutor.goal.met", fields{"goal_id": "book", "quote": "una mesa para dos personas"})
				}
				l.send("tutor.goal.met", fields{"goal_id": "another", "quote": "of a scenario that the page does not know"})
				l.expect("session.end")
				l.send("session.ended", fields{"reason": "normal", "summary": fields{"duration_ms": 61000, "turns": 1}})
				l.closeWith(1000, "normal")
			})
			s.study.goals = []fields{
				{"id": "book", "text": fields{"en": "Say for how many people and when", "es": "Di para cuántas personas y a qué hora"}, "met": true, "quote": "una mesa para dos personas"},
				{"id": "price", "text": fields{"en": "Ask what the menu costs", "es": "Pregunta cuánto cuesta el menú"}, "met": false, "quote": nil},
			}
			as.browser.Microphone = microphoneFile(t)
			tb := webtest.Open(t, as.browser, s.http.URL)
			tb.Open()
			tb.Click(`[data-action="scenes"]`)
			tb.WaitFor("what suits the level", `document.querySelectorAll("[data-scenario]").length === 2`)
			tb.Screenshot("choose-" + as.name)
			if wide := webtest.Eval[int](tb, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
				t.Errorf("the page is %d pixels wider than the window", wide)
			}
			webtest.Eval[bool](tb, `(() => { const s = document.getElementById("scenes-level"); s.value = ""; return s.dispatchEvent(new Event("change")); })()`)
			tb.WaitFor("all of them", `document.querySelectorAll("[data-scenario]").length === 3`)
			tb.Click(`[data-scenario="restaurant"] [data-action="play"]`)
			tb.WaitFor("the reached goal", `document.querySelector('.scene-panel [data-goal="book"][data-met="true"]')`)
			tb.WaitFor("the news", `document.querySelectorAll('[data-news="goal"]').length === 1`)
			if got := tb.Text(".scene-panel summary"); !strings.Contains(got, as.title) {
				t.Errorf("the scenario is called %q", got)
			}
			if got := tb.Text(`[data-hook="goals"]`); !strings.HasPrefix(got, "1 ") || !strings.HasSuffix(got, " 3") {
				t.Errorf("of the goals are reached %q", got)
			}
			tb.WaitFor("what was said", `document.querySelector('[data-item-id="it_1"]')`)
			tb.Screenshot("talk-" + as.name)
			tb.Click(`[data-action="end"]`)
			tb.WaitFor("the goals after it", `document.querySelectorAll('[data-hook="goals-reached"] [data-goal]').length === 2`)
			if got := tb.Text(`[data-hook="goals-reached"] [data-met="true"] q`); got != "una mesa para dos personas" {
				t.Errorf("the proof is %q", got)
			}
			tb.Screenshot("after-" + as.name)
			if got := s.ticketRequests(); len(got) != 1 || got[0]["scenario_id"] != "restaurant" {
				t.Errorf("tickets asked for: %v", got)
			}
			tb.CheckClean()
		})
	}
}
