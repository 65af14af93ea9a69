package session

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// lateWords has the recogniser tell a sentence word by word, a word each 700 ms from
// now on, while the learner has said it at two words a second, long before.
func (k *talk) lateWords(segment int, began int, sentence string) {
	words := strings.Fields(sentence)
	for i := range words {
		k.mic(700, false)
		h := providers.Heard{Kind: providers.HeardUpdate, Segment: segment, Text: strings.Join(words[:i+1], " "),
			StartMS: began, EndMS: began + (i+1)*500}
		k.hears.last().events <- h
		synctest.Wait()
		if i == len(words)-1 {
			h.Kind = providers.HeardEnd
			k.hears.last().events <- h
			synctest.Wait()
		}
	}
}

// A recogniser that is behind, because its machine or the way to it is overloaded,
// tells words whose patience has ended before they come. They are one turn even so.
func TestLaggingRecogniser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		began := k.sentMS
		k.mic(4000, true) // eight words, none of which has come when the voice ends
		k.lateWords(k.said, began, "Hola me gustaría reservar una mesa para dos.")
		last := time.Now()
		k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) > 0 })
		if late := time.Since(last); late > time.Second {
			t.Errorf("the turn ended %v after all its words had come", late)
		}
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.finish()
		if got := k.transcripts(); len(got) != 1 || got[0] != "Hola me gustaría reservar una mesa para dos." {
			t.Errorf("turns: %q\n%s", got, k.story())
		}
	})
}

// A hesitant sentence, of which such a recogniser tells the first half as final
// while the second is on its way.
func TestLaggingRecogniserOfHesitantLearner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		first := k.sentMS
		k.mic(1500, true)
		k.mic(1200, false)
		second := k.sentMS
		k.mic(2000, true)
		k.lateWords(k.said, first, "Ayer yo fui")
		k.lateWords(k.said+1, second, "al mercado con mi")
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.finish()
		if got := k.transcripts(); len(got) != 1 || got[0] != "Ayer yo fui al mercado con mi" {
			t.Errorf("turns: %q\n%s", got, k.story())
		}
	})
}

// A recogniser that falls silent in the middle holds the learner up for some seconds only.
func TestLaggingRecogniserThatGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		began := k.sentMS
		k.mic(4000, true)
		k.mic(300, false)
		k.hears.last().events <- providers.Heard{Kind: providers.HeardUpdate, Segment: k.said, Text: "Hola Marta", StartMS: began, EndMS: began + 1000}
		told := time.Now()
		k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) > 0 })
		if took := time.Since(told); took > 2800*time.Millisecond { // 2 s for one that is behind, 0.7 s for its last word
			t.Errorf("the turn ended %v after its last words", took)
		}
		k.finish()
		if got := k.transcripts(); len(got) != 1 || got[0] != "Hola Marta" {
			t.Errorf("turns: %q", got)
		}
	})
}
