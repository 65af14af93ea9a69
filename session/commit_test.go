package session

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// answered checks that every response that was begun was also ended, once.
func (k *talk) answered() {
	k.t.Helper()
	open := map[string]int{}
	for _, e := range eventsOf[ResponseCreated](k.conn) {
		open[e.Response.ID]++
	}
	for _, e := range eventsOf[ResponseDone](k.conn) {
		open[e.Response.ID]--
	}
	for id, n := range open {
		if n != 0 {
			k.t.Errorf("response %s was begun %d times more often than ended\n%s", id, n, k.story())
		}
	}
}

// transcripts are the learner's turns.
func (k *talk) transcripts() (out []string) {
	for _, e := range eventsOf[TranscriptCompleted](k.conn) {
		out = append(out, e.Transcript)
	}
	return out
}

// With the button, the learner talks over the tutor and lets go: the tutor is cut
// short, and the answer is to what was said.
func TestCommitDuringReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.params.Config.Audio.Input.TurnDetection = nil
		k.tutor.replies = []string{"Hoy tenemos sopa, pollo y pescado muy fresco, y una tarta de manzana.", "Muy bien."}
		k.start()
		k.mic(1000, false)
		k.say("Quiero una mesa.")
		k.send(CommitInput{})
		k.until("both responses are over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.finish()
		k.answered()
		if done := eventsOf[ResponseDone](k.conn)[0].Response; done.Status != "cancelled" {
			t.Errorf("the first answer ended as %s", done.Status)
		}
		cleared := false
		for _, w := range k.conn.all() {
			if _, ok := w.event.(ClearAudio); ok {
				cleared = true
			}
			if cleared && w.event == nil && w.frame.Stream == 1 {
				t.Error("audio of the first answer after its clear")
				break
			}
		}
		if !cleared {
			t.Error("the client was never told to be silent")
		}
	})
}

// The button is let go before the recogniser has said a word: its words, a moment
// later, are the turn.
func TestCommitBeforeTheWordsCome(t *testing.T) {
	for name, quiet := range map[string]int{"at once": 0, "after the voice": 400} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.params.Config.Audio.Input.TurnDetection = nil
				k.start()
				k.greeted()
				k.mic(600, true)
				k.mic(quiet, false)
				k.send(CommitInput{})
				time.Sleep(300 * time.Millisecond)
				k.hear(providers.HeardEnd, "Hola.")
				k.mic(2000, false)
				k.finish()
				if got := strings.Join(k.transcripts(), "|"); got != "Hola." {
					t.Errorf("turns %q, want the one word\n%s", got, k.story())
				}
			})
		})
	}
}

// "Done" after a voice that began beside the tutor, and had no words: what was not
// understood has an item like any other, though it was not announced as speech.
func TestCommitOfMumbling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, s := newTalk(t), &speaker{}
		k.answering(s, 1500)
		k.mic(900, true)
		k.mic(400, false)
		k.send(CommitInput{})
		k.mic(2000, false)
		k.finish()
		if told := eventsOf[NotUnderstood](k.conn); len(told) != 1 || told[0].ItemID == "" {
			t.Errorf("told %+v", told)
		}
	})
}

// Letting the button go without having said anything is nothing.
func TestCommitOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.params.Config.Audio.Input.TurnDetection = nil
		k.start()
		k.send(CommitInput{}) // while the tutor greets, too
		k.greeted()
		k.send(CommitInput{})
		k.mic(2000, false)
		k.finish()
		if n := len(eventsOf[Committed](k.conn)) + len(eventsOf[NotUnderstood](k.conn)) + len(eventsOf[ClearAudio](k.conn)); n != 0 {
			t.Errorf("something came of it\n%s", k.story())
		}
		k.answered()
	})
}

// "Give me time" keeps the turn open, also when it had been about to close.
func TestHold(t *testing.T) {
	for name, late := range map[string]bool{"in time": false, "at the last moment": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.start()
				k.greeted()
				k.mic(600, true)
				k.hear(providers.HeardUpdate, "Ayer fui al mercado")
				if late { // patience is over, the last final is awaited
					k.until("the recogniser is asked", func() bool {
						h := k.hears.last()
						h.mu.Lock()
						defer h.mu.Unlock()
						return h.finalized > 0
					})
				}
				k.send(HoldTurn{MS: 8000})
				k.mic(7600, false)
				if n := len(eventsOf[Committed](k.conn)); n != 0 {
					t.Fatalf("the turn ended while it was held\n%s", k.story())
				}
				k.mic(2000, false)
				k.finish()
				if n := len(eventsOf[Committed](k.conn)); n != 1 {
					t.Errorf("%d turns after the hold", n)
				}
			})
		})
	}
}

// What was said before the learner took it back makes no turn, even when its words
// come later; what is said after it does.
func TestClear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		k.mic(600, true)
		k.hear(providers.HeardUpdate, "Quiero")
		k.mic(200, true)
		end := k.sentMS
		k.send(ClearInput{})
		k.hears.last().events <- providers.Heard{Kind: providers.HeardEnd, Text: "Quiero una cerveza.", EndMS: end - 40}
		k.said++
		k.mic(400, false)
		k.say("Un café, por favor.")
		k.mic(3000, false)
		k.finish()
		if got := strings.Join(k.transcripts(), "|"); got != "Un café, por favor." {
			t.Errorf("turns %q, want the last sentence alone\n%s", got, k.story())
		}
	})
}

// A message is typed while the tutor talks and the learner has begun to speak: the
// tutor stops, the words come first, and one answer is to both.
func TestTypedDuringSpeech(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.params.Config.Audio.Input.TurnDetection.InterruptResponse = false
		k.tutor.replies = []string{"Hoy tenemos sopa, pollo y pescado muy fresco.", "Claro."}
		k.start()
		k.mic(1000, true)
		k.hear(providers.HeardUpdate, "Tengo una pregunta")
		k.send(CreateItem{Text: " ¿Tienen pan? "})
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.finish()
		k.answered()
		stored := contents(k.journal.stored())
		if got := strings.Join(stored[1:], "|"); got != "user: Tengo una pregunta|user: ¿Tienen pan?|assistant: Claro." {
			t.Errorf("stored %q", got)
		}
		if cut := eventsOf[Truncated](k.conn); len(cut) != 1 || cut[0].Transcript == "" {
			t.Errorf("truncated: %+v", cut)
		}
		k.send(CreateItem{Text: " "})
	})
}

// With the button, a "sí" that ends while the tutor is speaking is what the learner
// says, though it stops nothing: it is the turn when the button is let go.
func TestCommitAfterReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.params.Config.Audio.Input.TurnDetection = nil
		k.tutor.replies = []string{"Hoy tenemos sopa, pollo y pescado muy fresco.", "Muy bien."}
		k.start()
		k.mic(1000, false)
		k.say("Sí.")
		k.until("the tutor is done", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 1 })
		k.send(CommitInput{})
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.finish()
		if got := k.transcripts(); len(got) != 1 || got[0] != "Sí." {
			t.Errorf("turns %q\n%s", got, k.story())
		}
	})
}

// Push-to-talk: patience plays no part, the client's word ends the turn.
func TestPushToTalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.params.Config.Audio.Input.TurnDetection = nil
		k.start()
		k.greeted()
		k.say("Hola.")
		k.mic(6000, false)
		if n := len(eventsOf[Committed](k.conn)); n != 0 {
			t.Fatalf("%d turns before the button", n)
		}
		k.send(CommitInput{})
		k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) == 1 })
		k.finish()
	})
}
