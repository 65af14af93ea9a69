package web_test

import (
	"math"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"kalami/web/webtest"
)

const (
	weekend  = "¿Qué hizo usted el fin de semana? Cuénteme un poco, con calma."
	searched = "El sábado fui al"
)

// The server stops the tutor because somebody may be speaking, and it was nothing: the
// learner hears the whole answer, and the page says at once how far it is.
func TestPausedByTheServer(t *testing.T) {
	r := reply{id: "r_1", item: "it_0", stream: 1, text: weekend, frames: 30}
	s := newServer(t, func(l *line, _ int) {
		l.created()
		l.begin(r)
		frames := 0
		l.speak(r, func() bool {
			if frames++; frames == 6 {
				l.expect("output_audio_buffer.started")
				l.send("output_audio_buffer.pause", fields{"response_id": r.id, "stream": r.stream})
				// It says where it is at once, and again and again; the last sounds are heard
				// a little after they have left for the device.
				for at := -1.0; ; {
					now := l.expect("output_audio_buffer.position")["played_ms"].(float64)
					if now == at {
						break
					}
					at = now
				}
				l.send("output_audio_buffer.resume", fields{"response_id": r.id, "stream": r.stream})
			}
			return false
		})
		l.finish(r, "completed")
		if stopped := l.expect("output_audio_buffer.stopped"); stopped["played_ms"] != 3000.0 {
			t.Errorf("at the end the page says %v", stopped)
		}
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitFor("the whole answer", `document.querySelector('[data-item-id="it_0"][data-final="true"]')`)
	if got := webtest.Eval[[]float64](tb, `[kalami.playedSamples, kalami.pauses, kalami.flushes]`); got[0] != 72000 || got[1] != 1 || got[2] != 0 {
		t.Errorf("samples played, pauses and flushes are %v, want 72000, 1 and 0", got)
	}
	tb.CheckClean()
}

// With the first sound of an answer the page says how long the learner has waited for
// it, by the sound alone: where their speech ended is where the server's own copy of
// the microphone falls silent.
func TestStamps(t *testing.T) {
	s := newServer(t, func(l *line, _ int) {
		l.created()
		l.whole(reply{id: "r_1", item: "it_0", stream: 1, text: greeting, frames: 6})
		first := l.expect("output_audio_buffer.started")
		if first["latency_ms"] != 0.0 || first["speech_end_ms"] != 0.0 || first["buffer_ms"].(float64) <= 0 {
			t.Errorf("the greeting, which answers nobody, began with %v", first)
		}
		l.heardSpeech()
		l.learner("it_1", booking) // until the microphone is silent
		silent := l.received()
		l.whole(reply{id: "r_2", item: "it_2", stream: 2, text: answer2, frames: 6})
		answer := l.expect("output_audio_buffer.started")
		lastLoud := 0.0
		for _, f := range silent {
			if f.rms > 0.02 {
				lastLoud = float64(f.pos+uint32(f.samples)) / 16
			}
		}
		end, latency, buffer := answer["speech_end_ms"].(float64), answer["latency_ms"].(float64), answer["buffer_ms"].(float64)
		t.Logf("speech ended at %.0f ms (by the frames %.0f), the answer was heard %.0f ms later, %.0f ms after it came", end, lastLoud, latency, buffer)
		if math.Abs(end-lastLoud) > 80 {
			t.Errorf("speech ended at %v ms, by the frames at %v ms", end, lastLoud)
		}
		if buffer <= 0 || latency < buffer+400 { // ten frames of silence passed before the answer was sent
			t.Errorf("the answer was heard after %v ms, of which it was buffered for %v ms", latency, buffer)
		}
		l.send("tutor.nudge", fields{"kind": "hint", "text": "Pues…"}) // all has been looked at
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitFor("the server's satisfaction", `document.querySelector('[data-nudge="hint"]')`)
	type latency struct {
		DraftMs float64
		Stages  map[string]float64
		Report  map[string]float64
	}
	turns := webtest.Eval[[]latency](tb, "kalami.latencies")
	if len(turns) != 1 || turns[0].Report["heard_ms"] != 510 || turns[0].DraftMs != 25 {
		t.Fatalf("the page knows of the answers %+v", turns)
	}
	// The draft's 25 ms were thinking and half of the first clause: they cost the learner nothing.
	if stages := turns[0].Stages; stages["thinking"] != 0 || stages["wording"] != 5 || stages["voice"] != 15 || stages["hearing"] != 60 {
		t.Errorf("the learner's time is divided into %v", stages)
	}
	tb.Click(`.latency > summary`)
	tb.Click(`.breakdown summary`)
	for figure, want := range map[string]string{"egress_ms": "5", "client_buffer_ms": "170", "heard_ms": "510", "client_ms": "505", "draft_ms": "25"} {
		if got := tb.Text(`[data-figure="` + figure + `"] td`); got != want {
			t.Errorf("%s is shown as %q, want %s", figure, got, want)
		}
	}
	tb.Screenshot("figures")
	tb.Resize(390, 844, true)
	tb.Screenshot("figures-phone")
	tb.CheckClean()
}

// A learner who searches for words is helped, asks for time, and says when they are
// done; each of it goes to the server, and a help that the page does not know is not shown.
func TestTimeToThink(t *testing.T) {
	next := make(cue)
	s := newServer(t, func(l *line, _ int) {
		l.created()
		l.whole(reply{id: "r_1", item: "it_0", stream: 1, text: weekend, frames: 6})
		l.send("tutor.nudge", fields{"kind": "fireworks", "text": "Boom"})
		l.send("tutor.nudge", fields{"kind": "hint", "text": "El sábado yo…"})
		next.inScript(l)
		l.send("tutor.nudge", fields{"kind": "rephrase"}) // said aloud: the hint stays
		l.send("tutor.nudge", fields{"kind": "hold"})
		next.inScript(l)
		l.send("tutor.nudge", fields{"kind": "pause"})
		next.inScript(l)
		l.send("input_audio_buffer.speech_started", fields{"item_id": "it_1", "audio_start_ms": 800})
		l.send("conversation.item.input_audio_transcription.delta", fields{"item_id": "it_1", "text": searched, "stability": 0.5})
		l.send("input_audio_buffer.speech_stopped", fields{"item_id": "it_1", "audio_end_ms": 1800})
		if hold := l.expect("tutor.hold"); hold["ms"] != 15000.0 {
			t.Errorf("tutor.hold is %v", hold)
		}
		l.expect("input_audio_buffer.commit")
		l.send("input_audio_buffer.committed", fields{"item_id": "it_1", "reason": "client"})
		l.send("conversation.item.input_audio_transcription.completed", fields{"item_id": "it_1", "transcript": searched})
		next.inScript(l)
		l.whole(reply{id: "r_2", item: "it_2", stream: 2, text: answer2, frames: 6})
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitFor("the hint", `document.querySelector('[data-nudge="hint"]:not([hidden])')`)
	if got := tb.Text(".nudge"); got != "You could begin: El sábado yo…" {
		t.Errorf("the hint reads %q", got)
	}
	if !webtest.Eval[bool](tb, `document.querySelector('[data-action="done"]').disabled`) {
		t.Error("the learner could be done before they have begun")
	}
	tb.Screenshot("1-hint")
	next.fromTest(t)
	tb.WaitFor("the time asked for aloud", `document.querySelector('[data-action="hold"]').getAttribute("aria-pressed") === "true"`)
	if got := tb.Text(".nudge"); got != "You could begin: El sábado yo…" {
		t.Errorf("while the tutor says it again, the page shows %q", got)
	}
	next.fromTest(t)
	tb.WaitFor("the pause", `document.querySelector('[data-nudge="pause"]')?.innerText.includes("when you are ready")`)
	tb.Screenshot("2-pause")
	next.fromTest(t)
	tb.WaitFor("no more help", `document.querySelector(".nudge").hidden`)
	tb.WaitFor("the end of the time asked for aloud", `document.querySelector('[data-action="hold"]').getAttribute("aria-pressed") === "false"`)
	tb.Focus(`[data-action="hold"]`)
	tb.Press(kb.Enter)
	tb.WaitFor("the time asked for", `document.querySelector('[data-action="hold"]').getAttribute("aria-pressed") === "true"`)
	tb.Screenshot("3-hold")
	tb.Resize(390, 844, true)
	tb.Screenshot("4-phone")
	tb.Focus(`[data-action="done"]`)
	tb.Press(kb.Enter)
	tb.WaitState("thinking")
	tb.Press(kb.Enter) // once more, by mistake: there is nothing under the finger
	if got := webtest.Eval[string](tb, `document.activeElement.className`); got != "controls" {
		t.Errorf("when the button is done its focus is on %q", got)
	}
	tb.Screenshot("5-thinking")
	next.fromTest(t)
	tb.WaitFor("the answer", `document.querySelector('[data-item-id="it_2"][data-final="true"]')`)
	tb.CheckClean()
}
