package session

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"kalami/providers"
	"kalami/session/learn"
	"kalami/session/learn/recall"
)

// A conversation of the mode "review" is a review by voice: the tutor asks the cards that are
// due, one after the other, and the learner's words are their answers. It runs through the
// same stages as every conversation, with the same patience, interruptions and hand-overs.
// What differs is what the tutor says: it is given, by the rules of package recall, and no
// model is asked. A typed message is an answer as well, and tutor.review.answer rates the card
// that is asked, or the one before it anew. A client that asks the tutor to speak has the
// question asked again.
//
// What is due is read, and reviews are written, by a stage of its own (recall_desk.go), which
// CONDUCTOR never waits for; the next card is asked meanwhile. When no card is left it looks
// once more: one that was just forgotten may be due again. A node that goes on with the
// session knows which card was asked and reads what is due by then, so that no card is lost and
// none counts twice.
//
// Nobody is rated for being silent: the ladder shows a hint, and pauses.

// recalling is what CONDUCTOR knows of a review by voice; owned by its run.
type recalling struct {
	on     bool
	queue  []learn.DueCard // still to be asked
	card   *learn.Card     // that is asked; nil while none is
	judged string          // the learner's item that was judged last
	// askedMS is when its question had been heard, in the session's audio; 0 for not yet.
	askedMS int64
	saidMS  int64 // when the learner's last turn began
	hinted  bool
	retried bool   // it was not understood, and asked again
	resume  string // the card that another node was asking; empty for none
	loading bool
	comment string        // on the card before, to be said with what comes next
	last    *ReviewResult // of the card before
	// of this session
	reviewed, right int
}

// openRecall begins a review: what is due is read first.
func (c *conductor) openRecall(resume string) {
	c.recall = recalling{on: true, resume: resume}
	c.drafts.budget = nil // there is nothing to be thought of
	c.loadRecall()
}

// loadRecall asks what is due.
func (c *conductor) loadRecall() {
	if c.recall.loading {
		return
	}
	c.recall.loading = c.orderRecall(recallOrder{})
}

// orderRecall tells the desk what to do. It does not wait.
func (c *conductor) orderRecall(o recallOrder) bool {
	select {
	case c.lanes.recall <- o:
		return true
	default:
		c.problem(ServerError, InternalError, "Reviews cannot be saved at the moment.")
		return false
	}
}

// onRecalled takes the desk's answer.
func (c *conductor) onRecalled(r recalled) {
	if r.order.review != nil {
		c.onReviewKept(r)
		return
	}
	c.recall.loading = false
	comment := c.recall.comment
	c.recall.comment = ""
	if r.err != nil {
		c.log.Warn("due cards not read", "err", r.err)
		c.problem(ServerError, InternalError, "The cards that are due cannot be read at the moment.")
		if comment != "" {
			c.say(comment)
		}
		return
	}
	known := c.recall.card != nil
	c.recall.queue = slices.DeleteFunc(r.due, func(d learn.DueCard) bool {
		return !recall.Spoken(d.Card) || known && d.Card.ID == c.recall.card.ID
	})
	if i := slices.IndexFunc(c.recall.queue, func(d learn.DueCard) bool { return d.Card.ID == c.recall.resume }); i >= 0 && c.recall.resume != "" {
		c.takeCard(i)
		if c.reply != nil || c.watch.draining { // it is being asked
			c.recall.resume = ""
			return
		}
		c.askCard("")
		return
	}
	if !known {
		c.nextCard(comment)
	}
}

// takeCard makes one of the queue the card that is asked.
func (c *conductor) takeCard(i int) {
	card := c.recall.queue[i].Card
	c.recall.queue = slices.Delete(c.recall.queue, i, i+1)
	c.recall.card, c.recall.askedMS, c.recall.hinted, c.recall.retried, c.recall.resume = &card, 0, false, false, ""
}

