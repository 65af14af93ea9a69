package session

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"kalami/providers"
	"kalami/session/learn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A learner is greeted, speaks, and is answered. The answer begins only after the
// level's patience, and the learner's words are acknowledged only once stored.
func TestTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{"Hola. ¿Qué tal?", "Muy bien. ¿Y qué más?"}
		k.journal.takes = 30 * time.Millisecond
		k.start()
		k.greeted()
		k.say("Ayer fui al mercado.")
		ended := time.Now()
		k.until("the second answer is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.finish()

		var order []string
		var committed, acknowledged, answered time.Time
		for i, w := range k.conn.all() {
			if w.event == nil {
				continue
			}
			if w.head.Seq != uint64(len(order)+1) {
				t.Errorf("event %d has number %d, want no holes", i, w.head.Seq)
			}
			order = append(order, w.event.EventType())
			switch e := w.event.(type) {
			case Committed:
				committed = w.at
			case ItemDone:
				if e.Item.Role == "user" {
					acknowledged = w.at
				}
			case ResponseCreated:
				answered = w.at
			}
		}
		if order[0] != "session.created" || order[len(order)-1] != "session.ended" {
			t.Errorf("first and last events are %s and %s", order[0], order[len(order)-1])
		}
		if wait := committed.Sub(ended); wait < 2*time.Second || wait > 2350*time.Millisecond {
			t.Errorf("the turn ended %v after the words, want B1's 1.5 s and half as much again: little said to an open question\n%s", wait, k.story())
		}
		if lag := acknowledged.Sub(committed); lag < 30*time.Millisecond {
			t.Errorf("acknowledged %v after the turn, before it was stored", lag)
		}
		if answered.Sub(committed) > 5*time.Millisecond {
			t.Errorf("the answer waited %v for the store", answered.Sub(committed))
		}
		want := []string{"assistant: Hola. ¿Qué tal?", "user: Ayer fui al mercado.", "assistant: Muy bien. ¿Y qué más?"}
		if got := contents(k.journal.stored()); !slices.Equal(got, want) {
			t.Errorf("stored %q, want %q", got, want)
		}
		if c := k.journal.ended; len(c) != 1 || c[0].Status != "ended" || c[0].Totals.Turns != 1 || c[0].Totals.Learner == 0 {
			t.Errorf("conversation closed as %+v", c)
		}
	})
}

func contents(ms []learn.Message) []string {
	var out []string
	for i, m := range ms {
		if m.Seq != i+1 {
			out = append(out, "wrong number")
		}
		out = append(out, string(m.Speaker)+": "+m.Content)
	}
	return out
}

// A hesitant beginner pauses 1.9 s after "ich habe gestern": the turn goes on. The
// recogniser's own ends, one at every pause, do not end it either.
func TestHesitationIsOneTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.params.Config.Level, k.params.Config.Language = "A1", "de"
		k.start()
		k.greeted()
		k.say("Ich habe gestern")
		k.mic(1900, false)
		k.say("ein Buch gelesen.")
		k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) > 0 })
		k.finish()
		done := eventsOf[TranscriptCompleted](k.conn)
		if len(done) != 1 || done[0].Transcript != "Ich habe gestern ein Buch gelesen." {
			t.Errorf("turns: %+v", done)
		}
	})
}

// The voice is heard again just before patience runs out, but the recogniser's
// words come later: the tutor does not cut in.
func TestVoiceProlongsPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		k.say("Ayer fui al mercado.")
		k.mic(1400, false)
		k.mic(700, true) // still without words
		k.hear(providers.HeardUpdate, "con mi hermana.")
		k.mic(300, true)
		k.hear(providers.HeardEnd, "con mi hermana.")
		k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) > 0 })
		k.finish()
		if done := eventsOf[TranscriptCompleted](k.conn); len(done) != 1 || done[0].Transcript != "Ayer fui al mercado. con mi hermana." {
			t.Errorf("turns: %+v", done)
		}
	})
}

