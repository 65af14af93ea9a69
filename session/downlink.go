package session

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"
)

// Pacing: how far ahead of real time the tutor's audio is sent. A burst lets the
// client's player start at once; the lead then grows to the limit, so that a stall
// of the network is not heard, while a barge-in throws little away.
const (
	leadAtOnce = 300 * time.Millisecond
	leadGrowth = 1.5 // times real time, until the lead is reached
	// frameMost is the longest frame of the tutor's audio.
	frameMost = 100 * time.Millisecond
	// writeDeadline is how long one write may be blocked by a client that does not read.
	writeDeadline = 5 * time.Second
)

// downlink writes to the client's socket: the only writer, and the only one that closes it.
type downlink struct {
	conn     Conn
	line     Line // conn, if it outlives its sockets, and bounds its writes itself; or nil
	lanes    *lanes
	started  time.Time // of the session
	maxAhead time.Duration
	// fail ends the session. It comes before the connection is closed: else the reader's
	// "gone" would stand for the reason.
	fail context.CancelCauseFunc
	// stalled is set when a write was cut off for taking too long
	stalled atomic.Bool

	// owned by run
	seq      uint64
	floor    uint64 // audio of turns up to here is not wanted
	released uint64 // the last draft that became the answer
	closed   uint64 // the last turn whose audio was ended
	chunk    audioChunk
	holding  bool // chunk is not yet written to its end
	fresh    bool // nothing of it is
	pausing  pausing
	stream   *outStream
	guard    *time.Timer
}

// outStream is one response's audio on the wire.
type outStream struct {
	turn    uint64
	seq     uint32
	rate    int // hertz; 0 before the first audio
	samples int
	clips   inserted
	first   time.Time // wall time of the first frame
}

// run writes until ctx ends, then writes what is left on the control lane and
// closes the connection for the reason that ended ctx.
func (d *downlink) run(ctx context.Context) error {
	d.guard = time.AfterFunc(writeDeadline, func() {
		d.stalled.Store(true)
		d.fail(&End{Reason: EndSlowConsumer, Code: SlowConsumer})
		d.conn.Abort()
	})
	d.guard.Stop()
	// Whatever happens here, the connection is closed: else UPLINK would read for ever.
	err := guard(ctx, d.serve)
	d.fail(err)
	_ = guard(ctx, d.drain)
	d.guard.Stop()
	d.conn.Close(asEnd(context.Cause(ctx)))
	return err
}

