package learn

import (
	"slices"
	"strings"
)

// CardSource is a message of a conversation with what is known of its words, from which a
// card may be made.
type CardSource struct {
	Message     Message
	ProfileID   string
	Corrections []Correction // of the message
	// NewWords and L1Words were found in the turn that the message belongs to.
	NewWords []NewWord
	L1Words  []L1Word
}

// gap stands on a card where the answer was.
const gap = "…"

// CorrectionCard makes a card of one of the corrections: the front is the learner's sentence
// as it was, the back as it should be, and its context the explanation. ok is false when there
// is no such correction, or nothing is left when it is applied.
func (s CardSource) CorrectionCard(correctionID string) (card Card, ok bool) {
	i := slices.IndexFunc(s.Corrections, func(c Correction) bool { return c.ID == correctionID })
	if i < 0 {
		return Card{}, false
	}
	c := s.Corrections[i]
	said := []rune(s.Message.Content)
	if c.Start < 0 || c.End < c.Start || c.End > len(said) {
		return Card{}, false
	}
	before := sentence(said, c.Start, c.End)
	right := slices.Concat(said[:c.Start], []rune(c.Corrected), said[c.End:])
	after := sentence(right, c.Start, c.Start+len([]rune(c.Corrected)))
	if before == "" || after == "" || len([]rune(before)) > CardTextMost || len([]rune(after)) > CardTextMost {
		before, after = c.Original, c.Corrected // of a sentence that has no end
	}
	card = Card{ProfileID: s.ProfileID, Kind: CardFix, Origin: FromCorrection, Front: oneLine(before), Back: oneLine(after),
		Context: oneLine(c.Explanation), MessageID: s.Message.ID, CorrectionID: c.ID}
	return card, Fold(card.Front) != "" && Fold(card.Back) != ""
}

// TextCard makes a card of a word or phrase that stands in the message. When the learner said
// it in their own language, it asks for what it is in the language learned. Otherwise the
// text is the answer, and the front its translation: the given one, else that of the turn's
// analysis, else the sentence with a gap. ok is false when the text is not in the message.
func (s CardSource) TextCard(text, translation string) (card Card, ok bool) {
	said := []rune(s.Message.Content)
	start, end, ok := find(said, []rune(oneLine(text)), func(int, int) bool { return true })
	if !ok {
		return Card{}, false
	}
	found := string(said[start:end])
	around := oneLine(sentence(said, start, end))
	card = Card{ProfileID: s.ProfileID, Kind: CardProduce, Origin: FromMessage, Front: oneLine(translation), Back: oneLine(found),
		Context: around, MessageID: s.Message.ID}
	if i := slices.IndexFunc(s.L1Words, func(w L1Word) bool { return CardKey(w.Text) == CardKey(found) }); i >= 0 && s.Message.Speaker == SpeakerLearner {
		card.Origin, card.Kind, card.Front, card.Back = FromL1, CardSpeak, oneLine(found), oneLine(s.L1Words[i].Target)
		return card, Fold(card.Back) != ""
	}
	i := slices.IndexFunc(s.NewWords, func(w NewWord) bool {
		return CardKey(w.Surface) == CardKey(found) || CardKey(w.Lemma) == CardKey(found)
	})
	if i >= 0 {
		card.Level = s.NewWords[i].Level
		if card.Front == "" {
			card.Front = oneLine(s.NewWords[i].Translation)
		}
	}
	if card.Front == "" {
		card.Front = oneLine(strings.Replace(around, found, gap, 1))
	}
	if CardKey(card.Front) == "" || CardKey(card.Front) == CardKey(gap) { // nothing is around it
		return Card{}, false
	}
	return card, true
}

// oneLine is a text as a card can hold it: without line ends and what cannot be seen.
func oneLine(s string) string { return line(s, CardContextMost) }
