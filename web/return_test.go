package web_test

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kalami/web/webtest"
)

const retransmission = 4 // the flag of a frame that is sent again

// resumable opens the session with a token to come back with.
func (l *line) resumable(token string) {
	l.createdWith(fields{"resume": fields{"token": token, "window_ms": 600000, "warm_ms": 30000}})
}

// resumed answers session.resume, whose fields it returns, with a new token; the events
// go on after the last one that the page has seen.
func (l *line) resumed(token string, more fields) fields {
	said := l.expect("session.resume")
	last, _ := said["last_seq"].(float64)
	l.seq = int(last) - 1 // the answer repeats that number
	input, _ := said["input"].(map[string]any)
	answer := fields{
		"session_id": "vs_1", "warm": true, "replayed_from": last + 1, "input": fields{"stream": input["stream"], "next_seq": input["next_seq"]},
		"resume": fields{"token": token, "window_ms": 600000, "warm_ms": 30000},
	}
	maps.Copy(answer, more)
	l.send("session.resumed", answer)
	return said
}

// cut breaks the connection off without a word.
func (l *line) cut() { _ = l.conn.CloseNow() }

// credential is what the nth socket was opened with, from 1.
func (s *server) credential(n int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimPrefix(s.subprotocols[n-1], "kalami.v1, kalami.token.")
}

// The socket breaks in the middle of the tutor's sentence. The page says so, keeps what
// the learner says meanwhile, returns with its token, takes what it has missed and drops
// what it had: each word stands there once, and each sample is played once.
func TestReturnInMidSentence(t *testing.T) {
	answer := reply{id: "r_1", item: "it_2", stream: 1, text: answer1, frames: 40}
	back := make(cue)
	s := newServer(t, func(l *line, number int) {
		if number == 1 {
			l.resumable("kr_a")
			l.heardSpeech()
			l.learner("it_1", booking)
			l.send("input_audio_buffer.ack", fields{"input": fields{"stream": 1, "seq": 9, "next_seq": 10}})
			l.begin(answer)
			for n := range 14 {
				l.sound(1, n, false)
			}
			l.expect("output_audio_buffer.position")
			l.cut()
			return
		}
		back.inScript(l)
		said := l.resumed("kr_b", fields{
			"input": fields{"stream": 1, "next_seq": 20}, "response": fields{"id": "r_1", "item_id": "it_2", "action": "continue"},
		})
		playback, _ := said["playback"].(map[string]any)
		if played, _ := playback["played_ms"].(float64); playback["response_id"] != "r_1" || played < 200 {
			t.Errorf("the page returned with the playback %v", playback)
		}
		if ack := l.expect("ack"); ack["seq"] != said["last_seq"] {
			t.Errorf("the return is acknowledged with %v after %v", ack["seq"], said["last_seq"])
		}
		l.expect("input_audio.state")
		for n := 8; n < answer.frames; n++ { // six of these it has
			l.sound(1, n, n == answer.frames-1)
			time.Sleep(20 * time.Millisecond)
		}
		l.finish(answer, "completed")
		l.until(func() bool { return len(l.frames) > 80 })
		checkSentAgain(t, l.received(), 20)
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t), Width: 390, Height: 844, Mobile: true}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitState("reconnecting")
	tb.WaitFor("an honest word", `document.querySelector('[data-hook="state"]').innerText === "Reconnecting…"`)
	tb.Screenshot("1-reconnecting")
	tb.Resize(1280, 800, false)
	tb.Screenshot("2-reconnecting-wide")
	back.fromTest(t)
	tb.WaitFor("the whole answer", `document.querySelector('[data-item-id="it_2"][data-final="true"]')`)
	tb.WaitState("listening")
	tb.Screenshot("3-back")
	if got := tb.Text(`[data-item-id="it_2"] .words`); got != answer.text {
		t.Errorf("the answer reads %q", got)
	}
	if got := webtest.Eval[int](tb, `document.querySelectorAll(".bubble:not([hidden])").length`); got != 2 {
		t.Errorf("%d bubbles are shown, want 2", got)
	}
	if k := webtest.Eval[diagnostics](tb, "kalami"); k.PlayedSamples != 2400*40 || k.LateFrames != 0 {
		t.Errorf("%.0f samples were played, want %d, and %.0f frames were late", k.PlayedSamples, 2400*40, k.LateFrames)
	}
	if first, second := s.credential(1), s.credential(2); first != "kt_secret" || second != "kr_a" || len(s.ticketRequests()) != 1 {
		t.Errorf("the sockets were opened with %q and %q", first, second)
	}
	tb.CheckClean()
}

