package session

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// speaker is a client's loudspeaker under test: it plays what DOWNLINK writes by the
// clock, sample by sample, keeps what it played, and reports like a client does.
type speaker struct {
	// set before listen
	deaf   bool          // it does not know the orders to pause
	mute   bool          // it reports nothing
	buffer time.Duration // from the first frame to the first sample
	jitter func() time.Duration

	conn *fakeConn
	mu   sync.Mutex
	due  time.Time // of the last report: they do not overtake each other
	all  []*sounding
	now  *sounding
}

// sounding is one response at the loudspeaker.
type sounding struct {
	id       string
	turn     uint16
	pcm      []byte // received
	rendered []byte // played, in the order in which it was
	runs     int    // how often it ran dry
	complete bool
	cleared  bool
	paused   bool
	last     time.Time     // until when it is rendered
	rest     time.Duration // of a sample
	truth    float64       // milliseconds played when it was cleared
	stopped  bool
	ticking  bool
}

const speakerRate = 24000

// listen attaches the speaker to the talk's connection.
func (k *talk) listen(s *speaker) *speaker {
	s.conn = k.conn
	k.conn.mu.Lock()
	k.conn.listens = s.take
	k.conn.mu.Unlock()
	return s
}

// take gets what DOWNLINK writes.
func (s *speaker) take(w written) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := w.at
	switch e := w.event.(type) {
	case nil:
		s.frame(w.frame, now)
	case ResponseCreated:
		s.now = &sounding{id: e.Response.ID, turn: e.Stream}
		s.all = append(s.all, s.now)
	case PauseAudio:
		if n := s.now; n != nil && n.id == e.ResponseID && !s.deaf {
			s.advance(n, now)
			n.paused = true
			s.position(n)
		}
	case ResumeAudio:
		if n := s.now; n != nil && n.id == e.ResponseID && n.paused {
			n.paused, n.last = false, now
		}
	case ClearAudio:
		if n := s.now; n != nil && n.id == e.ResponseID && !n.cleared {
			s.advance(n, now)
			n.cleared, n.truth = true, n.playedMS()
			if !n.stopped {
				s.report(PlaybackCleared{ResponseID: n.id, PlayedMS: n.playedMS()})
			}
		}
	}
}

// frame takes a frame of audio.
func (s *speaker) frame(f Frame, now time.Time) {
	n := s.now
	if n == nil || n.turn != f.Stream || n.cleared {
		return
	}
	if n.last.IsZero() {
		n.last = now.Add(s.buffer)
		id := n.id
		time.AfterFunc(s.buffer, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if !n.cleared {
				s.report(PlaybackStarted{ResponseID: id})
			}
		})
	}
	s.advance(n, now)
	n.pcm = append(n.pcm, f.Audio...)
	n.complete = n.complete || f.Flags&FlagEndOfStream != 0
	if !n.ticking {
		n.ticking = true
		time.AfterFunc(s.buffer+250*time.Millisecond, func() { s.tick(n) })
	}
}

// advance renders what is due by now.
func (s *speaker) advance(n *sounding, now time.Time) {
	if n.paused || n.cleared || n.last.IsZero() || !now.After(n.last) {
		return
	}
	due := now.Sub(n.last) + n.rest
	samples := int(due * speakerRate / time.Second)
	n.rest, n.last = due-time.Duration(samples)*time.Second/speakerRate, now
	left := (len(n.pcm) - len(n.rendered)) / 2
	if samples > left {
		if !n.complete && len(n.rendered) > 0 {
			n.runs++
		}
		samples, n.rest = left, 0
	}
	n.rendered = append(n.rendered, n.pcm[len(n.rendered):len(n.rendered)+2*samples]...)
}

// tick reports as a client does every 250 ms.
func (s *speaker) tick(n *sounding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.advance(n, now)
	if n.cleared {
		return
	}
	if n.complete && len(n.rendered) == len(n.pcm) {
		n.stopped = true
		s.report(PlaybackStopped{ResponseID: n.id, PlayedMS: n.playedMS()})
		return
	}
	s.position(n)
	wait := 250 * time.Millisecond
	if n.complete {
		wait = min(wait, time.Duration(len(n.pcm)-len(n.rendered))*time.Second/2/speakerRate+time.Millisecond)
	}
	time.AfterFunc(wait, func() { s.tick(n) })
}

func (s *speaker) position(n *sounding) {
	s.report(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: n.id, PlayedMS: n.playedMS(),
		BufferedMS: float64(len(n.pcm)-len(n.rendered)) * 1000 / 2 / speakerRate}})
}

// report sends a report, late by the jitter, but not before the one before it.
func (s *speaker) report(c Control) {
	if s.mute {
		return
	}
	at := time.Now()
	if s.jitter != nil {
		at = at.Add(s.jitter())
	}
	if !at.After(s.due) {
		at = s.due.Add(time.Microsecond)
	}
	s.due = at
	time.AfterFunc(time.Until(at), func() {
		select {
		case s.conn.inputs <- Input{Control: c}:
		case <-s.conn.ended:
		}
	})
}

func (n *sounding) playedMS() float64 { return float64(len(n.rendered)) * 1000 / 2 / speakerRate }

// response is what the speaker has of the i-th response, as of now.
func (s *speaker) response(i int) *sounding {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if i >= len(s.all) {
		return &sounding{}
	}
	s.advance(s.all[i], time.Now())
	n := *s.all[i]
	return &n
}

// upTo is jitter between nothing and most, the same in every run.
func upTo(most time.Duration, seed uint64) func() time.Duration {
	rng := rand.New(rand.NewPCG(seed, 7))
	return func() time.Duration { return time.Duration(rng.Int64N(int64(most))) }
}

// synthesised is what the fake voice says for a text.
func synthesised(text string) []byte {
	u := &fakeUtterance{rate: speakerRate, chunks: make(chan providers.Chunk, 1)}
	_ = u.Write(context.Background(), text, true)
	return (<-u.chunks).PCM
}
