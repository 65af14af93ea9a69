package session

import (
	"strings"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// toldWords is how many words of a turn the client is told the times of.
const toldWords = 500

// text is all that the learner has said in this turn, as it is to be answered.
func (l *learnerTurn) text() string { return l.join(false) }

// join puts the turn's text together, with or without requests for time, which are not to be answered.
func (l *learnerTurn) join(requests bool) string {
	parts := make([]string, 0, len(l.finals)+1)
	for _, u := range l.finals {
		if u.text != "" && (requests || !u.forTime) {
			parts = append(parts, u.text)
		}
	}
	if l.partial != "" {
		parts = append(parts, l.partial)
	}
	return strings.Join(parts, " ")
}

// words are those of the turn, in their order.
func (l *learnerTurn) words() []providers.Word {
	var words []providers.Word
	for _, u := range l.finals {
		words = append(words, u.words...)
	}
	return append(words, l.pending...)
}

// showTranscript tells the client what was understood so far.
func (c *conductor) showTranscript(stability float64) {
	c.learner.measure(time.Now())
	c.emit(TranscriptDelta{ItemID: c.learner.itemID, Text: c.learner.join(true), Stability: stability})
}

// heardWords are the words as the client is told them.
func heardWords(words []providers.Word) []HeardWord {
	words = words[:min(len(words), toldWords)] // nobody says more in a turn, and a client's frame is bounded
	out := make([]HeardWord, len(words))
	for i, w := range words {
		out[i] = HeardWord{Word: w.Text, StartMS: w.StartMS, EndMS: w.EndMS, Confidence: w.Confidence, Language: w.Language}
	}
	return out
}

// spokenTimes are the words as they are stored: times within the utterance.
func spokenTimes(words []providers.Word) []learn.SpokenWord {
	out := make([]learn.SpokenWord, len(words))
	for i, w := range words {
		out[i] = learn.SpokenWord{Text: w.Text, StartMS: max(0, w.StartMS-words[0].StartMS), EndMS: max(0, w.EndMS-words[0].StartMS),
			Confidence: w.Confidence, Language: w.Language}
	}
	return out
}
