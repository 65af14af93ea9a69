package web_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// setPermission answers the browser's question for the microphone.
func (tb *tab) setPermission(setting browser.PermissionSetting) {
	tb.t.Helper()
	ctx, cancel := tb.within()
	defer cancel()
	_, err := chromedp.CallBrowser(ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "microphone"}, Setting: setting,
	})
	if err != nil {
		tb.fail("set permission: %v", err)
	}
}

// Who refuses the microphone is told what to do, and talks as soon as it is done.
func TestMicrophoneRefused(t *testing.T) {
	s := newServer(t, func(l *line, _ int) {
		l.created()
		l.heardSpeech()
		l.learner("it_1", booking)
		l.stay()
	})
	tb := openTab(t, chromium{microphone: microphoneFile(t), asks: true}, s.http.URL)
	tb.setPermission(browser.PermissionSettingDenied)
	tb.open(s)
	tb.click(`[data-action="start"]`)
	tb.waitProblem("microphone-denied")
	tb.screenshot("1-denied")
	if n := len(s.ticketRequests()); n != 0 {
		t.Errorf("%d tickets were asked for before the microphone was there", n)
	}
	tb.setPermission(browser.PermissionSettingGranted)
	tb.click(`[data-action="retry"]`)
	tb.waitFor("the learner's words", `document.querySelector('[data-role="user"][data-acknowledged="true"]')`)
	tb.checkClean()
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
	tb := openTab(t, chromium{}, s.http.URL)
	tb.setPermission(browser.PermissionSettingGranted)
	tb.open(s)
	tb.click(`[data-action="start"]`)
	tb.waitProblem("microphone-absent")
	tb.click(`[data-action="type"]`)
	tb.waitState("listening")
	tb.do("write", chromedp.SendKeys(chromedp.ID("message"), "Buenos días\r"))
	tb.waitFor("the acknowledged message", `document.querySelector('[data-item-id="it_1"][data-acknowledged="true"]')`)
	tb.waitFor("the whole answer", `document.querySelector('[data-item-id="it_2"][data-final="true"]')`)
	if got := eval[int](tb, `document.querySelectorAll(".bubble:not([hidden])").length`); got != 2 {
		t.Errorf("%d bubbles are shown, want 2", got)
	}
	if got := tb.text(`[data-item-id="it_2"] .words`); got != typed.text {
		t.Errorf("the answer reads %q", got)
	}
	tb.checkClean()
}

