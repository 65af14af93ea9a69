package web_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"kalami/web/webtest"
)

// Who refuses the microphone is told what to do, and talks as soon as it is done.
func TestMicrophoneRefused(t *testing.T) {
	s := newServer(t, func(l *line, _ int) {
		l.created()
		l.heardSpeech()
		l.learner("it_1", booking)
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t), Asks: true}, s.http.URL)
	tb.SetPermission(browser.PermissionSettingDenied)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitProblem("microphone-denied")
	tb.Screenshot("1-denied")
	if n := len(s.ticketRequests()); n != 0 {
		t.Errorf("%d tickets were asked for before the microphone was there", n)
	}
	tb.SetPermission(browser.PermissionSettingGranted)
	tb.Click(`[data-action="retry"]`)
	tb.WaitFor("the learner's words", `document.querySelector('[data-role="user"][data-acknowledged="true"]')`)
	tb.CheckClean()
}

// Who has no microphone may type instead.
func TestNoMicrophone(t *testing.T) {
	typed := reply{id: "r_1", item: "it_2", stream: 1, text: "¡Hola! ¿Cómo está usted?", frames: 10}
	s := newServer(t, func(l *line, _ int) {
		l.created()
		if state := l.expect("input_audio.state"); state["muted"] != true {
			t.Errorf("input_audio.state without a microphone is %v", state)
		}
		item, _ := l.expect("conversation.item.create")["item"].(map[string]any)
		content, _ := item["content"].([]any)
		if item["role"] != "user" || len(content) != 1 || content[0].(map[string]any)["text"] != "Buenos días" {
			t.Errorf("the typed message came as %v", item)
		}
		stored := fields{"id": "it_1", "role": "user", "content": []fields{{"type": "input_text", "text": "Buenos días"}}}
		l.send("conversation.item.done", fields{"item": stored})
		l.whole(typed)
		if n := len(l.received()); n != 0 {
			t.Errorf("%d microphone frames came without a microphone", n)
		}
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{}, s.http.URL)
	tb.SetPermission(browser.PermissionSettingGranted)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitProblem("microphone-absent")
	tb.Click(`[data-action="type"]`)
	tb.WaitState("listening")
	tb.Do("write", chromedp.SendKeys(chromedp.ID("message"), "Buenos días\r"))
	tb.WaitFor("the acknowledged message", `document.querySelector('[data-item-id="it_1"][data-acknowledged="true"]')`)
	tb.WaitFor("the whole answer", `document.querySelector('[data-item-id="it_2"][data-final="true"]')`)
	if got := webtest.Eval[int](tb, `document.querySelectorAll(".bubble:not([hidden])").length`); got != 2 {
		t.Errorf("%d bubbles are shown, want 2", got)
	}
	if got := tb.Text(`[data-item-id="it_2"] .words`); got != typed.text {
		t.Errorf("the answer reads %q", got)
	}
	tb.CheckClean()
}

// What the page says and offers for every way in which a conversation ends. What can be
// helped by a new session is tried five times, and then for the learner to decide.
func TestEndings(t *testing.T) {
	type ending struct {
		name    string
		code    int // 0: the connection is cut
		problem string
		action  string
		tickets int // that the page asked for by itself
	}
	endings := []ending{
		{"cut", 0, "connection-lost", "continue", 6},
		{"internal", 1011, "server", "continue", 6},
		{"overloaded", 1013, "busy", "retry", 6},
		{"ticket twice refused", 4401, "signed-out", "sign-in", 2},
		{"quota", 4402, "quota", "back", 1},
		{"forbidden", 4403, "forbidden", "back", 1},
		{"idle", 4408, "idle", "continue", 1},
		{"superseded", 4409, "superseded", "back", 1},
		{"rate limited", 4429, "busy", "retry", 1},
		{"unknown, stop", 4477, "refused", "back", 1},
		{"unknown, new ticket", 4277, "connection-lost", "continue", 6},
	}
	var next atomic.Pointer[ending]
	s := newServer(t, func(l *line, _ int) {
		e := next.Load()
		l.created()
		l.expect("input_audio.state")
		if e.code != 0 {
			l.closeWith(e.code, e.name)
		}
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t), Width: 360, Height: 740, Mobile: true, Dark: true}, s.http.URL)
	for _, e := range endings {
		next.Store(&e)
		before := len(s.ticketRequests())
		tb.Open()
		tb.Click(`[data-action="start"]`)
		tb.WaitProblem(e.problem)
		tb.WaitFor("the way on from "+e.name, `document.querySelector('.problem [data-action="`+e.action+`"]')`)
		if got := len(s.ticketRequests()) - before; got != e.tickets {
			t.Errorf("%s: %d tickets were asked for, want %d", e.name, got, e.tickets)
		}
		if e.name == "superseded" || e.name == "rate limited" {
			tb.Screenshot(e.name)
		}
	}
	tb.CheckClean()
}