// nextCard asks the next card, behind a comment on the one before. When none is left it says so,
// once what is due was read again.
func (c *conductor) nextCard(comment string) {
	c.recall.card = nil
	if len(c.recall.queue) > 0 {
		c.takeCard(0)
		c.askCard(comment)
		return
	}
	asked := c.recall.reviewed > 0
	c.emit(ReviewDone{Reviewed: c.recall.reviewed, Right: c.recall.right})
	c.say(strings.TrimSpace(comment + " " + recall.Nothing(c.config.Language, asked)))
}

// askCard asks the card, behind a comment.
func (c *conductor) askCard(comment string) {
	card := *c.recall.card
	c.recall.askedMS = 0
	c.emit(ReviewCard{Left: len(c.recall.queue), Card: AskedCard{ID: card.ID, Kind: string(card.Kind), Front: card.Front,
		Language: c.config.Language, New: card.Memory.State == learn.CardNew}})
	c.say(strings.TrimSpace(comment + " " + recall.Question(c.config.Language, card)))
}

// say has the tutor say a text, as a reply of its own.
func (c *conductor) say(text string) {
	if c.watch.draining {
		c.owe("")
		return
	}
	c.supersede("client_cancelled")
	r := c.newReply(providers.Prompt{}, nil)
	r.turn.given, r.turn.from = true, &resumption{text: text, whole: true}
	r.made.complete = true
	c.announce(r)
	c.think(r.turn)
}

// recallTurn is what the tutor does in a review where it would answer in a talk: it judges
// what the learner has said, if that was not judged yet, else it asks again.
func (c *conductor) recallTurn() {
	answer := c.unjudged()
	switch {
	case c.recall.card == nil:
		c.loadRecall()
	case answer == nil:
		c.askCard("")
	default:
		c.judge(*answer)
	}
}

// unjudged is the learner's message that answers the card; nil for none.
func (c *conductor) unjudged() *learn.Message {
	n := len(c.history)
	if n == 0 || c.history[n-1].Speaker != learn.SpeakerLearner || c.history[n-1].UtteranceID == c.recall.judged {
		return nil
	}
	c.recall.judged = c.history[n-1].UtteranceID
	return &c.history[n-1]
}

// judge rates an answer and goes on.
func (c *conductor) judge(m learn.Message) {
	card := *c.recall.card
	a := recall.Answer{Language: c.config.Language, Text: m.Content, Words: m.Words, Hinted: c.recall.hinted}
	if c.recall.askedMS > 0 {
		a.After = time.Duration(max(0, c.recall.saidMS-c.recall.askedMS)) * time.Millisecond
	}
	v := recall.Judge(card, a)
	if v.Unsure && !c.recall.retried {
		c.recall.retried = true
		c.askCard(recall.Unclear(c.config.Language))
		return
	}
	if v.Unsure {
		v.Rating = learn.Again
	}
	mode := learn.ReviewSpoken
	if m.Source == "text" {
		mode = learn.ReviewTyped
	}
	c.rate(card, v.Rating, mode, a, v.Right)
	c.nextOrLoad(recall.Comment(c.config.Language, card, v.Right))
}

// nextOrLoad asks the next card, or reads first what is due now.
func (c *conductor) nextOrLoad(comment string) {
	if len(c.recall.queue) > 0 {
		c.nextCard(comment)
		return
	}
	c.recall.card, c.recall.comment = nil, comment
	c.loadRecall()
}

// rate has a review of a card kept.
func (c *conductor) rate(card learn.Card, rating learn.Rating, mode learn.ReviewMode, a recall.Answer, right bool) {
	review := learn.Review{ID: c.newID(""), CardID: card.ID, Rating: rating, At: time.Now().UTC(), Mode: mode, Duration: min(a.After, learn.ReviewDurationMost)}
	if mode == learn.ReviewSpoken {
		review.Evidence = spokenEvidence(a, right)
	}
	result := ReviewResult{CardID: card.ID, ReviewID: review.ID, Rating: rating, Mode: mode, Right: right, Heard: a.Text, Answer: card.Back, Context: card.Context}
	if c.orderRecall(recallOrder{review: &review, result: result}) {
		c.recall.last = &result
		c.tally(rating, 1)
	}
}

