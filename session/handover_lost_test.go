package session

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session/learn"
)

// The learner interrupts, and the node dies before any of its writes: the reply is stored
// as far as it was heard, to the word, and what the learner said is answered once.
func TestKilledAroundAnInterruption(t *testing.T) {
	step := 3
	if killsOf(t, 0) > 0 {
		step = 1
	}
	for at := 2; ; at += step {
		alive := false
		synctest.Test(t, func(t *testing.T) {
			l := newLesson(t)
			defer l.blame()
			l.client.barge = 2
			l.start(at)
			l.run(time.Duration(at%5)*90*time.Millisecond, 0)
			l.checkInterrupted()
			alive = l.kills == 0
		})
		if t.Failed() {
			t.Fatalf("killed at write %d", at)
		}
		if alive {
			t.Logf("%d kills", (at-2)/step)
			return
		}
	}
}

// checkInterrupted looks at what is stored of a conversation whose second reply was interrupted.
func (l *lesson) checkInterrupted() {
	l.t.Helper()
	c := l.client
	if !c.isOver(5000) || len(c.problems) > 0 {
		l.t.Errorf("the conversation did not come to its end: %d lines, %d responses, %q", c.line, len(c.responses), c.problems)
	}
	var roles []string
	for _, m := range l.ledger.messages {
		roles = append(roles, string(m.Speaker))
	}
	if len(roles) != 5 {
		l.t.Fatalf("stored %q", roles)
	}
	for i, m := range l.ledger.messages {
		switch {
		case m.Speaker == learn.SpeakerLearner:
			if said := strings.Join(lessonWords[[]int{0, 4}[i/2]:][:c.lines[i/2]], " "); m.Content != said {
				l.t.Errorf("stored %q, want %q", m.Content, said)
			}
		case i == 2:
			l.checkCut(m)
		case m.Heard != l.script[i/2] || m.Interrupted:
			l.t.Errorf("stored %q, want %q", m.Heard, l.script[i/2])
		}
	}
	if most := len(l.script) + 1; l.tutor.calls > most {
		l.t.Errorf("the tutor was asked %d times", l.tutor.calls)
	}
}

// checkCut compares what is stored of a reply with what sounded of it, word by word.
func (l *lesson) checkCut(m learn.Message) {
	l.t.Helper()
	p := l.client.responses[1]
	for _, r := range l.client.responses {
		if r.item == m.UtteranceID {
			p = r
		}
	}
	if !m.Interrupted || !strings.HasPrefix(l.script[1], m.Heard) {
		l.t.Errorf("stored %q, interrupted %v", m.Heard, m.Interrupted)
	}
	if p.truncated == nil || p.truncated.Transcript != m.Heard || p.truncated.AudioEndMS != m.Audio.Milliseconds() {
		l.t.Errorf("stored %q of %v, told %+v", m.Heard, m.Audio, p.truncated)
	}
	sounded := stampsIn(p.pcm[:p.at])
	heard := strings.ReplaceAll(m.Heard, " ", "")
	if rest, ok := strings.CutPrefix(strings.ReplaceAll(sounded, " ", ""), heard); !ok || len([]rune(rest)) > len("bienvenido") || m.Heard == "" {
		l.t.Errorf("stored %q, and %q sounded", m.Heard, sounded)
	}
}

// The mirror lost the last states, or all of them: nothing is stored twice or left
// unanswered, and what is stored was heard.
func TestKilledWithAnOldState(t *testing.T) {
	for _, older := range []int{-1, 1, 2, 4} {
		rng := rand.New(rand.NewPCG(uint64(older+9), 2))
		for range killsOf(t, 8) {
			after := time.Duration(rng.IntN(22_000)) * time.Millisecond
			synctest.Test(t, func(t *testing.T) {
				l := newLesson(t)
				defer l.blame()
				l.start(0)
				time.AfterFunc(after, l.node.die)
				l.run(200*time.Millisecond, older)
				if l.checkWords(); older >= 0 {
					l.checkStored()
				}
				if !l.client.isOver(5000) || l.tutor.calls > len(l.script)+1 {
					t.Errorf("over: %v; the tutor was asked %d times", l.client.isOver(5000), l.tutor.calls)
				}
			})
			if t.Failed() {
				t.Fatalf("%d states older", older)
			}
		}
	}
}

// checkWords is for a conversation of which nothing is known but what is stored: a reply
// that was heard may come again, and a learner may talk into it. Every word is stored
// once, and answered once.
func (l *lesson) checkWords() {
	l.t.Helper()
	var words []string
	ids := map[string]bool{}
	last := learn.SpeakerLearner
	for i, m := range l.ledger.messages {
		if m.Speaker == learn.SpeakerLearner {
			words = append(words, m.Content)
			if last == learn.SpeakerLearner {
				l.t.Errorf("message %d was not answered", i-1)
			}
		}
		if ids[m.UtteranceID] || m.Heard == "" {
			l.t.Errorf("message %d, %s %q, is stored twice or empty", i, m.Speaker, m.Heard)
		}
		ids[m.UtteranceID], last = true, m.Speaker
	}
	if got, want := strings.Join(words, " "), strings.Join(lessonWords, " "); got != want || last != learn.SpeakerTutor {
		l.t.Errorf("stored of the learner %q, want %q; the last word is the %s's", got, want, last)
	}
}

// One node dies after the other.
func TestKilledAgainAndAgain(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range killsOf(t, 8) {
		synctest.Test(t, func(t *testing.T) {
			l := newLesson(t)
			defer l.blame()
			l.start(0)
			l.again = func() {
				time.AfterFunc(time.Duration(rng.IntN([]int{6000, 1200}[l.kills%2]))*time.Millisecond, l.node.die)
			}
			l.again()
			l.run(100*time.Millisecond, 0)
			l.check(l.kills, l.kills)
		})
		if t.Failed() {
			return
		}
	}
}
