package session

import (
	"bytes"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

const (
	opener   = "Hola. ¿Qué tal?"
	longMenu = "Hoy tenemos sopa de verduras y pollo asado con patatas. También hay pescado muy fresco del mercado, y de postre flan casero. ¿Qué quiere comer usted hoy?"
)

// answering runs until the tutor's second reply, longMenu, has been heard for ms
// milliseconds: the greeting, whose beginning is protected longer, is over.
func (k *talk) answering(s *speaker, ms int) {
	k.t.Helper()
	k.tutor.replies = []string{opener, longMenu}
	k.listen(s)
	k.start()
	k.until("the greeting is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 1 })
	k.send(CreateItem{Text: "¿Qué hay?"})
	k.until("the tutor is heard", func() bool { n := s.response(1); return n.playedMS() >= float64(ms) })
}

// over runs until the i-th reply is.
func (k *talk) over(i int) {
	k.t.Helper()
	k.until("the reply is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) > i })
}

// whole checks that the i-th reply came and was played as the voice made it: no sample
// is missing, none came twice, and none had to be waited for.
func (k *talk) whole(s *speaker, i int, text string) {
	k.t.Helper()
	want, got := synthesised(text), s.response(i)
	if !bytes.Equal(got.pcm, want) {
		k.t.Errorf("received %d bytes that differ from the %d synthesised", len(got.pcm), len(want))
	}
	if !bytes.Equal(got.rendered, want) {
		k.t.Errorf("played %d bytes that differ from the %d synthesised", len(got.rendered), len(want))
	}
	if got.runs > 0 {
		k.t.Errorf("the player ran dry %d times", got.runs)
	}
	if n := len(eventsOf[ClearAudio](k.conn)); n != 0 {
		k.t.Errorf("the tutor was stopped\n%s", k.story())
	}
}

// differing counts the samples at which two pieces of audio are not the same.
func differing(a, b []byte) (n int) {
	for i := 0; i < max(len(a), len(b)); i += 2 {
		if i+2 > len(a) || i+2 > len(b) || !bytes.Equal(a[i:i+2], b[i:i+2]) {
			n++
		}
	}
	return n
}

// decided returns when the tutor paused and when it was decided what to do, each from onset.
func (k *talk) decided(onset time.Time) (paused, decided []time.Duration) {
	for _, w := range k.conn.all() {
		switch w.event.(type) {
		case PauseAudio:
			paused = append(paused, w.at.Sub(onset))
		case ResumeAudio, ClearAudio:
			decided = append(decided, w.at.Sub(onset))
		}
	}
	return paused, decided
}

// What is no interruption costs nothing: the tutor pauses, goes on within 400 ms of the
// voice's onset, and not a sample is lost or repeated, on the wire or at the loudspeaker.
func TestFalseAlarm(t *testing.T) {
	mumble := func(ms int, text string) func(k *talk) {
		return func(k *talk) {
			k.mic(ms, true)
			k.hear(providers.HeardUpdate, text)
			k.mic(200, false)
			k.hear(providers.HeardEnd, text)
		}
	}
	for name, c := range map[string]struct {
		play   func(k *talk)
		pauses int
		most   time.Duration
	}{
		"a click":               {func(k *talk) { k.mic(80, true) }, 0, 0},
		"a cough":               {func(k *talk) { k.mic(200, true) }, 1, 400 * time.Millisecond},
		"a cough that is short": {func(k *talk) { k.mic(140, true) }, 1, 340 * time.Millisecond},
		"noise for 3 s":         {func(k *talk) { k.mic(3000, true) }, 1, 400 * time.Millisecond},
		"mhm":                   {mumble(260, "mhm"), 1, 300 * time.Millisecond},
		"sí":                    {mumble(240, "Sí."), 1, 300 * time.Millisecond},
		"sí, claro":             {mumble(300, "Sí, claro."), 1, 320 * time.Millisecond},
		"oui":                   {mumble(240, "oui"), 1, 300 * time.Millisecond},
		"d'accord":              {mumble(280, "d'accord"), 1, 300 * time.Millisecond},
		"ja":                    {mumble(200, "Ja!"), 1, 300 * time.Millisecond},
		"ach so":                {mumble(280, "ach so, genau"), 1, 300 * time.Millisecond},
		"yeah":                  {mumble(240, "Yeah."), 1, 300 * time.Millisecond},
		"uh huh":                {mumble(280, "uh huh, okay"), 1, 300 * time.Millisecond},
		"うん":                    {mumble(240, "うん、うん"), 1, 300 * time.Millisecond},
		"a word that comes late": {func(k *talk) {
			k.mic(260, true)
			k.mic(700, false)
			k.hear(providers.HeardEnd, "mhm")
		}, 1, 400 * time.Millisecond},
		"the tutor's own words": {mumble(300, "sopa de verduras y poll"), 1, 320 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, s := newTalk(t), &speaker{buffer: 120 * time.Millisecond}
				k.answering(s, 1200)
				onset := time.Now()
				c.play(k)
				k.over(1)
				k.finish()
				k.whole(s, 1, longMenu)
				paused, decided := k.decided(onset)
				if len(paused) != c.pauses || len(decided) != c.pauses {
					t.Fatalf("paused after %v, decided after %v, want %d", paused, decided, c.pauses)
				}
				for i := range paused {
					t.Logf("false_alarm paused_ms=%d decided_ms=%d differing_samples=%d", paused[i].Milliseconds(), decided[i].Milliseconds(),
						differing(s.response(1).rendered, synthesised(longMenu)))
					if paused[i] < 100*time.Millisecond || decided[i] > c.most {
						t.Errorf("paused after %v, decided after %v", paused[i], decided[i])
					}
				}
				if n := len(eventsOf[Committed](k.conn)); n != 0 {
					t.Errorf("%d turns of it", n)
				}
				if m := k.journal.stored(); m[len(m)-1].Interrupted || m[len(m)-1].Heard != longMenu {
					t.Errorf("stored as %+v", m[len(m)-1])
				}
			})
		})
	}
}

