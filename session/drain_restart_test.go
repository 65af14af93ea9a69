package session

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session/learn"
)

// restart has the node of a lesson go, and the next one come in its place: the client's
// socket is closed when the sentence being spoken is over.
func (l *lesson) restart() { l.cancel(&End{Reason: EndRestart, Code: Draining}) }

// A node restarts at any moment of a lesson, and what it has kept is there: the learner is
// heard whole, under one id, however far a sentence had come, each sentence of the tutor's is
// heard once, and whoever was owed an answer gets it.
func TestRestartAtAnyMoment(t *testing.T) {
	seed := uint64(11)
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range killsOf(t, 40) {
		after, away := time.Duration(rng.IntN(22_000))*time.Millisecond, time.Duration(rng.IntN(500))*time.Millisecond
		synctest.Test(t, func(t *testing.T) {
			l := newLesson(t)
			defer l.blame()
			l.survives = true
			l.start(0)
			time.AfterFunc(after, l.restart)
			l.run(away, 0)
			l.check(1, 1)
		})
		if t.Failed() {
			t.Fatalf("restart %d of seed %d: after %v, away for %v", i, seed, after, away)
		}
	}
}

// What the node has kept is lost with it: every word of the learner's is stored once all the
// same, and answered.
func TestRestartLosesWhatWasKept(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 1))
	for range killsOf(t, 20) {
		after := time.Duration(rng.IntN(22_000)) * time.Millisecond
		synctest.Test(t, func(t *testing.T) {
			l := newLesson(t)
			defer l.blame()
			l.start(0)
			time.AfterFunc(after, l.restart)
			l.run(200*time.Millisecond, -1)
			l.checkWords()
			if !l.client.isOver(5000) {
				t.Error("the lesson did not come to its end")
			}
		})
		if t.Failed() {
			t.Fatalf("after %v", after)
		}
	}
}

// The node restarts in the middle of an utterance: nothing of it counts as said, and none of
// its audio as heard, since the client sends it again from its beginning.
func TestRestartLeavesTheUtteranceOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMovable(t)
		m.params.Survives = true
		m.begin()
		m.greeted()
		m.say("Ayer fui al")
		id := eventsOf[SpeechStarted](m.conn)[0].ItemID
		stored := len(m.journal.stored())
		m.end(&End{Reason: EndRestart, Code: Draining})
		if end := <-m.result; end.Reason != EndRestart {
			t.Errorf("ended by %v", end)
		}
		if got := m.journal.stored(); len(got) != stored || len(eventsOf[Committed](m.conn)) != 0 {
			t.Errorf("stored %q", contents(got))
		}
		kept := m.line.lastKept()
		if kept.Utterance == nil || kept.Utterance.ItemID != id {
			t.Fatalf("kept of the utterance %+v, want %s", kept.Utterance, id)
		}
		if next := kept.NextInput(learn.InputMark{Stream: 1, Next: 3}); next != (learn.InputMark{Stream: 1, Next: 3}) {
			t.Errorf("the next node wants the microphone from %+v", next)
		}
	})
}

// A turn ends while the tutor finishes the last sentence of a node that restarts, and one
// ends because its learner was away for too long: whoever goes on owes the answer.
func TestAnswerIsOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMovable(t)
		m.params.Survives, m.params.Resume.WarmMS = true, 20_000
		m.begin()
		m.greeted()
		m.say("Ayer fui al mercado.")
		m.send(Detached{Cause: &End{Reason: EndGone}})
		<-m.result
		if kept := m.line.lastKept(); kept.Utterance != nil || kept.Reply == nil || kept.Reply.ResponseID != "" {
			t.Errorf("kept are %+v and %+v", kept.Utterance, kept.Reply)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		m := newMovable(t)
		m.params.Survives = true
		m.tutor.replies = []string{"Hola, ¿qué tal estás hoy, después de un día tan largo y tan frío? Cuéntame."}
		m.begin()
		m.until("the tutor speaks", func() bool { return m.audio() > 300 })
		m.end(&End{Reason: EndRestart, Code: Draining})
		m.send(CreateItem{Text: "Muy bien."})
		<-m.result
		if kept := m.line.lastKept(); kept.Reply == nil || kept.Reply.ResponseID != "" {
			t.Errorf("kept is %+v", kept.Reply)
		}
		if got := contents(m.journal.stored()); len(got) != 2 || got[1] != "user: Muy bien." {
			t.Errorf("stored %q", got)
		}
	})
}
