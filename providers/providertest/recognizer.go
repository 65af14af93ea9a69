package providertest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// RecognizerFixture is a recogniser and a vendor that can be made to fail. It is
// made inside a synctest bubble, so its sockets must be in memory (see [Serve]).
type RecognizerFixture struct {
	Recognizer providers.Recognizer
	// Options fit the audio.
	Options providers.ListenOptions
	// Speech is one utterance, followed by at least half a second of quiet.
	Speech []byte
	// Text is what Speech says; capitals and punctuation do not matter.
	Text string
	// Noise is two seconds or more of it, without a voice.
	Noise []byte
	// Fail makes the next stream go wrong.
	Fail func(RecognizerFailure)
}

// RecognizerFailure is something that goes wrong at the vendor.
type RecognizerFailure uint8

// What can go wrong.
const (
	// RefusedKey: the vendor refuses the key.
	RefusedKey RecognizerFailure = iota + 1
	// RefusedBusy: too many streams; the vendor asks to wait BusyWait.
	RefusedBusy
	// ClosedByVendor: once speech is heard, the vendor closes for CloseReason.
	ClosedByVendor
	// CutOff: once speech is heard, the connection breaks without a word.
	CutOff
	// Garbled: once speech is heard, a message is broken.
	Garbled
	// UnknownMessage: once speech is heard, a message of an unknown type comes.
	UnknownMessage
	// Stalled: the vendor accepts, then neither reads nor writes.
	Stalled
)

// What the failures carry.
const (
	CloseReason = "NET-0000: the vendor's own reason"
	BusyWait    = 7 * time.Second
)

// soon is the contract's bound on how long a call outlives its context.
const soon = 50 * time.Millisecond

// Recognizer examines a [providers.Recognizer]. newFixture is called once per
// test, inside a bubble of its own: time is virtual, so the bounds are exact, and
// a goroutine that outlives Close fails the test.
func Recognizer(t *testing.T, newFixture func(t *testing.T) RecognizerFixture) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, f RecognizerFixture)
	}{
		{"speech becomes segments of words", hearsSpeech},
		{"noise makes no words", ignoresNoise},
		{"drain delivers what was said last", drainDelivers},
		{"finalize ends the segment", finalizeEnds},
		{"keep-alives hold an idle stream", keepAliveHolds},
		{"empty audio is ignored", ignoresEmpty},
		{"an unknown message is ignored", ignoresUnknown},
		{"the vendor's close surfaces with its reason", vendorCloses},
		{"a cut connection is an error", connectionCut},
		{"a broken message is an error", messageGarbled},
		{"a refused key surfaces", keyRefused},
		{"a refusal for load surfaces", busyRefused},
		{"listening ends with its context", listenCancelled},
		{"close frees at once and may be repeated", closeFrees},
		{"a stalled vendor blocks send until its context ends", stalledSend},
		{"a stalled vendor blocks nothing for ever", stalledSendTimesOut},
		{"a stalled vendor cannot block close", stalledClose},
		{"a stalled vendor blocks drain until its context ends", stalledDrain},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test.run(t, newFixture(t)) })
		})
	}
}

// listener is an open stream whose events are being gathered.
type listener struct {
	providers.RecognitionStream
	t      *testing.T
	f      RecognizerFixture
	events []providers.Heard // complete once over is closed
	over   chan struct{}
	ended  chan struct{} // receives after every HeardEnd
}

// listen opens a stream and gathers its events until it ends.
func (f RecognizerFixture) listen(t *testing.T) *listener {
	t.Helper()
	s, err := f.Recognizer.Listen(t.Context(), f.Options)
	if err != nil {
		t.Fatalf("Listen: %v", err)
	}
	l := &listener{RecognitionStream: s, t: t, f: f, over: make(chan struct{}), ended: make(chan struct{}, 64)}
	go func() {
		defer close(l.over)
		for h := range s.Events() {
			l.events = append(l.events, h)
			if h.Kind == providers.HeardEnd {
				l.ended <- struct{}{}
			}
		}
	}()
	t.Cleanup(func() { _ = s.Close() })
	return l
}

// frame is 20 ms of audio in the fixture's format.
func (f RecognizerFixture) frame() int { return f.Options.SampleRate / 50 * 2 }

// say sends audio in real time, frame by frame, and returns Send's error.
func (l *listener) say(audio []byte) error {
	for size := l.f.frame(); len(audio) > 0; {
		n := min(size, len(audio))
		if err := l.Send(l.t.Context(), audio[:n]); err != nil {
			return err
		}
		audio = audio[n:]
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

// drain ends the stream in order and returns what was heard.
func (l *listener) drain() []providers.Heard {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 10*time.Second)
	defer cancel()
	if err := l.Drain(ctx); err != nil {
		l.t.Fatalf("Drain: %v", err)
	}
	<-l.over
	if err := l.Err(); err != nil {
		l.t.Errorf("Err after an orderly drain: %v", err)
	}
	checkOrder(l.t, l.events)
	return l.events
}

// must fails the test on an error.
func (l *listener) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// broken waits for a stream to end by itself and returns its error.
func (l *listener) broken() *providers.Error {
	l.t.Helper()
	_ = l.say(l.f.Speech) // fails somewhere on the way
	select {
	case <-l.over:
	case <-time.After(time.Minute):
		l.t.Fatal("the stream did not end")
	}
	e, ok := errors.AsType[*providers.Error](l.Err())
	if !ok {
		l.t.Fatalf("Err is %v, want a *providers.Error", l.Err())
	}
	if err := l.say(l.f.Speech); err == nil {
		l.t.Error("Send works on a stream that has ended")
	}
	return e
}

// final joins the texts of all ended segments.
func final(events []providers.Heard) string {
	var texts []string
	for _, h := range events {
		if h.Kind == providers.HeardEnd && h.Text != "" {
			texts = append(texts, h.Text)
		}
	}
	return strings.Join(texts, " ")
}

// plain leaves of a text what all recognisers agree on.
func plain(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune(" .,;:!?¡¿\"", r) }), " ")
}
