package session

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// committedAfter is how long after the learner's last voice the n-th turn was closed.
func (k *talk) committedAfter(n int) time.Duration {
	k.t.Helper()
	k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) == n })
	for _, w := range k.conn.all() {
		if _, ok := w.event.(Committed); ok {
			if n--; n == 0 {
				return w.at.Sub(k.loudUntil)
			}
		}
	}
	return 0
}

// holds lists the nudges of kind hold.
func (k *talk) holds() int {
	n := 0
	for _, e := range eventsOf[Nudge](k.conn) {
		if e.Kind == NudgeHold {
			n++
		}
	}
	return n
}

// "Un momento", said alone: nothing is answered, the learner sees that the tutor waits,
// and what is said then is the turn, without the request, at the level's patience.
func TestSpokenHold(t *testing.T) {
	for language, phrase := range map[string]string{"es": "Un momento, por favor.", "fr": "Attends.", "de": "Moment mal.", "ja": "ちょっと待って。", "en": "Let me think."} {
		t.Run(language, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.params.Config.Language, k.params.Config.NativeLanguage = language, "en"
				k.start()
				k.greeted()
				k.say(phrase)
				k.mic(12_000, false)
				if n := len(eventsOf[Committed](k.conn)) + len(eventsOf[NotUnderstood](k.conn)); n != 0 || k.holds() != 1 {
					t.Fatalf("the tutor did not wait, or did not say so\n%s", k.story())
				}
				k.say("Café 12")
				if wait := k.committedAfter(1); wait > 2700*time.Millisecond {
					t.Errorf("the turn ended %v after the words: the hold goes on", wait)
				}
				k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
				k.finish()
				if got := k.transcripts(); !slices.Equal(got, []string{phrase + " Café 12"}) {
					t.Errorf("shown %q", got)
				}
				if m := k.journal.stored()[1]; m.Content != "Café 12" || m.Heard != phrase+" Café 12" {
					t.Errorf("stored %q, heard %q", m.Content, m.Heard)
				}
				lines := k.tutor.prompt(1).Lines
				if got := lines[len(lines)-1].Text; got != "Café 12" {
					t.Errorf("the tutor answers %q", got)
				}
			})
		})
	}
}

// Nothing follows the request: after its time it is forgotten, without a turn and
// without complaint.
func TestSpokenHoldRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := helped(t)
		k.start()
		k.greeted()
		k.mic(800, true)
		k.hear(providers.HeardEnd, "Espera.")
		k.mic(15_000+9000, false)
		if n := len(eventsOf[Nudge](k.conn)); n != 1 {
			t.Fatalf("%d nudges, want that of the hold alone\n%s", n, k.story())
		}
		k.mic(2000, false)
		k.finish()
		if n := len(eventsOf[Committed](k.conn)) + len(eventsOf[NotUnderstood](k.conn)); n != 0 {
			t.Errorf("something came of it\n%s", k.story())
		}
		if got := eventsOf[Nudge](k.conn); len(got) != 2 || got[1].Kind != NudgeHint {
			t.Errorf("nudges %+v, want a hint 10 s after the hold", got)
		}
	})
}

// The request may stand within a turn, may come from a recogniser that never says final,
// may be repeated, and may be only a word of a sentence.
func TestSpokenHoldWithinATurn(t *testing.T) {
	for name, c := range map[string]struct {
		play         func(k *talk)
		answered     string
		holds        int
		least, after time.Duration
	}{
		"in the middle": {func(k *talk) {
			k.say("Ayer fui al")
			k.say("un momento")
			k.mic(9000, false)
			k.say("mercado con Ana.")
		}, "Ayer fui al mercado con Ana.", 1, 1400 * time.Millisecond, 1700 * time.Millisecond},
		"never final": {func(k *talk) {
			k.mic(600, true)
			k.hear(providers.HeardUpdate, "un momento")
			k.mic(9000, false)
			k.mic(600, true)
			k.hear(providers.HeardUpdate, "un momento quiero sopa con pan")
		}, "quiero sopa con pan", 1, 1400 * time.Millisecond, 2400 * time.Millisecond},
		"repeated": {func(k *talk) {
			k.say("Un momento.")
			k.mic(12_000, false)
			k.say("Déjame pensar.")
			k.mic(12_000, false)
			k.say("Sopa con pan.")
		}, "Sopa con pan.", 2, 1400 * time.Millisecond, 1700 * time.Millisecond},
		"a word of the sentence": {func(k *talk) {
			k.say("Mi madre")
			k.say("espera.")
		}, "Mi madre espera.", 0, 1400 * time.Millisecond, 1700 * time.Millisecond},
		"at the end": {func(k *talk) {
			k.say("Ayer fui al mercado.")
			k.say("Un momento.")
		}, "Ayer fui al mercado.", 1, 14_900 * time.Millisecond, 15_800 * time.Millisecond},
		"beside the client's hold": {func(k *talk) {
			k.send(HoldTurn{MS: 20_000})
			k.say("Un momento.")
			k.say("Sopa con pan.")
		}, "Sopa con pan.", 1, 18_000 * time.Millisecond, 20_000 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.start()
				k.greeted()
				c.play(k)
				if wait := k.committedAfter(1); wait < c.least || wait > c.after {
					t.Errorf("the turn ended after %v, want %v to %v", wait, c.least, c.after)
				}
				k.finish()
				if got := contents(k.journal.stored()); got[1] != "user: "+c.answered || k.holds() != c.holds {
					t.Errorf("stored %q with %d holds, want %q with %d", got, k.holds(), c.answered, c.holds)
				}
			})
		})
	}
}

// The learner's own hand wins: "done" during the hold is answered at once, and of a
// request alone nothing is left to be answered.
func TestCommitEndsASpokenHold(t *testing.T) {
	for name, said := range map[string][]string{"words before": {"Sopa con pan.", "Un momento."}, "the request alone": {"Un momento."}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.start()
				k.greeted()
				for _, text := range said {
					k.say(text)
				}
				k.mic(1000, false)
				k.send(CommitInput{})
				k.mic(1000, false)
				want := len(said) - 1
				if n := len(eventsOf[Committed](k.conn)); n != want || len(eventsOf[NotUnderstood](k.conn)) != 0 {
					t.Errorf("%d turns, want %d\n%s", n, want, k.story())
				}
				k.say("Y un café con leche.")
				if wait := k.committedAfter(want + 1); wait > 2*time.Second {
					t.Errorf("the next turn ended after %v: the hold goes on", wait)
				}
				k.finish()
			})
		})
	}
}

// Said over the tutor, the request stops it, and then time is given.
func TestSpokenHoldStopsTheTutor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{menu + " " + menu}
		k.speaking(1000)
		k.mic(300, true)
		k.hear(providers.HeardUpdate, "espera")
		k.mic(300, true)
		k.hear(providers.HeardEnd, "Espera un momento.")
		k.mic(10_000, false)
		if n := len(eventsOf[ClearAudio](k.conn)); n != 1 || k.holds() != 1 || len(eventsOf[ResponseCreated](k.conn)) != 1 {
			t.Errorf("the tutor was told to be silent %d times, and waits %d times\n%s", n, k.holds(), k.story())
		}
		k.finish()
		if got := strings.Join(k.transcripts(), "|"); got != "" {
			t.Errorf("turns %q", got)
		}
	})
}
