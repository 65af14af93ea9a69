package session

import (
	"reflect"
	"testing"
	"testing/synctest"

	"kalami/session/learn"
)

// A learner who ends a talk is told at once what is known of it: what was shown, which words
// came up, and who talked how much. It comes after what there was to say about the last turns
// and before the end.
func TestLessonSummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, h := analysedTalk(t, learn.CorrectFlow)
		h.analyst.answer = `{"understood":true,"comprehension":"ok","wants_to_lead":false,"used_due_words":[],"goals":[],
			"new_words":[],"l1_words":[{"text":"market","target":"mercado"}],
			"corrections":[{"original":"soy","corrected":"estoy","category":"word_choice","severity":"major","explanation":"Use it for how you feel.","confidence":0.9}]}`
		k.start()
		k.greeted()
		for n := range 2 { // the second time it is the same advice and the same word
			k.say("Yo soy cansado del market.")
			k.until("the answer is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2+n })
		}
		k.finish()
		told := eventsOf[LessonSummary](k.conn)
		if len(told) != 1 {
			t.Fatalf("told %+v\n%s", told, k.story())
		}
		share := told[0].Summary.LearnerShare
		told[0].Summary.LearnerShare = 0
		want := LessonReport{Language: "en", WentWell: []string{}, Corrections: 1, Words: []string{"mercado"}}
		if !reflect.DeepEqual(told[0].Summary, want) || share <= 0 || share >= 1 {
			t.Errorf("told %+v with a share of %v, want %+v", told[0].Summary, share, want)
		}
		if at := k.order(); at["tutor.feedback"] > at["tutor.summary"] || at["tutor.summary"] > at["session.ended"] || at["tutor.summary"] == 0 {
			t.Errorf("told in this order: %v", at)
		}
	})
}

// Who has said nothing is told nothing of the lesson.
func TestNoLessonSummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		k.finish()
		if told := eventsOf[LessonSummary](k.conn); len(told) != 0 {
			t.Errorf("told %+v", told)
		}
	})
}

// A card that was made elsewhere, as by a tap on a word, is told.
func TestCardAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		cards := make(chan learn.Card, 1)
		k.params.Cards = cards
		k.start()
		k.greeted()
		cards <- learn.Card{ID: "k1", ProfileID: "p1", Kind: learn.CardProduce, Front: "market", Back: "mercado", Context: "al mercado", Origin: learn.FromMessage, CorrectionID: "c9"}
		k.mic(100, false)
		want := CardAdded{Card: AddedCard{ID: "k1", ProfileID: "p1", Kind: "produce", Front: "market", Back: "mercado", Context: "al mercado", Origin: "message", CorrectionID: "c9"}}
		if told := eventsOf[CardAdded](k.conn); len(told) != 1 || told[0] != want {
			t.Errorf("told %+v", told)
		}
		k.finish()
	})
}

// A due word that stands in a hint that the learner was shown was not found without help.
func TestWordOfAHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, h := analysedTalk(t, learn.CorrectFlow)
		h.kept.plan = learn.Plan{Due: []learn.DueWord{{ID: "card-1", Text: "mercado"}}}
		k.host.Help = &Help{Analyst: &fakeAnalyst{answer: `{"hint":"Say: voy al mercado."}`}, Store: newTurnStore(), Log: k.host.Log}
		k.params.User.ID = "u1"
		k.start()
		k.greeted()
		k.say("Yo soy del mercado.")
		k.until("the answer is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.ask(AskHint{}, "e1")
		k.until("the hint", func() bool { return len(eventsOf[Hint](k.conn)) == 1 })
		k.say("Voy al mercado.")
		k.until("the answer is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 3 })
		k.finish()
		saved := h.kept.all()
		if len(saved) != 2 || len(saved[0].UsedDueWords) != 1 || saved[0].UsedDueWords[0].Prompted || len(saved[1].UsedDueWords) != 1 || !saved[1].UsedDueWords[0].Prompted {
			t.Errorf("saved %+v", saved)
		}
	})
}