// checkSentAgain looks at what a socket brought whose server wanted the frames from next on.
func checkSentAgain(t *testing.T, frames []frame, next uint32) {
	t.Helper()
	again := slices.IndexFunc(frames, func(f frame) bool { return f.flags&retransmission == 0 })
	if again < 1 {
		t.Fatalf("of %d frames none was sent again", len(frames))
	}
	for i, f := range frames {
		switch {
		case f.stream != 1 || f.seq != next+uint32(i):
			t.Fatalf("frame %d is %d of stream %d, want %d of 1", i, f.seq, f.stream, next+uint32(i))
		case f.pos != frames[0].pos+uint32(640*i):
			t.Fatalf("frame %d begins at sample %d, want %d", i, f.pos, frames[0].pos+uint32(640*i))
		case i > again && f.flags&retransmission != 0:
			t.Fatalf("frame %d is sent again after new ones", i)
		}
	}
	t.Logf("%d frames were sent again", again)
}

// Another node goes on with a reply: what is there of the old audio plays up to the
// seam, what comes after it is dropped, and its rest in another stream follows under the
// same caption. The reports count through.
func TestReturnRespoken(t *testing.T) {
	answer := reply{id: "r_1", item: "it_2", stream: 1, text: heard1 + " ¿Para qué hora?", frames: 30}
	var stopped map[string]any
	s := newServer(t, func(l *line, number int) {
		if number == 1 {
			l.resumable("kr_a")
			l.begin(answer)
			for n := range 16 {
				l.sound(1, n, false)
			}
			l.expect("output_audio_buffer.started")
			l.closeWith(1001, "going_away")
			return
		}
		l.resumed("kr_b", fields{"warm": false, "response": fields{"id": "r_1", "item_id": "it_2", "action": "respeak", "audio_end_ms": 1200}})
		l.send("response.created", fields{
			"response": fields{"id": "r_1", "item_id": "it_2", "status": "in_progress"}, "stream": 2,
			"audio": fields{"format": fields{"type": "audio/pcm", "rate": 24000}},
		})
		cut := strings.Join(strings.SplitAfter(answer.text, " ")[:4], "") // what began before the seam
		l.send("response.output_audio_transcript.delta", fields{
			"response_id": "r_1", "item_id": "it_2", "delta": strings.TrimPrefix(answer.text, cut), "audio_start_ms": 1200,
		})
		for n := range 10 {
			l.sound(2, n, n == 9)
		}
		l.send("response.output_audio.done", fields{"response_id": "r_1", "item_id": "it_2", "audio_ms": 2200})
		l.send("response.done", fields{"response": fields{"id": "r_1", "status": "completed"}})
		stopped = l.expect("output_audio_buffer.stopped")
		l.closeWith(1000, "normal")
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitFor("the summary", `document.querySelector('[data-view="summary"]')`)
	if stopped["response_id"] != "r_1" || stopped["played_ms"] != 2200.0 {
		t.Errorf("the end was reported as %v", stopped)
	}
	if k := webtest.Eval[diagnostics](tb, "kalami"); k.PlayedSamples != 24*2200 {
		t.Errorf("%.0f samples were played, want %d", k.PlayedSamples, 24*2200)
	}
	tb.CheckClean()
}

// Another node cannot prove which captions the page has seen of a reply that it goes on
// with: they come again from the beginning, and stand there once.
func TestCaptionsComeAnew(t *testing.T) {
	answer := reply{id: "r_1", item: "it_2", stream: 1, text: heard1 + " ¿Para qué hora?", frames: 30}
	s := newServer(t, func(l *line, number int) {
		if number == 1 {
			l.resumable("kr_a")
			l.begin(answer)
			for n := range 16 {
				l.sound(1, n, false)
			}
			l.expect("output_audio_buffer.started")
			l.closeWith(1001, "going_away")
			return
		}
		said := l.expect("session.resume")
		last, _ := said["last_seq"].(float64)
		l.seq = int(last)
		l.send("session.restarted", fields{
			"session": fields{"id": "vs_2", "conversation_id": "c_1"}, "items": []any{}, "input": said["input"],
			"resume":   fields{"token": "kr_b", "window_ms": 600000, "warm_ms": 30000},
			"response": fields{"id": "r_1", "item_id": "it_2", "action": "respeak", "audio_end_ms": 1200, "captions_anew": true},
		})
		again := answer
		again.stream = 2
		l.begin(again)
		for n := range 10 {
			l.sound(2, n, n == 9)
		}
		l.send("response.output_audio.done", fields{"response_id": "r_1", "item_id": "it_2", "audio_ms": 2200})
		l.send("response.done", fields{"response": fields{"id": "r_1", "status": "completed"}})
		l.expect("output_audio_buffer.stopped")
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitFor("the end of the reply", `document.querySelector('[data-item-id="it_2"][data-final="true"]')`)
	shown := webtest.Eval[string](tb, `document.querySelector('[data-item-id="it_2"]').textContent`)
	if n := strings.Count(shown, heard1); n != 1 || !strings.Contains(shown, "¿Para qué hora?") {
		t.Errorf("the reply reads %q", shown)
	}
	tb.CheckClean()
}

// What was missed cannot be proven: the page shows what is stored instead, in its order,
// each line once, and takes the greeting for heard.
func TestReturnRestarted(t *testing.T) {
	s := newServer(t, func(l *line, number int) {
		if number == 1 {
			l.resumable("kr_a")
			l.whole(reply{id: "r_1", item: "it_0", stream: 1, text: greeting, frames: 6})
			l.heardSpeech()
			l.learner("it_1", booking)
			l.begin(reply{id: "r_2", item: "it_lost", stream: 2, text: answer1, frames: 20})
			l.cut()
			return
		}
		last, _ := l.expect("session.resume")["last_seq"].(float64)
		l.seq = int(last) + 40
		item := func(id, role, text string) fields {
			return fields{"id": id, "role": role, "status": "completed", "content": []fields{{"type": "text", "text": text}}}
		}
		l.send("session.restarted", fields{
			"session": fields{"id": "vs_2", "conversation_id": "c1", "language": "es", "duplex": "full"},
			"resume":  fields{"token": "kr_b", "window_ms": 600000}, "input": fields{"stream": 1, "next_seq": 0},
			"items": []fields{
				item("it_0", "assistant", greeting), item("it_1", "user", booking),
				item("it_2", "assistant", answer2), item("it_3", "user", tired),
			},
		})
		l.whole(reply{id: "r_3", item: "it_4", stream: 3, text: heard1, frames: 6})
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitFor("the next answer", `document.querySelector('[data-item-id="it_4"][data-final="true"]')`)
	tb.Screenshot("restarted")
	got := webtest.Eval[[]string](tb, `[...document.querySelectorAll(".bubble:not([hidden]) .words")].map((words) => words.innerText)`)
	if want := []string{greeting, booking, answer2, tired, heard1}; !slices.Equal(got, want) {
		t.Errorf("the page shows %q, want %q", got, want)
	}
	tb.CheckClean()
}

// A server that asks the page to move is left only when the next one has the session:
// the learner notices nothing.
func TestMoveBeforeBreak(t *testing.T) {
	var first atomic.Pointer[line]
	s := newServer(t, func(l *line, number int) {
		if number == 1 {
			first.Store(l)
			l.resumable("kr_a")
			l.send("session.goaway", fields{"reason": "deploy", "time_left_ms": 30000, "reconnect": fields{"resume": true, "after_ms": 50}})
			l.stay()
			return
		}
		l.until(func() bool { return len(l.events) > 0 })
		select {
		case <-first.Load().done:
			t.Error("the old socket was closed before there was a new one")
		case <-time.After(100 * time.Millisecond):
		}
		l.resumed("kr_b", nil)
		first.Load().stay()
		l.whole(reply{id: "r_1", item: "it_0", stream: 1, text: greeting, frames: 6})
		l.stay()
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitFor("the greeting", `document.querySelector('[data-item-id="it_0"][data-final="true"]')`)
	if k := webtest.Eval[diagnostics](tb, "kalami"); slices.Contains(k.States, "reconnecting") {
		t.Errorf("the learner saw %v", k.States)
	}
	if got := s.credential(2); got != "kr_a" {
		t.Errorf("the page moved with %q", got)
	}
	tb.CheckClean()
}

// A server that says nothing for longer than a heartbeat is given up, and one whose
// events have a hole too; a network that comes back is tried at once.
func TestReturnFromSilence(t *testing.T) {
	s := newServer(t, func(l *line, number int) {
		switch number {
		case 1:
			l.createdWith(fields{
				"resume": fields{"token": "kr_a", "window_ms": 600000}, "heartbeat": fields{"interval_ms": 500, "timeout_ms": 1500},
			})
			l.stay()
		case 2:
			l.resumed("kr_b", nil)
			l.seq += 3
			l.ping()
			l.stay()
		default:
			l.resumed("kr_c", nil)
			l.send("session.updated", fields{"session": fields{"id": "vs_1"}})
			l.stay()
		}
	})
	tb := webtest.Open(t, webtest.Browser{Microphone: microphoneFile(t)}, s.http.URL)
	tb.Open()
	tb.Click(`[data-action="start"]`)
	tb.WaitFor("the second return", `kalami.connections === 3`)
	webtest.Eval[bool](tb, `window.dispatchEvent(new Event("online"))`)
	tb.WaitFor("the third, by itself", `kalami.connections === 4`)
	if one, two, three := s.credential(2), s.credential(3), s.credential(4); one != "kr_a" || two != "kr_b" || three != "kr_c" {
		t.Errorf("the page returned with %q, %q and %q", one, two, three)
	}
	tb.CheckClean()
}
