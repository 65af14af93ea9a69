package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"kalami/providers/simulate"
	"kalami/web/webtest"
)

// A guest chooses a situation and talks in it with the demo tutor, in a real browser; makes a
// mistake, which stands in their bubble a little later; ends the lesson, keeps the correction as a card out of the
// report, reviews it by keyboard; adds a card by hand and reviews that by voice; reads a
// text aloud; and finds what was done on the page of their progress.
//
// The recording is the one of TestBrowser; the mistake is in its second turn, which is over
// after 27 seconds. It begins anew when the microphone is opened for the second time, and the
// simulated ear hears the script's first line again: that is the answer of the card.
func TestBrowserLearns(t *testing.T) {
	t.Parallel()
	h := openDemo(t, backends()[0])
	script := simulate.Scripts()["en"]
	mistake := script.Mistakes[0]
	tb := webtest.Open(t, webtest.Browser{Microphone: microphonePlaying(t, "en-session-3turns")}, h.url())
	tb.Open()
	tb.Click(`.languages .option:has([value="en"]) .face`)
	tb.Click(`.levels .option:has([value="B2"]) .face`)
	tb.Click(`[data-action="scenes"]`)
	tb.WaitFor("the situations of the level", `document.querySelectorAll("[data-scenario]").length > 5`)
	tb.Screenshot("0-situations")
	tb.Click(`[data-scenario="difficult-customer"] [data-action="play"]`)
	tb.WaitFor("its goals", `document.querySelectorAll(".scene-panel [data-goal]").length >= 3`)
	heard(tb, 1, script.Turns[0].Learner)
	heard(tb, 2, script.Turns[1].Learner)
	tb.WaitFor("the correction in the bubble", bubble("user", 2)+`.querySelector("[data-correction] ins")`)
	if got := webtest.Eval[string](tb, bubble("user", 2)+`.querySelector("[data-correction] ins").textContent`); got != mistake.Corrected {
		t.Errorf("the correction is %q, want %q", got, mistake.Corrected)
	}
	tb.Screenshot("1-corrected")
	tb.Click(`[data-action="end"]`)

	tb.WaitFor("the report", `document.querySelector('[data-hook="report"] [data-correction]')`)
	tb.WaitFor("the goals that were not reached", `document.querySelectorAll('[data-hook="goals-reached"] [data-met="false"]').length >= 3`)
	tb.Click(`[data-hook="report"] [data-correction] [data-action="keep"]`)
	tb.WaitFor("the kept card", `document.querySelector("[data-kept]")`)
	tb.Screenshot("2-report")

	tb.Click(`[data-action="words"]`)
	tb.WaitFor("the card among the words", `document.querySelectorAll(".kept").length === 1`)
	if got := tb.Text(".kept .words b"); !strings.Contains(got, mistake.Corrected) {
		t.Errorf("the card's answer is %q, want what was corrected in it", got)
	}
	tb.Click(`[data-action="review"]`)
	tb.WaitFor("the question", `document.querySelector('[data-card][data-kind="fix"] [data-action="reveal"]')`)
	tb.Screenshot("3-question")
	tb.Press(" ")
	tb.WaitFor("the answer", `document.querySelector(".back")?.textContent.includes("`+mistake.Corrected+`")`)
	tb.Press("4")
	tb.WaitFor("the end of the review", `document.querySelector('[data-hook="review-over"]')`)

	reviewByVoice(t, tb, script.Turns[0].Learner)
	practiseSaying(t, tb, script.Turns[0].Learner+" "+script.Turns[1].Learner)
	checkProgress(t, tb, "2")
	tb.Screenshot("7-progress")
	tb.CheckClean()
	for _, refused := range tb.Refused() {
		t.Errorf("a request failed: %s", refused)
	}
}

// reviewByVoice adds a card with this answer, which is heard when the tutor asks it.
func reviewByVoice(t *testing.T, tb *webtest.Tab, answer string) {
	t.Helper()
	tb.Click(`nav [data-action="words"]`)
	tb.Click(`[data-action="card-new"]`)
	tb.Do("write a card", chromedp.SetValue(`.writing [name="front"]`, "Ask for a table at eight, for two."), chromedp.SetValue(`.writing [name="back"]`, answer))
	tb.Click(`[data-action="card-save"]`)
	tb.WaitFor("the new card", `document.querySelectorAll(".kept").length === 2`)
	tb.Click(`nav [data-action="review"]`)
	tb.Click(`[data-action="review-voice"]`)
	tb.WaitFor("the question", `document.querySelector(".recall[data-card] .front")?.textContent === "Ask for a table at eight, for two."`)
	tb.Screenshot("4-asked")
	tb.WaitFor("the right answer", `document.querySelector('.recall .verdict[data-right="true"]')`)
	tb.WaitFor("the end", `document.querySelector('.recall[data-over="true"]')`)
	tb.Screenshot("5-answered")
	tb.Click(`[data-action="recall-end"]`)
	tb.WaitFor("what came of it", `document.querySelector('[data-hook="recall-result"]')`)
	if got := tb.Text(`[data-hook="recall-result"]`); got != "You knew 1 of 1." {
		t.Errorf("the review by voice came to %q", got)
	}
}

// practiseSaying reads a text of the learner's own aloud, which is the recording's first half
// minute: after that the page ends by itself what it records.
func practiseSaying(t *testing.T, tb *webtest.Tab, text string) {
	t.Helper()
	tb.Click(`[data-action="practise-saying"]`)
	tb.Do("a text to read", chromedp.SetValue("#practice-own", text))
	tb.Click(`[data-action="practise"]`)
	tb.Click(`.drill-card [data-action="say"]`)
	tb.WaitFor("the words that were understood", `document.querySelectorAll(".said-word").length > 0`)
	tb.Screenshot("6-said")
	words := webtest.Eval[[]string](tb, `[...document.querySelectorAll(".said-word")].map((w) => w.dataset.status)`)
	want := slices.Repeat([]string{"match"}, len(strings.Fields(text)))
	if !slices.Equal(words, want) {
		t.Errorf("the words of the reading are %q, want %q", words, want)
	}
	if got := tb.Text(".said-again"); !strings.Contains(got, "not on the sounds") {
		t.Errorf("the reading is told without what it does not say: %q", got)
	}
}

// checkProgress opens the page of progress and looks for what was done today.
func checkProgress(t *testing.T, tb *webtest.Tab, words string) {
	t.Helper()
	tb.Click(`nav [data-action="progress"]`)
	tb.WaitFor("the figures", `document.querySelector('[data-chart="overview"]')`)
	figures := webtest.Eval[[]string](tb, `[...document.querySelectorAll('[data-chart="overview"] dd')].map((dd) => dd.textContent)`)
	// Minutes, days with practice, words that are kept, words that are mastered, and what was remembered.
	if len(figures) != 5 || figures[0] == "0 min" || figures[1] != "1" || figures[2] != words || figures[3] != "0" {
		t.Errorf("the figures are %q", figures)
	}
	if got := tb.Text(`[data-chart="streak"] h2`); got != "One day in a row" {
		t.Errorf("the streak reads %q", got)
	}
	if got := tb.Text(`[data-chart="errors"] li`); !strings.Contains(got, "Tense") {
		t.Errorf("the mistake is not among those of the time: %q", got)
	}
}