// serve is the writing loop. Control goes first: an order to be silent must not
// wait behind the audio that it makes worthless.
func (d *downlink) serve(ctx context.Context) error {
	pace := time.NewTimer(0)
	defer pace.Stop()
	for {
		select {
		case o := <-d.lanes.control:
			if err := d.control(o); err != nil {
				return err
			}
			continue
		case <-ctx.Done():
			return context.Cause(ctx)
		default:
		}
		if d.waiting() {
			if err := d.await(ctx); err != nil {
				return err
			}
			continue
		}
		if d.holding {
			wait, err := d.audio(ctx)
			if err != nil {
				return err
			}
			if wait <= 0 {
				continue
			}
			pace.Reset(wait)
			select {
			case <-pace.C:
			case o := <-d.lanes.control:
				if err := d.control(o); err != nil {
					return err
				}
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			continue
		}
		select {
		case o := <-d.lanes.control:
			if err := d.control(o); err != nil {
				return err
			}
		case d.chunk = <-d.lanes.audio:
			d.holding = d.chunk.turn.id > max(d.floor, d.closed)
			d.fresh = d.holding
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// drain writes what CONDUCTOR left to be said, without waiting for more.
func (d *downlink) drain(context.Context) error {
	for !d.stalled.Load() {
		select {
		case o := <-d.lanes.control:
			if err := d.control(o); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// control obeys and writes one thing of the control lane.
func (d *downlink) control(o outbound) error {
	select {
	case d.lanes.room <- struct{}{}:
	default: // UPLINK has not seen the last notice
	}
	if o.flush > d.floor {
		d.floor = o.flush
		if d.holding && d.chunk.turn.id <= d.floor {
			d.holding, d.chunk = false, audioChunk{}
		}
	}
	d.released = max(d.released, o.release)
	d.obey(o.pause, time.Now())
	if o.clip != nil {
		d.interpose(o.clip)
	}
	if d.line != nil && o.state != nil {
		d.line.Keep(*o.state)
	}
	if o.event == nil {
		return nil
	}
	return d.event(o.event)
}

// event writes one event.
func (d *downlink) event(ev Event) error {
	d.seq++
	var id [20]byte
	h := Head{Seq: d.seq, EventID: string(strconv.AppendUint(append(id[:0], "evt_"...), d.seq, 36)), TS: time.Since(d.started).Milliseconds()}
	return d.guarded(func() error { return d.conn.WriteEvent(h, ev) })
}

// guarded runs one write; a connection that is no line is aborted when it takes too long.
func (d *downlink) guarded(write func() error) error {
	if d.line == nil {
		d.guard.Reset(writeDeadline)
	}
	err := write()
	d.guard.Stop()
	if err != nil && d.stalled.Load() {
		return &End{Reason: EndSlowConsumer, Code: SlowConsumer, Err: err}
	}
	if err != nil {
		return &End{Reason: EndGone, Err: err}
	}
	return nil
}

// captions writes the held chunk's captions and marks, once, ahead of its audio.
func (d *downlink) captions() error {
	clips := d.stream.clips
	if d.chunk.clip != "" {
		return d.clipCaption()
	}
	for _, c := range d.chunk.captions {
		c.AudioStartMS = int64(clips.start(int(c.AudioStartMS)))
		if err := d.event(c); err != nil {
			return err
		}
	}
	for _, m := range d.chunk.marks {
		m.AtMS = int64(clips.end(int(m.AtMS)))
		if err := d.event(m); err != nil {
			return err
		}
	}
	return nil
}

// waiting says whether the chunk is a draft's that has not become the answer, or of a
// turn that stands still, or the client is away: nothing of it may be written, while the control lane goes on.
func (d *downlink) waiting() bool {
	if !d.holding {
		return false
	}
	t := d.chunk.turn
	return t.held != nil && t.id > d.released || t.id == d.pausing.turn || !d.pausing.away.IsZero()
}

// await serves the control lane until the next thing on it: the release of the draft,
// the order to play on, or the order to forget it, comes there.
func (d *downlink) await(ctx context.Context) error {
	select {
	case o := <-d.lanes.control:
		return d.control(o)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// audio writes the next frame of the held chunk if it is due, else returns how
// long to wait for it. Captions and marks go ahead of the first.
func (d *downlink) audio(ctx context.Context) (time.Duration, error) {
	t := d.chunk.turn
	if d.stream == nil || d.stream.turn != t.id {
		d.stream = &outStream{turn: t.id, rate: d.chunk.rate}
	}
	if d.fresh {
		d.fresh = false
		if err := d.captions(); err != nil {
			return 0, err
		}
	}
	if len(d.chunk.pcm) == 0 {
		d.holding = false
		if d.chunk.last {
			return 0, d.finish(ctx)
		}
		return 0, nil
	}
	if wait := d.due(time.Now()); wait > 0 {
		return wait, nil
	}
	if d.line != nil && d.line.Full() {
		return linePoll, nil
	}
	d.stream.rate = d.chunk.rate
	n := min(len(d.chunk.pcm), d.chunk.rate*2*int(frameMost/time.Millisecond)/1000)
	before := d.reachedMS()
	if err := d.frame(d.chunk.pcm[:n], 0); err != nil {
		return 0, err
	}
	d.chunk.pcm = d.chunk.pcm[n:]
	return 0, d.lanes.report(ctx, d.written(before))
}

// frame writes one binary frame of the current stream.
func (d *downlink) frame(pcm []byte, flags FrameFlags) error {
	f := Frame{Flags: flags, Stream: uint16(d.stream.turn), Seq: d.stream.seq, Pos: uint32(d.stream.samples), Audio: pcm}
	if d.stream.first.IsZero() {
		d.stream.first = time.Now()
	}
	if err := d.guarded(func() error { return d.conn.WriteAudio(f) }); err != nil {
		return err
	}
	d.stream.seq++
	d.stream.samples += len(pcm) / 2
	return nil
}

// finish ends a response's stream: an empty last frame, then its closing events.
func (d *downlink) finish(ctx context.Context) error {
	t := d.chunk.turn
	d.closed = max(d.closed, t.id)
	if d.stream.samples > 0 || t.from != nil {
		if err := d.frame(nil, FlagEndOfStream); err != nil {
			return err
		}
	}
	done := CaptionDone{ResponseID: t.responseID, ItemID: t.itemID, Transcript: d.chunk.transcript}
	if err := d.event(done); err != nil {
		return err
	}
	if err := d.event(AudioDone{ResponseID: t.responseID, ItemID: t.itemID, AudioMS: int64(d.reachedMS())}); err != nil {
		return err
	}
	return d.lanes.report(ctx, progress{turn: t, kind: sentAll, at: time.Now(), ms: d.reachedMS()})
}

// due returns how long the next frame must still wait, by the pacing above.
func (d *downlink) due(now time.Time) time.Duration {
	if d.stream.first.IsZero() {
		return 0
	}
	elapsed := now.Sub(d.stream.first)
	sent := time.Duration(d.sentMS()+d.chunk.turn.aheadMS()) * time.Millisecond
	if dry := elapsed - sent; dry > 0 { // the player waits: what comes now is not played earlier for that
		d.shift(d.stream.turn, dry)
		elapsed = sent
	}
	// When audio may be sent: leadAtOnce + growth·elapsed, but never more than maxAhead ahead.
	byGrowth := time.Duration(float64(sent-leadAtOnce) / leadGrowth)
	byLead := sent - d.maxAhead
	return max(byGrowth, byLead) - elapsed
}

// sentMS is how much of the current response's audio was written.
func (d *downlink) sentMS() int { return d.stream.samples * 1000 / max(1, d.stream.rate) }

// reachedMS is the place in the response's audio up to which it was written, here and before.
func (d *downlink) reachedMS() int {
	_, ms, _ := d.chunk.turn.before()
	return ms + d.sentMS()
}
