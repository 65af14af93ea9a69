package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"kalami/web/webtest"
)

// A learner looks through their words, finds one, puts it right, pauses it, adds another, and
// deletes one after having been asked.
func TestVocabulary(t *testing.T) {
	for _, as := range []struct {
		name    string
		browser webtest.Browser
	}{
		{"desktop-light", webtest.Browser{Script: asGuest}},
		{"phone-dark-es", webtest.Browser{Script: asGuest + inSpanish, Width: 390, Height: 844, Mobile: true, Dark: true}},
	} {
		t.Run(as.name, func(t *testing.T) {
			s := newServer(t, nil)
			s.profile = map[string]string{"id": "p1", "target_language": "es", "cefr_level": "A2"}
			known := word("w1", "produce", "the hosue", "la casa")
			known["state"], known["due_at"], known["context"], known["tags"] = "review", "2126-03-20T05:06:07Z", "La casa es azul.", []string{"home"}
			often := word("w3", "fix", "Ayer yo fue al mercado.", "Ayer yo fui al mercado.")
			often["state"], often["due_at"], often["leech"] = "relearning", "2026-03-20T05:06:07Z", true
			s.study.words = []fields{known, word("w2", "recognise", "el mercado", "the market"), often}
			for i := range 60 {
				s.study.words = append(s.study.words, word(fmt.Sprint("n", i), "produce", fmt.Sprint("number ", i), fmt.Sprint("número ", i)))
			}
			tb := webtest.Open(t, as.browser, s.http.URL)
			tb.Open()
			tb.Click(`[data-action="words"]`)
			tb.WaitFor("the first page", `document.querySelectorAll(".kept").length === 50`)
			tb.Screenshot("words-" + as.name)
			tb.Click(`[data-action="more"]`)
			tb.WaitFor("the rest", `document.querySelectorAll(".kept").length === 63 && document.querySelector('[data-action="more"]').hidden`)
			if at := webtest.Eval[string](tb, `document.activeElement.closest("[data-card]")?.dataset.card ?? ""`); at != "n47" {
				t.Errorf("the focus is on card %q, want the first one that came", at)
			}
			tb.Do("look for a word", chromedp.SendKeys(chromedp.ID("words-search"), "CASA"))
			tb.WaitFor("the word", `document.querySelectorAll(".kept").length === 1 && document.querySelector('[data-card="w1"]')`)
			checkWord(t, tb, s, as.name)
			checkNewWord(t, tb, s, as.name)
			if wide := webtest.Eval[int](tb, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
				t.Errorf("the page is %d pixels wider than the window", wide)
			}
			tb.CheckClean()
		})
	}
}

// checkWord changes a card, pauses it, and deletes it, by keyboard.
func checkWord(t *testing.T, tb *webtest.Tab, s *server, name string) {
	t.Helper()
	tb.Focus(`[data-card="w1"] [data-action="card-edit"]`)
	tb.Press(kb.Enter)
	tb.WaitFor("the field", `document.activeElement.name === "front" && document.activeElement.value === "the hosue"`)
	tb.Screenshot("change-" + name)
	tb.Do("put it right", chromedp.SetValue(`.kept [name="front"]`, "the house"))
	tb.Press(kb.Enter)
	tb.WaitFor("the change", `document.querySelector('[data-card="w1"] .words')?.textContent.includes("the house") && document.activeElement.dataset.action === "card-edit"`)
	tb.Focus(`[data-card="w1"] [data-action="card-suspend"]`)
	tb.Press(kb.Enter)
	tb.WaitFor("the pause", `document.querySelector('[data-card="w1"][data-state="suspended"]') && document.activeElement.dataset.action === "card-suspend"`)
	s.study.set(func() {
		if w := s.study.words[0]; w["front"] != "the house" || w["suspended"] != true || w["context"] != "La casa es azul." {
			t.Errorf("the server has %v", w)
		}
	})
	webtest.Eval[string](tb, `document.querySelector(".kept").dataset.before = ""`)
	tb.Do("only what is paused", chromedp.SetValue("#words-only", "suspended"))
	webtest.Eval[bool](tb, `document.querySelector("#words-only").dispatchEvent(new Event("change"))`)
	tb.WaitFor("the paused word, from the server", `document.querySelectorAll(".kept").length === 1 && !document.querySelector(".kept[data-before]")`)
	tb.Focus(`[data-card="w1"] [data-action="card-delete"]`)
	tb.Press(kb.Enter)
	tb.WaitFor("the question", `document.activeElement.dataset.action === "card-keep"`)
	tb.Screenshot("delete-" + name)
	tb.Press(kb.Enter) // no
	tb.WaitFor("the word again", `document.activeElement.dataset.action === "card-delete"`)
	tb.Press(kb.Enter)
	for _, action := range []string{"restore", ""} { // taken back once
		tb.Click(`[data-action="card-delete-yes"]`)
		tb.WaitFor("that it is gone", `document.querySelectorAll(".kept").length === 0 && document.activeElement.dataset.action === "restore"`)
		if action == "" {
			break
		}
		tb.Press(kb.Enter)
		tb.WaitFor("the word back", `document.querySelectorAll(".kept").length === 1`)
		tb.Click(`[data-card="w1"] [data-action="card-delete"]`)
	}
	s.study.set(func() {
		if len(s.study.words) != 62 || s.study.words[0]["id"] != "w2" {
			t.Errorf("the server has %d words, and first %v", len(s.study.words), s.study.words[0])
		}
	})
}

