package web_test

import (
	"strings"
	"testing"

	"kalami/web/webtest"
)

const (
	greeting = "¡Buenas tardes, bienvenido! ¿En qué puedo ayudarle?"
	booking  = "Hola, me gustaría reservar una mesa para dos personas."
	answer1  = "Claro, una mesa para dos. ¿Para qué hora la quiere? Tenemos sitio a las ocho, a las nueve, y también más tarde, cuando usted quiera."
	heard1   = "Claro, una mesa para dos."
	tired    = "Yo soy muy cansado porque trabajo mucho."
	answer2  = "Vaya, está usted muy cansado."
)

// A guest presses one button and talks: is heard, hears an answer with its words in
// time, interrupts it, and finds a summary at the end.
func TestConversation(t *testing.T) {
	var cleared map[string]any
	var mic []frame
	s := newServer(t, func(l *line, _ int) {
		l.created()
		l.ping()
		state := l.expect("input_audio.state")
		if state["native_rate"] == nil || state["muted"] != false {
			t.Errorf("input_audio.state is %v", state)
		}
		l.whole(reply{id: "r_1", item: "it_0", stream: 1, text: greeting, frames: 12})
		l.expect("output_audio_buffer.started")
		l.expect("output_audio_buffer.position")
		if mark := l.expect("output_audio_buffer.mark"); mark["name"] != "s1" || mark["played_ms"].(float64) < 200 {
			t.Errorf("mark came as %v", mark)
		}
		l.heardSpeech()
		l.learner("it_1", booking)
		cleared = l.interrupted(reply{id: "r_2", item: "it_2", stream: 2, text: answer1, frames: 90}, heard1)
		l.learner("it_3", tired)
		l.whole(reply{id: "r_3", item: "it_4", stream: 3, text: answer2, frames: 12})
		l.expect("ack")
		l.expect("session.end")
		mic = l.received()
		l.send("session.ended", fields{"reason": "normal", "summary": fields{"duration_ms": 21000, "turns": 2}})
		l.closeWith(1000, "normal")
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Screenshot("1-welcome")
	tb.Click(`[data-action="start"]`)
	tb.WaitState("speaking")
	tb.WaitFor("the greeting's first words", `document.querySelector('[data-role="assistant"] .words')?.innerText.startsWith("¡Buenas")`)
	if first := tb.Text(`[data-role="assistant"] .words`); strings.Contains(first, "ayudarle") {
		t.Errorf("the whole caption is there at once: %q", first)
	}
	tb.WaitState("listening")
	tb.WaitFor("the next line of the scene", `document.querySelector('[data-hook="demo-line"]').innerText.includes("reservar una mesa")`)
	tb.Screenshot("2-listening")
	tb.WaitFor("a partial caption", `document.querySelector('[data-role="user"]')`)
	tb.WaitFor("the acknowledged turn", `document.querySelector('[data-role="user"][data-final="true"][data-acknowledged="true"]')`)
	if got := tb.Text(`[data-role="user"] .words`); got != booking {
		t.Errorf("the learner's caption is %q", got)
	}
	tb.WaitState("speaking")
	tb.WaitFor("half of a caption", `document.querySelectorAll('[data-item-id="it_2"] .word:not([hidden])').length > 4`)
	tb.Screenshot("3-speaking")
	tb.WaitFor("the interrupted bubble", `document.querySelector('[data-item-id="it_2"][data-truncated="true"]')`)
	if got := tb.Text(`[data-item-id="it_2"] .heard`); got != heard1 {
		t.Errorf("heard is shown as %q", got)
	}
	if got := tb.Text(`[data-item-id="it_2"] .unheard`); got != strings.TrimSpace(strings.TrimPrefix(answer1, heard1)) {
		t.Errorf("not heard is shown as %q", got)
	}
	tb.WaitFor("the answer to the second turn", `document.querySelector('[data-item-id="it_4"][data-final="true"]')`)
	tb.WaitFor("both latencies", `kalami.latencies.length === 2 && kalami.latencies.every((turn) => turn.stages.patience > 0)`)
	tb.Click(`.latency summary`)
	tb.Screenshot("4-answer-times")
	k := webtest.Eval[diagnostics](tb, "kalami")
	tb.Click(`[data-action="end"]`)
	tb.WaitFor("the summary", `document.querySelector('[data-view="summary"]')`)
	tb.Screenshot("5-summary")
	tb.CheckClean()
	s.http.CloseClientConnections()
	s.lines.Wait()

	checkPlayback(t, k, cleared)
	checkMicrophone(t, mic)
	if want := "kalami.v1, kalami.token.kt_secret"; s.subprotocols[0] != want {
		t.Errorf("subprotocols offered: %q, want %q", s.subprotocols[0], want)
	}
	if got := s.ticketRequests(); len(got) != 1 || got[0]["profile_id"] != "p1" {
		t.Errorf("tickets asked for: %v", got)
	}
}

// diagnostics are the counters of window.kalami that tests look at.
type diagnostics struct {
	PlayedSamples, NonZeroPlayedSamples float64
	Flushes, LateFrames, LastClearMs    float64
	Underruns, Turns, ContextRate       float64
	States                              []string
	Latencies                           []struct{ HeardMs float64 }
}

// checkPlayback looks at what was really handed to the audio device.
func checkPlayback(t *testing.T, k diagnostics, cleared map[string]any) {
	t.Helper()
	t.Logf("device at %.0f Hz, %.0f samples played, %.0f underruns, flushed in %.1f ms, answers %v",
		k.ContextRate, k.PlayedSamples, k.Underruns, k.LastClearMs, k.Latencies)
	played, ok := cleared["played_ms"].(float64)
	if !ok || played < 200 || played > 9000 {
		t.Errorf("cleared says %v", cleared)
	}
	if dropped, ok := cleared["dropped_ms"].(float64); !ok || dropped <= 0 {
		t.Errorf("nothing was dropped: %v", cleared)
	}
	// Two whole replies of 1.2 s and what was heard of the one in between.
	whole := 24 * (2400 + played)
	if k.PlayedSamples < whole || k.PlayedSamples > whole+24*200 {
		t.Errorf("%.0f samples were played, want about %.0f", k.PlayedSamples, whole)
	}
	if k.NonZeroPlayedSamples < 0.95*k.PlayedSamples {
		t.Errorf("only %.0f of %.0f samples had sound", k.NonZeroPlayedSamples, k.PlayedSamples)
	}
	if k.Flushes != 1 || k.LateFrames != 3 {
		t.Errorf("%.0f flushes, %.0f late frames, want 1 and 3", k.Flushes, k.LateFrames)
	}
	if k.LastClearMs <= 0 || k.LastClearMs > 1000 {
		t.Errorf("the flush took %.1f ms", k.LastClearMs)
	}
	if k.Turns != 2 {
		t.Errorf("%.0f turns", k.Turns)
	}
	order := "idle connecting listening thinking speaking listening thinking speaking listening thinking speaking listening"
	if got := strings.Join(k.States, " "); got != order {
		t.Errorf("states were %s\nwant        %s", got, order)
	}
}

// checkMicrophone looks at the frames' headers: 40 ms each, without a hole, and about
// as many as time has passed.
func checkMicrophone(t *testing.T, mic []frame) {
	t.Helper()
	if len(mic) < 100 {
		t.Fatalf("only %d microphone frames", len(mic))
	}
	loud := 0
	for i, f := range mic {
		if f.kind != 0x11 || f.flags != 0 || f.stream != 1 || f.samples != 640 {
			t.Fatalf("frame %d is %+v", i, f)
		}
		if f.seq != uint32(i) || f.pos != uint32(i*640) {
			t.Fatalf("frame %d has seq %d, pos %d", i, f.seq, f.pos)
		}
		if f.rms > 0.02 {
			loud++
		}
	}
	if loud < 20 {
		t.Errorf("only %d frames were loud", loud)
	}
}
