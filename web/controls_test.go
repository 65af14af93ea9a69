package web_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
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
		l.stay()
	})
	tb := openTab(t, chromium{microphone: microphoneFile(t), width: 390, height: 844, mobile: true, dark: true}, s.http.URL)
	tb.open(s)
	tb.screenshot("1-welcome")
	tb.focus(`[data-action="start"]`)
	tb.press(kb.Enter)
	tb.waitState("speaking")
	tb.waitFor("some words", `document.querySelectorAll('[data-item-id="it_0"] .word:not([hidden])').length > 6`)
	tb.screenshot("2-speaking")
	tb.press(kb.Escape)
	tb.waitFor("the stopped tutor", `document.querySelector('[data-item-id="it_0"][data-truncated="true"]')`)
	tb.waitState("listening")
	if focused := eval[string](tb, `document.activeElement.id`); focused != "talk-button" {
		t.Errorf("the focus is on %q, want the talk button", focused)
	}
	tb.press(" ") // mutes
	tb.waitFor("being muted", `document.querySelector('[data-action="mute"]').getAttribute("aria-pressed") === "true"`)
	if word := tb.text(`[data-hook="state"]`); word != "Muted" {
		t.Errorf("while muted the page says %q", word)
	}
	tb.screenshot("3-muted")
	tb.waitFor("some muted frames", `kalami.micFrames > 0`)
	muted := eval[float64](tb, "kalami.micFrames")
	tb.waitFor("silent frames", fmt.Sprintf("kalami.micFrames >= %v", muted+4))
	tb.press(" ") // opens
	tb.focus(`[data-action="hold"]`)
	tb.press(kb.Enter)
	tb.focus(`.settings summary`)
	tb.press(" ")
	tb.do("move the slider", chromedp.ScrollIntoView(chromedp.ID("patience")))
	tb.focus(`#patience`)
	if got := eval[float64](tb, `document.getElementById("patience").valueAsNumber`); got != 1800 {
		t.Errorf("patience is shown as %v, want the session's 1800", got)
	}
	tb.press(kb.ArrowRight)
	tb.waitFor("the new patience", `document.querySelector("output[for=patience]").innerText.startsWith("1.9")`)
	tb.screenshot("4-settings")
	if wide := eval[float64](tb, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("the page is %v pixels wide on a phone of 390", wide)
	}
	tb.checkClean()
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
