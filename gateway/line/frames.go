package line

import (
	"math"
	"sync"
	"time"

	"kalami/session"
)

const (
	// keptAudio is how much of the tutor's audio a client may lack by its own word, when it
	// reports its position: 72 kB at 24 kHz.
	keptAudio = 1500 * time.Millisecond
	// keptMost is how much of it is kept for one that does not: it acknowledges events every
	// two seconds, and what it has in between is not known.
	keptMost = 6 * time.Second
	// reportsLate is how long after its last report a client that sends other things is
	// taken for one that does not report.
	reportsLate = 2 * time.Second
	// longestFrame is how much one more frame may be.
	longestFrame = 100 * time.Millisecond
	// keptResponses is how many responses' streams are known.
	keptResponses = 4
)

// framePool holds the audio of kept frames.
var framePool = sync.Pool{New: func() any { b := make([]byte, 0, 4800); return &b }}

// frameLog keeps the tutor's frames that the client is not known to have, in order.
type frameLog struct {
	kept      []frame
	samples   int
	rate      int // the highest that was announced, in hertz
	responses []response
	// heardAt is when something came from the client last, and reportedAt when a
	// position did; zero for never. announcedAt is when a stream was announced last.
	heardAt, reportedAt, announcedAt time.Time
	// tells: the client has said what it has, by a position or by an event. silent: it
	// never did, and goes on to talk; what is kept for it may go.
	tells, silent bool
}

// frame is one that is kept.
type frame struct {
	session.Frame         // its Audio is *buf
	buf           *[]byte // from the pool
	at            time.Time
	// before is the first event that was written after it on the same socket: whoever has
	// that one has the frame. MaxUint64 while it is not written.
	before uint64
}

// end is the place behind the frame's last sample.
func (f *frame) end() uint32 { return f.Pos + uint32(len(f.Audio)/2) }

// frameKey names a frame; the zero value is before all of them.
type frameKey struct {
	stream uint16
	seq    uint32
	set    bool
}

// response is one that was announced.
type response struct {
	id, itemID string
	stream     uint16
	rate       int
	seq        uint64 // of the event that announced it
	cleared    bool
	// fromMS is where in the response the stream begins: what is spoken again after a
	// break is a stream of its own, and the client counts on.
	fromMS int64
}

// older says whether a stream is before another; their numbers may wrap around.
func older(a, b uint16) bool { return int16(a-b) < 0 }

// announce notes the stream of a response.
func (g *frameLog) announce(r response) {
	if len(g.responses) == keptResponses {
		g.responses = append(g.responses[:0], g.responses[1:]...)
	}
	g.responses = append(g.responses, r)
	g.rate, g.announcedAt = max(g.rate, r.rate), time.Now()
}

// response returns one, with its latest stream.
func (g *frameLog) response(id string) (r response, ok bool) {
	for i := len(g.responses) - 1; i >= 0; i-- {
		if g.responses[i].id == id {
			return g.responses[i], true
		}
	}
	return response{}, false
}

// stream returns that of a response, or one that is no frame's.
func (g *frameLog) stream(id string) uint16 {
	r, _ := g.response(id)
	return r.stream
}

// add keeps a copy of f. The oldest go when there is too much, which happens only to a
// client that never says what it has, and to a writer that does not ask full first.
func (g *frameLog) add(f session.Frame) {
	buf := framePool.Get().(*[]byte)
	*buf = append((*buf)[:0], f.Audio...)
	f.Audio = *buf
	g.kept = append(g.kept, frame{Frame: f, buf: buf, at: time.Now(), before: math.MaxUint64})
	g.samples += len(f.Audio) / 2
	most, over := g.in(keptMost), 0
	if g.silent {
		most = g.in(keptAudio)
	}
	for left := g.samples; left > most && over < len(g.kept)-1; over++ {
		left -= len(g.kept[over].Audio) / 2
	}
	if over > 0 {
		first := g.kept[over]
		g.drop(func(f *frame) bool {
			return f.Stream == first.Stream && f.Seq < first.Seq || older(f.Stream, first.Stream)
		})
	}
}

