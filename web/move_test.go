package web_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"kalami/web/webtest"
)

// The node that the page leaves closes its socket before the next one has answered, as a
// planned move mostly goes, has said something meanwhile, and has lost what was typed there:
// the learner sees no break, hears the next node's words under whatever numbers they come,
// and what was typed is stored once.
func TestMoveLeavesNoTrace(t *testing.T) {
	var first atomic.Pointer[line]
	var lost, again map[string]any
	typed := make(cue)
	s := newServer(t, func(l *line, number int) {
		if number == 1 {
			first.Store(l)
			l.resumable("kr_a")
			typed.inScript(l)
			lost, _ = l.expect("conversation.item.create")["item"].(map[string]any)
			l.send("session.goaway", fields{"reason": "deploy", "time_left_ms": 30000, "reconnect": fields{"resume": true, "after_ms": 50}})
			l.stay()
			return
		}
		l.until(func() bool { return len(l.events) > 0 })
		for range 3 {
			first.Load().send("session.updated", fields{"session": fields{"id": "vs_1"}})
		}
		first.Load().closeWith(4409, "superseded")
		time.Sleep(300 * time.Millisecond)
		l.resumed("kr_b", fields{"warm": false})
		again, _ = l.expect("conversation.item.create")["item"].(map[string]any)
		stored := fields{"id": again["id"], "role": "user", "content": []fields{{"type": "input_text", "text": "Buenos días"}}}
		l.send("conversation.item.added", fields{"item": stored})
		l.send("conversation.item.done", fields{"item": stored})
		l.whole(reply{id: "r_1", item: "it_0", stream: 1, text: greeting, frames: 6})
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitState("listening")
	typed.fromTest(t)
	tb.Do("write", chromedp.SendKeys(chromedp.ID("message"), "Buenos días\r"))
	tb.WaitFor("the greeting", `document.querySelector('[data-item-id="it_0"][data-final="true"]')`)
	tb.Screenshot("moved")
	if k := webtest.Eval[diagnostics](tb, "kalami"); slices.Contains(k.States, "reconnecting") {
		t.Errorf("the learner saw %v", k.States)
	}
	if lost["id"] != again["id"] || lost["id"] == nil || lost["id"] == "" {
		t.Errorf("what was typed came as %v, and again as %v", lost, again)
	}
	if n := webtest.Eval[int](tb, `document.querySelectorAll('.bubble[data-role="user"]:not([hidden])').length`); n != 1 {
		t.Errorf("%d lines of the learner's are shown, want 1", n)
	}
	tb.CheckClean()
}

// The page gives an attempt to come back up whose answer was lost on the way, and with which
// the server goes on: that one supersedes the socket which the page still has. It is no other
// device, and the lesson goes on with the token that the attempt has shown.
func TestSupersededByItself(t *testing.T) {
	var first atomic.Pointer[line]
	s := newServer(t, func(l *line, number int) {
		switch number {
		case 1:
			first.Store(l)
			l.resumable("kr_a")
			l.send("session.goaway", fields{"reason": "deploy", "time_left_ms": 30000, "reconnect": fields{"resume": true, "after_ms": 50}})
			l.stay()
		case 2:
			l.expect("session.resume")
			l.cut() // after the server has taken the token, and before its answer
			time.Sleep(100 * time.Millisecond)
			first.Load().closeWith(4409, "superseded")
		default:
			l.resumed("kr_b", fields{"warm": true})
			l.whole(reply{id: "r_1", item: "it_0", stream: 1, text: greeting, frames: 6})
			l.stay()
		}
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitFor("the greeting", `document.querySelector('[data-item-id="it_0"][data-final="true"]')`)
	for n := 2; n <= 3; n++ {
		if got := s.credential(n); got != "kr_a" {
			t.Errorf("socket %d was opened with %q", n, got)
		}
	}
	tb.CheckClean()
}
