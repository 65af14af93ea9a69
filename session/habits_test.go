package session

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session/learn"
	"kalami/session/turntaking"
)

// hesitate has a learner say two halves of a sentence with a pause between them.
func (k *talk) hesitate(pauseMS int) {
	k.say("El sábado comí con mis amigos en casa")
	k.mic(pauseMS, false)
	k.say("y después fuimos juntos al cine nuevo")
	turns := len(eventsOf[Committed](k.conn))
	k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) > turns })
}

// patienceTold is the patience of which the client was told first.
func (k *talk) patienceTold() int {
	return eventsOf[Created](k.conn)[0].Session.Audio.Input.TurnDetection.PatienceMS
}

// A learner who pauses for long has more time in the next conversation, without asking.
func TestPausesAreRemembered(t *testing.T) {
	var habits learn.TurnHabits
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		k.hesitate(1400)
		k.finish()
		if n := len(eventsOf[Committed](k.conn)); n != 1 {
			t.Fatalf("%d turns\n%s", n, k.story())
		}
		if len(k.journal.habits) != 1 {
			t.Fatalf("habits were kept %d times", len(k.journal.habits))
		}
		habits = k.journal.habits[0]
	})
	if habits.Turns != 1 || habits.Pauses != 1 || habits.CutOffs != 0 || habits.PatienceMS <= 1500 {
		t.Fatalf("after a pause of 1.4 s: %+v", habits)
	}
	habits.PatienceMS = 2400
	for name, c := range map[string]struct {
		chosen      int
		profile     int
		told        int
		least, most time.Duration
	}{
		"as learned":                {0, 0, 2400, 2300 * time.Millisecond, 2550 * time.Millisecond},
		"chosen in the profile":     {0, 1000, 1000, 900 * time.Millisecond, 1150 * time.Millisecond},
		"chosen in the ticket":      {3000, 0, 3000, 2900 * time.Millisecond, 3150 * time.Millisecond},
		"the ticket's beats others": {3000, 1000, 3000, 2900 * time.Millisecond, 3150 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.params.Profile.Habits, k.params.Profile.PatienceMS = habits, c.profile
				k.params.Config.Audio.Input.TurnDetection.PatienceMS = c.chosen
				k.start()
				k.greeted()
				k.say("Ayer fui al mercado de la plaza")
				said := k.loudUntil
				k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) == 1 })
				wait := time.Since(said)
				k.finish()
				if k.patienceTold() != c.told || wait < c.least || wait > c.most {
					t.Errorf("the client was told %d ms, and the turn ended after %v; want %d ms", k.patienceTold(), wait, c.told)
				}
			})
		})
	}
}

// Choosing a patience in the middle of a conversation ends its adaption at once.
func TestChosenPatienceIsNotAdapted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.params.Profile.Habits = learn.TurnHabits{Turns: 9, Pauses: 9, PatienceMS: 3000}
		k.start()
		k.greeted()
		k.send(SetTutor{PatienceMS: new(800)})
		k.say("Ayer fui al mercado de la plaza")
		said := k.loudUntil
		k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) == 1 })
		if wait := time.Since(said); wait > time.Second {
			t.Errorf("the turn ended after %v, want 0.8 s", wait)
		}
		k.finish()
	})
}

// Somebody who goes on as the tutor begins was cut off: the next pause may be longer.
func TestCutOffIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{"Hola.", "Muy bien, me alegro mucho. Cuéntame más de tus amigos.", "Ya veo."}
		k.start()
		k.greeted()
		k.hesitate(1900) // more than B1's 1.5 s
		k.finish()
		if n := len(eventsOf[Committed](k.conn)); n != 2 {
			t.Fatalf("%d turns, want a cut one\n%s", n, k.story())
		}
		if h := k.journal.habits; len(h) != 1 || h[0].CutOffs != 1 || h[0].Turns != 2 || h[0].PatienceMS < 1800 {
			t.Errorf("kept %+v\n%s", h, k.story())
		}
	})
}

// However a session ends, what was observed is kept; a store that fails is no reason for
// anything, and where nothing was observed nothing is written.
func TestHabitsAreKeptHoweverTheSessionEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(k *talk)
		want EndReason
	}{
		"the connection is lost": {func(k *talk) { k.conn.Abort() }, EndGone},
		"the node goes away":     {func(k *talk) { k.cancel(&End{Reason: EndGoingAway}) }, EndGoingAway},
		"the store fails": {func(k *talk) {
			k.journal.mu.Lock()
			k.journal.fail = errors.New("no disk")
			k.journal.mu.Unlock()
			k.send(EndSession{})
		}, EndNormal},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.start()
				k.greeted()
				k.hesitate(1400)
				c.end(k)
				if end := <-k.result; end.Reason != c.want {
					t.Errorf("ended by %s: %v", end.Reason, end.Err)
				}
				if h := k.journal.habits; len(h) != 1 || h[0].Turns != 1 {
					t.Errorf("kept %+v\n%s", h, k.story())
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		k.finish()
		if len(k.journal.habits) != 0 {
			t.Errorf("nothing was said, and %+v kept", k.journal.habits)
		}
	})
}

// Push-to-talk, "done" and "hold" win against whatever silence says, and teach nothing.
func TestExplicitControlWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.params.Config.Audio.Input.TurnDetection = nil // push-to-talk
		k.start()
		k.greeted()
		k.say("¿Dónde está la plaza?")
		k.mic(8000, false)
		if n := len(eventsOf[Committed](k.conn)); n != 0 {
			t.Fatalf("silence ended a turn of push-to-talk\n%s", k.story())
		}
		k.send(CommitInput{})
		k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) == 1 })
		k.finish()
		if got := eventsOf[Committed](k.conn)[0].Reason; got != string(turntaking.ByClient) || len(k.journal.habits) != 0 {
			t.Errorf("the turn ended by %q, and %+v was learned", got, k.journal.habits)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		k.say("¿Dónde está la plaza?") // plainly finished
		k.send(HoldTurn{MS: 20_000})
		k.mic(12_000, false)
		if n := len(eventsOf[Committed](k.conn)); n != 0 {
			t.Fatalf("silence ended a turn that is held\n%s", k.story())
		}
		k.send(CommitInput{}) // "done" beats "hold"
		k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) == 1 })
		k.finish()
		if got := eventsOf[Committed](k.conn)[0].Reason; got != string(turntaking.ByClient) {
			t.Errorf("the turn ended by %q", got)
		}
	})
}
