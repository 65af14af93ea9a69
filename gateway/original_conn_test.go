package gateway

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
)

// A recording that comes in pieces makes a turn like any other; the original threw the
// pieces away.
func TestOriginalChunks(t *testing.T) {
	h := newOriginalHouse(t)
	p, c := h.lesson()
	file := wavFile(10 * time.Second)
	p.send(`{"type":"start_recording","payload":{}}`)
	p.want(`{"type":"recording_started","payload":{}}`)
	for piece := range slices.Chunk(file, 50_000) {
		p.sendBytes(piece)
		if got := p.next(); !strings.HasPrefix(got, `{"type":"audio_received","payload":{"bytes":`) {
			t.Fatalf("answered %s", got)
		}
	}
	p.send(`{"type":"stop_recording","payload":{}}`)
	p.answered(c)
	if asked := <-h.tutor.asked; !slices.Equal(asked.Recording.Audio, file) || asked.RecordingMS != 10_000 {
		t.Errorf("the tutor was asked about %d bytes of %d ms", len(asked.Recording.Audio), asked.RecordingMS)
	}
	// Announced and then sent whole, as the app does; and one thing that is no recording.
	p.send(`{"type":"start_recording"}`)
	p.send(`{"type":"stop_recording"}`)
	p.want(`{"type":"recording_started","payload":{}}`, toldTranscribing)
	p.send(`{"type":"stop_recording"}`)
	p.want(toldTranscribing)
	p.send(`{"type":"start_recording"}`)
	p.sendBytes([]byte("noise"))
	p.send(`{"type":"start_recording"}`) // begins again
	p.sendBytes([]byte("more noise"))
	p.send(`{"type":"stop_recording"}`)
	p.want(`{"type":"recording_started","payload":{}}`, `{"type":"audio_received","payload":{"bytes":5}}`,
		`{"type":"recording_started","payload":{}}`, `{"type":"audio_received","payload":{"bytes":10}}`, toldTranscribing)
	p.failed("invalid", "Error processing audio: the recording is not WAV, MP3, WebM, M4A or Ogg audio")
	h.roomIsWhole()
}

// The pieces of a recording have an end, too.
func TestOriginalChunksTooLarge(t *testing.T) {
	h := newOriginalHouse(t)
	p := h.call()
	p.send(`{"type":"start_recording"}`)
	p.want(`{"type":"recording_started","payload":{}}`)
	piece := make([]byte, 13<<20)
	p.sendBytes(piece)
	p.want(`{"type":"audio_received","payload":{"bytes":13631488}}`)
	p.sendBytes(piece)
	p.failed("message_too_large", "The recording is larger than 25 MB")
	p.want(`{"type":"audio_received","payload":{"bytes":13631488}}`)
	p.sendBytes(piece[:1])
	p.send(`{"type":"stop_recording"}`)
	p.send(`{"type":"ping"}`)
	p.want(`{"type":"audio_received","payload":{"bytes":1}}`, `{"type":"pong","payload":{}}`)
	h.roomIsWhole()
	p.send(`{"type":"start_recording"}`)
	p.sendBytes(piece)
	p.want(`{"type":"recording_started","payload":{}}`, `{"type":"audio_received","payload":{"bytes":13631488}}`)
	_ = p.ws.CloseNow() // and what was collected is given back
	h.settle()
	h.roomIsWhole()
}

// The largest recording is taken; a larger one is refused, and the socket goes on. One
// that does not end is not read to its end.
func TestOriginalLargeMessages(t *testing.T) {
	h := newOriginalHouse(t)
	p, c := h.lesson()
	largest := wavFile(time.Second)
	largest = append(largest, make([]byte, wire.MaxOriginalAudio-len(largest))...)
	p.record(largest)
	p.answered(c)
	p.record(append(largest, 0, 0, 0))
	p.failed("message_too_large", "The recording is larger than 25 MB")
	p.send(`{"type":"audio","payload":{"audio_base64":"` + strings.Repeat("A", wire.MaxOriginalBytes) + `"}}`)
	p.failed("message_too_large", "The recording is larger than 25 MB")
	p.send(`{"type":"ping"}`)
	p.want(`{"type":"pong","payload":{}}`)
	h.roomIsWhole()
	go func() {
		_ = p.ws.Write(t.Context(), websocket.MessageText, make([]byte, maxSkipped+wire.MaxOriginalBytes+1<<20))
	}()
	p.closed(websocket.StatusMessageTooBig, "message_too_large")
	h.roomIsWhole()
}

