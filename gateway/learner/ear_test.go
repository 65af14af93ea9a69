package learner

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"kalami/session"
)

// sound makes ms of noise of a root mean square.
func sound(rate, ms int, rms float64, rng *rand.Rand) []byte {
	pcm := make([]byte, rate*ms/1000*2)
	for i := 0; i < len(pcm); i += 2 {
		binary.LittleEndian.PutUint16(pcm[i:], uint16(int16(rng.NormFloat64()*rms)))
	}
	return pcm
}

// part is so much of a sound.
type part struct {
	ms  int
	rms float64
}

// The ear tells to 5 ms when and where speech ended, at every rate, in a quiet room and
// a loud one; a click is no speech, nor is what was asked for already.
func TestEar(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	for name, c := range map[string]struct {
		parts  []part
		wantMS int // -1 for no speech that is over
	}{
		"a sentence":            {[]part{{500, 20}, {713, 2000}, {400, 20}}, 1213},
		"two phrases":           {[]part{{500, 20}, {700, 2000}, {150, 20}, {308, 1500}, {400, 20}}, 1658},
		"a soft end":            {[]part{{500, 20}, {700, 2000}, {40, 20}, {30, 900}, {400, 20}}, 1270},
		"a click after it":      {[]part{{500, 20}, {700, 2000}, {600, 20}, {10, 9000}, {200, 20}}, 1200},
		"a loud room":           {[]part{{4000, 300}, {700, 4000}, {400, 300}}, 4700},
		"a click":               {[]part{{500, 20}, {20, 9000}, {400, 20}}, -1},
		"silence":               {[]part{{500, 0}}, -1},
		"speech that goes on":   {[]part{{500, 20}, {700, 2000}}, -1},
		"speech that just ends": {[]part{{500, 20}, {700, 2000}, {20, 20}}, -1},
	} {
		for _, rate := range []int{8000, 16000, 24000, 48000} {
			rng := rand.New(rand.NewPCG(1, uint64(rate)))
			e := newEar()
			e.tune(rate)
			var pcm []byte
			for _, p := range c.parts {
				pcm = append(pcm, sound(rate, p.ms, p.rms, rng)...)
			}
			frame := rate / 50 * 2
			now := start
			for at := 0; at+frame <= len(pcm); at += frame {
				now = now.Add(FrameTime)
				e.hear(pcm[at:at+frame], uint32(at/2), now)
			}
			end, endMS, ok := e.last(now)
			if ok != (c.wantMS >= 0) {
				t.Errorf("%s at %d Hz: speech is over: %v", name, rate, ok)
				continue
			}
			if ok && (endMS < float64(c.wantMS)-1 || endMS > float64(c.wantMS)+5 || end.Sub(start)-time.Duration(endMS*1e6) > time.Microsecond) {
				t.Errorf("%s at %d Hz: speech ended at %v ms, %v after the start, want %d", name, rate, endMS, end.Sub(start), c.wantMS)
			}
			if _, _, again := e.last(now); again {
				t.Errorf("%s: the same speech is answered twice", name)
			}
		}
	}
}

// Whoever knows the recording is believed, whatever its energy.
func TestKnownEndOfSpeech(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	rng := rand.New(rand.NewPCG(1, 1))
	noise := sound(16000, 1000, 3000, rng)
	for name, c := range map[string]struct {
		end, wantMS int // in samples of the recording, and in milliseconds
	}{
		"in the middle":       {16000*470/1000 + 8, 470},
		"at the end":          {16000, 1000},
		"said to end later":   {99999, 1000},
		"said to be nothing":  {0, -1},
		"said to be negative": {-5, -1},
	} {
		m := &Mic{line: &Call{ear: newEar()}, rate: 16000}
		done := m.SayUntil(noise, c.end)
		frame := make([]byte, 640)
		now, pos := start, uint32(0)
		for range 60 {
			now = now.Add(FrameTime)
			if end, known := m.fill(frame); known {
				m.line.mouth().told(frame, pos, now, end)
			} else {
				m.line.mouth().hear(frame, pos, now)
			}
			pos += 320
		}
		select {
		case <-done:
		default:
			t.Errorf("%s: it is not said to be sent", name)
		}
		end, endMS, ok := m.line.mouth().last(now)
		if ok != (c.wantMS >= 0) || ok && (int(endMS) != c.wantMS || end.Sub(start).Milliseconds() != int64(c.wantMS)) {
			t.Errorf("%s: ended at %v ms, %v after the start (%v), want %d", name, endMS, end.Sub(start), ok, c.wantMS)
		}
	}
}

// The report of a reply's first sample says what was waited for it, and only for speech
// that it answers.
func TestFirstSampleTellsTheLatency(t *testing.T) {
	var told []session.PlaybackStarted
	e := newEar()
	p := newPlayer(e, Handler{}, func(ctl session.Control) {
		if m, ok := ctl.(session.PlaybackStarted); ok {
			told = append(told, m)
		}
	})
	defer p.stop()
	reply := func(id string, stream uint16) {
		p.event(session.ResponseCreated{Response: session.ResponseInfo{ID: id}, Stream: stream,
			Audio: session.AudioFormat{Format: session.Format{Type: session.PCM, Rate: 24000}}})
		p.audio(session.Frame{Stream: stream, Audio: make([]byte, 480)})
		p.audio(session.Frame{Stream: stream, Audio: make([]byte, 480)})
	}
	reply("greeting", 1)
	e.told(make([]byte, 640), 16000, time.Now().Add(-700*time.Millisecond), 160)
	reply("answer", 2)
	reply("wish", 3)
	if len(told) != 3 || told[0] != (session.PlaybackStarted{ResponseID: "greeting"}) || told[2] != (session.PlaybackStarted{ResponseID: "wish"}) {
		t.Fatalf("reported %+v", told)
	}
	if m := told[1]; m.ResponseID != "answer" || m.LatencyMS < 710 || m.LatencyMS > 60_000 || m.SpeechEndMS != 1010 {
		t.Errorf("reported %+v, want 710 ms and what the machine took, after speech that ended at 1010 ms", m)
	}
}
