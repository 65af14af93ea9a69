package session

import (
	"sync"
	"time"

	"kalami/session/turntaking"
)

// clock relates the session's audio time (milliseconds of microphone since the
// first frame) to wall time. UPLINK moves it, everybody reads it.
type clock struct {
	mu    sync.Mutex
	atMS  int64
	heard time.Time
	// prompt are the wall times at which audio time 0 would have come by the
	// frame that was delayed least: in the stretch under way, and in the one before
	prompt [2]time.Time
	since  time.Time // when the stretch under way began
}

const (
	// promptStretch is how long the least delayed frame stands for the others; two
	// such stretches are looked at, which is short enough for clocks that drift apart.
	promptStretch = 2 * time.Second
	// micPause is how long no frame must come for audio time to have stood still.
	micPause = 500 * time.Millisecond
)

// advance says that audio up to atMS has arrived now.
func (c *clock) advance(atMS int64, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	origin := now.Add(-time.Duration(atMS) * time.Millisecond)
	switch {
	case now.Sub(c.heard) > micPause: // the first frame, or one after a pause or a stall
		c.prompt, c.since = [2]time.Time{origin, origin}, now
	case now.Sub(c.since) > promptStretch:
		c.prompt, c.since = [2]time.Time{origin, c.prompt[0]}, now
	default:
		c.prompt[0] = earlier(c.prompt[0], origin)
	}
	c.atMS, c.heard = atMS, now
}

// stood says that for a while no audio could come: what is silent since is so for that
// much less.
func (c *clock) stood(gap time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.heard.IsZero() {
		c.heard = c.heard.Add(gap)
	}
}

// audio returns what ties session audio time to the wall time of its coming.
func (c *clock) audio() turntaking.Audio {
	c.mu.Lock()
	defer c.mu.Unlock()
	return turntaking.Audio{AtMS: c.atMS, Heard: c.heard}
}

// promptly is when the audio at atMS would have arrived, had it been delayed no more
// than the quickest of the frames around it: jitter makes frames late and never early,
// so that this is the time at which it was spoken, plus the way. The zero time before
// the first frame.
func (c *clock) promptly(atMS int64) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.heard.IsZero() {
		return time.Time{}
	}
	return earlier(c.prompt[0], c.prompt[1]).Add(time.Duration(atMS) * time.Millisecond)
}

// nowMS returns the session audio time now, which is the last frame's.
func (c *clock) nowMS() int64 {
	return c.audio().AtMS
}
