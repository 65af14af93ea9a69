package session

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/providers/failover"
	"kalami/session/learn"
	"kalami/session/turntaking"
)

// vendors are a node's: two of each part, behind the real choice with its breakers, hedges,
// probes and budgets.
type vendors struct {
	ears   [2]*wordEar
	tutors [2]*menuTutor
	voices [2]*menuVoice
	asked  atomic.Int64 // by sessions

	recognizer *failover.Recognizer
	tutor      *failover.Tutor
	voice      *failover.Voice
}

func newVendors() *vendors {
	v := &vendors{}
	for i, name := range []string{"first", "second"} {
		v.ears[i], v.tutors[i], v.voices[i] = &wordEar{}, &menuTutor{}, &menuVoice{}
		v.ears[i].name, v.tutors[i].name, v.voices[i].vendor.name = name, name, name
	}
	opt := failover.Options{Probes: failover.NewProbes()}
	v.recognizer = failover.NewRecognizer(failover.RecognizerOptions{Options: opt}, failover.Ear{Recognizer: v.ears[0]}, failover.Ear{Recognizer: v.ears[1]})
	v.tutor = failover.NewTutor(opt, v.tutors[0], v.tutors[1])
	v.voice = failover.NewVoice(opt, v.voices[0], v.voices[1])
	return v
}

func (v *vendors) close() {
	v.recognizer.Close()
	v.tutor.Close()
	v.voice.Close()
}

// calls is how many the vendors got from learners.
func (v *vendors) calls() (n int64) {
	for i := range 2 {
		n += v.ears[i].calls.Load() + v.tutors[i].calls.Load() + v.voices[i].calls.Load()
	}
	return n
}

// The choices, counting what sessions ask them for: what vendors get beyond that is extra.
type (
	askedEar   struct{ *vendors }
	askedTutor struct{ *vendors }
	askedVoice struct{ *vendors }
	askedLine  struct {
		providers.VoiceStream
		*vendors
	}
)

func (v askedEar) Name() string { return v.recognizer.Name() }
func (v askedEar) Listen(ctx context.Context, opt providers.ListenOptions) (providers.RecognitionStream, error) {
	v.asked.Add(1)
	return v.recognizer.Listen(ctx, opt)
}
func (v askedTutor) Name() string { return v.tutor.Name() }
func (v askedTutor) Reply(ctx context.Context, p providers.Prompt) iter.Seq2[providers.Delta, error] {
	if len(p.Avoid) == 0 {
		v.asked.Add(1)
	}
	return v.tutor.Reply(ctx, p)
}
func (v askedVoice) Name() string { return v.voice.Name() }
func (v askedVoice) Open(ctx context.Context, opt providers.SpeakOptions) (providers.VoiceStream, error) {
	s, err := v.voice.Open(ctx, opt)
	return askedLine{s, v.vendors}, err
}
func (l askedLine) Say(ctx context.Context) (providers.Utterance, error) {
	l.asked.Add(1)
	return l.VoiceStream.Say(ctx)
}

// trial is what is wrong during one lesson.
type trial struct {
	part  string // stt, llm, tts, or everything
	which int    // of the part's vendors; 2 for both
	fault fault
}

func (x trial) String() string {
	return fmt.Sprintf("%s %s %+v", x.part, []string{"first", "second", "all"}[x.which], x.fault)
}

// deaf says whether nobody hears the learner.
func (x trial) deaf() bool { return x.which == 2 && (x.part == "stt" || x.part == "everything") }

// someTrials are all ways in which one vendor is dead, slow or lying, and some in which all
// of a part are, or all there are.
func someTrials(r *rand.Rand) (all []trial) {
	for _, part := range []struct {
		name  string
		kinds []string
		dead  int // kinds of those of which nothing comes at all
	}{{"stt", deafnesses, 3}, {"llm", mutenesses, 3}, {"tts", hoarseness, 2}} {
		for _, kind := range part.kinds {
			all = append(all, trial{part: part.name, which: r.IntN(4) / 3, fault: fault{kind: kind}})
		}
		all = append(all, trial{part: part.name, which: 2, fault: fault{kind: part.kinds[r.IntN(part.dead)]}})
	}
	return append(all, trial{part: "everything", which: 2, fault: fault{kind: "refuses"}}, trial{part: "everything", which: 2, fault: fault{kind: "hangs"}})
}

