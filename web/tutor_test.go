package web_test

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

type fields = map[string]any

// created opens the session in Spanish with the demo tutor.
func (l *line) created() { l.createdWith(nil) }

// createdWith does so with other fields besides.
func (l *line) createdWith(more fields) {
	created := fields{
		"session": fields{
			"id": "vs_1", "conversation_id": "c1", "profile_id": "p1", "language": "es", "level": "A2", "duplex": "full",
			"audio": fields{
				"input": fields{
					"format":         fields{"type": "audio/pcm", "rate": 16000},
					"turn_detection": fields{"type": "patient", "patience_ms": 1800, "interrupt_response": true},
				},
				"output": fields{"format": fields{"type": "audio/pcm", "rate": 24000}, "speed": 0.9},
			},
			"parts": fields{"stt": "demo", "llm": "demo", "tts": "demo"},
			"demo": fields{
				"missing": []string{"DEEPGRAM_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "ELEVENLABS_API_KEY"},
				"script":  []string{"Hola, me gustaría reservar una mesa para dos personas.", "Yo soy muy cansado porque trabajo mucho."},
			},
		},
		"protocol":  fields{"version": "1.0", "features": []string{}},
		"heartbeat": fields{"interval_ms": 10000, "timeout_ms": 60000}, // scripts send no pings while they wait
	}
	maps.Copy(created, more)
	l.send("session.created", created)
}

// updated confirms the settings of the conversation.
func (l *line) updated(patience int, speed float64) {
	l.send("session.updated", fields{"session": fields{"id": "vs_1", "audio": fields{
		"input":  fields{"turn_detection": fields{"patience_ms": patience}},
		"output": fields{"speed": speed},
	}}})
}

// reconfigured confirms a change of how turns are taken: of duplex, and of turn
// detection, whose patience of 0 stands for push-to-talk.
func (l *line) reconfigured(duplex string, patience int) {
	var detection any
	if patience > 0 {
		detection = fields{"type": "patient", "patience_ms": patience, "interrupt_response": true}
	}
	l.send("session.updated", fields{"session": fields{"id": "vs_1", "duplex": duplex, "audio": fields{
		"input":  fields{"turn_detection": detection},
		"output": fields{"speed": 0.9},
	}}})
}

// closeWith ends the conversation with a close code.
func (l *line) closeWith(code int, reason string) {
	_ = l.conn.Close(websocket.StatusCode(code), reason) // the page may have gone first
}

// stay keeps the connection open until the page leaves.
func (l *line) stay() {
	<-l.done
}

// learner plays one turn of the learner up to its acknowledgement.
func (l *line) learner(item, text string) {
	l.send("input_audio_buffer.speech_started", fields{"item_id": item, "audio_start_ms": 800})
	words := strings.Fields(text)
	for n := 2; n < len(words); n += 2 {
		l.send("conversation.item.input_audio_transcription.delta", fields{"item_id": item, "text": strings.Join(words[:n], " ") + "…", "stability": 0.5})
	}
	l.heardSilence()
	l.send("input_audio_buffer.speech_stopped", fields{"item_id": item, "audio_end_ms": 1800})
	l.send("input_audio_buffer.committed", fields{"item_id": item, "reason": "semantic"})
	l.send("conversation.item.input_audio_transcription.completed", fields{"item_id": item, "transcript": text, "language": "es"})
	stored := fields{"id": item, "role": "user", "status": "completed", "content": []fields{{"type": "input_audio", "text": text}}}
	l.send("conversation.item.added", fields{"item": stored})
	l.send("conversation.item.done", fields{"item": stored})
}

// reply is one answer of the tutor.
type reply struct {
	id, item string
	stream   uint16
	text     string
	frames   int    // of 100 ms
	repeats  string // the item that it says again
}

// begin announces the reply and sends its caption, word by word over its length.
func (l *line) begin(r reply) {
	response := fields{"id": r.id, "item_id": r.item, "status": "in_progress"}
	if r.repeats != "" {
		response["repeats"] = r.repeats
	}
	l.send("response.created", fields{
		"response": response, "stream": r.stream,
		"audio": fields{"format": fields{"type": "audio/pcm", "rate": 24000}},
	})
	words := strings.SplitAfter(r.text, " ")
	for i, word := range words {
		l.send("response.output_audio_transcript.delta", fields{
			"response_id": r.id, "item_id": r.item, "delta": word, "audio_start_ms": i * r.frames * 100 / len(words),
		})
	}
	l.send("response.output_audio_transcript.done", fields{"response_id": r.id, "item_id": r.item, "transcript": r.text})
	l.send("output_audio_buffer.mark", fields{"response_id": r.id, "name": "s1", "at_ms": 300})
}

// speak sends the reply's audio with a lead of half a second over real time, until it
// is all sent or stop says so.
func (l *line) speak(r reply, stop func() bool) (sent int) {
	begun := time.Now()
	for n := range r.frames {
		if lead := time.Duration(n)*100*time.Millisecond - time.Since(begun) - 500*time.Millisecond; lead > 0 {
			time.Sleep(lead)
		}
		if stop() {
			return n
		}
		l.sound(r.stream, n, n == r.frames-1)
	}
	l.send("response.output_audio.done", fields{"response_id": r.id, "item_id": r.item, "audio_ms": r.frames * 100})
	return r.frames
}

// finish ends the reply, with where its time went.
func (l *line) finish(r reply, status string) {
	l.send("response.done", fields{
		"response": fields{"id": r.id, "item_id": r.item, "status": status},
		"latency": fields{
			"endpoint_ms": 300, "stt_final_ms": 60, "llm_ttft_ms": 20, "clause_ms": 10, "tts_ttfb_ms": 15, "egress_ms": 5,
			"first_audio_ms": 340, "client_buffer_ms": 170, "heard_ms": 510, "client_ms": 505, "draft_ms": 25,
		},
	})
}

// whole speaks a reply to its end and waits until it was heard.
func (l *line) whole(r reply) {
	l.begin(r)
	l.speak(r, func() bool { return false })
	l.finish(r, "completed")
	l.expect("output_audio_buffer.stopped")
}

// interrupted speaks a reply until the learner talks over it, and then sends some late
// audio, which must not be heard. It returns what the page says was heard.
func (l *line) interrupted(r reply, heard string) map[string]any {
	l.begin(r)
	from := len(l.received())
	sent := l.speak(r, func() bool {
		loud := 0
		for _, f := range l.received()[from:] {
			if f.rms > 0.02 {
				loud++
			}
		}
		return loud >= 8
	})
	if sent == r.frames {
		l.t.Error("the learner did not interrupt")
	}
	l.send("output_audio_buffer.clear", fields{"response_id": r.id, "stream": r.stream, "reason": "turn_detected"})
	for n := range 3 {
		l.sound(r.stream, sent+n, false)
	}
	cleared := l.expect("output_audio_buffer.cleared")
	l.send("conversation.item.truncated", fields{"item_id": r.item, "audio_end_ms": cleared["played_ms"], "transcript": heard, "source": "client"})
	l.finish(r, "cancelled")
	return cleared
}

// ping asks for a pong, which must bring the same id and the time of the question.
func (l *line) ping() {
	id := "p" + strconv.Itoa(l.seq)
	asked := time.Since(l.begun).Milliseconds()
	l.send("ping", fields{"id": id, "rtt_ms": 0})
	pong := l.expect("pong")
	ts, ok := pong["ts"].(float64)
	if pong["id"] != id || !ok || int64(ts) < asked {
		l.t.Errorf("pong %v does not answer ping %s", pong, id)
	}
}