// spokenEvidence is what a rating from speech rests on: no words of the learner's.
func spokenEvidence(a recall.Answer, right bool) []byte {
	b, _ := json.Marshal(struct { // numbers and booleans can always be written
		Right   bool  `json:"right"`
		Hinted  bool  `json:"hinted"`
		AfterMS int64 `json:"after_ms"`
	}{right, a.Hinted, a.After.Milliseconds()})
	return b
}

// answerReview obeys tutor.review.answer.
func (c *conductor) answerReview(m AnswerReview, eventID string) {
	card := c.recall.card
	switch last := c.recall.last; {
	case !c.recall.on:
		c.invalid(eventID, "card_id", "No review is held in this session.")
	case card != nil && card.ID == m.CardID && m.Rating == 0 && c.learner.text() != "":
		c.commit()
	case card != nil && card.ID == m.CardID:
		rating, mode := m.Rating, learn.ReviewSelf
		if rating == 0 { // the learner wants to be told
			rating, mode = learn.Again, learn.ReviewSpoken
		}
		c.learner = c.learner.fresh()
		c.learner.clearedMS = c.clock.nowMS()
		c.rate(*card, rating, mode, recall.Answer{}, false)
		c.nextOrLoad(recall.Comment(c.config.Language, *card, false))
	case last != nil && last.CardID == m.CardID && m.Rating.Valid():
		c.rateAnew(*last, m.Rating)
	default:
		c.invalid(eventID, "card_id", "That is neither the card that is asked nor the one before it.")
	}
}

// rateAnew changes the rating of the card before.
func (c *conductor) rateAnew(last ReviewResult, rating learn.Rating) {
	if last.Rating == rating {
		return
	}
	review := learn.Review{ID: c.newID(""), CardID: last.CardID, Rating: rating, At: time.Now().UTC(), Mode: learn.ReviewSelf}
	before := last
	last.Rating, last.Mode, last.ReviewID, last.Replaces = rating, learn.ReviewSelf, review.ID, before.ReviewID
	if c.orderRecall(recallOrder{review: &review, instead: before.ReviewID, result: last}) {
		c.recall.last = &last
		c.tally(before.Rating, -1)
		c.tally(rating, 1)
	}
}

// tally counts a rating of this session, or takes it back.
func (c *conductor) tally(rating learn.Rating, n int) {
	c.recall.reviewed += n
	if rating != learn.Again {
		c.recall.right += n
	}
}

// onReviewKept tells the client of a review that is stored.
func (c *conductor) onReviewKept(r recalled) {
	if r.err != nil {
		c.log.Warn("review not kept", "card", r.order.result.CardID, "err", r.err)
		c.problem(ServerError, InternalError, "A review could not be saved; the card will be asked again.")
		return
	}
	result := r.order.result
	result.DueAt = r.card.Memory.DueAt
	c.emit(result)
}

// hint answers tutor.hint.
func (c *conductor) hint(eventID string) {
	if !c.recall.on {
		c.askHint(eventID)
		return
	}
	text, ok := c.cardHint()
	if !ok {
		c.emit(Failure{Error: Problem{Type: InvalidRequest, Code: ItemNotFound, EventID: eventID, Message: "No card is asked at the moment."}})
		return
	}
	c.emit(Hint{Text: text, Language: c.config.Language})
}

// cardHint is a hint at the card that is asked, which its rating takes into account.
func (c *conductor) cardHint() (string, bool) {
	if c.recall.card == nil {
		return "", false
	}
	c.recall.hinted = true
	return recall.Hint(*c.recall.card), true
}

// recallHeard notes that a reply was heard, or cut: from then on the learner is expected.
func (c *conductor) recallHeard() {
	if c.recall.on && c.recall.card != nil {
		c.recall.askedMS = max(1, c.clock.nowMS())
	}
}
