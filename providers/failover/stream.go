package failover

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"kalami/providers"
)

const (
	// streamEvents is how many events wait for the consumer; then the vendor waits.
	streamEvents = 16
	// chunk is how much audio is given to a vendor at once.
	chunk = 100 * time.Millisecond
	// quietFaster is how many times faster than speech silence is said again.
	quietFaster = 8
	// drainMost is how long a vendor may take to deliver what is left.
	drainMost = 5 * time.Second
	// wellAfter is how long a vendor must have listened live to be taken for one that works.
	wellAfter = 5 * time.Second
	// endWait is how long a segment's missing end is waited for while events of later ones come.
	endWait = time.Second
	// orphanWait is how long a vendor that took over may say nothing about the segment
	// under way before that is ended with what the lost vendor had understood.
	orphanWait = 3 * time.Second
	// againFirst and againMost bound the wait before all vendors are asked again; it doubles.
	againFirst = 100 * time.Millisecond
	againMost  = 2 * time.Second
)

var (
	errEnded    = errors.New("the stream ended")
	errClosed   = errors.New("the stream is closed")
	errGap      = errors.New("audio before this was not taken")
	errNotEnded = errors.New("no end after the last audio")
	// errHome ends a vendor's stream because a preferred one may listen again.
	errHome = errors.New("a preferred vendor may listen again")
)

// stream implements [providers.Survivor]. Its audio goes into a backlog, from which a
// feeder gives it to the vendor that listens now. The stream's own goroutine (run)
// receives that vendor's events, makes one line of them, and when the vendor is lost
// finds the next. It joins each vendor's feeder before it goes on, and Close joins it.
type stream struct {
	r       *Recognizer
	opt     providers.ListenOptions
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	backlog *backlog
	events  chan providers.Heard
	renew   chan error
	absence absence
	gap     error         // why audio is missing; belongs to who sends
	done    chan struct{} // closed by run: err is set, events is closed
	err     error

	// owned by run, and by the feeder that it waits for
	line    line
	buf     []byte      // of the feeder
	pace    *time.Timer // of the feeder
	wait    *time.Timer // runs while an end is waited for
	lost    time.Time   // since when no vendor got on; zero while one does
	losses  int         // since then
	since   time.Time   // when the vendor that listens now was attached
	level   time.Time   // when it had heard what there was; zero before
	proven  bool        // it has made words final
	backoff time.Duration
}

var _ providers.Survivor = (*stream)(nil)

// newStream makes a stream of a vendor's and starts its goroutine. ctx has the tenant and
// does not end.
func newStream(ctx context.Context, r *Recognizer, opt providers.ListenOptions, first hearer) *stream {
	s := &stream{r: r, opt: opt, backlog: newBacklog(opt.SampleRate, r.opt.Keep, r.blocks),
		events: make(chan providers.Heard, streamEvents), renew: make(chan error, 1), done: make(chan struct{}),
		absence: absence{told: make(chan error, 1)},
		pace:    stoppedTimer(), wait: stoppedTimer(), backoff: againFirst}
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.buf = make([]byte, s.backlog.bytes(chunk))
	s.line = newLine(s.emit)
	go s.run(first)
	return s
}

func stoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// emit hands an event to the consumer, or drops it once Close was called.
func (s *stream) emit(h providers.Heard) {
	select {
	case s.events <- h:
	case <-s.ctx.Done():
	}
}

// Send implements [providers.RecognitionStream]. It blocks only while the backlog is
// full of audio that no vendor has been given. What room came too late for is missing, so
// that nothing may follow it, as little as after half a message to a vendor.
func (s *stream) Send(ctx context.Context, audio []byte) error {
	for {
		if err := cmp.Or(s.over(), s.gap); err != nil {
			return err
		}
		if audio = audio[s.backlog.put(audio):]; len(audio) == 0 {
			return nil
		}
		select {
		case <-s.backlog.room:
		case <-s.done:
		case <-ctx.Done():
			s.gap = &providers.Error{Kind: providers.Unavailable, Vendor: s.r.Name(), Op: "listen", Err: errGap}
			return context.Cause(ctx)
		}
	}
}

// over returns why nothing can be sent any more, or nil.
func (s *stream) over() error {
	select {
	case <-s.done:
	default:
		return nil
	}
	if s.err != nil {
		return s.err
	}
	return &providers.Error{Kind: providers.Unavailable, Vendor: s.r.Name(), Op: "listen", Err: errClosed}
}

// order passes on what is asked for at this place of the audio.
func (s *stream) order(what step) error {
	if err := s.over(); err != nil {
		return err
	}
	s.backlog.order(what)
	return nil
}

