package failover

import (
	"context"
	"errors"
	"sync"
	"time"

	"kalami/providers"
	"kalami/providers/vad"
)

// follow makes a vendor listen from where what is final ends, and passes on what it
// understands until it is lost. It returns nil when the stream is over in order.
func (s *stream) follow(v hearer) error {
	select {
	case <-s.renew: // it was about the vendor before
	default:
	}
	s.since, s.level, s.proven = time.Now(), time.Time{}, false
	s.line.attach(s.backlog.attach(s.line.settledMS, v.ear.Untimed))
	defer s.backlog.detach()

	ctx, cancel := context.WithCancel(s.ctx)
	fed, level := make(chan error, 1), make(chan struct{}, 1)
	var feeder sync.WaitGroup
	feeder.Go(func() { fed <- s.feed(ctx, v, level) })
	defer func() {
		cancel()
		_ = v.Close() // a feeder that is stuck in it comes back
		feeder.Wait()
	}()
	return s.receive(v, fed, level)
}

// receive passes on what a vendor understands until it is lost, or has delivered
// everything. level tells that it has all the audio, fed why its feeder has stopped.
func (s *stream) receive(v hearer, fed <-chan error, level <-chan struct{}) error {
	defer s.wait.Stop()
	events := v.Events()
	for {
		select {
		case ev, ok := <-events:
			if !ok {
				return s.ended(v, fed)
			}
			s.hear(v, ev)
			if ev.Kind == providers.HeardEnd && !s.line.open && s.away(v) {
				return errHome
			}
			s.expect()
		case <-level:
			s.level = time.Now()
			s.absence.end()
			s.expect()
		case <-s.wait.C:
			if s.line.holding() {
				s.line.waived()
			} else {
				s.line.abandoned()
			}
			s.settle()
		case err := <-fed:
			if err == nil { // it was drained; the end of the events follows
				fed = nil
				continue
			}
			s.leftOver(v, events)
			return s.failure(v, err)
		case why := <-s.renew:
			return s.failure(v, why)
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		}
	}
}

// hear takes one event.
func (s *stream) hear(v hearer, ev providers.Heard) {
	settled := s.line.settledMS
	s.line.hear(ev)
	if ev.Kind == providers.HeardEnd {
		s.backlog.ended()
	}
	s.settle()
	if s.line.settledMS > settled { // it gets on
		if !s.proven {
			s.proven = true
			v.call.vendor.breaker.succeeded() // its end may be half an hour away
		}
		s.lost, s.losses, s.backoff = time.Time{}, 0, againFirst
	}
}

// settle lets the backlog go of what is final.
func (s *stream) settle() {
	s.line.settledMS = s.backlog.settle(s.line.settledMS, s.line.open)
}

// expect waits for what is missing: an end while events of later segments come, or a
// word about a segment that a lost vendor had begun.
func (s *stream) expect() {
	switch {
	case s.line.holding():
		s.wait.Reset(endWait)
	case !s.level.IsZero() && s.line.orphaned():
		s.wait.Reset(orphanWait)
	default:
		s.wait.Stop()
	}
}

// leftOver takes the events that have come already.
func (s *stream) leftOver(v hearer, events <-chan providers.Heard) {
	for {
		select {
		case ev, ok := <-events:
			if !ok {
				return
			}
			s.hear(v, ev)
		default:
			return
		}
	}
}

// ended says why a vendor's events have stopped: nil when it was drained.
func (s *stream) ended(v hearer, fed <-chan error) error {
	if err := v.Err(); err != nil {
		return s.failure(v, err)
	}
	switch {
	case fed == nil:
	case !s.backlog.draining():
		return s.failure(v, errEnded)
	default:
		select {
		case err := <-fed:
			if err != nil {
				return s.failure(v, err)
			}
		case <-time.After(drainMost): // it ended before it was asked to
			return s.failure(v, errEnded)
		}
	}
	for s.line.holding() {
		s.line.waived()
	}
	s.line.abandoned()
	return nil
}

// failure makes a vendor's failure of err, if it is none.
func (s *stream) failure(v hearer, err error) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	if _, ok := errors.AsType[*providers.Error](err); ok {
		return err
	}
	return &providers.Error{Kind: providers.Unavailable, Vendor: v.ear.Name(), Op: "listen", Err: err}
}

// away says whether it is time to go back to a preferred vendor that may listen again.
// That is done between two segments, when there is next to nothing to say again.
func (s *stream) away(v hearer) bool {
	if v.at == 0 || time.Since(s.since) < s.r.opt.CoolDown {
		return false
	}
	order := s.r.knowing(s.opt.Language, s.r.rota.outlook())
	return len(order) > 0 && order[0] < v.at
}

// feed gives a vendor the audio and what is asked for in it, what it was not there for
// at its own pace, until ctx ends or the vendor fails. It returns nil after Drain.
func (s *stream) feed(ctx context.Context, v hearer, level chan<- struct{}) error {
	defer s.pace.Stop()
	behind, ear := true, vad.New(s.opt.SampleRate)
	for {
		what, n := s.backlog.next(s.buf)
		if what != stepAudio && what != stepFlush && what != stepFinalize && behind {
			behind = false
			notify(level)
		}
		var err error
		switch what {
		case stepAudio:
			if err = v.Send(ctx, s.buf[:n]); err == nil {
				s.backlog.gave(n)
				if behind {
					err = s.slow(ctx, replaySpeed(v.ear.Replay, ear, s.buf[:n]), n)
				}
			}
		case stepFlush:
			err = v.Flush(ctx)
		case stepFinalize:
			err = v.Finalize(ctx)
		case stepKeepAlive:
			err = v.KeepAlive(ctx)
		case stepDrain:
			return s.drain(ctx, v)
		case stepWait:
			select {
			case <-s.backlog.fed:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if err != nil {
			return err
		}
	}
}

// replaySpeed is how many times faster than it was spoken audio is said again, with ear
// following it: where nobody speaks much faster, since a learner waits for the words behind.
func replaySpeed(speed float64, ear *vad.Detector, audio []byte) float64 {
	if ear.Feed(audio); !ear.Active() {
		speed *= quietFaster
	}
	return speed
}

// slow waits as long as n bytes take at a speed; negative is as fast as they are taken.
func (s *stream) slow(ctx context.Context, speed float64, n int) error {
	if speed < 0 {
		return nil
	}
	s.pace.Reset(time.Duration(float64(n) / float64(s.backlog.perSecond) / speed * float64(time.Second)))
	select {
	case <-s.pace.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// drain ends a vendor's stream in order, in bounded time.
func (s *stream) drain(ctx context.Context, v hearer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, drainMost, errNotEnded)
	defer cancel()
	return v.Drain(ctx)
}
