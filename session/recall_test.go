package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// cardBox is a learner's cards and reviews in memory.
type cardBox struct {
	mu      sync.Mutex
	due     []learn.Card
	log     []learn.Review
	undone  []string
	looked  int
	refuses int // calls that fail with err
	err     error
}

// newCardBox has a card of each kind.
func newCardBox() *cardBox {
	card := func(id string, kind learn.CardKind, front, back string) learn.Card {
		return learn.Card{ID: id, Kind: kind, Front: front, Back: back, Context: "about " + id, Memory: learn.Memory{State: learn.CardReview}}
	}
	return &cardBox{due: []learn.Card{card("k1", learn.CardProduce, "house", "la casa"), card("k2", learn.CardRecognise, "el perro", "dog"),
		card("k3", learn.CardFix, "Yo fue.", "Yo fui."), card("k4", learn.CardSpeak, "tree", "el árbol")}}
}

func (b *cardBox) fails() error {
	if b.refuses > 0 {
		b.refuses--
		return b.err
	}
	return nil
}

func (b *cardBox) DueCards(_ context.Context, _, _, _ string, limit int) (q learn.DueQueue, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.looked++
	for _, c := range b.due[:min(limit, len(b.due))] {
		q.Cards = append(q.Cards, learn.DueCard{Card: c})
	}
	return q, b.fails()
}

// AppendReviews takes a card that was remembered out of those that are due.
func (b *cardBox) AppendReviews(_ context.Context, tenantID, userID string, reviews []learn.Review) (results []learn.ReviewResult, cards []learn.Card, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.fails(); err != nil {
		return nil, nil, err
	}
	for _, r := range reviews {
		if f := r.Check(); len(f) > 0 || tenantID != learn.PersonalTenant {
			return nil, nil, fmt.Errorf("review %+v: %v", r, f)
		}
		b.log = append(b.log, r)
		results = append(results, learn.ReviewResult{ID: r.ID, CardID: r.CardID, Outcome: learn.ReviewApplied})
		cards = append(cards, learn.Card{ID: r.CardID, Memory: learn.Memory{DueAt: r.At.AddDate(0, 0, int(r.Rating))}})
		b.due = slices.DeleteFunc(b.due, func(c learn.Card) bool { return c.ID == r.CardID })
	}
	return results, cards, nil
}

func (b *cardBox) UndoReview(_ context.Context, _, _, id, _ string) (learn.Review, learn.Card, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.undone = append(b.undone, id)
	return learn.Review{ID: id}, learn.Card{}, b.fails()
}

// reviewTalk is a review by voice that is not running yet.
func reviewTalk(t *testing.T) (*talk, *cardBox) {
	k, b := newTalk(t), newCardBox()
	k.host.Recalls, k.params.Conversation.Mode = b, "review"
	k.host.Nudges = true
	return k, b
}

// replies waits until n questions and comments were heard to their end.
func (k *talk) replies(n int) {
	k.t.Helper()
	k.until(fmt.Sprintf("%d replies", n), func() bool { return len(eventsOf[ResponseDone](k.conn)) == n })
}

// answer waits for a while, and says something that is understood with a confidence.
func (k *talk) answer(after time.Duration, text string, confidence float64) {
	k.mic(int(after.Milliseconds()), false)
	from := k.sentMS
	k.mic(600, true)
	h := providers.Heard{Kind: providers.HeardEnd, Segment: k.said, Text: text, StartMS: from, EndMS: k.sentMS}
	for i, w := range strings.Fields(text) {
		h.Words = append(h.Words, providers.Word{Text: w, StartMS: from + i*100, EndMS: from + i*100 + 90, Confidence: confidence})
	}
	k.hears.last().events <- h
	k.said++
	synctest.Wait()
}

// utterances are what the tutor has said, reply by reply.
func (k *talk) utterances() (said []string) {
	for _, d := range eventsOf[CaptionDone](k.conn) {
		said = append(said, d.Transcript)
	}
	return said
}

// results lists how cards were rated.
func (k *talk) results() (all []string) {
	for _, r := range eventsOf[ReviewResult](k.conn) {
		all = append(all, fmt.Sprintf("%s %d %s %v %q", r.CardID, r.Rating, r.Mode, r.Right, r.Heard))
	}
	return all
}

