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
	perWindow int // samples
	// energy of the window being filled
	sum   float64
	count int
	// state
	floor  float64
	voiced int // windows in a row
	quiet  int
	active bool
}

// newVAD returns a detector for PCM16 mono at rate hertz.
func newVAD(rate int) *vad {
	return &vad{perWindow: int(int64(rate) * int64(vadWindow) / int64(time.Second)), floor: vadFloorStart}
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
		if v.count++; v.count < v.perWindow {
			continue
		}
		loud := v.window(v.sum / float64(v.count))
		v.sum, v.count = 0, 0
		if loud {
			voicedWindows++
		}
		if started, ok := v.step(loud); ok {
			e, changed = edge{Started: started, At: i/2 + 1}, true
			if started {
				e.At -= vadOnset * v.perWindow
			} else {
				e.At -= vadRelease * v.perWindow
			}
		}
	}
	return voicedWindows, e, changed
}

// window says whether a window of that mean square is voice, and moves the floor.
func (v *vad) window(meanSquare float64) bool {
	limit := max(v.floor*vadFactor, vadMinimum)
	loud := meanSquare > limit*limit
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
			v.active = true
			return true, true
		}
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
