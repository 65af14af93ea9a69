package providertest

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// RecognizerBySegments examines a [providers.Recognizer] that has each stretch of voice
// recognised when it is over: of the contract that [Recognizer] examines what can be
// asked of one without hypotheses, without a socket, and which asks its vendor nothing
// before the first segment. The fixture's Speech must be one segment. Of the failures
// RefusedKey, RefusedBusy, CutOff and Garbled are asked for.
func RecognizerBySegments(t *testing.T, newFixture func(t *testing.T) RecognizerFixture) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, f RecognizerFixture)
	}{
		{"a voice becomes a segment of words", hearsSegment},
		{"noise makes no words", ignoresNoise},
		{"drain delivers what was said last", drainDelivers},
		{"finalize ends the segment", finalizeCuts},
		{"keep-alives hold an idle stream", keepAliveHolds},
		{"empty audio is ignored", ignoresEmpty},
		{"listening ends with its context", listenCancelled},
		{"close frees at once and may be repeated", closeFrees},
		{"a refused key ends the stream", segmentFails(RefusedKey, providers.Denied)},
		{"a refusal for load ends the stream", segmentFails(RefusedBusy, providers.Overloaded)},
		{"a cut connection ends the stream", segmentFails(CutOff, providers.Unavailable)},
		{"a broken answer ends the stream", segmentFails(Garbled, providers.Unavailable)},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test.run(t, newFixture(t)) })
		})
	}
}

// hearsSegment: the start is told while the voice goes on, the words at its end.
func hearsSegment(t *testing.T, f RecognizerFixture) {
	l := f.listen(t)
	l.must(l.say(f.Speech[:len(f.Speech)/2/f.frame()*f.frame()]))
	synctest.Wait()
	if len(l.events) != 1 || l.events[0].Kind != providers.HeardStart {
		t.Errorf("told %v while the voice goes on, want its start", l.events)
	}
	l.must(l.say(f.Speech[len(f.Speech)/2/f.frame()*f.frame():]))
	events := l.drain()
	if got := final(events); plain(got) != plain(f.Text) {
		t.Errorf("heard %q, want %q", got, f.Text)
	}
	if at, length := events[len(events)-1].EndMS, len(f.Speech)/f.frame()*20; at > length {
		t.Errorf("the segment ends at %d ms, in audio of %d", at, length)
	}
}

// finalizeCuts: the segment ends where it is, and the voice goes on in the next.
func finalizeCuts(t *testing.T, f RecognizerFixture) {
	l := f.listen(t)
	l.must(l.say(f.Speech[:len(f.Speech)/2/f.frame()*f.frame()]))
	l.must(l.Finalize(t.Context()))
	select {
	case <-l.ended:
	case <-time.After(5 * time.Second):
		t.Error("no end after Finalize")
	}
	l.must(l.say(f.Speech[len(f.Speech)/2/f.frame()*f.frame():]))
	events := l.drain()
	if last := events[len(events)-1]; last.Segment != 1 || last.Text == "" {
		t.Errorf("the voice that went on became %+v", last)
	}
}

// segmentFails: the stream ends with the vendor's failure, and nothing can be sent any more.
func segmentFails(failure RecognizerFailure, kind providers.Kind) func(*testing.T, RecognizerFixture) {
	return func(t *testing.T, f RecognizerFixture) {
		f.Fail(failure)
		l := f.listen(t)
		_ = l.say(f.Speech) // it may fail on the way
		select {
		case <-l.over:
		case <-time.After(time.Minute):
			t.Fatal("the stream did not end")
		}
		e, ok := errors.AsType[*providers.Error](l.Err())
		if !ok || e.Kind != kind || e.Vendor != f.Recognizer.Name() || e.Op == "" {
			t.Errorf("Err is %v, want %v with its vendor", l.Err(), kind)
		}
		if failure == RefusedBusy && e.RetryAfter != BusyWait {
			t.Errorf("a wait of %v, want %v", e.RetryAfter, BusyWait)
		}
		if err := l.say(f.Speech); err == nil {
			t.Error("Send works on a stream that has ended")
		}
	}
}
