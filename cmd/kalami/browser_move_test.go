package main

import (
	"slices"
	"testing"
	"time"

	"kalami/providers/simulate"
	"kalami/session/learn"
	"kalami/web/webtest"
)

// A learner talks in the page while the node stops: the page moves to the next one, and the
// learner sees and hears nothing of it. Then that node is gone without a word: the page says
// so, comes back to a third one, and the lesson goes on; what was said is there once.
func TestBrowserChangesNodes(t *testing.T) {
	t.Parallel()
	b := sharing(t)[0]
	one, two, _ := twoNodes(t, b)
	front := newBalancer(t, one, two)
	way := newRoad(t, front.url())
	script := simulate.Scripts()["en"]
	tb := webtest.Open(t, webtest.Browser{Microphone: microphonePlaying(t, "en-session-3turns"), Script: tapScript}, way.url())
	tb.Open()
	tb.Click(`.languages .option:has([value="en"]) .face`)
	tb.Click(`.levels .option:has([value="B2"]) .face`)
	tb.Click(`[data-action="start"]`)

	tb.WaitFor("the first words", bubble("assistant", 1)+`?.querySelectorAll(".word:not([hidden])").length > 2`)
	began := time.Now()
	stopped := make(chan error, 1)
	go func() { stopped <- one.end() }()
	tb.WaitFor("the move", `kalami.connections === 2`)
	tb.Screenshot("1-moved")
	if err := <-stopped; err != nil {
		t.Errorf("the first node ended with %v", err)
	}
	t.Logf("the first node was empty after %v", time.Since(began).Round(time.Millisecond))
	answered(tb, 1, script.Opener)
	heard(tb, 1, script.Turns[0].Learner)
	if states := webtest.Eval[[]string](tb, "kalami.states"); slices.Contains(states, "reconnecting") {
		t.Errorf("the learner saw %v", states)
	}

	tb.WaitFor("the next answer", bubble("assistant", 2)+`?.querySelectorAll(".word:not([hidden])").length > 2`)
	front.bar(true)
	front.takeOut(two)
	front.add(openDemo(t, b, "REDIS_URL="+two.cfg.Storage.Redis.URL.Reveal()))
	way.cut()
	tb.WaitState("reconnecting")
	tb.Screenshot("2-the-node-is-gone")
	front.bar(false)
	tb.WaitFor("the return", `kalami.connections === 3`)
	answered(tb, 2, script.Turns[0].Tutor)
	tb.Screenshot("3-back-on-another-node")

	noted := readTap(tb)
	if n := noted.count("session.created") + noted.count("session.restarted"); n != 1 {
		t.Errorf("%d sessions were begun or begun anew, want 1", n)
	}
	shown := webtest.Eval[[]string](tb, `[...document.querySelectorAll(".bubble:not([hidden]) .words")].map((words) => words.innerText)`)
	if want := []string{script.Opener, script.Turns[0].Learner, script.Turns[0].Tutor}; len(shown) < 3 || !slices.Equal(shown[:3], want) {
		t.Errorf("the page shows %q, want %q", shown, want)
	}
	created := noted.Wire[noted.find("session.created", 0)].Event
	stored, err := two.db.RecentMessages(t.Context(), learn.PersonalTenant, created.Session.ConversationID, 100)
	if err != nil || len(stored) < 3 || stored[1].Content != script.Turns[0].Learner || stored[2].Heard != script.Turns[0].Tutor || stored[2].Interrupted {
		t.Errorf("stored are %d messages, %v", len(stored), err)
	}
	tb.CheckClean()
}
