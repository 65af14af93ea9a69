package web_test

import (
	"slices"
	"testing"
	"time"

	"kalami/web/webtest"
)

// deafScript makes a microphone without echo cancellation.
const deafScript = `const settings = MediaStreamTrack.prototype.getSettings;
MediaStreamTrack.prototype.getSettings = function () { return { ...settings.call(this), echoCancellation: false }; };`

// A device that cannot take the tutor's voice out of the microphone waits while the
// tutor speaks: empty frames five times a second, and a button that interrupts. Who
// has headphones says so, and talks freely.
func TestHalfDuplex(t *testing.T) {
	long := reply{id: "r_1", item: "it_0", stream: 1, text: answer1, frames: 90}
	ready := make(cue)
	s := newServer(t, func(l *line, _ int) {
		l.created()
		if state := l.expect("input_audio.state"); state["aec"] != false || state["route"] != "speaker" {
			t.Errorf("input_audio.state is %v", state)
		}
		if asked := l.expect("session.update")["session"].(map[string]any); asked["duplex"] != "half" {
			t.Errorf("the page asked for %v", asked)
		}
		l.reconfigured("half", 1800)
		l.begin(long)
		cancelled := make(chan struct{})
		go func() {
			defer close(cancelled)
			l.expect("response.cancel")
		}()
		l.speak(long, func() bool {
			select {
			case <-cancelled:
				return true
			default:
				return false
			}
		})
		<-cancelled
		checkWaited(t, l.received())
		l.send("output_audio_buffer.clear", fields{"response_id": long.id, "stream": long.stream, "reason": "client_cancelled"})
		l.expect("output_audio_buffer.cleared")
		l.finish(long, "cancelled")
		l.heardSpeech() // the microphone is open again
		l.send("warning", fields{"code": "echo_suspected", "message": "…"})
		ready.inScript(l)
		l.send("warning", fields{"code": "echo_suspected", "message": "…"})
		l.send("warning", fields{"code": "storage_delayed", "message": "…"})
		if state := l.expect("input_audio.state"); state["route"] != "wired" {
			t.Errorf("with headphones input_audio.state is %v", state)
		}
		if asked := l.expect("session.update")["session"].(map[string]any); asked["duplex"] != "full" {
			t.Errorf("with headphones the page asked for %v", asked)
		}
		l.reconfigured("full", 1800)
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t), Script: deafScript}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitState("speaking")
	tb.WaitFor("two seconds of speech", `kalami.playedSamples > 48000`)
	if got := tb.Text(".hint"); got != "Your microphone waits. Press the button to interrupt." {
		t.Errorf("the page says %q", got)
	}
	tb.Screenshot("1-waits")
	tb.Click("#talk-button")
	tb.WaitState("listening")
	tb.WaitFor("the warning", `document.querySelector('[data-notice="echo"]')`)
	tb.Screenshot("2-warned")
	tb.Click(`[data-notice="echo"] button`)
	ready.fromTest(t)
	tb.WaitFor("the other warning", `document.querySelector('[data-notice="not-saved-yet"]')`)
	if tb.Text(`[data-notice="echo"]`) != "" {
		t.Error("the warning came twice")
	}
	tb.Click(`.settings summary`)
	webtest.Eval[bool](tb, `(() => { const s = document.getElementById("sound"); s.value = "headphones"; return s.dispatchEvent(new Event("change")); })()`)
	tb.WaitFor("the choice to be kept", `JSON.parse(localStorage.getItem("kalami.manner")).sound === "headphones"`)
	tb.Screenshot("3-settings")
	tb.CheckClean()
}

// checkWaited looks at the frames of a lesson in which the tutor began at once and has
// spoken for two seconds: the last of them are silence, empty, and a fifth of a second long.
func checkWaited(t *testing.T, frames []frame) {
	t.Helper()
	from := slices.IndexFunc(frames, func(f frame) bool { return f.flags&8 != 0 })
	if from < 0 || len(frames)-from < 8 {
		t.Fatalf("of %d frames, silence begins with number %d", len(frames), from)
	}
	for i, f := range frames[from:] {
		if f.flags&8 == 0 || f.samples != 0 {
			t.Errorf("frame %d after the beginning has flags %d and %d samples", i, f.flags, f.samples)
		}
		if i > 0 && f.pos-frames[from+i-1].pos != 3200 {
			t.Errorf("silent frames are %d samples apart, want 3200", f.pos-frames[from+i-1].pos)
		}
	}
}

