package session

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"kalami/providers/vad"
)

// framePool holds buffers of mic frames: UPLINK takes one per frame, LISTEN gives it back.
var framePool = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// uplink reads the client's socket: the only reader. It copies mic frames to
// LISTEN, marks edges of the voice, and passes controls on.
type uplink struct {
	conn  Conn
	lanes *lanes
	clock *clock
	// rate of the microphone in hertz; CONDUCTOR may change it until started is set
	rate    *atomic.Int32
	started *atomic.Bool
	// closed is set by CONDUCTOR while a half-duplex microphone is not listened to
	closed *atomic.Bool
	// lastInput is the wall time of the last byte, Unix nanoseconds, and again that of the
	// last that came after a silence
	lastInput *atomic.Int64
	again     *atomic.Int64
	dropped   *atomic.Int64
	places    *places

	// owned by run
	vad     *vad.Detector
	samples int64 // session audio so far, gaps included
	stream  uint16
	nextPos uint32
	first   bool
	voiced  time.Duration
	// sounding: the last window heard was voice
	sounding bool
	onset    int64    // session audio time at which the voice began
	told     edgeKind // of the voice
	waited   bool     // LISTEN took nothing while the mic lane was full
}

// run blocks until the connection is over and returns its *End, or until ctx ends.
func (u *uplink) run(ctx context.Context) error {
	var in Input
	for {
		if err := u.conn.Read(&in); err != nil {
			return err
		}
		now := time.Now().UnixNano()
		if now-u.lastInput.Swap(now) > int64(lateReport) {
			u.again.Store(now)
		}
		if in.Control == nil {
			if err := u.frame(ctx, &in.Frame); err != nil {
				return err
			}
			continue
		}
		if err := u.control(ctx, &in); err != nil {
			return err
		}
	}
}

