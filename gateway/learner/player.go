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
	ear    *ear // knows when the learner's speech ended
	report func(session.Control)

	mu     sync.Mutex // guards what follows
	floor  int        // streams up to here were cleared; -1 at first
	now    *playing
	timer  *time.Timer // fires for the next report; nil when nothing plays
	closed bool
}

// playing is one reply at the loudspeaker.
type playing struct {
	id       string
	stream   uint16
	rate     int
	samples  int       // received
	complete bool      // the last frame came
	began    time.Time // of the stretch now playing
	base     time.Duration
	started  bool
}

func newPlayer(e *ear, report func(session.Control)) *player {
	return &player{ear: e, report: report, floor: -1}
}

// played is how much was played at t: by the clock, but no more than was received.
func (p *playing) played(t time.Time) time.Duration {
	if !p.started {
		return 0
	}
	return min(p.base+t.Sub(p.began), p.received())
}

func (p *playing) received() time.Duration {
	return time.Duration(p.samples) * time.Second / time.Duration(p.rate)
}

// event follows the server's orders.
func (p *player) event(ev session.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := ev.(type) {
	case session.ResponseCreated:
		p.now = &playing{id: e.Response.ID, stream: e.Stream, rate: e.Audio.Format.Rate}
	case session.ClearAudio:
		p.floor = int(e.Stream)
		if p.now == nil || p.now.id != e.ResponseID {
			return
		}
		played := p.now.played(time.Now())
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
	if n := p.now; !n.started && len(f.Audio) > 0 {
		n.started, n.began = true, now
		p.report(p.first(n.id, now))
	} else if n.base+now.Sub(n.began) > n.received() { // it had run dry: the stretch begins anew
		n.base, n.began = n.received(), now
	}
	p.now.samples += len(f.Audio) / 2
	p.now.complete = p.now.complete || f.Flags&session.FlagEndOfStream != 0
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
	played := n.played(time.Now())
	if left := n.received() - played; left > 0 || !n.complete {
		p.report(session.PlaybackPosition{PlaybackState: session.PlaybackState{ResponseID: n.id, PlayedMS: ms(played), BufferedMS: ms(left)}})
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
