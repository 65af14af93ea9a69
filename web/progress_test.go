package web_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"kalami/web/webtest"
)

// asGuest signs a guest in before the page runs.
const asGuest = `try { localStorage.setItem("kalami.identity", JSON.stringify({ token: "guest-token", refresh: "", until: 4e12, email: "", guest: true })); } catch {}`

// analytics answers what the progress page asks for: thirty days up to 4 March 2026, of
// which every fifth was without practice, and one was bridged by a free day.
func (s *server) analytics(w http.ResponseWriter, r *http.Request) {
	first := time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)
	var days, calendar []fields
	for i := range 30 {
		day := first.AddDate(0, 0, i).Format(time.DateOnly)
		state, speaking := "practised", float64(60+40*(i%7)+10*i)
		switch {
		case i == 14:
			state, speaking = "frozen", 0
		case i%5 == 4:
			state, speaking = "none", 0
		}
		entry := fields{"day": day, "speaking_seconds": speaking, "total": 20 + 3*i, "retention": nil,
			"articulation_wpm": nil, "words_per_minute": nil}
		if speaking > 0 {
			entry["retention"], entry["articulation_wpm"], entry["words_per_minute"] = 0.8+0.005*float64(i), 96+float64(i), 70+float64(i)
		}
		days = append(days, entry)
		calendar = append(calendar, fields{"day": day, "state": state, "speaking_seconds": speaking})
	}
	answers := map[string]fields{
		"overview": {"speaking_seconds": 5400.0, "active_days": 24, "retention": 0.91,
			"vocabulary": fields{"total": 107, "active": 90, "mastered": 31, "due": 12}},
		"timeline": {}, "vocabulary": {}, "fluency": {},
		"errors": {"per_100_words": 3.4, "categories": []fields{
			{"category": "verb_form", "count": 11, "repaired": 6, "prompted": 1},
			{"category": "gender", "count": 7, "repaired": 5, "prompted": 0},
			{"category": "preposition", "count": 3, "repaired": 0, "prompted": 0},
		}},
		"streak": {"current": 4, "longest": 9, "freeze_days": 1, "calendar": calendar},
	}
	body, ok := answers[r.PathValue("what")]
	if !ok || r.Header.Get("Authorization") != "Bearer guest-token" {
		refuse(w, http.StatusUnauthorized, "Not authenticated")
		return
	}
	all := fields{"from": "2026-02-03", "to": "2026-03-04", "days": days}
	maps.Copy(all, body)
	answer(w, http.StatusOK, all)
}

// A learner opens the progress page from the first screen: the charts are drawn, and who
// cannot see them has the same in words and tables.
func TestProgress(t *testing.T) {
	for _, as := range []struct {
		name    string
		browser webtest.Browser
	}{
		{"desktop-light", webtest.Browser{Script: asGuest}},
		{"phone-dark", webtest.Browser{Script: asGuest, Width: 390, Height: 844, Mobile: true, Dark: true}},
	} {
		t.Run(as.name, func(t *testing.T) {
			s := newServer(t, nil)
			tb := webtest.Open(t, as.browser, s.http.URL)
			tb.Open()
			tb.Click(`[data-action="progress"]`)
			tb.WaitFor("the charts", `document.querySelectorAll('[data-chart] canvas').length === 4`)
			tb.Screenshot("progress-" + as.name)
			if got := tb.Text(`[data-chart="streak"] h2`); got != "4 days in a row" {
				t.Errorf("the streak reads %q", got)
			}
			states := webtest.Eval[map[string]int](tb, `Object.groupBy ? Object.fromEntries(Object.entries(Object.groupBy([...document.querySelectorAll(".calendar .day")], (d) => d.dataset.state)).map(([k, v]) => [k, v.length])) : {}`)
			if states["practised"] != 24 || states["frozen"] != 1 || states["none"] != 5 {
				t.Errorf("the calendar has %v", states)
			}
			rows := webtest.Eval[int](tb, `document.querySelectorAll('[data-chart="minutes"] .numbers tbody tr').length`)
			if rows != 24 {
				t.Errorf("the table of minutes has %d rows, want a row for each day with something", rows)
			}
			if got := tb.Text(`[data-chart="errors"] li`); !strings.Contains(got, "Verb form") || !strings.Contains(got, "11, 6 mended") {
				t.Errorf("the most frequent mistake reads %q", got)
			}
			if wide := webtest.Eval[int](tb, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
				t.Errorf("the page is %d pixels wider than the window", wide)
			}
			tb.Do("choose a time", chromedp.SetValue("#progress-span", "14"))
			tb.Click(`[data-action="back"]`)
			tb.WaitFor("the first screen", `document.body.dataset.view === "welcome"`)
			tb.CheckClean()
		})
	}
}

// The page speaks Spanish to who wants that, from then on.
func TestPageInSpanish(t *testing.T) {
	s := newServer(t, nil)
	tb := webtest.Open(t, webtest.Browser{Script: asGuest, Width: 390, Height: 844, Mobile: true}, s.http.URL)
	tb.Open()
	webtest.Eval[bool](tb, `(() => { const s = document.querySelector('[data-action="page-language"]'); s.value = "es"; return s.dispatchEvent(new Event("change")); })()`)
	tb.WaitFor("the page in Spanish", `document.documentElement?.lang === "es" && document.querySelector('h1')?.textContent === "Habla y aprende un idioma."`)
	tb.Screenshot("welcome-es")
	tb.Click(`[data-action="progress"]`)
	tb.WaitFor("the charts", `document.querySelectorAll('[data-chart] canvas').length === 4`)
	tb.Screenshot("progress-es")
	if got, want := tb.Text(`[data-chart="streak"] h2`), "4 días seguidos"; got != want {
		t.Errorf("the streak reads %q, want %q", got, want)
	}
	if title := webtest.Eval[string](tb, "document.title"); !strings.Contains(title, "aprende") {
		t.Errorf("the title is %q", title)
	}
	tb.CheckClean()
}

// Progress that cannot be fetched is said, and can be asked for again.
func TestProgressFails(t *testing.T) {
	s := newServer(t, nil)
	wrong := strings.Replace(asGuest, "guest-token", "wrong-token", 1)
	tb := webtest.Open(t, webtest.Browser{Script: wrong}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="progress"]`)
	tb.WaitFor("the trouble", `document.querySelector('[role="alert"] [data-action="retry"]')`)
	tb.Screenshot("progress-failed")
}
