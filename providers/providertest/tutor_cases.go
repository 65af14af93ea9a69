package providertest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"kalami/providers"
	"kalami/providers/simulate"
)

// testTutorSays checks what arrives, for every shape of conversation.
func testTutorSays(t *testing.T, under TutorUnderTest) {
	learner := func(s string) providers.Line { return providers.Line{Role: providers.RoleLearner, Text: s} }
	tutor := func(s string) providers.Line { return providers.Line{Role: providers.RoleTutor, Text: s} }
	scripts := simulate.Scripts()
	cases := []struct {
		name   string
		system string
		lines  []providers.Line
		want   string
	}{
		{"nothing said yet", "Tutor of Spanish (es).", nil, scripts["es"].Opener},
		{"the tutor spoke first", "Tutor of French (fr).", []providers.Line{tutor(scripts["fr"].Opener), learner("Hier je suis allé à la plage avec mes amis.")}, scripts["fr"].Turns[1].Tutor},
		{"neighbours of one role", "Tutor of German (de).", []providers.Line{learner("Ich nehme das"), learner("Zimmer mit Balkon.")}, scripts["de"].Turns[2].Tutor},
		{"an empty line between", "Tutor of English (en).", []providers.Line{tutor("Hello."), learner(" "), learner(learnerLine)}, tutorLine},
		{"the tutor spoke last", "Tutor of English (en).", []providers.Line{tutor("Are you there?")}, "Are you there?"}, // it says it again
		{"no system prompt", "", []providers.Line{learner(learnerLine)}, tutorLine},
	}
	b := newTutorBench(t, under, benchOptions{})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := providers.Prompt{System: c.system, Lines: c.lines, Reminder: "Level A2; " + scripts["en"].Turns[0].Learner}
			o := collect(t, b.tutor.Reply(t.Context(), p))
			if o.err != nil {
				t.Fatal(o.err)
			}
			if o.text != c.want {
				t.Errorf("reply %q, want %q", o.text, c.want)
			}
		})
	}
}

// testTutorStreams checks the deltas and what the last one carries.
func testTutorStreams(t *testing.T, under TutorUnderTest) {
	b := newTutorBench(t, under, benchOptions{})
	o := collect(t, b.tutor.Reply(t.Context(), prompt()))
	if o.err != nil {
		t.Fatal(o.err)
	}
	if o.deltas < 10 {
		t.Errorf("%d deltas; the reply was not streamed", o.deltas)
	}
	d := o.done
	if d.Truncated || d.Model == "" || d.RequestID == "" || d.Usage.InputTokens < 10 || d.Usage.OutputTokens < 10 {
		t.Errorf("last delta %+v; want a whole reply's model, request id and usage", *d)
	}

	p := prompt()
	p.MaxTokens = 4
	o = collect(t, b.tutor.Reply(t.Context(), p))
	if o.err != nil {
		t.Fatal(o.err)
	}
	if !o.done.Truncated || !strings.HasPrefix(tutorLine, o.text) || o.text == tutorLine {
		t.Errorf("with 4 tokens: %q, truncated %v", o.text, o.done.Truncated)
	}

	b.inject(simulate.Fault{Kind: simulate.FaultUnknown, After: 5})
	if o = collect(t, b.tutor.Reply(t.Context(), prompt())); o.err != nil || o.text != tutorLine {
		t.Errorf("with an event of unknown type: %q, %v", o.text, o.err)
	}

	// Many at once share one tutor.
	const learners = 16
	replies := make(chan outcome, learners)
	for range learners {
		go func() {
			var o outcome
			for d, err := range b.tutor.Reply(t.Context(), prompt()) {
				o.text += d.Text
				o.err = err
			}
			replies <- o
		}()
	}
	for range learners {
		if o := <-replies; o.err != nil || o.text != tutorLine {
			t.Errorf("one of many: %q, %v", o.text, o.err)
		}
	}
}

