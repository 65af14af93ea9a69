package session

import (
	"context"
	"time"

	"kalami/providers"
)

// What the learner says is not lost when nobody listens. A recogniser whose streams
// outlive their vendors ([providers.Survivor]) keeps what is not final for 15 s, and LISTEN
// passes on that somebody is missing or back. Before there is a stream, and when one has
// ended because 15 s were not enough, LISTEN itself keeps the frames, and sends them to
// the next stream first.

// keptMost is how many frames LISTEN keeps while there is no stream: 15 s of 20 ms. Of
// more the oldest are dropped.
const keptMost = 750

// opening is an answer of the recogniser.
type opening struct {
	stream providers.RecognitionStream
	err    error
}

// open opens a stream and keeps frames meanwhile.
func (l *listen) open(ctx context.Context, options providers.ListenOptions) (providers.RecognitionStream, error) {
	answer := make(chan opening, 1)
	go func() { // ends with ctx at the latest; its answer is waited for
		stream, err := l.recognizer.Listen(ctx, options)
		answer <- opening{stream, err}
	}()
	for {
		select {
		case a := <-answer:
			return a.stream, a.err
		case f := <-l.lanes.mic:
			l.keep(f)
		}
	}
}

// pause waits d and keeps frames meanwhile; false when ctx has ended.
func (l *listen) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return true
		case f := <-l.lanes.mic:
			l.keep(f)
		case <-ctx.Done():
			return false
		}
	}
}

// keep keeps a frame for the next stream.
func (l *listen) keep(f micFrame) {
	if len(l.kept) == keptMost {
		framePool.Put(l.kept[0].buf)
		l.kept = append(l.kept[:0], l.kept[1:]...)
	}
	l.kept = append(l.kept, f)
}

// sendKept sends what was kept, in order.
func (l *listen) sendKept(ctx context.Context, stream providers.RecognitionStream) error {
	for len(l.kept) > 0 {
		f := l.kept[0]
		l.kept = l.kept[1:]
		if err := l.send(ctx, stream, f); err != nil {
			return err
		}
	}
	l.kept = nil
	return nil
}

// missing tells CONDUCTOR that nobody listens, whose fault is why.
func (l *listen) missing(ctx context.Context, why error) error {
	l.down = true
	return l.tell(ctx, heardMsg{down: why})
}

// back tells CONDUCTOR that somebody listens, if it thinks otherwise.
func (l *listen) back(ctx context.Context) error {
	if !l.down {
		return nil
	}
	l.down = false
	return l.tell(ctx, heardMsg{up: true})
}

// absenceOf is where a stream that outlives its vendors tells of their absence; nil for others.
func absenceOf(stream providers.RecognitionStream) <-chan error {
	if s, ok := stream.(providers.Survivor); ok {
		return s.Absent()
	}
	return nil
}

// absent passes on what such a stream tells.
func (l *listen) absent(ctx context.Context, why error) error {
	if why == nil {
		return l.back(ctx)
	}
	l.log.Warn("nobody listens", "provider", l.recognizer.Name(), "err", why)
	return l.missing(ctx, why)
}
