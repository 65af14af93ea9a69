package session

import (
	"time"

	"kalami/session/learn"
)

// The events of a review that is held by voice; see recall.go.
type (
	// ReviewCard says which card is asked: the tutor says it aloud, and the learner's next
	// words answer it. A further one takes its place.
	ReviewCard struct {
		Card AskedCard `json:"card"`
		Left int       `json:"left" doc:"Cards that are known to be due after this one"`
	}
	// ReviewResult says how a card was rated, when that is stored.
	ReviewResult struct {
		CardID   string       `json:"card_id"`
		ReviewID string       `json:"review_id" doc:"With which it can be undone"`
		Replaces string       `json:"replaces,omitempty" doc:"The review that it takes the place of, after tutor.review.answer has changed the rating"`
		Rating   learn.Rating `json:"rating" doc:"1 again, 2 hard, 3 good, 4 easy"`
		// Mode is one of [learn.ReviewSpoken], [learn.ReviewTyped] and [learn.ReviewSelf].
		Mode   learn.ReviewMode `json:"mode" enum:"spoken,typed,self" doc:"self: the learner has rated it"`
		Right  bool             `json:"right" doc:"The answer was understood and right; false where the learner has rated it without one"`
		Heard  string           `json:"heard,omitempty" doc:"The answer, as it was understood"`
		Answer string           `json:"answer" doc:"What is right: the card's back"`
		// Context is that of the card.
		Context string    `json:"context,omitempty" doc:"Where the card came from, or what explains it"`
		DueAt   time.Time `json:"due_at" doc:"When it comes again"`
	}
	// ReviewDone says that no card is due any more.
	ReviewDone struct {
		Reviewed int `json:"reviewed" doc:"Reviews in this session"`
		Right    int `json:"right" doc:"Of them, those that were not rated again"`
	}
)

// AskedCard is what a client shows of a card that is asked: not its answer.
type AskedCard struct {
	ID       string `json:"id"`
	Kind     string `json:"kind" enum:"produce,speak,fix"`
	Front    string `json:"front"`
	Language string `json:"language" doc:"Of the answer"`
	New      bool   `json:"new" doc:"It was never reviewed"`
}
