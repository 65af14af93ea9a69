package session

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// loudMS is how much of what the recogniser got was no silence.
func (k *talk) loudMS() int {
	h := k.hears.last()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.loud / 16
}

// A half-duplex microphone is closed while the tutor is heard and a moment longer,
// though the client keeps sending: the recogniser gets silence for as long, what it says
// of that time is no turn, and what is said afterwards is.
func TestHalfDuplex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, s := newTalk(t), &speaker{}
		k.params.Config.Duplex = "half"
		k.tutor.replies = []string{menu, "Claro."}
		k.listen(s)
		k.start()
		k.until("the tutor is heard", func() bool { return s.response(0).playedMS() > 200 })
		before := k.loudMS()
		k.mic(600, true)
		k.hear(providers.HeardUpdate, "Quiero carne")
		k.hear(providers.HeardEnd, "Quiero carne asada")
		k.until("the tutor is done", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 1 })
		k.mic(280, true) // the room still sounds
		if loud := k.loudMS() - before; loud != 0 {
			t.Errorf("the recogniser heard %d ms of it", loud)
		}
		if n := len(eventsOf[ClearAudio](k.conn)) + len(eventsOf[PauseAudio](k.conn)) + len(eventsOf[SpeechStarted](k.conn)); n != 0 {
			t.Errorf("it was taken for speech\n%s", k.story())
		}
		samples := k.hears.last().samples / 16
		if samples < k.sentMS-40 {
			t.Errorf("the recogniser's clock is at %d ms of %d", samples, k.sentMS)
		}
		k.mic(100, false)
		k.say("Una mesa.")
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.finish()
		if got := k.transcripts(); len(got) != 1 || got[0] != "Una mesa." {
			t.Errorf("turns %q", got)
		}
	})
}

// The button stops a half-duplex tutor, and the microphone is open again.
func TestHalfDuplexButton(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, s := newTalk(t), &speaker{}
		k.params.Config.Duplex = "half"
		k.tutor.replies = []string{menu, "Claro."}
		k.listen(s)
		k.start()
		k.until("the tutor is heard", func() bool { return s.response(0).playedMS() > 500 })
		k.send(CancelResponse{})
		k.mic(400, false)
		k.say("Una mesa.")
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.finish()
		if got := k.transcripts(); len(got) != 1 {
			t.Errorf("turns %q", got)
		}
		if cut := eventsOf[Truncated](k.conn); len(cut) != 1 || cut[0].Source != "client" {
			t.Errorf("truncated %+v", cut)
		}
	})
}

// duplexes is what the client was told of the session's duplex, in order.
func (k *talk) duplexes() string {
	var all []string
	for _, u := range eventsOf[Updated](k.conn) {
		all = append(all, u.Session.Duplex)
	}
	return strings.Join(all, " ")
}

// A loudspeaker without echo cancellation makes a session half duplex, headphones make
// it full again, and the client's own wish counts more than either.
func TestDeviceDuplex(t *testing.T) {
	loud, quiet := DeviceState{Route: "speaker"}, DeviceState{Route: "wired"}
	for name, c := range map[string]struct {
		controls []Control
		want     string
	}{
		"a loudspeaker":     {[]Control{loud}, "half"},
		"told twice":        {[]Control{loud, loud}, "half"},
		"with cancellation": {[]Control{DeviceState{Route: "speaker", AEC: true}}, ""},
		"a muted one":       {[]Control{DeviceState{Route: "speaker", Muted: true}}, ""},
		"then headphones":   {[]Control{loud, quiet}, "half full"},
		"a wish":            {[]Control{loud, UpdateSession{ConfigPatch{Duplex: new("full")}}, loud}, "half full"},
		"a wish for half":   {[]Control{UpdateSession{ConfigPatch{Duplex: new("half")}}, quiet}, "half"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.start()
				for _, ctl := range c.controls {
					k.send(ctl)
				}
				k.finish()
				if got := k.duplexes(); got != c.want {
					t.Errorf("told %q, want %q", got, c.want)
				}
			})
		})
	}
}