// What the page says and offers for every way in which a conversation ends.
func TestEndings(t *testing.T) {
	type ending struct {
		name    string
		code    int // 0: the connection is cut
		problem string
		action  string
		tickets int // that the page asked for by itself
	}
	endings := []ending{
		{"cut", 0, "connection-lost", "continue", 1},
		{"internal", 1011, "server", "continue", 1},
		{"overloaded", 1013, "busy", "retry", 1},
		{"ticket twice refused", 4401, "signed-out", "sign-in", 2},
		{"quota", 4402, "quota", "back", 1},
		{"forbidden", 4403, "forbidden", "back", 1},
		{"idle", 4408, "idle", "continue", 1},
		{"superseded", 4409, "superseded", "back", 1},
		{"rate limited", 4429, "busy", "retry", 1},
		{"unknown, stop", 4477, "refused", "back", 1},
		{"unknown, new ticket", 4277, "connection-lost", "continue", 1},
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
	tb := openTab(t, chromium{microphone: microphoneFile(t), width: 360, height: 740, mobile: true, dark: true}, s.http.URL)
	for _, e := range endings {
		next.Store(&e)
		before := len(s.ticketRequests())
		tb.open(s)
		tb.click(`[data-action="start"]`)
		tb.waitProblem(e.problem)
		tb.waitFor("the way on from "+e.name, `document.querySelector('.problem [data-action="`+e.action+`"]')`)
		if got := len(s.ticketRequests()) - before; got != e.tickets {
			t.Errorf("%s: %d tickets were asked for, want %d", e.name, got, e.tickets)
		}
		if e.name == "superseded" || e.name == "rate limited" {
			tb.screenshot(e.name)
		}
	}
	tb.checkClean()
}

// After a lost connection "Continue" asks for a ticket for the same conversation, and
// the captions stay.
func TestContinue(t *testing.T) {
	s := newServer(t, func(l *line, number int) {
		l.created()
		l.whole(reply{id: "r_1", item: "it_0", stream: 1, text: greeting, frames: 6})
		if number > 1 {
			l.stay()
		}
	})
	tb := openTab(t, chromium{microphone: microphoneFile(t)}, s.http.URL)
	tb.open(s)
	tb.click(`[data-action="start"]`)
	tb.waitProblem("connection-lost")
	tb.press("\r") // the way on has the focus
	tb.waitFor("both greetings, heard to their end", `document.querySelectorAll('[data-role="assistant"][data-final="true"]').length === 2`)
	if got := s.ticketRequests(); len(got) != 2 || got[0]["conversation_id"] != "" || got[1]["conversation_id"] != "c1" {
		t.Errorf("tickets asked for: %v", got)
	}
	tb.checkClean()
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
	tb := openTab(t, chromium{microphone: microphoneFile(t), width: 360, height: 780, mobile: true}, s.http.URL)
	tb.open(s)
	tb.click(`[data-action="start"]`)
	for _, kind := range []string{"no-hearing", "no-thinking", "no-voice", "degraded"} {
		tb.waitFor(kind, `document.querySelector('[data-notice="`+kind+`"]')`)
	}
	tb.waitFor("the answer in writing", `document.querySelector('[data-item-id="it_0"] .words').innerText === "`+greeting+`"`)
	tb.waitState("listening")
	tb.screenshot("phone")
	tb.checkClean()
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
	tb := openTab(t, chromium{microphone: microphoneFile(t)}, s.http.URL)
	tb.open(s)
	tb.click(`[data-action="start"]`)
	tb.waitProblem("busy")
	tb.waitFor("a button that waits", `/[12] s/.test(document.querySelector('[data-action="retry"]:disabled')?.innerText)`)
	tb.click(`[data-action="retry"]`) // as soon as it lets us
	tb.waitState("listening")
	close(stopped)
	s.http.Close()
	tb.waitProblem("connection-lost")
	tb.click(`[data-action="continue"]`)
	tb.waitProblem("unreachable")
	tb.checkClean()
}

// Signing up with an account, out, and in again with a wrong password first.
func TestAccount(t *testing.T) {
	s := newServer(t, func(l *line, _ int) { l.stay() })
	tb := openTab(t, chromium{}, s.http.URL)
	tb.open(s)
	tb.click(`[data-action="account"]`)
	tb.do("sign up", chromedp.SendKeys(chromedp.ID("email"), "ana@example.com"), chromedp.SendKeys(chromedp.ID("password"), "correct horse"))
	tb.click(`[data-action="register"]`)
	tb.waitFor("being signed in", `document.querySelector(".account").innerText.includes("ana@example.com")`)
	if got := eval[bool](tb, `JSON.stringify(localStorage).includes("token")`); got {
		t.Error("an account's token was kept beyond the tab's life")
	}
	tb.click(`[data-action="signout"]`)
	tb.click(`[data-action="account"]`)
	tb.do("a wrong password", chromedp.SendKeys(chromedp.ID("email"), "ana@example.com"), chromedp.SendKeys(chromedp.ID("password"), "wrong horse\r"))
	tb.waitFor("a refusal", `document.querySelector(".form-error").innerText !== ""`)
	eval[string](tb, `document.getElementById("password").value = ""`)
	tb.do("the right one", chromedp.SendKeys(chromedp.ID("password"), "correct horse\r"))
	tb.waitFor("being signed in", `document.querySelector(".account").innerText.includes("ana@example.com")`)
	tb.checkClean()
}
