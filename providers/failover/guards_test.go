package failover_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/providers/failover"
)

// record is an observer that keeps what it is told.
type record struct {
	mu     sync.Mutex
	told   map[string]int
	states map[string]failover.State
}

func newRecord() *record {
	return &record{told: map[string]int{}, states: map[string]failover.State{}}
}

func (r *record) note(words ...string) {
	r.mu.Lock()
	r.told[strings.Join(words, " ")]++
	r.mu.Unlock()
}
func (r *record) Requested(p failover.Part, vendor string, o failover.Outcome) {
	r.note(string(p), vendor, string(o))
}
func (r *record) FailedOver(p failover.Part, w failover.When) { r.note(string(p), string(w)) }
func (r *record) Hedged(p failover.Part, won bool) {
	r.note(string(p), map[bool]string{true: "hedge won", false: "hedge lost"}[won])
}
func (r *record) Breaker(p failover.Part, vendor string, s failover.State) {
	r.mu.Lock()
	r.states[string(p)+" "+vendor] = s
	r.mu.Unlock()
}

// A vendor later than most of its replies is raced by the next one: at its own pace, not
// at a fixed time. Who is asked, and who won, is told.
func TestHedgeAtTheVendorsOwnPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := play{text: "late", wait: 900 * time.Millisecond}
		plays := []play{{text: "usual", wait: 400 * time.Millisecond}} // the slowest of those that are usual
		for range 17 {
			plays = append(plays, play{text: "usual", wait: 300 * time.Millisecond})
		}
		seen := newRecord()
		a := &player{name: "a", plays: append(plays, late, late)}
		b := &player{name: "b", plays: []play{{text: "second", wait: 100 * time.Millisecond}}}
		why := newRecord()
		tutor := failover.NewTutor(failover.Options{Observer: seen,
			Called: func(p failover.Part, vendor string, w failover.Why) { why.note(string(p), vendor, string(w)) }}, a, b)
		defer tutor.Close()
		for range 18 {
			if text, _, err := listen(t.Context(), tutor); text != "usual" || err != nil {
				t.Fatalf("%q, %v", text, err)
			}
		}
		if b.asked.Load() != 0 {
			t.Errorf("usual replies were raced %d times", b.asked.Load())
		}
		began := time.Now()
		if text, _, err := listen(t.Context(), tutor); text != "second" || err != nil || time.Since(began) != 500*time.Millisecond {
			t.Errorf("%q after %v, %v; want the second's word 100 ms after the first's 400 ms", text, time.Since(began), err)
		}
		if seen.told["llm hedge won"] != 1 || seen.told["llm a beaten"] != 1 {
			t.Errorf("told %v", seen.told)
		}
		b.plays = []play{{text: "too late", wait: time.Hour}}
		if text, _, err := listen(t.Context(), tutor); text != "late" || err != nil || seen.told["llm hedge lost"] == 0 {
			t.Errorf("%q, %v, told %v", text, err, seen.told)
		}
		if !maps.Equal(why.told, map[string]int{"llm a turn": 20, "llm b hedge": 2}) {
			t.Errorf("told of the calls %v", why.told)
		}
	})
}

// A call that is made because another has failed is told as such.
func TestRetriesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &player{name: "a", plays: []play{{err: vendorError(providers.Unavailable, 0)}, {text: "well"}}}
		why := newRecord()
		tutor := failover.NewTutor(failover.Options{
			Called: func(p failover.Part, vendor string, w failover.Why) { why.note(string(p), vendor, string(w)) }},
			a, &player{name: "b", plays: []play{{text: "second"}}})
		defer tutor.Close()
		for _, want := range []string{"second", "well"} {
			if text, _, err := listen(t.Context(), tutor); text != want || err != nil {
				t.Fatalf("%q, %v", text, err)
			}
		}
		if !maps.Equal(why.told, map[string]int{"llm a turn": 2, "llm b retry": 1}) {
			t.Errorf("told of the calls %v", why.told)
		}
	})
}

// A school whose calls hang takes no more than its share; others are served.
func TestOneSchoolCannotTakeAllPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := play{text: "done", wait: time.Second}
		a, b := &player{name: "a", plays: []play{slow}}, &player{name: "b", plays: []play{slow}}
		tutor := failover.NewTutor(failover.Options{Concurrent: 4, TenantShare: 50}, a, b)
		defer tutor.Close()
		results := make(chan error, 6)
		school := providers.WithTenant(t.Context(), "school")
		for range 6 {
			go func() {
				_, _, err := listen(school, tutor)
				results <- err
			}()
		}
		synctest.Wait()
		if a.asked.Load() != 2 || b.asked.Load() != 2 {
			t.Errorf("asked %d and %d times for one school, want 2 and 2", a.asked.Load(), b.asked.Load())
		}
		var others sync.WaitGroup
		for _, tenant := range []string{"another", "a third"} {
			others.Go(func() {
				if text, _, err := listen(providers.WithTenant(t.Context(), tenant), tutor); text != "done" || err != nil {
					t.Errorf("%s: %q, %v", tenant, text, err)
				}
			})
		}
		others.Wait()
		refused := 0
		for range 6 {
			if err := <-results; providers.KindOf(err) == providers.Overloaded {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		if refused != 2 {
			t.Errorf("%d of the school's calls were refused, want 2", refused)
		}
		if text, _, err := listen(school, tutor); text != "done" || err != nil {
			t.Errorf("its places did not come back: %q, %v", text, err)
		}
	})
}

