package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"kalami/web/webtest"
)

// inSpanish has the page speak Spanish before it runs.
const inSpanish = `try { localStorage.setItem("kalami.page-language", "es"); } catch {}`

// correctionOf is a mistake as tutor.feedback tells it.
func correctionOf(id, original, corrected, explanation string) fields {
	return fields{"id": id, "original": original, "corrected": corrected, "start": 0, "end": len(original), "category": "verb_form",
		"severity": "major", "explanation": explanation}
}

// feedback tells what there is to say about an item.
func (l *line) feedback(item string, corrections ...fields) {
	l.send("tutor.feedback", fields{"item_id": item, "corrections": append([]fields{}, corrections...)})
}

// A learner who does not find words gets a hint, has the tutor's words translated and said
// again slowly; is corrected, keeps one correction and disputes the other; and says that a
// turn was misunderstood, by keyboard.
func TestHelpBesideTheTalk(t *testing.T) {
	for _, as := range []struct {
		name, hinted, dispute string
		browser               webtest.Browser
	}{
		{"desktop-light", "You could say:", "Noted, thank you", webtest.Browser{}},
		{"phone-dark-es", "Podrías decir:", "Anotado, gracias",
			webtest.Browser{Script: inSpanish, Width: 390, Height: 844, Mobile: true, Dark: true}},
	} {
		t.Run(as.name, func(t *testing.T) {
			again := reply{id: "r_2", item: "it_0b", stream: 2, text: greeting, frames: 25, repeats: "it_0"}
			s := newServer(t, func(l *line, _ int) {
				l.created()
				l.whole(reply{id: "r_1", item: "it_0", stream: 1, text: greeting, frames: 6})
				l.expect("tutor.hint")
				l.send("tutor.hint", fields{"text": "Say for how many people: “Una mesa para…”", "language": "en"})
				if asked := l.expect("tutor.translate"); asked["item_id"] != "it_0" {
					t.Errorf("to translate is %v", asked)
				}
				l.send("tutor.translation", fields{"item_id": "it_0", "source": greeting, "text": "Good afternoon, welcome! How can I help you?", "language": "en"})
				if asked := l.expect("tutor.repeat"); asked["slow"] != true {
					t.Errorf("to repeat is %v", asked)
				}
				l.whole(again)
				l.learner("it_1", tired)
				l.feedback("it_1",
					correctionOf("k1", "soy muy cansado", "estoy muy cansado", "How you feel now is said with estar."),
					correctionOf("k2", "Yo soy", "Soy", "The pronoun is mostly left out."))
				l.send("tutor.card.added", fields{"card": fields{"id": "c9", "kind": "produce", "front": "tired", "back": "cansado", "origin": "l1_word"}})
				edit := l.expect("tutor.transcript.edit")
				if edit["item_id"] != "it_1" || edit["text"] != "Hoy soy muy cansado." {
					t.Errorf("the edit is %v", edit)
				}
				l.feedback("it_1")
				l.send("conversation.item.done", fields{"item": fields{"id": "it_1", "role": "user", "status": "completed",
					"content": []fields{{"type": "input_audio", "text": "Hoy soy muy cansado."}}}})
				l.stay()
			})
			as.browser.Microphone = microphoneFile(t)
			tb := webtest.Open(t, as.browser, s.http.URL)
			tb.Open()
			tb.Click(`[data-action="start"]`)
			tb.WaitFor("the greeting", `document.querySelector('[data-item-id="it_0"][data-final="true"]')`)
			tb.Click(`[data-action="hint"]`)
			tb.WaitFor("the hint", `document.querySelector('[data-nudge="asked"] .nudge-words')?.textContent.includes("Una mesa para")`)
			if got := tb.Text(`[data-nudge="asked"]`); !strings.HasPrefix(got, as.hinted) {
				t.Errorf("the hint reads %q", got)
			}
			if lang := webtest.Eval[string](tb, `document.querySelector(".nudge-words").lang`); lang != "en" {
				t.Errorf("the hint is said to be in %q", lang)
			}
			tb.Focus(`[data-item-id="it_0"] [data-action="translate-item"]`)
			tb.Press(kb.Enter)
			tb.WaitFor("the translation", `document.querySelector('[data-item-id="it_0"] .translation:not([hidden])')?.textContent.startsWith("Good afternoon")`)
			tb.Screenshot("hint-" + as.name)
			tb.Click(`[data-action="translate"]`) // of the same words: hides it
			tb.WaitFor("no translation", `document.querySelector('[data-item-id="it_0"] .translation').hidden`)
			tb.Click(`[data-action="repeat"]`)
			tb.WaitFor("the repetition in the first bubble", `document.querySelector('[data-item-id="it_0"].repeated')`)
			tb.Screenshot("repeat-" + as.name)
			checkFeedback(t, tb, s, as.name, as.dispute)
			tb.CheckClean()
		})
	}
}

