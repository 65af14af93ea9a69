package learner

import (
	"slices"
	"time"

	"kalami/session"
)

// playing is one reply at the loudspeaker. Its places are counted from its beginning, also
// when its rest comes in another stream than the first.
type playing struct {
	id       string
	stream   uint16
	rate     int
	heard    func(response string, pcm []byte) // or nil
	origin   int                               // sample at which the stream begins
	samples  int                               // received
	complete bool                              // the last frame came
	started  bool
	paused   bool
	began    time.Time     // of the stretch now playing
	base     time.Duration // played before it
	pcm      []byte        // received and not handed to heard
	handed   int           // samples that were
	told     time.Time     // of the last report of a position
	marks    []placed      // not reached yet, in order
	passed   []placed      // reached; what is said of them again is no news
}

// placed is a mark and where it is.
type placed struct {
	name string
	at   time.Duration
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

// take takes a frame, of which what came before is dropped. begins says whether playing
// begins with it, twice whether all of it came before.
func (p *playing) take(f session.Frame, now time.Time) (begins, twice bool) {
	p.complete = p.complete || f.Flags&session.FlagEndOfStream != 0
	audio := f.Audio
	if again := p.samples - p.origin - int(f.Pos); again > 0 {
		audio = audio[min(len(audio), 2*again):]
		if twice = len(audio) == 0; twice {
			return false, true
		}
	}
	switch {
	case p.paused:
	case !p.started:
		begins = len(audio) > 0
		p.started, p.began = begins, now
	case p.base+now.Sub(p.began) > p.received(): // it had run dry: the stretch begins anew
		p.base, p.began = p.received(), now
	}
	p.samples += len(audio) / 2
	if p.heard != nil {
		p.pcm = append(p.pcm, audio...)
	}
	return begins, false
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

// cut drops what was received after end. What was played of that already is taken for not
// played: it comes again.
func (p *playing) cut(end time.Duration) {
	now := time.Now()
	played := p.render(now)
	p.samples = min(p.samples, p.at(end))
	p.pcm = p.pcm[:min(len(p.pcm), 2*max(0, p.samples-p.handed))]
	p.handed = min(p.handed, p.samples)
	p.base, p.began = min(played, p.received()), now
	p.complete, p.paused = false, false
	beyond := func(m placed) bool { return m.at > p.received() }
	p.marks, p.passed = slices.DeleteFunc(p.marks, beyond), slices.DeleteFunc(p.passed, beyond)
}

// goOn says that the rest of the reply comes in another stream.
func (p *playing) goOn(stream uint16) {
	p.stream, p.origin, p.complete = stream, p.samples, false
}

// at is the sample at a place of the reply.
func (p *playing) at(place time.Duration) int {
	return int((place*time.Duration(p.rate) + time.Second/2) / time.Second)
}

// render hands over what was played since it did so last, and returns how much was played
// at all.
func (p *playing) render(now time.Time) time.Duration {
	played := p.played(now)
	if n := p.at(played) - p.handed; p.heard != nil && n > 0 {
		p.heard(p.id, p.pcm[:2*n])
		p.pcm, p.handed = p.pcm[2*n:], p.handed+n
	}
	return played
}

// position is the report of where the player is.
func (p *playing) position(now time.Time) session.PlaybackPosition {
	played := p.played(now)
	return session.PlaybackPosition{PlaybackState: session.PlaybackState{ResponseID: p.id, PlayedMS: ms(played), BufferedMS: ms(p.received() - played)}}
}

// mark notes a mark of the server's, which may have been said before: another node that
// goes on with the reply says all of them.
func (p *playing) mark(e session.Mark) {
	m := placed{e.Name, time.Duration(e.AtMS) * time.Millisecond}
	if slices.ContainsFunc(p.passed, func(had placed) bool { return had.name == m.name }) {
		return
	}
	p.marks = slices.DeleteFunc(p.marks, func(had placed) bool { return had.name == m.name })
	i, _ := slices.BinarySearchFunc(p.marks, m, func(a, b placed) int { return int(a.at - b.at) })
	p.marks = slices.Insert(p.marks, i, m)
}

// reached takes the marks that were played.
func (p *playing) reached(played time.Duration) []placed {
	n := 0
	for n < len(p.marks) && p.marks[n].at <= played {
		n++
	}
	now := p.marks[:n:n]
	p.marks = p.marks[n:]
	p.passed = append(p.passed, now...)
	return now
}
