package providertest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"kalami/providers"
)

func hearsSpeech(t *testing.T, f RecognizerFixture) {
	l := f.listen(t)
	l.must(l.say(f.Speech))
	events := l.drain()
	if got := final(events); plain(got) != plain(f.Text) {
		t.Errorf("heard %q, want %q", got, f.Text)
	}
	updates, length := 0, len(f.Speech)/f.frame()*20
	for _, h := range events {
		if h.Kind == providers.HeardUpdate {
			updates++
		}
		if h.EndMS > length {
			t.Errorf("%v at %d ms, in audio of %d", h.Kind, h.EndMS, length)
		}
	}
	if updates < 3 {
		t.Errorf("%d updates while the learner spoke, want some", updates)
	}
}

func ignoresNoise(t *testing.T, f RecognizerFixture) {
	l := f.listen(t)
	l.must(l.say(f.Noise))
	for _, h := range l.drain() {
		if h.Text != "" || len(h.Words) > 0 {
			t.Errorf("%v with %q in noise", h.Kind, h.Text)
		}
	}
}

func drainDelivers(t *testing.T, f RecognizerFixture) {
	l := f.listen(t)
	l.must(l.say(f.Speech[:len(f.Speech)/2/f.frame()*f.frame()+f.frame()])) // in the middle of a word, a frame not joined
	events := l.drain()
	if len(events) == 0 || events[len(events)-1].Kind != providers.HeardEnd || events[len(events)-1].Text == "" {
		t.Errorf("%d events and the last is no end with words", len(events))
	}
	if got := plain(final(events)); !strings.HasPrefix(plain(f.Text), got) {
		t.Errorf("heard %q, want a beginning of %q", got, f.Text)
	}
}

func finalizeEnds(t *testing.T, f RecognizerFixture) {
	l := f.listen(t)
	l.must(l.say(f.Speech[:len(f.Speech)/2]))
	l.must(l.Finalize(t.Context()))
	select {
	case <-l.ended:
	case <-time.After(5 * time.Second):
		t.Error("no end after Finalize")
	}
	l.must(l.say(f.Speech[len(f.Speech)/2:]))
	if got := final(l.drain()); plain(got) != plain(f.Text) {
		t.Errorf("heard %q, want %q", got, f.Text)
	}
}

func keepAliveHolds(t *testing.T, f RecognizerFixture) {
	l := f.listen(t)
	for range 40 { // longer than any vendor waits
		time.Sleep(4 * time.Second)
		l.must(l.KeepAlive(t.Context()))
	}
	l.must(l.say(f.Speech))
	events := l.drain()
	if got := final(events); plain(got) != plain(f.Text) {
		t.Errorf("heard %q, want %q", got, f.Text)
	}
	if at, length := events[len(events)-1].EndMS, len(f.Speech)/f.frame()*20; at > length {
		t.Errorf("the last word ends at %d ms of %d ms of audio: idle time was counted", at, length)
	}
}

func ignoresEmpty(t *testing.T, f RecognizerFixture) {
	l := f.listen(t)
	l.must(l.Send(t.Context(), nil))
	l.must(l.Finalize(t.Context())) // nothing is waiting to be flushed
	l.must(l.Send(t.Context(), []byte{}))
	l.must(l.say(f.Speech))
	if got := final(l.drain()); plain(got) != plain(f.Text) {
		t.Errorf("heard %q, want %q", got, f.Text)
	}
}

func ignoresUnknown(t *testing.T, f RecognizerFixture) {
	f.Fail(UnknownMessage)
	hearsSpeech(t, f)
}

func vendorCloses(t *testing.T, f RecognizerFixture) {
	f.Fail(ClosedByVendor)
	e := f.listen(t).broken()
	if e.Kind != providers.Unavailable || !strings.Contains(e.Detail, CloseReason) {
		t.Errorf("got %v %q, want unavailable with the reason", e.Kind, e.Detail)
	}
	named(t, f, e)
}

func connectionCut(t *testing.T, f RecognizerFixture) {
	f.Fail(CutOff)
	e := f.listen(t).broken()
	if e.Kind != providers.Unavailable {
		t.Errorf("got %v, want unavailable", e.Kind)
	}
	named(t, f, e)
}

func messageGarbled(t *testing.T, f RecognizerFixture) {
	f.Fail(Garbled)
	e := f.listen(t).broken()
	if e.Kind != providers.Unavailable {
		t.Errorf("got %v, want unavailable", e.Kind)
	}
	named(t, f, e)
}

