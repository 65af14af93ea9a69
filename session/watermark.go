package session

import (
	"context"
	"sync"
	"time"

	"kalami/session/cutting"
)

// How much of a reply the voice is asked for ahead of what DOWNLINK has sent. What a
// learner interrupts has been paid for: so SPEAK gives the voice text for about
// highWater, and no more until less than lowWater of it is left to be sent. The text that
// waits fills the lane from THINK, which slows the model's stream.
const (
	highWater = 6 * time.Second
	// lowWater covers what a voice takes to begin with the next piece many times over.
	lowWater = 3 * time.Second
	// How long text will sound is an estimate. A voice without an alignment that has been
	// silent for spokenOut while less than dryWater of its audio waits to be sent has nothing
	// left to say, whatever was estimated; any voice that has said nothing for wontBegin
	// says nothing before it has more. Both are given the next piece.
	dryWater  = 1500 * time.Millisecond
	spokenOut = time.Second
	wontBegin = 2 * time.Second
	// lookAgain is how often SPEAK looks whether there is room again.
	lookAgain = 100 * time.Millisecond
	// enoughLetters must have sounded for their pace to be taken for that of the rest.
	enoughLetters = 20
)

// gauge knows how much audio the voice owes: that of the text it was given, less what
// was sent. The writer and the reader of an utterance share it.
type gauge struct {
	perLetter float64 // milliseconds, where the voice has not shown its pace

	mu       sync.Mutex
	letters  int // written
	received int // milliseconds of audio
	// sounded letters end at soundedMS, as far as is known
	sounded, soundedMS  int
	late                bool      // it has said nothing yet, and waits for more than it has
	aligned             bool      // the voice says so
	wroteAt, receivedAt time.Time // the last time
}

// newGauge makes that of a voice whose speed (1 is normal) is known, and nothing else.
func newGauge(speed float64) *gauge {
	return &gauge{perLetter: paceMS / cmpOr(speed, 1)}
}

// wrote notes text given to the voice.
func (g *gauge) wrote(text string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.letters += cutting.Letters(text)
	g.wroteAt = time.Now()
}

// got notes audio: how much there is by now, and how many letters of the text are known
// to end where in it.
func (g *gauge) got(receivedMS, sounded, soundedMS int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if receivedMS > g.received { // vendors also send messages without audio, which feed nobody
		g.received, g.receivedAt = receivedMS, time.Now()
	}
	if sounded > 0 {
		g.aligned, g.sounded, g.soundedMS = true, sounded, soundedMS
	}
}

// owed is how much audio of what was written is not sent, sentMS being so far.
func (g *gauge) owed(sentMS int64) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	pace := g.perLetter
	if g.sounded >= enoughLetters {
		pace = float64(g.soundedMS) / float64(g.sounded)
	}
	will := float64(g.soundedMS) + float64(g.letters-g.sounded)*pace
	return time.Duration(max(will, float64(g.received))-float64(sentMS)) * time.Millisecond
}

// waitsForAll says whether the voice is one that begins when it has all text: it is given
// the rest at once, since the learner hears nothing meanwhile.
func (g *gauge) waitsForAll() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.late && g.received == 0
}

// hungry says whether the voice has nothing left to say, or will say nothing before it
// has more. What a voice without an alignment has spoken out tells its pace.
func (g *gauge) hungry(sentMS int64, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if left := time.Duration(int64(g.received)-sentMS) * time.Millisecond; left > dryWater {
		return false
	}
	if g.aligned || g.wroteAt.After(g.receivedAt) {
		waits := now.Sub(later(g.wroteAt, g.receivedAt)) >= wontBegin
		g.late = g.late || waits && g.received == 0
		return waits
	}
	if now.Sub(g.receivedAt) < spokenOut {
		return false
	}
	g.sounded, g.soundedMS = g.letters, g.received
	return true
}

// room waits until the voice may be given more of the turn, or until ctx ends, whose
// cause it then returns.
func (g *gauge) room(ctx context.Context, t *turn) error {
	if g.owed(t.sentMS.Load()) < highWater || g.waitsForAll() {
		return nil
	}
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	for {
		select {
		case now := <-look.C:
			if sent := t.sentMS.Load(); g.owed(sent) < lowWater || g.hungry(sent, now) {
				return nil
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
