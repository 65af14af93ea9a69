package learner

import (
	"sync"
	"time"

	"kalami/session"
)

// positionEvery is how often a playing client says how far it is.
const positionEvery = 250 * time.Millisecond

// player is a loudspeaker without sound: it plays a reply's audio by the clock from
// the first frame on, waits where audio is late, and reports as the protocol asks.
type player struct {
	ear     *ear // knows when the learner's speech ended
	report  func(session.Control)
	heard   func(response string, pcm []byte) // or nil
	playsOn bool                              // it does not know the orders to pause

	mu     sync.Mutex // guards what follows
	floor  int        // streams up to here were cleared; -1 at first
	now    *playing
	last   session.PlaybackState // of the reply that was played last
	word   session.Control       // the last one about the end of a reply; nil for none
	timer  *time.Timer           // fires for the next report; nil when nothing plays
	closed bool
}

// newPlayer returns a player that tells h what it plays and report what the protocol asks.
func newPlayer(e *ear, h Handler, report func(session.Control)) *player {
	return &player{ear: e, report: report, heard: h.Heard, playsOn: h.PlayOn, floor: -1}
}

// event follows the server's orders.
func (p *player) event(ev session.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := ev.(type) {
	case session.ResponseCreated:
		p.begin(e)
	case session.Mark:
		if n := p.now; n != nil && n.id == e.ResponseID {
			n.mark(e)
			if p.timer != nil {
				p.timer.Reset(p.next(positionEvery - time.Since(n.told)))
			}
		}
	case session.PauseAudio:
		if n := p.now; n != nil && n.id == e.ResponseID && !p.playsOn {
			n.pause(time.Now())
			p.report(n.position(time.Now()))
		}
	case session.ResumeAudio:
		if n := p.now; n != nil && n.id == e.ResponseID {
			n.resume(time.Now())
		}
	case session.ClearAudio:
		p.floor = int(e.Stream)
		if p.now == nil || p.now.id != e.ResponseID {
			return
		}
		played := p.now.render(time.Now())
		cleared := session.PlaybackCleared{ResponseID: e.ResponseID, PlayedMS: ms(played), DroppedMS: ms(p.now.received() - played)}
		p.finish(cleared, cleared.PlayedMS)
	}
}

// begin readies the player for a reply, or for the rest of the one that plays, which
// comes in another stream.
func (p *player) begin(e session.ResponseCreated) {
	n := p.now
	if n == nil || n.id != e.Response.ID {
		p.now = &playing{id: e.Response.ID, stream: e.Stream, rate: e.Audio.Format.Rate, heard: p.heard}
		return
	}
	if n.stream != e.Stream {
		n.goOn(e.Stream)
	}
}

// finish notes the last word about the reply that plays, and says it.
func (p *player) finish(word session.Control, playedMS float64) {
	p.last = session.PlaybackState{ResponseID: p.now.id, PlayedMS: playedMS}
	p.now, p.word = nil, word
	p.report(word)
}

// audio takes a frame; late says that its reply was cleared, or that it came before.
func (p *player) audio(f session.Frame) (late bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if int(f.Stream) <= p.floor || p.now == nil || f.Stream != p.now.stream || p.closed {
		return true
	}
	now := time.Now()
	begins, twice := p.now.take(f, now)
	if begins {
		p.now.told = now
		p.report(p.first(p.now.id, now))
	}
	p.arm()
	return twice
}

// first is the report of a reply's first sample, with what the learner waited for it.
// Nothing is buffered: it sounds as it arrives.
func (p *player) first(id string, now time.Time) session.PlaybackStarted {
	m := session.PlaybackStarted{ResponseID: id}
	if end, endMS, ok := p.ear.last(now); ok {
		m.LatencyMS, m.SpeechEndMS = ms(now.Sub(end)), endMS
	}
	return m
}

// arm sets the timer to the next report, or sooner to the next mark.
func (p *player) arm() {
	if p.timer == nil {
		p.timer = time.AfterFunc(p.next(positionEvery), p.tick)
	}
}

// next is when to look again, within most.
func (p *player) next(most time.Duration) time.Duration {
	n := p.now
	if n == nil || !n.started || n.paused {
		return most
	}
	played := n.played(time.Now())
	if len(n.marks) > 0 && n.marks[0].at > played {
		most = min(most, n.marks[0].at-played)
	}
	if left := n.received() - played; n.complete && left > 0 {
		most = min(most, left)
	}
	return most
}

// tick reports where the player is.
func (p *player) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, now := p.now, time.Now()
	if p.closed || n == nil {
		p.timer = nil
		return
	}
	played := n.render(now)
	for _, m := range n.reached(played) {
		p.report(session.PlaybackMark{Name: m.name, ResponseID: n.id, PlayedMS: ms(played)})
	}
	if left := n.received() - played; left > 0 || !n.complete {
		if now.Sub(n.told) >= positionEvery {
			n.told = now
			p.report(n.position(now))
		}
		p.timer.Reset(p.next(positionEvery - now.Sub(n.told)))
		return
	}
	p.timer = nil
	p.finish(session.PlaybackStopped{ResponseID: n.id, PlayedMS: ms(played)}, ms(played))
}

// stop ends playback without a report.
func (p *player) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