// in is how many samples there are in d.
func (g *frameLog) in(d time.Duration) int {
	return int(d.Milliseconds()) * max(8000, g.rate) / 1000
}

// full says whether there is no room for another frame, of any length, besides those that
// the client is not known to have.
func (g *frameLog) full() bool {
	most := keptMost
	if g.reports() {
		most = keptAudio
	}
	return !g.silent && g.samples+g.in(longestFrame) > g.in(most)
}

// reports says whether the client reports its position, as far as it is known. It cannot
// report a stream before it was announced.
func (g *frameLog) reports() bool {
	due := g.reportedAt
	if g.announcedAt.After(due) {
		due = g.announcedAt
	}
	return !g.reportedAt.IsZero() && g.heardAt.Sub(due) < reportsLate
}

// heard notes that something came from the client. When it has had audio for so long and
// never said so, although it talks, it does not know that it should.
func (g *frameLog) heard(now time.Time) {
	g.heardAt = now
	if !g.tells && len(g.kept) > 0 && now.Sub(g.kept[0].at) >= reportsLate {
		g.silent = true
	}
}

// told notes that the client says what it has: it is waited for from here on.
func (g *frameLog) told() { g.tells, g.silent = true, false }

// acknowledged drops what came before the event that the client has seen.
func (g *frameLog) acknowledged(seq uint64) {
	g.told()
	g.drop(func(f *frame) bool { return f.before <= seq })
}

// played drops what the client's player has. Who reports a response has seen it announced,
// and what came before that on the same socket.
func (g *frameLog) played(p *session.PlaybackState) {
	g.told()
	r, ok := g.response(p.ResponseID)
	if !ok {
		return
	}
	has := uint32(min(max(0, (p.PlayedMS+p.BufferedMS-float64(r.fromMS))*float64(r.rate)/1000), 1<<31))
	g.drop(func(f *frame) bool {
		return f.before <= r.seq || f.Stream == r.stream && len(f.Audio) > 0 && f.end() <= has
	})
}

// sent notes that f was written, and which event comes after it.
func (g *frameLog) sent(f session.Frame, before uint64) {
	for i := len(g.kept) - 1; i >= 0; i-- {
		if k := &g.kept[i]; k.Stream == f.Stream && k.Seq == f.Seq {
			k.before = before
			return
		}
	}
}

// unsent forgets what was written on a socket that is lost.
func (g *frameLog) unsent() {
	for i := range g.kept {
		g.kept[i].before = math.MaxUint64
	}
}

// last is the newest frame, or the zero value.
func (g *frameLog) last() frameKey {
	if len(g.kept) == 0 {
		return frameKey{}
	}
	f := &g.kept[len(g.kept)-1]
	return frameKey{f.Stream, f.Seq, true}
}

// after returns the first frame after one, up to last; nil when there is none.
func (g *frameLog) after(one, last frameKey) *frame {
	for i := range g.kept {
		f := &g.kept[i]
		if one.set && !(older(one.stream, f.Stream) || one.stream == f.Stream && one.seq < f.Seq) {
			continue
		}
		if older(last.stream, f.Stream) || last.stream == f.Stream && last.seq < f.Seq {
			return nil
		}
		return f
	}
	return nil
}

// forget drops the frames of a stream and of those before it.
func (g *frameLog) forget(stream uint16) {
	if stream != 0 {
		g.drop(func(f *frame) bool { return f.Stream == stream || older(f.Stream, stream) })
	}
}

// drop drops the frames for which gone holds.
func (g *frameLog) drop(gone func(*frame) bool) {
	left := g.kept[:0]
	for i := range g.kept {
		f := g.kept[i]
		if gone(&f) {
			g.samples -= len(f.Audio) / 2
			framePool.Put(f.buf)
			continue
		}
		left = append(left, f)
	}
	clear(g.kept[len(left):])
	g.kept = left
}
