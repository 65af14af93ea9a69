package failover_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"kalami/providers"
	"kalami/providers/anthropic"
	"kalami/providers/failover"
	"kalami/providers/openai"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTutorConforms gives the whole suite to a failover of one, which must be as
// good as the one alone.
func TestTutorConforms(t *testing.T) {
	providertest.Tutor(t, providertest.TutorUnderTest{
		Vendor:       simulate.Anthropic,
		SpentMessage: "enforced_spend_limit_reached",
		New: func(t *testing.T, at providertest.TutorEndpoint) providers.Tutor {
			return choice(t, claude(t, at))
		},
	})
}

// TestTutorConformsInSecondPlace puts a vendor that is always down before it.
func TestTutorConformsInSecondPlace(t *testing.T) {
	providertest.Tutor(t, providertest.TutorUnderTest{
		Vendor:       simulate.OpenAI,
		SpentMessage: "insufficient_quota",
		New: func(t *testing.T, at providertest.TutorEndpoint) providers.Tutor {
			down := &player{name: "down", plays: []play{{err: vendorError(providers.Unavailable, 0)}}}
			return choice(t, down, gpt(t, at))
		},
	})
}

// choice is a failover that is closed with the test.
func choice(t *testing.T, preferred providers.Tutor, others ...providers.Tutor) *failover.Tutor {
	tutor := failover.NewTutor(failover.Options{}, preferred, others...)
	t.Cleanup(tutor.Close)
	return tutor
}

func claude(t *testing.T, at providertest.TutorEndpoint) providers.Tutor {
	t.Helper()
	c, err := anthropic.New(anthropic.Options{Key: at.Key, BaseURL: at.BaseURL, FirstTokenTimeout: at.FirstToken, StallTimeout: at.Stall})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func gpt(t *testing.T, at providertest.TutorEndpoint) providers.Tutor {
	t.Helper()
	g, err := openai.NewTutor(openai.TutorOptions{
		Endpoint:          openai.Endpoint{Key: at.Key, BaseURL: at.BaseURL + "/v1"},
		FirstTokenTimeout: at.FirstToken, StallTimeout: at.Stall,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// play is what a player's tutor does with one request.
type play struct {
	text  string
	wait  time.Duration // before the first word, or the error
	err   error         // after the text; nil completes the reply
	vague bool          // stop without Done or an error
}

// player is a tutor that plays what it is given, the last play for ever.
type player struct {
	name  string
	plays []play
	asked atomic.Int64

	mu      sync.Mutex
	prompts []providers.Prompt
}

func (p *player) Name() string { return p.name }

func (p *player) Reply(ctx context.Context, prompt providers.Prompt) iter.Seq2[providers.Delta, error] {
	return func(yield func(providers.Delta, error) bool) {
		p.mu.Lock()
		p.prompts = append(p.prompts, prompt)
		p.mu.Unlock()
		now := p.plays[min(int(p.asked.Add(1)), len(p.plays))-1]
		if !pause(ctx, now.wait) {
			yield(providers.Delta{}, context.Cause(ctx))
			return
		}
		for w := range strings.SplitAfterSeq(now.text, " ") {
			if w != "" && !yield(providers.Delta{Text: w}, nil) {
				return
			}
		}
		switch {
		case now.vague:
		case now.err != nil:
			yield(providers.Delta{}, now.err)
		default:
			yield(providers.Delta{Done: true, Model: "m1"}, nil)
		}
	}
}

func vendorError(k providers.Kind, after time.Duration) error {
	return &providers.Error{Kind: k, Vendor: "v", Op: "reply", RetryAfter: after}
}

// learnersWords must reach no probe.
const learnersWords = "My name is Ana."

// listen takes a whole reply.
func listen(ctx context.Context, t *failover.Tutor) (text, model string, err error) {
	for d, e := range t.Reply(ctx, providers.Prompt{Lines: []providers.Line{{Role: providers.RoleLearner, Text: learnersWords}}}) {
		text, err = text+d.Text, e
		if d.Done {
			model = d.Model
		}
	}
	return text, model, err
}

func TestTheNextIsAskedBeforeTheFirstWordOnly(t *testing.T) {
	ours := errors.New("our own bug")
	cases := []struct {
		name  string
		first play
		text  string
		model string
		kind  providers.Kind
		level string // of what is logged
	}{
		{"the first answers", play{text: "one two"}, "one two", "a/m1", 0, ""},
		{"unavailable", play{err: vendorError(providers.Unavailable, 0)}, "second here", "b/m1", 0, "WARN"},
		{"overloaded", play{err: vendorError(providers.Overloaded, 0)}, "second here", "b/m1", 0, "WARN"},
		{"denied", play{err: vendorError(providers.Denied, 0)}, "second here", "b/m1", 0, "WARN"},
		{"quota", play{err: vendorError(providers.Quota, 0)}, "second here", "b/m1", 0, "WARN"},
		{"invalid", play{err: vendorError(providers.Invalid, 0)}, "second here", "b/m1", 0, "ERROR"},
		{"stops without an end", play{vague: true}, "second here", "b/m1", 0, "WARN"},
		{"breaks after a word", play{text: "one ", err: vendorError(providers.Unavailable, 0)}, "one ", "", providers.Unavailable, "WARN"},
		{"stops after a word", play{text: "one ", vague: true}, "one ", "", providers.Unavailable, "WARN"},
		{"not a vendor's error", play{err: ours}, "", "", 0, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			b := &player{name: "b", plays: []play{{text: "second here"}}}
			tutor := failover.NewTutor(failover.Options{Log: slog.New(slog.NewTextHandler(&log, nil))},
				&player{name: "a", plays: []play{c.first}}, b)
			text, model, err := listen(t.Context(), tutor)
			if text != c.text || model != c.model || providers.KindOf(err) != c.kind {
				t.Errorf("%q by %q, %v; want %q by %q, kind %v", text, model, err, c.text, c.model, c.kind)
			}
			if c.first.err == ours && (err != ours || b.asked.Load() != 0) {
				t.Errorf("our own error became %v, the next was asked %d times", err, b.asked.Load())
			}
			if got := log.String(); (got == "") != (c.level == "") || !strings.Contains(got, c.level) {
				t.Errorf("logged %q, want level %q", got, c.level)
			}
		})
	}
}

func TestTheLastErrorIsReturned(t *testing.T) {
	tutor := failover.NewTutor(failover.Options{},
		&player{name: "a", plays: []play{{err: vendorError(providers.Denied, 0)}}},
		&player{name: "b", plays: []play{{err: vendorError(providers.Overloaded, 0)}}})
	if _, _, err := listen(t.Context(), tutor); providers.KindOf(err) != providers.Overloaded {
		t.Errorf("got %v", err)
	}
}

func TestNobodyIsAskedForALearnerWhoHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("barge-in")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		b := &player{name: "b", plays: []play{{text: "late"}}}
		tutor := failover.NewTutor(failover.Options{}, &player{name: "a", plays: []play{{wait: time.Hour}}}, b)
		start := time.Now()
		if _, _, err := listen(ctx, tutor); err != why || b.asked.Load() != 0 {
			t.Errorf("got %v, the next was asked %d times", err, b.asked.Load())
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v, want the 1s until the context's end", took)
		}
	})
}

