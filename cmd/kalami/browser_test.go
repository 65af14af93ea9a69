package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"kalami/providers/simulate"
	"kalami/session/learn"
	"kalami/web/webtest"
)

// A guest talks with the demo tutor in a real browser, three turns from a recording
// with ten seconds between them: is heard, hears both answers, finds the tutor too
// fast, slows it down, and speaks over its second answer, which stops at once. What
// was heard of it stands in the bubble and, to the word, in the database.
//
// The recording runs in real time from the first press of the button (speech at 10.0
// to 13.2 s, 23.4 to 26.7 s, 36.7 to 40.0 s), so the tutor's second answer must last
// beyond the 37th second: at 70 % it begins near the 29th and would end near the 41st.
func TestBrowser(t *testing.T) {
	t.Parallel()
	h := openDemo(t, backends()[0])
	script := simulate.Scripts()["en"]
	tb := webtest.Open(t, webtest.Browser{Microphone: microphonePlaying(t, "en-session-3turns"), Script: tapScript}, h.url())
	tb.Open()
	tb.Click(`.languages .option:has([value="en"]) .face`)
	tb.Click(`.levels .option:has([value="B2"]) .face`)
	tb.Screenshot("1-welcome")
	tb.Click(`[data-action="start"]`)

	answered(tb, 1, script.Opener)
	heard(tb, 1, script.Turns[0].Learner)
	answered(tb, 2, script.Turns[0].Tutor)
	slowDown(tb, 6)
	heard(tb, 2, script.Turns[1].Learner)
	watchTutorSpeak(tb)
	whole := script.Turns[1].Tutor
	cut := interrupted(tb, 3, whole)
	heard(tb, 3, script.Turns[2].Learner)
	tb.WaitFor("the first words of the last answer", bubble("assistant", 4)+`?.querySelectorAll(".word:not([hidden])").length > 3`)
	tb.Screenshot("6-again")
	answered(tb, 4, script.Turns[2].Tutor)
	tb.WaitFor("everything stored", `tap.wire.filter(({ event }) => event?.type === "conversation.item.done").length === 7`)
	checkLatencies(t, tb)

	noted := readTap(tb)
	checkSilencing(t, noted, webtest.Eval[playback](tb, "kalami"))
	tb.Click(`[data-action="end"]`)
	tb.WaitFor("the summary", `document.querySelector('[data-view="summary"]')`)
	tb.Screenshot("8-summary")
	tb.CheckClean()
	for _, refused := range tb.Refused() {
		t.Errorf("a request failed: %s", refused)
	}

	created := noted.Wire[noted.find("session.created", 0)].Event
	stored := checkStored(t, h, created.Session.ConversationID, 7)
	if t.Failed() {
		return
	}
	if m := stored[4]; m.Speaker != learn.SpeakerTutor || !m.Interrupted || m.Content != whole || strings.TrimSpace(m.Heard) != cut {
		t.Errorf("the interrupted answer is stored as %q, of which was heard %q; the page shows %q", m.Content, m.Heard, cut)
	}
}

// bubble is JavaScript for the nth bubble of a side, from 1.
func bubble(role string, n int) string {
	return fmt.Sprintf(`document.querySelectorAll('.bubble[data-role=%q]')[%d]`, role, n-1)
}

// heard waits until the learner's nth turn is stored, and compares its caption.
func heard(tb *webtest.Tab, n int, want string) {
	b := bubble("user", n)
	tb.WaitFor(fmt.Sprintf("the learner's turn %d", n), b+`?.dataset.acknowledged === "true"`)
	if got := webtest.Eval[string](tb, b+`.querySelector(".words").innerText`); got != want {
		tb.Fail("turn %d is captioned %q, want %q", n, got, want)
	}
}

// answered waits until the tutor's nth answer was heard to its end, and compares its caption.
func answered(tb *webtest.Tab, n int, want string) {
	b := bubble("assistant", n)
	tb.WaitFor(fmt.Sprintf("the tutor's answer %d", n), b+`?.dataset.final === "true"`)
	got := webtest.Eval[string](tb, b+`.querySelector(".words").innerText`)
	if cut := webtest.Eval[string](tb, b+`.dataset.truncated`); got != want || cut != "false" {
		tb.Fail("answer %d is captioned %q (cut: %s), want %q", n, got, cut, want)
	}
}

// slowDown makes the tutor speak slower, by steps of 5 %, with the keyboard.
func slowDown(tb *webtest.Tab, steps int) {
	tb.Focus(`.settings summary`)
	tb.Press(" ")
	tb.Focus(`#rate`)
	for range steps {
		tb.Press(kb.ArrowLeft)
	}
	tb.WaitFor("the tutor's new pace", `tap.wire.some(({ event }) => event?.type === "session.updated" && event.session.audio.output.speed === 0.7)`)
	tb.Screenshot("2-settings")
	tb.Focus(`.settings summary`)
	tb.Press(" ")
}