// testTutorAbandoned checks that nobody goes on when nobody listens.
func testTutorAbandoned(t *testing.T, under TutorUnderTest) {
	slow := benchOptions{latency: simulate.Latency{LLMToken: simulate.Delay{P50: 20 * time.Millisecond}}}
	bargeIn := errors.New("barge-in")

	t.Run("by its context in mid-stream", func(t *testing.T) {
		b := newTutorBench(t, under, slow)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		var err error
		var text string
		for d, e := range b.tutor.Reply(ctx, prompt()) {
			text, err = text+d.Text, e
			cancel(bargeIn)
		}
		if err != bargeIn {
			t.Errorf("error %v, want the context's cause", err)
		}
		if text == "" || text == tutorLine {
			t.Errorf("heard %q before the interruption, want a part", text)
		}
		b.waitAborted(t)
	})
	t.Run("by its context before the first word", func(t *testing.T) {
		b := newTutorBench(t, under, benchOptions{latency: simulate.Latency{LLMFirstToken: simulate.Delay{P50: time.Hour}}})
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		stop := time.AfterFunc(50*time.Millisecond, func() { cancel(bargeIn) })
		defer stop.Stop()
		if o := collect(t, b.tutor.Reply(ctx, prompt())); o.err != bargeIn || o.text != "" {
			t.Errorf("got %q, %v; want the context's cause alone", o.text, o.err)
		}
		b.waitAborted(t)
	})
	t.Run("before it began", func(t *testing.T) {
		b := newTutorBench(t, under, benchOptions{})
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(bargeIn)
		if o := collect(t, b.tutor.Reply(ctx, prompt())); o.err != bargeIn {
			t.Errorf("error %v, want the context's cause", o.err)
		}
	})
	t.Run("by leaving the loop", func(t *testing.T) {
		b := newTutorBench(t, under, slow)
		for _, err := range b.tutor.Reply(t.Context(), prompt()) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		b.waitAborted(t)
	})
}

// testTutorRefused checks the kinds of refusals and that nothing is retried.
func testTutorRefused(t *testing.T, under TutorUnderTest) {
	cases := []struct {
		name  string
		fault simulate.Fault
		want  providers.Kind
		after time.Duration
	}{
		{"bad request", simulate.Fault{Status: 400}, providers.Invalid, 0},
		{"wrong key", simulate.Fault{Status: 401}, providers.Denied, 0},
		{"no permission", simulate.Fault{Status: 403}, providers.Denied, 0},
		{"unknown model", simulate.Fault{Status: 404}, providers.Invalid, 0},
		{"rate limit", simulate.Fault{Status: 429, RetryAfter: 7}, providers.Overloaded, 7 * time.Second},
		{"rate limit without a time", simulate.Fault{Status: 429}, providers.Overloaded, 0},
		{"allowance spent", simulate.Fault{Status: 429, Message: under.SpentMessage}, providers.Quota, 0},
		{"server error", simulate.Fault{Status: 500}, providers.Unavailable, 0},
		{"bad gateway", simulate.Fault{Status: 502}, providers.Unavailable, 0},
		{"overloaded", simulate.Fault{Status: 529, RetryAfter: 2}, providers.Overloaded, 2 * time.Second},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newTutorBench(t, under, benchOptions{})
			c.fault.Kind = simulate.FaultStatus
			b.inject(c.fault)
			e := collect(t, b.tutor.Reply(t.Context(), prompt())).vendorError(t, c.want)
			if e.RetryAfter != c.after {
				t.Errorf("retry after %v, want %v", e.RetryAfter, c.after)
			}
			if e.RequestID == "" {
				t.Error("no request id")
			}
			if n := b.requests.Load(); n != 1 {
				t.Errorf("%d requests, want 1: nothing may be retried", n)
			}
		})
	}
	t.Run("the key that we really send", func(t *testing.T) {
		b := newTutorBench(t, under, benchOptions{key: "sk-other"})
		e := collect(t, b.tutor.Reply(t.Context(), prompt())).vendorError(t, providers.Denied)
		if strings.Contains(e.Error(), "sk-other") {
			t.Errorf("the error holds the key: %v", e)
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		b := newTutorBench(t, under, benchOptions{})
		b.web.Close()
		collect(t, b.tutor.Reply(t.Context(), prompt())).vendorError(t, providers.Unavailable)
	})
}