// The learner interrupts: the server is silent at once, no audio of the old reply
// follows, what was heard is kept to the word, and the next prompt knows it.
func TestBargeIn(t *testing.T) {
	for _, reports := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			k := newTalk(t)
			k.tutor.replies = []string{"Hoy tenemos sopa, pollo y pescado muy fresco. ¿Qué quiere comer?"}
			k.start()
			id := eventsOf[ResponseCreated](k.conn)[0].Response.ID
			k.until("the tutor speaks", func() bool { return slices.ContainsFunc(k.conn.all(), func(w written) bool { return w.event == nil }) })
			k.mic(860, true) // 17.2 characters: "Hoy tenemos sopa," is out, "pollo" is not
			decided := time.Now()
			k.hear(providers.HeardUpdate, "Tengo una pregunta")
			if reports {
				k.send(PlaybackCleared{ResponseID: id, PlayedMS: 880, DroppedMS: 600})
			}
			k.until("the truth is known", func() bool { return len(eventsOf[Truncated](k.conn)) == 1 })
			k.hear(providers.HeardEnd, "Tengo una pregunta")
			k.until("the next answer is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
			k.finish()

			cleared := false
			for _, w := range k.conn.all() {
				if _, ok := w.event.(ClearAudio); ok {
					cleared = true
					if late := w.at.Sub(decided); late > 10*time.Millisecond {
						t.Errorf("cleared %v after the decision", late)
					}
				}
				if cleared && w.event == nil && w.frame.Stream == 1 {
					t.Errorf("audio of the interrupted reply after its clear")
				}
			}
			cut := eventsOf[Truncated](k.conn)[0]
			source := map[bool]string{true: "client", false: "estimate"}[reports]
			if cut.Source != source {
				t.Errorf("source %q, want %q", cut.Source, source)
			}
			if reports && cut.Transcript != "Hoy tenemos sopa," {
				t.Errorf("heard %q of it", cut.Transcript)
			}
			stored := k.journal.stored()
			if !stored[0].Interrupted || stored[0].Heard != cut.Transcript || !strings.HasPrefix(stored[0].Content, "Hoy tenemos sopa, pollo") {
				t.Errorf("stored %+v", stored[0])
			}
			prompt := k.tutor.prompt(1)
			if !strings.Contains(prompt.Reminder, "not heard") && !strings.Contains(prompt.Reminder, "before hearing any") {
				t.Errorf("the tutor is not told: %q", prompt.Reminder)
			}
			if prompt.Lines[0].Text != cut.Transcript {
				t.Errorf("history holds %q, heard was %q", prompt.Lines[0].Text, cut.Transcript)
			}
		})
	}
}

// "Mhm" and the tutor's own echo do not stop it, and make no turn of their own.
func TestBackchannelAndEchoDoNotInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{"Hoy tenemos sopa, pollo y pescado muy fresco. ¿Qué quiere comer?"}
		k.start()
		k.mic(600, false)
		k.hear(providers.HeardEnd, "mhm sí")
		k.mic(200, false)
		k.hear(providers.HeardEnd, "tenemos sopa pollo")
		k.greeted()
		k.mic(3000, false)
		k.finish()
		if n := len(eventsOf[ClearAudio](k.conn)) + len(eventsOf[Committed](k.conn)); n != 0 {
			t.Errorf("interrupted or answered\n%s", k.story())
		}
	})
}

// Audio runs ahead of real time, by no more than the lead.
func TestPacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{strings.Repeat("palabras y más palabras, ", 12) + "fin."}
		k.start()
		k.until("the reply is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 1 })
		k.finish()
		var first time.Time
		sent, most := 0, time.Duration(0)
		for _, w := range k.conn.all() {
			if w.event != nil || len(w.frame.Audio) == 0 {
				continue
			}
			if first.IsZero() {
				first = w.at
			}
			if int(w.frame.Pos) != sent {
				t.Fatalf("frame at sample %d, want %d", w.frame.Pos, sent)
			}
			sent += len(w.frame.Audio) / 2
			most = max(most, time.Duration(sent)*time.Second/24000-w.at.Sub(first))
		}
		if most > 1600*time.Millisecond || most < 1400*time.Millisecond {
			t.Errorf("the lead grew to %v, want 1.5 s (a frame more at the most)", most)
		}
	})
}

// What a session does when something else ends it, or fails.
func TestEnds(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(k *talk)
		play    func(k *talk)
		want    EndReason
	}{
		"the client vanishes":      {play: func(k *talk) { k.conn.Abort() }, want: EndGone},
		"nothing is said for long": {play: func(k *talk) { k.mic(181_000+4000, false) }, want: EndIdle},
		"no byte for 15 s":         {play: func(k *talk) { time.Sleep(17 * time.Second) }, want: EndHeartbeatTimeout},
		"another node took over":   {prepare: func(k *talk) { k.journal.fail = &learn.Error{Kind: learn.Conflict, Err: learn.ErrFenced} }, play: func(k *talk) { k.mic(5000, false) }, want: EndSuperseded},
		"the client does not read": {play: func(k *talk) {
			k.conn.mu.Lock()
			k.conn.blocked = make(chan struct{})
			k.conn.mu.Unlock()
			k.mic(20_000, false)
		}, want: EndSlowConsumer},
		"a stage panics":             {prepare: func(k *talk) { k.tutor.panics = true }, play: func(k *talk) { k.mic(100, false) }, want: EndInternal},
		"the node goes away":         {play: func(k *talk) { k.cancel(errBroken) }, want: EndGoingAway},
		"the session was revoked":    {play: func(k *talk) { k.cancel(&End{Reason: EndForbidden}) }, want: EndForbidden},
		"the lesson is over":         {play: func(k *talk) { k.send(EndSession{}) }, want: EndNormal},
		"the token ran out":          {prepare: func(k *talk) { k.params.ValidUntil = time.Now().Add(10 * time.Second) }, play: func(k *talk) { k.mic(45_000, false) }, want: EndUnauthorised},
		"a text that is none":        {play: func(k *talk) { k.send(Rejected{Problem{Code: InvalidJSON, Fatal: true}}) }, want: EndBadUTF8},
		"a fatal problem of framing": {play: func(k *talk) { k.send(Rejected{Problem{Code: RateLimited, Fatal: true}}) }, want: EndRateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				if c.prepare != nil {
					c.prepare(k)
				}
				k.start()
				c.play(k)
				if end := <-k.result; end.Reason != c.want {
					t.Errorf("ended as %v, want %s", end, c.want)
				}
			})
		})
	}
}