// watchTutorSpeak looks at the page while the tutor speaks.
func watchTutorSpeak(tb *webtest.Tab) {
	tb.WaitState("speaking")
	before := webtest.Eval[float64](tb, "kalami.nonZeroPlayedSamples")
	tb.WaitFor("two seconds of speech", fmt.Sprintf(`kalami.state === "speaking" && kalami.nonZeroPlayedSamples > %f`, before+48000))
	tb.Screenshot("3-speaking")
	tb.Resize(390, 844, true)
	if wide := webtest.Eval[float64](tb, `document.documentElement.scrollWidth`); wide > 390 {
		tb.Fail("the page is %v pixels wide on a phone of 390", wide)
	}
	tb.Screenshot("4-phone")
	tb.Resize(1280, 800, false)
}

// interrupted waits until the tutor's nth answer was cut off, and returns what the
// bubble shows as heard of it: the beginning of the answer. What had come of the rest
// is crossed out.
func interrupted(tb *webtest.Tab, n int, whole string) string {
	b := bubble("assistant", n)
	tb.WaitFor(fmt.Sprintf("answer %d to be interrupted", n), b+`?.dataset.final === "true"`)
	tb.Screenshot("5-interrupted")
	cut := webtest.Eval[string](tb, b+`.querySelector(".heard")?.innerText.trim() ?? "not interrupted"`)
	rest := webtest.Eval[string](tb, b+`.querySelector(".unheard")?.innerText.trim() ?? ""`)
	if cut == "" || cut == whole || !strings.HasPrefix(whole, strings.TrimSpace(cut+" "+rest)) {
		tb.Fail("of %q the bubble shows %q as heard and %q as not", whole, cut, rest)
	}
	return cut
}

// checkLatencies looks at the read-out of the three turns.
func checkLatencies(t *testing.T, tb *webtest.Tab) {
	t.Helper()
	type latency struct {
		HeardMs        float64
		Stages, Report map[string]float64
	}
	turns := webtest.Eval[[]latency](tb, "kalami.latencies")
	if len(turns) != 3 {
		t.Errorf("the page measured %d turns, want 3", len(turns))
	}
	for i, turn := range turns {
		t.Logf("turn %d: answered after %.0f ms, %v; the server says %v", i+1, turn.HeardMs, turn.Stages, turn.Report)
		// What was made while the tutor waited is no stage of the learner's, but the server tells of it.
		if turn.HeardMs <= 0 || turn.Report["llm_ttft_ms"] <= 0 || turn.Report["tts_ttfb_ms"] <= 0 || turn.Stages["way"] <= 0 {
			t.Errorf("turn %d is measured as %+v", i+1, turn)
		}
	}
	tb.Click(`.latency summary`)
	tb.Screenshot("7-latency")
	if shown := tb.Text(`[data-hook="latency"]`); !strings.HasSuffix(shown, "s") {
		t.Errorf("the latest answer's time reads %q", shown)
	}
}

// playback are the page's own counters of what was played.
type playback struct {
	NonZeroPlayedSamples, Flushes, LateFrames, LastClearMs, Underruns float64
}

// mostToSilence is how long the page may still be heard when it is told to be silent.
const mostToSilence = 0.060 // seconds of the audio clock

// checkSilencing looks at the one interruption: on the wire and at the audio device.
func checkSilencing(t *testing.T, noted tap, k playback) {
	t.Helper()
	at := noted.find("output_audio_buffer.clear", 0)
	if n := noted.count("output_audio_buffer.clear"); n != 1 || k.Flushes != 1 || k.LateFrames != 0 {
		t.Fatalf("%d orders to be silent, %.0f flushes, %.0f late frames, want 1, 1 and 0", n, k.Flushes, k.LateFrames)
	}
	order := noted.Wire[at]
	for _, m := range noted.Wire[at:] {
		if m.Event == nil && m.Stream <= order.Event.Stream {
			t.Error("audio of the old answer came after the order to be silent")
		}
	}
	report, settled := noted.find("output_audio_buffer.cleared", at), noted.find("conversation.item.truncated", at)
	next := noted.find("response.created", at)
	if report < 0 || settled < 0 || next < 0 {
		t.Fatalf("after the order to be silent: report %d, truncation %d, next answer %d", report, settled, next)
	}
	played, cut := noted.Wire[report].Event.PlayedMS, noted.Wire[settled].Event
	if cut.Source != "client" || played < 1000 || cut.AudioEndMS > played || cut.AudioEndMS < played-1 {
		t.Errorf("the page reported %v ms as played, the server settled on %v ms by the %s's word", played, cut.AudioEndMS, cut.Source)
	}
	silent := noted.lastSound(noted.Wire[next].At) - order.At
	sound := noted.soundSeconds()
	t.Logf("silent %.1f ms after the order, reported in %.1f ms, after %.0f ms of the answer; %.1f s of sound, %.0f underruns",
		1000*silent, k.LastClearMs, played, sound, k.Underruns)
	if silent < -0.5 {
		t.Errorf("nothing was audible for %.1f s before the order to be silent", -silent)
	}
	if silent > mostToSilence {
		t.Errorf("still audible %.0f ms after the order to be silent", 1000*silent)
	}
	if k.LastClearMs <= 0 {
		t.Error("the page did not measure how long it took")
	}
	// What the page says it played is what reached the device.
	if claimed := k.NonZeroPlayedSamples / 24000; sound < 10 || sound < 0.9*claimed || sound > 1.1*claimed {
		t.Errorf("%.1f s of sound reached the device, the page counts %.1f s", sound, claimed)
	}
}
