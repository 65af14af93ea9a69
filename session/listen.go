package session

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"kalami/providers"
)

const (
	// recogniserKeepAlive is how long a recogniser hears nothing before it is
	// told that silence is meant; Deepgram closes after 10 s and asks for 3–5 s.
	recogniserKeepAlive = 4 * time.Second
	// retryFirst and retryMost bound the wait before a lost recogniser is tried again; it doubles.
	retryFirst = 250 * time.Millisecond
	retryMost  = 5 * time.Second
)

// listen carries mic frames to the recogniser and what was heard to CONDUCTOR. It
// owns the recogniser's stream and opens another when one is lost.
type listen struct {
	recognizer providers.Recognizer
	options    func() providers.ListenOptions
	lanes      *lanes
	log        *slog.Logger
	// acked is the last mic frame passed to the recogniser, stream<<32 | seq, plus one; 0 for none
	acked *atomic.Uint64

	// owned by run
	epoch  int
	sent   int64 // samples on the stream now open
	spans  []span
	rate   int        // hertz, of the stream now open
	kept   []micFrame // taken off the lane and not sent, in order; at most keptMost
	down   bool
	rested bool        // the stream was closed on purpose
	idle   *time.Timer // fires when the recogniser should be told that silence is meant
}

// errOtherRate ends a stream that was opened before the client chose its format.
var errOtherRate = errors.New("session: the microphone has another rate")

// span says that from streamMS on, the recogniser's time stands for session audio time sessionMS.
type span struct{ streamMS, sessionMS int64 }

// maxSpans bounds how many gaps of one stream are remembered; older ones merge.
const maxSpans = 32

// run opens streams and serves them until ctx ends.
func (l *listen) run(ctx context.Context) error {
	l.idle = time.NewTimer(recogniserKeepAlive)
	defer l.idle.Stop()
	wait := retryFirst
	for ctx.Err() == nil {
		options, began := l.options(), time.Now()
		stream, err := l.open(ctx, options)
		if err == nil {
			l.rate = options.SampleRate
			err = l.serve(ctx, stream)
		}
		if ctx.Err() != nil {
			break
		}
		if l.ordered(ctx, err) {
			continue
		}
		l.log.Warn("recogniser lost", "provider", l.recognizer.Name(), "err", err)
		if err := l.missing(ctx, err); err != nil {
			return err
		}
		if time.Since(began) > retryMost { // it had been working
			wait = retryFirst
		}
		if !l.pause(ctx, wait) {
			break
		}
		wait = min(2*wait, retryMost)
	}
	return context.Cause(ctx)
}

// tell passes m to CONDUCTOR.
func (l *listen) tell(ctx context.Context, m heardMsg) error {
	select {
	case l.lanes.heard <- m:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// serve uses one stream until it breaks or ctx ends; it closes the stream.
func (l *listen) serve(ctx context.Context, stream providers.RecognitionStream) error {
	defer stream.Close()
	l.epoch++
	l.sent, l.spans = 0, l.spans[:0]
	l.idle.Reset(recogniserKeepAlive)
	if l.rested {
		l.rested = false
		if err := l.tell(ctx, heardMsg{awake: true}); err != nil {
			return err
		}
	}
	if err := l.back(ctx); err != nil {
		return err
	}
	if err := l.sendKept(ctx, stream); err != nil {
		return err
	}
	events, absent := stream.Events(), absenceOf(stream)
	for {
		select {
		case f := <-l.lanes.mic:
			if err := l.send(ctx, stream, f); err != nil {
				return err
			}
		case ev, ok := <-events:
			if !ok {
				return streamEnded(stream)
			}
			ev, bent := sane(ev, int(l.sent*1000/int64(l.rate)))
			if err := l.tell(ctx, heardMsg{event: l.place(ev), epoch: l.epoch, bent: bent}); err != nil {
				return err
			}
		case <-l.lanes.finalize:
			if err := stream.Finalize(ctx); err != nil {
				return err
			}
		case err := <-absent:
			if err := l.absent(ctx, err); err != nil {
				return err
			}
		case o := <-l.lanes.hearing:
			if err := l.obey(o, stream); err != nil {
				return err
			}
		case <-l.idle.C:
			if err := stream.KeepAlive(ctx); err != nil {
				return err
			}
			l.idle.Reset(recogniserKeepAlive)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// streamEnded says why a stream's events stopped.
func streamEnded(stream providers.RecognitionStream) error {
	if err := stream.Err(); err != nil {
		return err
	}
	return &providers.Error{Kind: providers.Unavailable, Op: "listen", Detail: "the stream ended"}
}

// send passes one frame on and gives its buffer back.
func (l *listen) send(ctx context.Context, stream providers.RecognitionStream, f micFrame) error {
	if l.options().SampleRate != l.rate {
		l.kept = append([]micFrame{f}, l.kept...)
		return errOtherRate
	}
	defer framePool.Put(f.buf)
	l.anchor(l.sent*1000/int64(l.rate), f.startMS)
	if err := stream.Send(ctx, *f.buf); err != nil {
		return err
	}
	if f.falls {
		if err := stream.Flush(ctx); err != nil {
			return err
		}
	}
	l.sent += int64(len(*f.buf) / 2)
	l.acked.Store(uint64(f.stream)<<32 | uint64(f.seq) + 1)
	l.idle.Reset(recogniserKeepAlive)
	return nil
}

// anchor begins a span where the two times have moved apart: frames were lost.
func (l *listen) anchor(streamMS, sessionMS int64) {
	const rounding = 2
	if n := len(l.spans); n > 0 {
		if apart := int64(l.session(int(streamMS))) - sessionMS; -rounding <= apart && apart <= rounding {
			return
		}
		if n == maxSpans {
			l.spans = append(l.spans[:0], l.spans[1:]...)
		}
	}
	l.spans = append(l.spans, span{streamMS: streamMS, sessionMS: sessionMS})
}

// place turns the recogniser's times into session audio time.
func (l *listen) place(ev providers.Heard) providers.Heard {
	ev.StartMS = l.session(ev.StartMS)
	ev.EndMS = l.session(ev.EndMS)
	words := make([]providers.Word, len(ev.Words))
	for i, w := range ev.Words {
		w.StartMS, w.EndMS = l.session(w.StartMS), l.session(w.EndMS)
		words[i] = w
	}
	ev.Words = words
	return ev
}

// session maps a time of the recogniser's stream to session audio time.
func (l *listen) session(streamMS int) int {
	at := int64(streamMS)
	for i := len(l.spans) - 1; i >= 0; i-- {
		if s := l.spans[i]; at >= s.streamMS || i == 0 {
			return int(s.sessionMS + at - s.streamMS)
		}
	}
	return streamMS
}