// anew is the trial with other numbers.
func (x trial) anew(r *rand.Rand) trial {
	x.fault.after, x.fault.wait = r.IntN(3), time.Duration(500+r.IntN(8000))*time.Millisecond
	if x.part == "stt" {
		x.fault.after = r.IntN(8)
	}
	return x
}

// suffer gives the vendors of a trial its fault, and none to the others.
func (v *vendors) suffer(x trial) {
	for i := range 2 {
		for part, one := range map[string]*vendor{"stt": &v.ears[i].vendor, "llm": &v.tutors[i].vendor, "tts": &v.voices[i].vendor} {
			one.fault.Store(nil)
			if (x.part == part || x.part == "everything") && (x.which == i || x.which == 2) {
				one.fault.Store(&x.fault)
			}
		}
	}
}

// spokenLesson is a session whose learner speaks a turn after the other.
type spokenLesson struct {
	*talk
	trial  trial
	said   int // words
	turnAt []time.Time
}

// turn speaks some words and waits until they are answered, or nobody will answer.
func (l *spokenLesson) turn(words int) {
	question := ""
	for _, m := range l.journal.stored() {
		if m.Speaker == learn.SpeakerTutor {
			question = m.Heard
		}
	}
	before, committed := len(eventsOf[ResponseDone](l.conn)), len(eventsOf[Committed](l.conn))
	from := l.said + 1
	l.said += words
	l.speak(from, l.said)
	var texts []string
	for n := from; n <= l.said; n++ {
		texts = append(texts, wordText(n))
	}
	stretch, _ := turntaking.Judge("es", strings.Join(texts, " "), question)
	end := l.loudUntil.Add(turntaking.Wait(turntaking.LevelPatience(learn.B1), stretch))
	for time.Since(l.loudUntil) < 25*time.Second && len(eventsOf[ResponseDone](l.conn)) == before {
		l.quiet(200 * time.Millisecond)
	}
	for _, w := range l.conn.all() { // the session may end a turn sooner than patience would
		if _, ok := w.event.(Committed); ok {
			if committed--; committed < 0 {
				end = earlier(end, w.at)
			}
		}
	}
	l.turnAt = append(l.turnAt, end)
	l.quiet(time.Second)
}

// heardAfter is how long the learner hears nothing after a time; an hour for nothing any more.
func (l *spokenLesson) heardAfter(at time.Time) time.Duration {
	var to time.Time // what has come is played until then
	for _, w := range l.conn.all() {
		if w.event != nil || len(w.frame.Audio) == 0 {
			continue
		}
		from := later(to, w.at)
		if to = from.Add(time.Duration(len(w.frame.Audio)/48) * time.Millisecond); to.After(at) {
			return max(0, from.Sub(at))
		}
	}
	return time.Hour
}

// wholeWords checks that every word was understood and stored once, in order.
func (l *spokenLesson) wholeWords() {
	l.t.Helper()
	var got, want []string
	for _, m := range l.journal.stored() {
		if m.Speaker == learn.SpeakerLearner && m.Source == "voice" {
			got = append(got, strings.Fields(m.Content)...)
		}
	}
	for n := 1; n <= l.said; n++ {
		want = append(want, wordText(n))
	}
	if !slices.Equal(got, want) {
		l.t.Errorf("%v: stored %q of %d words", l.trial, got, l.said)
	}
}

// lessonTurns is how many turns each lesson has: of a learner whom nobody hears the first
// is spoken, and then they type.
const lessonTurns = 5