// A restart lets the sentence that is being spoken end, and then closes: also when the
// voice had not come to the sentence's end yet, because it speaks clause by clause.
func TestRestartFinishesTheSentence(t *testing.T) {
	const more = " Y esta es otra frase, que es mucho más larga que la primera y no acaba."
	for name, c := range map[string]struct {
		reply       string
		spoken      int // milliseconds when it is to stop
		least, most time.Duration
	}{
		"whole":     {"Esta es la primera frase del tutor." + more, 800, 800 * time.Millisecond, 2 * time.Second},
		"by clause": {"Hoy tenemos pan y sopa, y pollo asado con patatas." + more, 200, 2200 * time.Millisecond, 3400 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.tutor.replies = []string{c.reply}
				k.start()
				k.mic(c.spoken, false)
				k.cancel(&End{Reason: EndRestart})
				asked := time.Now()
				end := <-k.result
				if end.Reason != EndRestart {
					t.Fatalf("ended as %v", end)
				}
				if took := time.Since(asked); took < c.least || took > c.most {
					t.Errorf("ended after %v, want it to be between %v and %v\n%s", took, c.least, c.most, k.story())
				}
				if len(eventsOf[GoAway](k.conn)) != 1 {
					t.Errorf("the client was not told to come back")
				}
			})
		})
	}
}

// Each vendor may be missing; the learner is told which, and the session stays.
func TestVendorsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(k *talk)
		code    Code
	}{
		"recogniser": {func(k *talk) { k.hears.refuse = 3 }, STTUnavailable},
		"tutor":      {func(k *talk) { k.tutor.fail = &providers.Error{Kind: providers.Overloaded} }, LLMUnavailable},
		"voice":      {func(k *talk) { k.voice.refuse = 1000 }, TTSUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				c.prepare(k)
				k.start()
				k.mic(8000, false)
				k.send(CreateItem{Text: "Hola"})
				k.until("the typed message is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) >= 2 })
				if end := k.finish(); end.Reason != EndNormal {
					t.Errorf("ended as %v", end)
				}
				codes := map[Code]int{}
				for _, f := range eventsOf[Failure](k.conn) {
					codes[f.Error.Code]++
					if f.Error.Fatal {
						t.Errorf("fatal: %+v", f.Error)
					}
				}
				for _, w := range eventsOf[Warning](k.conn) {
					if w.Code == WarnInputOverrun {
						t.Errorf("blamed for talking: %q", w.Message)
					}
				}
				if codes[c.code] == 0 || len(codes) != 1 {
					t.Errorf("errors %v, want %s alone", codes, c.code)
				}
				if len(eventsOf[CaptionDone](k.conn)) < 2 {
					t.Errorf("the answers were not shown\n%s", k.story())
				}
			})
		})
	}
}

// Speech without words makes no turn; the learner is told.
func TestNotUnderstood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		k.mic(1000, true)
		k.hear(providers.HeardEnd, "")
		k.until("the tutor says so", func() bool { return len(eventsOf[NotUnderstood](k.conn)) == 1 })
		k.finish()
		if n := len(eventsOf[Committed](k.conn)); n != 0 {
			t.Errorf("%d turns of nothing", n)
		}
	})
}

// While the store is down the learner is warned, nothing is acknowledged, and what
// was said is stored when it is back.
func TestStoreDelayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.journal.fail = errors.New("database is away")
		k.start()
		k.until("the learner is warned", func() bool { return len(eventsOf[Warning](k.conn)) == 1 })
		if n := len(eventsOf[ItemDone](k.conn)); n != 0 {
			t.Fatalf("%d acknowledgements without a store", n)
		}
		k.journal.mu.Lock()
		k.journal.fail = nil
		k.journal.mu.Unlock()
		k.until("it is stored after all", func() bool { return len(eventsOf[ItemDone](k.conn)) == 1 })
		k.finish()
	})
}
