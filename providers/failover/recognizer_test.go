package failover_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/providers/failover"
)

// listening is an open stream whose events are gathered.
type listening struct {
	providers.RecognitionStream
	t      *testing.T
	events []providers.Heard // whole once over is closed
	ends   atomic.Int64
	over   chan struct{}
}

// hearing opens a stream over ears.
func hearing(t *testing.T, opt failover.RecognizerOptions, ears ...failover.Ear) *listening {
	t.Helper()
	r := failover.NewRecognizer(opt, ears[0], ears[1:]...)
	t.Cleanup(r.Close)
	return follow(t, r)
}

// follow opens a stream of a recogniser.
func follow(t *testing.T, r *failover.Recognizer) *listening {
	t.Helper()
	s, err := r.Listen(t.Context(), providers.ListenOptions{Language: "es", SampleRate: clockRate})
	if err != nil {
		t.Fatal(err)
	}
	l := &listening{RecognitionStream: s, t: t, over: make(chan struct{})}
	go func() {
		defer close(l.over)
		for h := range s.Events() {
			l.events = append(l.events, h)
			if h.Kind == providers.HeardEnd {
				l.ends.Add(1)
			}
		}
	}()
	t.Cleanup(func() { _ = s.Close() })
	return l
}

// say sends audio in real time.
func (l *listening) say(pcm []byte) {
	l.t.Helper()
	const frame = clockRate / 50 * 2
	for len(pcm) > 0 {
		n := min(frame, len(pcm))
		if err := l.Send(l.t.Context(), pcm[:n]); err != nil {
			l.t.Fatalf("Send: %v", err)
		}
		pcm = pcm[n:]
		time.Sleep(20 * time.Millisecond)
	}
}

// drained ends the stream in order and returns what was heard.
func (l *listening) drained() []providers.Heard {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
	defer cancel()
	if err := l.Drain(ctx); err != nil {
		l.t.Errorf("Drain: %v", err)
	}
	<-l.over
	return l.events
}

// check asserts that every word of the word clock was heard once, in order, where it
// was said, in a well-formed line of segments.
func check(t *testing.T, events []providers.Heard, words int, slackMS int, from func(word int) int) {
	t.Helper()
	wellFormed(t, events)
	next := 1
	for _, h := range events {
		if h.Kind != providers.HeardEnd {
			continue
		}
		for i, text := range strings.Fields(h.Text) {
			if want := fmt.Sprintf("w%d", next); text != want {
				t.Fatalf("heard %s where %s was said; %s", text, want, story(events))
			}
			if len(h.Words) > 0 {
				w := h.Words[i]
				if at := from(next); w.Text != text || w.StartMS < at-slackMS || w.StartMS > at+spokenMS || w.EndMS > at+spokenMS+slackMS {
					t.Errorf("word %d at %d to %d ms, said at %d", next, w.StartMS, w.EndMS, at)
				}
			}
			next++
		}
	}
	if next != words+1 {
		t.Errorf("heard %d words of %d; %s", next-1, words, story(events))
	}
}

// wellFormed asserts what a stream of events promises.
func wellFormed(t *testing.T, events []providers.Heard) {
	t.Helper()
	segment, open, eager := 0, false, ""
	for i, h := range events {
		switch {
		case h.Segment != segment:
			t.Fatalf("event %d (%v) of segment %d, want %d; %s", i, h.Kind, h.Segment, segment, story(events))
		case (h.Kind == providers.HeardStart) == open:
			t.Fatalf("event %d is a %v, and the segment is open: %v; %s", i, h.Kind, open, story(events))
		case eager != "" && h.Kind != providers.HeardResumed && h.Text != eager:
			t.Fatalf("event %d (%v) does not resume after an eager end; %s", i, h.Kind, story(events))
		}
		open, eager = h.Kind != providers.HeardEnd, ""
		if h.Kind == providers.HeardEagerEnd {
			eager = h.Text
		}
		if !open {
			segment++
		}
	}
	if open {
		t.Errorf("the last segment was not ended; %s", story(events))
	}
}

// story lists events for a failed test.
func story(events []providers.Heard) string {
	var b strings.Builder
	for _, h := range events {
		fmt.Fprintf(&b, "\n  %d %v %q %d-%d", h.Segment, h.Kind, h.Text, h.StartMS, h.EndMS)
	}
	return b.String()
}

// trials is how many random moments are tried: 100, or as many as
// KALAMI_TEST_TRIALS says in the long form.
func trials(t *testing.T) int {
	if v := os.Getenv("KALAMI_TEST_TRIALS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatalf("KALAMI_TEST_TRIALS: %v", err)
		}
		return n
	}
	return 100
}

// lesson is what is said in a trial: three utterances with pauses, 20 words or so.
func lesson(rng *rand.Rand) (pcm []byte, words int, from func(int) int) {
	var phrases []phrase
	var starts []int
	at := 0
	for range 3 {
		p := phrase{words: 2 + rng.IntN(10), pause: 2 + rng.IntN(6)}
		phrases = append(phrases, p)
		for range p.words {
			starts = append(starts, at)
			at += wordMS
		}
		at += p.pause * wordMS
	}
	pcm, words = speech(phrases...)
	return pcm, words, func(n int) int { return starts[n-1] }
}

