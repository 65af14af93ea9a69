package web_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"kalami/web/webtest"
)

// An access token that ends is renewed, once for all requests that need it, and the page
// keeps the refresh token that comes with the new one. In a lesson the server is shown a
// fresh one when it asks.
func TestSignInIsRenewed(t *testing.T) {
	shown := make(chan string, 1)
	s := newServer(t, func(l *line, _ int) {
		l.created()
		l.send("auth.expiring", fields{"expires_at": "2026-01-01T00:00:00Z"})
		token, _ := l.expect("auth.update")["access_token"].(string)
		shown <- token
		l.stay()
	})
	s.shortLived = true
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitState("listening")
	if got := <-shown; got != "guest-token" {
		t.Errorf("auth.update has %q", got)
	}
	s.mu.Lock()
	renewals := append([]string(nil), s.renewals...)
	s.mu.Unlock()
	if len(renewals) != 2 || renewals[0] != "kf_1" || renewals[1] != "kf_2" {
		t.Errorf("refresh tokens shown: %q, want the guest's and the one after it", renewals)
	}
	if got := webtest.Eval[bool](tb, `localStorage.getItem("kalami.identity").includes('"refresh":"kf_2"')`); !got {
		t.Error("the new refresh token was not kept")
	}
	tb.CheckClean()
}

// The links in mails lead to the page, which does what they ask for and takes the token
// out of the address.
func TestMailLinks(t *testing.T) {
	s := newServer(t, func(l *line, _ int) { l.stay() })
	tb := webtest.Open(t, webtest.Browser{}, s.http.URL)
	tb.Open()
	webtest.Eval[string](tb, `location.hash = "#verify=km_verify"`)
	tb.WaitFor("the thanks", `document.querySelector('[data-hook="mail-message"]')?.innerText.includes("Thank you")`)
	tb.Click(`[data-action="mail-go"]`)
	tb.WaitFor("the form to log in", `document.getElementById("email")`)
	webtest.Eval[string](tb, `location.hash = "#reset=km_reset"`)
	tb.WaitFor("the form", `document.getElementById("new-password")`)
	tb.Do("a password", chromedp.SendKeys(chromedp.ID("new-password"), "correct horse"))
	tb.Click(`[data-action="mail-save"]`)
	tb.WaitFor("the news", `document.querySelector('[data-hook="mail-message"]').innerText.includes("new password is set")`)
	if got := webtest.Eval[string](tb, `location.href`); got != s.http.URL+"/" {
		t.Errorf("the address is %s", got)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.links) != 2 || s.links[0]["token"] != "km_verify" || s.links[1]["token"] != "km_reset" || s.links[1]["new_password"] != "correct horse" {
		t.Errorf("the server was asked for %v", s.links)
	}
	tb.CheckClean()
}
