package web_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"kalami/web/webtest"
)

// assessed are the routes of pronunciation: a recogniser that misses a word, takes one for
// another, and hears one more.
func (s *study) assessed(mux *http.ServeMux) {
	caveat := "Based on how clearly a recogniser understood you, not on the sounds themselves."
	mux.HandleFunc("GET /pronunciation/drills", s.answer(func(r *http.Request, _ fields) (int, any) {
		return http.StatusOK, []fields{{"text": "¿Quieres el café con leche?", "language": r.URL.Query().Get("language"), "targets": []string{"leche"}, "source": "tutor"}}
	}))
	mux.HandleFunc("GET /pronunciation/problem-sounds", s.answer(func(*http.Request, fields) (int, any) {
		return http.StatusOK, fields{"items": []fields{{"kind": "word", "value": "leche", "language": "es"}}, "caveat": caveat}
	}))
	mux.HandleFunc("GET /me/consents", s.answer(func(*http.Request, fields) (int, any) {
		return http.StatusOK, []fields{{"purpose": "pronunciation_provider", "granted": false}, {"purpose": "pronunciation_provider", "granted": true}}
	}))
	mux.HandleFunc("POST /me/consents", s.answer(func(_ *http.Request, in fields) (int, any) {
		s.agreed = append(s.agreed, fmt.Sprint(in["purpose"], " ", in["granted"], " ", in["text_version"] != ""))
		return http.StatusCreated, in
	}))
	mux.HandleFunc("POST /pronunciation/assess", func(w http.ResponseWriter, r *http.Request) {
		file, _, err := r.FormFile("audio")
		if err != nil {
			refuse(w, http.StatusUnprocessableEntity, err.Error())
			return
		}
		defer file.Close()
		head := make([]byte, 44)
		rest, err := io.ReadAll(file)
		if err != nil || copy(head, rest) < 44 {
			refuse(w, http.StatusUnprocessableEntity, "no recording")
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.readings = append(s.readings, fmt.Sprint(r.FormValue("language"), " ", r.FormValue("reference_text"), " ", string(head[:4]), " ", len(rest) > 16000))
		said := func(word string, heard any, status string, place any) fields {
			return fields{"word": word, "heard": heard, "status": status, "ref_index": place, "recognition": 90}
		}
		answer(w, http.StatusOK, fields{
			"words": []fields{said("Quieres", "quieres", "match", 0), said("el", nil, "omission", 1), said("café", "cafés", "substitution", 2),
				said("con", "con", "match", 3), said("con", "con", "repetition", nil), said("leche", "leche", "match", 4)},
			"scores": fields{"accuracy": nil, "completeness": 60, "recognition": 90}, "fluency": fields{"words_per_minute": 92.4, "pauses": fields{"count": 2}},
			"suggestions": []fields{{"text": "Say “café” again, slowly.", "language": "en"}}, "caveat": caveat,
		})
	})
}

// A learner practises a sentence with a word that was hard to understand, and one of their
// own, and sees word by word what a recogniser understood.
func TestPractiseSaying(t *testing.T) {
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
			as.browser.Microphone = microphoneFile(t)
			tb := webtest.Open(t, as.browser, s.http.URL)
			tb.Open()
			tb.Click(`[data-action="review"]`)
			tb.Click(`[data-action="practise-saying"]`)
			tb.WaitFor("a sentence", `document.querySelectorAll("[data-drill]").length === 1`)
			read := func(sentence string) {
				t.Helper()
				at := `[data-drill="` + sentence + `"] `
				tb.Click(at + `[data-action="say"]`)
				tb.WaitFor("the recording", `Number(document.querySelector('`+at+`[data-action="say"]').style.getPropertyValue("--level")) > 0.05`)
				tb.Screenshot("recording-" + as.name)
				tb.Click(at + `[data-action="say"]`)
				tb.WaitFor("the words", `document.querySelectorAll('`+at+`.said-word').length === 6`)
			}
			read("¿Quieres el café con leche?")
			if got := webtest.Eval[string](tb, `[...document.querySelectorAll(".said-word")].map((w) => w.dataset.status).join(" ")`); got != "match omission substitution match repetition match" {
				t.Errorf("the words are %s", got)
			}
			if got := tb.Text(".said-again"); !strings.Contains(got, "3") || !strings.Contains(got, "5") || !strings.Contains(got, "not on the sounds") {
				t.Errorf("what is said of the reading is %q", got)
			}
			tb.Screenshot("said-" + as.name)
			tb.Do("a sentence of one's own", chromedp.SetValue("#practice-own", "Me gusta el té."))
			tb.Click(`[data-action="practise"]`)
			read("Me gusta el té.")
			s.study.set(func() {
				want := []string{"es ¿Quieres el café con leche? RIFF true", "es Me gusta el té. RIFF true"}
				if fmt.Sprint(s.study.readings) != fmt.Sprint(want) {
					t.Errorf("sent was %q, want %q", s.study.readings, want)
				}
			})
			if webtest.Eval[bool](tb, `document.getElementById("practice-consent").checked`) {
				t.Error("what was taken back is shown as agreed to")
			}
			tb.Click("#practice-consent")
			eventually(t, "the consent", func() bool { return len(s.study.consents()) == 1 })
			if got := s.study.consents()[0]; got != "pronunciation_provider true true" {
				t.Errorf("agreed to was %q", got)
			}
			tb.Screenshot("consent-" + as.name)
			if wide := webtest.Eval[int](tb, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
				t.Errorf("the page is %d pixels wider than the window", wide)
			}
			tb.CheckClean()
		})
	}
}

// consents are what the learner has said of them, in order.
func (s *study) consents() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.agreed)
}