// What all sockets together hold is bounded; whoever finds no room is told to try again,
// and can.
func TestOriginalRoom(t *testing.T) {
	// Three quarters of it, all that sockets may have, are a little over 2 MiB.
	h := newOriginalHouse(t, func(o *Options) { o.BodyMemory = 8<<20/3 + 4 })
	h.tutor.go_ = make(chan struct{})
	first, c := h.lesson()
	file := append(wavFile(time.Second), make([]byte, 500<<10)...) // about 0.7 MB of base64, for which 2 MiB are set aside
	first.record(file)
	first.want(toldTranscribing)
	<-h.tutor.asked // and now holds the file alone
	second, _ := h.lesson()
	second.record(file)
	second.failed("overloaded", "Too much is being uploaded at the moment, try again shortly")
	second.send(`{"type":"start_recording"}`)
	second.want(`{"type":"recording_started","payload":{}}`)
	piece := make([]byte, 300<<10)
	second.sendBytes(piece)
	second.want(`{"type":"audio_received","payload":{"bytes":307200}}`)
	second.sendBytes(piece)
	second.failed("overloaded", "Too much is being uploaded at the moment, try again shortly")
	second.want(`{"type":"audio_received","payload":{"bytes":307200}}`)
	h.tutor.go_ <- struct{}{}
	first.want(toldHeard, toldThinking, toldSpeaking,
		`{"type":"response","payload":{"text":"¡Muy bien!","grammar_corrections":[],"session_id":"`+c+`"}}`, toldClip)
	h.roomIsWhole()
	second.record(file)
	second.want(toldTranscribing)
	h.tutor.go_ <- struct{}{}
	h.roomIsWhole()
}

// Large messages of sockets, which may take minutes to come, keep nobody from what needs a
// small body.
func TestOriginalLeavesRoom(t *testing.T) {
	h := newOriginalHouse(t, func(o *Options) { o.BodyMemory = 4 << 20 })
	talker, _ := h.lesson()
	talker.send(`{"type":"start_recording"}`)
	talker.want(`{"type":"recording_started","payload":{}}`)
	const piece = 60 << 10 // needs no room before it is kept
	told := `{"type":"audio_received","payload":{"bytes":61440}}`
	for full := false; !full; {
		talker.sendBytes(make([]byte, piece))
		got := talker.next()
		if full = got != told; full && !strings.Contains(got, `"overloaded"`) {
			t.Fatalf("the recording ended with %s", got)
		}
		if held := h.server.bodies.held.Load(); held > 3<<20 {
			t.Fatalf("sockets hold %d bytes of %d", held, 4<<20)
		}
	}
}

// A client whose network went silent is given up; one that only answers pings is not.
func TestOriginalDeadClient(t *testing.T) {
	h := newOriginalHouse(t)
	h.limits(func(l *originalLimits) {
		l.PingEvery, l.DeadAfter, l.WriteWait = 100*time.Millisecond, 2*time.Second, time.Second
	})
	alive, dead := h.call(), h.call() // dead does not read any more, and so answers no ping
	read := make(chan string, 1)
	go func() { read <- alive.next() }()
	h.eventually("the dead one is given up", func() bool { return h.sockets.live.active(h.user, "") == 1 })
	alive.send(`{"type":"ping"}`)
	if got := <-read; got != `{"type":"pong","payload":{}}` {
		t.Errorf("the living one got %s", got)
	}
	_ = dead.ws.CloseNow()
}

// A message that trickles in is given up, too, before it holds its memory for long.
func TestOriginalTrickle(t *testing.T) {
	h := newOriginalHouse(t)
	h.limits(func(l *originalLimits) { l.MessageWait = 100 * time.Millisecond })
	p := h.call()
	w, err := p.ws.Writer(t.Context(), websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = w.Write([]byte(strings.Repeat(" ", 1<<10)))
		time.Sleep(5 * time.Millisecond)
	}
	h.settle()
	h.roomIsWhole()
}

// A client that does not take its answers is cut off, and nobody waits for it.
func TestOriginalSlowClient(t *testing.T) {
	h := newOriginalHouse(t)
	h.limits(func(l *originalLimits) { l.WriteWait, l.Pace = time.Second, 1<<30 })
	h.tutor.says(func(r *session.TurnResult, _ *error) { r.Clip = make([]byte, wire.MaxOriginalClip) })
	p, c := h.lesson()
	p.record(wavFile(time.Second), "session_id", c)
	h.settle()
	if n, last := h.tutor.ends(); n != 1 || last != nil {
		t.Errorf("%d turns ended, the last with %v", n, last)
	}
}

// However many clips are asked for at once, each is one text frame.
func TestOriginalClipIsWhole(t *testing.T) {
	h := newOriginalHouse(t)
	clip := make([]byte, 3<<20)
	for i := range clip {
		clip[i] = byte(i * i >> 3)
	}
	h.tutor.says(func(r *session.TurnResult, _ *error) { r.Clip = clip })
	p, c := h.lesson()
	p.record(wavFile(time.Second))
	p.want(toldTranscribing, toldHeard, toldThinking, toldSpeaking,
		`{"type":"response","payload":{"text":"¡Muy bien!","grammar_corrections":[],"session_id":"`+c+`"}}`,
		`{"type":"audio","payload":{"audio_base64":"`+base64.StdEncoding.EncodeToString(clip)+`","format":"mp3"}}`)
	p.send(`{"type":"ping"}`)
	p.want(`{"type":"pong","payload":{}}`)
}