// A school whose learners fill its share of a recogniser's streams is heard by the next
// vendor, and whoever comes from elsewhere still finds a place at the preferred one.
func TestOneSchoolCannotTakeAllStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &clockEar{name: "a"}, &clockEar{name: "b"}
		r := failover.NewRecognizer(failover.RecognizerOptions{Options: failover.Options{Concurrent: 5, TenantShare: 60}},
			failover.Ear{Recognizer: a}, failover.Ear{Recognizer: b})
		defer r.Close()
		open := func(tenant string) error {
			s, err := r.Listen(providers.WithTenant(t.Context(), tenant), providers.ListenOptions{Language: "es", SampleRate: clockRate})
			if err == nil {
				t.Cleanup(func() { _ = s.Close() })
			}
			return err
		}
		for n := range 6 {
			if err := open("school"); err != nil {
				t.Errorf("its learner %d is not heard: %v", n+1, err)
			}
		}
		if err := open("school"); providers.KindOf(err) != providers.Overloaded {
			t.Errorf("its seventh learner got %v", err)
		}
		for range 2 {
			if err := open("another"); err != nil {
				t.Error(err)
			}
		}
		if a.opened() != 5 || b.opened() != 3 {
			t.Errorf("a has %d streams and b %d, want 5 and 3", a.opened(), b.opened())
		}
	})
}

// A voice that speaks well, but begins late each time, is left alone.
func TestSlowCallsOpenTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen, y := newRecord(), &tally{}
		v := failover.NewVoice(failover.Options{Observer: seen}, countedVoice{&speaker{name: "a"}, y, 2 * time.Second}, &speaker{name: "b"})
		defer v.Close()
		for range 5 {
			if r := recite(t, v, clauses...); !errors.Is(r.err, io.EOF) {
				t.Fatal(r.err)
			}
		}
		if seen.told["tts a slow"] != 3 || seen.told["tts b ok"] != 2 || seen.states["tts a"] != failover.Open {
			t.Errorf("told %v, %v", seen.told, seen.states)
		}
	})
}

// A voice at the wrong sample rate is noticed by its own alignment, and another speaks.
func TestWrongSampleRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newRecord()
		v := failover.NewVoice(failover.Options{Observer: seen}, halved{&speaker{name: "a", frame: 60}}, &speaker{name: "b"})
		defer v.Close()
		text := "Una frase bastante larga, para que se note."
		r := recite(t, v, text)
		if letters(r.text()) != letters(text) || !errors.Is(r.err, io.EOF) || strings.Join(r.vendors, " ") != "b" {
			t.Errorf("%v said %q, %v", r.vendors, r.text(), r.err)
		}
		if seen.told["tts a unavailable"] != 1 || seen.told["tts before_first"] != 1 {
			t.Errorf("told %v", seen.told)
		}
	})
}

// halved is a voice that leaves out every second sample.
type halved struct{ *speaker }

func (h halved) Open(ctx context.Context, opt providers.SpeakOptions) (providers.VoiceStream, error) {
	s, err := h.speaker.Open(ctx, opt)
	return halvedLine{s}, err
}

type halvedLine struct{ providers.VoiceStream }

func (l halvedLine) Say(ctx context.Context) (providers.Utterance, error) {
	u, err := l.VoiceStream.Say(ctx)
	return halvedUtterance{u}, err
}

type halvedUtterance struct{ providers.Utterance }

func (u halvedUtterance) Next(ctx context.Context) (providers.Chunk, error) {
	c, err := u.Utterance.Next(ctx)
	half := c.PCM[:0:0]
	for i := 0; i+1 < len(c.PCM); i += 4 {
		half = append(half, c.PCM[i], c.PCM[i+1])
	}
	c.PCM = half
	return c, err
}

// A stream that had to move goes back to the preferred vendor between two utterances,
// once a cool-down is over; no word is lost on either way.
func TestStreamsReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := &clockEar{name: "a", mistake: func(n int) mistake {
			if n == 0 {
				return mistake{after: 2 * clockRate, kind: cut}
			}
			return mistake{}
		}}
		second := &clockEar{name: "b"}
		l := hearing(t, failover.RecognizerOptions{Options: failover.Options{CoolDown: 10 * time.Second}},
			failover.Ear{Recognizer: first}, failover.Ear{Recognizer: second})
		var phrases []phrase
		for range 12 {
			phrases = append(phrases, phrase{5, 3})
		}
		pcm, words := speech(phrases...)
		l.say(pcm)
		if first.opened() != 2 || second.opened() != 1 {
			t.Errorf("the preferred one was opened %d times, the other %d", first.opened(), second.opened())
		}
		check(t, l.drained(), words, 5, func(n int) int { return (n-1)*wordMS + (n-1)/5*3*wordMS })
	})
}