// control passes a control on and waits until CONDUCTOR has obeyed it, so that audio
// behind it is taken as it says. While answers to what came before wait to be written
// it does not pass on more: a client that asks faster than it reads is slowed, and not
// taken for one that does not read. A microphone that is muted has no voice.
func (u *uplink) control(ctx context.Context, in *Input) error {
	if m, ok := in.Control.(DeviceState); ok && m.Muted {
		if err := u.hush(ctx); err != nil {
			return err
		}
	}
	for len(u.lanes.control) > controlQueue/2 {
		select {
		case <-u.lanes.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := u.signal(ctx, signal{control: in.Control, eventID: in.EventID, obeyed: u.lanes.obeyed}); err != nil {
		return err
	}
	select {
	case <-u.lanes.obeyed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// hush ends the voice, if there is one, where the audio ends.
func (u *uplink) hush(ctx context.Context) error {
	if u.vad == nil || !u.vad.Hush() {
		return nil
	}
	edge := voiceEdge{kind: voiceStopped, atMS: u.ms(u.samples), voiced: u.voiced}
	u.voiced = 0
	return u.signal(ctx, signal{voice: edge})
}

// signal passes s to CONDUCTOR, waiting while it is busy.
func (u *uplink) signal(ctx context.Context, s signal) error {
	select {
	case u.lanes.signals <- s:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// frame takes one mic frame in.
func (u *uplink) frame(ctx context.Context, f *Frame) error {
	if f.Flags&FlagSilence != 0 {
		return u.hush(ctx)
	}
	if len(f.Audio) == 0 {
		return nil
	}
	if u.vad == nil {
		u.started.Store(true)
		u.vad = vad.New(int(u.rate.Load()))
	}
	u.catchUp(f)
	start := u.samples
	u.samples += int64(len(f.Audio) / 2)
	u.clock.advance(u.ms(u.samples), time.Now())
	buf := framePool.Get().(*[]byte)
	*buf = append((*buf)[:0], f.Audio...)
	if u.closed.Load() { // the time passes, but nothing is heard
		clear(*buf)
		if err := u.hush(ctx); err != nil {
			return err
		}
	} else if err := u.listenFor(ctx, f.Audio, start); err != nil {
		return err
	}
	u.places.add(f.Stream, f.Seq, u.ms(start), u.ms(u.samples))
	wait := micWait
	if f.Flags&FlagRetransmission != 0 {
		wait = resentWait
	}
	u.enqueue(ctx, micFrame{buf: buf, startMS: u.ms(start), falls: u.falls(), stream: f.Stream, seq: f.Seq}, wait)
	return nil
}

// falls says whether the voice has just fallen silent, be it between two words. The
// recogniser should have it all by then, and not wait for frames to be joined: it takes
// the time of its own patience from the last sound that it has.
func (u *uplink) falls() bool {
	was := u.sounding
	u.sounding = u.vad.Sounding()
	return was && !u.sounding
}

// catchUp moves audio time over a gap that the client reports by its sample
// position: dropped frames take time all the same.
func (u *uplink) catchUp(f *Frame) {
	if u.first && f.Stream == u.stream {
		const longestGap = 30 // seconds; more is a client that counts wrongly
		if gap := int32(f.Pos - u.nextPos); gap > 0 && gap < longestGap*u.rate.Load() {
			u.samples += int64(gap)
		}
	}
	u.first, u.stream = true, f.Stream
	u.nextPos = f.Pos + uint32(len(f.Audio)/2)
}

// listenFor feeds the voice detector and reports edges.
func (u *uplink) listenFor(ctx context.Context, pcm []byte, start int64) error {
	windows, e, changed := u.vad.Feed(pcm)
	u.voiced += time.Duration(windows) * vad.Window
	if !changed && !u.vad.Active() {
		u.voiced = time.Duration(u.vad.Loud()) * vad.Window // clicks do not add up to a voice
	}
	if changed {
		edge := voiceEdge{kind: voiceStopped, atMS: max(0, u.ms(start+int64(e.At))), voiced: u.voiced}
		if e.Started {
			edge.kind, u.onset = voiceStarted, edge.atMS
		} else {
			u.voiced = 0
		}
		u.told = edge.kind
		if err := u.signal(ctx, signal{voice: edge}); err != nil {
			return err
		}
	}
	return u.follow(ctx)
}

// follow tells CONDUCTOR, once each, that the voice lasts and that it seems to be over:
// sooner than its end, which allows for pauses within a word.
func (u *uplink) follow(ctx context.Context) error {
	switch v := u.vad; {
	case v.Active() && u.told == voiceStarted && v.Lasted() >= vad.Lasting:
		u.told = voiceLasting
	case v.Active() && u.told == voiceLasting && v.Quiet() >= vad.Hush:
		u.told = voiceHushed
	default:
		return nil
	}
	return u.signal(ctx, signal{voice: voiceEdge{kind: u.told, atMS: u.onset}})
}

const (
	// micWait is how long UPLINK waits for LISTEN when the mic lane is full, and resentWait
	// with a frame that is sent again after a break: those all come at once, while the
	// recogniser may have to be woken, and none of them may be lost.
	micWait    = 20 * time.Millisecond
	resentWait = 5 * time.Second
)

// enqueue puts a frame on the mic lane. A network that was stuck delivers seconds of
// audio at once, faster than LISTEN is even woken: it gets a moment to come and take
// them. If it does not come, it waits for the recogniser itself, and the oldest frame
// is dropped for each that follows until there is room again.
func (u *uplink) enqueue(ctx context.Context, f micFrame, wait time.Duration) {
	select {
	case u.lanes.mic <- f:
		u.waited = false
		return
	default:
	}
	if !u.waited {
		u.waited = true
		moment := time.NewTimer(wait)
		defer moment.Stop()
		select {
		case u.lanes.mic <- f:
			u.waited = false
			return
		case <-moment.C:
		case <-ctx.Done(): // whoever reads next finds out
		}
	}
	u.enqueueNewest(f)
}

// enqueueNewest puts a frame on the mic lane, dropping the oldest when it is full.
func (u *uplink) enqueueNewest(f micFrame) {
	for {
		select {
		case u.lanes.mic <- f:
			return
		default:
		}
		select {
		case old := <-u.lanes.mic:
			framePool.Put(old.buf)
			u.dropped.Add(1)
		default:
		}
	}
}

func (u *uplink) ms(samples int64) int64 { return samples * 1000 / int64(u.rate.Load()) }
