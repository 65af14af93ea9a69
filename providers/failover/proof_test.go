package failover_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/providers/failover"
)

// tally counts the calls that vendors get: those of learners, and probes.
type tally struct {
	mu     sync.Mutex
	calls  int
	probes []time.Time
	worst  time.Duration // until something of an answer came
}

func (y *tally) called(probe bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if probe {
		y.probes = append(y.probes, time.Now())
		return
	}
	y.calls++
}

func (y *tally) waited(d time.Duration) {
	y.mu.Lock()
	y.worst = max(y.worst, d)
	y.mu.Unlock()
}

// talker is a tutor that says its lines, or what is missing of them, and fails from its
// well-th call on in the way of trouble.
type talker struct {
	*tally
	name    string
	wait    time.Duration // before the first word
	trouble string
	well    int

	mu    sync.Mutex
	asked int
}

// lines is what every talker says.
const lines = "Uno dos tres cuatro."

func (w *talker) Name() string { return w.name }

func (w *talker) Reply(ctx context.Context, p providers.Prompt) iter.Seq2[providers.Delta, error] {
	return func(yield func(providers.Delta, error) bool) {
		w.called(p.Lines[0].Text != learnersWords)
		w.mu.Lock()
		w.asked++
		trouble, wait := w.trouble, w.wait+time.Duration(w.asked%20)*10*time.Millisecond
		if w.asked <= w.well {
			trouble = ""
		}
		w.mu.Unlock()
		left := strings.SplitAfter(lines, " ")[len(strings.Fields(p.Said)):]
		spoken := len(left)
		switch trouble {
		case "refuses", "lies":
			spoken = 0
		case "breaks", "falls silent":
			spoken = min(2, spoken)
		case "hangs":
			wait = time.Hour
		case "is slow":
			wait = 2 * time.Second
		case "is very slow":
			wait = 4 * time.Second
		}
		if !pause(ctx, wait) {
			yield(providers.Delta{}, context.Cause(ctx))
			return
		}
		for _, word := range left[:spoken] {
			if !yield(providers.Delta{Text: word}, nil) {
				return
			}
		}
		switch trouble {
		case "lies": // it stops without an end
		case "refuses", "breaks":
			yield(providers.Delta{}, &providers.Error{Kind: providers.Unavailable, Vendor: w.name, Op: "reply"})
		case "falls silent":
			<-ctx.Done()
			yield(providers.Delta{}, context.Cause(ctx))
		default:
			yield(providers.Delta{Done: true, Model: "m"}, nil)
		}
	}
}

// pause waits, and says whether ctx goes on. A channel that fires at once is no wait: two of
// one bubble may run into each other in the race detector (go.dev/issue/78156).
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// reply takes a reply as a lesson does: what has been said stays said, and whoever broke
// off is not asked for the rest.
func reply(ctx context.Context, tutor *failover.Tutor, y *tally) (said string, err error) {
	began := time.Now()
	p := providers.Prompt{Lines: []providers.Line{{Role: providers.RoleLearner, Text: learnersWords}}}
	for range 3 {
		for d, e := range tutor.Reply(ctx, p) {
			if err = e; said == "" && d.Text != "" {
				y.waited(time.Since(began))
			}
			said += d.Text
		}
		broke, ok := errors.AsType[*providers.Error](err)
		if !ok || said == "" {
			return said, err
		}
		p.Said, p.Avoid = said, append(p.Avoid, broke.Vendor)
	}
	return said, err
}

// countedVoice counts what a voice is asked for; learners speak Spanish, probes English.
type countedVoice struct {
	providers.Voice
	*tally
	wait time.Duration // before the first sample
}

func (v countedVoice) Open(ctx context.Context, opt providers.SpeakOptions) (providers.VoiceStream, error) {
	s, err := v.Voice.Open(ctx, opt)
	if err != nil {
		v.called(opt.Language == "en")
		return nil, err
	}
	return countedLine{s, v, opt.Language == "en"}, nil
}