// named checks that an error says whose it is and which call's.
func named(t *testing.T, f RecognizerFixture, e *providers.Error) {
	t.Helper()
	if e.Vendor != f.Recognizer.Name() || e.Op == "" || e.RequestID == "" {
		t.Errorf("vendor %q, op %q, request id %q: something is missing", e.Vendor, e.Op, e.RequestID)
	}
}

// refused opens a stream that the vendor refuses.
func refused(t *testing.T, f RecognizerFixture) *providers.Error {
	t.Helper()
	s, err := f.Recognizer.Listen(t.Context(), f.Options)
	if err == nil {
		_ = s.Close()
		t.Fatal("Listen worked")
	}
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		t.Fatalf("Listen: %v, want a *providers.Error", err)
	}
	named(t, f, e)
	return e
}

func keyRefused(t *testing.T, f RecognizerFixture) {
	f.Fail(RefusedKey)
	if e := refused(t, f); e.Kind != providers.Denied || e.Detail == "" {
		t.Errorf("got %v %q, want denied with the vendor's words", e.Kind, e.Detail)
	}
}

func busyRefused(t *testing.T, f RecognizerFixture) {
	f.Fail(RefusedBusy)
	if e := refused(t, f); e.Kind != providers.Overloaded || e.RetryAfter != BusyWait {
		t.Errorf("got %v, wait %v; want overloaded, %v", e.Kind, e.RetryAfter, BusyWait)
	}
	l := f.listen(t) // nothing remembers the refusal
	l.must(l.say(f.Speech))
	l.drain()
}

func listenCancelled(t *testing.T, f RecognizerFixture) {
	why := errors.New("the learner left")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := f.Recognizer.Listen(ctx, f.Options); !errors.Is(err, why) {
		t.Errorf("Listen: %v, want the context's cause", err)
	}
}

func closeFrees(t *testing.T, f RecognizerFixture) {
	l := f.listen(t)
	l.must(l.say(f.Speech[:len(f.Speech)/2]))
	begun := time.Now()
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() { _ = l.Close() })
	}
	all.Wait()
	l.must(l.Close())
	if took := time.Since(begun); took > soon {
		t.Errorf("Close took %v", took)
	}
	<-l.over
	if err := l.Err(); err != nil {
		t.Errorf("Err after Close: %v", err)
	}
}

// flood sends in fast motion until Send fails.
func (l *listener) flood(ctx context.Context) error {
	for {
		if err := l.Send(ctx, l.f.Speech); err != nil {
			return err
		}
	}
}

func stalledSend(t *testing.T, f RecognizerFixture) {
	f.Fail(Stalled)
	l := f.listen(t)
	why := errors.New("the learner left")
	ctx, cancel := context.WithCancelCause(t.Context())
	// The learner leaves once a Send has been under way for a second: by then it is one that
	// the vendor blocks, however slowly those before it went.
	var left time.Time
	leaves := time.AfterFunc(time.Hour, func() { left = time.Now(); cancel(why) })
	err := error(nil)
	for err == nil {
		leaves.Reset(time.Second)
		err = l.Send(ctx, l.f.Speech)
	}
	if !errors.Is(err, why) {
		t.Errorf("Send: %v, want the context's cause", err)
	} else if took := time.Since(left); took > soon {
		t.Errorf("Send returned %v after its context", took)
	}
	if err := l.Send(t.Context(), f.Speech); err == nil {
		t.Error("Send works after half a message")
	}
}

func stalledSendTimesOut(t *testing.T, f RecognizerFixture) {
	f.Fail(Stalled)
	l := f.listen(t)
	begun := time.Now()
	if err := l.flood(context.Background()); providers.KindOf(err) != providers.Unavailable {
		t.Errorf("Send: %v, want unavailable", err)
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("Send blocked for %v", took)
	}
	<-l.over
	if kind := providers.KindOf(l.Err()); kind != providers.Unavailable {
		t.Errorf("Err: %v, want unavailable", l.Err())
	}
}

func stalledClose(t *testing.T, f RecognizerFixture) {
	f.Fail(Stalled)
	l := f.listen(t)
	sending := make(chan error)
	go func() { sending <- l.flood(t.Context()) }()
	time.Sleep(time.Second) // Send is blocked by now
	begun := time.Now()
	l.must(l.Close())
	if took := time.Since(begun); took > soon {
		t.Errorf("Close took %v", took)
	}
	if <-sending == nil {
		t.Error("Send returned nil from a closed stream")
	}
}

func stalledDrain(t *testing.T, f RecognizerFixture) {
	f.Fail(Stalled)
	l := f.listen(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	begun := time.Now()
	if err := l.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Drain: %v, want the context's end", err)
	}
	if took := time.Since(begun); took > 2*time.Second+soon {
		t.Errorf("Drain returned %v after its context", took-2*time.Second)
	}
}