func TestLeavingTheLoopAsksNobody(t *testing.T) {
	b := &player{name: "b", plays: []play{{text: "never"}}}
	tutor := failover.NewTutor(failover.Options{}, &player{name: "a", plays: []play{{text: "one two three"}}}, b)
	for range tutor.Reply(t.Context(), providers.Prompt{}) {
		break
	}
	if b.asked.Load() != 0 {
		t.Error("the second tutor was asked")
	}
}

// TestBreakers follows a clock that only the test moves. A vendor that is down is left
// alone, but for probes with our own words; the first that goes well brings it back.
func TestBreakers(t *testing.T) {
	const cool = 30 * time.Second
	cases := []struct {
		name    string
		fails   play
		replies int           // that the failing tutor is asked for before it is left alone
		leftFor time.Duration // how long before it is probed
	}{
		{"denied", play{err: vendorError(providers.Denied, 0)}, 1, failover.ProbeInterval},
		{"quota", play{err: vendorError(providers.Quota, 0)}, 1, cool},
		{"three times unavailable", play{err: vendorError(providers.Unavailable, 0)}, 3, failover.ProbeInterval},
		{"three times invalid", play{err: vendorError(providers.Invalid, 0)}, 3, failover.ProbeInterval},
		{"asked to wait 7 s", play{err: vendorError(providers.Overloaded, 7*time.Second)}, 1, 7 * time.Second},
		{"asked to wait an hour", play{err: vendorError(providers.Overloaded, time.Hour)}, 1, cool},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var plays []play
				for range c.replies {
					plays = append(plays, c.fails)
				}
				a := &player{name: "a", plays: append(plays, play{text: "well again"})}
				b := &player{name: "b", plays: []play{{text: "second"}}}
				tutor := failover.NewTutor(failover.Options{CoolDown: cool}, a, b)
				defer tutor.Close()
				for range c.replies + 2 {
					if text, _, err := listen(t.Context(), tutor); text != "second" || err != nil {
						t.Fatalf("%q, %v", text, err)
					}
				}
				time.Sleep(c.leftFor - time.Nanosecond)
				if text, _, _ := listen(t.Context(), tutor); text != "second" {
					t.Errorf("asked again too early: %q", text)
				}
				if int(a.asked.Load()) != c.replies {
					t.Errorf("the failing tutor was asked %d times, want %d", a.asked.Load(), c.replies)
				}
				time.Sleep(time.Nanosecond)
				if text, _, _ := listen(t.Context(), tutor); text != "second" {
					t.Errorf("a learner was the probe after %v: %q", c.leftFor, text)
				}
				synctest.Wait()
				if last := a.prompts[len(a.prompts)-1]; int(a.asked.Load()) != c.replies+1 || last.Lines[0].Text == learnersWords {
					t.Errorf("the failing tutor was asked %d times, want %d and a probe: %+v", a.asked.Load(), c.replies, last)
				}
				if text, _, _ := listen(t.Context(), tutor); text != "well again" {
					t.Errorf("not asked again after its probe: %q", text)
				}
			})
		})
	}
}

