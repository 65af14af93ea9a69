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
	timer  *time.Timer // fires for the next report; nil when nothing plays
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
		p.now = &playing{id: e.Response.ID, stream: e.Stream, rate: e.Audio.Format.Rate, heard: p.heard}
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
		p.now = nil
		p.report(cleared)
	}
}

// audio takes a frame; late says that its reply was cleared.
func (p *player) audio(f session.Frame) (late bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if int(f.Stream) <= p.floor || p.now == nil || f.Stream != p.now.stream || p.closed {
		return true
	}
	now := time.Now()
	if p.now.take(f, now) {
		p.report(p.first(p.now.id, now))
	}
	p.arm()
	return false
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

// arm sets the timer to the next report.
func (p *player) arm() {
	if p.timer == nil {
		p.timer = time.AfterFunc(positionEvery, p.tick)
	}
}

// tick reports where the player is.
func (p *player) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.now
	if p.closed || n == nil {
		p.timer = nil
		return
	}
	played := n.render(time.Now())
	if left := n.received() - played; left > 0 || !n.complete {
		p.report(n.position(time.Now()))
		wait := positionEvery
		if n.complete {
			wait = min(wait, left)
		}
		p.timer.Reset(wait)
		return
	}
	p.timer, p.now = nil, nil
	p.report(session.PlaybackStopped{ResponseID: n.id, PlayedMS: ms(played)})
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
