package providertest

import (
	"context"
	"errors"
	"testing"

	"kalami/providers"
	"kalami/providers/simulate"
)

// errMoved is the cause that the suite's contexts end with.
var errMoved = errors.New("the learner has moved on")

// ended is a context that is over.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errMoved)
	return ctx
}

// A vendor that falls silent holds up nothing but Next, and that only as long as
// its context and the stream live.
func testVoiceStalls(t *testing.T, under VoiceUnderTest) {
	b := newVoiceBench(t, under, simulate.Latency{})
	b.inject(simulate.Fault{Kind: simulate.FaultStall, After: 1})
	st := b.open(t)
	u := say(t, st)
	if err := u.Write(t.Context(), longText, true); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	got := make(chan error, 1)
	go func() {
		_, err := u.Next(ctx)
		got <- err
	}()
	cancel(errMoved)
	returns(t, "Next after its context's end", func() {
		if err := <-got; !errors.Is(err, errMoved) {
			t.Errorf("Next returned %v, want the context's cause", err)
		}
	})
	go func() {
		_, err := u.Next(context.Background())
		got <- err
	}()
	returns(t, "Close", func() {
		if err := st.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	returns(t, "Next after Close", func() {
		if err := <-got; err == nil || isEnd(err) {
			t.Errorf("Next returned %v, want an error", err)
		}
	})
}

// A context that is over is noticed before anything else happens, and harms nothing.
func testVoiceContexts(t *testing.T, under VoiceUnderTest) {
	b := newVoiceBench(t, under, simulate.Latency{})
	st := b.open(t)
	u := say(t, st)
	if err := u.Write(ended(t), firstClause, true); !errors.Is(err, errMoved) {
		t.Errorf("Write returned %v, want the context's cause", err)
	}
	if _, err := u.Next(ended(t)); !errors.Is(err, errMoved) {
		t.Errorf("Next returned %v, want the context's cause", err)
	}
	write(t, u, secondClause)
	if got := listen(t, u); !isEnd(got.err) || got.ms() == 0 {
		t.Errorf("afterwards: %d ms, %v", got.ms(), got.err)
	}
	if under.Socket {
		if _, err := b.voice.Open(ended(t), providers.SpeakOptions{Language: "en", SampleRate: voiceRate}); !errors.Is(err, errMoved) {
			t.Errorf("Open returned %v, want the context's cause", err)
		}
	}
	if _, err := b.voice.Open(t.Context(), providers.SpeakOptions{Language: "en", SampleRate: 12345}); providers.KindOf(err) != providers.Invalid {
		t.Errorf("Open at 12345 Hz returned %v, want an invalid request", err)
	}
}

// A closed stream is not alive, says so, and closes twice; an utterance that was
// in use is cancelled.
func testVoiceClosed(t *testing.T, under VoiceUnderTest) {
	b := newVoiceBench(t, under, slowly())
	st := b.open(t)
	u := say(t, st)
	if err := u.Write(t.Context(), longText, true); err != nil {
		t.Fatal(err)
	}
	if !st.Alive() {
		t.Error("an open stream is not alive")
	}
	for range 2 {
		if err := st.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if st.Alive() {
		t.Error("a closed stream is alive")
	}
	if got := listen(t, u); !errors.Is(got.err, providers.ErrCancelled) {
		t.Errorf("Next returned %v, want ErrCancelled", got.err)
	}
	if _, err := st.Say(t.Context()); err == nil {
		t.Error("a closed stream speaks")
	}
}