type countedLine struct {
	providers.VoiceStream
	voice countedVoice
	probe bool
}

func (l countedLine) Say(ctx context.Context) (providers.Utterance, error) {
	l.voice.called(l.probe)
	u, err := l.VoiceStream.Say(ctx)
	return &lateUtterance{Utterance: u, at: time.Now().Add(l.voice.wait)}, err
}

// lateUtterance sounds from a time on.
type lateUtterance struct {
	providers.Utterance
	at time.Time
}

func (u *lateUtterance) Next(ctx context.Context) (providers.Chunk, error) {
	if !pause(ctx, time.Until(u.at)) {
		return providers.Chunk{}, context.Cause(ctx)
	}
	return u.Utterance.Next(ctx)
}

// countedEar counts the streams of a recogniser.
type countedEar struct {
	*clockEar
	*tally
}

func (e countedEar) Listen(ctx context.Context, opt providers.ListenOptions) (providers.RecognitionStream, error) {
	e.called(opt.Language == "en")
	return e.clockEar.Listen(ctx, opt)
}

// A turn is one call of a part; it fails the test when what came is not whole.
type turn func(t *testing.T)

// tutoring is a part of a node: a tutor whose preferred vendor is in trouble.
func tutoring(trouble string) func(*testing.T, failover.Options, *tally) (turn, func()) {
	return func(_ *testing.T, opt failover.Options, y *tally) (turn, func()) {
		tutor := failover.NewTutor(opt, &talker{tally: y, name: "a", trouble: trouble, well: 100, wait: 200 * time.Millisecond},
			&talker{tally: y, name: "b", wait: 300 * time.Millisecond})
		return func(t *testing.T) {
			if said, err := reply(t.Context(), tutor, y); said != lines || err != nil {
				t.Errorf("%q, %v", said, err)
			}
		}, tutor.Close
	}
}

// speaking is a voice whose preferred vendor is in trouble, or late.
func speaking(trouble string, late time.Duration) func(*testing.T, failover.Options, *tally) (turn, func()) {
	return func(_ *testing.T, opt failover.Options, y *tally) (turn, func()) {
		a := countedVoice{&speaker{name: "a", trouble: trouble, at: 4, times: 1 << 30}, y, late}
		voice := failover.NewVoice(opt, a, countedVoice{&speaker{name: "b"}, y, 0})
		return func(t *testing.T) {
			began := time.Now()
			r := recite(t, voice, clauses...)
			y.waited(time.Since(began))
			if got := letters(r.text()); got != letters(strings.Join(clauses, "")) || !errors.Is(r.err, io.EOF) {
				t.Errorf("heard %q, %v", r.text(), r.err)
			}
		}, voice.Close
	}
}

// recognising is a recogniser whose preferred vendor's streams all go wrong.
func recognising(kind blunder) func(*testing.T, failover.Options, *tally) (turn, func()) {
	return func(_ *testing.T, opt failover.Options, y *tally) (turn, func()) {
		pcm, words := speech(phrase{3, 2})
		first := &clockEar{name: "a"}
		if kind == 0 {
			first.refuse = func(int) error { return &providers.Error{Kind: providers.Unavailable, Vendor: "a", Op: "listen"} }
		} else {
			first.mistake = func(int) mistake { return mistake{after: len(pcm) / 3, kind: kind} }
		}
		r := failover.NewRecognizer(failover.RecognizerOptions{Options: opt}, failover.Ear{Recognizer: countedEar{first, y}},
			failover.Ear{Recognizer: countedEar{&clockEar{name: "b"}, y}})
		return func(t *testing.T) {
			l := follow(t, r)
			began := time.Now()
			if l.say(pcm); kind == stall {
				time.Sleep(time.Second)
			}
			if kind == stall && l.ends.Load() == 0 { // whoever listens complains
				l.RecognitionStream.(providers.Survivor).Renew(errors.New("silent"))
			}
			check(t, l.drained(), words, 5, func(n int) int { return (n - 1) * wordMS })
			y.waited(time.Since(began) - time.Duration(len(pcm)/2)*time.Second/clockRate)
		}, r.Close
	}
}

