package web_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"kalami/web/webtest"
)

// asks has the tutor ask a card by voice.
func (l *line) asks(id, kind, front string, left, n int) {
	l.send("tutor.review.card", fields{"left": left, "card": fields{"id": id, "kind": kind, "front": front, "language": "es", "new": true}})
	l.whole(reply{id: "r_" + id, item: "it_" + id, stream: uint16(n), text: "¿Cómo se dice? " + front, frames: 4})
}

// rates tells what came of a card.
func (l *line) rates(more fields) {
	result := fields{"context": "", "heard": "", "mode": "spoken", "due_at": time.Now().Add(4 * 24 * time.Hour).UTC().Format(time.RFC3339)}
	for name, value := range more {
		result[name] = value
	}
	l.send("tutor.review.result", result)
}

// Cards are reviewed by voice: the tutor asks them, one is known, one is not, and the learner
// changes a rating by keyboard. Cards that ask to understand are not for this.
func TestReviewByVoice(t *testing.T) {
	for _, as := range []struct {
		name    string
		browser webtest.Browser
	}{
		{"desktop-light", webtest.Browser{Script: asGuest}},
		{"phone-dark-es", webtest.Browser{Script: asGuest + inSpanish, Width: 390, Height: 844, Mobile: true, Dark: true}},
	} {
		t.Run(as.name, func(t *testing.T) {
			s := newServer(t, func(l *line, _ int) {
				l.created()
				l.asks("c1", "produce", "the house", 1, 1)
				l.learner("it_1", "la casa")
				l.rates(fields{"card_id": "c1", "review_id": "v1", "rating": 3, "right": true, "heard": "la casa", "answer": "la casa"})
				l.asks("c3", "fix", "Ayer yo fue al mercado.", 0, 2)
				if again := l.expect("tutor.review.answer"); again["card_id"] != "c1" || again["rating"] != 2.0 {
					t.Errorf("the changed rating is %v", again)
				}
				l.rates(fields{"card_id": "c1", "review_id": "v2", "replaces": "v1", "rating": 2, "right": true, "heard": "la casa", "answer": "la casa", "mode": "self"})
				if unknown := l.expect("tutor.review.answer"); unknown["card_id"] != "c3" || unknown["rating"] != 1.0 {
					t.Errorf("what is not known is %v", unknown)
				}
				l.rates(fields{"card_id": "c3", "review_id": "v3", "rating": 1, "right": false, "answer": "Ayer yo fui al mercado.",
					"context": "The first person of ir in the past is fui.", "mode": "self"})
				l.send("tutor.review.done", fields{"reviewed": 2, "right": 1})
				l.expect("session.end")
				l.send("session.ended", fields{"reason": "normal", "summary": fields{"duration_ms": 61000, "turns": 1}})
				l.closeWith(1000, "normal")
			})
			s.profile = map[string]string{"id": "p1", "target_language": "es", "cefr_level": "A2"}
			s.study.cards = []fields{card("c2", "recognise", "el mercado", "the market")}
			as.browser.Microphone = microphoneFile(t)
			tb := webtest.Open(t, as.browser, s.http.URL)
			tb.Open()
			tb.Click(`[data-action="review"]`)
			tb.WaitFor("the first card", `document.querySelector('[data-card="c2"]')`)
			if webtest.Eval[bool](tb, `Boolean(document.querySelector('[data-action="review-voice"]'))`) {
				t.Error("a review by voice is offered of cards that cannot be asked so")
			}
			s.study.set(func() { s.study.cards = append(s.study.cards, card("c1", "produce", "the house", "la casa")) })
			tb.Click(`[data-action="talk"]`)
			tb.Click(`[data-action="review"]`)
			tb.Click(`[data-action="review-voice"]`)
			tb.WaitFor("the question", `document.querySelector('.recall[data-card="c1"] .front')?.textContent === "the house"`)
			tb.WaitFor("the next question", `document.querySelector('.recall[data-card="c3"]') && document.querySelector('.recall [data-rating="3"][aria-pressed="true"]')`)
			tb.Screenshot("asked-" + as.name)
			if wide := webtest.Eval[int](tb, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
				t.Errorf("the page is %d pixels wider than the window", wide)
			}
			tb.Focus(`.recall [data-rating="2"]`)
			tb.Press(kb.Enter)
			tb.WaitFor("the changed rating", `document.querySelector('.recall [data-rating="2"][aria-pressed="true"]')`)
			tb.Focus(`[data-action="unknown"]`)
			tb.Press(kb.Enter)
			tb.WaitFor("the end", `document.querySelector('.recall[data-over="true"]') && document.querySelector('.verdict[data-right="false"]')`)
			tb.Screenshot("over-" + as.name)
			tb.Click(`[data-action="recall-end"]`)
			tb.WaitFor("what came of it", `/1.*2/.test(document.querySelector('[data-hook="recall-result"]')?.textContent)`)
			tb.WaitFor("what is still due", `document.querySelector('[data-card="c2"]')`)
			tb.Screenshot("after-" + as.name)
			if got := s.study.begun(); !slices.Equal(got, []string{"p1 review"}) {
				t.Errorf("begun was %v", got)
			}
			if got := s.ticketRequests(); len(got) != 1 || got[0]["conversation_id"] != "v-1" {
				t.Errorf("tickets asked for: %v", got)
			}
			tb.CheckClean()
		})
	}
}

// conversations are the routes by which one is begun.
func (s *study) conversations(mux *http.ServeMux) {
	mux.HandleFunc("POST /conversations/sessions", s.answer(func(_ *http.Request, in fields) (int, any) {
		s.started = append(s.started, in)
		return http.StatusCreated, fields{"id": "v-1", "profile_id": in["profile_id"], "mode": in["mode"]}
	}))
}

// begun are the conversations that were begun: profile and mode.
func (s *study) begun() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, one := range s.started {
		all = append(all, one["profile_id"].(string)+" "+one["mode"].(string))
	}
	return all
}