// checkNewWord adds a word, and the same once more.
func checkNewWord(t *testing.T, tb *webtest.Tab, s *server, name string) {
	t.Helper()
	tb.Click(`[data-action="card-new"]`)
	add := func(front, back, label string) {
		t.Helper()
		tb.Do("write a card", chromedp.SetValue(`.writing [name="front"]`, front), chromedp.SetValue(`.writing [name="back"]`, back),
			chromedp.SetValue(`.writing [name="tags"]`, label))
		tb.Screenshot("new-" + name)
		tb.Click(`.writing [data-action="card-save"]`)
		tb.WaitFor("what came of it", `document.querySelector('.writing [role="status"]').textContent !== "" && !document.querySelector('.writing [data-action="card-save"]').disabled`)
	}
	add("the street", "la calle", "town, walk")
	first := tb.Text(`.writing [role="status"]`)
	add("street", "la calle", "again")
	if again := tb.Text(`.writing [role="status"]`); again == first || !strings.HasSuffix(again, ".") {
		t.Errorf("a word that was there is told as %q, a new one as %q", again, first)
	}
	s.study.set(func() {
		if w := s.study.words[0]; len(s.study.words) != 63 || w["back"] != "la calle" || w["profile_id"] != "p1" || fmt.Sprint(w["tags"]) != "[town walk]" {
			t.Errorf("the server has %d words, and first %v", len(s.study.words), w)
		}
	})
	if got := webtest.Eval[int](tb, `document.querySelectorAll(".kept").length`); got != 1 {
		t.Errorf("%d words are shown, want the new one once", got)
	}
	tb.Press(kb.Escape)
	tb.WaitFor("the form is closed", `document.querySelector(".writing").hidden && document.activeElement.dataset.action === "card-new"`)
}

// keepsFiles notes what the page hands to the browser to be saved.
const keepsFiles = `window.files = [];
const made = new Map(), make = URL.createObjectURL;
URL.createObjectURL = (blob) => { const url = make(blob); made.set(url, blob); return url; };
HTMLAnchorElement.prototype.click = function () { made.get(this.href).text().then((text) => files.push(this.download + ": " + text)); };`

// A learner takes the words along as a file, and brings some from one; a file that is broken is
// refused with the line.
func TestVocabularyFiles(t *testing.T) {
	s := newServer(t, nil)
	s.profile = map[string]string{"id": "p1", "target_language": "es", "cefr_level": "A2"}
	s.study.words = []fields{word("w1", "produce", "the house", "la casa")}
	tb := webtest.Open(t, webtest.Browser{Script: asGuest + keepsFiles, Width: 390, Height: 844, Mobile: true}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="words"]`)
	tb.Click(`.files summary`)
	tb.Click(`[data-format="csv"]`)
	tb.WaitFor("the file", `files.length === 1`)
	if got := webtest.Eval[string](tb, `files[0]`); got != "kalami-cards.csv: front,back\nthe house,la casa\n" {
		t.Errorf("saved is %q", got)
	}
	bring := func(text string) {
		t.Helper()
		webtest.Eval[bool](tb, fmt.Sprintf(`(() => {
			const files = new DataTransfer();
			files.items.add(new File([%q], "words.csv"));
			const field = document.getElementById("import-file");
			field.files = files.files;
			return true;
		})()`, text))
		tb.Click(`[data-action="import"]`)
	}
	bring("front,back\nonly one\n")
	tb.WaitFor("what is wrong", `document.querySelector('.files [role="alert"]').textContent.includes("Line 2")`)
	tb.Screenshot("broken")
	bring("front,back\nstreet,la calle\nbridge,el puente\n")
	tb.WaitFor("what came", `document.querySelector('[data-hook="files-status"]').textContent === "2 words read, 2 of them new."`)
	tb.WaitFor("the list", `document.querySelectorAll(".kept").length === 3`)
	tb.Screenshot("imported")
	tb.CheckClean()
}