// A pause holds up nothing but the audio: the lead of the player is the same after it,
// neither a burst nor a drought, for clients that obey, that do not, and that say nothing.
func TestLeadAfterPauses(t *testing.T) {
	for name, s := range map[string]*speaker{
		"obeys": {buffer: 120 * time.Millisecond}, "plays on": {deaf: true, buffer: 120 * time.Millisecond},
		"says nothing": {mute: true}, "says nothing and plays on": {mute: true, deaf: true},
	} {
		for _, at := range []int{400, 1500} { // with little lead, and with much
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					k, s := newTalk(t), &speaker{deaf: s.deaf, mute: s.mute, buffer: s.buffer}
					k.answering(s, at)
					most := 0.0
					for range 3 {
						k.mic(240, true)
						for range 60 {
							k.mic(20, false)
							n := s.response(1)
							most = max(most, float64(len(n.pcm)-len(n.rendered))/2/speakerRate*1000)
						}
					}
					k.over(1)
					k.finish()
					k.whole(s, 1, longMenu)
					if most > 1500+100+150 { // a frame, and the player's own delay
						t.Errorf("the lead grew to %.0f ms", most)
					}
					if n := len(eventsOf[PauseAudio](k.conn)); n == 0 || s.deaf && n == 3 {
						t.Errorf("paused %d times", n)
					}
				})
			})
		}
	}
}

// Whatever the pauses, what was heard is what was heard: by the player's last word or
// by the clock.
func TestHeardAfterPauses(t *testing.T) {
	for name, c := range map[string]struct {
		mute  bool
		slack float64
	}{"the player's word": {false, 1}, "the clock's": {true, 60}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, s := newTalk(t), &speaker{mute: c.mute, buffer: clientBuffer}
				k.answering(s, 1000)
				k.mic(260, true)
				k.mic(1000, false)
				if len(eventsOf[ResumeAudio](k.conn)) != 1 {
					t.Fatalf("no pause\n%s", k.story())
				}
				k.mic(260, true) // a second one, within which the words come
				k.hear(providers.HeardUpdate, "Una pregunta, por favor")
				k.over(1)
				k.finish()
				cut, truth := eventsOf[Truncated](k.conn), s.response(1).truth
				if len(cut) != 1 || float64(cut[0].AudioEndMS) < truth-c.slack || float64(cut[0].AudioEndMS) > truth+c.slack {
					t.Errorf("cut at %+v, played were %.1f ms", cut, truth)
				}
			})
		})
	}
}

// Words for stop stop the tutor at the first word: in the first seconds, in a partial,
// whatever the device. Other words over its echo do, too; its own never do.
func TestWhatStopsTheTutor(t *testing.T) {
	for name, c := range map[string]struct {
		playedMS int // of the greeting, which is long
		heard    string
		stops    bool
	}{
		"stop": {400, "stop", true}, "wait": {400, "Wait", true}, "espera": {400, "espera", true},
		"attends": {400, "attends", true}, "warte": {400, "Warte", true}, "待って": {400, "待って", true},
		"mhm, espera":        {400, "mhm espera", true},
		"over the echo":      {1200, "tenemos sopa espera", true},
		"a word at first":    {400, "carne", false},
		"two words at first": {400, "carne asada", true},
		"a word later":       {3000, "carne", true},
		"its own words":      {1500, "tenemos sopa de verdu", false},
		"words over them":    {1500, "tenemos sopa quiero carne", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, s := newTalk(t), &speaker{}
				k.tutor.replies = []string{longMenu}
				k.listen(s)
				k.start()
				k.until("the tutor is heard", func() bool { n := s.response(0); return n.playedMS() >= float64(c.playedMS) })
				k.mic(300, true)
				said := time.Now()
				k.hear(providers.HeardUpdate, c.heard)
				stopped := time.Duration(-1)
				for _, w := range k.conn.all() {
					if _, ok := w.event.(ClearAudio); ok {
						stopped = w.at.Sub(said)
					}
				}
				if got := stopped >= 0; got != c.stops || stopped > 10*time.Millisecond {
					t.Errorf("stopped: %v, after %v", got, stopped)
				}
				k.finish()
			})
		})
	}
}