// A session that cannot be taken up again is followed by a new one of the same
// conversation, by itself, and the captions stay.
func TestContinue(t *testing.T) {
	s := newServer(t, func(l *line, number int) {
		l.created() // without a token to come back with
		l.whole(reply{id: "r_1", item: "it_0", stream: 1, text: greeting, frames: 6})
		if number > 1 {
			l.stay()
		}
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitFor("both greetings, heard to their end", `document.querySelectorAll('[data-role="assistant"][data-final="true"]').length === 2`)
	if got := s.ticketRequests(); len(got) != 2 || got[0]["conversation_id"] != "" || got[1]["conversation_id"] != "c1" {
		t.Errorf("tickets asked for: %v", got)
	}
	tb.CheckClean()
}

// A tutor that has lost a part says which, and the lesson goes on.
func TestTutorPartMissing(t *testing.T) {
	s := newServer(t, func(l *line, _ int) {
		l.created()
		for _, code := range []string{"stt_unavailable", "llm_unavailable", "tts_unavailable"} {
			l.send("error", fields{"error": fields{"type": "upstream_error", "code": code, "message": code, "fatal": false}})
		}
		l.send("warning", fields{"code": "upstream_degraded", "message": "slow"})
		r := reply{id: "r_1", item: "it_0", stream: 1, text: greeting}
		l.begin(r)
		l.finish(r, "completed") // without a voice
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t), Width: 360, Height: 780, Mobile: true}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	for _, kind := range []string{"no-hearing", "no-thinking", "no-voice", "degraded"} {
		tb.WaitFor(kind, `document.querySelector('[data-notice="`+kind+`"]')`)
	}
	tb.WaitFor("the answer in writing", `document.querySelector('[data-item-id="it_0"] .words').innerText === "`+greeting+`"`)
	tb.WaitState("listening")
	tb.Screenshot("phone")
	tb.CheckClean()
}

// A full server says how long to wait, and the button counts it down.
func TestBusyServer(t *testing.T) {
	stopped := make(chan struct{})
	s := newServer(t, func(l *line, _ int) {
		l.created()
		<-stopped
	})
	s.refuseTicket = func(w http.ResponseWriter, number int) bool {
		if number > 1 {
			return false
		}
		w.Header().Set("Retry-After", "2")
		refuse(w, http.StatusServiceUnavailable, "Too many conversations")
		return true
	}
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitProblem("busy")
	tb.WaitFor("a button that waits", `/[12] s/.test(document.querySelector('[data-action="retry"]:disabled')?.innerText)`)
	tb.Click(`[data-action="retry"]`) // as soon as it lets us
	tb.WaitState("listening")
	close(stopped)
	s.http.Close()
	tb.WaitProblem("unreachable")
	tb.Screenshot("unreachable")
	tb.CheckClean()
}

// Signing up with an account, out, and in again with a wrong password first.
func TestAccount(t *testing.T) {
	s := newServer(t, func(l *line, _ int) { l.stay() })
	tb := webtest.Open(t, webtest.Browser{}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="account"]`)
	tb.Do("sign up", chromedp.SendKeys(chromedp.ID("email"), "ana@example.com"), chromedp.SendKeys(chromedp.ID("password"), "correct horse"))
	tb.Click(`[data-action="register"]`)
	tb.WaitFor("being signed in", `document.querySelector(".account").innerText.includes("ana@example.com")`)
	if got := webtest.Eval[bool](tb, `JSON.stringify(localStorage).includes("token")`); got {
		t.Error("an account's token was kept beyond the tab's life")
	}
	tb.Click(`[data-action="signout"]`)
	tb.Click(`[data-action="account"]`)
	tb.Do("a wrong password", chromedp.SendKeys(chromedp.ID("email"), "ana@example.com"), chromedp.SendKeys(chromedp.ID("password"), "wrong horse\r"))
	tb.WaitFor("a refusal", `document.querySelector(".form-error").innerText !== ""`)
	webtest.Eval[string](tb, `document.getElementById("password").value = ""`)
	tb.Do("the right one", chromedp.SendKeys(chromedp.ID("password"), "correct horse\r"))
	tb.WaitFor("being signed in", `document.querySelector(".account").innerText.includes("ana@example.com")`)
	tb.CheckClean()
}
