package session

import (
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// When a turn ends, for all that recognisers and microphones do.
func TestTurnClock(t *testing.T) {
	for name, c := range map[string]struct {
		play        func(k *talk)
		least, most time.Duration // from the end of the last word
	}{
		"plain": {func(k *talk) { k.say("Ayer fui al mercado.") }, 1400 * time.Millisecond, 1600 * time.Millisecond},
		"a recogniser that repeats itself as long as it hears": {func(k *talk) {
			k.mic(600, true)
			for range 12 { // without times of words; EndMS is the audio looked at
				k.hear(providers.HeardUpdate, "Ayer fui al mercado.")
				k.mic(100, false)
			}
			k.hear(providers.HeardEnd, "Ayer fui al mercado.")
		}, 1400 * time.Millisecond, 1700 * time.Millisecond},
		"a word that is drawn out": {func(k *talk) {
			k.mic(600, true)
			heard := func(kind providers.HeardKind, endMS int) {
				k.hears.last().events <- providers.Heard{Kind: kind, Text: "Bueno", EndMS: endMS, Words: []providers.Word{{Text: "Bueno", StartMS: 0, EndMS: endMS}}}
				synctest.Wait()
			}
			heard(providers.HeardUpdate, k.sentMS-300)
			k.mic(400, true)
			heard(providers.HeardEnd, k.sentMS)
		}, 2500 * time.Millisecond, 2750 * time.Millisecond}, // "bueno" is a filler: 1.75 times as patient
		"words without times": {func(k *talk) {
			k.mic(600, true)
			k.hears.last().events <- providers.Heard{Kind: providers.HeardEnd, Text: "Ayer fui al mercado."}
			synctest.Wait()
		}, 1400 * time.Millisecond, 1600 * time.Millisecond},
		"words with times ahead": {func(k *talk) {
			k.mic(600, true)
			k.hears.last().events <- providers.Heard{Kind: providers.HeardEnd, Text: "Ayer fui al mercado.", EndMS: k.sentMS + 60_000}
			synctest.Wait()
		}, 1400 * time.Millisecond, 1600 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.start()
				k.greeted()
				c.play(k)
				ended := k.loudUntil
				k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) == 1 })
				var at time.Time
				for _, w := range k.conn.all() {
					if _, ok := w.event.(Committed); ok {
						at = w.at
					}
				}
				k.finish()
				if wait := at.Sub(ended); wait < c.least || wait > c.most {
					t.Errorf("the turn ended %v after the voice, want %v to %v", wait, c.least, c.most)
				}
			})
		})
	}
}

// A voice that never ends, such as a fan beside the learner, holds a turn up for three
// seconds and no longer.
func TestNoiseDoesNotHoldATurnForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		k.mic(600, true)
		k.hear(providers.HeardEnd, "Ayer fui al mercado.")
		k.mic(6000, true)
		k.finish()
		if n := len(eventsOf[Committed](k.conn)); n != 1 {
			t.Errorf("%d turns", n)
		}
	})
}
