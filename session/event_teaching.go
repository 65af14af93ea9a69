package session

import "kalami/session/learn"

// The events of the teaching side. They may come at any time, are displayed and never
// played, and a client that does not know them loses nothing of the conversation.
type (
	// Feedback is what there is to say about a message of the learner's, some time after
	// it was said. A further one about the same item replaces the one before.
	Feedback struct {
		ItemID      string           `json:"item_id"`
		Corrections []ItemCorrection `json:"corrections" doc:"In the order of the text; empty when nothing is to be shown"`
		Scores      *Scores          `json:"scores,omitempty" doc:"How it was said, where somebody has looked"`
	}
	// Hint answers tutor.hint.
	Hint struct {
		Text     string `json:"text" doc:"What the learner could say next; a sentence or two, to be shown"`
		Language string `json:"language" doc:"Of the text"`
	}
	// Translation answers tutor.translate.
	Translation struct {
		Source   string `json:"source" doc:"What was translated"`
		Text     string `json:"text"`
		Language string `json:"language" doc:"Of the text: the learner's own"`
		ItemID   string `json:"item_id,omitempty" doc:"Of the item that was asked for"`
	}
	// CardAdded says that the learner has a card more.
	CardAdded struct {
		Card AddedCard `json:"card"`
	}
	// GoalMet says that the learner has reached a goal of the scenario.
	GoalMet struct {
		GoalID string `json:"goal_id"`
		Quote  string `json:"quote" doc:"The learner's words that show it"`
	}
	// LessonSummary is what is known at once of a conversation that its learner ends; what a
	// model says of it comes later, in the summary that the REST API gives.
	LessonSummary struct {
		Summary LessonReport `json:"summary"`
	}
)

// ItemCorrection is a mistake in the text of an item and its right form.
type ItemCorrection struct {
	ID          string         `json:"id" doc:"With which it can be disputed or saved as a card"`
	Original    string         `json:"original"`
	Corrected   string         `json:"corrected"`
	Start       int            `json:"start" doc:"Where it begins in the item's text, in Unicode code points"`
	End         int            `json:"end" doc:"Where it ends"`
	Category    learn.Category `json:"category"`
	Severity    learn.Severity `json:"severity" enum:"minor,major,blocking"`
	Explanation string         `json:"explanation" doc:"A sentence in the language that the learner wants explanations in"`
}

// Scores are measures of how something was said, 0 to 100. One that Basis does not allow,
// or that nobody has taken, is null: no recogniser's confidence is called accuracy.
type Scores struct {
	Basis        string   `json:"basis" enum:"asr_recognition,acoustic_phoneme"`
	Accuracy     *float64 `json:"accuracy" minimum:"0" maximum:"100"`
	Completeness *float64 `json:"completeness" minimum:"0" maximum:"100"`
	Fluency      *float64 `json:"fluency" minimum:"0" maximum:"100"`
	Prosody      *float64 `json:"prosody" minimum:"0" maximum:"100"`
	Recognition  *float64 `json:"recognition" minimum:"0" maximum:"100"`
}

// AddedCard is what a client shows of a card that was made.
type AddedCard struct {
	ID           string `json:"id"`
	ProfileID    string `json:"profile_id"`
	Kind         string `json:"kind" enum:"recognise,produce,speak,fix"`
	Front        string `json:"front"`
	Back         string `json:"back"`
	Context      string `json:"context,omitempty"`
	Origin       string `json:"origin" enum:"manual,import,correction,message,l1_word"`
	CorrectionID string `json:"correction_id,omitempty"`
}

// LessonReport is what a learner is told after a conversation.
type LessonReport struct {
	Language     string   `json:"language" doc:"Of what is written here: the learner's own, below B2"`
	WentWell     []string `json:"went_well" doc:"Empty here: see the conversation's summary, a moment later"`
	NextStep     string   `json:"next_step,omitempty"`
	Corrections  int      `json:"corrections" doc:"Mistakes that were shown"`
	Words        []string `json:"words" doc:"That the tutor brought up, or the learner said in another language"`
	LearnerShare float64  `json:"learner_share" doc:"Of the time in which somebody spoke" minimum:"0" maximum:"1"`
}

// FeedbackOn is the event for what was found in the text of an item. Corrections that are
// withheld are left out.
func FeedbackOn(itemID string, found []learn.Correction) Feedback {
	f := Feedback{ItemID: itemID, Corrections: []ItemCorrection{}}
	for _, c := range found {
		if !c.Withheld {
			f.Corrections = append(f.Corrections, ItemCorrection{ID: c.ID, Original: c.Original, Corrected: c.Corrected,
				Start: c.Start, End: c.End, Category: c.Category, Severity: c.Severity, Explanation: c.Explanation})
		}
	}
	return f
}

// The learner's questions and answers of the teaching side, as the protocol's table has
// them.
type (
	// AskHint asks what one could say next; [Hint] answers.
	AskHint struct{}
	// Translate asks for an item of the conversation, or for Text when ItemID is empty, in
	// the learner's own language; [Translation] answers.
	Translate struct {
		ItemID string `json:"item_id,omitempty" doc:"An item of this conversation; either this or text"`
		Text   string `json:"text,omitempty" doc:"Any text; either this or item_id" maxLength:"1000"`
	}
	// Repeat asks the tutor to say its last reply again.
	Repeat struct {
		Slow bool `json:"slow" doc:"At three quarters of the pace"`
	}
	// EditTranscript says that the learner has said something else than was understood.
	EditTranscript struct {
		ItemID string `json:"item_id" required:"true" doc:"A message of the learner's own"`
		Text   string `json:"text" required:"true" doc:"What was said" minLength:"1" maxLength:"4000"`
	}
	// AnswerReview answers a card of a review that is held by voice.
	AnswerReview struct {
		CardID string `json:"card_id" required:"true"`
		// Rating is 0 when the learner leaves it to what was heard.
		Rating learn.Rating `json:"rating,omitempty" doc:"1 again, 2 hard, 3 good, 4 easy; left out, what was said decides" minimum:"1" maximum:"4"`
	}
)
