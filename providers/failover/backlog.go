package failover

import (
	"sync"
	"time"

	"kalami/providers/vad"
)

const (
	// lead is how much audio before the end of what is final is said again, so that the
	// next vendor does not begin within a sound.
	lead = 200 * time.Millisecond
	// quietKept is how much of a silence is kept: a voice too low for the detector would
	// have made the vendor say something by then.
	quietKept = 3 * time.Second
	// onsetKept is how much before a voice is kept with it.
	onsetKept = 500 * time.Millisecond
	// voiceSlack is how far the detector and a vendor may differ about where a voice ended.
	voiceSlack = 200 * time.Millisecond
)

// backlog is what a stream has been told and may have to say again: the audio, and what
// was asked for at which place in it. Who sends fills it, the feeder of the vendor that
// listens now empties it, and the stream's own goroutine says what has been understood.
//
// Audio that no vendor has been given is never dropped: put waits. Of the rest the
// oldest is dropped for want of room.
type backlog struct {
	perSecond int64         // bytes
	limit     int64         // bytes that the ring may hold
	fed       chan struct{} // there is something for the feeder
	room      chan struct{} // there is room for who sends

	mu   sync.Mutex
	ring ring
	ear  *vad.Detector
	sent int64 // the furthest that any vendor was given
	at   int64 // how far the vendor that listens now was given; absent without one
	// Where something was asked for; absent when there is nothing to do.
	flush, finalize int64
	asked           bool // the vendor that listens now has been asked to finalize
	answered        bool // an end has followed
	keepAlive       bool
	drain           bool
	// What need not be kept.
	open     bool  // a segment is under way
	voiceAt  int64 // where the first voice that nothing is known about began, or absent
	voicedTo int64 // where the last voice was
}

// absent is no position.
const absent = -1

func newBacklog(rate int, keep time.Duration, pool *sync.Pool) *backlog {
	b := &backlog{perSecond: 2 * int64(rate), fed: make(chan struct{}, 1), room: make(chan struct{}, 1),
		ear: vad.New(rate), at: absent, flush: absent, finalize: absent, voiceAt: absent, answered: true}
	b.limit = b.bytes(keep)
	b.ring.pool = pool
	return b
}

// bytes is how many a stretch of audio has, in whole samples; ms is the time of a position.
func (b *backlog) bytes(d time.Duration) int64 {
	return int64(d) * (b.perSecond / 2) / int64(time.Second) * 2
}

// ms is the time of a position in milliseconds.
func (b *backlog) ms(at int64) int { return int(at * 1000 / b.perSecond) }

// position is where a time in milliseconds is.
func (b *backlog) position(ms int) int64 { return int64(ms) * (b.perSecond / 2) / 1000 * 2 }

// notify leaves a notice; one is enough.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// put takes as much of the audio as there is room for.
func (b *backlog) put(audio []byte) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if more := b.ring.size() + int64(len(audio)) - b.limit; more > 0 {
		heard := b.sent
		if b.at != absent {
			heard = b.at
		}
		b.ring.trim(min(b.ring.start+more, heard))
	}
	n := min(int64(len(audio)), b.limit-b.ring.size())
	b.ring.write(audio[:n])
	b.listen(audio[:n])
	if n > 0 {
		notify(b.fed)
	}
	return int(n)
}

// listen notes where there is a voice, and lets go of what is long silent.
func (b *backlog) listen(audio []byte) {
	b.ear.Feed(audio)
	if b.ear.Active() {
		if b.voiceAt == absent {
			b.voiceAt = b.ring.end - b.bytes(onsetKept)
		}
		if b.ear.Sounding() {
			b.voicedTo = b.ring.end
		}
	}
	if b.at == absent || b.open {
		return
	}
	to := min(b.ring.end-b.bytes(quietKept), b.at)
	if b.voiceAt != absent {
		to = min(to, b.voiceAt)
	}
	b.ring.trim(to)
}

// settle says that everything before a time is final, and whether a segment is under
// way. It returns the time, no later than that of the audio which a vendor was given.
func (b *backlog) settle(ms int, open bool) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := min(b.position(ms), b.sent)
	b.open = open
	b.ring.trim(at - b.bytes(lead))
	if b.voiceAt != absent && b.voiceAt < at {
		b.voiceAt = absent
		if b.voicedTo > at+b.bytes(voiceSlack) {
			b.voiceAt = at
		}
	}
	notify(b.room)
	return b.ms(at)
}

// ended says that the vendor has answered what was last asked of it, if anything was.
func (b *backlog) ended() {
	b.mu.Lock()
	b.answered = b.answered || b.asked
	b.mu.Unlock()
}

// attach begins to feed a vendor and returns the time in milliseconds at which its audio
// begins: where what is final ends, or a little before if it gives words times.
func (b *backlog) attach(settledMS int, untimed bool) (fromMS int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	from := b.position(settledMS)
	if !untimed {
		from -= b.bytes(lead)
	}
	fromMS = b.ms(min(max(from, b.ring.start), b.ring.end))
	b.at = max(b.position(fromMS), b.ring.start)
	b.asked = false
	if b.answered || b.finalize <= b.position(settledMS) {
		b.finalize, b.answered = absent, true
	}
	notify(b.fed)
	return fromMS
}

// detach says that nobody is fed.
func (b *backlog) detach() {
	b.mu.Lock()
	b.at = absent
	b.mu.Unlock()
	notify(b.room)
}

// order notes what is asked for at the end of the audio so far.
func (b *backlog) order(what step) {
	b.mu.Lock()
	switch what {
	case stepFlush:
		b.flush = b.ring.end
	case stepFinalize:
		b.finalize, b.answered, b.asked = b.ring.end, false, false
	case stepKeepAlive:
		b.keepAlive = true
	case stepDrain:
		b.drain = true
	}
	b.mu.Unlock()
	notify(b.fed)
}

// step is what the feeder has to do next.
type step uint8

const (
	stepWait step = iota
	stepAudio
	stepFlush
	stepFinalize
	stepKeepAlive
	stepDrain
)

// next says what to do next; for audio, which it copies to dst, also how much it is.
func (b *backlog) next(dst []byte) (step, int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch finalize := b.finalize != absent && !b.asked; {
	case finalize && b.finalize <= b.at:
		b.asked = true
		return stepFinalize, 0
	case b.flush != absent && b.flush <= b.at:
		b.flush = absent
		return stepFlush, 0
	case b.at < b.ring.end:
		stop := b.ring.end
		if finalize {
			stop = min(stop, b.finalize)
		}
		if b.flush != absent {
			stop = min(stop, b.flush)
		}
		return stepAudio, b.ring.read(dst[:min(int64(len(dst)), stop-b.at)], b.at)
	case b.drain:
		return stepDrain, 0
	case b.keepAlive:
		b.keepAlive = false
		return stepKeepAlive, 0
	}
	return stepWait, 0
}

// gave says that the vendor has taken n bytes more.
func (b *backlog) gave(n int) {
	b.mu.Lock()
	b.at += int64(n)
	b.sent = max(b.sent, b.at)
	b.mu.Unlock()
	notify(b.room)
}

// draining says whether no audio follows.
func (b *backlog) draining() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.drain
}

// free gives the memory back.
func (b *backlog) free() {
	b.mu.Lock()
	b.ring.free()
	b.mu.Unlock()
}