// A vendor that fails now and then is kept: the second answers what the first cannot.
func TestSomeFailuresAreNotEnough(t *testing.T) {
	bad, good := play{err: vendorError(providers.Unavailable, 0)}, play{text: "fine"}
	a := &player{name: "a", plays: []play{bad, good, good, bad, good, good, bad, good}}
	tutor := failover.NewTutor(failover.Options{}, a, &player{name: "b", plays: []play{{text: "second"}}})
	defer tutor.Close()
	for range 30 {
		if _, _, err := listen(t.Context(), tutor); err != nil {
			t.Fatal(err)
		}
	}
	if a.asked.Load() != 30 {
		t.Errorf("asked %d times, want 30: two failures among six calls are not three", a.asked.Load())
	}
}

// TestOverloaded: whoever has calls that can wait is told when the model that is asked
// next has no capacity, also when single calls get through; and not when another one is
// asked meanwhile.
func TestOverloaded(t *testing.T) {
	const cool = 30 * time.Second
	for name, c := range map[string]struct {
		fails      play
		overloaded bool
	}{
		"overloaded":                 {play{err: vendorError(providers.Overloaded, 0)}, true},
		"overloaded, and left alone": {play{err: vendorError(providers.Overloaded, time.Hour)}, false},
		"unavailable":                {play{err: vendorError(providers.Unavailable, 0)}, false},
		"well":                       {play{text: "fine"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &player{name: "a", plays: []play{c.fails, {text: "fine"}}}
				tutor := failover.NewTutor(failover.Options{CoolDown: cool}, a, &player{name: "b", plays: []play{{text: "second"}}})
				defer tutor.Close()
				if tutor.Overloaded() {
					t.Error("overloaded before anybody asked")
				}
				for range 2 {
					if _, _, err := listen(t.Context(), tutor); err != nil {
						t.Fatal(err)
					}
				}
				if got := tutor.Overloaded(); got != c.overloaded {
					t.Errorf("overloaded %v, want %v", got, c.overloaded)
				}
				time.Sleep(cool)
				if tutor.Overloaded() {
					t.Error("still overloaded")
				}
			})
		})
	}
}

// TestAllDown still tries: silence is the worst answer.
func TestAllDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &player{name: "a", plays: []play{{err: vendorError(providers.Denied, 0)}}}
		b := &player{name: "b", plays: []play{{err: vendorError(providers.Overloaded, 4*time.Second)}, {text: "better now"}}}
		tutor := failover.NewTutor(failover.Options{}, a, b)
		defer tutor.Close()
		if _, _, err := listen(t.Context(), tutor); err == nil {
			t.Fatal("want an error")
		}
		if text, model, err := listen(t.Context(), tutor); text != "better now" || model != "b/m1" || err != nil {
			t.Errorf("%q by %q, %v", text, model, err)
		}
	})
}
