package session

import (
	"context"
	"errors"

	"kalami/providers"
)

// hearingOrder is what CONDUCTOR wants of LISTEN beside a final. The newest order stands.
type hearingOrder uint8

const (
	// hearRest: close the stream and do without one, which costs nothing, until the next
	// order. The mic lane then keeps the last frames, because LISTEN takes none: whoever
	// wakes it by speaking is heard from a moment before the voice.
	hearRest hearingOrder = iota + 1
	// hearWake: open a stream again.
	hearWake
	// hearAnew: replace the stream, which has gone silent; one that outlives its vendors
	// replaces the vendor and says to the next what was said to this one.
	hearAnew
	// hearDoubt: as hearAnew if what was said to it can be said to the next one; else a
	// recogniser that is only late would lose it.
	hearDoubt
)

var (
	// errRest ends a stream that is not wanted for now.
	errRest = errors.New("session: the recogniser rests")
	// errStalled ends a stream that says nothing.
	errStalled = errors.New("session: the recogniser has gone silent")
)

// order gives LISTEN an order; one that it has not taken yet is replaced. CONDUCTOR
// alone sends, so that it never waits.
func (l *lanes) order(o hearingOrder) {
	select {
	case <-l.hearing:
	default:
	}
	l.hearing <- o
}

// obey says whether the stream under way is to be ended, and how.
func (l *listen) obey(o hearingOrder, stream providers.RecognitionStream) error {
	switch o {
	case hearRest:
		return errRest
	case hearAnew, hearDoubt:
		if s, ok := stream.(providers.Survivor); ok {
			s.Renew(errStalled)
		} else if o == hearAnew {
			return errStalled
		}
	case hearWake: // it is awake
	}
	return nil
}

// ordered follows an order that ended a stream; it says whether it was one.
func (l *listen) ordered(ctx context.Context, err error) bool {
	switch {
	case errors.Is(err, errOtherRate):
		return true
	case errors.Is(err, errStalled):
		l.log.Warn("recogniser replaced", "provider", l.recognizer.Name(), "err", err)
		return true
	case !errors.Is(err, errRest):
		return false
	}
	l.log.Info("recogniser rests")
	l.rested = true
	for {
		select {
		case o := <-l.lanes.hearing:
			if o != hearRest {
				return true
			}
		case <-ctx.Done():
			return true
		}
	}
}