// With push-to-talk nothing is heard until the button or the space bar is held, and the
// turn ends when it comes up; a tap lasts until the next. It is kept for the next lesson.
func TestPushToTalk(t *testing.T) {
	const noTap = 400 * time.Millisecond // who lets go within 300 ms has tapped
	long := reply{id: "r_1", item: "it_0", stream: 1, text: answer1, frames: 90}
	silent := make(cue)
	s := newServer(t, func(l *line, number int) {
		l.created()
		l.expect("input_audio.state")
		asked := l.expect("session.update")["session"].(map[string]any)
		input := asked["audio"].(map[string]any)["input"].(map[string]any)
		if detection, there := input["turn_detection"]; !there || detection != nil {
			t.Errorf("for push-to-talk the page asked for %v", asked)
		}
		l.reconfigured("full", 0)
		if number > 1 {
			l.stay()
			return
		}
		from := len(l.received())
		l.until(func() bool { return len(l.frames) > from+30 }) // six seconds: one speech of the microphone
		for i, f := range l.received()[from:] {
			if i > 3 && f.flags&8 == 0 {
				t.Errorf("frame %d came with sound before the button was held", i)
			}
		}
		l.begin(long)
		l.sound(long.stream, 0, false)
		l.sound(long.stream, 1, false)
		silent.fromScript(l)
		for _, how := range []string{"space", "mouse", "tap", "enter"} {
			if how == "space" {
				if cancel := l.expect("response.cancel"); cancel["response_id"] != long.id {
					t.Errorf("response.cancel is %v", cancel)
				}
				l.send("output_audio_buffer.clear", fields{"response_id": long.id, "stream": long.stream, "reason": "client_cancelled"})
				l.finish(long, "cancelled")
			}
			if !l.heardSpeech() {
				t.Errorf("%s: nothing was heard while the button was held", how)
			}
			l.ping() // or the page would think that nobody is there
			silent.fromScript(l)
			l.expect("input_audio_buffer.commit")
			from := len(l.received())
			if !l.until(func() bool { return len(l.frames) > from+3 }) {
				t.Errorf("%s: no frames came after the turn", how)
				return
			}
			if frames := l.received()[from:]; frames[1].flags&8 == 0 || frames[2].flags&8 == 0 {
				t.Errorf("%s: the microphone was open after the turn", how)
			}
			silent.fromScript(l)
		}
		update := l.expect("session.update")["session"].(map[string]any)
		detection, _ := update["audio"].(map[string]any)["input"].(map[string]any)["turn_detection"].(map[string]any)
		if detection["type"] != "patient" || detection["patience_ms"] != 1800.0 {
			t.Errorf("without push-to-talk the page asked for %v", update)
		}
		l.reconfigured("full", 1800)
		if update := l.expect("session.update"); update == nil {
			return
		}
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitState("listening")
	tb.Focus(`.settings summary`)
	tb.Press(" ")
	tb.Focus(`#push`)
	tb.Press(" ")
	tb.WaitFor("the button to wait", `document.getElementById("talk-button").getAttribute("aria-label") === "Hold to talk"`)
	tb.Screenshot("1-settings")
	tb.Click(`.settings summary`)
	silent.inTest(t)
	tb.WaitState("speaking")
	tb.Focus("#talk-button")
	tb.HoldSpace()
	silent.inTest(t)
	tb.Screenshot("2-talking")
	time.Sleep(noTap)
	tb.ReleaseSpace()
	silent.inTest(t)
	tb.HoldMouse("#talk-button")
	silent.inTest(t)
	time.Sleep(noTap)
	tb.ReleaseMouse("#talk-button")
	silent.inTest(t)
	tb.Screenshot("3-waits")
	tb.Click("#talk-button")
	silent.inTest(t)
	if got := tb.Text(".hint"); got != "I hear you. Press again when you are done." {
		t.Errorf("after a tap the page says %q", got)
	}
	tb.Click("#talk-button")
	silent.inTest(t)
	tb.Focus("#talk-button")
	tb.Press("\r")
	silent.inTest(t)
	tb.Press("\r")
	silent.inTest(t)
	tb.Click(`.settings summary`)
	tb.Click(`#push`)
	tb.WaitFor("the patience slider", `!document.getElementById("patience").closest(".field").hidden`)
	tb.Click(`#push`)
	tb.Open() // the next lesson
	tb.Click(`[data-action="start"]`)
	tb.WaitFor("what was chosen before", `document.getElementById("talk-button")?.getAttribute("aria-label") === "Hold to talk"`)
	tb.CheckClean()
}