// TestThousandTurns: one vendor of a kind is dead, slow or lies, for as long as ten
// learners take a hundred turns each. Every answer is whole; retries and hedges are at
// most a tenth of the calls, and probes at most one in five seconds.
func TestThousandTurns(t *testing.T) {
	const learners, each = 10, 100
	for name, part := range map[string]func(*testing.T, failover.Options, *tally) (turn, func()){
		"llm refuses":         tutoring("refuses"),
		"llm hangs":           tutoring("hangs"),
		"llm is slow":         tutoring("is slow"),
		"llm is very slow":    tutoring("is very slow"),
		"llm lies":            tutoring("lies"),
		"llm breaks":          tutoring("breaks"),
		"llm falls silent":    tutoring("falls silent"),
		"tts refuses":         speaking("refuses", 0),
		"tts is cut":          speaking("cut", 0),
		"tts ends early":      speaking("ends", 0),
		"tts stalls":          speaking("stalls", 0),
		"tts is slow":         speaking("", 2*time.Second),
		"stt refuses":         recognising(0),
		"stt is cut":          recognising(cut),
		"stt breaks messages": recognising(garbage),
		"stt stalls":          recognising(stall),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				y := &tally{}
				take, free := part(t, failover.Options{}, y)
				defer free()
				var talking sync.WaitGroup
				for i := range learners {
					talking.Go(func() {
						time.Sleep(time.Duration(i) * 317 * time.Millisecond)
						for range each {
							take(t)
							time.Sleep(5 * time.Second)
						}
					})
				}
				talking.Wait()
				synctest.Wait()
				extra := y.calls - learners*each
				t.Logf("%d turns: %d extra calls, %d probes, the longest wait %v", learners*each, extra, len(y.probes), y.worst)
				if extra < 0 || extra > learners*each/10 {
					t.Errorf("%d extra calls for %d turns", extra, learners*each)
				}
				y.paced(t)
				if kind, _, _ := strings.Cut(name, " "); kind == "llm" && y.worst > 2500*time.Millisecond {
					t.Errorf("a learner waited %v for the first word", y.worst)
				}
			})
		})
	}
}

// paced checks that there were probes, and when.
func (y *tally) paced(t *testing.T) {
	t.Helper()
	if len(y.probes) == 0 {
		t.Error("nobody was probed")
	}
	for i, at := range y.probes[min(1, len(y.probes)):] {
		if d := at.Sub(y.probes[i]); d < failover.ProbeInterval {
			t.Errorf("a probe %v after another", d)
		}
	}
}

// All parts of a node share the pace of probes, so that a node whose vendors are all
// down makes no more of them.
func TestPartsShareThePaceOfProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opt, y := failover.Options{Probes: failover.NewProbes(), CoolDown: failover.ProbeInterval}, &tally{}
		var talking sync.WaitGroup
		probed := make([]*tally, 3)
		for i, part := range []func(*testing.T, failover.Options, *tally) (turn, func()){tutoring("refuses"), speaking("cut", 0), recognising(cut)} {
			probed[i] = &tally{}
			take, free := part(t, opt, probed[i])
			defer free()
			talking.Go(func() {
				for range 200 {
					take(t)
					time.Sleep(700 * time.Millisecond)
				}
			})
		}
		talking.Wait()
		synctest.Wait()
		for i, one := range probed {
			if len(one.probes) == 0 {
				t.Errorf("part %d was never probed", i)
			}
			y.probes = append(y.probes, one.probes...)
		}
		slices.SortFunc(y.probes, time.Time.Compare)
		t.Logf("%d probes of three parts", len(y.probes))
		y.paced(t)
	})
}
