package session

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// numbered are n words that can be told apart, from the word number from on.
func numbered(from, n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("w%d", from+i)
	}
	return strings.Join(words, " ")
}

// talkOn speaks for so many seconds, two words a second, in segments of four seconds,
// with a pause of gap milliseconds after each; it returns how many words there are now.
func (k *talk) talkOn(words, seconds, gap int) int {
	for range seconds / 4 {
		for range 4 {
			k.mic(900, true)
			k.mic(100, false) // a sound that never varies would be taken for noise
			k.hear(providers.HeardUpdate, numbered(words/8*8, words%8+2))
			words += 2
		}
		k.hear(providers.HeardEnd, numbered(words-8, 8))
		k.mic(gap, false)
	}
	return words
}

// A learner who does not stop talking is interrupted after a minute: at the next little
// pause, or without one a quarter of a minute later. What was said is answered, the tutor
// is told to come in kindly and is heard for one sentence, and what is said meanwhile is
// the next turn.
func TestTurnLimit(t *testing.T) {
	for name, c := range map[string]struct {
		gap         int
		least, most time.Duration // from the beginning of the turn to its end
	}{
		"with pauses":    {400, 60 * time.Second, 66 * time.Second},
		"without pauses": {0, 75 * time.Second, 76 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, m := newTalk(t), &tally{}
				k.host.Meter = m
				k.tutor.replies = []string{"Hola.", "Espera, eso es muy interesante para mí. ¿Y qué más me puedes contar de aquella vez?", "Bien."}
				k.start()
				k.greeted()
				began := time.Now()
				words := k.talkOn(0, 88, c.gap)
				var ended, cleared time.Time
				for _, w := range k.conn.all() {
					switch e := w.event.(type) {
					case Committed:
						ended = w.at
						if e.Reason != "timeout" {
							t.Errorf("the turn ended for %q", e.Reason)
						}
					case ClearAudio:
						cleared = w.at
					}
				}
				if took := ended.Sub(began); took < c.least || took > c.most {
					t.Errorf("the turn ended after %v, want %v to %v", took, c.least, c.most)
				}
				// The first sentence is 39 characters of 50 ms, behind two words of 20 ms each.
				if heard := cleared.Sub(ended); heard < 1950*time.Millisecond || heard > 4*time.Second {
					t.Errorf("the tutor was heard for %v\n%s", heard, k.story())
				}
				k.until("the rest is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 3 })
				k.finish()
				k.answered()
				if got, want := strings.Join(k.transcripts(), " "), numbered(0, words); got != want {
					t.Errorf("the turns hold %q, want every word once: %q", got, want)
				}
				if n := len(k.transcripts()); n != 2 {
					t.Errorf("%d turns", n)
				}
				if got := k.tutor.prompt(1).Reminder; !strings.Contains(got, learn.TakeTurn()) {
					t.Errorf("the tutor is told %q", got)
				}
				if got := k.tutor.prompt(2).Reminder; strings.Contains(got, learn.TakeTurn()) {
					t.Error("the tutor is told to come in again")
				}
				if n := m.of(TurnsLimited); n != 1 {
					t.Errorf("counted %d", n)
				}
			})
		})
	}
}

// The limit is the deployment's, much text is as good as much time, and with push-to-talk
// or during a hold nobody is interrupted for talking long.
func TestTurnLimitOf(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(k *talk)
		play    func(k *talk)
		want    int
	}{
		"another limit": {func(k *talk) { k.host.TurnLimit = 20 * time.Second },
			func(k *talk) { k.talkOn(0, 28, 400) }, 1},
		"much text": {func(*talk) {}, func(k *talk) {
			for i := range 4 {
				k.mic(2000, true)
				k.hear(providers.HeardEnd, numbered(i*100, 100)) // 1,500 characters at the fourth
				k.mic(400, false)
			}
			k.mic(2000, true)
		}, 1},
		"push-to-talk": {func(k *talk) { k.params.Config.Audio.Input.TurnDetection = nil },
			func(k *talk) { k.talkOn(0, 100, 400) }, 0},
		"push-to-talk with a book": {func(k *talk) { k.params.Config.Audio.Input.TurnDetection = nil }, func(k *talk) {
			for i := range 8 {
				k.mic(2000, true)
				k.hear(providers.HeardEnd, numbered(i*200, 200))
			}
		}, 1},
		"held": {func(*talk) {}, func(k *talk) {
			k.talkOn(0, 48, 400)
			k.send(HoldTurn{MS: 60_000})
			k.talkOn(96, 32, 400)
		}, 0},
		"after a long noise": {func(*talk) {}, func(k *talk) {
			for range 90 { // a television: a voice, but nothing is understood
				k.mic(900, true)
				k.mic(100, false)
			}
			k.talkOn(0, 8, 400)
		}, 0},
		"within the limit": {func(*talk) {}, func(k *talk) { k.talkOn(0, 52, 400) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, m := newTalk(t), &tally{}
				k.host.Meter = m
				c.prepare(k)
				k.start()
				k.greeted()
				c.play(k)
				if n := m.of(TurnsLimited); n != c.want {
					t.Errorf("%d turns were limited, want %d", n, c.want)
				}
				k.finish()
			})
		})
	}
}

// The tutor that comes in can be stopped by hand at any time.
func TestComingInIsStoppedByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.host.TurnLimit = 10 * time.Second
		k.tutor.replies = []string{"Hola.", menu + " " + menu}
		k.start()
		k.greeted()
		k.talkOn(0, 12, 400)
		k.until("the tutor comes in", func() bool { return len(eventsOf[ResponseCreated](k.conn)) == 2 })
		k.mic(300, false)
		k.send(CancelResponse{})
		if n := len(eventsOf[ClearAudio](k.conn)); n != 1 {
			t.Errorf("told to be silent %d times", n)
		}
		k.finish()
	})
}
