package session

import (
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// Where the recogniser's ends are the turn's, the answer begins with them; a voice
// that goes on, a hold and a recogniser that never ends keep the turn open.
func TestTurnsEndWhereTheRecogniserSays(t *testing.T) {
	const text = "Ayer fui al" // plainly unfinished: patience would be 2.6 s
	for name, c := range map[string]struct {
		play        func(k *talk)
		reason      string
		least, most time.Duration // from the end of the voice
	}{
		"at its end": {func(k *talk) {
			k.mic(600, true)
			k.hear(providers.HeardUpdate, text)
			k.mic(340, false)
			k.hear(providers.HeardEnd, text)
		}, "vad", 340 * time.Millisecond, 340 * time.Millisecond},
		"sooner than the voice is known to have ended": {func(k *talk) {
			k.mic(600, true)
			k.mic(100, false)
			k.hear(providers.HeardEnd, text)
		}, "vad", 280 * time.Millisecond, 320 * time.Millisecond},
		"a second half of the sentence follows": {func(k *talk) {
			k.mic(600, true)
			k.hear(providers.HeardEnd, text) // the voice goes on
			k.mic(1000, true)
			k.mic(340, false)
			k.hear(providers.HeardEnd, "mercado")
		}, "vad", 340 * time.Millisecond, 340 * time.Millisecond},
		"an end that is no end, and a voice that it does not tell of": {func(k *talk) {
			k.mic(600, true)
			k.hear(providers.HeardEnd, text)
			k.mic(1000, true)
			k.mic(340, false)
		}, "semantic", 1500 * time.Millisecond, 3500 * time.Millisecond},
		"a recogniser that never ends": {func(k *talk) {
			k.mic(600, true)
			k.hear(providers.HeardUpdate, "Ayer fui al mercado.")
		}, "semantic", 1500 * time.Millisecond, 2300 * time.Millisecond},
		"a learner who holds the turn": {func(k *talk) {
			k.mic(600, true)
			k.send(HoldTurn{MS: 1000})
			k.mic(340, false)
			k.hear(providers.HeardEnd, text)
		}, "vad", 1000 * time.Millisecond, 1020 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.params.Config.Audio.Input.TurnDetection.Type = TurnsEndpoint
				k.start()
				k.greeted()
				c.play(k)
				ended := k.loudUntil
				k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) == 1 })
				k.finish()
				for _, w := range k.conn.all() {
					e, ok := w.event.(Committed)
					if !ok {
						continue
					}
					if wait := w.at.Sub(ended); wait < c.least || wait > c.most || e.Reason != c.reason {
						t.Errorf("the turn ended %v after the voice (%s), want %v to %v (%s)", wait, e.Reason, c.least, c.most, c.reason)
					}
				}
			})
		})
	}
}