func (k *talk) same(what string, got []string, want ...string) {
	k.t.Helper()
	if !slices.Equal(got, want) {
		k.t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A learner is asked the cards that can be asked by voice, answers the first at once, the
// second wrongly and the third late, and is rated so. No model is asked, and nothing is sent
// to be analysed.
func TestReviewByVoice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, b := reviewTalk(t)
		k.start()
		k.replies(1)
		k.answer(500*time.Millisecond, "la casa", 0.9)
		k.replies(2)
		k.answer(3*time.Second, "yo fue", 0.9)
		k.replies(3)
		k.answer(9*time.Second, "el árbol", 0.9)
		k.replies(4)
		k.same("said", k.utterances(), "¿Cómo se dice «house»?", "¡Muy bien! Dilo bien: «Yo fue.»", "Se dice: «Yo fui.». ¿Cómo se dice «tree»?",
			"¡Muy bien! Eso es todo por ahora. ¡Buen trabajo!")
		k.same("rated", k.results(), `k1 4 spoken true "la casa"`, `k3 1 spoken false "yo fue"`, `k4 2 spoken true "el árbol"`)
		var shown []string
		for _, c := range eventsOf[ReviewCard](k.conn) {
			shown = append(shown, fmt.Sprintf("%s %s %q %s %d", c.Card.ID, c.Card.Kind, c.Card.Front, c.Card.Language, c.Left))
		}
		k.same("shown", shown, `k1 produce "house" es 2`, `k3 fix "Yo fue." es 1`, `k4 speak "tree" es 0`)
		if done := eventsOf[ReviewDone](k.conn); len(done) != 1 || done[0] != (ReviewDone{Reviewed: 3, Right: 2}) {
			t.Errorf("done %+v", done)
		}
		first := eventsOf[ReviewResult](k.conn)[0]
		if r := b.log[0]; r.ID != first.ReviewID || first.Answer != "la casa" || first.Context != "about k1" || !first.DueAt.Equal(r.At.AddDate(0, 0, 4)) ||
			r.Duration < 400*time.Millisecond || r.Duration > 900*time.Millisecond || !strings.Contains(string(r.Evidence), `"right":true,"hinted":false`) || strings.Contains(string(r.Evidence), "casa") {
			t.Errorf("kept %+v with %s, told %+v", r, r.Evidence, first)
		}
		if n := len(k.tutor.prompts); n != 0 {
			t.Errorf("the model was asked %d times", n)
		}
		k.finish()
		if ended := eventsOf[LessonSummary](k.conn); len(ended) != 0 {
			t.Errorf("a review ended with %+v", ended)
		}
		if said := k.journal.stored(); len(said) != 7 || said[1].Content != "la casa" || said[2].Content != "¡Muy bien! Dilo bien: «Yo fue.»" {
			t.Errorf("stored %+v", said)
		}
	})
}

// What is hardly heard and not right is asked again, once; the second time it counts.
func TestReviewNotUnderstood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, b := reviewTalk(t)
		k.start()
		k.replies(1)
		k.answer(time.Second, "la cosa", 0.3)
		k.replies(2)
		if len(b.log) != 0 || !strings.HasPrefix(k.utterances()[1], "Perdona, ¿lo repites? ¿Cómo se dice «house»?") {
			t.Errorf("rated %v, said %q", k.results(), k.utterances())
		}
		k.answer(time.Second, "la cosa", 0.3)
		k.replies(3)
		k.same("rated", k.results(), `k1 1 spoken false "la cosa"`)
		k.finish()
	})
}

// The learner rates the card that is asked, changes the rating of the one before, asks for a
// hint and to be told, and types an answer.
func TestReviewAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, b := reviewTalk(t)
		k.start()
		k.replies(1)
		k.ask(AnswerReview{CardID: "k1", Rating: learn.Good}, "e1")
		k.replies(2)
		k.ask(AnswerReview{CardID: "k1", Rating: learn.Hard}, "e2")
		k.ask(AnswerReview{CardID: "k1", Rating: learn.Hard}, "e3") // it is so already
		k.ask(AnswerReview{CardID: "k2", Rating: learn.Hard}, "e4")
		k.ask(AnswerReview{CardID: "k1"}, "e5")
		k.ask(AskHint{}, "e6")
		k.send(CreateItem{Text: "Yo fui"})
		k.replies(3)
		k.ask(AnswerReview{CardID: "k4"}, "e7")
		k.replies(4)
		k.same("rated", k.results(), `k1 3 self false ""`, `k1 2 self false ""`, `k3 2 typed true "Yo fui"`, `k4 1 spoken false ""`)
		k.same("refused", k.failures(), "invalid_event card_id e4", "invalid_event card_id e5")
		if hints := eventsOf[Hint](k.conn); len(hints) != 1 || hints[0] != (Hint{Text: "Yo f…", Language: "es"}) {
			t.Errorf("hints %+v", hints)
		}
		r := eventsOf[ReviewResult](k.conn)
		if !slices.Equal(b.undone, []string{r[0].ReviewID}) || r[1].Replaces != r[0].ReviewID || r[1].ReviewID == r[0].ReviewID {
			t.Errorf("undone %v for %+v", b.undone, r[1])
		}
		if done := eventsOf[ReviewDone](k.conn); len(done) != 1 || done[0] != (ReviewDone{Reviewed: 3, Right: 2}) {
			t.Errorf("done %+v", done)
		}
		k.ask(AskHint{}, "e8") // no card is asked any more
		k.same("refused", k.failures(), "invalid_event card_id e4", "invalid_event card_id e5", "item_not_found  e8")
		k.finish()
	})
}

