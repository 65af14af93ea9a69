package session

import (
	"encoding/binary"
	"time"
)

// Voice activity by energy. The recogniser knows better what is speech, but 150 to
// 500 ms later: without an ear of our own the tutor would cut in just when a
// hesitant learner goes on. So it only ever prolongs patience and draws the
// meter's edges; words alone make turns and interruptions.
const (
	vadWindow  = 20 * time.Millisecond
	vadOnset   = 3  // windows of voice that start it (60 ms)
	vadRelease = 15 // windows of quiet that end it (300 ms)
	// vadQuarters are looked at to tell where in its last window a voice ended, to 5 ms.
	vadQuarters = 4
	vadLasting  = 6 // windows of voice, of one that has not ended, that make it more than a click (120 ms)
	vadHush     = 8 // windows of quiet after which one that lasted seems to be over (160 ms)
	// vadFactor is the ratio of RMS to noise floor that counts as voice (8 dB).
	vadFactor = 2.5
	// vadMinimum is the least RMS that counts, −46 dBFS.
	vadMinimum = 160
	// vadFloorRise is how much the floor rises per window towards a steady noise:
	// it doubles in about 1.4 s, so that continuous noise stops being voice.
	vadFloorRise = 1.01
	// vadFloorStart assumes a quiet room until the first windows are heard.
	vadFloorStart = 60
)

// vad follows one learner's microphone. The zero value is not ready; use newVAD.
type vad struct {
	perWindow, perQuarter int // samples
	// energy of the window being filled, by its quarters
	quarters [vadQuarters]float64
	filled   int     // quarters
	sum      float64 // of the quarter being filled
	count    int     // its samples
	// state
	floor  float64
	voiced int // windows in a row
	quiet  int
	active bool
	tail   int // samples of the last loud window after its last loud quarter
	lasted int // windows of voice since it began
}

// newVAD returns a detector for PCM16 mono at rate hertz.
func newVAD(rate int) *vad {
	perWindow := int(int64(rate) * int64(vadWindow) / int64(time.Second))
	return &vad{perWindow: perWindow, perQuarter: perWindow / vadQuarters, floor: vadFloorStart}
}

// edge is a change of voice activity within a block: At counts samples from the block's start,
// negative when the voice began in an earlier block.
type edge struct {
	Started bool
	At      int
}

// feed takes a block of samples. It returns how many windows of it were voice,
// and the last edge within it, if any.
func (v *vad) feed(pcm []byte) (voicedWindows int, e edge, changed bool) {
	for i := 0; i+1 < len(pcm); i += 2 {
		sample := float64(int16(binary.LittleEndian.Uint16(pcm[i:])))
		v.sum += sample * sample
		if v.count++; v.count < v.perQuarter {
			continue
		}
		v.quarters[v.filled] = v.sum
		v.sum, v.count = 0, 0
		if v.filled++; v.filled < vadQuarters {
			continue
		}
		v.filled = 0
		loud := v.window()
		if loud {
			voicedWindows++
		}
		if started, ok := v.step(loud); ok {
			e, changed = edge{Started: started, At: i/2 + 1}, true
			if started {
				e.At -= vadOnset * v.perWindow
			} else {
				e.At -= vadRelease*v.perWindow + v.tail
			}
		}
	}
	return voicedWindows, e, changed
}

// window says whether the window that is full is voice, and where in it the voice
// ended if it did, and moves the floor.
func (v *vad) window() bool {
	var sum float64
	for _, q := range v.quarters {
		sum += q
	}
	meanSquare := sum / float64(v.perWindow)
	limit := max(v.floor*vadFactor, vadMinimum)
	loud := meanSquare > limit*limit
	if loud {
		v.tail = 0
		for i := vadQuarters - 1; i > 0 && v.quarters[i] <= limit*limit*float64(v.perQuarter); i-- {
			v.tail += v.perQuarter
		}
	}
	if square := v.floor * v.floor; meanSquare < square {
		// Fall fast: quiet is the truth about the room.
		v.floor = max(1, v.floor*0.8)
	} else {
		v.floor *= vadFloorRise
	}
	return loud
}

// hush ends the voice now; it says whether there was one.
func (v *vad) hush() bool {
	was := v.active
	v.active, v.voiced, v.quiet = false, 0, 0
	return was
}

// step counts windows and reports a change of activity.
func (v *vad) step(loud bool) (started, changed bool) {
	if loud {
		v.voiced++
		v.quiet = 0
		if !v.active && v.voiced >= vadOnset {
			v.active, v.lasted = true, vadOnset
			return true, true
		}
		v.lasted++
		return false, false
	}
	v.voiced = 0
	v.quiet++
	if v.active && v.quiet >= vadRelease {
		v.active = false
		return false, true
	}
	return false, false
}
