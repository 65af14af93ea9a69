package simulate

import (
	"math"
	"slices"
)

const (
	// frameMS is the length of the frames that speech is detected in.
	frameMS = 20
	// hangMS bridges what is quiet inside words: closures of plosives and the like.
	hangMS = 120
	// onsetFrames in a row must be loud before it counts as speech: a click is none.
	onsetFrames = 3
	// leastLevel is the level under which nothing is speech, however quiet the room.
	leastLevel = 0.006
	// overFloor is how far speech stands out from the room's noise.
	overFloor = 2.2
	// cornerHz is where the high-pass filter begins: rumble, wind and brown noise
	// lie below, most of a voice's audible energy above.
	cornerHz = 300
	// floorBlocks blocks of floorFrames frames are what the noise floor remembers:
	// 6.4 s, long enough that a speaker has drawn breath in it.
	floorBlocks, floorFrames = 16, 20
	// startFloor is what a stream's first seconds take for the loudest possible
	// room: what is well above it is a voice even if nothing came before.
	startFloor = 0.012
)

// energy tells voice from quiet by the audio itself. It looks at frames of 20 ms:
// two first-order high-pass filters take the rumble away, and what is left counts
// as loud when it stands out from the noise floor. That is the quietest frame of
// the last six seconds, so that a fan or a noisy room raises it within that
// time, and the first silence lets it fall at once.
//
// It hears loud and quiet, not words: music is speech to it.
type energy struct {
	rate  int
	alpha float64    // of the filters
	prev  [2]float64 // the filters' last inputs
	out   [2]float64 // and outputs

	block  [floorBlocks]float64 // the quietest frame of each block
	newest int                  // the block that is being filled
	inside int                  // frames in it

	run   int  // loud frames in a row
	quiet int  // milliseconds since the last loud frame
	voice bool // speech is going on, short gaps included
}

func newEnergy(rate int) *energy {
	rc := 1 / (2 * math.Pi * cornerHz)
	e := &energy{rate: rate, alpha: rc / (rc + 1/float64(rate))}
	for i := range e.block {
		e.block[i] = startFloor
	}
	return e
}

// frameSamples is how many samples feed wants.
func (e *energy) frameSamples() int { return e.rate * frameMS / 1000 }

// feed takes one frame and says whether voice is going on.
func (e *energy) feed(frame []int16) bool {
	level := e.level(frame)
	loud := level > max(leastLevel, overFloor*e.floor(level))
	switch {
	case loud:
		e.run++
		e.quiet = 0
		e.voice = e.voice || e.run >= onsetFrames
	default:
		e.run = 0
		e.quiet += frameMS
		e.voice = e.voice && e.quiet < hangMS
	}
	return e.voice
}

// level is the filtered frame's root mean square, 1 at full scale.
func (e *energy) level(frame []int16) float64 {
	sum := 0.0
	prev, out := e.prev, e.out // locals: this is every sample of every learner
	for _, v := range frame {
		x := float64(v) / 32768
		for i := range out {
			y := e.alpha * (out[i] + x - prev[i])
			prev[i], out[i] = x, y
			x = y
		}
		sum += x * x
	}
	for i := range out { // in silence they fade for ever, and tiny numbers are slow
		prev[i], out[i] = audible(prev[i]), audible(out[i])
	}
	e.prev, e.out = prev, out
	return math.Sqrt(sum / float64(max(len(frame), 1)))
}

// audible is x, or 0 when x is far below a sample's smallest step.
func audible(x float64) float64 {
	const nothing = 1e-20
	if math.Abs(x) < nothing {
		return 0
	}
	return x
}

// floor adds a frame's level to what is remembered and returns the quietest.
func (e *energy) floor(level float64) float64 {
	if e.inside == 0 {
		e.newest = (e.newest + 1) % floorBlocks
		e.block[e.newest] = level
	}
	e.block[e.newest] = min(e.block[e.newest], level)
	e.inside = (e.inside + 1) % floorFrames
	return slices.Min(e.block[:])
}
