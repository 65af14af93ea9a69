package web_test

import (
	"slices"
	"testing"
	"time"

	"kalami/web/webtest"
)

// eventually waits for what a server has been told.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(wait); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
	}
}

// A learner reviews three cards by keyboard: one of them is not known and comes again, one
// rating is taken back, and the connection is away for a while.
func TestReviewByKeyboard(t *testing.T) {
	for _, as := range []struct {
		name    string
		browser webtest.Browser
	}{
		{"desktop-light", webtest.Browser{Script: asGuest}},
		{"phone-dark", webtest.Browser{Script: asGuest, Width: 390, Height: 844, Mobile: true, Dark: true}},
	} {
		t.Run(as.name, func(t *testing.T) {
			s := newServer(t, nil)
			s.study.cards = []fields{card("c1", "produce", "the house", "la casa"), card("c2", "recognise", "el mercado", "the market"),
				card("c3", "fix", "Ayer yo fue al mercado.", "Ayer yo fui al mercado.")}
			tb := webtest.Open(t, as.browser, s.http.URL)
			tb.Open()
			tb.Click(`[data-action="review"]`)
			asks := func(id string) {
				t.Helper()
				tb.WaitFor(id, `document.querySelector('[data-card="`+id+`"] [data-action="reveal"]')`)
			}
			answer := func(rating string) {
				t.Helper()
				tb.Press(" ")
				tb.WaitFor("the answer", `document.querySelector('.ratings')`)
				tb.Press(rating)
			}
			asks("c1")
			tb.Screenshot("question-" + as.name)
			tb.Press(" ")
			tb.WaitFor("the answer", `document.querySelector('.back')?.textContent === "la casa"`)
			tb.Screenshot("answer-" + as.name)
			tb.Click(`[data-action="hear"]`)
			tb.WaitFor("the sound", `!document.querySelector('[data-action="hear"]').disabled && !("failed" in document.querySelector('[data-action="hear"]').dataset)`)
			tb.Press("4")
			asks("c2")
			eventually(t, "the first rating", func() bool { return len(s.study.rated()) == 1 })
			tb.Press("u") // it was not as easy as that
			asks("c1")
			answer("3")
			asks("c2")
			s.study.set(func() { s.study.away = true })
			answer("1")
			asks("c3")
			tb.WaitFor("the word that it is kept", `document.querySelector('[data-hook="review-status"]').textContent.includes("kept")`)
			s.study.set(func() { s.study.away = false })
			answer("2")
			asks("c2") // again, since it was not known
			answer("3")
			asks("c3") // again, since it was hard
			answer("3")
			tb.WaitFor("the end", `document.querySelector('[data-hook="review-over"]')`)
			tb.Screenshot("over-" + as.name)
			want := []string{"c1 4 self", "c1 3 self", "c2 1 self", "c3 2 self", "c2 3 self", "c3 3 self"}
			eventually(t, "the last rating", func() bool { return len(s.study.rated()) == len(want) })
			if got := s.study.rated(); !slices.Equal(got, want) {
				t.Errorf("the server has %v, want %v", got, want)
			}
			if len(s.study.undone) != 1 || s.study.undone[0] != s.study.reviews[0]["id"] {
				t.Errorf("taken back was %v", s.study.undone)
			}
			tb.CheckClean()
		})
	}
}

// A lesson is over: what came of it is shown as it becomes known, a word is kept by one tap,
// and a correction that was none is said to be so.
func TestReportOnALesson(t *testing.T) {
	for _, as := range []struct {
		name    string
		browser webtest.Browser
	}{
		{"desktop-dark", webtest.Browser{Dark: true}},
		{"phone-light", webtest.Browser{Width: 390, Height: 844, Mobile: true}},
	} {
		t.Run(as.name, func(t *testing.T) {
			s := newServer(t, func(l *line, _ int) {
				l.created()
				l.whole(reply{id: "r_1", item: "it_0", stream: 1, text: greeting, frames: 6})
				l.learner("it_1", booking)
				l.expect("session.end")
				l.send("session.ended", fields{"reason": "normal", "duration_ms": 61000, "turns": 1})
				l.closeWith(1000, "normal")
			})
			as.browser.Microphone = microphoneFile(t)
			tb := webtest.Open(t, as.browser, s.http.URL)
			tb.Open()
			tb.Click(`[data-action="start"]`)
			tb.WaitFor("what was said", `document.querySelector('[data-item-id="it_1"]')`)
			tb.Click(`[data-action="end"]`)
			tb.WaitFor("the report", `document.querySelector('[data-hook="report"][data-status="complete"]')`)
			tb.Click(`[data-correction="k1"] [data-action="keep"]`)
			tb.Click(`[data-suggestion="la playa"] [data-action="keep"]`)
			tb.WaitFor("both kept", `document.querySelectorAll("[data-kept]").length === 2`)
			tb.Click(`[data-action="dispute"]`)
			eventually(t, "the word that it was none", func() bool { return slices.Equal(s.study.disputes(), []string{"k1 disputed"}) })
			tb.Screenshot("report-" + as.name)
			s.study.set(func() {
				if len(s.study.kept) != 2 || s.study.kept[0]["correction_id"] != "k1" || s.study.kept[0]["message_id"] != "m1" ||
					s.study.kept[1]["text"] != "la playa" || s.study.kept[1]["translation"] != "beach" {
					t.Errorf("kept was %v", s.study.kept)
				}
			})
			tb.CheckClean()
		})
	}
}

// set changes or reads what the server knows.
func (s *study) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// disputes are the corrections that were disputed.
func (s *study) disputes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.disputed)
}