// A vendor's stream breaks at a random moment of what is said, in whatever way; another
// one, slower or faster, with times of its own, hears on. No word is lost, none is heard twice.
func TestNoWordIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		kind   blunder
		final  bool
		replay float64
		delay  time.Duration
		jitter int
	}{
		"cut":                         {kind: cut},
		"cut, words final by and by":  {kind: cut, final: true},
		"cut, a slow standby":         {kind: cut, replay: 1.5, delay: 150 * time.Millisecond, jitter: 30},
		"cut, a fast standby":         {kind: cut, replay: -1, jitter: 30},
		"broken message":              {kind: garbage, jitter: 20},
		"stall":                       {kind: stall},
		"ends out of order":           {kind: jumble},
		"ends out of order, then cut": {kind: jumble, final: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range trials(t) {
				synctest.Test(t, func(t *testing.T) {
					rng := rand.New(rand.NewPCG(uint64(seed), 1))
					pcm, words, from := lesson(rng)
					at := 2 + rng.IntN(len(pcm))
					first := &clockEar{name: "first", final: c.final, jitter: c.jitter, mistake: func(n int) mistake {
						if n > 0 && c.kind != jumble {
							return mistake{}
						}
						return mistake{after: at, kind: c.kind}
					}}
					second := &clockEar{name: "second", delay: c.delay, jitter: c.jitter}
					l := hearing(t, failover.RecognizerOptions{}, failover.Ear{Recognizer: first}, failover.Ear{Recognizer: second, Replay: c.replay})
					if c.kind == stall {
						l.stalls(first, pcm, at)
					} else {
						l.say(pcm)
					}
					check(t, l.drained(), words, 2*c.jitter+5, from)
					if t.Failed() {
						t.Fatalf("seed %d, at byte %d of %d", seed, at, len(pcm))
					}
				})
			}
		})
	}
}

// stalls says pcm to a vendor that falls silent at byte at; whoever listens complains
// when there has been no word for three seconds.
func (l *listening) stalls(first *clockEar, pcm []byte, at int) {
	late := min(len(pcm), at+3*2*clockRate)
	late -= late % 2
	l.say(pcm[:late])
	l.RecognitionStream.(providers.Survivor).Renew(errors.New("silent"))
	l.say(pcm[late:])
}

// Every stream of every vendor breaks, again and again.
func TestManyCuts(t *testing.T) {
	for seed := range trials(t) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(seed), 2))
			pcm, words, from := lesson(rng)
			breaks := func(int) mistake {
				if rng.IntN(4) == 0 {
					return mistake{}
				}
				return mistake{after: 2 * clockRate / 2 * (1 + rng.IntN(10)), kind: cut}
			}
			l := hearing(t, failover.RecognizerOptions{},
				failover.Ear{Recognizer: &clockEar{name: "first", mistake: breaks, final: true}},
				failover.Ear{Recognizer: &clockEar{name: "second", mistake: breaks}})
			l.say(pcm)
			check(t, l.drained(), words, 5, from)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		})
	}
}

// No vendor can be had for five seconds in the middle of what is said. The speaker is
// told after two, and when somebody listens again; nothing is lost.
func TestNobodyListensForAWhile(t *testing.T) {
	for name, refusal := range map[string]*providers.Error{
		"down":      {Kind: providers.Unavailable, Vendor: "v", Op: "listen"},
		"busy":      {Kind: providers.Overloaded, Vendor: "v", Op: "listen", RetryAfter: 3 * time.Second},
		"wrong key": {Kind: providers.Denied, Vendor: "v", Op: "listen"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pcm, words := speech(phrase{5, 4}, phrase{20, 4}, phrase{5, 4})
				began := time.Now()
				refuse := func(n int) error {
					if d := time.Since(began); n > 0 && d < 8*time.Second {
						return refusal
					}
					return nil
				}
				first := &clockEar{name: "first", refuse: refuse, mistake: func(n int) mistake {
					if n == 0 {
						return mistake{after: 3 * 2 * clockRate, kind: cut}
					}
					return mistake{}
				}}
				second := &clockEar{name: "second", refuse: func(int) error { return refuse(1) }}
				l := hearing(t, failover.RecognizerOptions{}, failover.Ear{Recognizer: first}, failover.Ear{Recognizer: second})
				var told []string
				gathered := make(chan struct{})
				go func() {
					defer close(gathered)
					for {
						select {
						case err := <-l.RecognitionStream.(providers.Survivor).Absent():
							told = append(told, fmt.Sprintf("%v %v", time.Since(began).Round(100*time.Millisecond), err != nil))
						case <-l.over:
							return
						}
					}
				}()
				l.say(pcm)
				check(t, l.drained(), words, 5, func(n int) int {
					return (n-1)*wordMS + min(1, (n-1)/5)*4*wordMS + min(1, (n-1)/25)*4*wordMS
				})
				<-gathered
				if len(told) != 2 || told[0] != "5s true" || !strings.HasSuffix(told[1], "false") {
					t.Errorf("told %v", told)
				}
			})
		})
	}
}