// Flush implements [providers.RecognitionStream].
func (s *stream) Flush(context.Context) error { return s.order(stepFlush) }

// Finalize implements [providers.RecognitionStream]. A vendor that is lost before it
// has answered leaves the asking to the next.
func (s *stream) Finalize(context.Context) error { return s.order(stepFinalize) }

// KeepAlive implements [providers.RecognitionStream].
func (s *stream) KeepAlive(context.Context) error { return s.order(stepKeepAlive) }

// Events implements [providers.RecognitionStream].
func (s *stream) Events() <-chan providers.Heard { return s.events }

// Absent implements [providers.Survivor].
func (s *stream) Absent() <-chan error { return s.absence.told }

// Renew implements [providers.Survivor].
func (s *stream) Renew(why error) {
	select {
	case s.renew <- why:
	default: // it is about to be done
	}
}

// Err implements [providers.RecognitionStream].
func (s *stream) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Drain implements [providers.RecognitionStream].
func (s *stream) Drain(ctx context.Context) error {
	defer s.Close()
	s.backlog.order(stepDrain)
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close implements [providers.RecognitionStream].
func (s *stream) Close() error {
	s.cancel()
	<-s.done
	return nil
}

// run is the stream's goroutine: it follows one vendor after the other.
func (s *stream) run(v hearer) {
	defer s.finish()
	for {
		err := s.follow(v)
		switch {
		case err == nil:
			v.call.settle(nil)
			return
		case s.ctx.Err() != nil:
			v.call.left()
			return
		case errors.Is(err, errHome):
			v.call.settle(nil)
		default:
			s.fail(v, err)
		}
		if v, err = s.next(v.at, err); err != nil {
			if s.ctx.Err() == nil {
				s.err = err
			}
			return
		}
	}
}

// finish ends the stream for its consumer.
func (s *stream) finish() {
	s.absence.over()
	s.backlog.free()
	s.wait.Stop()
	close(s.events)
	close(s.done)
	s.cancel()
}

// fail notes the loss of a vendor.
func (s *stream) fail(v hearer, err error) {
	v.call.settle(err)
	s.r.opt.Observer.FailedOver(Recognition, AfterFirst)
	s.r.opt.Log.LogAttrs(s.ctx, slog.LevelWarn, "recogniser lost", slog.String("vendor", s.label(v.at)), slog.Any("err", err))
	if s.lost.IsZero() || !s.level.IsZero() && time.Since(s.level) > wellAfter {
		s.lost, s.losses, s.backoff = time.Now(), 0, againFirst
	}
	s.losses++
}

// next opens the next vendor's stream. It asks those that are fit to be asked, the one
// that was lost last, over and over, until the backlog can no longer bridge the gap.
func (s *stream) next(lost int, why error) (hearer, error) {
	if s.lost.IsZero() {
		s.lost = time.Now() // nobody failed
	}
	s.absence.begin(s.r.opt.Notice, why)
	for first := true; ; first = false {
		if !first || s.losses > len(s.r.ears) { // none of them gets on
			if time.Since(s.lost) > s.r.opt.Keep {
				return hearer{}, why
			}
			if err := s.rest(); err != nil {
				return hearer{}, err
			}
		}
		for _, i := range s.candidates(lost, first && !errors.Is(why, errHome)) {
			v, err := s.open(i)
			if err == nil {
				return v, nil
			}
			if s.ctx.Err() != nil {
				return hearer{}, context.Cause(s.ctx)
			}
			s.r.opt.Log.LogAttrs(s.ctx, slog.LevelWarn, "recogniser cannot take over", slog.String("vendor", s.label(i)), slog.Any("err", err))
			why = err
		}
	}
}

// rest waits before the vendors are asked again.
func (s *stream) rest() error {
	select {
	case <-time.After(s.backoff):
		s.backoff = min(2*s.backoff, againMost)
		return nil
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

// candidates are the vendors to ask, in order; the one that was just lost comes last.
func (s *stream) candidates(lost int, last bool) []int {
	order := s.r.order(s.opt.Language)
	if !last {
		return order
	}
	out := make([]int, 0, len(order)+1)
	for _, i := range order {
		if i != lost {
			out = append(out, i)
		}
	}
	return append(out, lost)
}

// open asks one vendor, for a bounded time.
func (s *stream) open(i int) (hearer, error) {
	return s.r.open(s.ctx, i, s.opt, ForRetry)
}

// label names a vendor in the log.
func (s *stream) label(i int) string { return s.r.rota.vendors[i].label }