// The first seconds of a session and the first moment of each answer are protected: a
// voice alone, which may be an echo that is not cancelled yet, does not pause the tutor.
func TestProtectedOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, s := newTalk(t), &speaker{}
		k.tutor.replies = []string{longMenu, longMenu}
		k.listen(s)
		k.start()
		k.until("the tutor is heard", func() bool { return s.response(0).playedMS() > 0 })
		for range 3 {
			k.mic(300, true)
			k.mic(500, false)
		}
		if n := len(eventsOf[PauseAudio](k.conn)); n != 0 {
			t.Errorf("paused in the opening")
		}
		k.until("it is over", func() bool { return s.response(0).playedMS() > 2600 })
		k.mic(300, true)
		if n := len(eventsOf[PauseAudio](k.conn)); n != 1 {
			t.Errorf("paused %d times after the opening", n)
		}
		k.mic(500, false)
		k.send(CreateItem{Text: "¿Y qué más?"})
		k.until("the next answer is heard", func() bool { return s.response(1).playedMS() > 0 })
		k.mic(200, true)
		if n := len(eventsOf[PauseAudio](k.conn)); n != 1 {
			t.Errorf("paused at the answer's first sound")
		}
		k.finish()
	})
}

// In a noisy room voices mean nothing: after three false alarms only words count.
func TestRepeatedFalseAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, s, meter := newTalk(t), &speaker{}, &countingMeter{}
		k.host.Meter = meter
		k.answering(s, 600)
		for range 5 {
			k.mic(240, true)
			k.mic(700, false)
		}
		if n := len(eventsOf[PauseAudio](k.conn)); n != alarmsMost {
			t.Errorf("paused %d times", n)
		}
		if n := meter.counted(FalseAlarms); n != alarmsMost {
			t.Errorf("%d false alarms counted", n)
		}
		k.hear(providers.HeardUpdate, "Una pregunta")
		if n := len(eventsOf[ClearAudio](k.conn)); n != 1 || meter.counted(Interruptions) != 1 {
			t.Errorf("words do not interrupt any more")
		}
		k.finish()
	})
}

// Words that come later than the decision still interrupt, and then it was no false alarm.
func TestLateWordsInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, s, meter := newTalk(t), &speaker{}, &countingMeter{}
		k.host.Meter = meter
		k.answering(s, 1000)
		k.mic(900, true)
		k.hear(providers.HeardUpdate, "Una pregunta")
		k.mic(3000, false)
		k.finish()
		var order []string
		for _, w := range k.conn.all() {
			switch w.event.(type) {
			case PauseAudio, ResumeAudio, ClearAudio:
				order = append(order, w.event.EventType())
			}
		}
		if want := []string{"output_audio_buffer.pause", "output_audio_buffer.resume", "output_audio_buffer.clear"}; !slices.Equal(order, want) {
			t.Errorf("told %q", order)
		}
		if n := meter.counted(FalseAlarms); n != 0 {
			t.Errorf("%d false alarms counted", n)
		}
	})
}

// A node that restarts lets the sentence end: it does not wait for a voice.
func TestRestartDuringAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, s := newTalk(t), &speaker{}
		k.answering(s, 1000)
		k.mic(160, true)
		if len(eventsOf[PauseAudio](k.conn)) != 1 {
			t.Fatal("no pause")
		}
		k.cancel(&End{Reason: EndRestart})
		k.mic(20, true)
		if len(eventsOf[ResumeAudio](k.conn)) != 1 {
			t.Error("the tutor stands still while the node waits for it")
		}
		if end := <-k.result; end.Reason != EndRestart {
			t.Errorf("ended as %v", end)
		}
		if heard := k.journal.stored(); heard[len(heard)-1].Heard != "Hoy tenemos sopa de verduras y pollo asado con patatas." {
			t.Errorf("heard %q", heard[len(heard)-1].Heard)
		}
	})
}