func (l *spokenLesson) run() {
	l.start()
	l.quiet(500 * time.Millisecond)
	for len(eventsOf[ResponseDone](l.conn)) == 0 {
		l.quiet(200 * time.Millisecond)
	}
	l.quiet(time.Second)
	for n := range lessonTurns {
		if n > 0 && l.trial.deaf() {
			done := len(eventsOf[ResponseDone](l.conn))
			l.send(CreateItem{Text: fmt.Sprintf("Turno %d.", n)})
			for since := time.Now(); len(eventsOf[ResponseDone](l.conn)) == done && time.Since(since) < time.Minute; {
				l.quiet(200 * time.Millisecond)
			}
			continue
		}
		l.turn(3 + n%4)
	}
	l.finish()
}

// lessons is how many lessons each node holds: 8, or as many as KALAMI_TEST_TRIALS says in
// the long form.
func lessons(t *testing.T) int {
	if v := os.Getenv("KALAMI_TEST_TRIALS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatalf("KALAMI_TEST_TRIALS: %v", err)
		}
		return n
	}
	return 8
}

// lessonsOf holds the lessons of one node.
func (x trial) lessonsOf(t *testing.T, r *rand.Rand, sum *spokenSum) {
	v := newVendors()
	defer v.close()
	for range lessons(t) {
		k := newTalk(t)
		k.host.Recognizer, k.host.Tutor, k.host.Voice = askedEar{v}, askedTutor{v}, askedVoice{v}
		l := &spokenLesson{talk: k, trial: x.anew(r)}
		v.suffer(l.trial)
		l.run()
		sum.add(t, k)
		for _, at := range l.turnAt {
			d := l.heardAfter(at)
			if sum.spoken++; d > silenceMost {
				t.Errorf("%v: %v of silence after a turn\n%s", l.trial, d, k.story())
			}
			sum.longest = max(sum.longest, d)
		}
		if !l.trial.deaf() {
			l.wholeWords()
		} else if texts, _ := k.clips(); !slices.Contains(texts, deafClip) {
			t.Errorf("%v: nobody hears the learner, who is told %q", l.trial, texts)
		}
		if t.Failed() {
			return
		}
	}
	if x.which < 2 {
		sum.calls, sum.asked = sum.calls+v.calls(), sum.asked+v.asked.Load()
	}
}

// spokenSum is what came of all nodes.
type spokenSum struct {
	silences
	spoken       int
	calls, asked int64 // while one of the vendors worked
}

// Learners speak, and any one vendor is dead, slow or lying, or all of a part are, or all
// there are. Nobody hears nothing for more than 2.5 s after the end of their turn, or within
// an answer; what they said is stored whole while anybody can hear it; sessions go on; and
// where one vendor works they get a tenth more calls at the most.
func TestNoDeadAirWhenSpeaking(t *testing.T) {
	seed := uint64(7)
	r := rand.New(rand.NewPCG(seed, 0))
	var sum spokenSum
	for _, x := range someTrials(r) {
		before := sum
		t.Run(x.part+" "+[]string{"first ", "second ", "all "}[x.which]+x.fault.kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { x.lessonsOf(t, r, &sum) })
			t.Logf("%d turns, %d calls for %d", sum.turns-before.turns, sum.calls-before.calls, sum.asked-before.asked)
		})
	}
	extra := float64(sum.calls-sum.asked) / float64(max(1, sum.calls))
	t.Logf("dead air: turns=%d spoken=%d longest_ms=%d over_2500_ms=%d fillers=%d failed=%d calls=%d extra=%.1f%% seed=%d",
		sum.turns, sum.spoken, sum.longest.Milliseconds(), sum.over, sum.fillers, sum.failed, sum.calls, 100*extra, seed)
	if extra > 0.1 || sum.turns < 1000 || sum.fillers == 0 || sum.failed == 0 {
		t.Errorf("%.1f %% extra calls; %+v", 100*extra, sum)
	}
}
