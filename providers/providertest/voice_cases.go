package providertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kalami/providers"
	"kalami/providers/simulate"
)

// What the suite has spoken; the simulators have clips of it.
const (
	firstClause  = "Good evening, and welcome! "
	secondClause = "How can I help you? "
	longText     = "So you have lived here for five years, how nice! Today we have fresh fish, roast chicken, and a very good vegetable soup. What would you like to eat? "
)

// slowly is a vendor that speaks at twice real time, so that much is left to say
// when it is interrupted.
func slowly() simulate.Latency { return simulate.Latency{TTSRealTime: 2} }

// Audio arrives in order, is heard, and the marks cover what was written; several
// replies use one stream.
func testVoiceSpeaks(t *testing.T, under VoiceUnderTest) {
	b := newVoiceBench(t, under, simulate.Latency{})
	st := b.open(t)
	var first spoken
	for round := range 3 {
		u := say(t, st)
		write(t, u, firstClause, secondClause)
		got := listen(t, u)
		if !isEnd(got.err) {
			t.Fatalf("round %d ended with %v", round, got.err)
		}
		if got.ms() < 1500 || got.level() < 0.02 {
			t.Fatalf("round %d: %d ms of audio at level %.3f", round, got.ms(), got.level())
		}
		if under.Marks {
			got.checkMarks(t, firstClause+secondClause)
		}
		if round == 0 {
			first = got
		} else if string(got.pcm) != string(first.pcm) {
			t.Errorf("round %d sounds different from the first: %d and %d bytes", round, len(got.pcm), len(first.pcm))
		}
		u.Cancel() // harmless after the end
	}
	if !st.Alive() {
		t.Error("the stream is not alive after three replies")
	}
}

// A flush brings audio although the text goes on.
func testVoiceFlushes(t *testing.T, under VoiceUnderTest) {
	b := newVoiceBench(t, under, simulate.Latency{})
	u := say(t, b.open(t))
	if err := u.Write(t.Context(), firstClause, true); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := u.Next(ctx)
	if err != nil || len(c.PCM) == 0 {
		t.Fatalf("%d bytes, %v; want audio before End", len(c.PCM), err)
	}
	write(t, u, secondClause)
	rest := listen(t, u)
	if !isEnd(rest.err) || len(rest.pcm) == 0 {
		t.Errorf("the rest: %d bytes, %v", len(rest.pcm), rest.err)
	}
	if err := u.Write(t.Context(), "more", true); providers.KindOf(err) != providers.Invalid {
		t.Errorf("Write after End returned %v, want an invalid request", err)
	}
}

// An utterance without text ends at once.
func testVoiceNothing(t *testing.T, under VoiceUnderTest) {
	b := newVoiceBench(t, under, simulate.Latency{})
	st := b.open(t)
	for range 8 { // more than any vendor's contexts
		u := say(t, st)
		write(t, u, "", "  ")
		if got := listen(t, u); !isEnd(got.err) || len(got.pcm) != 0 {
			t.Fatalf("%d bytes, %v; want nothing and the end", len(got.pcm), got.err)
		}
	}
	u := say(t, st)
	write(t, u, firstClause)
	if got := listen(t, u); !isEnd(got.err) || got.ms() == 0 {
		t.Errorf("afterwards: %d ms, %v", got.ms(), got.err)
	}
}

// Cancel frees a waiting Next at once, and the next reply has nothing of the old.
func testVoiceCancelled(t *testing.T, under VoiceUnderTest) {
	b := newVoiceBench(t, under, slowly())
	st := b.open(t)
	u := say(t, st)
	if err := u.Write(t.Context(), longText, true); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() {
		for {
			if _, err := u.Next(context.Background()); err != nil {
				over <- err
				return
			}
		}
	}()
	u.Cancel()
	returns(t, "Next after Cancel", func() {
		if err := <-over; !errors.Is(err, providers.ErrCancelled) {
			t.Errorf("Next returned %v, want ErrCancelled", err)
		}
	})
	if err := u.Write(t.Context(), "more ", true); !errors.Is(err, providers.ErrCancelled) {
		t.Errorf("Write returned %v, want ErrCancelled", err)
	}
	u.Cancel()
	u = say(t, st)
	write(t, u, secondClause)
	got := listen(t, u)
	if !isEnd(got.err) || got.ms() == 0 {
		t.Fatalf("the reply after it: %d ms, %v", got.ms(), got.err)
	}
	if under.Marks {
		got.checkMarks(t, secondClause)
	}
}

