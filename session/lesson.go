package session

import (
	"slices"

	"kalami/session/learn"
)

// reportWords is how many words a report names.
const reportWords = 20

// noteWords keeps the words of a turn for the report at the end.
func (c *conductor) noteWords(a learn.TurnAnalysis) {
	words := make([]string, 0, len(a.NewWords)+len(a.L1Words))
	for _, w := range a.NewWords {
		words = append(words, w.Lemma)
	}
	for _, w := range a.L1Words {
		words = append(words, w.Target)
	}
	for _, w := range words {
		if len(c.advice.words) < reportWords && w != "" && !slices.Contains(c.advice.words, w) {
			c.advice.words = append(c.advice.words, w)
		}
	}
}

// showHelp shows an answer to a learner who asked for help, and notes what stands in it.
func (c *conductor) showHelp(ev Event) {
	switch e := ev.(type) {
	case Hint:
		c.advice.helped += e.Text + "\n"
	case Translation:
		c.advice.helped += e.Source + "\n" + e.Text + "\n"
	}
	c.emit(ev)
}

// reportLesson tells a learner who ends a talk what is known of it at once: figures and words, as
// far as this node has seen the talk. What went well, and the next step, a model says after the
// end; the conversation's summary has them then.
func (c *conductor) reportLesson() {
	if !c.end.Reason.closes() || c.totals.Turns == 0 || c.recall.on {
		return
	}
	r := LessonReport{Language: cmpOr(c.config.NativeLanguage, "en"), WentWell: []string{}, Corrections: c.advice.shown,
		Words: slices.Concat([]string{}, c.advice.words)}
	if spoken := c.totals.Learner + c.totals.Tutor; spoken > 0 {
		r.LearnerShare = float64(c.totals.Learner) / float64(spoken)
	}
	c.emit(LessonSummary{Summary: r})
}

// AddedCardOf is a card as clients are told of it.
func AddedCardOf(c learn.Card) AddedCard {
	return AddedCard{ID: c.ID, ProfileID: c.ProfileID, Kind: string(c.Kind), Front: c.Front, Back: c.Back, Context: c.Context,
		Origin: string(c.Origin), CorrectionID: c.CorrectionID}
}