// The tutor's words come back again and again: it is never stopped by them and answers
// none of them; the learner is warned once, and the session ends up half duplex. A
// device that cancels echoes by its own word gets more credit.
func TestEcho(t *testing.T) {
	for name, c := range map[string]struct {
		device DeviceState
		warned int // after so many echoes
		half   int
		said   int // times
	}{
		"of an unknown device":             {DeviceState{}, 2, 4, 4},
		"of one that says that it cancels": {DeviceState{Route: "speaker", AEC: true}, 4, 8, 8},
		"of headphones, which is none":     {DeviceState{Route: "wired"}, 99, 99, 8},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, s, meter := newTalk(t), &speaker{}, &countingMeter{}
				k.host.Meter = meter
				k.tutor.replies = []string{strings.Repeat(longMenu+" ", 5)}
				k.listen(s)
				k.start()
				k.send(c.device)
				words := strings.Fields(strings.Repeat(longMenu+" ", 5))
				for n := 1; n <= c.said; n++ {
					k.until("a few words more are heard", func() bool {
						return s.response(0).playedMS() > float64(fakeCharMS*len([]rune(strings.Join(words[:5*n], " "))))+300
					})
					echo := strings.ToLower(strings.Join(words[5*n-5:5*n], " "))
					k.hear(providers.HeardUpdate, echo[:len(echo)-2])
					k.hear(providers.HeardEnd, echo)
					if got := len(eventsOf[Warning](k.conn)); (got > 0) != (n >= c.warned) || got > 1 {
						t.Errorf("after %d echoes %d warnings", n, got)
					}
					if got := k.duplexes(); (got == "half") != (n >= c.half) {
						t.Errorf("after %d echoes the session is %q", n, got)
					}
				}
				k.over(0)
				k.mic(4000, false)
				k.finish()
				k.whole(s, 0, strings.Repeat(longMenu+" ", 5))
				if n := len(eventsOf[Committed](k.conn)); n != 0 {
					t.Errorf("the tutor answers itself: %q", k.transcripts())
				}
				if n := meter.counted(EchoesSuspected); n != c.said && c.half <= c.said || n > 0 && c.half > c.said {
					t.Errorf("%d echoes counted", n)
				}
			})
		})
	}
}

// On a device with an echo a word alone does not stop the tutor, since it may be one
// that was misheard; two of the learner's own do, and a word for stop does.
func TestSuspectedEcho(t *testing.T) {
	for heard, stops := range map[string]bool{"carne": false, "sopa de carne": false, "quiero carne": true, "espera": true} {
		t.Run(heard, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, s := newTalk(t), &speaker{}
				k.answering(s, 1500)
				for range echoSuspect {
					k.hear(providers.HeardEnd, "tenemos sopa de verduras")
				}
				k.hear(providers.HeardUpdate, heard)
				if got := len(eventsOf[ClearAudio](k.conn)) == 1; got != stops {
					t.Errorf("stopped: %v", got)
				}
				k.finish()
			})
		})
	}
}

// An echo that is understood when the tutor is done is not taken for the answer; words
// of the tutor's that the learner says afterwards are, though they begin at once.
func TestEchoAfterTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		ago, until int // milliseconds before now at which the words began, and ended
		turns      int
	}{
		"an echo":                   {1800, 600, 0},
		"of a slow loudspeaker":     {1500, 300, 0},
		"a repetition":              {300, 100, 1},
		"that begins at once":       {600, 100, 1},
		"that begins with the last": {900, 100, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, s := newTalk(t), &speaker{}
				k.answering(s, 500)
				k.over(1)
				k.mic(700, false)
				k.hears.last().events <- providers.Heard{Kind: providers.HeardEnd, Segment: k.said, Text: "¿Qué quiere comer usted hoy?",
					StartMS: k.sentMS - c.ago, EndMS: k.sentMS - c.until}
				k.mic(5000, false)
				k.finish()
				if got := k.transcripts(); len(got) != c.turns {
					t.Errorf("turns %q", got)
				}
			})
		})
	}
}

// A "sí" in the middle of what the tutor says is no answer, one at its very end is.
func TestBackchannelOrAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		at    float64
		turns int
	}{"in the middle": {3000, 0}, "at the end": {float64(len([]rune(longMenu))*fakeCharMS) - 200, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, s := newTalk(t), &speaker{}
				k.answering(s, 500)
				k.until("the moment comes", func() bool { return s.response(1).playedMS() >= c.at })
				k.hear(providers.HeardUpdate, "Sí.")
				k.hear(providers.HeardEnd, "Sí.")
				k.hear(providers.HeardEnd, "Sí.") // a recogniser may say it twice
				k.over(1)
				k.mic(5*int(time.Second/time.Millisecond), false)
				k.finish()
				if got := k.transcripts(); len(got) != c.turns {
					t.Errorf("turns %q", got)
				}
			})
		})
	}
}