// Twenty interruptions one after the other, by a vendor that is slow to close,
// never leave the learner without a voice.
func testVoiceBargeIn(t *testing.T, under VoiceUnderTest) {
	b := newVoiceBench(t, under, simulate.Latency{TTSRealTime: 40})
	st := b.open(t)
	for i := range 20 {
		u := say(t, st)
		if err := u.Write(t.Context(), longText, true); err != nil {
			t.Fatalf("interruption %d: Write: %v", i, err)
		}
		if i%3 == 0 {
			if _, err := u.Next(t.Context()); err != nil {
				t.Fatalf("interruption %d: Next: %v", i, err)
			}
		}
		u.Cancel()
	}
	if !st.Alive() {
		t.Fatal("the stream did not survive")
	}
	u := say(t, st)
	write(t, u, firstClause)
	if got := listen(t, u); !isEnd(got.err) || got.ms() == 0 {
		t.Errorf("the reply after them: %d ms, %v", got.ms(), got.err)
	}
}

// Messages of unknown types change nothing.
func testVoiceUnknown(t *testing.T, under VoiceUnderTest) {
	if !under.Framed {
		t.Log("this vendor sends nothing but audio")
		return
	}
	b := newVoiceBench(t, under, simulate.Latency{})
	b.inject(simulate.Fault{Kind: simulate.FaultUnknown, After: 2})
	u := say(t, b.open(t))
	write(t, u, firstClause)
	got := listen(t, u)
	if !isEnd(got.err) || got.level() < 0.02 {
		t.Errorf("level %.3f, %v", got.level(), got.err)
	}
	if under.Marks {
		got.checkMarks(t, firstClause)
	}
}

// Whatever breaks a reply, what came before is delivered and then it is an error,
// never a short success.
func testVoiceBreaks(t *testing.T, under VoiceUnderTest) {
	cases := []simulate.Fault{
		{Kind: simulate.FaultCut, After: 2},
		{Kind: simulate.FaultStreamError, After: 2},
	}
	if under.Framed {
		cases = append(cases, simulate.Fault{Kind: simulate.FaultGarbage, After: 2})
	}
	if under.Socket {
		cases = append(cases, simulate.Fault{Kind: simulate.FaultEnd, After: 2}, simulate.Fault{Kind: simulate.FaultClose, After: 2, Status: 1011, Message: "going away"})
	}
	for _, f := range cases {
		t.Run(string(f.Kind), func(t *testing.T) {
			b := newVoiceBench(t, under, simulate.Latency{})
			f.Times = 1 + under.Restarts
			b.inject(f)
			st := b.open(t)
			u := say(t, st)
			write(t, u, longText)
			got := listen(t, u)
			vendorFailure(t, got.err, providers.Unavailable)
			if got.ms() == 0 {
				t.Error("nothing of what came before the failure was delivered")
			}
			if under.Socket && st.Alive() {
				t.Error("the stream says that it is alive")
			}
		})
	}
}

// attempt opens, speaks and listens, and returns the first error of it all.
func (b *voiceBench) attempt(t *testing.T) error {
	t.Helper()
	st, err := b.voice.Open(t.Context(), providers.SpeakOptions{Language: "en", SampleRate: voiceRate})
	if err != nil {
		return err
	}
	defer st.Close()
	u := say(t, st)
	if err := u.Write(t.Context(), firstClause, true); err != nil {
		return err
	}
	if err := u.End(t.Context()); err != nil {
		return err
	}
	return listen(t, u).err
}

// Each refusal has its kind and the vendor's name for the call.
func testVoiceRefused(t *testing.T, under VoiceUnderTest) {
	cases := []struct {
		fault simulate.Fault
		want  providers.Kind
	}{
		{simulate.Fault{Status: 403}, providers.Denied},
		{simulate.Fault{Status: 404}, providers.Invalid},
		{simulate.Fault{Status: 422}, providers.Invalid},
		{simulate.Fault{Status: 429, RetryAfter: 7}, providers.Overloaded},
		{simulate.Fault{Status: 500}, providers.Unavailable},
		{under.Spent, providers.Quota},
	}
	for _, tc := range cases {
		t.Run(fmt.Sprint(tc.fault.Status, " ", tc.want), func(t *testing.T) {
			b := newVoiceBench(t, under, simulate.Latency{})
			tc.fault.Kind, tc.fault.Times = simulate.FaultStatus, -1
			b.inject(tc.fault)
			e := vendorFailure(t, b.attempt(t), tc.want)
			if e.RequestID == "" {
				t.Error("no request id")
			}
			if tc.fault.RetryAfter > 0 && e.RetryAfter != time.Duration(tc.fault.RetryAfter)*time.Second {
				t.Errorf("retry after %v, want %d s", e.RetryAfter, tc.fault.RetryAfter)
			}
		})
	}
	t.Run("wrong key", func(t *testing.T) {
		b := newVoiceBenchWithKey(t, under, simulate.Latency{}, "sk-wrong-9876543210")
		err := b.attempt(t)
		vendorFailure(t, err, providers.Denied)
		if strings.Contains(err.Error(), "9876543210") {
			t.Error("the error shows the key")
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		voice := under.New(t, VoiceEndpoint{BaseURL: "http://127.0.0.1:1", Key: simulatorKey})
		b := &voiceBench{under: under, voice: voice}
		vendorFailure(t, b.attempt(t), providers.Unavailable)
	})
}