// Who is silent is shown the beginning of the answer, and not rated; what comes then is hard.
func TestReviewSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, b := reviewTalk(t)
		k.start()
		k.replies(1)
		k.mic(40_000, false)
		if n := eventsOf[Nudge](k.conn); len(n) != 1 || n[0].Kind != NudgeHint || n[0].Text != "la c…" || len(b.log) != 0 || len(k.utterances()) != 1 {
			t.Errorf("nudges %+v, %d reviews, said %q", n, len(b.log), k.utterances())
		}
		k.answer(0, "la casa", 0.9)
		k.replies(2)
		k.same("rated", k.results(), `k1 2 spoken true "la casa"`)
		k.finish()
	})
}

// A store that is away for a moment loses no review, and one that stays away is told of. What
// was answered right before the end is kept.
func TestReviewStoreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, b := reviewTalk(t)
		k.start()
		k.replies(1)
		b.mu.Lock()
		b.refuses, b.err = 2, learn.Errorf(learn.Unavailable, "box", "away")
		b.mu.Unlock()
		k.answer(500*time.Millisecond, "la casa", 0.9)
		k.replies(2)
		k.until("it is kept", func() bool { return len(k.results()) == 1 })
		b.mu.Lock()
		b.refuses = 1000
		b.mu.Unlock()
		k.answer(500*time.Millisecond, "yo fui", 0.9)
		k.replies(3)
		k.until("it is told", func() bool { return len(k.failures()) > 0 })
		k.same("told", k.failures(), "internal_error")
		b.mu.Lock()
		b.refuses = 0
		b.mu.Unlock()
		k.ask(AnswerReview{CardID: "k4", Rating: learn.Easy}, "e")
		k.finish()
		if n := len(b.log); n != 2 || b.log[1].CardID != "k4" {
			t.Errorf("%d reviews are kept: %+v", n, b.log)
		}
	})
}

// Without cards the tutor says so, and looks again when the learner speaks.
func TestReviewNothingDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, b := reviewTalk(t)
		cards := b.due
		b.due = nil
		k.start()
		k.replies(1)
		b.mu.Lock()
		b.due = cards
		b.mu.Unlock()
		k.answer(500*time.Millisecond, "¿y ahora?", 0.9)
		k.replies(2)
		k.same("said", k.utterances(), "Ahora no hay nada que repasar.", "¿Cómo se dice «house»?")
		if len(eventsOf[ReviewDone](k.conn)) != 1 || len(b.log) != 0 {
			t.Errorf("done %+v, rated %v", eventsOf[ReviewDone](k.conn), k.results())
		}
		k.finish()
	})
}

// In a talk nothing is reviewed, nor in a review on a node that keeps none.
func TestNoReview(t *testing.T) {
	for name, tune := range map[string]func(k *talk){
		"a talk":          func(k *talk) { k.params.Conversation.Mode = "live" },
		"nobody keeps it": func(k *talk) { k.host.Recalls = nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, b := reviewTalk(t)
				tune(k)
				k.start()
				k.greeted()
				k.ask(AnswerReview{CardID: "k1", Rating: 3}, "e1")
				k.same("refused", k.failures(), "invalid_event card_id e1")
				if b.looked != 0 || len(k.tutor.prompts) != 1 {
					t.Errorf("looked %d times, asked the model %d times", b.looked, len(k.tutor.prompts))
				}
				k.finish()
			})
		})
	}
}
