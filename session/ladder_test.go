package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// tally is a meter that counts.
type tally struct {
	mu     sync.Mutex
	counts map[Counter]int
}

func (m *tally) Turn(Latency) {}

func (m *tally) DeadAir(time.Duration) {}
func (m *tally) Count(c Counter, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.counts == nil {
		m.counts = make(map[Counter]int)
	}
	m.counts[c] += n
}

func (m *tally) of(c Counter) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts[c]
}

// helped prepares a talk whose ladder is on and whose tutor asks questions.
func helped(t *testing.T) (*talk, *tally) {
	k, m := newTalk(t), &tally{}
	k.host.Nudges, k.host.Meter = true, m
	k.tutor.replies = []string{"¿Qué quieres comer?", "¿Qué comes?", "¿Sopa o pollo?", "¿Y ahora?"}
	return k, m
}

// rungsTaken lists the nudges with the seconds from the end of the last reply before.
func (k *talk) rungsTaken() (out []string) {
	var since time.Time
	for _, w := range k.conn.all() {
		switch e := w.event.(type) {
		case ResponseDone:
			since = w.at
		case Nudge:
			out = append(out, fmt.Sprintf("%s+%.0f", e.Kind, w.at.Sub(since).Seconds()))
		}
	}
	return out
}

// A learner who never finds an answer: each rung comes in its time, counted from the
// end of what the tutor said last, the tutor is told what to do, the lesson pauses, and
// at last the session ends.
func TestLadder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, m := helped(t)
		k.start()
		k.greeted()
		for range 40 {
			k.mic(10_000, false)
		}
		end := <-k.result
		if end.Reason != EndIdle {
			t.Errorf("ended as %v", end)
		}
		// The rephrasing ends at 16 s of the ladder's time, so that 14 more are left to the offer.
		want := []string{"hint+10", "rephrase+16", "offer+14", "pause+60"}
		if got := k.rungsTaken(); !slices.Equal(got, want) {
			t.Errorf("rungs %q, want %q\n%s", got, want, k.story())
		}
		if hint := eventsOf[Nudge](k.conn)[0].Text; hint != learn.Opener("es", learn.B1, 0) || hint == "" {
			t.Errorf("the hint shows %q", hint)
		}
		for i, note := range []string{learn.Rephrase(), learn.Offer()} {
			if got := k.tutor.prompt(i + 1).Reminder; !strings.HasSuffix(got, note) {
				t.Errorf("for rung %d the tutor is told %q", i+1, got)
			}
		}
		if n := m.of(Nudges); n != 4 {
			t.Errorf("counted %d", n)
		}
		if h := k.hears.last(); len(k.hears.streams) != 1 || !h.closed {
			t.Errorf("%d streams, closed %v", len(k.hears.streams), h.closed)
		}
	})
}

// Whatever the learner does is a sign of life: the ladder begins anew.
func TestLadderBeginsAnew(t *testing.T) {
	for name, act := range map[string]func(k *talk){
		"voice without words": func(k *talk) { k.mic(200, true) },
		"hold":                func(k *talk) { k.send(HoldTurn{MS: 1}) },
		"another patience":    func(k *talk) { k.send(SetTutor{PatienceMS: new(2000)}) },
		"taken back":          func(k *talk) { k.send(ClearInput{}) },
		"another device":      func(k *talk) { k.send(DeviceState{Route: "wired"}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, _ := helped(t)
				k.start()
				k.greeted()
				k.mic(9000, false)
				act(k)
				k.mic(8000, false)
				if got := k.rungsTaken(); len(got) != 0 {
					t.Fatalf("rungs %q, though the learner is there", got)
				}
				k.mic(6000, false)
				k.finish()
				if got := eventsOf[Nudge](k.conn); len(got) != 1 || got[0].Kind != NudgeHint {
					t.Errorf("nudges %+v, want a hint 10 s later", got)
				}
			})
		})
	}
}

// What a client says of itself is no sign of the learner's.
func TestLadderDoesNotMindTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := helped(t)
		k.start()
		k.greeted()
		id := eventsOf[ResponseCreated](k.conn)[0].Response.ID
		for range 11 {
			k.mic(1000, false)
			k.send(Pong{ID: "p_1"})
			k.send(AckEvents{Seq: 3})
			k.send(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: id, PlayedMS: 10}})
		}
		k.finish()
		if got := k.rungsTaken(); !slices.Equal(got, []string{"hint+10"}) {
			t.Errorf("rungs %q", got)
		}
	})
}

