package web_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"kalami/web/webtest"
)

// Everything that a lesson offers can be done without a mouse, on a phone's width, and
// reaches the server.
func TestControlsByKeyboard(t *testing.T) {
	long := reply{id: "r_1", item: "it_0", stream: 1, text: answer1, frames: 90}
	s := newServer(t, func(l *line, _ int) {
		l.created()
		l.expect("input_audio.state")
		stopped := make(chan struct{})
		l.begin(long)
		go func() {
			defer close(stopped)
			cancel := l.expect("response.cancel")
			if cancel["response_id"] != long.id {
				t.Errorf("response.cancel is %v", cancel)
			}
		}()
		l.speak(long, func() bool {
			select {
			case <-stopped:
				return true
			default:
				return false
			}
		})
		<-stopped
		l.send("output_audio_buffer.clear", fields{"response_id": long.id, "stream": long.stream, "reason": "client_cancelled"})
		cleared := l.expect("output_audio_buffer.cleared")
		l.send("conversation.item.truncated", fields{"item_id": long.item, "audio_end_ms": cleared["played_ms"], "transcript": heard1, "source": "client"})
		l.finish(long, "cancelled")
		if state := l.expect("input_audio.state"); state["muted"] != true {
			t.Errorf("after muting, input_audio.state is %v", state)
		}
		checkMuted(t, l)
		if state := l.expect("input_audio.state"); state["muted"] != false {
			t.Errorf("after unmuting, input_audio.state is %v", state)
		}
		if hold := l.expect("tutor.hold"); hold["ms"] != 15000.0 {
			t.Errorf("tutor.hold is %v", hold)
		}
		if set := l.expect("tutor.set"); set["patience_ms"] != 1900.0 {
			t.Errorf("tutor.set is %v", set)
		}
		// The answers to the first two steps come after the third was taken.
		for _, want := range []float64{0.85, 0.8, 0.75} {
			if set := l.expect("tutor.set"); set["speech_rate"] != want {
				t.Errorf("tutor.set is %v, want the rate %v", set, want)
			}
		}
		for _, rate := range []float64{0.85, 0.8} {
			l.updated(1900, rate)
		}
		if set := l.expect("tutor.set"); set["speech_rate"] != 0.7 {
			t.Errorf("after late answers tutor.set is %v, want one step on from the learner's own choice", set)
		}
		l.updated(1900, 0.75)
		l.updated(1900, 0.7)
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t), Width: 390, Height: 844, Mobile: true, Dark: true}, s.http.URL)
	tb.Open()
	tb.Screenshot("1-welcome")
	tb.Focus(`[data-action="start"]`)
	tb.Press(kb.Enter)
	tb.WaitState("speaking")
	tb.WaitFor("some words", `document.querySelectorAll('[data-item-id="it_0"] .word:not([hidden])').length > 6`)
	tb.Screenshot("2-speaking")
	tb.Press(kb.Escape)
	tb.WaitFor("the stopped tutor", `document.querySelector('[data-item-id="it_0"][data-truncated="true"]')`)
	tb.WaitState("listening")
	if focused := webtest.Eval[string](tb, `document.activeElement.id`); focused != "talk-button" {
		t.Errorf("the focus is on %q, want the talk button", focused)
	}
	tb.Press(" ") // mutes
	tb.WaitFor("being muted", `document.querySelector('[data-action="mute"]').getAttribute("aria-pressed") === "true"`)
	if word := tb.Text(`[data-hook="state"]`); word != "Muted" {
		t.Errorf("while muted the page says %q", word)
	}
	tb.Screenshot("3-muted")
	tb.WaitFor("some muted frames", `kalami.micFrames > 0`)
	muted := webtest.Eval[float64](tb, "kalami.micFrames")
	tb.WaitFor("silent frames", fmt.Sprintf("kalami.micFrames >= %v", muted+4))
	tb.Press(" ") // opens
	tb.Focus(`[data-action="hold"]`)
	tb.Press(kb.Enter)
	tb.Focus(`.settings summary`)
	tb.Press(" ")
	tb.Do("move the slider", chromedp.ScrollIntoView(chromedp.ID("patience")))
	tb.Focus(`#patience`)
	if got := webtest.Eval[float64](tb, `document.getElementById("patience").valueAsNumber`); got != 1800 {
		t.Errorf("patience is shown as %v, want the session's 1800", got)
	}
	tb.Press(kb.ArrowRight)
	tb.WaitFor("the new patience", `document.querySelector("output[for=patience]").innerText.startsWith("1.9")`)
	tb.Focus(`#rate`)
	for range 3 {
		tb.Press(kb.ArrowLeft)
	}
	tb.WaitFor("the answer to the second step", `kalami.speed === 0.8`)
	tb.Press(kb.ArrowLeft)
	tb.WaitFor("the answer to the last step", `kalami.speed === 0.7`)
	if got := webtest.Eval[float64](tb, `document.getElementById("rate").valueAsNumber`); got != 70 {
		t.Errorf("the speed is shown as %v, want the 70 that the learner chose", got)
	}
	tb.Screenshot("4-settings")
	if wide := webtest.Eval[float64](tb, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("the page is %v pixels wide on a phone of 390", wide)
	}
	tb.CheckClean()
}

// checkMuted waits for muted frames: empty, marked as silence, and in step with the clock.
func checkMuted(t *testing.T, l *line) {
	t.Helper()
	ok := l.until(func() bool {
		quiet := 0
		for _, f := range l.frames {
			if f.flags&8 != 0 {
				quiet++
			}
		}
		return quiet >= 3
	})
	if !ok {
		t.Error("no frames of silence came while muted")
		return
	}
	frames := l.received()
	for i, f := range frames {
		if i > 0 && f.flags&8 != 0 && frames[i-1].flags&8 != 0 && f.pos-frames[i-1].pos != 3200 {
			t.Errorf("silent frames are %d samples apart, want 3200", f.pos-frames[i-1].pos)
		}
		if f.flags&8 != 0 && f.samples != 0 {
			t.Errorf("a silent frame has %d samples", f.samples)
		}
	}
}
