package session

import (
	"slices"
	"sync"

	"kalami/session/learn"
)

const (
	// placeEvery is how often, in milliseconds of audio, the place of a frame is noted;
	// between two of them it is reckoned.
	placeEvery = 1000
	// placesMost is how many are remembered.
	placesMost = 96
)

// places tells which frame of the microphone holds a place of the session's audio.
// UPLINK adds to it, CONDUCTOR asks.
type places struct {
	mu      sync.Mutex
	runs    []run
	dropped bool // runs are gone that were before those
}

// run is a stretch of frames without a gap.
type run struct {
	fromMS, toMS int64
	stream       uint16
	seq, frames  uint32 // the first one's number, and how many there are
}

// add notes a frame that lasts from fromMS to toMS.
func (p *places) add(stream uint16, seq uint32, fromMS, toMS int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.runs); n > 0 {
		if r := &p.runs[n-1]; r.stream == stream && r.seq+r.frames == seq && r.toMS == fromMS && fromMS-r.fromMS < placeEvery {
			r.frames++
			r.toMS = toMS
			return
		}
	}
	if len(p.runs) == placesMost {
		p.runs = append(p.runs[:0], p.runs[1:]...)
		p.dropped = true
	}
	p.runs = append(p.runs, run{fromMS: fromMS, toMS: toMS, stream: stream, seq: seq, frames: 1})
}

// before is the frame that holds atMS: all of those before it are over then. It is not
// known of a time that is too long ago.
func (p *places) before(atMS int64) (learn.InputMark, bool) { return p.at(atMS, 0) }

// behind is the frame after the one that holds atMS.
func (p *places) behind(atMS int64) (learn.InputMark, bool) { return p.at(atMS, 1) }

func (p *places) at(atMS int64, more uint32) (learn.InputMark, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, _ := slices.BinarySearchFunc(p.runs, atMS, func(r run, ms int64) int {
		if r.fromMS > ms {
			return 1
		}
		return -1
	})
	if i == 0 { // before all that is known
		if len(p.runs) == 0 || p.dropped {
			return learn.InputMark{}, false
		}
		return learn.InputMark{Stream: p.runs[0].stream, Next: p.runs[0].seq}, true
	}
	r := p.runs[i-1]
	n := r.frames
	if atMS < r.toMS {
		n = min(n, uint32((atMS-r.fromMS)*int64(r.frames)/(r.toMS-r.fromMS))+more)
	}
	return learn.InputMark{Stream: r.stream, Next: r.seq + n}, true
}