// When the ladder has fewer rungs, and when it has none.
func TestLadderStandsStill(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(k *talk)
		play    func(k *talk)
		want    []string
	}{
		"nothing was asked": {
			func(k *talk) { k.tutor.replies = []string{"Hola."} },
			func(k *talk) { k.mic(95_000, false) }, []string{"hint+10", "pause+90"}},
		"muted": {
			func(*talk) {},
			func(k *talk) { k.send(DeviceState{Muted: true}); k.mic(95_000, false) }, []string{"hint+10", "pause+90"}},
		"push-to-talk": {
			func(k *talk) { k.params.Config.Audio.Input.TurnDetection = nil },
			func(k *talk) { k.mic(110_000, false) }, []string{"hint+20", "rephrase+32", "offer+28", "pause+30"}},
		"held by the learner": {
			func(*talk) {},
			func(k *talk) { k.send(HoldTurn{MS: 60_000}); k.mic(69_000, false) }, nil},
		"after the hold": {
			func(*talk) {},
			func(k *talk) { k.send(HoldTurn{MS: 60_000}); k.mic(71_000, false) }, []string{"hint+70"}},
		"switched off": {
			func(k *talk) { k.host.Nudges = false },
			func(k *talk) { k.mic(95_000, false) }, nil},
		"words that wait for the button": {
			func(k *talk) { k.params.Config.Audio.Input.TurnDetection = nil },
			func(k *talk) { k.say("Quiero sopa"); k.mic(60_000, false) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, _ := helped(t)
				c.prepare(k)
				k.start()
				k.greeted()
				c.play(k)
				k.finish()
				if got := k.rungsTaken(); !slices.Equal(got, c.want) {
					t.Errorf("rungs %q, want %q", got, c.want)
				}
			})
		})
	}
}

// A learner who speaks over the tutor's help is heard as ever, and the ladder begins anew
// after the answer.
func TestHelpIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := helped(t)
		k.tutor.replies = []string{"¿Qué quieres comer?", "Hoy tenemos sopa, pollo y pescado muy fresco. ¿Qué comes?", "Muy bien. ¿Y qué más?"}
		k.start()
		k.greeted()
		k.until("it is asked again", func() bool { return len(eventsOf[ResponseCreated](k.conn)) == 2 })
		k.mic(1000, false)
		k.say("Una ensalada, por favor.")
		k.until("that is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 3 })
		k.mic(11_000, false)
		k.finish()
		if got := k.rungsTaken(); !slices.Equal(got, []string{"hint+10", "rephrase+16", "hint+10"}) {
			t.Errorf("rungs %q", got)
		}
		if got := k.transcripts(); !slices.Equal(got, []string{"Una ensalada, por favor."}) {
			t.Errorf("turns %q", got)
		}
	})
}

// A room with noises: the learner is not asked again and again, at no matter what price,
// and the session ends for want of words, as ever.
func TestLadderInANoisyRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, m := helped(t)
		k.start()
		k.greeted()
		for range 30 { // also while the tutor speaks
			k.mic(400, true)
			k.mic(18_600, false)
		}
		if end := <-k.result; end.Reason != EndIdle {
			t.Errorf("ended as %v", end)
		}
		kinds := map[string]int{}
		for _, e := range eventsOf[Nudge](k.conn) {
			kinds[e.Kind]++
		}
		if kinds[NudgeHint] != 1 || kinds[NudgeRephrase] != 1 || kinds[NudgeOffer] > 1 || len(k.tutor.prompts) > 3 || m.of(Nudges) > 4 {
			t.Errorf("nudges %v, %d answers", kinds, len(k.tutor.prompts))
		}
	})
}

// The tutor's echo in the microphone is no sign of the learner's.
func TestLadderMindsNoEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := helped(t)
		k.start()
		k.greeted()
		for range 3000 {
			sounding := len(eventsOf[ResponseCreated](k.conn)) > len(eventsOf[ResponseDone](k.conn))
			k.mic(100, sounding)
			if len(eventsOf[Ended](k.conn)) > 0 {
				break
			}
		}
		<-k.result
		var kinds []string
		for _, e := range eventsOf[Nudge](k.conn) {
			kinds = append(kinds, e.Kind)
		}
		if want := []string{NudgeHint, NudgeRephrase, NudgeOffer, NudgePause}; !slices.Equal(kinds, want) {
			t.Errorf("nudges %q, want each once\n%s", kinds, k.story())
		}
	})
}

