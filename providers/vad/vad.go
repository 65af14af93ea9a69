// Package vad says, by energy alone, when somebody speaks. A recogniser knows better
// what is speech, but 150 to 500 ms later; energy is known within a frame. So what is
// found here prolongs patience, draws the edges of a meter, cuts audio where nobody
// speaks, and says what need not be kept. Words alone make turns and interruptions.
//
// A window of 20 ms counts as voice when it is 8 dB above the noise, whose level is
// followed. Three windows in a row begin a voice, fifteen of quiet end it.
package vad

import (
	"encoding/binary"
	"time"
)

const (
	// Window is how much audio is judged as one.
	Window = 20 * time.Millisecond
	// Lasting is how many windows make a voice that has not ended more than a click (120 ms).
	Lasting = 6
	// Hush is after how many windows of quiet a voice that lasted seems to be over (160 ms).
	Hush = 8
)

const (
	onset   = 3  // windows of voice that start it (60 ms)
	release = 15 // windows of quiet that end it (300 ms)
	// quarters are looked at to tell where in its last window a voice ended, to 5 ms.
	quarters = 4
	// factor is the ratio of RMS to noise floor that counts as voice (8 dB).
	factor = 2.5
	// minimum is the least RMS that counts, −46 dBFS.
	minimum = 160
	// floorRise is how much the floor rises per window towards a steady noise:
	// it doubles in about 1.4 s, so that continuous noise stops being voice.
	floorRise = 1.01
	// floorStart assumes a quiet room until the first windows are heard.
	floorStart = 60
)

// Detector follows one microphone. The zero value is not ready; use [New]. It is used
// from one goroutine, allocates nothing and keeps no audio.
type Detector struct {
	perWindow, perQuarter int // samples
	// energy of the window being filled, by its quarters
	parts  [quarters]float64
	filled int     // quarters
	sum    float64 // of the quarter being filled
	count  int     // its samples
	// state
	floor  float64
	loud   int // windows in a row
	quiet  int
	active bool
	tail   int // samples of the last loud window after its last loud quarter
	lasted int // windows of voice since it began
}

// New returns a detector for PCM16 mono at rate hertz, 8000 or more.
func New(rate int) *Detector {
	perWindow := int(int64(rate) * int64(Window) / int64(time.Second))
	return &Detector{perWindow: perWindow, perQuarter: perWindow / quarters, floor: floorStart}
}

// Edge is a change of voice activity within a block: At counts samples from the block's start,
// negative when the voice began in an earlier block.
type Edge struct {
	Started bool
	At      int
}

// Feed takes a block of samples. It returns how many windows of it were voice,
// and the last edge within it, if any.
func (v *Detector) Feed(pcm []byte) (voicedWindows int, e Edge, changed bool) {
	for i := 0; i+1 < len(pcm); i += 2 {
		sample := float64(int16(binary.LittleEndian.Uint16(pcm[i:])))
		v.sum += sample * sample
		if v.count++; v.count < v.perQuarter {
			continue
		}
		v.parts[v.filled] = v.sum
		v.sum, v.count = 0, 0
		if v.filled++; v.filled < quarters {
			continue
		}
		v.filled = 0
		loud := v.window()
		if loud {
			voicedWindows++
		}
		if started, ok := v.step(loud); ok {
			e, changed = Edge{Started: started, At: i/2 + 1}, true
			if started {
				e.At -= onset * v.perWindow
			} else {
				e.At -= release*v.perWindow + v.tail
			}
		}
	}
	return voicedWindows, e, changed
}

// window says whether the window that is full is voice, and where in it the voice
// ended if it did, and moves the floor.
func (v *Detector) window() bool {
	var sum float64
	for _, q := range v.parts {
		sum += q
	}
	meanSquare := sum / float64(v.perWindow)
	limit := max(v.floor*factor, minimum)
	loud := meanSquare > limit*limit
	if loud {
		v.tail = 0
		for i := quarters - 1; i > 0 && v.parts[i] <= limit*limit*float64(v.perQuarter); i-- {
			v.tail += v.perQuarter
		}
	}
	if square := v.floor * v.floor; meanSquare < square {
		// Fall fast: quiet is the truth about the room.
		v.floor = max(1, v.floor*0.8)
	} else {
		v.floor *= floorRise
	}
	return loud
}

// Active says whether there is a voice, or was within the last 300 ms.
func (v *Detector) Active() bool { return v.active }

// Sounding says whether there is a voice and the last window was loud.
func (v *Detector) Sounding() bool { return v.active && v.quiet == 0 }

// Loud is how many windows in a row have been voice.
func (v *Detector) Loud() int { return v.loud }

// Quiet is how many windows in a row have not been voice.
func (v *Detector) Quiet() int { return v.quiet }

// Lasted is how many windows of voice there have been since it began.
func (v *Detector) Lasted() int { return v.lasted }

// Hush ends the voice now; it says whether there was one.
func (v *Detector) Hush() bool {
	was := v.active
	v.active, v.loud, v.quiet = false, 0, 0
	return was
}

// step counts windows and reports a change of activity.
func (v *Detector) step(loud bool) (started, changed bool) {
	if loud {
		v.loud++
		v.quiet = 0
		if !v.active && v.loud >= onset {
			v.active, v.lasted = true, onset
			return true, true
		}
		v.lasted++
		return false, false
	}
	v.loud = 0
	v.quiet++
	if v.active && v.quiet >= release {
		v.active = false
		return false, true
	}
	return false, false
}
