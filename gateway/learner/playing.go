package learner

import (
	"time"

	"kalami/session"
)

// playing is one reply at the loudspeaker.
type playing struct {
	id       string
	stream   uint16
	rate     int
	heard    func(response string, pcm []byte) // or nil
	samples  int                               // received
	complete bool                              // the last frame came
	started  bool
	paused   bool
	began    time.Time     // of the stretch now playing
	base     time.Duration // played before it
	pcm      []byte        // received and not told to heard
	told     int           // samples that were
}

// played is how much was played at t: by the clock, but no more than was received.
func (p *playing) played(t time.Time) time.Duration {
	if !p.started || p.paused {
		return p.base
	}
	return min(p.base+t.Sub(p.began), p.received())
}

func (p *playing) received() time.Duration { return p.length(p.samples) }

// length is how long so many samples last.
func (p *playing) length(samples int) time.Duration {
	return time.Duration(samples) * time.Second / time.Duration(p.rate)
}

// take takes a frame; it says whether playing begins with it.
func (p *playing) take(f session.Frame, now time.Time) (begins bool) {
	switch {
	case p.paused:
	case !p.started:
		begins = len(f.Audio) > 0
		p.started, p.began = begins, now
	case p.base+now.Sub(p.began) > p.received(): // it had run dry: the stretch begins anew
		p.base, p.began = p.received(), now
	}
	p.samples += len(f.Audio) / 2
	p.complete = p.complete || f.Flags&session.FlagEndOfStream != 0
	if p.heard != nil {
		p.pcm = append(p.pcm, f.Audio...)
	}
	return begins
}

// pause stops at the sample that is playing; nothing is lost.
func (p *playing) pause(now time.Time) {
	if !p.paused {
		p.base, p.paused = p.length(p.at(p.render(now))), true
	}
}

// resume plays on from the sample after the one at which it stopped.
func (p *playing) resume(now time.Time) {
	if p.paused {
		p.paused, p.began = false, now
	}
}

// at is the sample at a place of the reply.
func (p *playing) at(place time.Duration) int {
	return int((place*time.Duration(p.rate) + time.Second/2) / time.Second)
}

// render tells what was played since it was told last, and returns how much was played at all.
func (p *playing) render(now time.Time) time.Duration {
	played := p.played(now)
	if n := p.at(played) - p.told; p.heard != nil && n > 0 {
		p.heard(p.id, p.pcm[:2*n])
		p.pcm, p.told = p.pcm[2*n:], p.told+n
	}
	return played
}

// position is the report of where the player is.
func (p *playing) position(now time.Time) session.PlaybackPosition {
	played := p.played(now)
	return session.PlaybackPosition{PlaybackState: session.PlaybackState{ResponseID: p.id, PlayedMS: ms(played), BufferedMS: ms(p.received() - played)}}
}