// checkFeedback follows the corrections of one turn until the learner edits it.
func checkFeedback(t *testing.T, tb *webtest.Tab, s *server, name, disputed string) {
	t.Helper()
	tb.WaitFor("the corrections", `document.querySelectorAll('[data-item-id="it_1"] [data-correction]').length === 2`)
	if got := webtest.Eval[int](tb, `document.querySelectorAll(".bubble:not([hidden])").length`); got != 2 {
		t.Errorf("%d bubbles are shown, want the greeting's, though it was said twice, and the learner's", got)
	}
	tb.WaitFor("the new card", `document.querySelector('[data-news="card"]')?.textContent.includes("cansado")`)
	tb.WaitFor("the words for a screen reader", `document.querySelector('[data-hook="announcer"]').textContent.includes("estoy muy cansado")`)
	tb.Click(`[data-correction="k1"] [data-action="keep"]`)
	tb.WaitFor("the kept correction", `document.querySelector('[data-correction="k1"] [data-kept]')`)
	tb.Click(`[data-correction="k2"] [data-action="dispute"]`)
	tb.WaitFor("the disputed correction", fmt.Sprintf(`document.querySelector('[data-correction="k2"] [data-action="dispute"]').textContent === %q`, disputed))
	tb.Screenshot("feedback-" + name)
	s.study.set(func() {
		if len(s.study.kept) != 1 || s.study.kept[0]["correction_id"] != "k1" || s.study.kept[0]["message_id"] != "m1" {
			t.Errorf("kept was %v", s.study.kept)
		}
		if len(s.study.disputed) != 1 || s.study.disputed[0] != "k2 disputed" {
			t.Errorf("disputed was %v", s.study.disputed)
		}
	})
	tb.Focus(`[data-item-id="it_1"] [data-action="edit"]`)
	tb.Press(kb.Enter)
	tb.WaitFor("the field", `document.activeElement.matches('.edit input')`)
	tb.Press(kb.Escape) // changes the learner's mind
	tb.WaitFor("the focus back on the button", `document.activeElement.dataset.action === "edit"`)
	tb.Press(kb.Enter)
	tb.Screenshot("edit-" + name)
	tb.Do("say it right", chromedp.SetValue(".edit input", "Hoy soy muy cansado."))
	tb.Press(kb.Enter)
	tb.WaitFor("the new text, stored", `document.querySelector('[data-item-id="it_1"][data-final="true"] .words')?.textContent === "Hoy soy muy cansado."`)
	if got := webtest.Eval[int](tb, `document.querySelectorAll('[data-correction]').length`); got != 0 {
		t.Errorf("%d corrections of what was not said are shown", got)
	}
	if wide := webtest.Eval[int](tb, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
		t.Errorf("the page is %d pixels wider than the window", wide)
	}
}

// Help that cannot be had is said in words of the page, once, and can be asked for again; what
// had no answer when the connection broke is asked again by the page.
func TestHelpIsRefusedOrLost(t *testing.T) {
	cut := make(cue)
	s := newServer(t, func(l *line, number int) {
		if number == 1 {
			l.resumable("kr_a")
			l.whole(reply{id: "r_1", item: "it_0", stream: 1, text: greeting, frames: 6})
			hint := l.expect("tutor.hint")
			l.send("error", fields{"error": fields{"type": "rate_limit_error", "code": "rate_limited", "event_id": hint["event_id"], "message": "Too many questions at once."}})
			hint = l.expect("tutor.hint")
			l.send("error", fields{"error": fields{"type": "upstream_error", "code": "llm_unavailable", "event_id": hint["event_id"], "message": "Nobody can answer."}})
			repeat := l.expect("tutor.repeat")
			l.send("error", fields{"error": fields{"type": "invalid_request_error", "code": "response_not_active", "event_id": repeat["event_id"], "message": "An answer comes."}})
			l.expect("tutor.translate")
			cut.inScript(l)
			l.cut()
			return
		}
		l.resumed("kr_b", nil)
		if asked := l.expect("tutor.translate"); asked["item_id"] != "it_0" {
			t.Errorf("asked again is %v", asked)
		}
		l.send("tutor.translation", fields{"item_id": "it_0", "source": greeting, "text": "Good afternoon!", "language": "en"})
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitFor("the greeting", `document.querySelector('[data-item-id="it_0"][data-final="true"]')`)
	tb.Click(`[data-action="hint"]`)
	tb.WaitFor("patience", `document.querySelector('[data-notice="help-busy"]')`)
	tb.Click(`[data-action="hint"]`)
	tb.WaitFor("the trouble", `document.querySelector('[data-notice="help-failed"]')`)
	tb.Screenshot("refused")
	tb.Click(`[data-action="repeat"]`)
	tb.WaitFor("that nothing is awaited", `!document.querySelector('.helps [aria-busy]')`)
	tb.Click(`[data-action="translate"]`)
	tb.WaitFor("the question", `document.querySelector('[data-action="translate"][aria-busy="true"]')`)
	cut.fromTest(t)
	tb.WaitFor("the translation", `document.querySelector('[data-item-id="it_0"] .translation:not([hidden])')?.textContent === "Good afternoon!"`)
	if got := webtest.Eval[int](tb, `document.querySelectorAll('[data-notice^="help"]').length`); got != 0 {
		t.Errorf("%d notices of trouble are left after help has come", got)
	}
	tb.CheckClean()
}
