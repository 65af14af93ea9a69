package learner

import (
	"encoding/binary"
	"math"
	"sync"
	"time"
)

// The ear's measures. It knows voice by its energy, as the server does, in blocks that
// are short enough to say to 5 ms where it ended.
const (
	earBlock   = 5 * time.Millisecond
	earOnset   = 12 // loud blocks in a row that begin a voice: clicks are shorter
	earRelease = 60 // quiet blocks in a row after which another voice has to begin
	// earFactor is how much louder than the room a voice is, and earLeast the least RMS that is one.
	earFactor = 2.5
	earLeast  = 160
	// earFall and earRise are how the room's loudness follows a quieter and a louder block.
	earFall, earRise = 0.945, 1.0025
	earRoom          = 60 // the room at first
)

// ear is the client's own idea of when its speech ended: it follows the frames that are
// sent, or is told by whoever knows the recording.
type ear struct {
	mu   sync.Mutex // guards what follows
	rate int

	room        float64
	loud, quiet int  // blocks in a row
	voice       bool // is going on, or was within earRelease
	speaking    bool // somebody who knows the recording says that it is not over

	end   time.Time // when the speech ended; zero when it was asked for since
	endMS float64   // where in the microphone's stream
}

func newEar() *ear { return &ear{rate: 16000, room: earRoom} }

// tune sets the microphone's rate in hertz.
func (e *ear) tune(rate int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rate = rate
}

// hear follows a frame that begins at a sample of the stream, and whose last sample was
// taken at the time taken.
func (e *ear) hear(pcm []byte, pos uint32, taken time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.speaking = false
	block := max(1, e.rate*int(earBlock/time.Millisecond)/1000) * 2
	for at := 0; at+block <= len(pcm); at += block {
		if e.block(pcm[at : at+block]) {
			e.ended(pos, (at+block)/2, len(pcm)/2, taken)
		}
	}
}

// block says whether a block belongs to a voice.
func (e *ear) block(pcm []byte) bool {
	var sum float64
	for i := 0; i+1 < len(pcm); i += 2 {
		s := float64(int16(binary.LittleEndian.Uint16(pcm[i:])))
		sum += s * s
	}
	rms := math.Sqrt(sum / float64(len(pcm)/2))
	loud := rms > max(earLeast, e.room*earFactor)
	if rms < e.room {
		e.room = max(1, e.room*earFall)
	} else {
		e.room *= earRise
	}
	if !loud {
		e.loud = 0
		if e.quiet++; e.quiet >= earRelease {
			e.voice = false
		}
		return false
	}
	e.loud++
	e.quiet = 0
	e.voice = e.voice || e.loud >= earOnset
	return e.voice
}

// told follows a frame of a recording of which the caller knows where its speech ends:
// end samples into the frame, 0 when it has ended before, more than the frame holds
// when it has not.
func (e *ear) told(pcm []byte, pos uint32, taken time.Time, end int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.voice, e.loud = false, 0
	e.speaking = end > len(pcm)/2
	if end > 0 && !e.speaking {
		e.ended(pos, end, len(pcm)/2, taken)
	}
}

// ended notes that the speech went on to a sample of a frame; the caller holds mu.
func (e *ear) ended(pos uint32, sample, samples int, taken time.Time) {
	second := float64(e.rate)
	e.end = taken.Add(-time.Duration(float64(samples-sample) / second * float64(time.Second)))
	e.endMS = (float64(pos) + float64(sample)) * 1000 / second
}

// last is when and where the speech ended that is answered at now; ok is false if there
// was none since it was last asked, or if it still goes on.
func (e *ear) last(now time.Time) (end time.Time, endMS float64, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	end, endMS, e.end = e.end, e.endMS, time.Time{}
	return end, endMS, !end.IsZero() && !e.speaking && (!e.voice || e.quiet >= earOnset) && !now.Before(end)
}
