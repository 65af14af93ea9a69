package session

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session/learn"
)

// away makes the store fail, or hang when there is no error; back mends it.
func (j *fakeJournal) away(fail error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.takes, j.fail = time.Hour, fail
	if fail != nil {
		j.takes = 0
	}
}

func (j *fakeJournal) back() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.takes, j.fail = 0, nil
}

// The store is away for half a minute, twice: the talk goes on, nothing is acknowledged, the
// learner is told once each time, and all is stored once and in order soon after.
func TestTalkGoesOnWithoutTheStore(t *testing.T) {
	const outage, whole = 30 * time.Second, 5 * time.Second
	gone := &learn.Error{Kind: learn.Unavailable, Msg: "away"}
	for name, fail := range map[string]error{"it refuses": gone, "it hangs": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.start()
				k.greeted()
				acknowledged := func() int { return len(eventsOf[ItemDone](k.conn)) }
				k.until("the greeting is stored", func() bool { return acknowledged() == 1 })
				var said []string
				for round := range 2 {
					began, before, answered := time.Now(), acknowledged(), len(eventsOf[ResponseDone](k.conn))
					k.journal.away(fail)
					for _, text := range []string{"Ayer fui al mercado.", "Compré pan.", "Y un poco de queso."} {
						k.say(text)
						said = append(said, text)
						answered++
						k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == answered })
					}
					k.mic(int((outage - time.Since(began)).Milliseconds()), false)
					if n := acknowledged(); n != before {
						t.Errorf("%d messages were acknowledged that are not stored", n-before)
					}
					k.journal.back()
					k.mic(int(whole.Milliseconds()), false)
					if n := acknowledged() - before; n != 6 {
						t.Errorf("%d of 6 messages were acknowledged %v after the store's return", n, whole)
					}
					if n := delays(k); n != round+1 {
						t.Errorf("told %d times of %d outages", n, round+1)
					}
				}
				k.finish()
				var heard []string
				for i, m := range k.journal.stored() {
					if m.Seq != i+1 {
						t.Errorf("message %d has the number %d", i+1, m.Seq)
					}
					if m.Speaker == learn.SpeakerLearner {
						heard = append(heard, m.Content)
					}
				}
				if !slices.Equal(heard, said) {
					t.Errorf("stored %q of %q", heard, said)
				}
			})
		})
	}
}

// delays counts how often the learner was told that storing takes longer.
func delays(k *talk) (n int) {
	for _, w := range eventsOf[Warning](k.conn) {
		if w.Code == WarnStorageDelayed {
			n++
		}
	}
	return n
}