// tape is a recogniser that keeps what it is sent, and takes its time to be reached.
type tape struct {
	fakeRecognizer
	takes time.Duration
	spool []*spool
}

type spool struct {
	*fakeHearing
	mu  sync.Mutex
	pcm []byte
}

func (r *tape) Listen(ctx context.Context, opt providers.ListenOptions) (providers.RecognitionStream, error) {
	if len(r.spool) > 0 {
		time.Sleep(r.takes)
	}
	h, err := r.fakeRecognizer.Listen(ctx, opt)
	if err != nil {
		return nil, err
	}
	s := &spool{fakeHearing: h.(*fakeHearing)}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spool = append(r.spool, s)
	return s, nil
}

func (s *spool) Send(ctx context.Context, pcm []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pcm = append(s.pcm, pcm...)
	return s.fakeHearing.Send(ctx, pcm)
}

// loud counts the milliseconds that were not silence.
func (s *spool) loud() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for i := 0; i+1 < len(s.pcm); i += 2 {
		if s.pcm[i] != 0 || s.pcm[i+1] != 0 {
			n++
		}
	}
	return n / 16
}

// The lesson has paused: the recogniser's stream is closed and nothing keeps it alive.
// The learner speaks, and not a sample of the voice is lost, nor of the moment before it,
// though it takes a while until somebody listens again.
func TestPauseLosesNoWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := helped(t)
		k.tutor.replies = []string{"Hola.", "Muy bien."}
		hears := &tape{takes: 300 * time.Millisecond}
		k.host.Recognizer = hears
		k.start()
		k.greeted()
		k.mic(91_000, false)
		if n := len(eventsOf[Nudge](k.conn)); n != 2 {
			t.Fatalf("%d nudges\n%s", n, k.story())
		}
		first := hears.spool[0]
		if !first.closed {
			t.Error("the stream is still paid for")
		}
		sent, kept := first.samples, first.kept
		k.mic(30_000, false)
		if first.samples != sent || first.kept != kept || len(hears.spool) != 1 {
			t.Errorf("while it rests, the recogniser got %d samples and %d keepalives", first.samples-sent, first.kept-kept)
		}
		k.mic(1200, true)
		if len(hears.spool) != 2 {
			t.Fatalf("%d streams after the voice", len(hears.spool))
		}
		second := hears.spool[1]
		if got := second.loud(); got != 1200 {
			t.Errorf("%d ms of the voice arrived, want all 1200", got)
		}
		if before := second.samples/16 - 1200; before < 500 || before > 1000 {
			t.Errorf("%d ms from before the voice arrived", before)
		}
		second.events <- providers.Heard{Kind: providers.HeardEnd, Text: "Hola.", EndMS: 1700}
		k.mic(6000, false)
		k.finish()
		if got := k.transcripts(); !slices.Equal(got, []string{"Hola."}) {
			t.Errorf("turns %q\n%s", got, k.story())
		}
		if w := eventsOf[Warning](k.conn); len(w) != 0 {
			t.Errorf("the client was warned of what was meant: %+v", w)
		}
	})
}

// A control wakes the recogniser as well, and the lesson can pause again.
func TestPauseEndsWithAControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := helped(t)
		k.tutor.replies = []string{"Hola.", "Muy bien."}
		k.start()
		k.greeted()
		k.mic(91_000, false)
		k.send(CreateItem{Text: "¿Estás ahí?"})
		k.mic(1000, false)
		if n := k.hears.opened; n != 2 {
			t.Errorf("%d streams after the control", n)
		}
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.mic(91_000, false)
		k.finish()
		if got := k.rungsTaken(); !slices.Equal(got, []string{"hint+10", "pause+90", "hint+10", "pause+90"}) {
			t.Errorf("rungs %q", got)
		}
		if !k.hears.last().closed || k.hears.opened != 2 {
			t.Errorf("%d streams, the last closed: %v", k.hears.opened, k.hears.last().closed)
		}
		hints := eventsOf[Nudge](k.conn)
		if hints[0].Text == hints[2].Text {
			t.Errorf("the same hint twice: %q", hints[0].Text)
		}
	})
}
