package main

import (
	"bytes"
	"sync"
	"testing"

	"kalami/gateway/learner"
	"kalami/providers/simulate"
	"kalami/session"
)

// A learner coughs over the tutor's greeting: it pauses, goes on, and the loudspeaker has
// played, sample by sample, what was received, which has no gap. A client that does not
// know pauses hears the same.
func TestCough(t *testing.T) {
	t.Parallel()
	for name, playOn := range map[string]bool{"pauses": false, "plays on": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, backends()[0], simulate.BenchLatency())
			speaker := &played{}
			p := join(t, h.url(), "de", "B2", func(l *learner.Handler) { l.Heard, l.PlayOn = speaker.add, playOn })
			answer := await[session.ResponseCreated](p, 1)
			p.until("the protected opening is over", func() bool { return p.played(answer.Response.ID) > 2600 })
			p.mic.Say(loudPCM(1)[:16000*2*14/100]) // 140 ms: too little for a word
			await[session.ResponseDone](p, 1)
			// A machine that is too slow to decide in time does not pause; session has the proof of it.
			if paused, resumed := len(told[session.PauseAudio](p)), len(told[session.ResumeAudio](p)); paused != resumed {
				t.Errorf("paused %d times, went on %d times", paused, resumed)
			}
			if n := len(told[session.ClearAudio](p)); n != 0 {
				t.Fatalf("it was taken for an interruption\n%s", p.story())
			}
			var received []byte
			for _, a := range p.all() {
				if a.frame.Stream != answer.Stream || len(a.frame.Audio) == 0 {
					continue
				}
				if want := uint32(len(received) / 2); a.frame.Pos != want || a.late {
					t.Errorf("a frame begins at sample %d, want %d", a.frame.Pos, want)
				}
				received = append(received, a.frame.Audio...)
			}
			if heard := speaker.of(answer.Response.ID); len(received) == 0 || !bytes.Equal(heard, received) {
				t.Errorf("played %d bytes that differ from the %d received", len(heard), len(received))
			}
		})
	}
}

// played keeps what a pupil's loudspeaker has played.
type played struct {
	mu  sync.Mutex
	pcm map[string][]byte
}

func (s *played) add(response string, pcm []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pcm == nil {
		s.pcm = map[string][]byte{}
	}
	s.pcm[response] = append(s.pcm[response], pcm...)
}

func (s *played) of(response string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pcm[response]
}