// A vendor that never ends its stream is given up in bounded time, and what it had not
// delivered is heard by another.
func TestVendorThatNeverCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := &clockEar{name: "a", mistake: func(int) mistake { return mistake{kind: endless} }}
		l := hearing(t, failover.RecognizerOptions{}, failover.Ear{Recognizer: first}, failover.Ear{Recognizer: &clockEar{name: "b"}})
		pcm, words := speech(phrase{4, 3}, phrase{3, 0}) // the last phrase is ended by the drain alone
		l.say(pcm)
		began := time.Now()
		check(t, l.drained(), words, 5, func(n int) int { return (n-1)*wordMS + (n-1)/4*3*wordMS })
		if d := time.Since(began); d > 15*time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

// untimed is an ear that gives its words no times.
type untimed struct{ *clockEar }

func (e untimed) Listen(ctx context.Context, opt providers.ListenOptions) (providers.RecognitionStream, error) {
	s, err := e.clockEar.Listen(ctx, opt)
	if err != nil {
		return nil, err
	}
	u := &untimedStream{RecognitionStream: s, events: make(chan providers.Heard)}
	go func() {
		defer close(u.events)
		for h := range s.Events() {
			h.Words = nil
			select {
			case u.events <- h:
			case <-s.(*clockStream).closing:
			}
		}
	}()
	return u, nil
}

type untimedStream struct {
	providers.RecognitionStream
	events chan providers.Heard
}

func (u *untimedStream) Events() <-chan providers.Heard { return u.events }

// Vendors without times lose no word either, wherever they are cut: what is not final is
// heard again from its beginning, and nothing else is.
func TestUntimedVendors(t *testing.T) {
	for seed := range trials(t) / 2 {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(seed), 3))
			pcm, words, _ := lesson(rng)
			at := 2 + rng.IntN(len(pcm))
			first := &clockEar{name: "a", mistake: func(n int) mistake {
				if n > 0 {
					return mistake{}
				}
				return mistake{after: at, kind: cut}
			}}
			l := hearing(t, failover.RecognizerOptions{}, failover.Ear{Recognizer: untimed{first}, Untimed: true},
				failover.Ear{Recognizer: untimed{&clockEar{name: "b"}}, Untimed: true})
			l.say(pcm)
			check(t, l.drained(), words, 5, func(int) int { return 0 })
			if t.Failed() {
				t.Fatalf("seed %d, at byte %d of %d", seed, at, len(pcm))
			}
		})
	}
}

// A vendor that answers every probe and fails every learner costs fewer and fewer calls:
// after each probe one learner's call is tried, however many talk, and the probes come
// ever later. Once it works again it is trusted after one call.
func TestVendorThatOnlyProbesWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fails atomic.Bool
		fails.Store(true)
		a := &proberPleaser{fails: &fails}
		tutor := failover.NewTutor(failover.Options{}, a, &player{name: "b", plays: []play{{text: "second"}}})
		defer tutor.Close()
		talk := func(d time.Duration) (answers int) {
			var talking sync.WaitGroup
			var n atomic.Int64
			for i := range 20 {
				talking.Go(func() {
					time.Sleep(time.Duration(i) * 50 * time.Millisecond)
					for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
						if text, _, err := listen(t.Context(), tutor); err != nil || text == "" {
							t.Errorf("%q, %v", text, err)
						}
						n.Add(1)
					}
				})
			}
			talking.Wait()
			return int(n.Load())
		}
		answers := talk(20 * time.Minute)
		asked, probes := a.counts()
		t.Logf("%d answers: asked for %d of them, and by %d probes", answers, asked, probes)
		// 5, 10, 20, 40 s and then every minute; three calls open the breaker at first.
		if most := 3 + 4 + 20; asked > most+1 || asked < 15 || probes > most || probes < 15 {
			t.Errorf("asked for %d answers, and by %d probes", asked, probes)
		}
		fails.Store(false)
		talk(2 * time.Minute)
		before, _ := a.counts()
		answers = talk(time.Minute)
		if after, _ := a.counts(); after-before != answers {
			t.Errorf("asked for %d of %d answers once it worked", after-before, answers)
		}
	})
}

// proberPleaser is a tutor that answers probes, and learners unless it fails.
type proberPleaser struct {
	fails         *atomic.Bool
	mu            sync.Mutex
	asked, probed int
}

func (p *proberPleaser) Name() string { return "a" }

func (p *proberPleaser) counts() (asked, probed int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked, p.probed
}

func (p *proberPleaser) Reply(_ context.Context, prompt providers.Prompt) iter.Seq2[providers.Delta, error] {
	return func(yield func(providers.Delta, error) bool) {
		probe := prompt.Lines[0].Text != learnersWords
		p.mu.Lock()
		if probe {
			p.probed++
		} else {
			p.asked++
		}
		p.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
		if !probe && p.fails.Load() {
			yield(providers.Delta{}, vendorError(providers.Unavailable, 0))
			return
		}
		if yield(providers.Delta{Text: "first"}, nil) {
			yield(providers.Delta{Done: true}, nil)
		}
	}
}