// testTutorBreaks checks that half a reply is never taken for a whole one.
func testTutorBreaks(t *testing.T, under TutorUnderTest) {
	cases := []struct {
		name  string
		fault simulate.Fault
		want  providers.Kind
		text  bool // some words came before
	}{
		{"cut at once", simulate.Fault{Kind: simulate.FaultCut}, providers.Unavailable, false},
		{"cut in the middle", simulate.Fault{Kind: simulate.FaultCut, After: 9}, providers.Unavailable, true},
		{"clean end at once", simulate.Fault{Kind: simulate.FaultEnd}, providers.Unavailable, false},
		{"clean end without the terminal event", simulate.Fault{Kind: simulate.FaultEnd, After: 9}, providers.Unavailable, true},
		{"error inside a 200, overloaded", simulate.Fault{Kind: simulate.FaultStreamError, Status: 429, After: 9}, providers.Overloaded, true},
		{"error inside a 200, server", simulate.Fault{Kind: simulate.FaultStreamError, Status: 500, After: 9}, providers.Unavailable, true},
		{"error inside a 200 at once", simulate.Fault{Kind: simulate.FaultStreamError, Status: 500}, providers.Unavailable, false},
		{"garbage", simulate.Fault{Kind: simulate.FaultGarbage, After: 9}, providers.Unavailable, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newTutorBench(t, under, benchOptions{})
			b.inject(c.fault)
			o := collect(t, b.tutor.Reply(t.Context(), prompt()))
			e := o.vendorError(t, c.want)
			if !strings.HasPrefix(tutorLine, o.text) || (o.text != "") != c.text || o.text == tutorLine {
				t.Errorf("words before the break: %q", o.text)
			}
			if e.RequestID == "" && c.text {
				t.Error("no request id, though an answer had begun")
			}
			// The next reply is not affected.
			if o := collect(t, b.tutor.Reply(t.Context(), prompt())); o.text != tutorLine {
				t.Errorf("the reply after it: %q, %v", o.text, o.err)
			}
		})
	}
}

// testTutorWaits checks the deadlines for the first word and for the next.
func testTutorWaits(t *testing.T, under TutorUnderTest) {
	t.Run("for the first word", func(t *testing.T) {
		b := newTutorBench(t, under, benchOptions{
			latency: simulate.Latency{LLMFirstToken: simulate.Delay{P50: time.Hour}}, firstToken: 60 * time.Millisecond})
		o := collect(t, b.tutor.Reply(t.Context(), prompt()))
		if e := o.vendorError(t, providers.Unavailable); !strings.Contains(e.Error(), "no first word within 60ms") {
			t.Errorf("the error does not tell what was missing: %v", e)
		}
		b.waitAborted(t)
	})
	t.Run("for the next word", func(t *testing.T) {
		b := newTutorBench(t, under, benchOptions{stall: 60 * time.Millisecond})
		b.inject(simulate.Fault{Kind: simulate.FaultStall, After: 9})
		o := collect(t, b.tutor.Reply(t.Context(), prompt()))
		o.vendorError(t, providers.Unavailable)
		if o.text == "" {
			t.Error("the words before the stall were lost")
		}
		b.waitAborted(t)
	})
	t.Run("but not for a slow listener", func(t *testing.T) {
		// Tokens so slow that they are still to come while the listener is busy.
		b := newTutorBench(t, under, benchOptions{
			latency: simulate.Latency{LLMToken: simulate.Delay{P50: time.Millisecond}}, stall: time.Second})
		var text string
		words := 0
		for d, err := range b.tutor.Reply(t.Context(), prompt()) {
			if err != nil {
				t.Fatal(err)
			}
			if words++; words == 2 { // the clock of further words runs
				time.Sleep(1100 * time.Millisecond)
			}
			text += d.Text
		}
		if text != tutorLine {
			t.Errorf("reply %q", text)
		}
	})
}

// testTutorKeepsQuiet checks that a vendor that quotes the request in its error
// does not bring the learner's words into ours.
func testTutorKeepsQuiet(t *testing.T, under TutorUnderTest) {
	for _, kind := range []simulate.FaultKind{simulate.FaultStatus, simulate.FaultStreamError} {
		b := newTutorBench(t, under, benchOptions{})
		b.inject(simulate.Fault{Kind: kind, Status: 400, Message: "cannot process: " + learnerLine})
		o := collect(t, b.tutor.Reply(t.Context(), prompt()))
		for err := o.err; err != nil; err = errors.Unwrap(err) {
			if strings.Contains(err.Error(), "five years") {
				t.Errorf("%s: the error quotes the learner: %v", kind, err)
			}
		}
		if o.err == nil || errors.Is(o.err, io.EOF) {
			t.Errorf("%s: error %v", kind, o.err)
		}
	}
}
